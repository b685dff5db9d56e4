# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mail servers and webhooks, each with an end: whatever they do, a message has got through or has not.

No sentence here has a webhook's address in it, which is a secret as a rule.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from typing import Any

from ansible.module_utils.urls import open_url

from ..powershell.errors import ManagementShellError


class NotDelivered(ManagementShellError):
    """A message did not get through, or not to everybody."""


def within(seconds: float, deliver: Callable[[], None]) -> None:
    """Deliver, or give up: a server that sends a byte now and then keeps every time-out of a socket from ending.

    Raises NotDelivered. What hangs is left behind, and ends with the process.
    """
    outcome: list[BaseException | None] = []

    def work() -> None:
        try:
            deliver()
            outcome.append(None)
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise NotDelivered(f"there was no answer within {seconds:g} seconds")
    if isinstance(outcome[0], NotDelivered):
        raise outcome[0]
    if outcome[0] is not None:
        raise NotDelivered(f"it could not be sent ({outcome[0]!r})") from outcome[0]


def send_mail(
    mail: EmailMessage,
    host: str,
    port: int,
    security: str,
    credentials: tuple[str, str] | None,
    ca_file: str | None,
    timeout: float,
) -> None:
    """``security`` is ``tls`` from the first byte on, ``starttls``, or ``none``. Raises NotDelivered."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
        server: smtplib.SMTP
        if security == "tls":
            server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=timeout)
        with server:
            if security == "starttls":
                server.starttls(context=context)
            if credentials:
                server.login(*credentials)
            refused = server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        raise NotDelivered(f"the mail server refuses every recipient: {_answers(error.recipients)}") from None
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"the mail server answers {error.smtp_code} {_text(error.smtp_error)}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(f"the mail server {host}:{port} cannot be used ({error})") from None
    if refused:
        raise NotDelivered(f"the mail server refuses some recipients: {_answers(refused)}")


def post(
    url: str, payload: Mapping[str, Any], headers: Mapping[str, str], ca_file: str | None, timeout: float
) -> None:
    """Raises NotDelivered. Redirections are not followed: they would take the message elsewhere."""
    try:
        response = open_url(
            url,
            data=json.dumps(payload).encode("ascii"),
            headers={"Content-Type": "application/json", **headers},
            method="POST",
            timeout=timeout,
            ca_path=ca_file,
            follow_redirects="none",
            http_agent="lync.remediation",
        )
        response.close()
    except Exception as error:
        status = getattr(error, "code", None)
        if isinstance(status, int):
            raise NotDelivered(f"the webhook answers with the HTTP status {status}") from None
        reason = str(getattr(error, "reason", error)).replace(url, "…")
        raise NotDelivered(f"the webhook cannot be reached ({reason})") from None


def _answers(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address} ({code} {_text(answer)})" for address, (code, answer) in refused.items())


def _text(answer: bytes | str | Sequence[Any]) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
