# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the assess concludes from what was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.filter.windows_live_assessment import (
    windows_live_assessment,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.federation.windows_live import (
    MESSENGER,
    Findings,
    Request,
    assess,
    outcome,
)


def policy(identity: str, allowed: bool = False) -> dict[str, Any]:
    return {
        "identity": identity,
        "enable_public_cloud_access": allowed,
        "enable_public_cloud_audio_video_access": allowed,
    }


def media(identity: str, level: str = "RequireEncryption", rate: str = "VGA600K") -> dict[str, Any]:
    return {"identity": identity, "encryption_level": level, "max_video_rate_allowed": rate}


def provider(identity: str, enabled: bool = True, proxy: str = MESSENGER) -> dict[str, Any]:
    return {"identity": identity, "enabled": enabled, "proxy_fqdn": proxy}


ALL_CMDLETS = {
    f"Set-Cs{noun}": True
    for noun in ("ExternalAccessPolicy", "MediaConfiguration", "PublicProvider", "AccessEdgeConfiguration")
}
READY = Findings(
    connection={"account": r"CONTOSO\uc-admin", "product_version": None, "cmdlets": ALL_CMDLETS},
    access_edge={"allow_federated_users": True, "routing_method": "UseDnsSrvRouting"},
    providers=[provider("MSN"), provider("AOL", False, "sip.oscar.aol.com")],
    replication={
        "replicas": [{"product_version": "4.0.7577.0"}, {"product_version": None}],
        "behind": [],
        "central_management_store": {"active_master_fqdn": "fe01.contoso.com"},
    },
    policies=[policy("Global")],
    media=[media("Global")],
    services=[],
)
ENABLE = Request(
    state="present",
    policies=["Global"],
    media=["Global"],
    include_shadowing_scopes=False,
    encryption_level="SupportEncryption",
    max_video_rate="Hd720p15M",
    providers=[],
    enable_providers=False,
    disable_providers=False,
    manage_access_edge=False,
)
DISABLE = replace(ENABLE, state="absent")


def obstacles(found: Findings, asked: Request = ENABLE, check_mode: bool = False) -> str:
    return " ".join(assess(found, asked, check_mode=check_mode)["obstacles"])


def test_a_deployment_that_is_ready_has_the_two_settings_left_to_change() -> None:
    result = assess(READY, ENABLE, check_mode=False)
    assert result["obstacles"] == []
    assert result["pending"] == ["policy Global", "media settings Global"]
    assert (result["policies"], result["media"]) == (["Global"], ["Global"])
    assert (result["providers"], result["access_edge"], result["shadowing"]) == ([], {}, [])


def test_a_deployment_as_wanted_has_nothing_left() -> None:
    done = replace(
        READY,
        policies=[policy("Global", True)],
        media=[media("Global", "SupportEncryption", "Hd720p15M")],
    )
    assert assess(done, ENABLE, check_mode=False)["pending"] == []


def test_the_way_back_leaves_the_video_rate_alone() -> None:
    done = replace(READY, media=[media("Global", "RequireEncryption", "Hd720p15M")])
    assert assess(done, DISABLE, check_mode=False)["pending"] == []


# -- scopes -----------------------------------------------------------------------------------------------------------

NARROWER = replace(
    READY,
    policies=[policy("Global"), policy("Site:Redmond"), policy("Tag:Sales"), policy("Tag:Done", True)],
    media=[
        media("Global"),
        media("Site:Dublin"),
        media("Service:MediationServer:pool01.contoso.com"),
        media("Service:MediationServer:dublin.contoso.com"),
    ],
    services=[
        {"service": "MediationServer:pool01.contoso.com", "site": "Redmond"},
        {"service": "MediationServer:dublin.contoso.com", "site": "Dublin"},
    ],
)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["Global"], ["Site:Redmond", "Tag:Sales"]),
        (["global", "SALES"], ["Site:Redmond"]),
        (["site:redmond"], ["Tag:Sales"]),
        (["site:Dublin"], ["Tag:Sales"]),
        (["Sales"], []),
    ],
)
def test_narrower_policies_that_differ_shadow_a_change(changed: list[str], expected: list[str]) -> None:
    result = assess(NARROWER, replace(ENABLE, policies=changed, media=[]), check_mode=False)
    assert result["shadowing"] == [f"policy {identity}, which does not allow it" for identity in expected]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["Global"], ["Site:Dublin", "pool01", "dublin"]),
        (["site:dublin"], ["dublin"]),
        (["site:Redmond"], ["pool01"]),
        (["MediationServer:pool01.contoso.com"], []),
    ],
)
def test_services_shadow_their_own_site(changed: list[str], expected: list[str]) -> None:
    result = assess(NARROWER, replace(ENABLE, policies=[], media=changed), check_mode=False)
    identities = [
        each if each.startswith("Site") else f"Service:MediationServer:{each}.contoso.com"
        for each in expected
    ]
    assert result["shadowing"] == [
        f"media settings {identity}, RequireEncryption, VGA600K" for identity in identities
    ]


def test_shadowing_collections_are_changed_on_request() -> None:
    result = assess(NARROWER, replace(ENABLE, include_shadowing_scopes=True), check_mode=False)
    assert result["shadowing"] == []
    assert result["policies"] == ["Global", "Site:Redmond", "Tag:Sales"]
    assert len(result["media"]) == 4


def test_names_take_the_server_s_spelling_and_are_not_repeated() -> None:
    asked = replace(ENABLE, policies=["site:REDMOND", "Site:Redmond", "new"], media=[])
    assert assess(NARROWER, asked, check_mode=False)["policies"] == ["Site:Redmond", "Tag:new"]


