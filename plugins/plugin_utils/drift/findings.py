# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run finds: one property that differs, one object too few or too many, or one noun that could not be read."""

from __future__ import annotations

import builtins
import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..result.severity import Severity
from ..result.status import Status
from .documents import folded

Key = tuple[str, str, str]
"""Noun, identity and property, folded: what age and label belong to."""


class Kind(enum.Enum):
    """What differs."""

    VALUE = "value"
    ORDER = "order"
    """The same items in another order, in a list whose order has no known meaning."""
    SEQUENCE = "sequence"
    """The place of an object among others that have priorities."""
    MISSING = "missing"
    EXTRA = "extra"
    """An object that is on the server, and not in a baseline that names them all."""
    UNWANTED = "unwanted"
    """An object that the baseline says should be absent."""
    NOUN = "noun"
    """Nothing of the noun could be judged."""
    REPORTED = "reported"
    """Another task of the run found it."""


class Unknown(enum.Enum):
    """Why something could not be judged."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    NOT_PERMITTED = "not_permitted"
    NOT_COMPARABLE = "not_comparable"
    NOT_KEPT = "not_kept"
    SHAPE_CHANGED = "shape_changed"
    CHANGED_WHILE_READING = "changed_while_reading"
    NOT_REACHED = "not_reached"


class Label(enum.Enum):
    """What has changed since the value was last seen."""

    SERVER_CHANGED = "server_changed"
    BASELINE_CHANGED = "baseline_changed"
    BOTH = "both"
    FIRST_SEEN = "first_seen"


class Trend(enum.Enum):
    """A finding beside the last run's."""

    NEW = "new"
    STILL = "still"
    RETURNED = "returned"


@dataclass(frozen=True)
class Explanation:
    """A change of our own, of the journal, that made the value what it is."""

    run: str
    change: str
    module: str
    time: str


@dataclass(frozen=True)
class Finding:
    """``property`` is ``existence`` for an object as a whole and empty for a noun.

    ``current`` and ``desired`` are values as JSON has them. ``origins`` say where it is asked for. ``detail`` is one
    more sentence, ``command`` the line that puts it back. ``held`` says why an enforcing run leaves it alone, ``range``
    for what part of the deployment the object decides.
    """

    deployment: str
    noun: str
    identity: str
    property: str
    kind: Kind
    status: Status
    current: Any = None
    desired: Any = None
    severity: Severity = Severity.MEDIUM
    reason: str = ""
    origins: tuple[str, ...] = ()
    unknown: Unknown | None = None
    detail: str = ""
    label: Label | None = None
    since: str = ""
    trend: Trend | None = None
    waiver: Mapping[str, Any] | None = None
    explained: Explanation | None = None
    command: str = ""
    held: str = ""
    range: str = ""

    @builtins.property
    def key(self) -> Key:
        return folded(self.noun), folded(self.identity), folded(self.property)

    @builtins.property
    def id(self) -> str:
        """The same as long as the difference is the same, whenever and on whatever controller it is seen."""
        parts = [folded(self.deployment), *self.key, self.current, self.desired]
        if self.unknown is not None:
            parts.append(self.unknown.value)
        text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()[:8]

    @builtins.property
    def counts(self) -> bool:
        """Whether it keeps a run from being clean."""
        return self.waiver is None and self.status in (Status.DRIFTED, Status.UNKNOWN)

    @builtins.property
    def name(self) -> str:
        return " ".join(filter(None, (self.noun, self.identity)))

    def as_dict(self) -> dict[str, Any]:
        plain = {name: value for name, value in vars(self).items() if name != "explained"}
        for name in ("kind", "status", "severity", "unknown", "label", "trend"):
            value = plain[name]
            plain[name] = None if value is None else value.value
        explained = None if self.explained is None else vars(self.explained)
        return {
            "id": self.id,
            **plain,
            "origins": list(self.origins),
            "waiver": None if self.waiver is None else dict(self.waiver),
            "explained": explained,
        }


@dataclass(frozen=True)
class Resolved:
    """A difference that is gone: in the server's spelling where it still shows it, and since when it was known."""

    id: str
    noun: str
    identity: str
    property: str
    since: str


def worst_first(finding: Finding) -> tuple[Any, ...]:
    """The order in which people should see findings."""
    rank = list(Severity).index(finding.severity)
    return (
        finding.waiver is not None,
        finding.status is Status.UNKNOWN,
        finding.status is Status.CORRECTED,
        -rank,
        finding.trend is not Trend.NEW,
        finding.key,
    )
