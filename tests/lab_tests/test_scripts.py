# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts in a runspace: what lives between them, how they are stopped, what the journal has of them, properties."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lab.contract import Argument, CommandCall, PipelineStopped
from lab.powershell.language.arithmetic import numeric, out_of_memory
from lab.powershell.language.literals import fitting
from lab.powershell.language.parser import parse
from lab.powershell.language.reader import NotModelledSyntax, ParseFailure
from lab.powershell.language.text import format_value, like, wildcard
from psrpcore.types import PSInt64

from .direct import RecordingStreams, Shell, call, front_end
from .test_language import FRONT_END, Run


@pytest.fixture
def shell() -> Shell:
    return Shell(**FRONT_END)


# What lives between pipelines


def test_variables_functions_and_errors_live_in_the_runspace(shell: Shell) -> None:
    Run(
        shell,
        "$x = 5; function Get-Double($n) { $n * 2 }; Set-Alias gd Get-Double; Get-Nonsense",
        reset=False,
    )
    run = Run(shell, "Get-Double $x; gd 1; $Error.Count", reset=False)
    assert run.outputs == [10, 2, 1]
    assert shell.run(call("Get-Double", 4)) == [8]  # a function is a command to clients, too
    shell.runspace.reset()
    run = Run(shell, "$x; $Error.Count; gd 1", reset=False)
    assert run.outputs == [None, 0]
    assert [record.FullyQualifiedErrorId for record in run.errors] == ["CommandNotFoundException"]


def test_preference_variables_hold_for_commands_that_clients_send(shell: Shell) -> None:
    Run(shell, "$ErrorActionPreference = 'SilentlyContinue'", reset=False)
    shell.run(call("Get-Service", "nothing"))
    assert shell.streams.errors == []


def test_runspaces_know_nothing_of_each_other() -> None:
    one = Shell(**FRONT_END)
    other = Shell(deployment=one.deployment, **FRONT_END)
    Run(one, "$x = 1", reset=False)
    assert Run(other, "$x", reset=False).outputs == [None]


def test_a_script_takes_arguments_and_input(shell: Shell) -> None:
    script = CommandCall(
        'param($a, $b) $input | ForEach-Object { "$a$b$_" }',
        (Argument(None, "x"), Argument("b", "y")),
        is_script=True,
    )
    assert shell.run(script, input=[1, 2]) == ["xy1", "xy2"]
    blocks = CommandCall("begin { 'b' } process { $_ * 2 } end { 'e' }", is_script=True)
    assert shell.run(blocks, input=[1, 2]) == ["b", 2, 4, "e"]


def test_a_script_is_one_command_of_a_pipeline(shell: Shell) -> None:
    pipeline = (CommandCall("1..3", is_script=True), CommandCall("$input | % { $_ + 1 }", is_script=True))
    assert shell.run(*pipeline, call("Sort-Object", Descending=None)) == [4, 3, 2]


# Stopping


def stopped(shell: Shell, script: str) -> RecordingStreams:
    """Run a script that does not end by itself and stop it once it has put something out."""
    streams = RecordingStreams()
    begun = threading.Event()
    outcome: list[BaseException] = []

    def output(value: Any) -> None:
        streams.outputs.append(value)
        begun.set()

    streams.output = output  # type: ignore[method-assign]  # to know when it has begun

    def run() -> None:
        try:
            shell.runspace.run([(CommandCall(script, is_script=True),)], streams, [])
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(20)
    streams.stopped.set()
    thread.join(20)
    assert not thread.is_alive()
    assert [type(error) for error in outcome] == [PipelineStopped]
    return streams


@pytest.mark.parametrize(
    "script",
    [
        "1; while ($true) { }",
        "1; for (;;) { $x++ }",
        "while ($true) { 1 }",
        "1; do { } until ($false)",
        "1; function f { while ($true) { } }; f",
        "1; & { while ($true) { 1 } } | ForEach-Object { } | Out-String",
        "1; Start-Sleep 1000",
        "1; [Threading.Thread]::Sleep(1000000)",
        "1; 1..8000000 | ForEach-Object { }",
        "1; $x = @(foreach ($i in 1..8000000) { $i })",
        "1; try { while ($true) { } } catch { 'caught' }",
    ],
)
def test_an_endless_script_ends_when_the_client_stops_it(shell: Shell, script: str) -> None:
    stopped(shell, script)


def test_finally_runs_when_a_script_is_stopped(shell: Shell) -> None:
    streams = stopped(shell, "try { 1; while ($true) { } } finally { $global:cleaned = 'yes' }")
    assert streams.outputs == [1]
    assert Run(shell, "$cleaned", reset=False).outputs == ["yes"]


# Depth and size


