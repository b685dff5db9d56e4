# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""W32Time is configured, read back, and left alone where a policy decides."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Restorable
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import TimedOut
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    Cause,
    ErrorReport,
    Results,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Refused,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.result import Result
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import time_service
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.w32time import POLICY_KEY
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.w32tm import ProgramFailed
from unit.envelopes import MemoryJournal, envelope
from unit.scripted import ScriptedClock
from unit.scripted_windows import W32, Refuses, Service, Windows

EDGE = {
    "type": "manual",
    "peers": [{"host": "ntp1", "flags": ["client"]}],
    "max_pos_phase_correction": 4294967295,
    "service_state": "started",
}


def remediate(there: Windows, options: dict[str, Any], check_mode: bool = False) -> dict[str, Any]:
    request = time_service.Request(options)
    return time_service.remediate(envelope(there, check_mode), request, there.clock).as_dict()


@pytest.fixture
def there() -> Windows:
    return Windows(ScriptedClock())


def test_an_edge_server_is_configured_once(there: Windows) -> None:
    there.registry[W32 + r"\Config"]["MaxPosPhaseCorrection"] = 54000
    dry = remediate(there, EDGE, check_mode=True)
    assert there.written == []
    wet = remediate(there, EDGE)
    assert dry["diff"] == wet["diff"]
    assert dry["commands"] == wet["commands"] == there.written
    assert there.registry[W32 + r"\Parameters"] == {"Type": "NTP", "NtpServer": "ntp1,0x8"}
    assert there.registry[W32 + r"\Config"]["MaxPosPhaseCorrection"] == -1
    assert wet["after"] == EDGE
    again = remediate(there, EDGE)
    assert (again["changed"], again["status"]) == (False, "in_desired_state")


@pytest.mark.parametrize("service", [None, Service("Stopped")])
def test_a_service_that_is_missing_or_stopped_is_brought_up(there: Windows, service: Service | None) -> None:
    there.w32time = service
    result = remediate(there, EDGE)
    assert result["status"] == "corrected"
    assert there.w32time is not None
    assert there.w32time.status == "Running"


def test_a_policy_is_named(there: Windows) -> None:
    there.registry[POLICY_KEY + r"\Parameters"] = {"Type": "NT5DS"}
    with pytest.raises(
        Refused, match=r"Policies.Microsoft.W32Time.Parameters.Type, and manual was asked for"
    ):
        remediate(there, EDGE, check_mode=True)
    assert there.written == []


def test_nobody_can_follow_no_time_server(there: Windows) -> None:
    with pytest.raises(UnusableArgument, match="there is none"):
        remediate(there, {"type": "manual"}, check_mode=True)


def test_what_w32tm_complains_about_is_told(there: Windows) -> None:
    there._w32tm_config = lambda arguments: None  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="type should be manual and is domain_hierarchy"):
        remediate(there, {"type": "manual", "peers": EDGE["peers"]})


def test_a_registry_that_may_not_be_read_is_not_an_empty_one(there: Windows) -> None:
    def denied(given: dict[str, Any]) -> list[Any]:
        raise Refuses("Requested registry access is not allowed.", "PermissionDenied")

    there._get_itemproperty = denied  # type: ignore[method-assign]
    with pytest.raises(Exception, match="registry access"):
        remediate(there, EDGE)
    assert there.written == []


# -- what became of it ---------------------------------------------------------------------------------------


class Starting:
    """A Start-Service that waits for a service which takes ``seconds`` to start."""

    def __init__(self, there: Windows, seconds: float) -> None:
        self.there, self.seconds = there, seconds
        self.limits: list[float | None] = []
        self.run = there.run
        there.run = self  # type: ignore[method-assign,assignment]
        there.w32time = Service("Stopped")
        original = there._get_service
        there._get_service = lambda given: (self.settle(), original(given))[1]  # type: ignore[method-assign]

    def settle(self) -> None:
        service = self.there.w32time
        if service and service.status == "StartPending" and self.there.clock.monotonic() >= self.due:
            service.status = "Running"

    def __call__(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        if commands[0].name != "Start-Service":
            return self.run(*commands, changes=changes, limit=limit)
        self.limits.append(limit)
        assert self.there.w32time is not None
        self.there.w32time.status = "StartPending"
        self.due = self.there.clock.monotonic() + self.seconds
        self.there.clock.passes(min(limit or self.seconds, self.seconds))
        if limit is not None and limit < self.seconds:
            raise TimedOut(self.there.endpoint, ["Start-Service"], limit, ended=True)
        self.settle()
        return Results()


def start(there: Windows, timeout: float) -> Result:
    request = time_service.Request({"service_state": "started"}, timeout)
    return time_service.remediate(envelope(there), request, there.clock)


def test_a_service_that_hangs_while_it_starts_is_told_as_a_time_out(there: Windows) -> None:
    starting = Starting(there, float("inf"))
    with pytest.raises(ChangeFailed) as caught:
        start(there, 30)
    assert starting.limits == [30]
    assert there.clock.monotonic() < 40
    assert isinstance(caught.value.causes[0], TimedOut)
    result = caught.value.result
    assert (result.status, result.changed) == (Status.DRIFTED, True)
    assert result.after == {"service_state": "start_pending"}


def test_a_service_that_starts_while_it_is_asked_for_is_started(there: Windows) -> None:
    Starting(there, 20)
    assert start(there, 30).status is Status.CORRECTED


def test_a_service_that_is_on_its_way_is_waited_for(there: Windows) -> None:
    """The line broke; what Start-Service began goes on."""
    there.w32time = Service("Stopped")
    readings = iter(["Stopped", "StartPending", "StartPending", "Running"])

    def get_service(given: dict[str, Any]) -> list[Any]:
        assert there.w32time is not None
        there.w32time.status = next(readings)
        return original(given)

    original = there._get_service
    there._get_service = get_service  # type: ignore[method-assign]
    there.breaks = {"Start-Service"}
    result = start(there, 30)
    assert (result.status, result.after, len(result.warnings)) == (
        Status.CORRECTED,
        {"service_state": "started"},
        1,
    )
    assert next(readings, None) is None


def test_one_that_stays_on_its_way_is_told_so(there: Windows) -> None:
    there.w32time = Service("Stopped")

    def start_service(given: dict[str, Any]) -> list[Any]:
        assert there.w32time is not None
        there.w32time.status = "StartPending"
        return []

    there._start_service = start_service  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed) as caught:
        start(there, 30)
    assert isinstance(caught.value.causes[0], time_service.ServiceStillPending)


