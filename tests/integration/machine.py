# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A computer of one's own, made of this one: folders in which everything may be changed and nothing stays.

Linux lets root have mounts of its own, and overlays on folders. An account made here is gone with the machine. A
systemd can be had as well: root's own instance, which needs no more than the folders that a booted systemd leaves.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOTS_HOME = pwd.getpwuid(0).pw_dir
_CHANGED = ("/etc", "/var", ROOTS_HOME)
_LAYERS = "/srv"
_RUNTIME = "/run/user/0"
_MANAGER = Path("/lib/systemd/systemd")


def why_not() -> str:
    """Why there can be none here; empty where there can be."""
    if os.geteuid():
        return "only root can have mounts of its own"
    missing = [each for each in ("unshare", "nsenter", "runuser") if not shutil.which(each)]
    if missing:
        return f"{', '.join(missing)} is missing"
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt && cd /mnt && mkdir u w && "
         "mount -t overlay none -o lowerdir=/etc,upperdir=u,workdir=w /etc"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    return tried.stderr.strip() if tried.returncode else ""


class Machine:
    """``shown`` are folders that other accounts may pass to here, and only here: of what lies beside them in closed
    folders nothing is seen. They are no copies; what changes in them changes on both sides.
    """

    def __init__(self, shown: Sequence[Path], environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        lines = ["set -e", *(f"mount -t tmpfs tmpfs {folder}" for folder in (_LAYERS, "/run"))]
        for number, folder in enumerate(_CHANGED):
            layer = f"{_LAYERS}/{number}"
            lines += [
                f"mkdir -p {layer}/u {layer}/w",
                f"mount -t overlay overlay -o lowerdir={folder},upperdir={layer}/u,workdir={layer}/w {folder}",
            ]
        lines += [f"chmod 711 {ROOTS_HOME}", *_opened(shown)]
        lines += [f"mkdir -p {_RUNTIME}", f"chmod 700 {_RUNTIME}", "echo ready", "sleep infinity; :"]
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", "\n".join(lines)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        self._enter = ["nsenter", "--target", children.split()[0], "--mount", "--pid", "--"]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._enter, *command],
            check=False, capture_output=True, text=True, env={**self._environment, **environment},
        )  # fmt: skip

    def must(self, *command: str, **environment: str) -> str:
        ended = self.run(*command, **environment)
        assert not ended.returncode, f"{command}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def start_systemd(self) -> None:
        """Root's own instance, which calls itself booted here."""
        self.must("mkdir", "-p", "/run/systemd/system")
        self._environment["XDG_RUNTIME_DIR"] = _RUNTIME
        self._manager = subprocess.Popen(
            [*self._enter, str(_MANAGER), "--user"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self._environment,
        )  # fmt: skip
        while self.run("systemctl", "--user", "is-system-running", "--wait").stdout.strip() != "running":
            assert self._manager.poll() is None, "systemd has ended"
            time.sleep(0.1)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def _opened(shown: Sequence[Path]) -> list[str]:
    """Lines that put empty folders, open to all, in the place of closed ones, and in them no more than ``shown``."""
    closed = {
        above
        for folder in shown
        for above in folder.parents
        if str(above) != ROOTS_HOME and not above.stat().st_mode & stat.S_IXOTH
    }
    topmost = sorted(folder for folder in closed if not closed.intersection(folder.parents))
    kept = {folder: f"{_LAYERS}/shown/{number}" for number, folder in enumerate(shown)}
    return [
        *(f"mkdir -p {aside} && mount --bind {folder} {aside}" for folder, aside in kept.items()),
        *(f"mount -t tmpfs -o mode=711 tmpfs {folder}" for folder in topmost),
        *(
            f"(umask 066 && mkdir -p {folder}) && mount --bind {aside} {folder}"
            for folder, aside in kept.items()
        ),
    ]


def has_systemd() -> bool:
    return _MANAGER.exists() and shutil.which("systemctl") is not None