@pytest.mark.parametrize("version", ["2010", "2019"])
@pytest.mark.parametrize(
    "script",
    [
        "function f { f }; f",
        "function f($n) { if ($n) { (f ($n + 1)) + (1 + (2 * 3)) } }; f 1",
        "$b = { & $b }; & $b",
        "function f { 1 | ForEach-Object { 1 | Where-Object { f } } }; f",
        "function f { Invoke-Expression 'f' }; f",
        "function f { try { f } finally { } }; f",
        "$h = @{}; function f { switch (1) { 1 { foreach ($i in 1) { if ($true) { f } } } } }; f",
    ],
)
def test_runaway_recursion_ends_in_the_error_of_call_depth(version: str, script: str) -> None:
    shell = Shell(version, **FRONT_END)
    run = Run(shell, script)
    assert "CallDepthOverflow" in [record.FullyQualifiedErrorId for record in run.errors]
    assert Run(shell, "1 + 1").outputs == [2]


def test_recursion_below_that_depth_works(shell: Shell) -> None:
    assert Run(shell, "function f($n) { if ($n) { 1 + (f ($n - 1)) } else { 0 } }; f 900").outputs == [900]


@pytest.mark.parametrize(
    "nesting", ["(" * 3000 + "1" + ")" * 3000, "$(" * 3000 + "1" + ")" * 3000, "!" * 20000 + "1"]
)
def test_a_script_that_is_nested_too_deeply_is_refused(shell: Shell, nesting: str) -> None:
    run = Run(shell, nesting)
    assert run.outputs in ([1], [True]) or [r.FullyQualifiedErrorId for r in run.errors] == [
        "ScriptTooComplicated"
    ]
    assert Run(shell, "1 + 1").outputs == [2]


@pytest.mark.parametrize(
    "script",
    [
        "'x' * 1000000000",
        "1..2147483647 | Out-Null; 1..2147483647",
        "$a = 'x'; while ($true) { $a += $a }",
        "@(1) * 999999999",
    ],
)
def test_what_is_too_large_is_out_of_memory(shell: Shell, script: str) -> None:
    run = Run(shell, f"$ErrorActionPreference = 'Stop'; {script}")
    assert [str(record) for record in run.errors] == [out_of_memory().message]


# The journal, faults and rights


def test_each_command_of_a_script_is_in_the_journal() -> None:
    shell = front_end()
    script = "foreach ($site in 'Redmond', 'Dublin') { Get-CsSite $site | Select-Object Identity }; $x = 5"
    shell.run(CommandCall(script, is_script=True))
    journal = [
        (entry.name, dict(entry.parameters)) for entry in shell.streams.journal if entry.name == "Get-CsSite"
    ]
    assert journal == [("Get-CsSite", {"Identity": "Redmond"}), ("Get-CsSite", {"Identity": "Dublin"})]
    script = "if ($true) { $on = $true; Set-CsMediaConfiguration -EnableQoS $on -WhatIf }"
    shell.run(CommandCall(f"{script}; Set-CsMediaConfiguration -EnableQoS $on", is_script=True))
    assert [(entry.name, entry.writes) for entry in shell.streams.journal] == [
        ("Set-CsMediaConfiguration", False),
        ("Set-CsMediaConfiguration", True),
    ]
    assert Run(shell, "(Get-CsMediaConfiguration).EnableQoS", reset=False).outputs == [True]


def test_scripts_meet_the_same_limits_as_commands() -> None:
    """The store is out of reach without a second hop; a script can catch that."""
    shell = front_end(delegated=False)
    (told,) = Run(
        shell, "try { Get-CsSite -ErrorAction Stop } catch { 'no: ' + $_.CategoryInfo.Activity }", reset=False
    ).outputs
    assert told == "no: Get-CsSite"


def test_programs_set_the_exit_code(shell: Shell) -> None:
    assert Run(
        shell, "w32tm /query /status > $null; $LASTEXITCODE; tzutil /s Nonsense 2>$null; $?; $LASTEXITCODE"
    ).outputs == [
        0,
        False,
        1,
    ]


def test_exit_ends_the_script_and_tells_the_host(shell: Shell) -> None:
    run = Run(shell, "1; function f { exit 7 }; f; 2")
    assert (run.outputs, run.streams.exit_code) == ([1], 7)
    run = Run(shell, "try { exit 3 } finally { 'finally' }")
    assert (run.outputs, run.streams.exit_code) == (["finally"], 3)


def test_the_place_of_an_error_is_told(shell: Shell) -> None:
    (record,) = Run(shell, "1 |\n  Out-Null\nif ($true) {\n  Get-Nonsense -A 1 }").errors
    info = record.InvocationInfo
    assert (info.ScriptLineNumber, info.OffsetInLine, info.Line) == (4, 3, "  Get-Nonsense -A 1 }")
    assert record.ScriptStackTrace == "at <ScriptBlock>, <No file>: line 4"
    assert info.PositionMessage == "At line:4 char:3\r\n+ Get-Nonsense -A 1 }\r\n+ ~~~~~~~~~~~~~~~~~"


