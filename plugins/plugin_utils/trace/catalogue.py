# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the numbers in traces mean: the data in `diagnostics.json`.

``field`` says in which header a number counts, as the same number means something else in another. Families are what
the trouble belongs to; ``none`` is what must not raise a finding, most of all numbers that look like one that does.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FAMILIES = ("encryption", "clock", "av_authentication", "certificate", "federation", "ice", "other", "none")
"""The likely cause first: what explains others stands before them."""
CONFIDENCES = ("high", "medium", "low")


@dataclasses.dataclass(frozen=True)
class Diagnostic:
    """An entry of the catalogue."""

    code: int | str
    field: str
    family: str
    meaning: str
    confidence: str
    causes: tuple[str, ...] = ()
    remedy: str | None = None
    """The command that addresses it, where the collection has one."""
    requires_result: str | None = None
    """A result code that the record must have as well; ``otherwise`` is what it means without."""
    otherwise: str | None = None
    after: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The code of which this one is a consequence where the same call has both, and what it means then."""


@functools.cache
def catalogue() -> Mapping[tuple[str, int | str], Diagnostic]:
    """Every entry, by field and code."""
    data = json.loads(Path(__file__).with_name("diagnostics.json").read_text(encoding="utf-8"))
    remedies = data["remedies"]
    entries = (
        Diagnostic(
            **{**entry, "causes": tuple(entry.get("causes", ())), "remedy": remedies.get(entry.get("remedy"))}
        )
        for entry in data["diagnostics"]
    )
    return {(entry.field, entry.code): entry for entry in entries}


@functools.cache
def names() -> Mapping[bytes, Diagnostic]:
    """The entries that are found by a name of their own, in lower case."""
    return {
        str(code).lower().encode(): entry for (place, code), entry in catalogue().items() if place == "name"
    }


def remedy(name: str) -> str:
    """The command that addresses a kind of trouble."""
    data = json.loads(Path(__file__).with_name("diagnostics.json").read_text(encoding="utf-8"))
    return str(data["remedies"][name])
