# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom names stand for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.people import users
from ansible_collections.lync.remediation.plugins.plugin_utils.people.users import Choice
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    BadArgument,
    UnusableArgument,
)
from hypothesis import given
from hypothesis import strategies as st
from unit.people.scripted_people import PeopleShell, user
from unit.scripted import Scripted

PEOPLE = [
    user("ken", "Ken Myer"),
    user("kim", "Kim Abercrombie"),
    user("kim2", "Kim Abercrombie"),
    user("pilar", "Pilar Ackerman"),
]
SPELLINGS = {
    "ken": ["sip:ken@contoso.com", "KEN@contoso.com", "CONTOSO\\ken", "Ken Myer", "CN=ken,DC=contoso,DC=com"],
    "kim": ["sip:kim@contoso.com", "CN=kim,DC=contoso,DC=com"],
    "pilar": ["pilar", "Pilar Ackerman"],
}


@given(st.permutations(list(SPELLINGS)), st.data())
def test_names_are_told_apart_in_one_pipeline(order: list[str], data: st.DataObject) -> None:
    names = [data.draw(st.sampled_from(SPELLINGS[name])) for name in order]
    shell = PeopleShell(PEOPLE)
    found = users.by_names(shell, names)
    assert [(each.asked, each.user.remote["SamAccountName"]) for each in found] == list(
        zip(names, order, strict=True)
    )
    assert len(shell.pipelines) == 1


@given(st.lists(st.sampled_from(["ken", "K*", "Kim Abercrombie", "pilar", "P*"]), unique=True, min_size=1))
def test_each_user_is_answered_for_under_the_name_that_was_asked(names: list[str]) -> None:
    found = users.by_names(PeopleShell(PEOPLE), names)
    expected = {
        "ken": ["ken"],
        "K*": ["ken", "kim", "kim2"],
        "Kim Abercrombie": ["kim", "kim2"],
        "pilar": ["pilar"],
        "P*": ["pilar"],
    }
    assert [(each.asked, each.user.remote["SamAccountName"]) for each in found] == [
        (name, account) for name in names for account in expected[name]
    ]


@pytest.mark.parametrize("names", [["nobody"], ["ken", "nobody"], ["zzz*"], ["ken", "zzz*"]])
def test_a_name_for_nobody_is_refused(names: list[str]) -> None:
    with pytest.raises(UnusableArgument, match=r"^users: '(nobody|zzz\*)' stands for no user"):
        users.find(PeopleShell(PEOPLE), Choice(names))


@pytest.mark.parametrize("name", ["Kim Abercrombie", "K*"])
def test_whoever_changes_something_gets_one_user_for_a_name(name: str) -> None:
    with pytest.raises(UnusableArgument, match=r"stands for [23] users: .*sip:kim2@contoso\.com"):
        users.find_one_each(PeopleShell(PEOPLE), Choice(["ken", name]))
    assert len(users.find_one_each(PeopleShell(PEOPLE), Choice(["P*", "ken", "Ken Myer"]))) == 2


def test_an_answer_of_the_wrong_number_is_asked_again() -> None:
    ken, pilar = PEOPLE[0], PEOPLE[3]
    shell = Scripted(Results((ken, pilar, pilar)), Results((ken,)), Results((pilar,)))
    found = users.by_names(shell, ["ken", "pilar"])  # type: ignore[arg-type]  # as much of one as is needed
    assert [each.user.remote for each in found] == [ken, pilar]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"filter": " "}, "^filter: it is empty"),
        ({"users": ["ken", ""]}, "^users: an empty text"),
        ({"users": ["ken"], "ou": "OU=Sales"}, "^Give either users, or a filter"),
        ({"filter": "A -eq 1", "ldap_filter": "a=1"}, "cannot be used together"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], refusal: str) -> None:
    with pytest.raises(BadArgument, match=refusal):
        users.choice({"users": [], "filter": None, "ldap_filter": None, "ou": None, **given})


def test_filters_are_handed_on_as_they_are() -> None:
    shell = PeopleShell(PEOPLE)
    users.find(shell, Choice(filter="Enabled -eq $True", ou="OU=Sales"))
    assert shell.sent == [Command("Get-CsUser", {"Filter": "Enabled -eq $True", "OU": "OU=Sales"})]
