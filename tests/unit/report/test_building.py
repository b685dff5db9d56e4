# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a run has shown to the model: what counts as what, what is counted once, and what earlier runs tell."""

from __future__ import annotations

import errno
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.findings import Kind, Trend, Unknown
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.run import (
    counted_once,
    total_of,
    worst_of,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.report import (
    as_json,
    building,
    history,
    writing,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.report.counting import COUNTS
from ansible_collections.lync.remediation.plugins.plugin_utils.report.gathered import UnusableReport
from ansible_collections.lync.remediation.plugins.plugin_utils.report.history import History
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status

from .made_up import WAIVER, answer, checked, clocks, entry, finding, gathered, many, model, typed

UNREAD = {
    "noun": "CsVoiceRoute",
    "identity": "",
    "property": "",
    "kind": Kind.NOUN,
    "status": Status.UNKNOWN,
    "unknown": Unknown.NOT_PERMITTED,
}


def counts(built: dict[str, Any]) -> list[int]:
    return [built["counts"][name] for name in COUNTS]


def verdict(result: dict[str, Any]) -> Any:
    """What drift_verdict returns."""
    found = worst_of([result]).value
    code = {"clean": 0, "drift": 10, "incomplete": 11, "refused": 12}[found]
    return answer("drift_verdict", {"verdict": found, "exit_code": code, "counts": total_of([result])})


def test_the_counts_are_those_of_the_check_and_of_the_verdict() -> None:
    result = checked(
        finding(),
        finding(property="EnableQoS", waiver=WAIVER),
        finding(property="EnableSiren", status=Status.CORRECTED),
        finding(**UNREAD),
    )
    built = model(answer("drift_check", result), verdict(result), exits=True)
    assert counts(built) == [611, 1, 1, 1, 1]
    own = verdict(result).result
    assert {name: own["counts"][name] for name in built["counts"]} == built["counts"]
    assert (built["verdict"], built["exit_code"], built["word"]) == ("drift", own["exit_code"], "differs")


@pytest.mark.parametrize(
    ("findings", "word"),
    [
        ([], "as wanted"),
        ([finding(waiver=WAIVER)], "as wanted"),
        ([finding(status=Status.CORRECTED)], "corrected"),
        ([finding(), finding(**UNREAD)], "differs"),
        ([finding(**UNREAD), finding(status=Status.CORRECTED)], "cannot say"),
    ],
)
def test_the_verdict_is_one_of_four_and_never_well_where_something_is_not_known(
    findings: Any, word: str
) -> None:
    assert model(answer("drift_check", checked(*findings)))["word"] == word


def test_a_second_host_of_a_deployment_is_not_counted_again() -> None:
    first = checked(finding())
    second = {**first, "same_deployment_as": "pool01"}
    built = model(answer("drift_check", first), answer("drift_check", second, "pool02"))
    assert counts(built) == [611, 1, 0, 0, 0]
    assert [each["outcome"] for each in built["hosts"]] == ["judged", "judged"]
    # A dry run keeps nothing that could tell the second host.
    again = {**first, "host": "pool02"}
    dry = model(answer("drift_check", first), answer("drift_check", again, "pool02"))
    assert dry["counts"] == built["counts"]
    assert total_of(counted_once([first, again]))["as_wanted"] == 611


@pytest.mark.parametrize(
    ("lost", "answers", "outcome", "unknown"),
    [
        ({"fe01": ("unreachable", "No connection.")}, [], "unreachable", "unreachable"),
        ({"fe01": ("failed", "It broke.")}, [], "failed", "failed"),
        ({}, [answer("clock", {"skipped": True}, "fe01", "skipped")], "skipped", "not_reached"),
        ({}, [], "not_reached", "not_reached"),
    ],
)
def test_a_host_that_nobody_judged_is_unknown(lost: Any, answers: Any, outcome: str, unknown: str) -> None:
    built = model(
        answer("drift_check", checked()), *answers, hosts={"pool01": "contoso", "fe01": "contoso"}, lost=lost
    )
    (row,) = built["findings"]
    assert (row["count"], row["kind"], row["identity"], row["unknown"]) == (
        "unknown",
        "host",
        "fe01",
        unknown,
    )
    assert {each["name"]: each["outcome"] for each in built["hosts"]} == {"pool01": "judged", "fe01": outcome}
    assert built["verdict"] == "incomplete"


def test_a_run_that_fails_at_a_host_which_was_judged_is_not_as_wanted() -> None:
    lost = {"fe01": ("failed", "Whether to restart is not said.")}
    told = answer("media_configuration", typed("drifted", entry()), "fe02")
    fine = answer("media_configuration", typed("in_desired_state"), "fe01")
    built = model(
        fine, told, lost={**lost, "fe02": ("failed", "It differs.")}, hosts={"fe01": "", "fe02": ""}
    )
    assert [(each["identity"], each["count"]) for each in built["findings"]] == [
        ("Global", "drifted"),
        ("fe01", "unknown"),
    ]
    assert {each["name"]: each["outcome"] for each in built["hosts"]} == {"fe01": "failed", "fe02": "judged"}
    # With a verdict of its own the last task fails on purpose.
    assert model(fine, lost=lost, hosts={"fe01": ""}, exits=True)["counts"]["unknown"] == 0


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([typed("in_desired_state")], [1, 0, 0, 0, 0]),
        ([typed("drifted", entry(), entry(property="enable_qos"))], [0, 2, 0, 0, 0]),
        ([typed("drifted", entry()), typed("corrected", entry())], [0, 0, 1, 0, 0]),
        ([typed("corrected", entry()), typed("in_desired_state")], [0, 0, 1, 0, 0]),
        ([typed("drifted", entry()), typed("in_desired_state")], [1, 0, 0, 0, 0]),
        ([typed("unknown", msg="No answer.")], [0, 0, 0, 0, 1]),
        ([typed("unknown"), typed("in_desired_state")], [1, 0, 0, 0, 0]),
        ([typed("corrected")], [0, 0, 1, 0, 0]),
        ([typed("in_desired_state"), typed("in_desired_state", identity="Site:Dublin")], [2, 0, 0, 0, 0]),
    ],
)
def test_the_last_task_on_an_object_decides_and_what_was_corrected_stays_so(
    answers: Any, expected: Any
) -> None:
    built = model(*(answer("media_configuration", each) for each in answers))
    assert counts(built) == expected


