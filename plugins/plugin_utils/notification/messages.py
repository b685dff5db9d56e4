# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written: one message, made from a run's report, in the shape that each channel takes.

Nothing that comes from a server is ever read as markup: cards and blocks get it as plain text.
"""

from __future__ import annotations

import datetime
import email.utils
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from ..report import as_text
from .deciding import OPEN, Reason

# Documented limits: a header block of Slack's has 150 characters and a section 3000; a message to Teams has 28 KB.
_SLACK_HEADER, _SLACK_SECTION, _TEAMS_TEXT = 150, 3000, 10_000
_FINDINGS = 20

_BECAUSE: Mapping[Reason, str] = {
    Reason.FAILED: "The run ended without a report of its own.",
    Reason.REFUSED: "The run was refused: nothing was judged.",
    Reason.INCOMPLETE: "Something could not be judged.",
    Reason.CORRECTED: "Settings of the deployment were corrected.",
    Reason.CHANGED: "There are other findings than before.",
    Reason.MISSED: "A run that was due did not take place.",
    Reason.RECOVERED: "What was wrong before is over.",
    Reason.REMINDER: "Nothing has changed since the last message.",
}


@dataclass(frozen=True)
class Message:
    """``lines`` are at most 79 columns wide. ``data`` is for machines."""

    subject: str
    because: tuple[str, ...]
    lines: tuple[str, ...]
    link: str
    data: Mapping[str, Any]

    @property
    def text(self) -> str:
        parts = ["\n".join(self.because), "\n".join(self.lines), self.link]
        return "\n\n".join(filter(None, parts)) + "\n"


def compose(
    name: str,
    reasons: Sequence[Reason],
    report: Mapping[str, Any] | None,
    exit_status: str = "",
    link: str = "",
    log: str = "",
) -> Message:
    """``name`` is the schedule's. Where the run has failed, the report is that of an earlier one, if there is any."""
    because = [_BECAUSE[each] for each in reasons]
    failed = Reason.FAILED in reasons or report is None
    if failed or report is None:
        sentence = f"the run failed ({exit_status})" if exit_status else "the run failed"
        latest = (report or {}).get("last_complete") or "none is known"
        lines = [f"The last complete run: {latest}."]
        if log:
            lines.append(f"What it said: {log}")
        findings: Sequence[Mapping[str, Any]] = ()
    else:
        sentence = report["sentence"]
        lines = as_text.lines(report)
        findings = [each for each in report["findings"] if each["count"] in (*OPEN, "corrected")]
    data = {
        "format": 1,
        "schedule": name,
        "reasons": [each.value for each in reasons],
        "sentence": printable(sentence),
        "exit_status": exit_status,
        "run": None if failed or report is None else report["run"],
        "verdict": "failed" if failed or report is None else report["verdict"],
        "counts": None if failed or report is None else dict(report["counts"]),
        "trends": None if failed or report is None else dict(report["trends"]),
        "findings": [{key: printable(each[key] or "") for key in _KEYS} for each in findings[:_FINDINGS]],
        "more_findings": max(0, len(findings) - _FINDINGS),
        "link": link,
    }
    subject = printable(f"{name}: {sentence}", keep="")
    return Message(subject, tuple(because), tuple(map(printable, lines)), link, data)


_KEYS = ("id", "deployment", "noun", "identity", "property", "count", "severity", "trend", "since")


def printable(text: str, keep: str = "\n") -> str:
    """A text without control characters and lone surrogates, which neither mail nor JSON of others carries."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(
        r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda found: found[0] if found[0] in keep else "?", text
    )


# -- channels ---------------------------------------------------------------------------------------------------------


def as_mail(
    message: Message, sender: str, recipients: Sequence[str], when: datetime.datetime
) -> EmailMessage:
    """Raises ValueError for addresses that are none."""
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = when
    mail["Message-ID"] = email.utils.make_msgid()
    # RFC 3834: no answer by a machine, please.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    return mail


def as_json(message: Message) -> dict[str, Any]:
    return {**message.data, "text": message.text}


def as_slack(message: Message) -> dict[str, Any]:
    def block(kind: str, text: str) -> dict[str, Any]:
        return {"type": kind, "text": {"type": "plain_text", "text": text, "emoji": False}}

    blocks = [
        block("header", _shortened(message.subject, _SLACK_HEADER)),
        block("section", _shortened(message.text, _SLACK_SECTION)),
    ]
    # Shown in notifications, where it is read as markup.
    fallback = message.subject.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": fallback, "blocks": blocks}


def as_teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card in the message that Teams' workflow for webhooks takes."""

    def text(content: str, **style: Any) -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": content, **style}]}

    body = [
        text(message.subject, weight="Bolder", size="Large"),
        *(text(each) for each in message.because),
        text(_shortened("\n".join(message.lines), _TEAMS_TEXT), fontType="Monospace"),
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Report", "url": message.link}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


TEMPLATES: Mapping[str, Callable[[Message], dict[str, Any]]] = {
    "json": as_json,
    "slack": as_slack,
    "teams": as_teams,
}


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
