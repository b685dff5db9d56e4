# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notifications against a real mail server and real webhooks, which do what such servers do on a bad day."""

from __future__ import annotations

import datetime
import email
import email.policy
import http.server
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from ansible_collections.lync.remediation.plugins.modules import drift_notification as module
from ansible_collections.lync.remediation.plugins.plugin_utils.module_action import argument_spec, validated
from ansible_collections.lync.remediation.plugins.plugin_utils.notification.deciding import Reason
from ansible_collections.lync.remediation.plugins.plugin_utils.notification.messages import (
    TEMPLATES,
    as_mail,
    compose,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.notification.notifying import notify
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as some
from unit.notification.reports import finding, report

SPEC = argument_spec(module.DOCUMENTATION)
SECRET = "s3cr3t-path"


class MailServer:
    """``refused`` are recipients that it does not take."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refused: set[str] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 OK"


class Webhook(http.server.ThreadingHTTPServer):
    """Does ``behave`` with each request."""

    daemon_threads = True

    def __init__(self, behave: Callable[[http.server.BaseHTTPRequestHandler], None]) -> None:
        posted: list[dict[str, Any]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                behave(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.posted = posted
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{SECRET}"


def free_port() -> int:
    """aiosmtpd connects to the port that it was given, so that 0 is none."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answering(status: int, **headers: str) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def behave(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return behave


@pytest.fixture
def webhook() -> Iterator[Callable[..., Webhook]]:
    started = []

    def start(behave: Callable[[http.server.BaseHTTPRequestHandler], None] | None = None) -> Webhook:
        started.append(Webhook(behave or answering(202)))
        return started[-1]

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


@pytest.fixture
def mail_server() -> Iterator[tuple[MailServer, int]]:
    handler = MailServer()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield handler, controller.port
    controller.stop()


class Schedule:
    """What a controller has."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.channels: dict[str, Any] = {}

    def mail(self, port: int, **more: Any) -> None:
        server = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": 5}
        people = {"sender": "drift@contoso.com", "recipients": ["ann@contoso.com", "bob@contoso.com"]}
        self.channels["mail"] = {**server, **people, **more}

    def webhook(self, name: str, url: str, **more: Any) -> None:
        entry = {"name": name, "url": url, "allow_http": True, "timeout": 5, **more}
        self.channels.setdefault("webhooks", []).append(entry)

    def notify(self, found: dict[str, Any] | None, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        path = self.home / "nightly.json"
        if found is not None:
            path.write_text(json.dumps(found))
        given = {
            "name": "nightly",
            "report": str(path),
            "memory": str(self.home / "notified" / "nightly.json"),
            "exit_status": "" if found is None else str(found["exit_code"]),
            **self.channels,
            **more,
        }
        result = notify(validated(SPEC, given), check_mode=check_mode)
        assert SECRET not in json.dumps(result)
        return result


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return Schedule(tmp_path)


def reasons(result: dict[str, Any]) -> dict[str, list[str]]:
    return {each["name"]: each["reasons"] for each in result["channels"]}


def test_every_channel_is_written_once_with_the_counts_of_the_report(
    schedule: Schedule, mail_server: tuple[MailServer, int], webhook: Callable[..., Webhook]
) -> None:
    mails, port = mail_server
    schedule.mail(port)
    hooks = {template: webhook() for template in TEMPLATES}
    for template, server in hooks.items():
        schedule.webhook(template, server.url, template=template)
    found = report(finding("a"), finding("b"), finding("c", "unknown"), finding("d", "waived"))
    schedule.channels["link"] = "https://reports.contoso.com/nightly.html"

    foretold = schedule.notify(found, check_mode=True)
    assert (foretold["changed"], foretold["failed"], mails.mails) == (True, False, [])
    sent = schedule.notify(found)
    assert (sent["changed"], sent["failed"], sent["outcome"]) == (True, False, "drift")
    assert reasons(sent) == reasons(foretold) == {name: ["changed"] for name in ("mail", *TEMPLATES)}
    again = schedule.notify({**found, "run": "run2"})
    assert (again["changed"], again["failed"], set(map(len, reasons(again).values()))) == (False, False, {0})

    (mail,) = mails.mails
    assert mail["Subject"] == f"nightly: {found['sentence']}"
    assert mail["To"] == "ann@contoso.com, bob@contoso.com"
    text = mail.get_content()
    assert all(f"{found['counts'][name]} " in text for name in ("drifted", "unknown", "waived", "as_wanted"))
    assert schedule.channels["link"] in text
    (data,) = hooks["json"].posted
    assert (data["counts"], data["trends"]) == (found["counts"], found["trends"])
    assert [each["id"] for each in data["findings"]] == ["a", "b", "c"]
    (message,) = hooks["teams"].posted
    card = message["attachments"][0]["content"]
    assert (message["type"], card["type"], card["actions"][0]["url"]) == (
        "message",
        "AdaptiveCard",
        schedule.channels["link"],
    )
    (blocks,) = hooks["slack"].posted
    assert [each["type"] for each in blocks["blocks"]] == ["header", "section"]


def test_one_that_does_not_get_through_is_told_and_tried_again_alone(
    schedule: Schedule, mail_server: tuple[MailServer, int], webhook: Callable[..., Webhook]
) -> None:
    mails, port = mail_server
    mails.refused = {"ann@contoso.com", "bob@contoso.com"}
    schedule.mail(port)
    working, failing = webhook(), webhook(answering(500))
    schedule.webhook("working", working.url)
    schedule.webhook("failing", failing.url)
    first = schedule.notify(report(finding("a")))
    assert (first["failed"], first["outcome"]) == (True, "drift")
    assert [each["delivered"] for each in first["channels"]] == [False, True, False]
    mails.refused = set()
    second = schedule.notify(report(finding("a"), run="run2"))
    assert reasons(second) == {"mail": ["changed"], "working": [], "failing": ["changed"]}
    assert (len(mails.mails), len(working.posted), len(failing.posted)) == (1, 1, 2)


def test_a_recipient_who_is_refused_is_no_success(
    schedule: Schedule, mail_server: tuple[MailServer, int]
) -> None:
    mails, port = mail_server
    mails.refused = {"bob@contoso.com"}
    schedule.mail(port)
    result = schedule.notify(report(finding("a")))
    assert (result["failed"], len(mails.mails)) == (True, 1)
    assert "bob@contoso.com" in result["channels"][0]["problem"]


def test_servers_that_hang_drip_or_send_elsewhere_do_not_get_through(
    schedule: Schedule, webhook: Callable[..., Webhook]
) -> None:
    released = threading.Event()

    def hang(request: http.server.BaseHTTPRequestHandler) -> None:
        released.wait(30)

    def drip(request: http.server.BaseHTTPRequestHandler) -> None:
        while not released.wait(0.05):
            request.wfile.write(b"H")

    target = webhook()
    schedule.webhook("hanging", webhook(hang).url, timeout=0.3)
    schedule.webhook("dripping", webhook(drip).url, timeout=0.3)
    schedule.webhook("elsewhere", webhook(answering(307, Location=target.url)).url)
    schedule.webhook("nobody", "http://127.0.0.1:1/" + SECRET)
    schedule.webhook("unreadable", "https://", url_file=None)
    result = schedule.notify(report(finding("a")))
    released.set()
    assert result["failed"]
    assert not any(each["delivered"] for each in result["channels"])
    assert all(each["problem"] for each in result["channels"])
    assert target.posted == []


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "mail.pem", folder / "mail.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def test_a_password_goes_over_tls_that_is_checked_and_to_nobody_else(
    schedule: Schedule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, context = certificate(tmp_path)
    handler = MailServer()

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"drift", b"password"))

    options: dict[str, Any] = {"tls_context": context, "authenticator": authenticate, "auth_required": True}
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        (tmp_path / "mail_password").write_text("password\n")
        port = controller.port
        login = {"security": "starttls", "username": "drift", "password_file": "mail_password"}
        schedule.mail(port, **login)
        assert schedule.notify(report(finding("a")))["failed"], "nobody vouches for the certificate"
        schedule.mail(port, **login, ca_file=str(public))
        assert not schedule.notify(report(finding("a"), run="run2"))["failed"]
        assert len(handler.mails) == 1
        (tmp_path / "mail_password").write_text("wrong")
        assert schedule.notify(report(run="run3"))["failed"]
        (tmp_path / "mail_password").unlink()
        assert schedule.notify(report(run="run4"))["failed"]
    finally:
        controller.stop()


def test_a_run_that_left_no_report_is_written_about(
    schedule: Schedule, webhook: Callable[..., Webhook]
) -> None:
    server = webhook()
    schedule.webhook("team", server.url)
    killed = schedule.notify(None, exit_status="KILL", log="journalctl -u lync-drift-nightly")
    assert (killed["outcome"], reasons(killed)) == ("failed", {"team": ["failed"]})
    assert (server.posted[0]["verdict"], server.posted[0]["counts"]) == ("failed", None)
    assert "journalctl" in server.posted[0]["text"]
    (schedule.home / "nightly.json").write_text('{"format": 2}')
    assert schedule.notify(None, exit_status="KILL")["changed"] is False
    found = report(finding("a"))
    assert reasons(schedule.notify(found)) == {"team": ["changed", "recovered"]}
    # The same report once more, although another run has ended.
    assert reasons(schedule.notify(found)) == {"team": ["failed"]}


def test_what_was_written_last_cannot_be_read_or_kept(
    schedule: Schedule, webhook: Callable[..., Webhook]
) -> None:
    server = webhook()
    schedule.webhook("team", server.url)
    memory = schedule.home / "notified" / "nightly.json"
    memory.parent.mkdir()
    memory.write_text("{")
    damaged = schedule.notify(report(finding("a")))
    assert (damaged["failed"], len(server.posted)) == (True, 1)
    assert not schedule.notify(report(finding("a"), run="run2"))["failed"]
    memory.unlink()
    memory.parent.rmdir()
    memory.parent.write_text("a file")
    not_kept = schedule.notify(report(finding("b"), run="run3"))
    assert (not_kept["failed"], len(server.posted)) == (True, 2)


HOSTILE = "a\x00\x0b\x1b[31m\ud800\u2028\r\nBcc: x@y <!channel> [x](http://y) *b* ```"
texts = some.text(some.characters(exclude_categories=()))


@pytest.mark.parametrize("template", TEMPLATES)
def test_hostile_values_stay_text(template: str) -> None:
    found = report(finding("a", identity=HOSTILE, current=HOSTILE), sentence=HOSTILE, not_checked=HOSTILE)
    message = compose("nightly", [Reason.CHANGED], found)
    payload = json.dumps(TEMPLATES[template](message), ensure_ascii=False)
    payload.encode("utf-8")
    # Nothing but text: neither control characters nor a kind of text that is read as markup.
    assert not any(each in payload for each in ("\\u0000", "\\u001b", "mrkdwn", '"TextBlock"'))
    if template == "slack":
        assert "<!channel>" not in json.loads(payload)["text"]


@given(texts, texts)
def test_any_text_can_be_mailed(identity: str, sentence: str) -> None:
    found = report(finding("a", identity=identity, current=identity), sentence=sentence)
    message = compose("nightly", [Reason.CHANGED], found)
    now = datetime.datetime.now(datetime.timezone.utc)
    sent = as_mail(message, "drift@contoso.com", ["ann@contoso.com"], now)
    read = email.message_from_bytes(bytes(sent), policy=email.policy.default)
    assert [name for name in read.keys() if name.lower() in ("to", "bcc", "cc")] == ["To"]  # noqa: SIM118


@pytest.mark.parametrize(
    "more",
    [
        {"remind_after_days": -1},
        {"mail": {"host": "h", "sender": "nobody", "recipients": ["a@b"]}},
        {"mail": {"host": "h", "sender": "a@b", "recipients": []}},
        {"mail": {"host": "h", "sender": "a@b", "recipients": ["a@b\nBcc: c@d"]}},
        {"mail": {"host": "h", "sender": "a@b", "recipients": ["a@b"], "password": "p"}},
        {"mail": {"host": "h", "sender": "a@b", "recipients": ["a@b"], "username": "u"}},
        {"mail": {"host": "h", "sender": "a@b", "recipients": ["a@b"], "port": 0}},
        {
            "mail": {
                "host": "h",
                "sender": "a@b",
                "recipients": ["a@b"],
                "security": "none",
                "username": "u",
                "password": "p",
            }
        },
        {"webhooks": [{"name": "a"}]},
        {"webhooks": [{"name": "a", "url": "https://x", "url_file": "/x"}]},
        {"webhooks": [{"name": "a", "url": "http://x"}]},
        {"webhooks": [{"name": "a", "url": "file:///etc/passwd", "allow_http": True}]},
        {"webhooks": [{"name": "a", "url": "https://x"}, {"name": "a", "url": "https://y"}]},
        {"webhooks": [{"name": "a", "url": "https://x", "template": "irc"}]},
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    schedule: Schedule, webhook: Callable[..., Webhook], more: dict[str, Any]
) -> None:
    server = webhook()
    schedule.webhook("team", server.url)
    if "webhooks" in more:
        more = {"webhooks": [*schedule.channels["webhooks"], *more["webhooks"]]}
    with pytest.raises(BadArgument):
        schedule.notify(report(finding("a")), **more)
    assert server.posted == []
