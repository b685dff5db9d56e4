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
} | dict.fromkeys(
    (
        "New-CsExternalAccessPolicy",
        "New-CsMediaConfiguration",
        "Remove-CsExternalAccessPolicy",
        "Grant-CsExternalAccessPolicy",
    ),
    True,
)
READY = Findings(
    connection={"account": r"CONTOSO\uc-admin", "product_version": None, "cmdlets": ALL_CMDLETS},
    readiness={"version": "4.0.7577.0", "prerequisites": [], "changes": []},
    access_edge={"allow_federated_users": True, "routing_method": "UseDnsSrvRouting"},
    providers=[provider("MSN"), provider("AOL", False, "sip.oscar.aol.com")],
    replication={
        "replicas": [{"product_version": "4.0.7577.0"}, {"product_version": None}],
        "behind": [],
        "central_management_store": {"active_master_fqdn": "fe01.contoso.com"},
        "active_masters": ["pool01.contoso.com"],
    },
    policies=[policy("Global")],
    media=[media("Global")],
    services=[],
    people=[],
    holders=[],
    reported={},
)
ENABLE = Request(
    state="present",
    policies=[],
    media=[],
    people=[],
    people_filter="",
    people_ldap_filter="",
    people_ou="",
    people_policy="Windows Live AV",
    include_shadowing_scopes=False,
    encryption_level="SupportEncryption",
    max_video_rate="Hd720p15M",
    providers=[],
    enable_providers=False,
    disable_providers=False,
    manage_access_edge=False,
)
DISABLE = replace(ENABLE, state="absent")


def names(listed: list[dict[str, Any]]) -> list[str]:
    return [each["identity"] for each in listed]


def obstacles(found: Findings, asked: Request = ENABLE, check_mode: bool = False) -> str:
    return " ".join(assess(found, asked, check_mode=check_mode)["obstacles"])


def test_a_deployment_that_is_ready_has_the_two_settings_left_to_change() -> None:
    result = assess(READY, ENABLE, check_mode=False)
    assert result["obstacles"] == []
    assert result["pending"] == ["policy Global", "media settings Global"]
    assert (names(result["policies"]), names(result["media"])) == (["Global"], ["Global"])
    assert result["weaker"] == ["Global"]
    assert (result["providers"], result["access_edge"], result["shadowing"]) == ([], {}, [])


def test_a_deployment_as_wanted_has_nothing_left() -> None:
    done = replace(
        READY,
        policies=[policy("Global", True)],
        media=[media("Global", "SupportEncryption", "Hd720p15M")],
    )
    result = assess(done, ENABLE, check_mode=False)
    assert (result["pending"], result["weaker"]) == ([], [])


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
    result = assess(NARROWER, replace(ENABLE, policies=changed), check_mode=False)
    policies = [text.split(",")[0] for text in result["shadowing"] if text.startswith("policy")]
    assert policies == [f"policy {identity}" for identity in expected]


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
    result = assess(NARROWER, replace(ENABLE, media=changed), check_mode=False)
    identities = [
        each if each.startswith("Site") else f"Service:MediationServer:{each}.contoso.com"
        for each in expected
    ]
    assert [text for text in result["shadowing"] if text.startswith("media")] == [
        f"media settings {identity}, RequireEncryption, VGA600K" for identity in identities
    ]


def test_shadowing_collections_are_changed_on_request() -> None:
    result = assess(NARROWER, replace(ENABLE, include_shadowing_scopes=True), check_mode=False)
    assert result["shadowing"] == []
    assert names(result["policies"]) == ["Global", "Site:Redmond", "Tag:Sales"]
    assert len(result["media"]) == 4


def test_names_take_the_server_s_spelling_and_are_not_repeated() -> None:
    asked = replace(ENABLE, policies=["site:REDMOND", "Site:Redmond", "site:new"])
    assert names(assess(NARROWER, asked, check_mode=False)["policies"]) == ["Site:Redmond", "Site:new"]


