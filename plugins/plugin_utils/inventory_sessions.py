# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions on other hosts of the inventory than the task's own, each by that host's own variables, in this run or
not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible import constants as C
from ansible.plugins.loader import connection_loader

from .module_action import CONNECTION
from .powershell.errors import ManagementShellError
from .powershell.ordinal import same_name
from .powershell.shell import ManagementShell

# What is asked of other hosts is only read. One that hangs must not hold everybody up for as long as a change may take.
_READING_TIMEOUT = 60
_TIMEOUT_VARIABLE = "ansible_management_shell_command_timeout"
_ADDRESSES = ("ansible_host", "ansible_psrp_host")


class NotReachable(ManagementShellError):
    """The inventory does not say how a host is reached with this connection."""


class InventorySessions:
    """``known``: computers by inventory host, as they have said themselves. ``keywords`` and ``connection``: what the
    play says for all hosts.
    """

    def __init__(
        self,
        hostvars: Mapping[str, Any],
        known: Mapping[str, str],
        play_context: Any,
        keywords: Mapping[str, Any],
        connection: str | None,
    ) -> None:
        self._hostvars, self._known = hostvars, known
        self._play_context, self._keywords, self._connection = play_context, keywords, connection

    def hosts_of(self, computer: str) -> list[str]:
        """The hosts that have said that they are this computer; else those that are called so, or reached by that
        name.
        """
        said = [host for host, name in self._known.items() if same_name(name, computer)]
        if said:
            return said
        called = [host for host in self._hostvars if same_name(host, computer)]
        return called or [host for host in self._hostvars if self._is_reached_by(host, computer)]

    def _is_reached_by(self, host: str, computer: str) -> bool:
        variables = self._hostvars[host]
        return any(same_name(str(variables[name]), computer) for name in _ADDRESSES if name in variables)

    @contextmanager
    def session(self, host: str) -> Iterator[ManagementShell]:
        """A session that is left to the run's next task on that host. Raises NotReachable."""
        if host not in self._hostvars:
            raise NotReachable(f"The inventory has no host {host}.")
        variables = self._hostvars[host]
        transport = variables.get("ansible_connection", self._connection)
        if transport != CONNECTION:
            raise NotReachable(f"The inventory reaches {host} by {transport}, not by {CONNECTION}.")
        connection = connection_loader.get(CONNECTION, self._play_context)
        names = C.config.get_plugin_vars("connection", connection._load_name)
        options = {name: variables[name] for name in names if name in variables}
        given = options.get(_TIMEOUT_VARIABLE, _READING_TIMEOUT)
        options[_TIMEOUT_VARIABLE] = min(int(given), _READING_TIMEOUT)
        connection.set_options(
            task_keys=dict(self._keywords), var_options={**options, "inventory_hostname": host}
        )
        try:
            yield connection.session
        finally:
            connection.close()
