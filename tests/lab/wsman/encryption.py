# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Message encryption over HTTP (MS-WSMV 2.2.9.1): a SOAP message wrapped by the security context of its connection."""

from __future__ import annotations

import re
import struct
from typing import Protocol

from spnego.exceptions import SpnegoError

#: The protocol that seals with TLS, whose records hold 16 KB.
CREDSSP = "application/HTTP-CredSSP-session-encrypted"

_TLS_RECORD = 16384
_BOUNDARY = b"--Encrypted Boundary"
_OCTETS = b"Content-Type: application/octet-stream\r\n"
_PROTOCOL = re.compile(r'protocol="([^"]+)"', re.IGNORECASE)
_LENGTH = re.compile(rb"Length=(\d+)")


class InvalidEncryption(Exception):
    """The message is not encrypted as it says it is."""


class Sealed(Protocol):
    """The part of pyspnego's context that is needed here."""

    def wrap_winrm(self, data: bytes) -> tuple[bytes, bytes, int]: ...

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes: ...


def protocol_of(content_type: str) -> str | None:
    """The encryption protocol a Content-Type announces; None if it announces none."""
    if not content_type.lower().startswith(("multipart/encrypted", "multipart/x-multi-encrypted")):
        return None
    match = _PROTOCOL.search(content_type)
    return match.group(1) if match else ""


def unwrap(context: Sealed, body: bytes) -> bytes:
    """The SOAP message in an encrypted body, which may come in several parts. Raises InvalidEncryption."""
    end = body.rfind(_BOUNDARY + b"--")
    pieces = body[: max(end, 0)].split(_BOUNDARY + b"\r\n")
    if len(pieces) < 3 or pieces[0] or len(pieces) % 2 == 0:
        raise InvalidEncryption("not a multipart/encrypted body")
    return b"".join(
        _unwrap_part(context, preface, payload)
        for preface, payload in zip(pieces[1::2], pieces[2::2], strict=True)
    )


def _unwrap_part(context: Sealed, preface: bytes, part: bytes) -> bytes:
    announced = _LENGTH.search(preface)
    _, octets, payload = part.partition(_OCTETS)
    if announced is None or not octets or len(payload) < 4:
        raise InvalidEncryption("not a multipart/encrypted body")
    (header_length,) = struct.unpack("<i", payload[:4])
    if not 0 < header_length <= len(payload) - 4:
        raise InvalidEncryption("a signature longer than the message")
    try:
        data = context.unwrap_winrm(payload[4 : 4 + header_length], payload[4 + header_length :])
    except SpnegoError as error:
        raise InvalidEncryption(str(error)) from error
    if len(data) > int(announced.group(1)):
        raise InvalidEncryption("the message is longer than announced")
    return data


def wrap(context: Sealed, protocol: str, message: bytes) -> tuple[str, bytes]:
    """Content-Type and body of an encrypted message."""
    kind = "multipart/encrypted"
    chunks = [message]
    if protocol == CREDSSP and len(message) > _TLS_RECORD:
        kind = "multipart/x-multi-encrypted"
        chunks = [message[start : start + _TLS_RECORD] for start in range(0, len(message), _TLS_RECORD)]
    parts = [_wrap_part(context, protocol, chunk) for chunk in chunks]
    body = b"".join([*parts, _BOUNDARY, b"--\r\n"])
    return f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"', body


def _wrap_part(context: Sealed, protocol: str, message: bytes) -> bytes:
    header, data, padding = context.wrap_winrm(message)
    original = f"type=application/soap+xml;charset=UTF-8;Length={len(message) + padding}"
    return b"".join(
        [
            _BOUNDARY + b"\r\n",
            f"\tContent-Type: {protocol}\r\n\tOriginalContent: {original}\r\n".encode(),
            _BOUNDARY + b"\r\n",
            b"\t" + _OCTETS,
            struct.pack("<i", len(header)) + header + data,
        ]
    )
