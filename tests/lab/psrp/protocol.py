# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""psrpcore's server state machine, with messages encoded as real servers encode them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

from psrpcore import ServerRunspacePool, StreamType
from psrpcore._payload import create_fragment, create_message
from psrpcore.types import (
    EncryptedSessionKey,
    PSRPMessageType,
    PSVersion,
    RunspacePoolStateMsg,
    SessionCapability,
    serialize,
)

#: PowerShell's servers fragment at 32 KB (MS-PSRP 2.2.4 leaves the size open).
FRAGMENT_SIZE = 32768
FRAGMENT_HEADER_SIZE = 21

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # starts the data of every message of a real server


_DATE = re.compile(r"(?P<year>\d{1,4})(?P<rest>-[^.Z+]*?)(?:\.(?P<fraction>\d+))?(?P<zone>Z|[+-]\d\d:\d\d)?")
_ESCAPE = re.compile("_(x)", re.IGNORECASE)
_FLOATS = {"inf": "INF", "-inf": "-INF", "nan": "NaN", "NAN": "NaN"}


class InvalidFragments(Exception):
    """The client's data are not whole PSRP fragments (MS-PSRP 2.2.4)."""


#: Takes a message's fragments, the pipeline they are for, and whether they announce the pool's state.
Sink = Callable[[list[bytes], UUID | None, bool], None]


class ProtocolPool(ServerRunspacePool):
    """A server runspace pool whose outgoing messages go to a sink at once, as lists of fragments."""

    def __init__(
        self, sink: Sink, protocol_version: str, private_data: dict[str, Any], fragment_size: int
    ) -> None:
        self._sink = sink
        self._fragment_size = fragment_size
        super().__init__(private_data)
        self.our_capability = SessionCapability(
            PSVersion=PSVersion("2.0"),
            protocolversion=PSVersion(protocol_version),
            SerializationVersion=PSVersion("1.1.0.1"),
        )

    def prepare_message(
        self,
        message: Any,
        message_type: PSRPMessageType | None = None,
        pipeline_id: UUID | None = None,
        stream_type: StreamType = StreamType.default,
    ) -> None:
        """Encode a message (MS-PSRP 2.2.1) and hand its fragments to the sink.

        psrpcore would queue it, take None for the end of input, and leave the byte order mark out.
        """
        if message_type is None:
            message_type = PSRPMessageType.get_message_id(type(message))
        element = serialize(
            message, self._cipher, our_capability=self.our_capability, their_capability=self.their_capability
        )
        corrected(element)
        data = create_message(
            False,
            message_type,
            # Null as output has no data at all.
            b""
            if message is None
            else _BYTE_ORDER_MARK + ElementTree.tostring(element, encoding="utf-8", method="xml"),
            # As recorded: this message names no pool, and neither does the first SESSION_CAPABILITY.
            UUID(int=0) if isinstance(message, EncryptedSessionKey) else self.runspace_pool_id,
            pipeline_id,
        )
        size = self._fragment_size - FRAGMENT_HEADER_SIZE
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        object_id = self._fragment_counter
        fragments = [
            create_fragment(object_id, index, part, index == len(parts) - 1)
            for index, part in enumerate(parts)
        ]
        self._sink(fragments, pipeline_id, isinstance(message, RunspacePoolStateMsg))


def corrected(message: ElementTree.Element) -> None:
    """Write what psrpcore writes otherwise than .NET: ToString unescaped, years, fractions and doubles like Python."""
    for element in message.iter():
        text = element.text or ""
        if element.tag == "ToString":
            element.text = _escaped(text)
        elif element.tag == "DT":
            match = _DATE.fullmatch(text)
            if match is not None:
                fraction = f".{match['fraction'] or ''}".rstrip(".0")
                element.text = f"{match['year'].zfill(4)}{match['rest']}{fraction}{match['zone'] or ''}"
        elif element.tag in ("Db", "Sg"):
            element.text = _FLOATS.get(text, text.removesuffix(".0").replace("e", "E"))


def _escaped(text: str) -> str:
    """As in any other text (MS-PSRP 2.2.5.3.2)."""
    return "".join(
        f"_x{unit:04X}_" if unit < 0x20 or 0x7F <= unit < 0xA0 or 0xD800 <= unit < 0xE000 else chr(unit)
        for (unit,) in struct.iter_unpack(
            "<H", _ESCAPE.sub("_x005F_\\1", text).encode("utf-16-le", "surrogatepass")
        )
    )


def check_fragments(data: bytes) -> None:
    """Raise InvalidFragments unless ``data`` is a sequence of whole fragments."""
    offset = 0
    while offset < len(data):
        header = data[offset : offset + FRAGMENT_HEADER_SIZE]
        if len(header) < FRAGMENT_HEADER_SIZE:
            raise InvalidFragments("The data ends within a fragment header.")
        offset += FRAGMENT_HEADER_SIZE + int.from_bytes(header[17:21], "big")
    if offset != len(data):
        raise InvalidFragments("The data ends within a fragment.")
