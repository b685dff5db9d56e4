# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the topology: what the statements answer, and what is no answer."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import CommandError
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject, Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from ansible_collections.lync.remediation.plugins.plugin_utils.topology import deployment
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.deployment import Pool, Site
from unit.scripted import Scripted, remote
from unit.settings.scripted_shell import error

SITE = remote(Identity="site:Redmond", SiteType="CentralSite", ParentSite=None)
BRANCH = remote(Identity="Site:Dublin", SiteType="RemoteSite", ParentSite="Site:Redmond")
POOL = remote(
    Identity="pool01.contoso.com",
    Fqdn="pool01.contoso.com",
    Services=["Registrar:pool01.contoso.com", "UserServer:pool01.contoso.com"],
    Computers=["fe02.contoso.com", "fe01.contoso.com"],
    Site="Site:Redmond",
)
COMPUTERS = [
    remote(Identity=name, Fqdn=name, Pool="POOL01.contoso.com")
    for name in ("fe01.contoso.com", "fe02.contoso.com")
]


def service(role: str, pool: str = "pool01.contoso.com", **properties: Any) -> RemoteObject:
    return remote(Identity=f"{role}:{pool}", PoolFqdn=pool, **{"Role": role, "Version": 6, **properties})


def read(*answers: list[RemoteObject]) -> deployment.Topology:
    given = [[SITE, BRANCH], [POOL], COMPUTERS, [service("Registrar"), service("WebServer")]]
    given[: len(answers)] = answers
    return deployment.read(Scripted(*(Results(output=tuple(answer)) for answer in given)))


def test_everything_is_read() -> None:
    found = read()
    assert found.sites == (Site("Redmond", "CentralSite", None), Site("Dublin", "RemoteSite", "Redmond"))
    assert found.pools == (
        Pool(
            "pool01.contoso.com",
            "Redmond",
            ("Registrar", "WebServer", "UserServer"),
            6,
            ("fe01.contoso.com", "fe02.contoso.com"),
        ),
    )


def test_a_pool_knows_computers_that_are_listed_nowhere_else() -> None:
    (found,) = read([SITE], [POOL], []).pools
    assert found.computers == ("fe02.contoso.com", "fe01.contoso.com")


@pytest.mark.parametrize(
    ("services", "version"),
    [
        ([], None),
        ([service("UserDatabase", Version=8)], None),
        ([service("WebServer", Version=8), service("Registrar", Version=7)], 7),
        ([service("UserServer", Version=None), service("Registrar", Version=5)], 5),
        ([service("EdgeServer", Version="8")], None),
        ([service("Registrar", pool="pool02.contoso.com")], None),
    ],
)
def test_the_version_is_that_of_the_roles_that_tell_it(
    services: list[RemoteObject], version: int | None
) -> None:
    (found,) = read([SITE], [POOL], COMPUTERS, services).pools
    assert found.version == version


def test_a_service_that_looks_like_a_pool_is_none() -> None:
    odd = service("TrustedApplicationPool", Computers=["x.contoso.com"], Pool="x", Pools=["x"])
    found = read([SITE], [POOL], COMPUTERS, [odd])
    assert (len(found.sites), len(found.pools)) == (1, 1)


@pytest.mark.parametrize(
    "answers",
    [
        ([SITE], []),
        ([remote(SiteType="CentralSite")],),
        ([SITE], [remote(Site="Site:Redmond")]),
        ([SITE], [POOL], [remote(Fqdn="fe01.contoso.com")]),
        ([SITE], [POOL], COMPUTERS, [remote(Identity="Registrar:pool01.contoso.com")]),
    ],
)
def test_half_a_topology_is_none(answers: tuple[list[RemoteObject], ...]) -> None:
    with pytest.raises(Unreadable):
        read(*answers)


@pytest.mark.parametrize("failing", range(4))
def test_a_statement_that_fails_is_no_empty_answer(failing: int) -> None:
    answers = [Results(output=tuple(each)) for each in ([SITE], [POOL], COMPUTERS, [service("Registrar")])]
    answers[failing] = Results(output=answers[failing].output, errors=(error(deployment.CMDLETS[failing]),))
    with pytest.raises(CommandError):
        deployment.read(Scripted(*answers))
