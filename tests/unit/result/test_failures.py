# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of failure, in the code and in the guide."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import ManagementShellError
from ansible_collections.lync.remediation.plugins.plugin_utils.result.failures import kind_of
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument

CHECKOUT = Path(__file__).parents[3]
ROOMS = CHECKOUT / "plugins" / "plugin_utils"
GUIDE = CHECKOUT / "docs" / "docsite" / "rst" / "guide_results.rst"
#: What others are derived from, and what is dealt with on the way.
ENDS_NO_TASK = {
    *("management_shell_error", "connection_refused"),
    *("session_gone", "outcome_unknown", "not_reachable", "memory_unusable", "not_delivered"),
}


def derived(kind: type[Exception]) -> Iterator[str]:
    yield kind_of(kind.__new__(kind))
    for each in kind.__subclasses__():
        yield from derived(each)


def test_the_guide_tells_every_kind_of_failure() -> None:
    for path in sorted(ROOMS.rglob("*.py")):
        room = ".".join(path.relative_to(ROOMS).with_suffix("").parts)
        importlib.import_module(f"ansible_collections.lync.remediation.plugins.plugin_utils.{room}")
    table = GUIDE.read_text(encoding="utf-8").partition("\nUnreachable, failed, unknown\n")[0]
    assert sorted(re.findall(r"^   \* - ``(\w+)``$", table, re.MULTILINE)) == sorted(
        {*derived(ManagementShellError), *derived(BadArgument)} - ENDS_NO_TASK
    )
