# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to Receives whose messages are not as they should be (MS-PSRP 2.2.1, 2.2.3.4 and 2.2.4)."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Iterator
from functools import partial

from ..psrp.protocol import FRAGMENT_HEADER_SIZE

_STREAM = re.compile(rb"(<rsp:Stream [^>]*>)([A-Za-z0-9+/=]+)(</rsp:Stream>)")
_OUTPUT, _PIPELINE_STATE, _NO_TYPE = 0x00041004, 0x00041006, 0x000410FF
#: Of a fragment's header: where its flags and its data's length are; of a message's: how long it is, and where what is.
_FLAGS, _LENGTH, _MESSAGE_HEADER = 16, slice(17, 21), 40
_TYPE, _POOL, _PIPELINE = slice(4, 8), slice(8, 24), slice(24, 40)
_STOPPED, _FAILED = 3, 5
_RELATES_TO = re.compile(rb"(<a:RelatesTo>uuid:)[^<]*")


def spoiled(kind: str, answer: bytes) -> bytes:
    """An answer with what an injected fault of that kind leaves of its messages."""
    if kind == "another-request":
        return _RELATES_TO.sub(rb"\g<1>" + str(uuid.uuid4()).upper().encode(), answer)
    spoil = _SPOILERS.get(kind)
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
    return _with(fragment, message[: _MESSAGE_HEADER + (len(message) - _MESSAGE_HEADER) // 2])


def _with(fragment: bytes, message: bytes) -> bytes:
    return fragment[: _LENGTH.start] + len(message).to_bytes(4, "big") + message


def _having(place: slice, value: bytes, fragment: bytes) -> bytes:
    """The fragment with something else in its message's header, which the first of each message has."""
    if not fragment[_FLAGS] & 1:
        return fragment
    message = fragment[FRAGMENT_HEADER_SIZE:]
    return _with(fragment, message[: place.start] + value + message[place.stop :])


def _unknown_message(fragment: bytes) -> bytes:
    return (
        _having(_TYPE, _NO_TYPE.to_bytes(4, "little"), fragment) if _type(fragment) == _OUTPUT else fragment
    )


def _ending(state: int, fragment: bytes) -> bytes:
    if _type(fragment) != _PIPELINE_STATE:
        return fragment
    ending = f'<Obj RefId="0"><MS><I32 N="PipelineState">{state}</I32></MS></Obj>'
    return _with(fragment, fragment[FRAGMENT_HEADER_SIZE:][:_MESSAGE_HEADER] + ending.encode())


def _no_final_state(fragment: bytes) -> bytes:
    return b"" if _type(fragment) == _PIPELINE_STATE else fragment


_SPOILERS: dict[str, Callable[[bytes], bytes]] = {
    "unreadable-output": _unreadable_output,
    "unknown-message": _unknown_message,
    "no-final-state": _no_final_state,
    "failed": partial(_ending, _FAILED),
    "stopped": partial(_ending, _STOPPED),
    "another-pool": partial(_having, _POOL, uuid.uuid4().bytes_le),
    "another-pipeline": partial(_having, _PIPELINE, uuid.uuid4().bytes_le),
    "said-twice": lambda fragment: fragment * 2,
}
