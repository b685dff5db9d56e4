# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading many nouns: one that fails costs itself and no other, and few pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    ErrorReport,
    PipelineState,
    RemoteObject,
    Results,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings import catalogue
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.nouns import (
    Outcome,
    Reading,
    read_nouns,
    rights,
    version_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from .scripted_shell import ENDPOINT

NOUNS = {each.name: each for each in catalogue.manageable()}
SOME = ["CsPstnUsage", "CsVoiceRoute", "CsVoicePolicy", "CsDialPlan", "CsPinPolicy", "CsCallParkOrbit"]


class Server:
    """Answers statements as PowerShell does: a terminating failure that is not the first ends the pipeline at once, and
    behind one that is the first a single statement is heard.

    ``faults``: by noun ``terminating``, ``error``, ``vague`` (an error that does not say whose it is), ``hang``,
    ``nothing`` or ``alien`` (objects of a type that nobody expects).
    """

    endpoint = ENDPOINT

    def __init__(
        self, faults: Mapping[str, str] | None = None, *, count: int = 5, version: str = "5.0.8308.0"
    ) -> None:
        self.faults = dict(faults or {})
        self.count = count
        self.version = version
        self.withheld: frozenset[str] = frozenset()
        self.pipelines: list[tuple[str, ...]] = []

    def server_version(self) -> str | None:
        return self.version and f"Microsoft Lync Server ({self.version})"

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        return (Command("Get-Command", {"Name": list(cmdlets)}),)

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        return None if cmdlet in self.withheld else frozenset({"Identity"})

    def classify(self, report: ErrorReport) -> errors.CommandError:
        return errors.classify_report(report, self.endpoint)

    def run(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        assert not changes
        if commands[0].name == "Get-Command":
            return Results()
        assert len(commands) == 1
        return self.read_once(*commands)

    def read_once(self, *commands: Command) -> Results:
        self.pipelines.append(tuple(command.name for command in commands))
        results = Results()
        lost_after: int | None = None
        for number, command in enumerate(commands):
            noun = command.name.removeprefix("Get-")
            fault = self.faults.get(noun)
            if lost_after is not None and number > lost_after:
                break
            results = replace(results, output=(*results.output, *self._objects(noun, fault)))
            if fault == "hang":
                raise errors.TimedOut(
                    self.endpoint,
                    [each.name for each in commands],
                    60,
                    ended=True,
                    results=results,
                    changes=False,
                )
            if fault in ("terminating", "error", "vague"):
                name = None if fault == "vague" else command.name
                report = ErrorReport("No.", "NotSpecified", "Broken", "System.Exception", command=name)
                results = replace(results, errors=(*results.errors, report), whole=len(commands) == 1)
            if fault == "terminating":
                if number:
                    return replace(results, state=PipelineState.FAILED)
                lost_after = 1
        return results

    def _objects(self, noun: str, fault: str | None) -> tuple[RemoteObject, ...]:
        if fault == "nothing":
            return ()
        kind = "Somebody.Elses.Type" if fault == "alien" else NOUNS[noun].type_name
        count = self.count if fault not in ("terminating", "error", "hang") else 1
        identities = ["Global", *(f"Tag:{number}" for number in range(1, count))]
        if not NOUNS[noun].always_global:
            identities = [f"{noun} {number}" for number in range(count)]
        return tuple(
            RemoteObject((kind, "System.Object"), {"Identity": each, "Priority": place, "Value": each})
            for place, each in enumerate(identities)
        )


def outcomes(readings: Mapping[str, Reading]) -> dict[str, str]:
    return {name: reading.outcome.value for name, reading in readings.items()}


def read(
    names: Sequence[str], faults: Mapping[str, str] | None = None, **options: Any
) -> tuple[dict[str, Reading], Server]:
    server = Server(faults, **options)
    shell: Any = server
    return read_nouns(shell, names), server


def test_everything_in_one_pipeline() -> None:
    readings, server = read(SOME)
    assert set(outcomes(readings).values()) == {"read"}
    assert list(readings) == SOME
    assert [len(reading.objects) for reading in readings.values()] == [5] * len(SOME)
    assert len(server.pipelines) == 1
    assert [str(each) for each in readings["CsVoiceRoute"].order] == [f"CsVoiceRoute {n}" for n in range(5)]


@pytest.mark.parametrize("fault", ["terminating", "error", "hang"])
@pytest.mark.parametrize("victim", SOME)
def test_one_that_fails_costs_itself_and_two_pipelines(victim: str, fault: str) -> None:
    readings, server = read(SOME, {victim: fault})
    expected = dict.fromkeys(SOME, "read") | {victim: "failed"}
    assert outcomes(readings) == expected
    assert all(len(readings[name].objects) == 5 for name in SOME if name != victim)
    assert readings[victim].kind == ("timed_out" if fault == "hang" else "command_error")
    assert len(server.pipelines) <= 4


@pytest.mark.parametrize("victim", SOME)
def test_an_error_that_does_not_say_whose_it_is_costs_no_other_noun(victim: str) -> None:
    readings, _server = read(SOME, {victim: "vague"})
    assert outcomes(readings) == dict.fromkeys(SOME, "read") | {victim: "failed"}


@given(
    st.dictionaries(
        st.sampled_from(SOME), st.sampled_from(["terminating", "error", "vague", "hang", "alien", "nothing"])
    )
)
@settings(max_examples=200)
def test_whatever_fails_the_others_are_read_whole(faults: dict[str, str]) -> None:
    readings, _server = read(SOME, faults)
    for name in SOME:
        fault = faults.get(name)
        if fault == "nothing" and not NOUNS[name].always_global:
            assert readings[name].outcome is Outcome.READ
            assert not readings[name].objects
        elif fault in (None, "alien"):
            assert len(readings[name].objects) == 5, (name, faults)
        else:
            assert readings[name].outcome is Outcome.FAILED
            assert not readings[name].objects


def test_an_empty_answer_is_a_failure_where_there_always_is_an_object() -> None:
    readings, _server = read(SOME, {"CsPinPolicy": "nothing", "CsVoiceRoute": "nothing"})
    assert readings["CsPinPolicy"].kind == "unreadable"
    assert readings["CsVoiceRoute"].outcome is Outcome.READ


def test_objects_of_an_unexpected_type_are_asked_for_again() -> None:
    readings, server = read(SOME, {"CsVoicePolicy": "alien"})
    assert len(readings["CsVoicePolicy"].objects) == 5
    assert server.pipelines[1:] == [("Get-CsVoicePolicy",)]


def test_what_a_session_does_not_offer_is_told_by_the_version() -> None:
    server = Server(version="4.0.7577.0")
    server.withheld = frozenset({"Get-CsVoiceRoutingPolicy", "Get-CsPinPolicy"})
    shell: Any = server
    found = outcomes(read_nouns(shell, ["CsVoiceRoutingPolicy", "CsPinPolicy", "CsDialPlan"]))
    assert found == {
        "CsVoiceRoutingPolicy": "not_offered",
        "CsPinPolicy": "not_permitted",
        "CsDialPlan": "read",
    }
    server.version = ""
    assert outcomes(read_nouns(shell, ["CsVoiceRoutingPolicy"])) == {"CsVoiceRoutingPolicy": "not_permitted"}


@pytest.mark.parametrize(
    ("build", "version"),
    [
        ("4.0.7577.0", "2010"),
        ("5.0.8308.0", "2013"),
        ("6.0.9319.0", "2015"),
        ("7.0.2046.0", "2019"),
        ("", None),
    ],
)
def test_the_version_is_the_builds(build: str, version: str | None) -> None:
    shell: Any = Server(version=build)
    assert version_of(shell) == version


def test_a_connection_that_is_lost_costs_what_was_not_read_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server({"CsVoicePolicy": "error"})
    shell: Any = server
    alone = server.run

    def run(*commands: Command, **options: Any) -> Results:
        if commands[0].name == "Get-CsVoicePolicy":
            raise errors.CannotConnect(ENDPOINT, "gone")
        return alone(*commands, **options)

    monkeypatch.setattr(server, "run", run)
    readings = read_nouns(shell, SOME)
    assert [each.outcome for each in readings.values()] == [Outcome.READ] * 2 + [Outcome.FAILED] * 4
    assert {each.kind for each in readings.values()} == {"", "cannot_connect"}
    server.faults = {SOME[0]: "error"}
    monkeypatch.setattr(
        server, "read_once", lambda *commands: (_ for _ in ()).throw(errors.CannotConnect(ENDPOINT, "x"))
    )
    with pytest.raises(errors.CannotConnect):
        read_nouns(shell, SOME)


def test_rights_are_the_verbs_that_a_session_offers() -> None:
    server = Server()
    server.withheld = frozenset({"Set-CsPinPolicy", "Remove-CsPinPolicy", "New-CsPinPolicy"})
    shell: Any = server
    assert rights(shell, [NOUNS["CsPinPolicy"], NOUNS["CsPstnUsage"]]) == {
        "CsPinPolicy": frozenset({"Get"}),
        "CsPstnUsage": frozenset({"Get", "Set"}),
    }
