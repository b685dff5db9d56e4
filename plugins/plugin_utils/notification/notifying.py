# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a run's report to the channels: read, decide, write, remember."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..report import as_json
from ..report.gathered import UnusableReport
from ..result.bounds import between
from ..result.refusals import UnusableArgument
from . import memory
from .deciding import Written, after_writing, reasons, seen_in
from .delivering import NotDelivered, post, send_mail, within
from .memory import Memory, MemoryUnusable
from .messages import TEMPLATES, Message, as_mail, compose

MAIL = "mail"
_PORTS = {"tls": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True)
class Channel:
    """``deliver`` raises NotDelivered."""

    name: str
    timeout: float
    deliver: Callable[[Message], None]


def notify(arguments: Mapping[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises BadArgument."""
    between(arguments, remind_after_days=(0, 3650))
    now = datetime.datetime.now(datetime.timezone.utc)
    channels = _channels(arguments, now)
    problems = []
    path = Path(arguments["memory"])
    try:
        known = memory.load(path)
    except MemoryUnusable as error:
        # Whoever is written to twice knows; whoever is not written to does not.
        known = Memory()
        problems.append(str(error))
    report, problem = _report(Path(arguments["report"]))
    problems += [problem] if problem else []
    status = arguments["exit_status"]
    seen = seen_in(report, known.run, status, now)
    remind_after = datetime.timedelta(days=arguments["remind_after_days"])
    written = dict(known.channels)
    results = []
    for channel in channels:
        last = written.get(channel.name, Written())
        why = reasons(last, seen, remind_after)
        result: dict[str, Any] = {
            "name": channel.name,
            "reasons": [each.value for each in why],
            "delivered": False,
            "problem": "",
            "subject": "",
            "text": "",
        }
        results.append(result)
        if not why:
            continue
        message = compose(arguments["name"], why, report, status, arguments["link"], arguments["log"])
        result.update(subject=message.subject, text=message.text)
        if check_mode:
            continue
        try:
            within(channel.timeout, lambda: channel.deliver(message))  # noqa: B023 - it ends before the next turn
            result["delivered"] = True
            written[channel.name] = after_writing(last, seen)
        except NotDelivered as error:
            result["problem"] = str(error)
            problems.append(f"{channel.name}: {error}.")
    if not check_mode:
        try:
            names = [channel.name for channel in channels]
            run = known.run if report is None else str(report["run"])
            memory.save(path, Memory(run, {name: written[name] for name in names if name in written}))
        except MemoryUnusable as error:
            problems.append(str(error))
    due = [each["name"] for each in results if each["reasons"]]
    done = due if check_mode else [each["name"] for each in results if each["delivered"]]
    return {
        "changed": bool(done),
        "failed": bool(problems) and not check_mode,
        "outcome": seen.outcome.value,
        "problem": problem,
        "channels": results,
        "msg": _sentence(seen.outcome.value, done, problems, is_due=bool(due), check_mode=check_mode),
    }


def _sentence(outcome: str, done: list[str], problems: list[str], *, is_due: bool, check_mode: bool) -> str:
    verb = "would be written to" if check_mode else "written to"
    nobody = "nobody was written to" if is_due else "nobody has to be written to"
    written = f"{verb}: {', '.join(done)}" if done else nobody
    return " ".join([f"The run came to {outcome}; {written}.", *problems])


def _report(path: Path) -> tuple[Mapping[str, Any] | None, str]:
    """The report, or None and why it cannot be used."""
    try:
        return as_json.load(path.read_text(encoding="utf-8")), ""
    except OSError as error:
        return None, f"The report {path} cannot be read ({error.strerror or error})."
    except (UnusableReport, ValueError) as error:
        return None, f"The report {path} cannot be used: {error}"


# -- channels ---------------------------------------------------------------------------------------------------------


def _channels(arguments: Mapping[str, Any], now: datetime.datetime) -> list[Channel]:
    """Raises UnusableArgument before anything is sent."""
    found = [_mail(arguments["mail"], now)] if arguments["mail"] else []
    for webhook in arguments["webhooks"]:
        if any(each.name == webhook["name"] for each in found):
            raise UnusableArgument("webhooks", f"there are two channels named {webhook['name']}")
        found.append(_webhook(webhook))
    return found


def _mail(options: Mapping[str, Any], now: datetime.datetime) -> Channel:
    between(options, port=(1, 65535), timeout=(0.1, 3600))
    if not options["recipients"]:
        raise UnusableArgument("mail", "recipients is empty. Allowed: one address or more")
    for address in (options["sender"], *options["recipients"]):
        if "@" not in address or any(each in address for each in "\r\n,;"):
            raise UnusableArgument(
                "mail", f"{address!r} is no address. Allowed: one such as drift@contoso.com"
            )
    has_password = options["password"] is not None or options["password_file"] is not None
    if has_password is not (options["username"] is not None):
        raise UnusableArgument(
            "mail", "username goes with password or password_file. Allowed: both or neither"
        )
    if has_password and options["security"] == "none":
        raise UnusableArgument("mail", "security is none, and a password would be sent for everybody to read")

    def deliver(message: Message) -> None:
        credentials = None
        if has_password:
            credentials = (options["username"], _secret(options["password"], options["password_file"]))
        send_mail(
            as_mail(message, options["sender"], options["recipients"], now),
            options["host"],
            options["port"] or _PORTS[options["security"]],
            options["security"],
            credentials,
            options["ca_file"],
            options["timeout"],
        )

    return Channel(MAIL, options["timeout"], deliver)


def _webhook(options: Mapping[str, Any]) -> Channel:
    option = f"webhooks, {options['name']}"
    between(options, timeout=(0.1, 3600))
    if (options["url"] is None) is (options["url_file"] is None):
        raise UnusableArgument(option, "url and url_file are given, or neither is. Allowed: one of them")
    if options["url"] is not None:
        _must_be_usable(option, options["url"], options)

    def deliver(message: Message) -> None:
        url = _secret(options["url"], options["url_file"])
        try:
            _must_be_usable(option, url, options)
        except UnusableArgument as error:
            raise NotDelivered(str(error).rstrip(".")) from None
        payload = TEMPLATES[options["template"]](message)
        headers = {str(name): str(value) for name, value in options["headers"].items()}
        post(url, payload, headers, options["ca_file"], options["timeout"])

    return Channel(options["name"], options["timeout"], deliver)


def _must_be_usable(option: str, url: str, options: Mapping[str, Any]) -> None:
    allowed = ("https://", "http://") if options["allow_http"] else ("https://",)
    if not url.startswith(allowed):
        raise UnusableArgument(option, f"its address does not begin with {' or '.join(allowed)}")


def _secret(value: str | None, file: str | None) -> str:
    """Raises NotDelivered, since it is read when it is needed."""
    if value is not None:
        return value
    path = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""), file or "")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise NotDelivered(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from None
