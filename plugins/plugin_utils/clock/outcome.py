# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of repairs has come to: one fact for each server, and one end that says all. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..result.failures import has_failed
from ..result.status import Status
from ..topology.pools import FAIL_BACK
from ..topology.quorum import Kind
from .described import lines, listed, short_names, shortened, with_commands, wrapped
from .judgement import Judgement, Server, Word

_AGAIN = (
    "ansible-playbook -i inventory lync.remediation.fix_clock_drift \\",
    "    -e clock_drift_restart=true",
)
_START = "Start-CsWindowsService"
# Skype for Business Server 2015, by the version of its Registrar.
_FAILS_OVER = 7

NOT_ENDED = "The role did not come to its end."

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """``before`` and ``after``: what was judged before the repair and after it, None where nothing was measured again.

    ``steps``: by host and name, what a task returned that worked on it. ``replication``: what the check of the whole
    deployment returned. ``av_before`` and ``av_after``: by pool, the test of A/V authentication. ``restarts``: whether
    they were asked for, None where nobody said. ``not_planned``: why they were not begun, where they were not.
    """

    before: Judgement
    after: Judgement | None = None
    steps: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)
    replication: Answer = field(default_factory=dict)
    av_before: Mapping[str, Answer] = field(default_factory=dict)
    av_after: Mapping[str, Answer] = field(default_factory=dict)
    restarts: bool | None = None
    check_mode: bool = False
    not_planned: Sequence[str] = ()

    @property
    def last(self) -> Judgement:
        return self.after or self.before

    def taken(self, host: str) -> list[tuple[str, Answer]]:
        """The steps that were taken on a host, by name."""
        answers = self.steps.get(host, {})
        return [(name, each) for name, each in answers.items() if each and not each.get("skipped")]


# -- one server --------------------------------------------------------------------------------------------------------


def outcome(run: Run, host: str) -> dict[str, Any]:
    """``status``, ``changed``, ``unknown`` and ``reasons``, and ``failed``: whether this server is not as it
    should be at the end.
    """
    beside = run.last.places.beside.get(host)
    if beside is not None:
        return _result(Status.UNKNOWN, False, ["everything"], [beside], failed=False)
    server = run.last.servers.get(host)
    if server is None:
        return _result(Status.UNKNOWN, False, ["everything"], [NOT_ENDED], failed=True)
    taken = run.taken(host)
    changed = any(answer.get("changed") for _name, answer in taken)
    reasons: list[str] = []
    unknown: list[str] = []
    for name, answer in taken:
        if has_failed(answer):
            reasons.append(str(answer.get("msg") or f"{name} failed."))
            if answer.get("status", Status.UNKNOWN.value) == Status.UNKNOWN.value:
                unknown.append(name)
    broken = bool(reasons)
    if server.word is Word.NOT_KNOWN:
        unknown.append("clock")
        reasons += server.said
    elif server.word is Word.UNCLEAR:
        unknown.append("right time")
        deployment = server.place.deployment
        reasons.append(run.last.decisions[deployment.name if deployment else ""].why)
    elif server.word is Word.WRONG:
        reasons += server.said
    pending = server.restart is not None or server.measurement.note is not None
    if pending and not (run.check_mode and run.restarts and not broken):
        reasons.append(f"A restart is pending: {server.restart or 'its clock is not right yet'}.")
    if run.last.obstacles and not reasons:
        reasons += run.last.obstacles
    status = Status.CORRECTED if changed else Status.IN_DESIRED_STATE
    if unknown:
        status = Status.UNKNOWN
    elif reasons or (run.check_mode and changed):
        status = Status.DRIFTED
    return _result(status, changed, unknown, reasons, failed=broken or not _ends_well(run, server, pending))


def _ends_well(run: Run, server: Server, pending: bool) -> bool:
    if run.check_mode:
        repairable = server.word is Word.WRONG and bool(server.repair)
        return server.word in (Word.RIGHT, Word.UNCLEAR) or repairable
    return server.word is Word.UNCLEAR or (server.word is Word.RIGHT and not (pending and run.restarts))


def _result(
    status: Status, changed: bool, unknown: Sequence[str], reasons: Sequence[str], *, failed: bool
) -> dict[str, Any]:
    return {
        "status": status.value,
        "changed": changed,
        "unknown": list(unknown),
        "reasons": list(dict.fromkeys(reasons)),
        "failed": failed,
    }


# -- the whole run -----------------------------------------------------------------------------------------------------

_DONE = {
    "note removed": "the note of a pending restart was taken back: nothing had been repaired",
    "note": "a pending restart was noted",
    "zone": "the time zone was set",
    "source": "the time service was configured",
    "clock": "the clock was put right, and tickets with the wrong time thrown away",
    "restart": "the services were restarted",
}
_WOULD = {
    "note removed": "the note of a pending restart would be taken back: nothing has been repaired",
    "note": "a pending restart would be noted",
    "zone": "the time zone would be set",
    "source": "the time service would be configured",
    "clock": "the clock would be put right, and tickets with the wrong time thrown away",
    "restart": "the services would be restarted",
}


