# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new, narrower collection takes nothing from anybody: it begins with what is in force there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    BadArgument,
    Refused,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings import apply
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.action import desired
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resources.registry import RESOURCES
from unit.envelopes import envelope
from unit.settings.scripted_shell import VERSIONS, ScriptedShell, error, remote

MEDIA = RESOURCES["media_configuration"]
POLICY = RESOURCES["external_access_policy"]
GLOBAL_POLICY = {"EnableFederationAccess": True, "EnableOutsideAccess": True, "Description": "For all"}
GLOBAL_MEDIA = {"EnableQoS": True, "MaxVideoRateAllowed": "CIF250K"}
SERVICE = "MediationServer:pool01.contoso.com"
SETTINGS = {
    "CsExternalAccessPolicy": {"Global": GLOBAL_POLICY, "Site:Dublin": {"EnableFederationAccess": True}},
    "CsMediaConfiguration": {"Global": GLOBAL_MEDIA, "Site:Redmond": {"EnableSiren": True}},
}
REPLIES = {
    "Get-CsSite": [remote("Site", Identity="Site:Redmond"), remote("Site", Identity="Site:Dublin")],
    "Get-CsService": [remote("Service", Identity=SERVICE, SiteId="Site:Redmond")],
}
CREATIONS: list[tuple[Any, str, str | None, dict[str, Any], str]] = [
    (POLICY, "site:redmond", None, {"enable_public_cloud_access": True}, "Global"),
    (POLICY, "Tag:Sales", None, {"enable_outside_access": False}, "Global"),
    (POLICY, "Tag:Sales", "site:dublin", {"enable_public_cloud_access": True}, "Site:Dublin"),
    (MEDIA, "site:Dublin", None, {"encryption_level": "SupportEncryption"}, "Global"),
    (MEDIA, f"service:{SERVICE}", None, {"encryption_level": "SupportEncryption"}, "Site:Redmond"),
    (MEDIA, f"service:{SERVICE}", "Global", {}, "Global"),
]


def server(version: str, **more: Any) -> ScriptedShell:
    return ScriptedShell(version, SETTINGS, replies=REPLIES, **more)


def remediated(shell: ScriptedShell, resource: Any, *, check_mode: bool = False, **arguments: Any) -> Any:
    return apply.remediate(envelope(shell, check_mode), resource, desired(resource, arguments)).as_dict()


def settings_of(options: dict[str, Any]) -> dict[str, Any]:
    return {option: value for option, value in options.items() if option not in ("identity", "state")}


@pytest.mark.parametrize(("resource", "identity", "copy_of", "given", "template"), CREATIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_it_differs_from_what_is_in_force_in_what_was_named_only(
    version: str, resource: Any, identity: str, copy_of: str | None, given: dict[str, Any], template: str
) -> None:
    shell = server(version)
    base = remediated(server(version), resource, check_mode=True, identity=template)["before"]
    arguments = {"identity": identity, "copy_of": copy_of, **given}
    foretold = remediated(server(version), resource, check_mode=True, **arguments)
    done = remediated(shell, resource, **arguments)
    assert settings_of(done["after"]) == {**settings_of(base), **given}
    assert done["copied_from"] == template
    assert {each["property"] for each in done["drift"]} == {"state", *given}
    whole = [line.partition(":")[0] for line in done["diff"]["after"].splitlines()]
    assert whole == ["state", *settings_of(done["after"])]
    assert {**foretold, "status": "corrected"} == done
    again = remediated(shell, resource, **arguments)
    assert (again["changed"], again["copied_from"]) == (False, None)


def test_the_servers_defaults_are_there_for_who_asks_for_them() -> None:
    shell = server("2013")
    result = remediated(
        shell, POLICY, identity="site:Redmond", server_defaults=True, enable_public_cloud_access=True
    )
    assert (result["copied_from"], result["after"]["enable_outside_access"]) == (None, False)
    assert result["commands"] == [
        "New-CsExternalAccessPolicy -Identity Site:Redmond -EnablePublicCloudAccess $true"
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"copy_of": "Tag:Nobody"}, "copy_of: there is no external access policy 'Tag:Nobody'. There are: "),
        ({"copy_of": "a:b:c"}, "copy_of: 'a:b:c' is not an identity that can be used here. Allowed: "),
        ({"copy_of": "Global", "server_defaults": True}, "copy_of: contradicts server_defaults: true"),
    ],
)
def test_what_cannot_be_copied_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    shell = server("2013")
    with pytest.raises(BadArgument) as refused:
        remediated(shell, POLICY, identity="Tag:Sales", **arguments)
    assert sentence in str(refused.value)
    assert shell.writes == []


def test_a_template_matters_to_a_new_collection_only() -> None:
    arguments = {"identity": "site:Dublin", "copy_of": "Tag:Gone", "enable_federation_access": True}
    assert remediated(server("2013"), POLICY, **arguments)["status"] == "in_desired_state"


def test_the_site_of_a_service_must_be_known_where_sites_have_collections() -> None:
    missing = error(
        "Get-CsService", "CommandNotFoundException", category="ObjectNotFound", target="Get-CsService"
    )
    shell = server("2013", answer=lambda command: missing if command.name == "Get-CsService" else None)
    with pytest.raises(Refused, match="its site could not be read"):
        remediated(shell, MEDIA, identity=SERVICE, enable_qos=True)
    assert shell.writes == []
    assert remediated(shell, MEDIA, identity=SERVICE, copy_of="Global")["copied_from"] == "Global"


def test_a_property_that_no_cmdlet_sets_is_not_lost_in_silence() -> None:
    """Where the server's default is the copied value, the copy is whole all the same."""
    withheld = replace(
        MEDIA,
        properties=tuple(
            replace(p, parameter="EnableSomethingElse", attribute=p.parameter)
            if p.option == "enable_siren"
            else p
            for p in MEDIA.properties
        ),
    )
    alike, different = server("2013"), server("2013")
    assert remediated(alike, withheld, identity="site:Dublin")["after"]["enable_siren"] is False
    different.store["CsMediaConfiguration"]["Global"]["EnableSiren"] = True
    with pytest.raises(Refused, match="enable_siren of Global cannot be copied to Site:Dublin"):
        remediated(different, withheld, identity="site:Dublin")
    assert different.writes == []


def test_what_is_not_set_is_no_default_and_is_named_before_anything_is_written() -> None:
    shell = server("2013")
    shell.store["CsMediaConfiguration"]["Global"]["MaxVideoRateAllowed"] = None
    with pytest.raises(Refused, match="a new object begins with VGA600K"):
        remediated(shell, MEDIA, identity="site:Dublin")
    assert shell.writes == []
    given = remediated(shell, MEDIA, identity="site:Dublin", max_video_rate_allowed="CIF250K")
    assert given["after"]["max_video_rate_allowed"] == "CIF250K"