def test_functions_that_support_should_process(shell: Shell) -> None:
    script = """
        function Remove-It {
            [CmdletBinding(SupportsShouldProcess=$true, DefaultParameterSetName='ByName')]
            param([Parameter(ParameterSetName='ByName')]$Name, [Parameter(ParameterSetName='ById')]$Id)
            if ($PSCmdlet.ShouldProcess($Name)) { "removed $Name by $($PSCmdlet.ParameterSetName)" }
        }
        Remove-It x; Remove-It y -WhatIf; Remove-It -Id 1
    """
    run = Run(shell, script)
    assert run.outputs == ["removed x by ByName", "removed  by ById"]
    assert run.streams.host_lines == ['What if: Performing the operation "Remove-It" on target "y".']


def test_the_calls_that_led_to_an_error_are_told(shell: Shell) -> None:
    (record,) = Run(
        shell, "function Get-Inner { 1/0 }\nfunction Get-Outer {\n\n  Get-Inner }\nGet-Outer"
    ).errors
    assert record.ScriptStackTrace.split("\r\n") == [
        "at Get-Inner, <No file>: line 1",
        "at Get-Outer, <No file>: line 4",
        "at <ScriptBlock>, <No file>: line 5",
    ]
    assert Run(shell, "try { 1/0 } catch { $_.ScriptStackTrace }").outputs == [
        "at <ScriptBlock>, <No file>: line 1"
    ]


# Properties

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\u2018\u2019\u201a\u201b\u201c\u201d\u201e"),
    max_size=30,
)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
_QUOTING = Shell(**FRONT_END)


@given(TEXTS)
def test_a_quoted_text_stays_what_it_is(text: str) -> None:
    """about_Quoting_Rules: in single quotes only the quote itself is doubled; in double quotes $, ` and \" are
    escaped."""
    single = "'" + text.replace("'", "''") + "'"
    double = '"' + text.replace("`", "``").replace("$", "`$").replace('"', '""') + '"'
    assert Run(_QUOTING, f"{single}\n{double}").outputs == [text, text]


@given(TEXTS)
@example("a'b")
def test_any_text_is_a_script_or_is_refused(text: str) -> None:
    """The parser ends, and says nothing but that it is no script or not modelled."""
    refused: ParseFailure | None = None
    try:
        parse(text)
    except ParseFailure as failure:
        refused = failure
    except NotModelledSyntax:
        pass
    assert refused is None or (0 <= refused.at <= len(text) and refused.positioned())


@given(INTEGERS, INTEGERS, st.sampled_from("+-*"))
def test_integers_widen_to_double_and_never_wrap(left: int, right: int, operator: str) -> None:
    """Language Specification 6.15 and 7.6: the result has the operands' type, or is a Double where that is too
    small."""
    exact = {"+": left + right, "-": left - right, "*": left * right}[operator]
    result = numeric(operator, fitting(left), fitting(right))
    bits = 31 if max(abs(left), abs(left + 1), abs(right), abs(right + 1)) <= 2**31 else 63
    if -(2**bits) <= exact < 2**bits:
        assert (int(result), isinstance(result, float)) == (exact, False)
    else:
        assert isinstance(result, float)
        assert result == float(exact)


@given(INTEGERS, INTEGERS.filter(bool))
def test_division_and_remainder_fit_together(left: int, right: int) -> None:
    quotient, remainder = (
        numeric("/", fitting(left), fitting(right)),
        numeric("%", fitting(left), fitting(right)),
    )
    assert abs(remainder) < abs(right)
    assert remainder == 0 or (remainder < 0) == (left < 0)
    assert isinstance(quotient, float) or quotient * right == left


@given(st.integers(-(2**96) + 1, 2**96 - 1))
def test_literals_keep_their_value(whole: int) -> None:
    held = fitting(whole)
    assert int(held) == whole
    assert isinstance(held, (int, PSInt64, Decimal))


@given(TEXTS)
def test_a_text_is_like_itself_when_escaped(text: str) -> None:
    escaped = "".join(f"`{character}" if character in "*?[]`" else character for character in text)
    assert wildcard(escaped).fullmatch(text)
    assert like(text, "*")


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_number_formats_round_trip(whole: int, places: int) -> None:
    assert Decimal(format_value(whole, f"N{places}").replace(",", "")) == whole
    assert int(format_value(abs(whole), "X"), 16) == abs(whole)
    assert int(format_value(whole, "D20")) == whole


def test_commands_without_scripts_do_not_start_the_language(shell: Shell) -> None:
    """What the product sends costs nothing of it."""
    shell.run(call("Get-Service", "W32Time"), call("Select-Object", Property=["Name", "Status"]))
    shell.run(call("Get-ItemProperty", r"HKLM:\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"))
    assert not shell.runspace._engine.has_language
