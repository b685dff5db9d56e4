# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""connection_info asks for every cmdlet that the rooms may send, and is documented with what it returns."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.lync.remediation.plugins.modules import connection_info as module
from ansible_collections.lync.remediation.plugins.plugin_utils import connection_info
from unit.settings.scripted_shell import ScriptedShell

PLUGIN_UTILS = Path(__file__).parents[2] / "plugins" / "plugin_utils"
DOCUMENTED = yaml.safe_load(module.RETURN)


def cmdlets_in(source: str) -> set[str]:
    """The texts of a source that are the name of a Cs cmdlet, whole or up to where one is put together."""
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[A-Z][a-z]+-Cs\w*", text)}


# What is named there is for people to run.
ADVICE = [PLUGIN_UTILS / "federation" / "prerequisites.py", PLUGIN_UTILS / "certificate" / "judgement.py"]
SENT = {
    cmdlet: str(file.relative_to(PLUGIN_UTILS))
    for file in sorted(PLUGIN_UTILS.rglob("*.py"))
    if file not in ADVICE
    for cmdlet in sorted(cmdlets_in(file.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("cmdlet", SENT)
def test_every_cmdlet_in_the_source_is_asked_for(cmdlet: str) -> None:
    assert cmdlet in connection_info.used_cmdlets(), SENT[cmdlet]


def test_the_search_finds_what_is_named_and_what_is_put_together() -> None:
    assert {"Get-CsWindowsService", "Get-CsSite", "Invoke-CsComputerFailOver"} <= SENT.keys()
    assert cmdlets_in('"""Get-CsPool."""\nc = f"Get-Cs{kind}"; d = ["Grant-CsPolicy", "Get-Date"]') == {
        "Get-Cs",
        "Grant-CsPolicy",
    }


def test_what_is_missing_is_named_once_with_the_way_to_the_roles_that_have_it() -> None:
    withheld = ["Set-CsMediaConfiguration", "Set-CsPublicProvider"]
    complete = connection_info.connection(ScriptedShell())
    result = connection_info.connection(ScriptedShell(withheld=withheld))
    assert sorted(set(result["missing_cmdlets"]) - set(complete["missing_cmdlets"])) == withheld
    assert result["missing_cmdlets"] == [name for name, offered in result["cmdlets"].items() if not offered]
    pattern = result["roles_query"].partition("'")[2].rpartition("'")[0]
    assert re.findall(pattern, " ".join(result["cmdlets"])) == result["missing_cmdlets"]


def test_nothing_missing_leaves_nothing_to_look_up() -> None:
    assert connection_info.roles_query([]) is None


def test_the_sample_is_what_is_returned() -> None:
    result = connection_info.connection(ScriptedShell())
    of_success = {name for name, entry in DOCUMENTED.items() if entry["returned"] == "always"}
    assert set(result) == of_success
    assert list(DOCUMENTED["cmdlets"]["sample"]) == connection_info.used_cmdlets()
    sample = {name: DOCUMENTED[name]["sample"] for name in of_success}
    missing = [name for name, offered in sample["cmdlets"].items() if not offered]
    assert sample["missing_cmdlets"] == missing
    assert sample["roles_query"] == connection_info.roles_query(missing)
    for name in of_success:
        assert result[name] is None or isinstance(result[name], type(sample[name])), name
