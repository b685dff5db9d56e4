# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of Centralized Logging, and what is made of answers that are not whole."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import TimedOut
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import ErrorReport, Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument
from ansible_collections.lync.remediation.plugins.plugin_utils.trace.central_logging import (
    SEARCH,
    central_logging_info,
)
from unit.scripted import ENDPOINT, Answer, Scripted, ScriptedClock
from unit.trace import samples

REFUSED = Results(output=tuple(samples.REFUSED_488.decode().splitlines()))
EXPIRED = Results(output=tuple(samples.EXPIRED_SERVICE.decode().splitlines()))
NOTHING = Results()


class Shell(Scripted):
    def __init__(self, *answers: Answer, offered: bool = True, version: str = "5.0.8308.0") -> None:
        super().__init__(*answers)
        self._offered, self._version = offered, version

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        assert cmdlet == SEARCH
        return frozenset({"Pools"}) if self._offered else None

    def server_version(self) -> str | None:
        return f"Lync ({self._version})"


def search(shell: Shell, **options: Any) -> dict[str, Any]:
    arguments = {
        "pools": [],
        "computers": [],
        "minutes": 60,
        "clocks": {},
        "utc_offset": None,
        "evidence": 3,
        "mask": False,
        **options,
    }
    return central_logging_info(shell, arguments, ScriptedClock(1_371_197_000.0))


def ids(result: dict[str, Any]) -> list[str]:
    return [each["id"] for each in result["findings"]]


def test_two_searches_of_the_pools_within_the_minutes() -> None:
    shell = Shell(EXPIRED, REFUSED)
    result = search(shell, pools=["pool01.contoso.com"])
    assert ids(result) == ["52017", "mras_expired"]
    assert result["searched"]
    assert result["complete"]
    assert not any(shell.changed)
    for sent in shell.sent:
        assert sent.startswith(f"{SEARCH} -Components ")
        assert "-Pools @('pool01.contoso.com')" in sent
        assert "-StartTime ([DateTime]'2013-06-14T07:03:20+00:00')" in sent
        assert "-OutputFilePath" not in sent
        assert "-MatchAll" in sent
    assert "-LogLevel Warning" in shell.sent[0]
    assert "-SipContents diagnostics" in shell.sent[1]


def test_a_clock_that_is_behind_is_looked_back_for() -> None:
    servers = {
        "fe01": {"error_ms": 7_200_000.0},
        "fe02": {"error_ms": -3_600_000.0},
        "fe03": {"error_ms": None},
    }
    shell = Shell(EXPIRED, REFUSED)
    search(shell, clocks={"servers": servers})
    assert "-StartTime ([DateTime]'2013-06-14T06:03:20+00:00')" in shell.sent[0]


def test_a_record_that_both_bring_counts_once() -> None:
    (finding,) = search(Shell(REFUSED, REFUSED))["findings"]
    assert finding["records"] == 1


def test_what_came_before_the_time_ran_out_is_read() -> None:
    late = TimedOut(ENDPOINT, [SEARCH], 45, results=REFUSED, changes=False)
    result = search(Shell(late))
    assert ids(result) == ["52017"]
    assert not result["complete"]
    assert "45 seconds" in result["problems"][0]


def test_a_search_that_fails_does_not_keep_the_other() -> None:
    error = ErrorReport(
        "cannot be reached", "AgentError", "Error", "InvalidOperation", SEARCH, terminating=False
    )
    result = search(Shell(Results(errors=(error,)), REFUSED))
    assert ids(result) == ["52017"]
    assert not result["complete"]
    assert "cannot be reached" in result["problems"][0]


def test_ordinary_records_show_that_something_is_logged() -> None:
    ordinary = samples.message("fe01", "08:02:30.000", True, "c1")
    shell = Shell(NOTHING, NOTHING, Results(output=tuple(ordinary.decode().splitlines())))
    result = search(shell)
    assert (result["findings"], result["complete"]) == ([], True)
    assert result["files"][0]["examined"]
    assert "-StartTime ([DateTime]'2013-06-14T08:01:20+00:00')" in shell.sent[2]


def test_nothing_is_no_all_clear() -> None:
    result = search(Shell(NOTHING, NOTHING, NOTHING))
    assert (result["findings"], result["complete"]) == ([], False)
    assert result["lines"][0] == "No trace was looked at."


@pytest.mark.parametrize(("version", "has_steps"), [("4.0.7577.0", True), ("6.0.9319.0", False)])
def test_where_there_is_no_such_cmdlet(version: str, has_steps: bool) -> None:
    result = search(Shell(offered=False, version=version))
    assert not result["searched"]
    assert not result["complete"]
    assert bool(result["steps"]) is has_steps


@pytest.mark.parametrize("minutes", [0, -5, 24 * 60 + 1])
def test_minutes_nobody_means(minutes: int) -> None:
    with pytest.raises(BadArgument):
        search(Shell(), minutes=minutes)


def test_personal_data_is_masked_in_the_lines_as_well() -> None:
    assert "kenmyer" not in "".join(search(Shell(NOTHING, REFUSED), mask=True)["lines"])
