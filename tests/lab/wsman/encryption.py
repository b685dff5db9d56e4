# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Message encryption over HTTP (MS-WSMV 2.2.9.1): a SOAP message wrapped by the security context of its connection."""

from __future__ import annotations

import re
import struct
from typing import Protocol

from spnego.exceptions import SpnegoError

_BOUNDARY = "--Encrypted Boundary"
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
    """The SOAP message in an encrypted body. Raises InvalidEncryption."""
    boundary = _BOUNDARY.encode()
    start = body.find(_OCTETS)
    end = body.rfind(boundary + b"--")
    announced = _LENGTH.search(body, 0, max(start, 0))
    if start < 0 or end < 0 or announced is None:
        raise InvalidEncryption("not a multipart/encrypted body")
    payload = body[start + len(_OCTETS) : end]
    if len(payload) < 4:
        raise InvalidEncryption("no signature")
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
    header, data, padding = context.wrap_winrm(message)
    preface = "\r\n".join(
        [
            _BOUNDARY,
            f"\tContent-Type: {protocol}",
            f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message) + padding}",
            _BOUNDARY,
            "\tContent-Type: application/octet-stream",
            "",
        ]
    )
    body = preface.encode() + struct.pack("<i", len(header)) + header + data + f"{_BOUNDARY}--\r\n".encode()
    return f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"', body
