# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names without regard to case, as .NET compares them: StringComparison.OrdinalIgnoreCase.

Each UTF-16 unit is replaced by its simple upper-case form, and the units are compared. Nothing changes its length, so
``Straße`` is not ``Strasse``, and no language plays a part: the dotless i, the long s and the Kelvin sign stay what
they are. Letters beyond U+FFFF are two units without case, as in the .NET Framework, on which every Lync and Skype for
Business server runs. (.NET 5 and later fold Deseret and the like: to take two such names for one could remove the
wrong object.)
"""

from __future__ import annotations


class _UpperCase(dict[int, str]):
    """The simple upper-case form of each character, found when it is first needed."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        upper = character
        if code <= 0xFFFF:
            # Where upper-casing makes several letters of one, the simple form is the title-case letter, if any.
            upper = next(
                (form for form in (character.upper(), character.title()) if len(form) == 1), character
            )
        self[code] = upper
        return upper


_UPPER_CASE = _UpperCase({0x131: "\N{LATIN SMALL LETTER DOTLESS I}", 0x17F: "\N{LATIN SMALL LETTER LONG S}"})


def ordinal_key(name: str) -> str:
    """What two names have in common exactly where .NET takes them for one: a key for sets and dictionaries."""
    return name.upper() if name.isascii() else name.translate(_UPPER_CASE)


def same_name(one: str, other: str) -> bool:
    return ordinal_key(one) == ordinal_key(other)
