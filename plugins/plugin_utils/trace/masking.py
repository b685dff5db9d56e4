# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Personal data replaced, the same by the same everywhere.

People's SIP and mail addresses, their domains, telephone numbers, accounts, display names and network addresses are
replaced. Names of servers stay, as nobody could act without them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_PERSONAL = re.compile(
    r"""
    (?P<display>"[^"\r\n<>]{1,120}"|(?<=:)[ \t]*[^\W\d_"][^"\r\n<>:;=]{0,80}?)(?P<gap>[ \t]*)(?=<(?:sips?|tel):)
    |(?P<user>[^\s<>"'`:;,=()\[\]{}@|\\/]{1,128})(?P<sign>@|%40)(?P<domain>[^\W_](?:[\w-]*[^\W_])?(?:\.[\w-]+)*)
    |(?P<phone>(?<=tel:)\+?[\d().-]{3,30}|(?<![\w.:/-])\+\d[\d.()-]{5,20}\d)
    |(?<![\w.])(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?![\w.]*\w)
    |(?<![\w:.])(?P<address6>(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?)(?![\w:])
    |(?<![\w\\])(?P<account>[a-z][\w.-]{1,30}\\[a-z][\w.$-]{1,60})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TRACE_HEADER = re.compile(r"^(TL_[A-Z]+\(TF_[A-Z]+\)\s*\[[^\]]*\]\S*)", re.IGNORECASE)


class Masking:
    """Pseudonyms in the order in which they are needed; the letters' case makes no difference."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], int] = {}
        self._numbers: dict[str, int] = {}

    def everywhere(self, value: Any) -> Any:
        """The same value, with the personal data in all its texts replaced."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.everywhere(each) for each in value]
        if isinstance(value, dict):
            return {key: self.everywhere(each) for key, each in value.items()}
        return value

    def text(self, text: str) -> str:
        header = _TRACE_HEADER.match(text)
        kept = header.end() if header else 0
        return text[:kept] + _PERSONAL.sub(self._replaced, text[kept:])

    def _replaced(self, match: re.Match[str]) -> str:
        kinds: dict[str, Callable[[int], str]] = {
            "phone": lambda number: f"+000{number:04}",
            "address": lambda number: f"address{number}.invalid",
            "address6": lambda number: f"address{number}.invalid",
            "account": lambda number: f"account{number}",
        }
        if match["display"]:
            before = match["display"][: len(match["display"]) - len(match["display"].lstrip())]
            return (
                f'{before}"name{self._number("name", match["display"].strip().strip(chr(34)))}"{match["gap"]}'
            )
        if match["user"]:
            user = self._number("user", f"{match['user']}@{match['domain']}")
            domain = self._number("domain", match["domain"])
            return f"user{user}{match['sign']}domain{domain}.invalid"
        for kind, named in kinds.items():
            if match[kind]:
                return named(self._number(kind.rstrip("6"), match[kind]))
        return match[0]

    def _number(self, kind: str, name: str) -> int:
        key = (kind, name.casefold())
        if key not in self._names:
            self._numbers[kind] = self._numbers.get(kind, 0) + 1
            self._names[key] = self._numbers[kind]
        return self._names[key]