def test_why_a_service_did_not_start_is_told(there: Windows) -> None:
    there.w32time = Service("Stopped")
    report = ErrorReport(
        "Service 'W32Time' cannot be started.",
        "OpenError",
        "CouldNotStartService,Microsoft.PowerShell.Commands.StartServiceCommand",
        causes=(Cause("System.ComponentModel.Win32Exception", "File not found."),),
        native_error_code=2,
        command="Start-Service",
    )
    original = there.run
    there.run = lambda *commands, **how: (  # type: ignore[method-assign]
        Results(errors=(report,)) if commands[0].name == "Start-Service" else original(*commands, **how)
    )
    with pytest.raises(ChangeFailed, match=r"File not found\..*Windows error 2") as caught:
        start(there, 30)
    assert (caught.value.result.changed, caught.value.result.after) == (False, {"service_state": "stopped"})


def test_an_error_beside_what_was_asked_for_is_a_warning(there: Windows) -> None:
    original = there._new_itemproperty
    there._new_itemproperty = lambda given: [  # type: ignore[method-assign]
        *original(given),
        Refuses("Something else failed.", "InvalidOperation", "Odd"),
    ]
    result = remediate(there, {"max_poll_interval": 12})
    assert (result["status"], result["after"]) == ("corrected", {"max_poll_interval": 12})
    assert "Something else failed." in result["warnings"][0]


def test_after_a_refusal_nothing_more_is_sent_and_what_was_written_is_told(there: Windows) -> None:
    def refuse(given: dict[str, Any]) -> list[Any]:
        if given["Name"] == "MinPollInterval":
            raise Refuses("Access is denied.", "PermissionDenied", "AccessDenied")
        return original(given)

    original = there._new_itemproperty
    there._new_itemproperty = refuse  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, {"special_poll_interval": 900, "min_poll_interval": 6, "max_poll_interval": 12})
    result = caught.value.result
    assert result.after == {"special_poll_interval": 900, "min_poll_interval": 10, "max_poll_interval": 15}
    assert (result.status, result.changed) == (Status.DRIFTED, True)
    assert not any("MaxPollInterval" in text for text in there.written)
    assert "-Value 3600" in str(caught.value)


def test_each_write_is_a_pipeline_of_its_own(there: Windows) -> None:
    pipelines: list[tuple[Command, ...]] = []
    original = there.run

    def run(*commands: Command, **how: Any) -> Results:
        pipelines.extend([commands] if how.get("changes") else [])
        return original(*commands, **how)

    there.run = run  # type: ignore[method-assign]
    remediate(there, {"special_poll_interval": 900, "type": "none"})
    assert [len(commands) for commands in pipelines] == [1, 1]


def test_what_w32tm_answers_with_a_number_is_told_and_read_back(there: Windows) -> None:
    there.w32time = Service("Stopped")
    there._start_service = lambda given: []  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, {"type": "none", "service_state": "started"})
    assert isinstance(caught.value.causes[0], ProgramFailed)
    assert caught.value.result.changed is False


@pytest.mark.parametrize(
    ("values", "restorable", "restored"),
    [
        ({"MinPollInterval": 8}, Restorable.YES, {"min_poll_interval": 8}),
        ({"MinPollInterval": "ten"}, Restorable.VALUES_ONLY, {}),
        ({}, Restorable.VALUES_ONLY, {}),
    ],
)
def test_a_change_is_journalled_and_its_request_takes_it_back(
    there: Windows, values: dict[str, Any], restorable: Restorable, restored: dict[str, Any]
) -> None:
    there.registry[W32 + r"\Config"] = {"MaxPollInterval": 15, **values}
    journal = MemoryJournal()
    wanted = time_service.Request({"min_poll_interval": 10, "max_poll_interval": 15})
    time_service.remediate(envelope(there, journal=journal), wanted, there.clock)
    ((change, commands),) = journal.changes.values()
    assert (change.before, change.wanted) == (
        {"min_poll_interval": values.get("MinPollInterval")},
        {"min_poll_interval": 10},
    )
    assert change.restorable is restorable
    assert len(commands) == 2
    assert time_service.restoring_request(change).options == restored
