# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waivers: differences that somebody answers for, until a day, and only as long as the value is the one that was
accepted.
"""

from __future__ import annotations

import builtins
import datetime
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .baseline import FORMAT
from .documents import Document, Place, UnusableFile, block, flow, folded, plain

STATE = "existence"
"""The property of an object that is there, or is not."""
_REQUIRED = ("noun", "identity", "property", "owner", "justification", "expires")


@dataclass(frozen=True)
class Waiver:
    """``values`` are the accepted ones, as they stand in the file. It holds through the day ``expires``, in UTC."""

    noun: str
    identity: str
    property: str
    values: tuple[Any, ...]
    owner: str
    justification: str
    expires: datetime.date
    place: Place

    @builtins.property
    def key(self) -> tuple[str, str, str]:
        return folded(self.noun), folded(self.identity), folded(self.property)

    def has_expired(self, today: datetime.date) -> bool:
        return today > self.expires

    def as_dict(self) -> dict[str, Any]:
        return {
            "noun": self.noun,
            "identity": self.identity,
            "property": self.property,
            "values": list(self.values),
            "owner": self.owner,
            "justification": self.justification,
            "expires": self.expires.isoformat(),
            "place": str(self.place),
        }


def parse(
    document: Document,
    *,
    today: datetime.date,
    longest: int,
    known: Callable[[str], bool],
    in_scope: Collection[str],
) -> tuple[Waiver, ...]:
    """Every waiver of the file. Raises UnusableFile for the first that could silently have no effect.

    ``longest``: days that a waiver may still have. ``known`` tells whether there is such a noun, ``in_scope`` are the
    folded nouns that are compared.
    """
    document.must_have_format(FORMAT)
    fields = document.fields(document.root, "the file", ("format", "waivers"))
    found: list[Waiver] = []
    lines: dict[tuple[str, str, str], int] = {}
    for node in document.items(fields["waivers"].node, "waivers"):
        waiver = _waiver(document, node)
        if not known(waiver.noun):
            raise UnusableFile(waiver.place, f"there is no noun {waiver.noun}")
        if folded(waiver.noun) not in in_scope:
            raise UnusableFile(waiver.place, f"{waiver.noun} is not compared, so nothing of it can be waived")
        if waiver.expires > today + datetime.timedelta(days=longest):
            raise UnusableFile(
                waiver.place,
                f"the waiver lasts until {waiver.expires}, and {longest} days from today are the longest",
            )
        if waiver.key in lines:
            raise UnusableFile(waiver.place, f"the same is waived in line {lines[waiver.key]} already")
        lines[waiver.key] = waiver.place.line
        found.append(waiver)
    return tuple(found)


def _waiver(document: Document, node: Any) -> Waiver:
    fields = document.fields(node, "a waiver", _REQUIRED, ("value", "values"))
    if ("value" in fields) == ("values" in fields):
        raise document.problem(
            node, "a waiver has either value, the one that is accepted, or values, a list of them"
        )
    text = {name: document.text_of(fields[name].node, name) for name in _REQUIRED}
    try:
        expires = datetime.date.fromisoformat(text["expires"])
    except ValueError:
        raise UnusableFile(
            fields["expires"].place, f"expires: '{text['expires']}' is no date such as 2027-01-31"
        ) from None
    if "value" in fields:
        values = (plain(fields["value"].node),)
    else:
        values = tuple(plain(item) for item in document.items(fields["values"].node, "values"))
        if not values:
            raise UnusableFile(fields["values"].place, "values: at least one value is expected")
    return Waiver(
        text["noun"],
        text["identity"],
        text["property"],
        values,
        text["owner"],
        text["justification"],
        expires,
        document.place(node),
    )


def with_waiver(text: str | None, name: str, waiver: Mapping[str, Any]) -> str:
    """The file's text with one more waiver at its end; ``text`` is None where there is no file yet."""
    lines = "".join(block(key, value, "    ") for key, value in waiver.items())
    entry = "  - " + lines[4:]
    if text is None:
        return f"---\nformat: {FORMAT}\nwaivers:\n{entry}"
    document = Document(name, text)
    document.must_have_format(FORMAT)
    node = document.fields(document.root, "the file", ("format", "waivers"))["waivers"].node
    before = document.items(node, "waivers")
    if not before:
        new = f"{text[: node.start_mark.index].rstrip(' ')}\n{entry.removesuffix(chr(10))}{text[node.end_mark.index :]}"
    elif getattr(node, "flow_style", False):
        at = node.end_mark.index - 1
        new = f"{text[:at]}, {flow(waiver)}{text[at:]}"
    else:
        dash = text.rindex("-", 0, before[0].start_mark.index)
        indentation = " " * (dash - text.rfind("\n", 0, dash) - 1)
        lines = "".join(block(key, value, f"{indentation}  ") for key, value in waiver.items())
        new = f"{text.rstrip()}\n{indentation}- {lines[len(indentation) + 2 :]}"
    after = Document(name, new)
    items = after.items(
        after.fields(after.root, "the file", ("format", "waivers"))["waivers"].node, "waivers"
    )
    if [plain(item) for item in items[:-1]] != [plain(item) for item in before]:
        raise UnusableFile(name, "it is written in a way that cannot be edited; change it by hand")
    _waiver(after, items[-1])
    return new
