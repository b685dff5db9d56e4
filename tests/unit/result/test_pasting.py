# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people paste reaches the inventory of the run that printed it."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv
from ansible_collections.lync.remediation.plugins.plugin_utils.result.pasting import (
    extra_variable,
    inventory_arguments,
    reaching,
)

COMMAND = "ansible -i inventory management -m lync.remediation.federation_info"


def test_every_inventory_of_the_run() -> None:
    arguments = inventory_arguments({"ansible_inventory_sources": ["/srv/uc team/hosts.yml", "fe01,"]})
    assert reaching(COMMAND, arguments) == COMMAND.replace(
        "-i inventory", "-i '/srv/uc team/hosts.yml' -i fe01,"
    )


def test_where_none_is_known_the_command_stays() -> None:
    assert reaching(COMMAND, inventory_arguments({})) == COMMAND


@pytest.mark.parametrize(
    "value",
    ["/srv/state", "/srv/uc team/state", "3f2a,77c1", "Tag:Jörg's", 'a"b', "a=b", "{x}", "C:\\uc", ""],
)
def test_ansible_takes_the_value_as_it_is(value: str) -> None:
    option, written = extra_variable("state", value)
    assert option == "-e"
    read = DataLoader().load(written) if written.startswith("{") else parse_kv(written)
    assert read == {"state": value}
