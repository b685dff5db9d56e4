# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible inventory of a running lab."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .contract import Server

#: The connection plugin of the hosts; ansible.builtin.psrp works with the same variables.
CONNECTION = "lync.remediation.management_shell"


def host_variables(server: Server, authority: Path) -> dict[str, Any]:
    """What a client needs to reach the server by its first listener."""
    listener = server.listeners[0]
    variables: dict[str, Any] = {
        "ansible_host": server.address,
        "ansible_port": listener.port,
        "ansible_user": server.inventory_account.name,
        "ansible_password": server.inventory_account.password,
        "ansible_psrp_protocol": listener.scheme,
        "ansible_psrp_path": listener.paths[0].lstrip("/"),
        "ansible_psrp_auth": server.inventory_authentication,
    }
    if listener.scheme == "https":
        variables["ansible_psrp_ca_cert"] = str(authority)
    elif listener.allow_unencrypted and server.inventory_authentication == "basic":
        variables["ansible_psrp_message_encryption"] = "never"
    return {**variables, **server.inventory_variables}


def inventory(servers: Sequence[Server], authority: Path) -> dict[str, Any]:
    """Groups nest as each server's ``groups`` say."""
    top: dict[str, Any] = {"vars": {"ansible_connection": CONNECTION}, "children": {}}
    for server in servers:
        group = top
        for name in server.groups:
            group = group.setdefault("children", {}).setdefault(name, {})
        group.setdefault("hosts", {})[server.name] = host_variables(server, authority)
    return {"all": top}


def write_inventory(path: Path, servers: Sequence[Server], authority: Path) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(inventory(servers, authority), sort_keys=False), encoding="utf-8")
