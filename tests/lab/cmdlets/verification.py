# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic transactions, and the traces of centralized logging.

Objects: Microsoft, "Testing peer to peer audio/video call" (TaskOutput); behaviour of Search-CsClsLogging:
MicrosoftDocs/office-docs-powershell and Microsoft, "Search capture logs created by the Centralized Logging
Service".
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from lab.cmdlets.logging import agent_answers
from lab.cmdlets.settings import failed
from lab.cmdlets.users import found_users
from lab.deployment.media_authentication import TraceRecord
from lab.objects.values import NetObject, enumeration, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

_RESULT = enumeration("Microsoft.Rtc.SyntheticTransactions.TaskResult", ("Success", "Failure"))
#: What a search looks at by itself: from 25 minutes ago until 5 minutes ahead.
_BEFORE, _AFTER = datetime.timedelta(minutes=25), datetime.timedelta(minutes=5)
_WINDOW = datetime.timedelta(minutes=30)
_LEVELS = ("fatal", "error", "warning", "info", "verbose", "debug", "all")


@implements("Test-CsAVEdgeConnectivity")
def test_av_edge(invocation: Invocation) -> Iterator[NetObject]:
    session = invocation.session
    session.require_store()
    deployment = session.deployment
    name = text_of(invocation.get("TargetFqdn"))
    topology = deployment.topology
    computer = topology.computer(name)
    pool = topology.pool(name) or (topology.pool(computer.pool) if computer else None)
    if pool is None or pool.is_edge or pool.edge is None:
        raise failed(invocation, "no_matching_cluster", name)
    user = invocation.get("UserSipAddress")
    if user is not None:
        found_users(invocation, user)
    elif not any(user.pool == pool.fqdn for user in topology.users):
        raise failed(invocation, "no_test_users", name, pool=pool.fqdn)
    deployment.settle()
    failing = deployment.media_authentication.failing(pool)
    works = bool(deployment.control.active(pool)) and not failing
    yield _task_output(invocation, name, works, failing[0] if failing else pool.fqdn)


def _task_output(invocation: Invocation, target: str, works: bool, source: str) -> NetObject:
    """Microsoft.Rtc.SyntheticTransactions.TaskOutput; ``source`` is who reports a failure."""
    texts = invocation.session.deployment.texts
    return NetObject(
        ("Microsoft.Rtc.SyntheticTransactions.TaskOutput", "System.Object"),
        {
            "TargetFqdn": target,
            "Result": _RESULT.Success if works else _RESULT.Failure,
            "Latency": datetime.timedelta(seconds=1.7 if works else 0),
            "Error": "" if works else texts.text("synthetic_error"),
            "Diagnosis": "" if works else texts.text("synthetic_diagnosis", source=source),
        },
    )


@implements("Test-CsFederatedPartner")
def test_federated_partner(invocation: Invocation) -> Iterator[NetObject]:
    """From the internal interface of an Edge to an allowed domain: federation must be on, and the partner answer."""
    session = invocation.session
    session.require_store()
    deployment = session.deployment
    deployment.settle()
    target, domain = text_of(invocation.get("TargetFqdn")), text_of(invocation.get("Domain")).lower()
    computer = deployment.topology.computer(target)
    pool = deployment.topology.pool(target) or (deployment.topology.pool(computer.pool) if computer else None)
    if pool is None or not pool.is_edge:
        raise failed(invocation, "no_matching_cluster", target)
    _, settings = session.entries("CsAccessEdgeConfiguration")["global"]
    works = (
        bool(deployment.control.active(pool))
        and bool(settings["AllowFederatedUsers"])
        and domain in session.entries("CsAllowedDomain")
        and domain not in session.entries("CsBlockedDomain")
        and domain not in deployment.silent_partners
    )
    yield _task_output(invocation, target, works, pool.fqdn)


@implements("Test-CsReplica", "Test-CsComputer")
def test_local(invocation: Invocation) -> Iterator[NetObject]:
    """Only at the computer itself, never over remote PowerShell, which is all that the lab has."""
    raise failed(invocation, "only_local", command=invocation.command.name)


@implements("Search-CsClsLogging")
def search_logging(invocation: Invocation) -> Iterator[str]:
    """Records by what they say about their time, which is by the clock of the computer that wrote them."""
    session = invocation.session
    session.require_store()
    deployment = session.deployment
    deployment.settle()
    begin, end = _window(invocation)
    for number, record in enumerate(deployment.media_authentication.records, 1):
        if not begin <= record.shown <= end or not agent_answers(deployment, record.computer):
            continue
        if _wanted(invocation, record, record.text(number)):
            yield record.text(number)


def _window(invocation: Invocation) -> tuple[datetime.datetime, datetime.datetime]:
    machine = invocation.session.machine
    now = machine.clock.now()

    def moment(name: str) -> datetime.datetime | None:
        value: Any = invocation.get(name)
        if value is not None and value.tzinfo is None:
            value = value.replace(tzinfo=machine.zone.local(now).tzinfo)
        return value

    begin, end = moment("StartTime"), moment("EndTime")
    if begin is None:
        begin = (end - _WINDOW) if end is not None else now - _BEFORE
        end = end or now + _AFTER
    return begin, end or begin + _WINDOW


def _wanted(invocation: Invocation, record: TraceRecord, text: str) -> bool:
    """Computers, pools, component and level narrow the search; of the other conditions any, or with -MatchAll all."""
    pools = [text_of(name).lower() for name in invocation.get("Pools") or ()]
    computers = [text_of(name).lower() for name in invocation.get("Computers") or ()]
    if (pools or computers) and not (record.pool.lower() in pools or record.computer.lower() in computers):
        return False
    components = [text_of(name).lower() for name in invocation.get("Components") or ()]
    if components and "sipstack" not in components:
        return False
    level = invocation.get("LogLevel")
    name = text_of(level.name if hasattr(level, "name") else level).lower()
    if name in _LEVELS and _LEVELS.index(record.severity) > _LEVELS.index(name):
        return False
    conditions = [
        text_of(invocation.get(name))
        for name in ("SipContents", "CallId", "Uri", "IP", "Phone")
        if invocation.given(name)
    ]
    found = [condition.lower() in text.lower() for condition in conditions]
    return not found or (all(found) if invocation.get("MatchAll") else any(found))