def report(run: Run, results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The end of the run: how the servers stand, what was done, what is left, and the ways on from there."""
    names = short_names(run.last.servers)
    found = lines(run.last) if run.after is not None else []
    found += wrapped(_done(run, names))
    found += wrapped(shortened(_failures(run, names)))
    found += wrapped(_authentication(run))
    if not run.check_mode and has_failed(run.replication):
        found += wrapped(
            [f"Replication: {run.replication.get('msg') or 'it is not known whether it works.'}"]
        )
    found += wrapped(run.not_planned)
    found += wrapped(_people(run))
    found += _left(run, names)
    return found + wrapped([_closing(run, results, names)])


def troubles(run: Run) -> list[str]:
    """Why the run must not end well, apart from single servers."""
    judgement = run.last
    found = list(judgement.obstacles)
    found += [judgement.decisions[name].why for name in judgement.unclear if not judgement.obstacles]
    if run.check_mode:
        return found
    if has_failed(run.replication):
        found.append(f"Replication: {run.replication.get('msg')}")
    pending = any(each.restart for each in judgement.servers.values())
    failing = [
        pool for pool, answer in run.av_after.items() if (answer.get("av_edge") or {}).get("success") is False
    ]
    if failing and not pending:
        found.append(f"A/V authentication fails for users of {listed(failing)}.")
    if pending and run.restarts is None:
        found.append("Whether to restart services is not said: set clock_drift_restart to true or false.")
    return found


def _done(run: Run, names: Mapping[str, str]) -> Iterator[str]:
    words = _WOULD if run.check_mode else _DONE
    by_text: dict[str, list[str]] = {}
    for host in run.last.servers:
        done = [
            words[name]
            for name, answer in run.taken(host)
            if answer.get("changed") and not has_failed(answer)
        ]
        if done:
            by_text.setdefault("; ".join(done), []).append(names[host])
    for text, hosts in by_text.items():
        yield f"{listed(hosts)}: {text}."


def _failures(run: Run, names: Mapping[str, str]) -> Iterator[str]:
    for host in run.last.servers:
        for name, answer in run.taken(host):
            if has_failed(answer) and answer.get("failure") != "predecessor_failed":
                yield f"{names[host]}: {answer.get('msg') or f'{name} failed.'}"


def _authentication(run: Run) -> Iterator[str]:
    """For each pool, the test of what users need to call through the Edge Server, before and after."""
    by_text: dict[str, list[str]] = {}
    for pool in sorted({*run.av_before, *run.av_after}):
        before, after = (_tested(each.get(pool)) for each in (run.av_before, run.av_after))
        text = f"{before} before the repair, {after} after it" if run.av_after else before
        by_text.setdefault(text, []).append(pool)
    for text, alike in by_text.items():
        yield f"A/V authentication for users of {listed(alike)}: {text}."
    others = {
        pool.pool
        for deployment in run.last.places.deployments
        for pool in deployment.pools
        if pool.kind is not Kind.OTHER
    }.difference(run.av_before, run.av_after)
    if by_text and others:
        yield (
            f"A/V authentication for users of {listed(sorted(others))}: not tested, as nothing there or on an Edge "
            "Server was wrong."
        )


def _tested(answer: Answer | None) -> str:
    """Passed, failed, or not tested, and why."""
    if answer is None or not answer:
        return "not tested"
    if has_failed(answer):
        return f"not tested ({answer.get('msg')})"
    test = answer.get("av_edge")
    if test is None:
        return "not tested (this version has no test: look for Limited External Calling in clients)"
    if test.get("success") is None:
        return f"not tested ({test.get('error')})"
    return "passed" if test["success"] else f"failed ({test.get('error')})"


def _people(run: Run) -> Iterator[str]:
    """Credentials for the Edge Server live for eight hours by default, and clients keep what they got."""
    pools: list[str] = []
    for host, server in run.last.servers.items():
        repaired = any(
            name in ("clock", "zone") and answer.get("changed") for name, answer in run.taken(host)
        )
        if repaired and server.place.pool is not None:
            pools.append(server.place.pool.pool)
    if pools and not run.check_mode:
        yield (
            f"People of {listed(sorted(set(pools)))} sign in again for calls through the Edge Server to work, or wait: "
            "credentials that were given out before live for up to 8 hours."
        )


def _left(run: Run, names: Mapping[str, str]) -> Iterator[str]:
    pending = [
        server.host
        for server in run.last.servers.values()
        if server.restart is not None or server.measurement.note is not None
    ]
    down = [server for server in run.last.servers.values() if not server.measurement.running]
    if run.check_mode or not pending:
        return
    still = listed([names[host] for host in pending])
    yield from wrapped(
        [f"Services still to be restarted: {still}. They keep the zone and the tickets of the wrong clock."]
    )
    if run.restarts is None:
        how = "Restart them, one outage domain at a time, or leave it with clock_drift_restart=false:"
        yield from with_commands(how, *_AGAIN)
    else:
        yield from with_commands("Go on with:", *_AGAIN)
    for server in down:
        ways = _ways_back(server)
        second = " (the second if it was not failed over)" if len(ways) > 1 else ""
        is_down = f"{names[server.host]} is down. On it, to bring it back without a run{second}:"
        yield from with_commands(is_down, *ways)


def _ways_back(server: Server) -> list[str]:
    """What was failed over is disabled, and does not start before it is failed back."""
    pool = server.place.pool
    if pool is None or pool.kind is not Kind.FRONT_ENDS or (pool.version or _FAILS_OVER) < _FAILS_OVER:
        return [_START]
    return [f"{FAIL_BACK} -ComputerName {server.place.computer}", _START]


def _closing(run: Run, results: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> str:
    bad = [names.get(host, host) for host, result in results.items() if result["failed"]]
    dry = "This was a dry run: nothing was changed. " if run.check_mode else ""
    if bad:
        return f"{dry}Not well: {listed(bad)}."
    if troubles(run):
        return f"{dry}Not well: {' '.join(troubles(run))}"
    changed = any(result["changed"] for result in results.values())
    if not changed and not any(result["reasons"] for result in results.values()):
        return f"{dry}Nothing had to be done."
    if run.check_mode:
        return f"{dry}A real run would do this."
    return "Done."
