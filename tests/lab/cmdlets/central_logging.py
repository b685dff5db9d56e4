# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Centralized Logging Service: what its agents hold, and Search-CsClsLogging.

Behaviour: MicrosoftDocs/office-docs-powershell, the page of the cmdlet, and Microsoft's documentation of the service:
window, level, servers, where output goes. Records look as Snooper shows them. What an agent that does not run makes of
a search, and that each line of a record is one text, is assumed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from lab.cmdlets.settings import failed
from lab.objects.values import text_of
from lab.powershell.engine import Invocation
from lab.powershell.errors import not_modelled
from lab.powershell.registry import implements
from lab.windows.machine import RUNNING

_AGENT = "RTCCLSAGT"
_LEVELS = ("FATAL", "ERROR", "WARN", "INFO", "VERBOSE", "DEBUG", "ALL")
_FUNCTIONS = {"TF_PROTOCOL": "TraceProtocolRecord", "TF_DIAG": "WriteDiagnosticEvent"}


@implements("Search-CsClsLogging")
def search(invocation: Invocation) -> Iterator[str]:
    """Records of the servers, oldest first by each server's own clock."""
    session = invocation.session
    session.require_store()
    for name in ("AsXml", "CallId", "ConferenceId", "CorrelationIds", "IP", "OutputFilePath", "Phone", "Uri"):
        if invocation.get(name):
            raise not_modelled(f"Search-CsClsLogging -{name}")
    deployment = session.deployment
    start, end = _window(invocation, session.machine.clock.now())
    found = []
    for number, record in enumerate(deployment.traces):
        computer = deployment.topology.computer(record["computer"])
        machine = deployment.machine(computer.fqdn)
        shown = machine.clock.now() - datetime.timedelta(minutes=record["minutes_ago"])
        if _is_asked(invocation, computer) and start <= shown <= end and _matches(invocation, record):
            found.append((shown, number, computer, record))
    for computer in deployment.topology.computers():
        if not _is_asked(invocation, computer):
            continue
        machine = deployment.machine(computer.fqdn)
        agent = machine.service(_AGENT)
        if machine.down_until is not None or (agent is not None and agent.status != RUNNING):
            found = [each for each in found if each[2] != computer]
            invocation.error(failed(invocation, "agent_unreachable", computer.fqdn, computer=computer.fqdn))
    for shown, number, computer, record in sorted(found, key=lambda each: each[:2]):
        yield from _lines(shown, number, computer, record)


def _window(invocation: Invocation, now: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    start, end = invocation.get("StartTime"), invocation.get("EndTime")
    if start is None:
        end = end or now + datetime.timedelta(minutes=5)
        start = end - datetime.timedelta(minutes=30)
    return start, end or start + datetime.timedelta(minutes=30)


def _is_asked(invocation: Invocation, computer: Any) -> bool:
    pools, computers = (
        [text_of(each).lower() for each in invocation.get(name) or ()] for name in ("Pools", "Computers")
    )
    return not (pools or computers) or computer.pool.lower() in pools or computer.fqdn.lower() in computers


def _matches(invocation: Invocation, record: Mapping[str, Any]) -> bool:
    components = [text_of(each).lower() for each in invocation.get("Components") or ()]
    if components and "sipstack" not in components:
        return False
    level = text_of(invocation.get("LogLevel") or "All").upper().replace("WARNING", "WARN")
    text = invocation.get("SipContents")
    return _LEVELS.index(record["level"]) <= _LEVELS.index(level) and (
        text is None or text_of(text).lower() in record["text"].lower()
    )


def _lines(shown: datetime.datetime, number: int, computer: Any, record: Mapping[str, Any]) -> Iterator[str]:
    stamp = f"{shown:%m/%d/%Y-%H:%M:%S}.{shown.microsecond // 1000:03}.{number + 1:08X}"
    where = f"{computer.pool.partition('.')[0]}\\{computer.host_name}"
    function = _FUNCTIONS[record["flag"]]
    yield (
        f"TL_{record['level']}({record['flag']}) [{where}]0A10.0BC4::{stamp} "
        f"(SIPStack,SIPAdminLog::{function}:SIPAdminLog.cpp(830)) [{number + 1}] $$begin_record"
    )
    yield from record["text"].rstrip("\n").splitlines()
    yield "$$end_record"
    yield ""
