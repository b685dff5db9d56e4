# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a process on a simulated computer: what recorded servers had, less what was theirs alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping


class Environment(MutableMapping[str, str]):
    """Variables, whose names keep their spelling and are found in any."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._held: dict[str, tuple[str, str]] = {}
        self.update(variables)

    def __getitem__(self, name: str) -> str:
        return self._held[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        known = self._held.get(name.lower())
        self._held[name.lower()] = (known[0] if known else name, value)

    def __delitem__(self, name: str) -> None:
        del self._held[name.lower()]

    def __iter__(self) -> Iterator[str]:
        """In the order in which ``set`` lists them."""
        return iter([self._held[key][0] for key in sorted(self._held)])

    def __len__(self) -> int:
        return len(self._held)


def environment(fqdn: str, account: str, has_profile: bool) -> Environment:
    """Of an account's process; ``has_profile`` is False where WINRS_NOPROFILE was asked for."""
    host = fqdn.partition(".")[0].upper()
    domain, _, user = account.rpartition("\\")
    home = rf"C:\Users\{user}" if has_profile else r"C:\Users\Default"
    temporary = rf"{home}\AppData\Local\Temp" if has_profile else r"C:\Windows\TEMP"
    own = {"APPDATA": rf"{home}\AppData\Roaming", "LOCALAPPDATA": rf"{home}\AppData\Local"}
    return Environment(
        {
            "ALLUSERSPROFILE": r"C:\ProgramData",
            **(own if has_profile else {}),
            "CommonProgramFiles": r"C:\Program Files\Common Files",
            "CommonProgramFiles(x86)": r"C:\Program Files (x86)\Common Files",
            "CommonProgramW6432": r"C:\Program Files\Common Files",
            "COMPUTERNAME": host,
            "ComSpec": r"C:\Windows\system32\cmd.exe",
            "NUMBER_OF_PROCESSORS": "2",
            "OS": "Windows_NT",
            "Path": r"C:\Windows\system32;C:\Windows;C:\Windows\System32\Wbem;"
            "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\",
            "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
            "PROCESSOR_ARCHITECTURE": "AMD64",
            "ProgramData": r"C:\ProgramData",
            "ProgramFiles": r"C:\Program Files",
            "ProgramFiles(x86)": r"C:\Program Files (x86)",
            "ProgramW6432": r"C:\Program Files",
            "PROMPT": "$P$G",
            "PSModulePath": r"%ProgramFiles%\WindowsPowerShell\Modules;"
            r"C:\Windows\system32\WindowsPowerShell\v1.0\Modules",
            "PUBLIC": r"C:\Users\Public",
            "SystemDrive": "C:",
            "SystemRoot": r"C:\Windows",
            "TEMP": temporary,
            "TMP": temporary,
            "USERDOMAIN": domain or host,
            "USERNAME": user,
            "USERPROFILE": home,
            "windir": r"C:\Windows",
        }
    )
