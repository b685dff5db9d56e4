# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People: whom filters find, what they are granted, what is in force for them."""

from __future__ import annotations

import pytest
from lab.deployment import build_deployment
from lab.deployment.load import DeploymentError
from lab.objects.values import get_property

from .direct import Shell, call, document

USERS = [
    {
        "name": "ken",
        "display_name": "Ken Myer",
        "pool": "pool01.contoso.com",
        "attributes": {"Title": "Boss"},
    },
    {
        "name": "pilar",
        "pool": "pool01.contoso.com",
        "ou": "OU=Night,OU=Sales",
        "attributes": {"Title": "Guard"},
    },
    {
        "name": "kim",
        "pool": "pool01.contoso.com",
        "ou": "OU=Sales",
        "policies": {"ConferencingPolicy": "Audio"},
    },
]
SETTINGS = {"ConferencingPolicy": [{"Identity": "Tag:Audio"}, {"Identity": "Site:Redmond"}]}


def shell() -> Shell:
    return Shell(users=USERS, settings=SETTINGS)


def found(**parameters: str) -> list[str]:
    asked = shell()
    users = asked.run(call("Get-CsUser", **parameters))
    assert not asked.streams.errors
    return [get_property(user, "SamAccountName") for user in users]


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"LdapFilter": "Title=Boss"}, ["ken"]),
        ({"LdapFilter": "(|(title=boss)(Title=Gu*))"}, ["ken", "pilar"]),
        ({"LdapFilter": "&(Title=*)(!(Title=Boss))"}, ["pilar", "kim"]),
        ({"OU": "ou=sales,dc=contoso,dc=com"}, ["pilar", "kim"]),
        ({"OU": "OU=Sales,DC=contoso,DC=com", "LdapFilter": "Title=Guard"}, ["pilar"]),
        ({"Filter": "ConferencingPolicy -ne $Null"}, ["kim"]),
        ({"Filter": 'SamAccountName -eq "ken" -or DisplayName -like "k*"'}, ["ken", "kim"]),
    ],
)
def test_filters(parameters: dict[str, str], names: list[str]) -> None:
    assert found(**parameters) == names


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"LdapFilter": "(&(Title=Boss)"}, "InvalidFilter"),
        ({"LdapFilter": "Title"}, "InvalidFilter"),
        ({"Filter": "this is none"}, "InvalidFilter"),
        ({"Filter": "Enabled -eq $True", "LdapFilter": "Title=Boss"}, "FilterAndLdapFilter"),
        ({"OU": "OU=Nowhere,DC=contoso,DC=com"}, "OrganizationalUnit"),
    ],
)
def test_what_is_no_filter_is_an_error(parameters: dict[str, str], error: str) -> None:
    asked = shell()
    assert asked.run(call("Get-CsUser", **parameters)) == []
    assert [record.FullyQualifiedErrorId.partition(",")[0] for record in asked.streams.errors] == [error]


def test_each_kind_of_policy_is_granted_by_itself() -> None:
    asked = shell()
    asked.run(call("Grant-CsConferencingPolicy", Identity="ken", PolicyName="tag:audio"))
    asked.run(call("Grant-CsConferencingPolicy", Identity="kim", PolicyName=None))
    users = asked.deployment.status()["users"]
    assert {name: user["policies"] for name, user in users.items()} == {
        "ken": {"ConferencingPolicy": "Audio"},
        "pilar": {},
        "kim": {},
    }
    views = [asked.run(call("Get-CsEffectivePolicy", Identity=name))[0] for name in ("ken", "kim")]
    kinds = ("ConferencingPolicy", "ExternalAccessPolicy")
    assert [tuple(get_property(view, kind) for kind in kinds) for view in views] == [
        ("Tag:Audio", "Global"),
        ("Site:Redmond", "Global"),
    ]


def test_users_can_be_generated() -> None:
    made = build_deployment(
        {
            "version": "2019",
            "domain": "contoso.com",
            "accounts": [{"name": "uc-admin", "password": "x"}],
            "generate": {"pools": 2, "users": 5},
        }
    )
    assert len({user.distinguished_name for user in made.topology.users}) == 5
    assert {user.pool for user in made.topology.users} == {"pool001.contoso.com", "pool002.contoso.com"}


def test_a_policy_that_is_held_must_be_there() -> None:
    with pytest.raises(DeploymentError, match="there is no ConferencingPolicy Tag:Audio"):
        build_deployment(document(users=USERS))
