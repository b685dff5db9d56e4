# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one record tells: which diagnostics, who called whom, and the lines that prove it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .catalogue import Diagnostic, catalogue, names
from .records import Record, value_of

_DIAGNOSTICS = re.compile(
    rb"(?<![\w-])(?:ms-(?P<client>client-)?diagnostics(?P<public>-public)?|x-ms-(?P<sdp>sdp)-diagnostics)\s*:\s*(?P<code>\d{1,9})(?=\D)"
)
_CODE = re.compile(rb"diagnostics[ \t]*:[ \t]*(\d{1,9})(?=\D)")
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
_CALL_ID = re.compile(rb"[ \t]*([^\s;]{1,200})")
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
    b"0xc3e93",
    b"0x80",
    b":5062;grid",
    b"srvr:mras",
    b"transaction time-out",
    b"lcs.microsoft.com",
    *names(),
)
"""A record without any of these tells nothing. Each costs a search of everything, and the longer it is the less."""
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


@dataclass(frozen=True)
class Interpretation:
    """All that a record tells."""

    occurrences: tuple[Occurrence, ...] = ()
    uncatalogued: tuple[tuple[str, int], ...] = ()
    call: bytes | None = None
    asks_for_credentials: bool = False


def call_of(text: bytes) -> bytes | None:
    for name in (b"call-id:", b"sip-call-id:"):
        value = value_of(text, name)
        found = _CALL_ID.match(text, *value) if value else None
        if found is not None:
            return found[1]
    found = _CALL_ID_IN_DATA.search(text)
    return found[1] if found else None


def is_harmless(text: bytes, at: int) -> bool:
    """Whether a word of `WORDS` begins a number that the catalogue has only because it looks like a finding.

    Calls that succeed are full of them, so that it is decided before the record is looked at.
    """
    code = _CODE.match(text, at)
    if code is None:
        return False
    client = text[max(0, at - 7) : at] == b"client-"
    entry = catalogue().get(("client_diagnostics" if client else "diagnostics", int(code[1])))
    return entry is not None and entry.family == "none"


def interpreted(record: Record) -> Interpretation:
    """What a record tells."""
    text = record.text
    call = call_of(text)
    mras = _MRAS.search(text) if b":5062;grid" in text or b"srvr:mras" in text else None
    codes = tuple(_codes(text))
    # What is in the catalogue only because it looks like a finding ends here.
    found = [(entry, at) for entry, at in _matches(record, mras, codes) if entry.family != "none"]
    uncatalogued = tuple(
        (place, code)
        for place, code, _at in codes
        if (place, code) not in catalogue() and code not in CUSTOM_APPLICATIONS
    )
    if not found:
        return Interpretation((), uncatalogued, call, mras is not None)
    sender = _person(record, _FROM, _FROM_IN_DATA)
    recipient = _person(record, _TO, _TO_IN_DATA)
    pool = _EDGE_POOL.search(text)
    edge = mras["host"] if mras is not None and mras["host"] else None
    occurrences = []
    for diagnostic, at in found:
        attributes = _attributes(record, at)
        if pool:
            attributes["ms-ep-fqdn"] = pool[1].decode("ascii", "replace")
        occurrences.append(
            Occurrence(diagnostic, call, sender, recipient, edge.decode() if edge else None, attributes)
        )
    return Interpretation(tuple(occurrences), uncatalogued, call, mras is not None)


def _matches(
    record: Record, mras: re.Match[bytes] | None, codes: Iterable[tuple[str, int, int]]
) -> Iterator[tuple[Diagnostic, int | None]]:
    """The diagnostics of a record, each once, with the place of the header that has it."""
    known = catalogue()
    results = {match[0].decode() for match in _RESULT.finditer(record.text)}
    seen = set()
    explained = set()
    for place, code, at in codes:
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
    timed_out = b"transaction time-out:" in record.text and _TIMED_OUT.search(record.text) is not None
    # Requests for credentials are normal; only a diagnostic record says that one failed.
    if mras is not None and _is_diagnostic(record):
        late = "0xc3e93f5b" in results or timed_out
        explained.add("0xc3e93f5b")
        yield known["rule", "mras_timed_out" if late else "mras_expired"], None
    elif timed_out:
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
    if b"lcs.microsoft.com" not in text:
        return False
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


def proof(record: Record) -> tuple[str, ...]:
    """The lines of a record that prove what it tells, as they stand in the file."""
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
    if found.isprintable():
        return found
    return "".join(character for character in found if character.isprintable() or character == "\t")