def test_the_way_back_is_not_taken_where_there_is_nothing() -> None:
    asked = replace(DISABLE, policies=["Global", "new"], media=["site:Redmond"])
    result = assess(NARROWER, asked, check_mode=False)
    assert (names(result["policies"]), names(result["media"])) == (["Global"], [])


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
        (
            READY,
            replace(ENABLE, providers=["Skype"]),
            f"There is no public provider Skype. The public providers are: MSN, AOL. The one that leads to {MESSENGER} "
            "is MSN.",
        ),
        (READY, replace(ENABLE, policies=["Nobody"]), "There is no policy Tag:Nobody"),
        (
            replace(READY, replication={**READY.replication, "active_masters": ["a.b", "c.d"]}),
            DISABLE,
            "a.b and c.d both call themselves the active Central Management Server",
        ),
        (
            replace(
                READY,
                readiness={
                    **READY.readiness,
                    "prerequisites": [
                        {
                            "prerequisite": "allowed_domains",
                            "state": "unmet",
                            "evidence": "They clash",
                            "remedy": ["Set-CsAllowedDomain"],
                        }
                    ],
                },
            ),
            ENABLE,
            "They clash. Run: Set-CsAllowedDomain",
        ),
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
    assert result["providers"] == [{"identity": "Messenger", "enabled": True}]
    assert result["pending"][:2] == ["Access Edge", "public provider Messenger"]


def test_the_way_back_disables_providers_only_on_request() -> None:
    assert assess(READY, DISABLE, check_mode=False)["providers"] == []
    result = assess(READY, replace(DISABLE, disable_providers=True), check_mode=False)
    assert result["providers"] == [{"identity": "MSN", "enabled": False}]
    assert "public provider MSN" in result["pending"]


def test_named_providers_are_found_without_regard_to_case() -> None:
    result = assess(READY, replace(ENABLE, providers=["msn"]), check_mode=False)
    assert result["obstacles"] == []


# -- for people -------------------------------------------------------------------------------------------------------


def test_a_screen_fits_into_80_columns_whatever_is_on_it() -> None:
    long = "a-very-long-name-of-a-policy"
    found = replace(
        NARROWER,
        policies=[policy("Global"), *(policy(f"Tag:{long}-{number}") for number in range(40))],
        holders=[{"identity": f"Tag:{long}-0", "number": 1, "users": [f"sip:{long}@contoso.com"]}],
        replication={**READY.replication, "behind": [f"fe{number}.contoso.com" for number in range(40)]},
        readiness={
            **READY.readiness,
            "prerequisites": [
                {
                    "prerequisite": name,
                    "state": state,
                    "evidence": "Why " * 40,
                    "remedy": ["Get-Something"] * 3,
                }
                for name, state in (("dns_srv", "unmet"), ("license", "unknown"), ("policies", "unmet"))
            ],
        },
    )
    lines = assess(found, replace(ENABLE, providers=["Nobody"]), check_mode=True)["screen"]
    assert max(map(len, lines)) <= 74
    assert len(lines) <= 42
    titles = [line.partition(",")[0] for line in lines if line[0].isupper()]
    assert titles == [
        "IN FORCE NOW",
        "WOULD CHANGE",
        "WARNING",
        "WHO IS AFFECTED",
        "GOES BEFORE IT",
        "IN THE WAY",
        "NOT KNOWN",
    ]
    assert not any("policies:" in line for line in lines), "what the change brings about is not in its way"


