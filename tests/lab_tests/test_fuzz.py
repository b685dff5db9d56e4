# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever arrives, the server answers with a fault or a 4xx, and goes on.

A few rounds each; ``make test-all`` takes thousands.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4
from xml.sax.saxutils import escape

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab.contract import Quotas
from lab.psrp.protocol import InvalidFragments, check_fragments
from lab.wsman import encryption
from psrpcore.types import PSRPMessageType
from pypsrp.powershell import RunspacePool
from spnego.exceptions import InvalidTokenError

from .conftest import Client, powershell
from .small import ADMIN, RunningLab, SmallServer
from .wsman_client import POWERSHELL, SHELL, WSManClient

_ROUNDS = int(os.environ.get("FUZZ", "0"))
fuzz = settings(
    max_examples=_ROUNDS or 20,
    deadline=None,
    derandomize=not _ROUNDS,
    suppress_health_check=list(HealthCheck),
)
#: Longer than any answer may take: the server lets nobody wait for more than a fraction of a second.
PATIENCE_S = 20


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server that allows no long polls, and after all that was done to it still works."""
    quotas = Quotas(operation_timeout_s=0.05, shells_per_user=1000)
    server = SmallServer(quotas=quotas)
    with RunningLab(tmp_path_factory.mktemp("lab"), server) as running:
        client = Client(running, server)
        yield client
        assert_alive(client)


def assert_alive(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


@pytest.fixture(scope="module")
def wsman(client: Client) -> Iterator[WSManClient]:
    made = WSManClient(client)
    yield made
    made.close()


@pytest.fixture(scope="module")
def session(client: Client) -> list[bytes]:
    """The requests of a session of many parts, which is still open."""
    wsman = client.wsman()
    sent: list[bytes] = []
    send = wsman.transport.send

    def recording(message: bytes, **options: Any) -> bytes:
        sent.append(message)
        return send(message, **options)  # type: ignore[no-any-return]

    wsman.transport.send = recording
    pool = RunspacePool(wsman)
    pool.open()
    pool.exchange_keys()
    powershell(pool, ("Write-All",), ("Write-Output", 1, "two", [None], {"a": 1.5})).invoke([1, 2])
    pool.is_alive()
    return sent


def acceptable(answer: requests.Response) -> None:
    """A fault, a 4xx, or, where the damage did no harm, the answer to what was asked."""
    if answer.status_code == 500:
        assert b"<s:Fault>" in answer.content
    else:
        assert answer.status_code == 200 or 400 <= answer.status_code < 500


# HTTP

_TOKEN = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=30)
_NAMES = [
    "Content-Length",
    "Content-Type",
    "Authorization",
    "Transfer-Encoding",
    "Host",
    "Connection",
    "Expect",
    "X",
]
_VALUES = [
    *("-1", "0", "5", "99999999999", "0x10", "chunked", "chunked, chunked", "gzip", "100-continue", "close"),
    *("application/soap+xml", "text/plain", 'multipart/encrypted;protocol="x";boundary="y"'),
    *("Basic", "Basic !", "Negotiate", "Negotiate TlRMTVNTUAABAAAA", "NTLM AA==", "CredSSP FgMB"),
]
_HEADERS = st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES) | _TOKEN), max_size=6)


@st.composite
def http_requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from(["POST", "GET", "PUT", "PRI", "post", ""]) | _TOKEN)
    path = draw(st.sampled_from(["/wsman", "/WSMAN/", "/", "/wsman?x", "//", "*", "http://x/wsman"]) | _TOKEN)
    version = draw(st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9", ""]))
    lines = [f"{method} {path} {version}", *(f"{name}: {value}" for name, value in draw(_HEADERS))]
    end = draw(st.sampled_from(["\r\n\r\n", "\n\n", "\r\n", ""]))
    return ("\r\n".join(lines) + end).encode("latin-1", "replace") + draw(st.binary(max_size=60))


def exchange(client: Client, data: bytes, port: int, tls: bool) -> bytes:
    """Send this and nothing more, and read until the server closes."""
    with socket.create_connection((client.server.address, port), timeout=PATIENCE_S) as raw:
        connection: socket.socket = raw
        if tls:
            context = ssl.create_default_context(cafile=client.running.ca)
            connection = context.wrap_socket(raw, server_hostname=client.server.fqdn)
        answer = b""
        try:
            connection.sendall(data)
            if tls:
                connection.unwrap()  # type: ignore[attr-defined]
            else:
                connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                answer += more
        except TimeoutError:
            pytest.fail("the server hangs")
        except OSError:
            """It may close whenever it likes."""
        return answer


@fuzz
@given(data=http_requests() | st.binary(max_size=300))
@pytest.mark.parametrize(("port", "tls"), [(15985, False), (15986, True), (15986, False)])
def test_http(client: Client, data: bytes, port: int, tls: bool) -> None:
    for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", exchange(client, data, port, tls), re.MULTILINE):
        assert 400 <= int(status) < 500 or status == b"100"


@fuzz
@given(
    scheme=st.sampled_from(["Basic", "Negotiate", "NTLM", "Kerberos", "CredSSP"]),
    token=st.binary(max_size=80)
    | st.binary(max_size=80).map(lambda tail: b"NTLMSSP\0\x01\0\0\0" + tail)
    | st.binary(max_size=80).map(lambda tail: b"NTLMSSP\0\x03\0\0\0" + tail)
    | st.binary(max_size=80).map(lambda tail: b"\x60\x48\x06\x06\x2b\x06\x01\x05\x05\x02" + tail)
    | st.binary(max_size=80).map(lambda tail: b"\x16\x03\x01\x00\x40" + tail),
)
def test_authorization(client: Client, scheme: str, token: bytes) -> None:
    answer = requests.post(
        f"https://{client.server.address}:15986/wsman",
        data=b"<x/>",
        headers={
            "Content-Type": "application/soap+xml",
            "Authorization": f"{scheme} {base64.b64encode(token).decode()}",
        },
        verify=client.running.ca,
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 401


class NoSeal:
    """A security context that takes what is not empty for sealed."""

    def wrap_winrm(self, data: bytes) -> tuple[bytes, bytes, int]:
        return b"seal", data, 0

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        if header != b"seal":
            raise InvalidTokenError(context_msg="no seal")
        return data


@fuzz
@given(message=st.binary(max_size=200), damage=st.data())
def test_encrypted_messages(message: bytes, damage: st.DataObject) -> None:
    _, body = encryption.wrap(NoSeal(), "application/HTTP-SPNEGO-session-encrypted", message)
    assert encryption.unwrap(NoSeal(), body) == message
    broken = damage.draw(damaged(body))
    with suppress(encryption.InvalidEncryption):
        encryption.unwrap(NoSeal(), broken)


# SOAP


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The data with a few things wrong."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(changed)))
        kind = draw(st.sampled_from(["byte", "cut", "insert", "end", "swap values", "swap names", "grow"]))
        if kind == "byte" and at < len(changed):
            changed[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del changed[at : at + draw(st.integers(1, 60))]
        elif kind == "insert":
            changed[at:at] = draw(st.binary(min_size=1, max_size=40))
        elif kind == "end":
            del changed[at:]
        elif kind == "swap values":
            values = re.findall(rb">([^<>]+)<", bytes(changed)) or [b"x"]
            one, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
            changed = bytearray(bytes(changed).replace(b">" + one + b"<", b">" + other + b"<", 1))
        elif kind == "swap names":
            names = re.findall(rb"<([A-Za-z:]+)[ >/]", bytes(changed)) or [b"x"]
            one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
            changed = bytearray(bytes(changed).replace(one, other))
        elif kind == "grow":
            changed[at:at] = bytes(changed[at : at + 30]) * draw(st.integers(2, 200))
    return bytes(changed)


@fuzz
@given(choice=st.data())
def test_damaged_requests(wsman: WSManClient, session: list[bytes], choice: st.DataObject) -> None:
    message = choice.draw(damaged(choice.draw(st.sampled_from(session))))
    acceptable(wsman.post(message, PATIENCE_S))


_ACTIONS = ["Create", "Delete", "Get", "Enumerate", "Command", "Send", "Receive", "Signal", "Disconnect"]
_NAMES_WITHIN = [
    *("Shell", "Environment", "Variable", "WorkingDirectory", "IdleTimeOut", "CommandLine", "Command"),
    *("Arguments", "Send", "Stream", "Receive", "DesiredStream", "Signal", "Code"),
]
_ELEMENTS = st.recursive(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20).map(escape),
    lambda inner: st.builds(
        lambda name, children: f"<rsp:{name}>{''.join(children)}</rsp:{name}>",
        st.sampled_from(_NAMES_WITHIN),
        st.lists(inner, max_size=4),
    ),
    max_leaves=8,
)


@fuzz
@given(
    action=st.sampled_from(_ACTIONS),
    body=_ELEMENTS,
    selectors=st.lists(
        st.tuples(st.sampled_from(["ShellId", "Name", ""]), st.just(str(uuid4()))), max_size=3
    ),
    timeout=st.sampled_from(["PT0.01S", "PT20S", "P1D", "PT", "-PT1S", "20", "P99999999999D", ""]),
    size=st.sampled_from(["153600", "8192", "1", "0", "-5", "x", ""]),
    resource=st.sampled_from(
        [f"{POWERSHELL}/Microsoft.PowerShell", f"{POWERSHELL}/", f"{SHELL}/cmd", SHELL, "x", "", "&"]
    ),
)
def test_requests_of_odd_parts(
    wsman: WSManClient, client: Client, action: str, body: str, resource: str, **headers: Any
) -> None:
    envelope = wsman.envelope(action, body, resource=escape(resource), **headers)
    acceptable(wsman.post(envelope, PATIENCE_S))
    client.running.call(lambda: client.running.lab.services[client.server.name].close_shells("test"))


# PSRP

_TYPES = [*(kind.value for kind in PSRPMessageType), 0, 0xFFFFFFFF]
_CLIXML = [
    b'<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
    b'<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>',
    b'<Obj RefId="0"><MS><I64 N="ci">1</I64></MS></Obj>',
    b'<Obj RefId="0"><MS><I32 N="MinRunspaces">1</I32><I32 N="MaxRunspaces">1</I32></MS></Obj>',
    b'<Obj RefId="0"><MS><B N="NoInput">true</B><Obj N="PowerShell" RefId="1"><MS/></Obj></MS></Obj>',
    *(
        b"<S>text</S>",
        b"<SS>AAAA</SS>",
        b"<Obj/>",
        b'<Ref RefId="7"/>',
        b"<I32>x</I32>",
        b"<DT>x</DT>",
        b"<>",
        b"",
    ),
]


@st.composite
def psrp_messages(draw: st.DrawFn) -> bytes:
    identifiers = st.just(UUID(int=0)) | st.uuids()
    head = struct.pack("<II", draw(st.sampled_from([1, 2, 0, 2**32 - 1])), draw(st.sampled_from(_TYPES)))
    payload = draw(
        st.sampled_from(_CLIXML) | st.sampled_from(_CLIXML).flatmap(damaged) | st.binary(max_size=50)
    )
    return head + draw(identifiers).bytes_le + draw(identifiers).bytes_le + payload


@st.composite
def fragments(draw: st.DrawFn) -> bytes:
    """Messages cut into fragments, some of them with wrong headers; the end may be missing."""
    data = b""
    for number, message in enumerate(draw(st.lists(psrp_messages(), min_size=1, max_size=3)), start=1):
        cut = draw(st.integers(0, len(message)))
        parts = [part for part in (message[:cut], message[cut:]) if part] or [b""]
        for index, part in enumerate(parts):
            flags = (index == 0) | (index == len(parts) - 1) << 1
            object_id, place, size = number, index, len(part)
            wrong = draw(st.sampled_from(["", "", "", "object", "place", "flags", "size"]))
            if wrong == "object":
                object_id = draw(st.integers(0, 2**64 - 1))
            elif wrong == "place":
                place = draw(st.integers(0, 2**64 - 1))
            elif wrong == "flags":
                flags = draw(st.integers(0, 255))
            elif wrong == "size":
                size = draw(st.integers(0, 2**32 - 1))
            data += struct.pack(">QQBI", object_id, place, flags, size) + part
    return data[: len(data) - draw(st.sampled_from([0, 0, 0, 1, 25]))]


@fuzz
@given(data=fragments() | st.binary(max_size=100))
def test_what_creates_a_shell(wsman: WSManClient, client: Client, data: bytes) -> None:
    body = f'<rsp:Shell><creationXml xmlns="{POWERSHELL}">{base64.b64encode(data).decode()}</creationXml></rsp:Shell>'
    acceptable(wsman.post(wsman.envelope("Create", body), PATIENCE_S))
    client.running.call(lambda: client.running.lab.services[client.server.name].close_shells("test"))


@fuzz
@given(first=fragments() | st.binary(max_size=100), more=st.lists(fragments(), max_size=2))
def test_what_a_pipeline_is_made_of(
    client: Client, wsman: WSManClient, first: bytes, more: list[bytes]
) -> None:
    pool = RunspacePool(client.wsman())
    pool.open()
    selectors = [("ShellId", pool.id)]
    command_id = str(uuid4()).upper()
    which = f'CommandId="{command_id}"'
    arguments = f"<rsp:Arguments>{base64.b64encode(first).decode()}</rsp:Arguments>"
    body = f"<rsp:CommandLine {which}><rsp:Command/>{arguments}</rsp:CommandLine>"
    acceptable(wsman.post(wsman.envelope("Command", body, selectors=selectors), PATIENCE_S))
    for data in more:
        stream = f'<rsp:Stream Name="stdin" {which}>{base64.b64encode(data).decode()}</rsp:Stream>'
        sending = wsman.envelope("Send", f"<rsp:Send>{stream}</rsp:Send>", selectors=selectors)
        acceptable(wsman.post(sending, PATIENCE_S))
    receive = f"<rsp:Receive><rsp:DesiredStream {which}>stdout</rsp:DesiredStream></rsp:Receive>"
    acceptable(wsman.post(wsman.envelope("Receive", receive, selectors=selectors), PATIENCE_S))
    acceptable(wsman.post(wsman.envelope("Delete", selectors=selectors), PATIENCE_S))
    pool.connection.close()


@fuzz
@given(data=fragments() | st.binary(max_size=100))
def test_whole_fragments(data: bytes) -> None:
    try:
        check_fragments(data)
    except InvalidFragments:
        return
    while data:
        (size,) = struct.unpack(">I", data[17:21])
        assert len(data) >= 21 + size
        data = data[21 + size :]


def test_an_entity_bomb(wsman: WSManClient) -> None:
    """XML whose few lines would make gigabytes, were they taken at their word."""
    entities = "".join(
        f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' if level else '<!ENTITY e0 "0123456789">'
        for level in range(10)
    )
    answer = wsman.post(f"<!DOCTYPE x [{entities}]><x>&e9;</x>", PATIENCE_S)
    assert answer.status_code == 400


def test_the_journal_knows_who_was_refused(client: Client) -> None:
    """After everything above, accounts are refused and accepted as ever."""
    assert_alive(client)
    with pytest.raises(Exception, match="Failed to authenticate"):
        RunspacePool(client.wsman(password="wrong")).open()
    assert client.journal[-1]["account"] == ADMIN.name
