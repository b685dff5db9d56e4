# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PowerShell behind the lab's WSMan: a process of it for each runspace pool, with the lab's cmdlets."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from lab.catalogue import lync_commands, module_name, powershell_commands
from lab.windows.zones import WINDOWS_ZONES

from ..contract import Runspace, Server
from ..host_process import HostProcess
from .model import Model
from .module import OF_THE_COMPUTER, assembly, source_of, write_module
from .pool import ExternalPool

_FOLDER = Path(__file__).parent
_PROGRAM = _FOLDER / "program.py"


class ExternalEngine:
    """Makes pools of processes of that command line. Implements lab.engine.Engine.

    Args:
        command: a PowerShell 7 on Linux, ``pwsh``; it is given ``-s`` and a session configuration.
        folder: for the modules and the sessions; made anew.
    """

    def __init__(self, command: str, folder: Path) -> None:
        self._command = shlex.split(command)
        self._folder = folder
        self._modules: dict[str, Path] = {}  # of the computer's commands, by version of PowerShell

    def prepare(self, servers: Sequence[Server]) -> None:
        program = shutil.which(self._command[0]) if self._command else None
        if program is None:
            raise ValueError(f"there is no program {' '.join(self._command)!r} that could be the engine")
        self._command[0] = str(Path(program).absolute())
        shutil.rmtree(self._folder, ignore_errors=True)
        self._modules.clear()
        (self._folder / "home").mkdir(mode=0o700, parents=True)
        for server in servers:
            self._add_modules(server)

    def _add_modules(self, server: Any) -> None:
        version = server.deployment.version
        product = module_name(version)
        if not (self._modules_folder / product).exists():
            commands = list(lync_commands(version).values())
            built = assembly(self._command, product, source_of(commands))
            write_module(self._modules_folder, product, server.deployment.build, built, commands)
        version = _short(server.powershell_version)
        if version not in self._modules:
            known = powershell_commands(version)
            commands = [command for key, command in known.items() if key in OF_THE_COMPUTER]
            built = assembly(self._command, "Computer", source_of(commands))
            folder = self._folder / f"computer-{version}"
            self._modules[version] = write_module(folder, "Computer", version, built, commands)

    @property
    def _modules_folder(self) -> Path:
        return self._folder / "modules"

    def open_pool(
        self,
        host: HostProcess,
        open_runspace: Callable[[], Runspace],
        fragment_size: int,
        loop: asyncio.AbstractEventLoop,
        executor: ThreadPoolExecutor,
        exhausted: Callable[..., None],
    ) -> ExternalPool:
        session: Any = open_runspace()
        # The process knows itself which modules it imports; the model is to know all commands.
        session.import_module(module_name(session.deployment.version))
        return ExternalPool(host, session, partial(self._start, session), loop, exhausted)

    def _start(self, session: Any, model: Model) -> tuple[subprocess.Popen[bytes], Path]:
        """The process of a session. On the thread that lives as long as the lab, whose end is the process's end."""
        folder = Path(tempfile.mkdtemp(prefix="session-", dir=self._folder))
        programs = _write_programs(folder / "programs", session)
        configuration = folder / "session.pssc"
        configuration.write_text(self._configuration(session), encoding="utf-8")
        own = {name: value for name, value in os.environ.items() if name.startswith("DOTNET_")}
        environment = {
            # No program of this machine is found by its name.
            "PATH": str(programs),
            "HOME": str(self._folder / "home"),
            "TMPDIR": str(folder),
            "PSModulePath": str(self._modules_folder),
            "TZ": WINDOWS_ZONES.get(session.machine.zone.name, "UTC"),
            "LANG": "en_US.UTF-8",
            "DOTNET_TieredPGO": "0",  # starts a tenth quicker
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "POWERSHELL_UPDATECHECK": "Off",
            "LAB_MODEL_ADDRESS": model.address,
            "LAB_MODEL_TOKEN": model.token,
        }
        launch = (sys.executable, "-IS", str(_FOLDER / "launch.py"), str(os.getpid()))
        options = ("-s", "-NoLogo", "-NoProfile", "-ConfigurationFile", str(configuration))
        process = subprocess.Popen(
            [*launch, *self._command, *options],
            cwd=folder,
            env={**own, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the lab
        )
        return process, folder

    def _configuration(self, session: Any) -> str:
        """A session configuration: what is imported, and in a restricted endpoint what is visible.

        PowerShell's own modules come first: a later import of one of theirs must not put its Set-Date before the lab's.
        """
        computer = self._modules[_short(session.powershell_version)]
        product = self._modules_folder / module_name(session.deployment.version)
        lines = ["SchemaVersion = '2.0.0.0'", "GUID = '3f0c6ad1-5a6f-4cc3-8b5a-6d7c7f7f2b10'"]
        if session.constrained:
            names = ", ".join(
                f"'{command.name}'" for command in session.visible_commands() if not session.is_proxy(command)
            )
            lines += [
                "SessionType = 'RestrictedRemoteServer'",
                f"ModulesToImport = '{product}'",
                f"VisibleCmdlets = @({names})",
            ]
        else:
            own = "'Microsoft.PowerShell.Utility', 'Microsoft.PowerShell.Management'"
            lines += ["SessionType = 'Default'", f"ModulesToImport = {own}, '{computer}'"]
        return "@{\n" + "\n".join(lines) + "\n}\n"


def _write_programs(folder: Path, session: Any) -> Path:
    """The native programs that the session's computer has, each of which asks the model."""
    folder.mkdir()
    program = folder / "program"
    # A line of #! could not name a Python in a folder whose name has a space.
    asks = f"{shlex.quote(sys.executable)} -IS {shlex.quote(str(_PROGRAM))}"
    program.write_text(f'#!/bin/sh\nexec {asks} "${{0##*/}}" "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    for command in session.visible_commands():
        if command.kind == "Application":
            for name in (command.name, f"{command.name}.exe"):
                (folder / name).symlink_to(program.name)
    return folder


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])