def test_what_is_in_force_for_whom_was_named_is_on_the_screen() -> None:
    def in_force(identity: str, **settings: Any) -> dict[str, Any]:
        return {"identity": identity, "why": "Nobody knows.", "settings": settings or None}

    settings = in_force("Global", encryption_level="RequireEncryption", max_video_rate_allowed="VGA600K")
    open_to_all = {"enable_public_cloud_access": True, "enable_public_cloud_audio_video_access": True}
    reported = {
        "users": [
            {
                "sip_address": "sip:ken@contoso.com",
                "external_access_policy": in_force("Tag:Sales", **open_to_all),
                "media_configuration": settings,
            },
            {
                "sip_address": "sip:kim@contoso.com",
                "external_access_policy": in_force("Tag:Gone"),
                "media_configuration": settings,
            },
        ],
        "sites": [
            {
                "site": "Redmond",
                "external_access_policy": in_force("Global", **{**open_to_all, _A_FLAG: False}),
                "media_configuration": settings,
            }
        ],
    }
    result = assess(replace(READY, reported=reported), ENABLE, check_mode=True)
    assert set(result["in_force"]) < set(result["screen"])
    assert result["in_force"] == [
        "* sip:ken@contoso.com: allowed (Tag:Sales); RequireEncryption (Global)",
        "* sip:kim@contoso.com: not known (Nobody knows); RequireEncryption",
        "  (Global)",
        "* site Redmond: not allowed (Global); RequireEncryption (Global)",
    ]


_A_FLAG = "enable_public_cloud_access"


# -- people -----------------------------------------------------------------------------------------------------------


def person(name: str, in_force: str | None = "Global", asked: str | None = None) -> dict[str, Any]:
    return {
        "user": asked or f"sip:{name}@contoso.com",
        "sip_address": f"sip:{name}@contoso.com",
        "identity": f"CN={name}",
        "pool": "pool01.contoso.com",
        "site": "Redmond",
        "external_access_policy": {"identity": in_force, "why": "Nobody knows."},
    }


PEOPLE = replace(
    NARROWER, people=[person("a"), person("b"), person("c", "Tag:Sales"), person("d", "Tag:Done")]
)
FOR_PEOPLE = replace(
    ENABLE, people=["sip:a@contoso.com", "sip:b@contoso.com", "sip:c@contoso.com"], media=["site:Redmond"]
)


def test_people_get_a_copy_of_what_is_in_force_for_them() -> None:
    result = assess(PEOPLE, FOR_PEOPLE, check_mode=False)
    assert result["obstacles"] == []
    assert [(each["identity"], each["copy_of"]) for each in result["policies"]] == [
        ("Tag:Windows Live AV", "Global"),
        ("Tag:Sales Windows Live AV", "Tag:Sales"),
    ]
    assert [(each["policy"], each["users"], each["made"]) for each in result["grants"]] == [
        ("Windows Live AV", ["sip:a@contoso.com", "sip:b@contoso.com"], True),
        ("Sales Windows Live AV", ["sip:c@contoso.com"], True),
    ]
    assert result["weaker"] == ["Site:Redmond"]
    assert any("4 of 4" in line for line in result["screen"])
    assert any("2 with Global, 1 with Tag:Done, 1 with Tag:Sales" in line for line in result["screen"])
    text = " ".join(line.strip() for line in result["screen"])
    assert "policy Tag:Sales Windows Live AV: created for 1 user, a copy of Tag:Sales" in text
    assert text.count("sip:c@contoso.com") == 1


def test_a_copy_that_was_made_and_not_granted_is_taken_up_again() -> None:
    copied = policy("Tag:Windows Live AV", True)
    found = replace(PEOPLE, policies=[*PEOPLE.policies, copied], people=[person("a")])
    result = assess(found, FOR_PEOPLE, check_mode=False)
    assert (result["policies"], [each["made"] for each in result["grants"]]) == ([], [False])
    other = {**copied, "description": "somebody's own"}
    found = replace(found, policies=[{**policy("Global"), "description": ""}, *PEOPLE.policies[1:], other])
    assert names(assess(found, FOR_PEOPLE, check_mode=False)["policies"]) == ["Tag:Windows Live AV 2"]


def test_people_who_have_it_need_nothing() -> None:
    found = replace(PEOPLE, people=[person("d", "Tag:Done")])
    result = assess(found, FOR_PEOPLE, check_mode=False)
    assert (result["policies"], result["grants"]) == ([], [])


