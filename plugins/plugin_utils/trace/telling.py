# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one record tells: which diagnostics, who called whom, and the lines that prove it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .catalogue import Diagnostic, catalogue, names
from .records import Record

_DIAGNOSTICS = re.compile(
    rb"(?<![\w-])(?:ms-(?P<client>client-)?diagnostics(?P<public>-public)?|x-ms-(?P<sdp>sdp)-diagnostics)\s*:\s*(?P<code>\d{1,9})(?=\D)"
)
_RESULT = re.compile(rb"0x(?:c3e[0-9a-f]{5}|8009[0-9a-f]{4}|800b[0-9a-f]{4}|80ee[0-9a-f]{4})(?![0-9a-f])")
_STATUS = re.compile(rb"(?m)^[ \t|]*(?:sip-)?(?:start-line:[ \t]*)?sip(?:/2\.0)? ([1-6]\d\d)\b")
_WARNING = re.compile(rb"(?m)^warning:\s*308\s+lcs\.microsoft\.com")
_MRAS = re.compile(
    rb"(?m)^[ \t|]*(?:sip-)?(?:start-line:[ \t]*)?service\s+sips?:"
    rb"(?:(?P<host>[a-z0-9.-]+):5062;grid|[^\s>]*opaque=srvr:mras)"
)
_TIMED_OUT = re.compile(rb"(?m)^data:.{0,40}?transaction time-out:")
_ATTRIBUTE = re.compile(
    rb'[;\s]([A-Za-z][\w-]{0,40})\s*=\s*(?:"([^"\r\n]{0,300})"?|([^;"\s][^;\r\n]{0,200}))'
)
_CALL_ID = re.compile(rb"(?m)^(?:sip-)?call-id:[ \t]*([^\s;]{1,200})")
_CALL_ID_IN_DATA = re.compile(rb"call-id \[([^\]\\\s]{1,200})")
_FROM_IN_DATA = re.compile(rb"(?<![\w-])from\[(?:sips?:)?([^\];>\s]{1,200})")
_TO_IN_DATA = re.compile(rb"(?<![\w-])to\[(?:sips?:)?([^\];>\s]{1,200})")
_FROM = re.compile(rb"(?m)^(?:from|f)[ \t]*:[^\r\n]*?(?:sips?|tel):([^;>\s]{1,200})")
_TO = re.compile(rb"(?m)^(?:to|t)[ \t]*:[^\r\n]*?(?:sips?|tel):([^;>\s]{1,200})")
_EDGE_POOL = re.compile(rb"ms-ep-fqdn=([a-z0-9.-]{1,255})")
_PROOF = re.compile(
    rb"(?m)^(?:(?:sip-)?start-line|logtype|severity|text|result-code|peer|data|from|to|(?:sip-)?call-id|sip[ /]"
    rb"|ms-(?:client-)?diagnostics|ms-edge-proxy-message-trust|warning|a=x-ms-sdp-diagnostics)"
)
_LONGEST_LINE = 400
_MOST_LINES = 12
WORDS = (
    b"diagnostics",
    b"0xc3e9",
    b"0x8009",
    b"0x800b",
    b"0x80ee",
    b":5062;grid",
    b"srvr:mras",
    b"transaction time-out",
    b"lcs.microsoft.com",
    b"mediaedge",
    b"sipproxy_e_",
)
"""A record without any of these tells nothing."""
CUSTOM_APPLICATIONS = range(60000, 63000)


@dataclass(frozen=True)
class Occurrence:
    """A diagnostic in a record."""

    diagnostic: Diagnostic
    call: bytes | None
    sender: str | None
    recipient: str | None
    edge: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """All that a record tells."""

    occurrences: tuple[Occurrence, ...] = ()
    uncatalogued: tuple[tuple[str, int], ...] = ()
    call: bytes | None = None
    asks_for_credentials: bool = False


def call_of(text: bytes) -> bytes | None:
    found = _CALL_ID.search(text) or _CALL_ID_IN_DATA.search(text)
    return found[1] if found else None


