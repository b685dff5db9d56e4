# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Granting: everybody, in batches, whatever goes wrong with some of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.people import granting
from ansible_collections.lync.remediation.plugins.plugin_utils.people.assignment import Request
from ansible_collections.lync.remediation.plugins.plugin_utils.people.kinds import (
    CONFERENCING,
    EXTERNAL_ACCESS,
    KINDS,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.people.users import Choice
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import (
    CannotConnect,
    LostInMidCommand,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import ErrorReport, Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.failures import kind_of
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Refused,
    Unreadable,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.result import Result
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from hypothesis import given
from hypothesis import strategies as st
from unit.envelopes import MemoryJournal, envelope
from unit.people.scripted_people import GRANT, PeopleShell, error, user
from unit.scripted import ScriptedClock
from unit.settings.scripted_shell import ENDPOINT


def people(number: int, policy: str | None = None) -> list[Any]:
    return [user(f"u{each}", policy=policy) for each in range(number)]


def sip(*numbers: int) -> list[str]:
    return [f"sip:u{number}@contoso.com" for number in numbers]


class Run:
    """One task on a shell."""

    def __init__(self, shell: PeopleShell, check_mode: bool = False) -> None:
        self.shell = shell
        self.journal = MemoryJournal()
        self.clock = ScriptedClock()
        self.lines: list[str] = []
        self.envelope = envelope(shell, check_mode, self.journal)

    def __call__(self, **options: Any) -> Result:
        request = Request(
            **{
                "kind": EXTERNAL_ACCESS,
                "policy": "Live",
                "present": True,
                "chosen": Choice(filter="x"),
                **options,
            }
        )
        return granting.remediate(self.envelope, request, self.lines.append, self.clock)

    @property
    def statuses(self) -> list[str]:
        return [outcome["status"] for outcome in self.journal.outcomes.values()]


@given(
    st.lists(st.sampled_from([None, "Partners", "live", "Live"]), max_size=7),
    st.integers(1, 4),
    st.booleans(),
)
def test_everybody_ends_as_wanted_and_a_dry_run_foretells_it(
    held: list[str | None], size: int, present: bool
) -> None:
    def shell() -> PeopleShell:
        return PeopleShell([user(f"u{n}", policy=policy) for n, policy in enumerate(held)])

    dry_shell, real_shell = shell(), shell()
    dry = Run(dry_shell, check_mode=True)(present=present)
    run = Run(real_shell)
    real = run(present=present, batch_size=size)
    assert dry_shell.granted == []
    for key in ("before", "after", "drift", "commands", "restore_commands", "diff", "header", "changed"):
        assert getattr(dry, key) == getattr(real, key), key
    assert dict(real.after or {}) == real_shell.held
    wanted = ["Live" if present else None if policy in ("live", "Live") else policy for policy in held]
    assert [None if policy is None else policy.lower() for policy in real_shell.held.values()] == [
        None if policy is None else policy.lower() for policy in wanted
    ]
    changed = len(real.commands)
    assert len(real_shell.granted) == changed
    assert run.statuses == ["corrected"] * -(-changed // size)
    assert not Run(real_shell)(present=present).changed
    # The way back ends where it began.
    for command in real.restore_commands:
        real_shell.run(command)
    assert list(real_shell.held.values()) == held


def test_all_of_a_batch_share_a_pipeline_and_the_journal_comes_first() -> None:
    run = Run(PeopleShell(people(5)))
    run(batch_size=2)
    grants = [pipeline for pipeline in run.shell.pipelines if pipeline[0].name == GRANT]
    assert [len(pipeline) for pipeline in grants] == [2, 2, 1]
    assert all(command.parameters["Confirm"] is False for pipeline in grants for command in pipeline)
    assert [len(change.wanted["external_access_policy"]) for change, _ in run.journal.changes.values()] == [
        2,
        2,
        1,
    ]
    assert len(run.lines) == 3


@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("bad", [0, 1, 3])
def test_one_who_cannot_be_changed_keeps_nobody_else_from_it(bad: int, stops: bool) -> None:
    shell = PeopleShell(
        people(5), refuses=lambda name, policy: error(GRANT) if name == sip(bad)[0] else None, stops=stops
    )
    run = Run(shell)
    with pytest.raises(ChangeFailed) as failed:
        run(batch_size=4, retry_timeout=60)
    result = failed.value.result
    assert (result.status, result.changed) == (Status.DRIFTED, True)
    assert shell.held == {name: None if name == sip(bad)[0] else "Live" for name in shell.people}
    assert dict(result.after or {}) == shell.held
    assert {each["sip_address"]: each["status"] for each in result.details["users"]}[sip(bad)[0]] == "drifted"
    assert len(result.restore_commands) == 4
    assert run.statuses == ["drifted", "corrected"]


def test_a_new_policy_is_tried_until_it_can_be_granted() -> None:
    clock = ScriptedClock()
    shell = PeopleShell(
        people(4), refuses=lambda name, policy: error(GRANT) if clock.since_start < 100 else None
    )
    run = Run(shell)
    run.clock = clock
    assert run(retry_timeout=180).status is Status.CORRECTED
    assert 100 <= clock.since_start < 130
    assert set(shell.held.values()) == {"Live"}


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("tries", [1, 4])
def test_a_policy_that_is_removed_meanwhile_is_not_waited_for(number: int, tries: int) -> None:
    def refuse(name: str, policy: str | None) -> ErrorReport:
        if len(shell.granted) >= tries:
            shell.policies = ["Partners"]
        return error(GRANT)

    shell = PeopleShell(people(number), refuses=refuse)
    run = Run(shell)
    with pytest.raises(ChangeFailed, match="removed since") as failed:
        run(retry_timeout=900)
    assert kind_of(failed.value.causes[0]) == "policy_gone"
    assert (failed.value.result.status, failed.value.result.changed) == (Status.DRIFTED, False)
    assert run.clock.since_start <= 15 * tries
    assert run.journal.outcomes["0"] == {"status": "drifted", "changed": False}


def test_a_policy_is_not_taken_for_removed_because_it_cannot_be_read() -> None:
    def lose(commands: tuple[Command, ...]) -> None:
        if run.shell.granted and commands[0].name == "Get-CsExternalAccessPolicy":
            raise CannotConnect(ENDPOINT, "refused")

    run = Run(PeopleShell(people(2), refuses=lambda name, policy: error(GRANT), before=lose))
    with pytest.raises(ChangeFailed) as failed:
        run(retry_timeout=60)
    assert kind_of(failed.value.causes[0]) == "command_error"
    assert run.clock.since_start > 0


@pytest.mark.parametrize("present", [True, False])
def test_what_nobody_gets_in_time_is_a_failure_that_changed_nothing(present: bool) -> None:
    shell = PeopleShell(people(5, "Live" if not present else None), refuses=lambda name, policy: error(GRANT))
    before = shell.held
    run = Run(shell)
    with pytest.raises(ChangeFailed) as failed:
        run(batch_size=2, retry_timeout=60, present=present)
    assert (failed.value.result.status, failed.value.result.changed) == (Status.DRIFTED, False)
    assert failed.value.result.after == before
    assert {name for name, _policy in shell.granted} <= set(sip(0, 1)), "the others are not tried"
    assert run.clock.since_start <= 60
    assert (run.clock.since_start > 0) is present, "a withdrawal has nothing to wait for"
    assert run.journal.outcomes["0"] == {"status": "drifted", "changed": False}


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("arrived", [True, False])
def test_a_line_lost_on_the_way_is_read_back_and_ends_the_task(ended: bool, arrived: bool) -> None:
    lost: list[int] = []

    def lose(commands: tuple[Command, ...]) -> None:
        if commands[0].name == GRANT and commands[0].parameters["Identity"] == sip(2)[0]:
            lost.append(1)
            if arrived:
                for command in commands:
                    shell.people[command.parameters["Identity"]]["ExternalAccessPolicy"] = "Live"
            raise LostInMidCommand(ENDPOINT, [GRANT], "reset", ended=ended, results=Results())

    shell = PeopleShell(people(6), before=lose)
    run = Run(shell)
    with pytest.raises(ChangeFailed) as failed:
        run(batch_size=2)
    result = failed.value.result
    assert lost == [1], "nothing is sent twice"
    assert result.changed
    statuses = [each["status"] for each in result.details["users"]]
    second = "unknown" if not ended else "corrected" if arrived else "drifted"
    assert statuses == ["corrected", "corrected", second, second, "drifted", "drifted"]
    assert (result.status is Status.UNKNOWN) is not ended
    assert (result.after is None) is not ended
    assert len(result.restore_commands) == (2 if ended and not arrived else 4)
    assert run.statuses == ["corrected", second]


def test_what_cannot_be_read_back_is_unknown() -> None:
    def refuse(commands: tuple[Command, ...]) -> None:
        if shell.granted and commands[0].name == "Get-CsUser":
            raise CannotConnect(ENDPOINT, "refused")

    shell = PeopleShell(people(3), before=refuse)
    run = Run(shell)
    with pytest.raises(ChangeFailed) as failed:
        run(batch_size=1)
    assert [each["status"] for each in failed.value.result.details["users"]] == [
        "unknown",
        "drifted",
        "drifted",
    ]
    assert run.statuses == ["unknown"]


@pytest.mark.parametrize("batch", [0, 1])
def test_a_connection_refused_between_batches(batch: int) -> None:
    def refuse(commands: tuple[Command, ...]) -> None:
        if commands[0].name == GRANT and commands[0].parameters["Identity"] == sip(batch)[0]:
            raise CannotConnect(ENDPOINT, "refused")

    run = Run(PeopleShell(people(2), before=refuse))
    with pytest.raises(ChangeFailed if batch else CannotConnect) as failed:
        run(batch_size=1)
    if batch:
        assert [each["status"] for each in failed.value.result.details["users"]] == ["corrected", "drifted"]
    else:
        assert run.envelope.failure(failed.value)["unreachable"]
    assert run.statuses == ["corrected", "drifted"][1 - batch :]


def test_an_end_from_outside_tells_what_is_known() -> None:
    class Ended(BaseException):
        pass

    def end(commands: tuple[Command, ...]) -> None:
        if commands[0].name == GRANT and commands[0].parameters["Identity"] == sip(1)[0]:
            raise Ended

    run = Run(PeopleShell(people(3), before=end))
    with pytest.raises(Ended) as ended:
        run(batch_size=1)
    result = run.envelope.failure(ended.value)
    assert [each["status"] for each in result["users"]] == ["corrected", "unknown", "drifted"]
    assert (result["status"], result["changed"], result["after"]) == ("unknown", True, None)
    assert len(result["restore_commands"]) == 2
    assert run.statuses == ["corrected", "unknown"]


# -- before anything is written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_policy_that_does_not_exist_is_refused(check_mode: bool) -> None:
    run = Run(PeopleShell(people(1)), check_mode)
    with pytest.raises(UnusableArgument, match="There are: Live, Partners"):
        run(policy="Liev")
    if check_mode:
        assert run(policy="Liev", made_in_this_run=True).changed
    assert run.shell.granted == []
    assert not run(policy="Liev", present=False).changed, "one that is gone can be withdrawn"


def test_a_session_without_the_right_to_grant() -> None:
    run = Run(PeopleShell(people(1), withheld=[GRANT]))
    with pytest.raises(Refused):
        run()
    assert run.shell.granted == []
    assert run.journal.changes == {}
    assert Run(PeopleShell(people(1), withheld=[GRANT]), check_mode=True)().warnings
    assert not Run(PeopleShell(people(1, "Live"), withheld=[GRANT]))().changed, "nothing is to be granted"


def test_holders_without_a_name_are_all_who_hold_it() -> None:
    shell = PeopleShell([*people(2, "Live"), user("other", policy="Partners")])
    result = Run(shell)(present=False, chosen=Choice())
    assert shell.held == {**dict.fromkeys(sip(0, 1)), "sip:other@contoso.com": "Partners"}
    assert len(result.commands) == 2


def test_what_get_csuser_does_not_show_is_not_guessed() -> None:
    without = [user("ken")]
    del without[0].properties["ExternalAccessPolicy"]  # type: ignore[attr-defined]  # a dictionary
    with pytest.raises(Unreadable):
        Run(PeopleShell(without))()


def test_kinds_are_those_of_the_module() -> None:
    from ansible_collections.lync.remediation.plugins.action.policy_assignment import ActionModule

    assert ActionModule._arguments["kind"]["choices"] == list(KINDS)
    assert CONFERENCING.grant == "Grant-CsConferencingPolicy"


def test_many_users_are_listed_within_bounds() -> None:
    result = Run(PeopleShell(people(300)), check_mode=True)()
    assert len(result.diff[0].splitlines()) == len(result.diff[1].splitlines()) == 21
    assert len(result.details["users"]) == len(result.drift) == 300
    assert "300 users found" in result.details["summary"][0]


def test_the_way_back_of_a_failure_is_no_endless_sentence() -> None:
    def refuse(name: str, policy: str | None) -> ErrorReport | None:
        return error(GRANT) if name == sip(99)[0] else None

    with pytest.raises(ChangeFailed) as failed:
        Run(PeopleShell(people(100), refuses=refuse))()
    assert str(failed.value).count(GRANT) < 15
    assert len(failed.value.result.restore_commands) == 99
