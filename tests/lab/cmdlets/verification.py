# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic transactions. Objects: Microsoft, "Testing peer to peer audio/video call" (TaskOutput)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from lab.cmdlets.settings import failed
from lab.cmdlets.users import found_users
from lab.objects.values import NetObject, enumeration, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

_RESULT = enumeration("Microsoft.Rtc.SyntheticTransactions.TaskResult", ("Success", "Failure"))


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