def test_what_a_module_finds_has_the_names_of_the_management_shell_and_is_counted_once_beside_a_check() -> (
    None
):
    result = typed("drifted", entry(), commands=["Set-CsMediaConfiguration …"])
    alone = model(answer("media_configuration", result))["findings"][0]
    assert (alone["noun"], alone["property"]) == ("CsMediaConfiguration", "EncryptionLevel")
    assert alone["command"] == "Set-CsMediaConfiguration …"
    both = model(answer("media_configuration", result), answer("drift_check", checked(finding())))
    assert counts(both) == [611, 1, 0, 0, 0]
    two = [answer("media_configuration", result, host) for host in ("pool01", "other")]
    assert counts(model(*two))[1] == 1
    assert counts(model(*two, hosts={"pool01": "", "other": ""}))[1] == 2


def test_lines_are_only_given_where_the_playbooks_take_them() -> None:
    elsewhere = finding(property="EnableQoS", origins=("drift_wanted[0]",))
    cases = {
        "": (finding(), True, True),
        "elsewhere": (elsewhere, True, False),
        "held": (finding(held="it is fought over"), False, True),
        "order": (finding(kind=Kind.ORDER), False, True),
        "reported": (finding(kind=Kind.REPORTED), False, False),
        "waived": (finding(waiver=WAIVER), False, False),
        "corrected": (finding(status=Status.CORRECTED), False, False),
        "unread": (finding(**UNREAD), False, False),
        "shape": (finding(**{**UNREAD, "unknown": Unknown.SHAPE_CHANGED}), False, True),
    }
    for name, (each, put_back, keep) in cases.items():
        (row,) = model(answer("drift_check", checked(each)))["findings"]
        assert (bool(row["put_back"]), bool(row["keep"])) == (put_back, keep), name
        assert all(row["id"] in line for line in (row["put_back"], row["keep"]) if line)