def test_the_way_back_is_not_taken_where_there_is_nothing() -> None:
    asked = replace(DISABLE, policies=["Global", "new"], media=["site:Redmond"])
    result = assess(NARROWER, asked, check_mode=False)
    assert (result["policies"], result["media"]) == (["Global"], [])


# -- obstacles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "asked", "sentence"),
    [
        (
            replace(READY, providers=[provider("AOL", True, "sip.oscar.aol.com")]),
            ENABLE,
            f"No public provider leads to {MESSENGER} (the public providers are: AOL).",
        ),
        (replace(READY, providers=[]), ENABLE, "(the public providers are: none)"),
        (READY, replace(ENABLE, providers=["Skype"]), "There is no public provider Skype."),
        (replace(READY, providers=[provider("MSN", False)]), ENABLE, "The public provider MSN is disabled."),
        (
            replace(
                READY, access_edge={"allow_federated_users": False, "routing_method": "UseDnsSrvRouting"}
            ),
            ENABLE,
            "The Access Edge does not allow federation.",
        ),
        (
            replace(
                READY, access_edge={"allow_federated_users": True, "routing_method": "UseDefaultRouting"}
            ),
            ENABLE,
            "does not route by DNS SRV records (UseDefaultRouting)",
        ),
        (
            replace(
                READY,
                replication={**READY.replication, "central_management_store": {"active_master_fqdn": None}},
            ),
            DISABLE,
            "The Central Management Store has no active master",
        ),
        (
            replace(READY, connection={**READY.connection, "cmdlets": {"Set-CsExternalAccessPolicy": True}}),
            ENABLE,
            r"CONTOSO\uc-admin may not use Set-CsMediaConfiguration here.",
        ),
    ],
)
def test_what_stands_in_the_way_is_told(found: Findings, asked: Request, sentence: str) -> None:
    assert sentence in obstacles(found, asked)


def test_the_way_back_needs_neither_provider_nor_federation() -> None:
    bare = replace(
        READY,
        providers=[],
        access_edge={"allow_federated_users": False, "routing_method": "UseDefaultRouting"},
    )
    assert obstacles(bare, DISABLE) == ""


def test_looking_takes_no_right_to_write() -> None:
    viewer = replace(READY, connection={**READY.connection, "cmdlets": {}})
    assert obstacles(viewer, check_mode=True) == ""
    assert "may not use" in obstacles(viewer, check_mode=False)


def test_what_may_be_put_right_is_no_obstacle() -> None:
    found = replace(
        READY,
        providers=[provider("Messenger", False)],
        access_edge={"allow_federated_users": False, "routing_method": "UseDnsSrvRouting"},
    )
    asked = replace(ENABLE, enable_providers=True, manage_access_edge=True)
    result = assess(found, asked, check_mode=False)
    assert result["obstacles"] == []
    assert result["providers"] == ["Messenger"]
    assert result["pending"][:2] == ["allow_federated_users of the Access Edge", "public provider Messenger"]


def test_the_way_back_disables_providers_only_on_request() -> None:
    assert assess(READY, DISABLE, check_mode=False)["providers"] == []
    result = assess(READY, replace(DISABLE, disable_providers=True), check_mode=False)
    assert result["providers"] == ["MSN"]
    assert "public provider MSN" in result["pending"]


def test_named_providers_are_found_without_regard_to_case() -> None:
    result = assess(READY, replace(ENABLE, providers=["msn"]), check_mode=False)
    assert result["obstacles"] == []


# -- for people -------------------------------------------------------------------------------------------------------


def test_the_version_is_the_replicas_where_the_server_does_not_tell() -> None:
    summary = assess(READY, ENABLE, check_mode=False)["summary"]
    assert summary[0].split(maxsplit=1) == ["server", "4.0.7577.0"]


def test_servers_that_are_behind_are_named() -> None:
    late = replace(READY, replication={**READY.replication, "behind": ["edge01.contoso.com"]})
    summary = assess(late, ENABLE, check_mode=False)["summary"]
    assert ["behind", "edge01.contoso.com"] in [line.split(maxsplit=1) for line in summary]


def test_the_filter_reads_variables_as_the_command_line_gives_them() -> None:
    asked = {**vars(ENABLE), "policies": "Global,Sales", "include_shadowing_scopes": "no"}
    result = windows_live_assessment(vars(READY), asked)
    assert result["policies"] == ["Global", "Tag:Sales"]


BEFORE = {"pending": ["policy Global"], "obstacles": []}
AFTER: dict[str, Any] = {"pending": [], "obstacles": []}


@pytest.mark.parametrize(
    ("before", "after", "steps", "status", "changed"),
    [
        (None, None, [], "unknown", False),
        (AFTER, AFTER, [{"results": []}], "in_desired_state", False),
        (BEFORE, BEFORE, [{"changed": True}], "drifted", True),  # a dry run
        (BEFORE, AFTER, [{"results": [{"changed": True}, {"changed": False}]}], "corrected", True),
        (
            BEFORE,
            None,
            [{"results": [{"failed": True, "status": "drifted", "msg": "No."}]}],
            "drifted",
            False,
        ),
        (BEFORE, None, [{"failed": True, "status": "unknown", "changed": True}], "unknown", True),
        ({**BEFORE, "obstacles": ["No provider."]}, None, [], "drifted", False),
    ],
)
def test_the_roles_fact(
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    steps: list[dict[str, Any]],
    status: str,
    changed: bool,
) -> None:
    result = outcome(before, after, steps)
    assert set(result) == {"status", "changed", "unknown", "reasons"}
    assert (result["status"], result["changed"]) == (status, changed)
    assert bool(result["unknown"]) is (status == "unknown")
    assert bool(result["reasons"]) is (status in ("unknown", "drifted"))
