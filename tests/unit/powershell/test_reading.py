# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reading is answered whole, and the module is imported where that is safe: a session whose pipelines are scripted.

The scripted answers are those of PowerShell itself: after a failure that terminates a statement it runs what follows,
and sends nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import session as module
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import UnconvertibleValue
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    ErrorReport,
    PipelineState,
    RemoteObject,
    Results,
)
from unit.powershell.places import DEFAULTS, Place, write

Answer = Callable[[Sequence[Command]], Results]


class Scripted(module.Session):
    def __init__(self, answer: Answer, *, version_2: bool = False) -> None:
        options = module.ConnectionOptions.from_plugin({**DEFAULTS, "remote_addr": "pool"}.get)
        super().__init__(options, "/nowhere")
        self.sent: list[list[str]] = []
        self._answer = answer
        record: Any = SimpleNamespace(imported_module=None, cmdlets={})
        self._current = SimpleNamespace(record=record, is_version_2=version_2)  # type: ignore[assignment]

    def _run_safely(
        self, commands: Sequence[Command], *, changes: bool, limit: float | None = None
    ) -> Results:
        self.sent.append([command.name for command in commands])
        return self._answer(commands)


def engine(*known: str) -> Answer:
    """What PowerShell answers where it knows only these commands, each of which puts out its own name."""

    def answer(commands: Sequence[Command]) -> Results:
        output: list[Any] = []
        errors: list[ErrorReport] = []
        for number, command in enumerate(commands):
            if command.name in known:
                output.append(command.name)
                if errors:
                    break  # it runs the rest, and sends nothing of it
                continue
            last = bool(output) or len(commands) == 1
            errors.append(
                ErrorReport(
                    f"{command.name} is not recognized",
                    "ObjectNotFound",
                    "CommandNotFoundException",
                    target=command.name,
                    terminating=last,
                )
            )
            if last or number == 1:
                return Results(tuple(output), tuple(errors), state=PipelineState.FAILED)
        return Results(tuple(output), tuple(errors))

    return answer


def commands(*names: str) -> list[Command]:
    return [Command(name) for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ("bad", "A", "B"),
        ("A", "bad", "B"),
        ("A", "B", "bad"),
        ("bad", "bad", "A", "B"),
        ("A", "bad", "bad", "B"),
    ],
)
def test_what_a_failure_took_with_it_is_asked_again(names: tuple[str, ...]) -> None:
    session = Scripted(engine("A", "B"))
    results = session.run(*commands(*names))
    assert results.output == ("A", "B")
    assert len(results.errors) == names.count("bad")
    assert session.sent == [list(names), *([name] for name in names)]


def test_a_reading_without_errors_is_one_pipeline() -> None:
    session = Scripted(engine("A", "B"))
    assert session.run(*commands("A", "B")).output == ("A", "B")
    assert session.sent == [["A", "B"]]


def test_errors_that_end_no_statement_cost_no_second_question() -> None:
    report = ErrorReport(
        "no", "ObjectNotFound", "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand"
    )
    session = Scripted(lambda _commands: Results(("A",), (report,)))
    session.run(*commands("Get-Service", "A"))
    assert session.sent == [["Get-Service", "A"]]


@pytest.mark.parametrize("state", [PipelineState.FAILED, PipelineState.STOPPED])
def test_a_pipeline_that_did_not_complete_is_asked_again_whatever_its_errors(state: PipelineState) -> None:
    def answer(asked: Sequence[Command]) -> Results:
        return Results(("x",), state=state if len(asked) > 1 else PipelineState.COMPLETED)

    assert Scripted(answer).run(*commands("A", "B")).output == ("x", "x")


def test_a_change_is_never_asked_again() -> None:
    session = Scripted(engine("A", "B"))
    session.run(*commands("bad", "A", "B"), changes=True)
    assert session.sent == [["bad", "A", "B"]]


def test_on_powershell_2_each_command_has_been_asked_alone_already() -> None:
    session = Scripted(engine("A"), version_2=True)
    session.run(*commands("A", "bad"))
    assert session.sent == [["A", "bad"]]


def importing(*always: str) -> Answer:
    """An endpoint that has the module and has not loaded it."""
    loaded: list[str] = []

    def answer(asked: Sequence[Command]) -> Results:
        name = asked[0].name
        if name == "Get-Module":
            return Results((RemoteObject(("System.Management.Automation.PSModuleInfo",), {"Name": "Lync"}),))
        if name == "Import-Module":
            loaded.append("Lync")
            return Results()
        if name == "Get-Command":
            return Results(tuple(known for known in asked[0].parameters["Name"] if known in always))
        return engine(*always, *(("Get-CsA", "Get-CsB", "Get-CsC") if loaded else ()))(asked)

    return answer


@pytest.mark.parametrize("changes", [False, True])
def test_three_unknown_commands_of_which_two_are_reported_import_the_module(changes: bool) -> None:
    session = Scripted(importing())
    results = session.run(*commands("Get-CsA", "Get-CsB", "Get-CsC"), changes=changes)
    assert results.output == ("Get-CsA", "Get-CsB", "Get-CsC")
    assert results.errors == ()


def test_a_change_of_which_something_may_have_run_is_not_repeated() -> None:
    session = Scripted(importing("Set-Date"))
    results = session.run(*commands("Get-CsA", "Set-Date"), changes=True)
    assert results.errors
    assert ["Import-Module"] not in session.sent
    assert sum("Set-Date" in sent for sent in session.sent) == 1


def test_a_reading_with_another_command_imports_the_module() -> None:
    session = Scripted(importing("Get-Date"))
    assert session.run(*commands("Get-CsA", "Get-Date")).output == ("Get-CsA", "Get-Date")


def test_an_error_without_a_command_is_told_of_the_only_one(place: Callable[..., Place]) -> None:
    session = place().session()
    results = session.run(write(1), Command("Unheard-Of"), write(2))
    assert results.output == (1, 2)
    assert [report.command for report in results.errors] != [None]
    session.close()


def test_a_list_is_not_sent_where_the_server_would_make_one_text_of_it(place: Callable[..., Place]) -> None:
    session = place().session()
    session.run(write(1))
    assert session._current is not None
    session._current.record.cmdlets["Set-CsThing"] = {"Names": "List[string]"}
    before = session.run(write(1))
    for changes in (False, True):
        with pytest.raises(UnconvertibleValue, match="-Names"):
            session.run(Command("Set-CsThing", {"names": ["a", "b"]}), changes=changes)
    assert before.output == session.run(write(1)).output
    session.close()


def test_which_parameters_take_a_list_is_read_from_the_syntax(place: Callable[..., Place]) -> None:
    session = place().session()
    session.run(write(1))
    described = RemoteObject(
        ("System.Management.Automation.CommandInfo",),
        {
            "Name": "Set-CsThing",
            "Definition": "\nSet-CsThing [-Identity] <XdsIdentity> -Names <List[string]> [-More <string[]>]"
            " [-Rest <PSListModifier[string]>] [[-Last] <List[int]>]\n",
        },
    )
    session._without_descriptions([Command("Get-Command", {"Name": ["Set-CsThing"]})], Results((described,)))
    assert session._current is not None
    types = session._current.record.cmdlets["Set-CsThing"] or {}
    assert [name for name, kind in types.items() if kind.startswith("List[")] == ["Last", "Names"]
    assert set(session.parameters_of("Set-CsThing") or ()) == {"Identity", "Names", "More", "Rest", "Last"}
    session.close()
