# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that are shown to people are lines that PowerShell would read as the command that was sent."""

from __future__ import annotations

import datetime
import decimal
import math
import re
import uuid

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command, Switch
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.times import with_tick
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.values import Version
from hypothesis import given
from hypothesis import strategies as st


# PowerShell 7.6 reads each of these lines as the command with the value beside it.
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
        (" ", "' '"),
        ("true", "'true'"),
        ("$env:PATH", "'$env:PATH'"),
        ("$(Stop-Computer)", "'$(Stop-Computer)'"),
        ("a`b", "'a`b'"),
        ("-Force", "'-Force'"),
        ("\u2013Force", "'\u2013Force'"),
        ("--%", "'--%'"),
        ("10", "'10'"),
        ("10mb", "'10mb'"),
        ("@a", "'@a'"),
        ("\u2018x\u201b", "'\u2018\u2018x\u201b\u201b'"),
        ('\u201cx"', "'\u201cx\"'"),
        ("a\r\nb", '"a`r`nb"'),
        ("\t$x `y` \u201cz\u201d", '"`t`$x ``y`` `\u201cz`\u201d"'),
        ("it's\n", '"it\'s`n"'),
        ("\x1b[31m", '"$([char]27)[31m"'),
        ("\u202e\ud83d\ufffe", '"$([char]8238)$([char]55357)$([char]65534)"'),
        ("\U0001f600", "'\U0001f600'"),
        (True, "$true"),
        (False, "$false"),
        (None, "$null"),
        (35, "35"),
        (-5, "(-5)"),
        (2**63, "9223372036854775808"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (math.inf, "([double]::PositiveInfinity)"),
        (-math.inf, "([double]::NegativeInfinity)"),
        (math.nan, "([double]::NaN)"),
        (decimal.Decimal("1.10"), "1.10d"),
        (decimal.Decimal("1E+3"), "1000d"),
        (Version("5.0.8308.0"), "'5.0.8308.0'"),
        (uuid.UUID(int=1), "'00000000-0000-0000-0000-000000000001'"),
        (b"", "([byte[]]@())"),
        (b"\x00\xff", "([byte[]]@(0, 255))"),
        (datetime.timedelta(hours=8), "([TimeSpan]'08:00:00')"),
        (datetime.timedelta(days=-1, microseconds=1), "([TimeSpan]'-23:59:59.9999990')"),
        (datetime.timedelta(days=400, seconds=1), "([TimeSpan]'400.00:00:01')"),
        (with_tick(datetime.timedelta(), 1), "([TimeSpan]'00:00:00.0000001')"),
        (
            with_tick(datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), 7),
            "([DateTime]'2026-01-02T03:04:05.0000007+00:00')",
        ),
        ([], "@()"),
        (["a"], "@('a')"),
        (["a", "b c"], "@('a', 'b c')"),
        ([None, -1, True], "@($null, -1, $true)"),
        ([["a"]], "@(,@('a'))"),
        ([[], ["a", 1]], "@(@(), @('a', 1))"),
        ([b"\x01"], "@(,[byte[]]@(1))"),
        ({}, "@{}"),
        ({"Add": ["x"]}, "@{'Add' = @('x')}"),
        ({"Add": "Global", 1: {"in ner": None}}, "@{'Add' = 'Global'; (1) = @{'in ner' = $null}}"),
        ({"a\n": 1}, '@{("a`n") = 1}'),
        (RemoteObject((), {"Identity": "Global"}), "([pscustomobject]@{'Identity' = 'Global'})"),
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
    assert (
        Command("Remove-CsX", {"force": False, "X": False}).as_text() == "Remove-CsX -force:$false -X $false"
    )


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
        (Command("x", arguments=("-a.b", "-a:b", "-", "", 5, -5)), "x '-a.b' '-a:b' '-' '' 5 (-5)"),
        (Command("odd name", arguments=("a",)), "& 'odd name' a"),
    ],
)
def test_a_native_program_has_positional_arguments(command: Command, text: str) -> None:
    assert command.as_text() == text


def spoken(line: str) -> str:
    """The text that PowerShell reads in one word or one string in quotes (about_Quoting_Rules)."""
    if line.startswith("'"):
        inside = line[1:-1]
        doubled = re.sub("(['\u2018-\u201b])\\1", "", inside)
        assert not re.search("['\u2018-\u201b]", doubled), "a quote that would end the string stands alone"
        return re.sub("(['\u2018-\u201b])\\1", "\\1", inside)
    if line.startswith('"'):
        letters = dict(zip("0abtnvfr", "\0\a\b\t\n\v\f\r", strict=True))
        parts = re.findall(r"`(.)|\$\(\[char\](\d+)\)|([^`$\"\u201c-\u201e])", line[1:-1], re.DOTALL)
        assert sum(map(len, re.split(r"`.|\$\(\[char\]\d+\)|[^`$\"\u201c-\u201e]", line[1:-1]))) == 0
        return "".join(
            letters.get(quoted, quoted) or (chr(int(code)) if code else plain)
            for quoted, code, plain in parts
        )
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_.:/!-]*", line)
    return line


@given(
    st.text(st.characters() | st.sampled_from("'\"`$\u2018\u2019\u201a\u201b\u201c\u201d\u201e\n\r\t\0\x1b"))
)
def test_text_is_one_word_or_one_string_on_one_line(text: str) -> None:
    shown = Command("Set-X", {"P": text}).as_text().removeprefix("Set-X -P ")
    assert spoken(shown) == text
    assert len(shown.splitlines()) <= 1
    assert shown.encode("utf-8")


def test_commands_that_are_piped_are_one_line() -> None:
    selecting = Command("Select-Object", {"Property": ["Thumbprint"], "ErrorAction": "SilentlyContinue"})
    store = Command("Get-ChildItem", {"Path": "Cert:\\LocalMachine\\My"}, into=(selecting, selecting))
    assert store.as_text() == (
        "Get-ChildItem -Path 'Cert:\\LocalMachine\\My'"
        " | Select-Object -Property @('Thumbprint') -ErrorAction SilentlyContinue"
        " | Select-Object -Property @('Thumbprint') -ErrorAction SilentlyContinue"
    )
