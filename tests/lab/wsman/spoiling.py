# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to Receives whose messages are not as they should be (MS-PSRP 2.2.1 and 2.2.4)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from ..psrp.protocol import FRAGMENT_HEADER_SIZE

_STREAM = re.compile(rb"(<rsp:Stream [^>]*>)([A-Za-z0-9+/=]+)(</rsp:Stream>)")
_OUTPUT, _PIPELINE_STATE, _NO_TYPE = 0x00041004, 0x00041006, 0x000410FF
#: Of a fragment's header: where its data's length is; of a message's: where its type is, and how long it is.
_LENGTH, _TYPE, _MESSAGE_HEADER = slice(17, 21), slice(4, 8), 40


def spoiled(kind: str, answer: bytes) -> bytes:
    """An answer with what an injected fault of that kind leaves of its messages."""
    spoil = {
        "unreadable-output": _unreadable_output,
        "unknown-message": _unknown_message,
        "no-final-state": _no_final_state,
    }.get(kind)
    if spoil is None:
        return answer

    def stream(match: re.Match[bytes]) -> bytes:
        data = b"".join(map(spoil, _fragments(base64.b64decode(match[2]))))
        return match[1] + base64.b64encode(data) + match[3] if data else b""

    return _STREAM.sub(stream, answer)


def _fragments(data: bytes) -> Iterator[bytes]:
    while data:
        end = FRAGMENT_HEADER_SIZE + int.from_bytes(data[_LENGTH], "big")
        yield data[:end]
        data = data[end:]


def _type(fragment: bytes) -> int:
    return int.from_bytes(fragment[FRAGMENT_HEADER_SIZE:][_TYPE], "little")


def _unreadable_output(fragment: bytes) -> bytes:
    if _type(fragment) != _OUTPUT:
        return fragment
    message = fragment[FRAGMENT_HEADER_SIZE:]
    message = message[: _MESSAGE_HEADER + (len(message) - _MESSAGE_HEADER) // 2]
    return fragment[: _LENGTH.start] + len(message).to_bytes(4, "big") + message


def _unknown_message(fragment: bytes) -> bytes:
    if _type(fragment) != _OUTPUT:
        return fragment
    start = FRAGMENT_HEADER_SIZE + _TYPE.start
    return fragment[:start] + _NO_TYPE.to_bytes(4, "little") + fragment[start + 4 :]


def _no_final_state(fragment: bytes) -> bytes:
    return b"" if _type(fragment) == _PIPELINE_STATE else fragment
