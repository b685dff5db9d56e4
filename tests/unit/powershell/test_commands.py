# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that are shown to people are lines that PowerShell would read as the command that was sent."""

from __future__ import annotations

import datetime
import re

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command, Switch
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("Global", "Global"),
        ("site:Redmond", "site:Redmond"),
        ("RequireEncryption", "RequireEncryption"),
        ("Yahoo!", "Yahoo!"),
        ("Seattle Policy", "'Seattle Policy'"),
        ("it's", "'it''s'"),
        ("", "''"),
        ("true", "'true'"),
        ("$env:PATH", "'$env:PATH'"),
        ("-Force", "'-Force'"),
        ("10", "'10'"),
        (True, "$true"),
        (False, "$false"),
        (None, "$null"),
        (35, "35"),
        (datetime.timedelta(hours=8), "([TimeSpan]::FromSeconds(28800))"),
        (["a", "b c"], "@('a', 'b c')"),
        ({"Add": ["x"]}, "@{'Add' = @('x')}"),
    ],
)
def test_literals(value: object, literal: str) -> None:
    assert Command("Set-X", {"P": value}).as_text() == f"Set-X -P {literal}"


def test_a_switch_has_no_value() -> None:
    assert Command("New-CsX", {"Identity": "Global", "InMemory": Switch.PRESENT}).as_text() == (
        "New-CsX -Identity Global -InMemory"
    )


def test_a_value_is_joined_to_a_common_switch() -> None:
    assert Command("Remove-CsX", {"Confirm": False}).as_text() == "Remove-CsX -Confirm:$false"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (Command("w32tm", arguments=("/query", "/status", "/verbose")), "w32tm /query /status /verbose"),
        (Command("w32tm", arguments=("/manualpeerlist:a,0x8 b,0x8",)), "w32tm '/manualpeerlist:a,0x8 b,0x8'"),
        (
            Command("tzutil", arguments=("/s", "W. Europe Standard Time")),
            "tzutil /s 'W. Europe Standard Time'",
        ),
        (Command("klist", arguments=("-li", "0x3e7", "purge")), "klist -li '0x3e7' purge"),
    ],
)
def test_a_native_program_has_positional_arguments(command: Command, text: str) -> None:
    assert command.as_text() == text


@given(st.text())
def test_text_is_one_bare_word_or_one_quoted_string(text: str) -> None:
    shown = Command("Set-X", {"P": text}).as_text().removeprefix("Set-X -P ")
    if shown.startswith("'"):
        inside = shown[1:-1]
        undoubled = re.sub("(['\u2018\u2019\u201a\u201b])\\1", "", inside)
        assert not re.search("['\u2018\u2019\u201a\u201b]", undoubled), (
            "a quote that would end the string stands alone"
        )
        assert re.sub("(['\u2018\u2019\u201a\u201b])\\1", "\\1", inside) == text
    else:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_.:/!-]*", shown)
        assert shown == text
