# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names are one where .NET's OrdinalIgnoreCase says so, and nowhere else. Tried on PowerShell 7.6."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.ordinal import (
    ordinal_key,
    same_name,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.comparison import Enumeration
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import Identity, Scope
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Site:Redmond", "SITE:redmond", True),
        ("Café", "CAFÉ", True),
        ("Ünïcode", "üNÏCODE", True),
        ("\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER SIGMA}", True),
        ("\N{MICRO SIGN}", "\N{GREEK CAPITAL LETTER MU}", True),
        ("\u1fb3", "\u1fbc", True),
        ("\u01c6", "\u01c5", True),
        ("Straße", "Strasse", False),
        ("Straße", "STRASSE", False),
        ("ß", "ẞ", False),
        ("\N{LATIN SMALL LIGATURE FI}le", "FILE", False),
        ("\u0149", "\u02bcN", False),
        ("\N{LATIN SMALL LETTER DOTLESS I}", "I", False),
        ("i", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", False),
        ("\N{LATIN SMALL LETTER LONG S}", "S", False),
        ("\N{KELVIN SIGN}", "k", False),
        ("É", "E\u0301", False),
        # The .NET Framework, unlike PowerShell 7, folds no surrogates.
        ("\U00010428", "\U00010400", False),
    ],
)
def test_pairs(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
    assert same_name(other, one) is same


@given(st.text())
def test_a_key_keeps_the_number_of_utf_16_units(name: str) -> None:
    assert len(ordinal_key(name).encode("utf-16-le", "surrogatepass")) == len(
        name.encode("utf-16-le", "surrogatepass")
    )


@given(st.text())
def test_a_key_is_its_own_key(name: str) -> None:
    assert ordinal_key(ordinal_key(name)) == ordinal_key(name)


@given(st.text(), st.text())
def test_each_unit_is_compared_by_itself(one: str, other: str) -> None:
    assert ordinal_key(one + other) == ordinal_key(one) + ordinal_key(other)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_english_letters_have_no_case(name: str) -> None:
    assert same_name(name, name.swapcase())


def test_identities_properties_and_enumerations_are_compared_so() -> None:
    assert Identity(Scope.USER, "Straße") != Identity(Scope.USER, "Strasse")
    assert len({Identity(Scope.USER, "Café"), Identity(Scope.USER, "CAFÉ")}) == 1
    assert "STRASSE" not in RemoteObject((), {"Straße": 1})
    assert RemoteObject((), {"É": 1})["é"] == 1
    assert not Enumeration(("Straße",)).same("Straße", "Strasse")
