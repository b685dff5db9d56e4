# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's command line, imported once: each run is a process of its own, forked from one that has done that.

Starting Ansible costs a second of computing, most of it for importing Ansible, the collection and pypsrp; a fork costs
none of it. What a run does from there on is what the same command does in a shell. The few tests that show just that
(``smoke``, and the package's) start the command itself.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import inspect
import json
import os
import select
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: By the command's name: the module of Ansible that is its program.
PROGRAMS = {"ansible": "ansible.cli.adhoc", "ansible-playbook": "ansible.cli.playbook"}
#: What most runs load at one time or another.
_OF_ANSIBLE = (
    *(
        "action.assert",
        "action.debug",
        "action.include_vars",
        "action.set_fact",
        "action.validate_argument_spec",
    ),
    *("cache.memory", "callback.default", "callback.minimal", "connection.local", "connection.psrp"),
    *("filter.core", "filter.encryption", "filter.mathstuff", "filter.urls", "filter.urlsplit"),
    *("inventory.auto", "inventory.constructed", "inventory.host_list", "inventory.ini", "inventory.script"),
    *("inventory.toml", "inventory.yaml", "shell.powershell", "shell.sh", "strategy.free", "strategy.linear"),
    *("test.core", "test.files", "test.mathstuff", "test.uri", "vars.host_group_vars"),
)


class ForkedRun:
    """A run that goes on, in a session of its own. Used as `subprocess.Popen` is."""

    def __init__(self, forks: AnsibleForks, process: int) -> None:
        self.pid = process
        self._forks = forks
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, if it has ended; a signal's number is negative."""
        return self._ended(0)

    def wait(self, timeout: float) -> int:
        if (code := self._ended(timeout)) is None:
            self._forks.close()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired("ansible", timeout)
        return code

    def _ended(self, timeout: float) -> int | None:
        if self.returncode is None and self._forks.has_answered(timeout):
            self.returncode = self._forks.answer()
        return self.returncode


class AnsibleForks:
    """Runs of Ansible, one at a time. The environment of the first one counts for the search of collections."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path
    ) -> ForkedRun:
        """Begin a run of ``command`` in ``folder``; what it prints goes to ``output``."""
        request = {
            "command": command,
            "folder": str(folder),
            "environment": environment,
            "output": str(output),
        }
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return ForkedRun(self, self.answer())

    def has_answered(self, timeout: float) -> bool:
        assert self._process is not None
        return bool(select.select([self._process.stdout], [], [], timeout)[0])

    def answer(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


# -- the process that is forked from -----------------------------------------------------------------------------------


def _import_everything() -> None:
    for program in PROGRAMS.values():
        importlib.import_module(program)
    importlib.import_module("ansible.executor.process.worker")
    from ansible.plugins import loader

    loader.init_plugin_loader()
    for name in _OF_ANSIBLE:
        with contextlib.suppress(ImportError):  # another version of Ansible may have it elsewhere
            importlib.import_module(f"ansible.plugins.{name}")
    # Each worker of a run would read these once more, and what they say of their options.
    for loaded in (loader.filter_loader, loader.test_loader):
        list(loaded.all())
    for kind in ("action", "connection", "filter"):
        for path in sorted((Path(__file__).parents[1] / "plugins" / kind).glob("[!_]*.py")):
            getattr(loader, f"{kind}_loader").get(f"lync.remediation.{path.stem}", class_only=True)
    inspect.stack()  # knows the files of all modules from then on
    _fill_caches()


def _fill_caches() -> None:
    """What each task's process would find out anew; a version of Ansible that has it elsewhere does so."""
    from ansible.plugins import loader

    with contextlib.suppress(ImportError, AttributeError):
        from ansible._internal._task import UnifiedTaskResult

        for is_module in (True, False):
            UnifiedTaskResult.get_result_key_to_resolved_field_mapping(is_module)
    with contextlib.suppress(ImportError):
        from ansible.parsing.dataloader import DataLoader
        from ansible.template import Templar, trust_as_template

        Templar(DataLoader()).template(trust_as_template("{{ [1] | map('string') | list }}"))
    for kind, names in {
        "action": ("debug", "assert", "set_fact", "include_vars", "validate_argument_spec", "copy"),
        "connection": ("local", "psrp"),
        "shell": ("sh", "powershell"),
        "become": ("sudo", "runas"),
        "module": ("debug", "assert", "copy"),
    }.items():
        for name in names:
            getattr(loader, f"{kind}_loader").find_plugin(f"ansible.builtin.{name}")
            getattr(loader, f"{kind}_loader").find_plugin(name)


def _run(request: Mapping[str, Any]) -> None:
    """Become the command."""
    os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), output, output)):
        os.dup2(file, number)
    gc.disable()  # a run is short, and looking for garbage copies the memory that forks share
    atexit._clear()  # what the import has registered is for the process that has imported
    warnings.filterwarnings("ignore", message="AnsibleCollectionFinder has already been configured")
    from ansible import constants

    for name in constants.config.get_configuration_definitions():
        constants.set_constant(name, constants.config.get_config_value(name, variables=vars(constants)))
    name, *arguments = request["command"]
    sys.argv = [name, *arguments]
    sys.exit(importlib.import_module(PROGRAMS[name]).main())


def _serve() -> None:
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _import_everything()
    gc.collect()
    gc.freeze()  # so that collections in forks leave these objects' memory shared
    for line in requests:
        child = os.fork()
        if not child:
            _run(json.loads(line))
        answers.write(b"%d\n" % child)
        answers.flush()
        _, status = os.waitpid(child, 0)
        answers.write(b"%d\n" % os.waitstatus_to_exitcode(status))
        answers.flush()


if __name__ == "__main__":
    _serve()