@pytest.mark.parametrize(
    ("found", "asked", "sentence"),
    [
        (PEOPLE, replace(FOR_PEOPLE, policies=["Global"]), "contradict each other"),
        (PEOPLE, replace(FOR_PEOPLE, media=[]), "Encryption has no user scope."),
        (replace(PEOPLE, people=[]), replace(FOR_PEOPLE, people=[], people_ou="OU=x"), "finds nobody"),
        (
            replace(PEOPLE, people=[person("a", asked="K*"), person("b", asked="K*")]),
            FOR_PEOPLE,
            "'K*' in windows_live_av_federation_people stands for 2 users",
        ),
        (replace(PEOPLE, people=[person("a", None)]), FOR_PEOPLE, "is not known: Nobody knows."),
    ],
)
def test_people_who_are_not_meant_are_refused(found: Findings, asked: Request, sentence: str) -> None:
    assert sentence in obstacles(found, asked)


def test_granting_takes_its_own_right() -> None:
    cmdlets = {name: True for name in ALL_CMDLETS if not name.startswith("Grant")}
    found = replace(PEOPLE, connection={**READY.connection, "cmdlets": cmdlets})
    assert "may not use Grant-CsExternalAccessPolicy here" in obstacles(found, FOR_PEOPLE)
    assert obstacles(found, FOR_PEOPLE, check_mode=True) == ""


def test_who_holds_a_policy_that_goes_before_it_is_named() -> None:
    found = replace(
        NARROWER, holders=[{"identity": "Tag:Sales", "number": 1, "users": ["sip:kenmyer@contoso.com"]}]
    )
    (text,) = [each for each in assess(found, ENABLE, check_mode=False)["shadowing"] if "Sales" in each]
    assert "1 user (sip:kenmyer@contoso.com)" in text


# -- the way back -----------------------------------------------------------------------------------------------------


def changed(identity: str, before: dict[str, Any], written: dict[str, Any], resource: str) -> dict[str, Any]:
    return {
        "resource": resource,
        "identity": identity,
        "created": not before and bool(written),
        "before": before,
        "written": written,
    }


def test_by_the_journal_only_what_was_changed_is_taken_back() -> None:
    flags = {"enable_public_cloud_audio_video_access": True}
    changes = [
        changed("Global", dict.fromkeys(flags, False), flags, "external_access_policy"),
        changed("Tag:Done", {}, {"enable_public_cloud_access": True}, "external_access_policy"),
        changed("Site:Dublin", {}, {}, "media_configuration"),
    ]
    found = replace(
        NARROWER,
        policies=[policy("Global", True), policy("Tag:Done", True)],
        readiness={**READY.readiness, "changes": changes},
    )
    result = assess(found, replace(DISABLE, media=["Global"]), check_mode=False)
    assert [(each["identity"], each["state"]) for each in result["policies"]] == [
        ("Global", "present"),
        ("Tag:Done", "absent"),
    ]
    assert result["media"] == []
    assert len(result["left"]) == 1, "what was named and never changed"
    assert len(result["pending"]) == 2


def test_without_a_journal_the_rest_is_named() -> None:
    found = replace(READY, policies=[policy("Global", True)])
    result = assess(found, DISABLE, check_mode=False)
    (step,) = result["policies"]
    assert step["enable_public_cloud_audio_video_access"] is False
    assert "enable_public_cloud_access" not in step
    assert len(result["left"]) == 2
    people = assess(found, replace(DISABLE, people=["sip:a@contoso.com"]), check_mode=False)
    assert (people["pending"], len(people["left"])) == ([], 1)


# -- the role's fact and its variables --------------------------------------------------------------------------------


def test_the_filter_reads_variables_as_the_command_line_gives_them() -> None:
    asked = {**vars(ENABLE), "policies": "Global,site:Dublin", "include_shadowing_scopes": "no"}
    result = windows_live_assessment(vars(READY), asked)
    assert names(result["policies"]) == ["Global", "Site:Dublin"]


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
