# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Enumeration (DSP0226 8): what is found comes in parts, between which the server keeps a context."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from . import fault
from .envelope import element, local_name

#: EnumerationTimeoutms of winrm/config (recorded): how long a context lives between two requests, in seconds.
ENUMERATION_TIMEOUT_S = 240.0
#: MaxBatchItems of winrm/config (recorded). That more is cut to that is assumed.
MAX_BATCH_ITEMS = 32000

_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass
class _Context:
    account: str
    resource_uri: str
    items: Sequence[str]  # that were not delivered yet
    expires: float


class Enumerations:
    """Those of one server."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._contexts: dict[str, _Context] = {}

    def enumerate(
        self, account: str, resource_uri: str, items: Sequence[str], asked: ElementTree.Element, room: int
    ) -> str:
        """The EnumerateResponse. Only an optimised enumeration brings items with it (DSP0226 8.2.3)."""
        optimised = any(local_name(part) == "OptimizeEnumeration" for part in asked)
        count = _count(asked) if optimised else 0
        taken, rest = _batch(items, count, room)
        context_id = ""
        if rest or not optimised:
            context_id = f"uuid:{str(uuid.uuid4()).upper()}"
            self._contexts[context_id] = _Context(account, resource_uri, rest, self._deadline())
        end = "" if context_id else "<w:EndOfSequence/>"
        found = f"<w:Items>{''.join(taken)}</w:Items>" if taken else ""
        context = element("n:EnumerationContext", context_id)
        return f"<n:EnumerateResponse>{context}{found}{end}</n:EnumerateResponse>"

    def pull(self, account: str, resource_uri: str, asked: ElementTree.Element, room: int) -> str:
        """The PullResponse. Without MaxElements it brings one item (DSP0226 8.4)."""
        context_id, context = self._find(account, resource_uri, asked)
        taken, context.items = _batch(context.items, _count(asked), room)
        context.expires = self._deadline()
        found = f"<n:Items>{''.join(taken)}</n:Items>"
        if context.items:
            return f"<n:PullResponse>{element('n:EnumerationContext', context_id)}{found}</n:PullResponse>"
        del self._contexts[context_id]
        return f"<n:PullResponse>{found}<n:EndOfSequence/></n:PullResponse>"

    def release(self, account: str, resource_uri: str, asked: ElementTree.Element) -> None:
        context_id, _context = self._find(account, resource_uri, asked)
        del self._contexts[context_id]

    def clear(self) -> None:
        self._contexts.clear()

    def _deadline(self) -> float:
        now = self._loop.time()
        self._contexts = {key: held for key, held in self._contexts.items() if held.expires > now}
        return now + ENUMERATION_TIMEOUT_S

    def _find(self, account: str, resource_uri: str, asked: ElementTree.Element) -> tuple[str, _Context]:
        """The context a client names, which must be its own and of that resource (MS-WSMAN 3.1.4.3.1.1)."""
        named = next((part for part in asked if local_name(part) == "EnumerationContext"), None)
        context_id = "" if named is None else (named.text or "").strip()
        context = self._contexts.get(context_id)
        if (
            context is None
            or context.expires <= self._loop.time()
            or (context.account, context.resource_uri) != (account, resource_uri)
        ):
            raise fault.invalid_enumeration_context()
        return context_id, context


def _count(asked: ElementTree.Element) -> int:
    """MaxElements, which is one where it is not said. Raises Fault."""
    maximum = next((part for part in asked if local_name(part) == "MaxElements"), None)
    if maximum is None:
        return 1
    text = (maximum.text or "").strip()
    if not _NUMBER.fullmatch(text) or int(text) == 0:
        raise fault.invalid_parameter()
    return min(int(text), MAX_BATCH_ITEMS)


def _batch(items: Sequence[str], count: int, room: int) -> tuple[Sequence[str], Sequence[str]]:
    """As many as wanted, as far as they fit, but at least one of those wanted; and the rest."""
    size, fitting = 0, 0
    for item in items[:count]:
        size += len(item.encode())
        if fitting and size > room:
            break
        fitting += 1
    return items[:fitting], items[fitting:]
