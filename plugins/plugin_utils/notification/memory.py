# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each channel was last written, in a file on the controller."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..change.sharing import make_folder, private_mode
from ..drift.documents import write_atomically
from ..powershell.errors import ManagementShellError
from .deciding import Outcome, Written

FORMAT = 1


class MemoryUnusable(ManagementShellError):
    """Who was written what is not known, or cannot be kept."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}, which holds what was written last, {problem}.")


@dataclass(frozen=True)
class Memory:
    """``run`` is the run whose report was looked at last."""

    run: str = ""
    channels: Mapping[str, Written] = field(default_factory=dict)


def load(path: Path) -> Memory:
    """Raises MemoryUnusable. A file that is not there knows nothing."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            problem = f"has the format {document['format']}, and this version knows {FORMAT}"
            raise MemoryUnusable(path, problem)
        channels = {name: _written(each) for name, each in document["channels"].items()}
        return Memory(str(document["run"]), channels)
    except FileNotFoundError:
        return Memory()
    except OSError as error:
        raise MemoryUnusable(path, f"cannot be read ({error.strerror or error})") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise MemoryUnusable(path, "is damaged") from None


def save(path: Path, memory: Memory) -> None:
    """Raises MemoryUnusable."""
    channels = {name: _as_json(each) for name, each in memory.channels.items()}
    document = {"format": FORMAT, "run": memory.run, "channels": channels}
    try:
        make_folder(path.parent)
        write_atomically(path, json.dumps(document, indent=1) + "\n", private_mode(path.parent))
    except OSError as error:
        raise MemoryUnusable(path, f"cannot be written ({error.strerror or error})") from None


def _written(document: Mapping[str, Any]) -> Written:
    time = document["time"]
    return Written(
        Outcome(document["outcome"]),
        frozenset(map(str, document["findings"])),
        str(document["missed"]),
        None if time is None else datetime.datetime.fromisoformat(time),
    )


def _as_json(written: Written) -> dict[str, Any]:
    return {
        "outcome": written.outcome.value,
        "findings": sorted(written.findings),
        "missed": written.missed,
        "time": None if written.time is None else written.time.isoformat(),
    }
