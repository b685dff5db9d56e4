# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs have shown, made up: results of tasks as the modules return them, from which reports are built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.drift.comparing import Coverage, Server
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.findings import (
    Finding,
    Kind,
    Label,
    Resolved,
    Trend,
    Unknown,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.run import Run
from ansible_collections.lync.remediation.plugins.plugin_utils.report.building import build
from ansible_collections.lync.remediation.plugins.plugin_utils.report.gathered import Answer, Gathered
from ansible_collections.lync.remediation.plugins.plugin_utils.report.history import History
from ansible_collections.lync.remediation.plugins.plugin_utils.result.severity import Severity
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status

NOW = "2026-11-28T02:00:00Z"
BASELINE = "/srv/lync/baseline/contoso"
CONTEXT = ("-i", "inventory", "-l", "pool01", "-e", "lync_remediation_state=/var/lib/lync")
WAIVER = {
    "noun": "CsMediaConfiguration",
    "identity": "Global",
    "property": "EnableQoS",
    "values": [True],
    "owner": "Ann",
    "justification": "Migration of the gateways",
    "expires": "2026-12-07",
    "place": f"{BASELINE}/waivers.yml:4",
}


def finding(**given: Any) -> Finding:
    usual = Finding(
        "contoso",
        "CsMediaConfiguration",
        "Global",
        "EncryptionLevel",
        Kind.VALUE,
        Status.DRIFTED,
        "SupportEncryption",
        "RequireEncryption",
        Severity.HIGH,
        "Calls of everyone without a site setting may go unencrypted.",
        (f"{BASELINE}/CsMediaConfiguration.yml:14",),
        label=Label.SERVER_CHANGED,
        since=NOW,
        trend=Trend.NEW,
        command="Set-CsMediaConfiguration -Identity Global -EncryptionLevel RequireEncryption",
        range="The deployment, but for what has its own: Site:Dublin.",
    )
    return replace(usual, **given)


def checked(
    *findings: Finding,
    name: str = "contoso",
    host: str = "pool01",
    as_wanted: int = 611,
    mode: str = "check",
    **more: Any,
) -> dict[str, Any]:
    """What drift_check returns."""
    run = Run(
        Server(name, host, "CONTOSO\\checker", "Skype for Business Server 2019, build 7.0.2046.385"),
        mode,
        NOW,
        "20261128T020000Z-1a2b3c4d",
        "/var/lib/lync",
        BASELINE,
        tuple(replace(each, deployment=name) for each in findings),
        as_wanted=as_wanted,
        nouns=58,
        resolved=tuple(more.pop("resolved", ())),
        coverage=Coverage(
            {"CsSimpleUrlConfiguration": {"SimpleUrl": "It holds objects."}},
            ("CsTrunkConfiguration", "CsPstnUsage"),
            (),
            ("CsUser",),
            {},
        ),
        collection_version="1.1.0",
        context=CONTEXT,
    )
    return {"changed": False, **replace(run, **more).as_dict(), "same_deployment_as": None, "summary": []}


def typed(status: str, *entries: Mapping[str, Any], identity: str = "Global", **more: Any) -> dict[str, Any]:
    """What media_configuration returns."""
    side = {"identity": identity, "state": "present"}
    return {"changed": False, "status": status, "before": side, "after": side, "drift": list(entries), **more}


def entry(**given: Any) -> dict[str, Any]:
    return {
        "resource": "media_configuration",
        "identity": "Global",
        "property": "encryption_level",
        "current": "RequireEncryption",
        "desired": "SupportEncryption",
        "severity": "critical",
        "reason": "Decides whether calls are encrypted.",
        **given,
    }


def answer(
    module: str, result: Mapping[str, Any], host: str = "pool01", outcome: str = "ok", **more: Any
) -> Answer:
    return Answer(host, module, more.pop("task", "task"), "Compare", outcome, result, **more)


def gathered(answers: Iterable[Answer], hosts: Mapping[str, str] | None = None, **more: Any) -> Gathered:
    answers = list(answers)
    known = {each.host: "contoso" for each in answers} if hosts is None else dict(hosts)
    usual: dict[str, Any] = {"name": "drift", "ended": "2026-11-28T02:01:07Z", "collection_version": "1.1.0"}
    return Gathered(
        "20261128T020000Z-1a2b3c4d",
        "lync.remediation.check_drift",
        more.pop("started", NOW),
        hosts=known,
        answers=answers,
        modules={each.module for each in answers},
        **{**usual, **more},
    )


def model(*answers: Answer, past: History | None = None, **more: Any) -> dict[str, Any]:
    return build(gathered(answers, **more), past or History(), 30)[0]


# -- many -------------------------------------------------------------------------------------------------------------

_WORDS = ("SalesPolicy", "Redmond", "Dublin", "Executives", "Kiosk", "ContactCentre", "Reception", "Legal")
_KINDS: Sequence[dict[str, Any]] = (
    {},
    {
        "noun": "CsVoiceRoute",
        "property": "PstnGatewayList",
        "current": ["PstnGateway:gw1.contoso.com", "PstnGateway:gw9.contoso.com"],
        "desired": ["PstnGateway:gw1.contoso.com", "PstnGateway:gw2.contoso.com"],
        "severity": Severity.CRITICAL,
        "reason": "Calls leave by these gateways.",
        "trend": Trend.STILL,
        "since": "2026-11-12T02:00:00Z",
    },
    {
        "noun": "CsClientPolicy",
        "property": "DisableEmoticons",
        "current": True,
        "desired": None,
        "severity": Severity.LOW,
        "reason": "It is a matter of taste.",
        "label": Label.FIRST_SEEN,
    },
    {
        "noun": "CsExternalAccessPolicy",
        "property": "Description",
        "current": "for sales\u200b ",
        "desired": "for sales",
        "severity": Severity.MEDIUM,
        "reason": "People read it.",
        "trend": Trend.RETURNED,
        "label": Label.BOTH,
    },
    {
        "noun": "CsVoicePolicy",
        "property": "PstnUsages",
        "kind": Kind.VALUE,
        "current": ["Local", "Internal", "International"],
        "desired": ["Internal", "Local", "Long Distance"],
        "severity": Severity.HIGH,
        "reason": "Usages are tried in this order.",
        "trend": Trend.STILL,
        "since": "2026-11-20T02:00:00Z",
    },
    {
        "noun": "CsDialPlan",
        "property": "existence",
        "kind": Kind.EXTRA,
        "current": "present",
        "desired": "absent",
        "severity": Severity.MEDIUM,
        "reason": "It is on the server, and the baseline does not have it.",
        "origins": (),
        "command": "",
    },
)


def many(number: int, deployments: int = 1) -> list[Answer]:
    """So many findings, of several kinds, spread over deployments; a few waived, unread and corrected among them."""
    answers = []
    for place in range(deployments):
        name = "contoso" if deployments == 1 else f"deployment{place:03}"
        own = [_nth(at) for at in range(place, number, deployments)]
        gone = [Resolved("0badcafe", "CsVoiceRoute", "Local", "NumberPattern", "2026-11-01T02:00:00Z")]
        answers.append(
            answer(
                "drift_check", checked(*own, name=name, host=f"host{place}", resolved=gone), f"host{place}"
            )
        )
    return answers


def _nth(number: int) -> Finding:
    kind = _KINDS[number % len(_KINDS)]
    identity = "Global" if number < len(_KINDS) else f"Tag:{_WORDS[number % len(_WORDS)]}{number}"
    found = finding(identity=identity, **kind)
    if number % 17 == 7:
        return replace(
            found, waiver={**WAIVER, "noun": found.noun, "identity": identity, "property": found.property}
        )
    if number % 23 == 5:
        sentence = (
            "Get-CsTrunkConfiguration is not offered to CONTOSO\\checker, although this version has it."
        )
        return replace(
            found,
            noun=f"CsTrunkConfiguration{number}",
            identity="",
            property="",
            kind=Kind.NOUN,
            status=Status.UNKNOWN,
            current=None,
            desired=None,
            unknown=Unknown.NOT_PERMITTED,
            detail=f"{sentence} The role CsVoiceAdministrator has it.",
            reason="",
            range="",
            command="",
            label=None,
        )
    return found


def clocks(deployment: str = "contoso") -> dict[str, Any]:
    """What clock_judgement returns: one server hours off, one not known, and four that are right."""
    voter = {"name": "dc01.contoso.com", "kind": "domain", "offset_ms": 4.1, "uncertainty_ms": 9.8}
    return {
        "changed": False,
        "deployments": {
            deployment: {
                "right": "voters",
                "why": "The domain (PDC emulator dc01.contoso.com) tells the right time.",
                "reference_offset": 0.004,
                "confirmed": True,
                "voters": [{**voter, "measured_by": 4, "decides": True}],
                "silent": [],
            }
        },
        "servers": {
            f"fe{number:02}": {
                "computer": f"fe{number:02}.contoso.com",
                "pool": "pool01.contoso.com",
                "deployment": deployment,
                "verdict": "not_known" if error is None else "right" if abs(error) < 1000 else "wrong",
                "error_ms": error,
                "uncertainty_ms": None if error is None else 9.8,
                "faults": ["clock"] if error is not None and abs(error) > 1000 else [],
                "found": {"offset_ms": error, "zone": "Central Standard Time"},
                "said": [] if number else ["It is off by the difference between two zones."],
            }
            for number, error in enumerate((-21600000.3, 31.2, -17.0, 2.4, 250.5, None))
        },
    }
