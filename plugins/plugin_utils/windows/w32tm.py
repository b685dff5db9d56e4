# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what w32tm prints, in whatever language Windows speaks.

Words and dates are translated; the order of the lines, the numbers and the error codes are not (Microsoft
Learn, "Windows Time service tools and settings"). So lines are taken by their place, and each must have the
form that its place demands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..result.refusals import Unreadable
from .programs import text_lines

# Last Sync Error of w32tm /query /status /verbose. Which of 3 and 4 is which, sources contradict each other about:
# 3 is a change that is too big in [MS-W32T] 3.2.5.1, and 4 is in what people published of their servers. Nothing is
# decided by it; the clock itself is measured.
_NOT_CORRECTED = "the required change was too big, or the time service was shutting down"
_SYNC_ERRORS = {
    1: "no time data was available",
    2: "only stale time data was available",
    3: _NOT_CORRECTED,
    4: _NOT_CORRECTED,
}

# ERROR_SERVICE_DOES_NOT_EXIST and ERROR_SERVICE_NOT_ACTIVE as HRESULTs (winerror.h).
NOT_REGISTERED = 0x80070424
NOT_STARTED = 0x80070426
# WSAHOST_NOT_FOUND as an HRESULT (winerror.h).
UNKNOWN_HOST = 0x80072AF9

_NOT_SYNCHRONISED_LEAP = 3
# "LOCL": the clock follows itself (RFC 5905, section 7.3).
_LOCAL_CLOCK = "0x4c4f434c"
_HRESULT = re.compile(r"0x(8[0-9A-Fa-f]{7})\b")


class ProgramFailed(Unreadable):
    """w32tm answered with an error code in place of what was asked for."""

    def __init__(self, code: int, lines: Sequence[str]) -> None:
        self.code = code
        super().__init__(f"w32tm answered with error 0x{code:08X}: {' '.join(lines)}")


@dataclass(frozen=True)
class Status:
    """``w32tm /query /status /verbose``. Spans are seconds; ``None`` where this Windows does not tell.

    ``since_last_sync`` is how long ago the clock was last set by its source; None also where it never was.
    """

    leap_indicator: int
    stratum: int
    root_delay: float
    root_dispersion: float
    reference_id: str
    source: str
    poll_interval: int
    phase_offset: float | None = None
    last_sync_error: int | None = None
    since_last_sync: float | None = None

    @property
    def why_not_synchronised(self) -> str | None:
        """What the last attempt failed with; None where it did not fail, or this Windows does not tell."""
        number = self.last_sync_error
        return _SYNC_ERRORS.get(number, f"error {number}") if number else None

    @property
    def follows_itself(self) -> bool:
        return self.reference_id == _LOCAL_CLOCK

    @property
    def synchronised(self) -> bool:
        """Leap indicator 3 and stratum 0 are NTP's ways to say that a clock follows nothing (RFC 5905,
        section 7.3), and a clock that follows itself does not follow anything either.
        """
        return (
            self.leap_indicator != _NOT_SYNCHRONISED_LEAP
            and self.stratum > 0
            and self.reference_id != _LOCAL_CLOCK
        )