def told(record: Record) -> Told:
    """What a record tells."""
    text = record.text
    call = call_of(text)
    mras = _MRAS.search(text)
    found = list(_matches(record, mras))
    uncatalogued = tuple(
        (place, code)
        for place, code, _at in _codes(text)
        if (place, code) not in catalogue() and code not in CUSTOM_APPLICATIONS
    )
    if not found:
        return Told((), uncatalogued, call, mras is not None)
    sender = _person(record, _FROM, _FROM_IN_DATA)
    recipient = _person(record, _TO, _TO_IN_DATA)
    lines = _proof(record)
    pool = _EDGE_POOL.search(text)
    edge = mras["host"] if mras is not None and mras["host"] else None
    occurrences = []
    for diagnostic, at in found:
        attributes = _attributes(record, at)
        if pool:
            attributes["ms-ep-fqdn"] = pool[1].decode("ascii", "replace")
        occurrences.append(
            Occurrence(
                diagnostic, call, sender, recipient, edge.decode() if edge else None, attributes, lines
            )
        )
    return Told(tuple(occurrences), uncatalogued, call, mras is not None)


def _matches(record: Record, mras: re.Match[bytes] | None) -> Iterator[tuple[Diagnostic, int | None]]:
    """The diagnostics of a record, each once, with the place of the header that has it."""
    known = catalogue()
    results = {match[0].decode() for match in _RESULT.finditer(record.text)}
    seen = set()
    explained = set()
    for place, code, at in _codes(record.text):
        entry = known.get((place, code))
        if entry is None:
            continue
        if entry.requires_result is not None:
            explained.add(entry.requires_result)
            if entry.requires_result not in results:
                entry = known["rule", str(entry.otherwise)]
        if entry.code not in seen:
            seen.add(entry.code)
            yield entry, at
    if not seen and _refused_for_encryption(record.text):
        seen.add(52017)
        yield known["client_diagnostics", 52017], None
    failed = _is_diagnostic(record)
    # Requests for credentials are normal; only a diagnostic record says that one failed.
    if mras is not None and failed:
        late = "0xc3e93f5b" in results or _TIMED_OUT.search(record.text) is not None
        explained.add("0xc3e93f5b")
        yield known["rule", "mras_timed_out" if late else "mras_expired"], None
    elif _TIMED_OUT.search(record.text) is not None:
        explained.add("0xc3e93f5b")
        yield known["rule", "transaction_timed_out"], None
    for result in sorted(results - explained):
        if ("result", result) in known:
            yield known["result", result], None
    for name, entry in names().items():
        if name in record.text:
            yield entry, None


def _codes(text: bytes) -> Iterator[tuple[str, int, int]]:
    for match in _DIAGNOSTICS.finditer(text):
        client = match["client"] is not None or match["sdp"] is not None
        yield ("client_diagnostics" if client else "diagnostics"), int(match["code"]), match.end()


def _refused_for_encryption(text: bytes) -> bool:
    """Older clients say the same in a Warning, by its number."""
    status = _STATUS.search(text)
    return status is not None and status[1] == b"488" and _WARNING.search(text) is not None


def _is_diagnostic(record: Record) -> bool:
    if record.flag is not None:
        return record.flag == "tf_diag"
    return (
        re.search(
            rb"(?m)^(?:logtype:\s*diagnostic|severity:\s*(?:error|warning)|sip-start-line:)", record.text
        )
        is not None
    )


def _person(record: Record, *patterns: re.Pattern[bytes]) -> str | None:
    for pattern in patterns:
        match = pattern.search(record.text)
        if match is not None:
            return decoded(record.original[match.start(1) : match.end(1)])
    return None


def _attributes(record: Record, at: int | None) -> dict[str, str]:
    """What a header has behind its number, to the end of its lines."""
    if at is None:
        return {}
    end = at
    while True:
        end = record.text.find(b"\n", end)
        if end < 0:
            end = len(record.text)
            break
        if record.text[end + 1 : end + 2] not in (b" ", b"\t"):
            break
        end += 1
    found: dict[str, str] = {}
    for name, quoted, bare in _ATTRIBUTE.findall(record.original[at : min(end, at + 4096)]):
        found.setdefault(decoded(name).lower(), decoded(quoted or bare).strip(" \t\u201c\u201d"))
    return found


def _proof(record: Record) -> tuple[str, ...]:
    lines = []
    starts = [0] if record.stamp is not None else []
    for start in [
        *starts,
        *(match.start() for match in _PROOF.finditer(record.text, 0 if not starts else 1)),
    ]:
        end = record.text.find(b"\n", start)
        line = record.original[start : len(record.text) if end < 0 else end][:_LONGEST_LINE]
        lines.append(decoded(line).strip())
        if len(lines) == _MOST_LINES:
            break
    return tuple(lines)


def decoded(text: bytes) -> str:
    """Text of a file whose encoding nobody states; control characters are left out."""
    try:
        found = text.decode("utf-8")
    except UnicodeDecodeError:
        found = text.decode("cp1252", "replace")
    return "".join(character for character in found if character.isprintable() or character == "\t")