def test_a_clock_is_one_row_unless_tasks_say_more_of_it() -> None:
    hosts = dict.fromkeys(clocks()["servers"], "contoso")
    built = model(answer("clock_judgement", clocks()), hosts=hosts)
    assert counts(built) == [4, 1, 0, 0, 1]
    (pool,) = built["deployments"][0]["pools"]
    assert (pool["name"], len(pool["servers"])) == ("pool01.contoso.com", 6)
    assert pool["servers"][0]["name"] == "fe00.contoso.com"
    drift = [
        entry(resource="clock", identity="fe00.contoso.com", property="offset_ms"),
        entry(resource="clock", identity="fe00.contoso.com", property="zone"),
    ]
    set_right = answer("clock", {**typed("corrected", *drift), "before": {}, "after": {}}, "fe00")
    built = model(answer("clock_judgement", clocks()), set_right, hosts=hosts)
    assert counts(built) == [4, 0, 2, 0, 1]
    assert built["clocks"][0]["servers"][0]["server"] == "fe00.contoso.com"


def test_a_judgement_of_hosts_is_one_row_each_unless_a_task_has_changed_the_same() -> None:
    judged = {
        "findings": [
            {
                "check": "differing",
                "severity": "critical",
                "hosts": ["edge02"],
                "said": "They differ.",
                "remedy": "Set-X",
            }
        ],
        "results": {
            "edge01": {"status": "in_desired_state", "changed": False, "unknown": [], "reasons": []},
            "edge02": {"status": "drifted", "changed": False, "unknown": [], "reasons": ["They differ."]},
            "edge03": {
                "status": "unknown",
                "changed": False,
                "unknown": ["It did not answer."],
                "reasons": [],
            },
        },
    }
    hosts = dict.fromkeys(judged["results"], "contoso")
    built = model(answer("certificate_judgement", judged, "edge01"), hosts=hosts)
    assert counts(built) == [1, 1, 0, 0, 1]
    first = built["findings"][0]
    assert (first["noun"], first["server"], first["severity"], first["command"]) == (
        *("certificate", "edge02", "critical", "Set-X"),
    )
    assigned = typed(
        "corrected", entry(resource="certificate_assignment", identity="edge02", property="thumbprint")
    )
    task = answer("certificate_assignment", {**assigned, "before": {}, "after": {}}, "edge02")
    built = model(task, answer("certificate_judgement", judged, "edge01"), hosts=hosts)
    assert counts(built) == [1, 0, 1, 0, 1]


HANDED_IN = {
    "deployment": "contoso",
    "judged": ["fe01", "fe02"],
    "as_wanted": [{"pool": "pool01", "server": "fe02", "number": 3}],
    "findings": [
        {
            "noun": "certificate",
            "identity": "fe01",
            "status": "drifted",
            "pool": "pool01",
            "server": "fe01",
            "current": 12,
        }
    ],
    "sections": [{"title": "Certificates", "columns": ["server", "days"], "rows": [["fe01", 12]]}],
}


def test_another_playbook_hands_its_own_findings_in() -> None:
    hosts = {"pool01": "contoso", "fe01": "contoso", "fe02": "contoso"}
    task = answer("health", {"report": HANDED_IN})
    built, past = building.build(gathered([task], hosts), History(), 30)
    assert counts(built) == [3, 1, 0, 0, 1]
    assert built["sections"][0]["rows"] == [["fe01", "12"]]
    assert [each["trend"] for each in built["findings"]] == ["new", "new"]
    later = {**HANDED_IN, "findings": [{**HANDED_IN["findings"][0], "current": 11}]}
    following = gathered([answer("health", {"report": later})], hosts, started="2026-11-29T02:00:00Z")
    again, past = building.build(following, past, 30)
    assert [each["id"] for each in again["findings"]] == [each["id"] for each in built["findings"]]
    assert (again["findings"][0]["trend"], again["findings"][0]["runs"]) == ("still", 2)
    well = gathered(
        [answer("health", {"report": {**HANDED_IN, "findings": []}})], hosts, started="2026-11-30T02:00:00Z"
    )
    gone, past = building.build(well, past, 30)
    assert gone["trends"] == {"new": 0, "still": 1, "returned": 0, "resolved": 1}
    assert gone["deployments"][0]["resolved"][0]["noun"] == "certificate"
    back, past = building.build(replace(following, started="2026-12-01T02:00:00Z"), past, 30)
    assert back["trends"]["returned"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"finding": []},
        {"findings": [{"noun": "x", "identity": "y"}]},
        {"findings": [{"noun": "x", "identity": "y", "status": "fine"}]},
        {"findings": [{"noun": "x", "identity": "y", "status": "drifted", "colour": "red"}]},
        {"as_wanted": [{"number": -1}]},
    ],
)
def test_what_cannot_be_meant_is_refused(bad: Any) -> None:
    with pytest.raises(UnusableReport):
        model(answer("health", {"report": bad}))


