# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands between a client and servers: a load balancer, and a proxy that refuses.

It speaks no TLS of its own: it passes connections on as they are, or, where it must read requests, sits in front of
listeners that speak plain HTTP.
"""

from __future__ import annotations

import itertools
import re
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Address = tuple[str, int]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def _serving(handle: type[socketserver.BaseRequestHandler], host: str) -> Iterator[Address]:
    with _Server((host, 0), handle) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield (host, server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def cutting_line(host: str, backend: Address, cut: Sequence[int]) -> Iterator[Address]:
    """Passes connections on, but ends the ones of these numbers (from 0) after the client's first bytes."""
    numbers = itertools.count()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            number = next(numbers)
            first = self.request.recv(65536)
            if number in cut:
                return
            with socket.create_connection(backend) as onward:
                onward.sendall(first)
                back = threading.Thread(target=_pump, args=(onward, self.request), daemon=True)
                back.start()
                _pump(self.request, onward)
                back.join(5)

    with _serving(Handler, host) as address:
        yield address


@contextmanager
def load_balancer(host: str, backends: Sequence[Address], *, cookie: bool) -> Iterator[Address]:
    """Sends each request to the next server; with ``cookie``, to the one that its cookie names."""
    turn = itertools.count()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines: dict[int, socket.socket] = {}
            try:
                while request := _message(self.rfile):
                    named = re.search(rb"(?i)^cookie:.*\bLB=(\d)", request, re.MULTILINE) if cookie else None
                    number = int(named.group(1)) if named else next(turn) % len(backends)
                    if number not in lines:
                        lines[number] = socket.create_connection(backends[number])
                    lines[number].sendall(request)
                    answer = _message(lines[number].makefile("rb", buffering=0))
                    if not answer:
                        return
                    if cookie and not named:
                        answer = answer.replace(
                            b"\r\n\r\n", b"\r\nSet-Cookie: LB=%d; path=/\r\n\r\n" % number, 1
                        )
                    self.wfile.write(answer)
            finally:
                for line in lines.values():
                    line.close()

    with _serving(Handler, host) as address:
        yield address


@contextmanager
def refusing_proxy(host: str, status: int) -> Iterator[Address]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _message(self.rfile)
            self.wfile.write(
                f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )

    with _serving(Handler, host) as address:
        yield address


def _message(stream: object) -> bytes:
    """A request or an answer; nothing where the other side has hung up."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()  # type: ignore[attr-defined]
        if not line:
            return b""
        head += line
    length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    body = b""
    while length and len(body) < int(length.group(1)):
        body += stream.read(int(length.group(1)) - len(body))  # type: ignore[attr-defined]
    return head + body


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
