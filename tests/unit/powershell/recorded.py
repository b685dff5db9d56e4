# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How recorded_values.json writes values down: JSON's own where they have one, else a dictionary with one tag."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Switch
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.times import with_tick
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.values import Version

_MICROSECOND = datetime.timedelta(microseconds=1)


def _span(ticks: int) -> datetime.timedelta:
    return with_tick(ticks // 10 * _MICROSECOND, ticks % 10)


def _time(text: str) -> datetime.datetime:
    """Such as ``2024-01-02T03:04:05.0000001Z``: seven digits, and Z where the time is one in UTC."""
    moment = datetime.datetime.fromisoformat(text[:26])
    zone = datetime.timezone.utc if text.endswith("Z") else None
    return with_tick(moment.replace(tzinfo=zone), int(text[26]))


def _object(fields: dict[str, Any]) -> RemoteObject:
    properties = {name: value_of(item) for name, item in fields["properties"].items()}
    return RemoteObject(tuple(fields["types"]), properties, fields.get("text"))


_BY_TAG: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "decimal": decimal.Decimal,
    "version": Version,
    "guid": uuid.UUID,
    "bytes": bytes.fromhex,
    "time": _time,
    "ticks": _span,
    "tuple": lambda items: tuple(map(value_of, items)),
    "dictionary": lambda entries: {value_of(key): value_of(item) for key, item in entries},
    "object": _object,
    "switch": lambda _: Switch.PRESENT,
}


def value_of(written: Any) -> Any:
    if isinstance(written, list):
        return [value_of(item) for item in written]
    if isinstance(written, dict):
        ((tag, content),) = written.items()
        return _BY_TAG[tag](content)
    return written
