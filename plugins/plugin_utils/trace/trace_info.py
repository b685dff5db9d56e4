# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module trace_info returns."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..result.bounds import between
from ..result.pasting import reaching
from ..result.refusals import BadArgument, UnusableArgument
from .masking import Masking
from .reading import Progress, Reading
from .report import lines

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def trace_info(
    arguments: Mapping[str, Any], progress: Progress, inventory: Sequence[str] = ()
) -> dict[str, Any]:
    """The module's own keys. ``inventory`` are the arguments that commands to paste need. Raises BadArgument."""
    between(arguments, evidence=(1, 20))
    utc_offset = seconds_of(arguments["utc_offset"])
    paths = [Path(each) for each in arguments["paths"]]
    if not paths:
        raise UnusableArgument("paths", "it is empty. Allowed: files and folders on the controller")
    for path in paths:
        _must_exist(path)
    reading = Reading(arguments["evidence"], utc_offset, progress)
    reading.read(paths)
    examined = [each["path"] for each in reading.files if each["examined"]]
    problems = [f"{each['path']}: {each['problem']}" for each in reading.files if each["problem"]]
    if not examined:
        raise BadArgument(
            "paths: nothing could be looked at. " + (" ".join(problems[:5]) or "The folders hold no file.")
        )
    return described(reading, problems, arguments, inventory)


def described(
    reading: Reading, problems: Sequence[str], arguments: Mapping[str, Any], inventory: Sequence[str]
) -> dict[str, Any]:
    """What was read, as results have it."""
    result: dict[str, Any] = {
        "findings": reading.findings(),
        "complete": not problems,
        "files": reading.files,
        "problems": list(problems),
        "clock_differences": [
            {
                "server": each.server,
                "reference": each.reference,
                "offset_seconds": round(each.offset, 3),
                "uncertainty_seconds": None if each.uncertainty is None else round(each.uncertainty, 3),
                "messages": each.messages,
                "may_be_zone": each.may_be_zone,
            }
            for each in reading.differences()
        ],
        "uncatalogued": reading.uncatalogued(),
        "all_calls_counted": reading.all_calls_counted,
        "time_zone_known": arguments["utc_offset"] is not None,
    }
    result = Masking().everywhere(result) if arguments["mask"] else result
    for finding in result["findings"]:
        if finding["remedy"] is not None:
            finding["remedy"] = reaching(finding["remedy"], inventory)
    return {**result, "lines": lines(result)}


def seconds_of(offset: str | None) -> float | None:
    """An offset of UTC such as ``+01:00``. Raises UnusableArgument."""
    if offset is None:
        return None
    if offset.upper() in ("Z", "UTC"):
        return 0.0
    match = _OFFSET.fullmatch(offset)
    if match is not None and int(match[3]) < 60 and int(match[2]) * 60 + int(match[3]) <= 14 * 60:
        seconds = int(match[2]) * 3600 + int(match[3]) * 60
        return float(seconds if match[1] == "+" else -seconds)
    raise UnusableArgument(
        "utc_offset",
        f"'{offset}' is no offset. Allowed: UTC, and +HH:MM or -HH:MM up to 14 hours, as in +01:00",
    )


def _must_exist(path: Path) -> None:
    try:
        if stat.S_ISDIR(mode := path.stat().st_mode):
            next(path.iterdir(), None)
        elif stat.S_ISREG(mode):
            path.open("rb").close()
        else:
            raise ValueError("it is neither a file nor a folder")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnusableArgument(
            "paths", f"'{path}' cannot be read on the controller: {reason}. Allowed: files and folders"
        ) from None