@dataclass(frozen=True)
class Stripchart:
    """``w32tm /stripchart /dataonly``: the sampled offsets of the other computer in seconds, the failed samples'
    codes, and the address that its name stands for.
    """

    offsets: tuple[float, ...]
    errors: tuple[int, ...]
    address: str | None = None

    @property
    def unknown_host(self) -> bool:
        """Whether its name cannot be resolved."""
        return UNKNOWN_HOST in self.errors

    @property
    def best(self) -> float | None:
        """The middle one of the offsets, which a single late packet does not move."""
        return sorted(self.offsets)[len(self.offsets) // 2] if self.offsets else None


def error_code(lines: Iterable[str]) -> int | None:
    """The HRESULT that a failing w32tm names, such as 0x80070426 where the service is not started."""
    for line in lines:
        match = _HRESULT.search(line)
        if match:
            return int(match.group(1), 16)
    return None


_NUMBERED = re.compile(r"(-?\d+)\s*\(.*")
_SECONDS = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*s")
_IDENTIFIER = re.compile(r"(0x[0-9A-Fa-f]{8})\b.*")
_ANYTHING = re.compile(r"(.*)")

# The lines in their order, each with the form of what stands behind its label.
_STATUS = (
    ("leap_indicator", _NUMBERED),
    ("stratum", _NUMBERED),
    ("precision", _NUMBERED),
    ("root_delay", _SECONDS),
    ("root_dispersion", _SECONDS),
    ("reference_id", _IDENTIFIER),
    ("last_sync_time", _ANYTHING),
    ("source", _ANYTHING),
    ("poll_interval", re.compile(r"-?\d+\s*\((\d+)\s*s\)")),
)
_VERBOSE = (
    ("phase_offset", _SECONDS),
    ("clock_rate", _SECONDS),
    ("state_machine", _NUMBERED),
    ("time_source_flags", _NUMBERED),
    ("server_role", _NUMBERED),
    ("last_sync_error", _NUMBERED),
    ("since_last_sync", _SECONDS),
)


def read_status(output: Sequence[object]) -> Status:
    """Raises ProgramFailed where w32tm names an error, Unreadable where the lines are not those that are
    documented.
    """
    lines = _unwrapped(text_lines(output))
    shape = _STATUS + _VERBOSE if len(lines) > len(_STATUS) else _STATUS
    found: dict[str, str] = {}
    for (name, form), line in zip(shape, lines, strict=False):
        _label, colon, value = _divided(line)
        match = form.fullmatch(value)
        if not colon or match is None:
            raise _not_as_documented(lines)
        found[name] = match.group(1)
    if len(found) < len(shape):
        raise _not_as_documented(lines)
    verbose = len(shape) > len(_STATUS)
    # A date has digits in every language; the word for "unspecified" has none.
    ever = any(character.isdigit() for character in found["last_sync_time"])
    return Status(
        leap_indicator=int(found["leap_indicator"]),
        stratum=int(found["stratum"]),
        root_delay=_number(found["root_delay"]),
        root_dispersion=_number(found["root_dispersion"]),
        reference_id=found["reference_id"].lower(),
        source=found["source"].strip(),
        poll_interval=int(found["poll_interval"]),
        phase_offset=_number(found["phase_offset"]) if verbose else None,
        last_sync_error=int(found["last_sync_error"]) if verbose else None,
        since_last_sync=_number(found["since_last_sync"]) if verbose and ever else None,
    )


def _unwrapped(lines: Iterable[str]) -> list[str]:
    """Windows breaks long lines, in German that of the last error: one without a label goes on with the one before."""
    whole: list[str] = []
    for line in lines:
        if whole and not _divided(line)[1]:
            whole[-1] = f"{whole[-1].rstrip()} {line.strip()}"
        else:
            whole.append(line)
    return whole


def _not_as_documented(lines: Sequence[str]) -> Unreadable:
    code = error_code(lines)
    if code is not None:
        return ProgramFailed(code, lines)
    return Unreadable(
        f"w32tm /query /status printed something else than is documented: {' | '.join(lines) or 'nothing'}"
    )


def _divided(line: str) -> tuple[str, str, str]:
    # Some translations put a space before the colon, and East Asian ones may use the full-width colon.
    label, colon, value = re.sub("\uff1a", ":", line, count=1).partition(":")
    return label.strip(), colon, value.strip()


# The first line names the computer, and in brackets its address and the port.
_CHART_ADDRESS = re.compile(r"\[([0-9A-Fa-f.:%]+?)\]?:123\]")
_CHART_OFFSET = re.compile(r"\d.*?,\s*([+-]?\d+[.,]\d+)s\s*")


def read_stripchart(output: Sequence[object]) -> Stripchart:
    """Data lines are ``<time>, +00.0123456s``; a sample that failed has an error code in place of the offset.
    Raises ProgramFailed or Unreadable where there is neither.
    """
    lines = text_lines(output)
    offsets = [_number(match.group(1)) for line in lines if (match := _CHART_OFFSET.fullmatch(line))]
    errors = [code for line in lines if (code := error_code([line])) is not None]
    if not offsets and not errors:
        raise Unreadable(f"w32tm /stripchart printed no sample: {' | '.join(lines) or 'nothing'}")
    addresses = [match[1] for line in lines if (match := _CHART_ADDRESS.search(line))]
    return Stripchart(tuple(offsets), tuple(errors), addresses[0] if addresses else None)


def _number(text: str) -> float:
    return float(text.replace(",", "."))
