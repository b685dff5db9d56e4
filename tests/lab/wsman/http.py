# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP(S) side of one listener: connections, authentication, message encryption, injected faults.

What http.sys and WinRM answer below SOAP: 401 with challenges, 404 for another path, 405, 413 above the envelope quota,
415 for another content type, and an empty 500 for plain SOAP where only encrypted messages are allowed (seen by
clients that do not encrypt; the empty body is assumed).
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from dataclasses import replace
from typing import Any, cast

from aiohttp import web

from ..certificate_authority import principal_of
from ..contract import Listener
from ..injection import Rule
from . import encryption
from .authentication import Accounts, Connection, Refused
from .envelope import MalformedRequest, parse_request
from .fault import Fault, shutting_down
from .service import SOAP_TYPE, Answer, ConnectionDropped, Origin, Service
from .spoiling import spoiled

_SERVER = "Microsoft-HTTPAPI/2.0"
#: http.sys closes idle connections after two minutes (Microsoft Learn, httpruntime connectionTimeout of IIS).
_KEEP_ALIVE_S = 120.0
#: Slack of an encrypted message over the plain one.
_ENCRYPTION_OVERHEAD = 4096


class _Protocol(web.RequestHandler):
    """aiohttp's connection handler that remembers who is at the other end, and counts."""

    authentication: Connection
    listener: HttpListener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self.listener.listening:
            cast(
                asyncio.Transport, transport
            ).abort()  # its TLS handshake was under way when the listener closed
            return
        self.listener.open_transports.add(transport)
        self.listener.counters.add(connections=1)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.transport is not None:
            self.listener.open_transports.discard(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.listener.counters.add(bytes_in=len(data))
        super().data_received(data)


class HttpListener(web.Server):
    """One listening socket of one server."""

    def __init__(
        self,
        service: Service,
        listener: Listener,
        accounts: Accounts,
        tls: ssl.SSLContext | None,
        certificate_hash: bytes | None,
    ) -> None:
        super().__init__(
            self._handle,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE_S,
            handler_cancellation=True,
            tcp_keepalive=False,
        )
        self.service = service
        self.listener = listener
        self.counters = service.counters
        self.open_transports: set[asyncio.BaseTransport] = set()
        self._accounts = accounts
        self._certificate_hash = certificate_hash
        self._tls = tls
        if tls is not None:
            tls.sni_callback = self._before_handshake
        self._socket: asyncio.Server | None = None

    def __call__(self) -> web.RequestHandler:
        handler = _Protocol(self, loop=self._loop, **self._kwargs)
        handler.listener = self
        handler.authentication = Connection(
            self.service.server, self.listener, self._accounts, self._certificate_hash
        )
        return handler

    async def listen(self) -> None:
        """Raises OSError if the address is taken."""
        loop = asyncio.get_running_loop()
        self._socket = await loop.create_server(
            self, self.service.server.address, self.listener.port, ssl=self._tls, backlog=64
        )

    def close(self) -> None:
        """Reset all connections and refuse new ones, until told to listen again."""
        if self._socket is not None:
            self._socket.close()
            if sys.version_info >= (3, 13):
                self._socket.abort_clients()  # those whose TLS handshake is under way, too
            self._socket = None
        # A close would wait for each client to say goodbye to TLS.
        for transport in list(self.open_transports):
            cast(asyncio.Transport, transport).abort()

    @property
    def listening(self) -> bool:
        return self._socket is not None

    async def stop(self) -> None:
        """Close, for good."""
        listening = self._socket
        self.close()
        if listening is not None:
            await listening.wait_closed()
        await self.shutdown(timeout=0.1)

    def _before_handshake(self, tls: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> int | None:
        server = self.service.server.name
        fault = self.service.injector.tls_fault(server)
        if fault is None:
            return None
        self.service.journal.record("fault", server, kind=fault.kind, name="TLS")
        return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.counters.add(requests=1)
        delay = self.service.server.timings.request_delay_s
        if delay:
            await asyncio.sleep(delay)
        try:
            answer = await self._answer(request)
        except ConnectionDropped:
            abort(request)
            return web.Response()
        answer.headers["Server"] = _SERVER
        size = len(answer.body) if isinstance(answer.body, bytes) else 0
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items()) + len(
            "HTTP/1.1 200 OK\r\n\r\n"
        )
        self.counters.add(bytes_out=size + head)
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path.rstrip("/").lower() not in {path.rstrip("/").lower() for path in self.listener.paths}:
            return web.Response(status=404)
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        limit = self.service.quotas.envelope_size_kb * 1024 + _ENCRYPTION_OVERHEAD
        if (request.content_length or 0) > limit:
            return web.Response(status=413)
        body = await request.read()
        return await self._authenticated(request, body)

    async def _authenticated(self, request: web.BaseRequest, body: bytes) -> web.Response:
        connection = connection_of(request)
        outcome = connection.authenticate(request.headers.get("Authorization"), client_principal(request))
        if isinstance(outcome, Refused):
            return self._refusal(outcome)
        if request.headers.get("Authorization"):
            self.counters.add(authentications=1)
        headers = {"WWW-Authenticate": outcome.token} if outcome.token else {}
        if not body:
            # The empty request with which a client that encrypts authenticates its connection.
            return web.Response(status=200, headers=headers)
        content_type = request.headers.get("Content-Type", "")
        sealed = encryption.protocol_of(content_type)
        context = connection.context
        if sealed is not None:
            if context is None:
                return web.Response(status=400)
            try:
                body = encryption.unwrap(context, body)
            except encryption.InvalidEncryption:
                return web.Response(status=400)
        elif not content_type.lower().startswith(SOAP_TYPE):
            return web.Response(status=415)
        elif self.listener.scheme == "http" and not self.listener.allow_unencrypted:
            return web.Response(status=500)
        origin = Origin(
            outcome.caller,
            self.listener,
            request.path,
            request.host,
            request.remote or "127.0.0.1",
        )
        answer = soap(await self._struck(request, body, origin))
        answer.headers.update(headers)
        if answer.status in range(300, 400):
            answer.headers["Location"] = request.path
        if sealed is not None and context is not None and answer.body:
            answer.headers["Content-Type"], answer.body = encryption.wrap(
                context, sealed, cast(bytes, answer.body)
            )
        return answer

    def _refusal(self, refused: Refused) -> web.Response:
        if refused.account is not None:
            self.counters.add(authentications_refused=1)
            self.service.journal.record(
                "authentication_refused",
                self.service.server.name,
                account=refused.account,
                reason=refused.reason,
            )
        response = web.Response(status=401)
        for challenge in refused.challenges:
            response.headers.add("WWW-Authenticate", challenge)
        return response

    async def _struck(self, request: web.BaseRequest, body: bytes, origin: Origin) -> Answer:
        """Let the service answer, unless an injected fault strikes the request."""
        name = action_name(body) if self.service.injector.rules() else ""
        fault = self.service.injector.request_fault(self.service.server.name, name) if name else None
        if fault is None:
            return await self.service.handle(body, origin)
        self.service.journal.record("fault", self.service.server.name, kind=fault.kind, name=name)
        early = await self._before(fault, request, body, origin)
        if early is not None:
            return early
        answer = await self.service.handle(body, origin)
        if fault.kind == "drop-after":
            raise ConnectionDropped
        if fault.kind == "status-after":
            return Answer(fault.code, b"")
        if fault.kind == "garbage":
            return Answer(200, b"\x00\x01<<<garbage")
        if fault.kind == "fault-after":
            return self.service.refusal(body, Fault(fault.code or None, fault.message), origin)
        if fault.kind == "wrong-type":
            return replace(answer, content_type="text/html")
        if fault.kind == "headers-cut-off" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
            await asyncio.sleep(_READ_S)
            raise ConnectionDropped
        if fault.kind in ("truncate", "chunks-cut-off", "reset", "trickle"):
            await write_badly(request, answer, fault)
            raise ConnectionDropped
        return replace(answer, body=spoiled(fault.kind, answer.body))

    async def _before(
        self, fault: Rule, request: web.BaseRequest, body: bytes, origin: Origin
    ) -> Answer | None:
        if fault.kind == "drop-before":
            raise ConnectionDropped
        if fault.kind == "status":
            return Answer(fault.code, b"")
        if fault.kind == "authenticate-again":
            return Answer(401, b"", challenges=connection_of(request).forget())
        if fault.kind == "maintenance":
            self.service.close_shells("maintenance")
            return self.service.refusal(body, shutting_down(), origin)
        if fault.kind == "page":
            return Answer(fault.code, b"<!DOCTYPE html><html><body><p>Sign in</body></html>", "text/html")
        if fault.kind == "fault":
            return self.service.refusal(body, Fault(fault.code or None, fault.message), origin)
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "shell-vanishes":
            self.service.close_shells("injected fault")
        return None


def connection_of(request: web.BaseRequest) -> Connection:
    protocol: _Protocol = request.protocol  # type: ignore[assignment]
    return protocol.authentication


def soap(answer: Answer) -> web.Response:
    headers: dict[str, Any] = {"Content-Type": f"{answer.content_type};charset=UTF-8"} if answer.body else {}
    response = web.Response(status=answer.status, body=answer.body, headers=headers)
    for challenge in answer.challenges:
        response.headers.add("WWW-Authenticate", challenge)
    return response


def abort(request: web.BaseRequest) -> None:
    """Drop the TCP connection."""
    if request.transport is not None:
        request.transport.abort()


#: Until a client has read the end of an answer, which is lost where the connection is reset before.
_READ_S = 0.3


async def write_badly(request: web.BaseRequest, answer: Answer, fault: Rule) -> None:
    """Headers and the first half of an answer; of a ``reset`` headers alone, of a ``trickle`` all of it, slowly."""
    response = web.StreamResponse(
        status=answer.status, headers={"Content-Type": f"{SOAP_TYPE};charset=UTF-8"}
    )
    if fault.kind == "trickle":
        response.force_close()
        response.headers["Connection"] = "close"
    if fault.kind == "chunks-cut-off":
        response.enable_chunked_encoding()
    else:
        response.content_length = len(answer.body)
    await response.prepare(request)
    half = len(answer.body) // 2
    if fault.kind == "trickle":
        for start in range(0, len(answer.body), half):
            await asyncio.sleep(fault.seconds / 2)
            await response.write(answer.body[start : start + half])
        await asyncio.sleep(_READ_S)
    elif fault.kind != "reset":
        await response.write(answer.body[:half])


def action_name(body: bytes) -> str:
    """The last word of a request's action, e.g. 'Receive'; 'Connect' and so on likewise; '?' if it has none."""
    try:
        return parse_request(body).action.rpartition("/")[2] or "?"
    except MalformedRequest:
        return "?"


def client_principal(request: web.BaseRequest) -> str | None:
    """The user principal name in the client's certificate, if it showed one."""
    tls = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    return principal_of(certificate) if certificate else None