def test_a_run_that_does_not_come_to_its_verdict_is_refused() -> None:
    built = model(answer("drift_check", checked()), exits=True)
    assert (built["verdict"], built["exit_code"], built["word"]) == ("refused", 12, "cannot say")


def test_the_first_is_the_worst() -> None:
    built = model(*many(60, 3))
    order = [each["count"] for each in built["findings"]]
    assert order == sorted(order, key=["drifted", "corrected", "unknown", "waived"].index)
    worst = [each["counts"]["drifted"] for each in built["deployments"]]
    assert worst == sorted(worst, reverse=True)


# -- earlier runs -----------------------------------------------------------------------------------------------------


def test_the_strip_has_runs_on_the_same_deployments_and_tells_which_were_missed() -> None:
    past = History()
    for day in (1, 2, 5):
        run = gathered(
            [answer("drift_check", checked(finding()))], started=f"2026-11-0{day}T02:00:00Z", interval=1440
        )
        built, past = building.build(run, past, 3)
    assert built["missed"] == ["2026-11-03T02:00:00Z", "2026-11-04T02:00:00Z"]
    other = gathered([answer("drift_check", checked(name="fabrikam"))], started="2026-11-06T02:00:00Z")
    built, past = building.build(other, past, 3)
    assert [each["deployments"] for each in built["history"]] == [["fabrikam"]]
    assert len(past.runs) == 3
    assert history.load(history.dump(past)) == past


def test_only_what_judged_everything_is_a_success() -> None:
    run = gathered([answer("drift_check", checked(finding()))])
    built, past = building.build(run, History(), 30)
    assert built["last_complete"] == built["started"]
    half = gathered([answer("drift_check", checked(finding(**UNREAD)))], started="2026-11-29T02:00:00Z")
    assert building.build(half, past, 30)[0]["last_complete"] == built["started"]


def test_trends_of_a_baseline_are_those_of_its_state_folder() -> None:
    result = checked(finding(trend=Trend.STILL), finding(property="EnableQoS", trend=Trend.RETURNED))
    built = model(answer("drift_check", result))
    assert built["trends"] == {"new": 0, "still": 1, "returned": 1, "resolved": 0}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "runs": 3}', "nonsense"])
def test_a_history_or_a_model_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(UnusableReport):
        history.load(text)
    with pytest.raises(UnusableReport):
        as_json.load(text)


# -- files ------------------------------------------------------------------------------------------------------------


def test_an_earlier_report_survives_a_write_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = model(answer("drift_check", checked(finding())))
    paths = writing.write(tmp_path, "drift", built, ["html", "prometheus"])
    assert [path.name for path in paths] == ["drift.json", "drift.html", "drift.prom"]
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o600, 0o600, 0o644]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnusableReport, match="No space left"):
        writing.write(tmp_path, "drift", {**built, "word": "as wanted"}, ["html"])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnusableReport, match="file"):
        writing.prepare(tmp_path / "file")


def test_metrics_go_where_they_are_collected(tmp_path: Path) -> None:
    built = model(answer("drift_check", checked()))
    elsewhere = tmp_path / "lync.prom"
    assert writing.write(tmp_path, "drift", built, ["prometheus"], elsewhere)[1] == elsewhere


def test_the_same_run_gives_the_same_bytes() -> None:
    answers = many(40)
    assert as_json.render(model(*answers)) == as_json.render(model(*many(40)))
    assert json.loads(as_json.render(model(*answers)))["findings"]
    assert asdict(History()) == {"runs": (), "records": (), "last_complete": ""}
