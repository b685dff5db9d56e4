# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of action plugins that run once for all hosts of a play, and read what the hosts registered."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from .module_action import argument_spec, native, own_arguments, validated
from .powershell.errors import ManagementShellError
from .result.failures import failure_result
from .result.refusals import BadArgument

#: By name of a variable, what each host has under it.
Registered = Callable[[str], Mapping[str, Mapping[str, Any]]]


def latest(names: Sequence[str], registered: Registered) -> dict[str, Mapping[str, Any]]:
    """What was registered last, by host; a task that was skipped for a host says nothing of it."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in names:
        for host, answer in registered(name).items():
            if host not in found or (answer and not answer.get("skipped")):
                found[host] = answer
    return found


class RunAction(ActionBase):
    """Subclasses give ``DOCUMENTATION`` and `perform`. Nothing is asked of any host."""

    BYPASS_HOST_LOOP = True
    DOCUMENTATION: ClassVar[str]
    _arguments: ClassVar[dict[str, Any]]
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = False
    _supports_async = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "DOCUMENTATION" in vars(cls):
            cls._arguments = argument_spec(cls.DOCUMENTATION)

    _hosts: dict[str, Mapping[str, Any]] | None = None

    @abstractmethod
    def perform(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """The module's own keys. ``variables`` are the task's. May raise what modules raise."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        try:
            arguments = validated(self._arguments, own_arguments(self))
            return {"changed": False, **self.perform(arguments, task_vars or {})}
        except (ManagementShellError, BadArgument) as error:
            failed = failure_result(error)
            return {key: failed[key] for key in ("changed", "failed", "msg", "failure")}

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    def registered(self, variables: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
        """By host of the play, in its order, what it has under this name; an empty dictionary where it has nothing."""
        if self._hosts is None:
            # Ansible puts a host's variables together whenever they are asked for.
            self._hosts = {
                str(host): variables["hostvars"][host] for host in variables["ansible_play_hosts_all"]
            }
        values = {host: known.get(name) for host, known in self._hosts.items()}
        return {host: native(value) if isinstance(value, Mapping) else {} for host, value in values.items()}

    def show(self, lines: list[str]) -> None:
        for line in ["", *lines]:
            Display().display(line)
