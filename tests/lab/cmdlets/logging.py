# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Centralized logging: Show-, Start-, Stop-, Update- and Sync-CsClsLogging.

Behaviour: MicrosoftDocs/office-docs-powershell.  What they print (2013) and return (later) is what the
Centralised Logging Tool of myteamslab.com reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.deployment.logging import ALWAYS_ON, DEFAULT_DURATION
from lab.deployment.topology import Computer, Pool
from lab.objects.values import NetObject, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

AGENT = "RTCCLSAGT"
_DURATION = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>\d+)")


def _chosen(invocation: Invocation) -> list[tuple[Pool, Computer]]:
    """The computers of -Computers and -Pools, or all; raises PowerShellError for unknown ones."""
    topology = invocation.session.deployment.topology
    every = [(pool, computer) for pool in topology.pools.values() for computer in pool.computers]
    pools = [text_of(name).lower() for name in invocation.get("Pools") or ()]
    computers = [text_of(name).lower() for name in invocation.get("Computers") or ()]
    for name in pools + computers:
        if not any(name in (pool.fqdn.lower(), computer.fqdn.lower()) for pool, computer in every):
            raise failed(invocation, "computer_unknown", name, computer=name)
    return [
        (pool, computer)
        for pool, computer in every
        if not (pools or computers) or pool.fqdn.lower() in pools or computer.fqdn.lower() in computers
    ]


def agent_answers(deployment: Any, fqdn: str) -> bool:
    """Whether the logging agent of that computer can be asked."""
    machine = deployment.machine(fqdn)
    return machine.down_until is None and machine.is_running(AGENT)


def _seconds(invocation: Invocation, default: float) -> float:
    """-Duration: ``days.hours:minutes``, or minutes."""
    text = text_of(invocation.get("Duration") or "")
    if not text:
        return default
    if text.isdigit():
        return int(text) * 60.0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise failed(invocation, "logging_duration", text, duration=text)
    return (int(match["days"] or 0) * 24 + int(match["hours"])) * 3600.0 + int(match["minutes"]) * 60.0


def _reached(invocation: Invocation) -> Iterator[tuple[Pool, Computer]]:
    """The chosen computers whose agents answer."""
    invocation.session.require_store()
    deployment = invocation.session.deployment
    deployment.settle()
    for pool, computer in _chosen(invocation):
        if agent_answers(deployment, computer.fqdn):
            yield pool, computer


@implements("Show-CsClsLogging")
def show(invocation: Invocation) -> Iterator[Any]:
    """One object for each computer from 2015 on, text before."""
    session = invocation.session
    session.require_store()
    deployment = session.deployment
    deployment.settle()
    chosen = _chosen(invocation)
    if deployment.version == "2013":
        yield from _text(deployment, chosen)
        return
    for pool, computer in chosen:
        answers = agent_answers(deployment, computer.fqdn)
        running = deployment.logging.runs(computer.fqdn) if answers else []
        other = next((run.scenario for run in running if run.scenario != ALWAYS_ON), "")
        yield NetObject(
            ("Microsoft.Rtc.Management.Cls.AgentStatus", "System.Object"),
            {
                "PoolFqdn": pool.fqdn,
                "MachineFqdn": computer.fqdn,
                "AlwaysOn": any(run.scenario == ALWAYS_ON for run in running) if answers else None,
                "ScenarioName": other,
                "ResponseMessage": deployment.texts.text("logging_agent_silent") if not answers else "",
            },
        )


def _text(deployment: Any, chosen: list[tuple[Pool, Computer]]) -> Iterator[str]:
    answering = [(pool, c) for pool, c in chosen if agent_answers(deployment, c.fqdn)]
    yield f"Success Code - 0, Successful on {len(answering)} agents"
    yield "Tracing Status:"
    for pool, computer in answering:
        running = deployment.logging.runs(computer.fqdn)
        on = "Yes" if any(run.scenario == ALWAYS_ON for run in running) else "No"
        details = [f"AlwaysOn={on}"]
        for run in running:
            if run.scenario != ALWAYS_ON:
                details += [f"Scenario={run.scenario}", f"Started={run.started}", f"By={run.by}"]
                details.append(f"Duration={run.duration}")
        name = f"{computer.host_name.upper()} v{deployment.build}"
        yield f"{pool.fqdn} ({name}) ({','.join(details)})"
        yield f"{computer.fqdn} ({name}) (Same as pool)"


@implements("Start-CsClsLogging")
def start(invocation: Invocation) -> Iterator[Any]:
    """Only one scenario beside AlwaysOn runs on a computer."""
    session = invocation.session
    deployment = session.deployment
    scenario = text_of(invocation.get("Scenario"))
    if scenario.lower() == ALWAYS_ON.lower():
        scenario = ALWAYS_ON
    seconds = _seconds(invocation, float("inf") if scenario == ALWAYS_ON else DEFAULT_DURATION)
    duration = text_of(invocation.get("Duration") or "0.04:00")
    for _, computer in _reached(invocation):
        machine = deployment.machine(computer.fqdn)
        local = machine.zone.local(machine.clock.now())
        half = "AM" if local.hour < 12 else "PM"
        shown = f"{local.month}/{local.day}/{local.year} {local.hour % 12 or 12}:{local:%M:%S} {half}"
        in_the_way = deployment.logging.start(
            computer.fqdn, scenario, seconds, shown, session.caller.account, duration
        )
        if in_the_way is not None:
            invocation.error(
                failed(
                    invocation,
                    "logging_scenario_runs",
                    computer.fqdn,
                    scenario=in_the_way,
                    computer=computer.fqdn,
                )
            )
    yield from show(invocation)


@implements("Stop-CsClsLogging")
def stop(invocation: Invocation) -> Iterator[Any]:
    for _, computer in _reached(invocation):
        invocation.session.deployment.logging.stop(computer.fqdn, text_of(invocation.get("Scenario")))
    yield from show(invocation)


@implements("Update-CsClsLogging")
def update(invocation: Invocation) -> Iterator[Any]:
    seconds = _seconds(invocation, DEFAULT_DURATION)
    for _, computer in _reached(invocation):
        invocation.session.deployment.logging.extend(computer.fqdn, seconds)
    yield from show(invocation)


@implements("Sync-CsClsLogging")
def sync(invocation: Invocation) -> Iterator[Any]:
    """Agents write down what they have in memory; nothing in the lab waits for that."""
    yield from show(invocation)
