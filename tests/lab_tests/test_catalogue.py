# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter binding by the catalogue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import catalogue
from lab.catalogue import PRODUCT_VERSIONS, Command, Parameter, common_parameters, lync_commands
from lab.catalogue.binder import Binder
from lab.contract import Argument
from lab.objects.nouns import ENUMERATIONS, NOUNS
from lab.powershell.errors import PowerShellError

BINDER = Binder("5.1")


def command(name: str, version: str = "2019") -> Command:
    return lync_commands(version)[name.lower()]


def arguments(**values: object) -> list[Argument]:
    return [Argument(name, value) for name, value in values.items()]


def refusal(name: str, *given: Argument, version: str = "2019", powershell: str = "5.1") -> PowerShellError:
    with pytest.raises(PowerShellError) as caught:
        Binder(powershell).bind(command(name, version), given)
    return caught.value


@st.composite
def parameters(draw: st.DrawFn) -> tuple[Command, Parameter]:
    commands = [c for c in lync_commands(draw(st.sampled_from(PRODUCT_VERSIONS))).values() if c.parameters]
    chosen = draw(st.sampled_from(commands))
    return chosen, draw(st.sampled_from(list(chosen.parameters.values())))


@given(parameters(), st.data())
def test_a_name_is_found_in_any_case(chosen: tuple[Command, Parameter], data: st.DataObject) -> None:
    found, parameter = chosen
    cased = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in parameter.name)
    assert BINDER.find(found, cased) is parameter


@given(parameters(), st.data())
def test_a_beginning_is_found_exactly_when_one_parameter_has_it(
    chosen: tuple[Command, Parameter], data: st.DataObject
) -> None:
    found, parameter = chosen
    beginning = parameter.name[: data.draw(st.integers(1, len(parameter.name)))].lower()
    table = {**common_parameters(found, "5.1"), **found.parameters}
    exact = [p for p in table.values() if beginning in (p.name.lower(), *(a.lower() for a in p.aliases))]
    own = [
        p
        for p in found.parameters.values()
        if any(n.lower().startswith(beginning) for n in (p.name, *p.aliases))
    ]
    if exact or len(own) == 1:
        assert BINDER.find(found, beginning) is (exact or own)[0]
    else:
        with pytest.raises(PowerShellError) as caught:
            BINDER.find(found, beginning)
        assert caught.value.error_id == "AmbiguousParameter"


def test_a_common_parameter_makes_another_ambiguous_only_before_powershell_3() -> None:
    # -Ver is VerificationLevel or Verbose.
    assert BINDER.find(command("Set-CsPublicProvider"), "Ver").name == "VerificationLevel"
    error = refusal("Set-CsPublicProvider", Argument("Ver", 0), powershell="2.0")
    assert error.message.endswith("Possible matches include: -VerificationLevel -Verbose.")


def test_positional_arguments_follow_the_order_of_the_syntax() -> None:
    binding = BINDER.bind(
        command("Grant-CsExternalAccessPolicy"), [Argument(None, "kenmyer"), Argument(None, "Partners")]
    )
    assert binding.values == {"Identity": "kenmyer", "PolicyName": "Partners"}


def test_parameters_of_different_sets_cannot_be_resolved() -> None:
    error = refusal("Get-CsMediaConfiguration", *arguments(Identity="Global", Filter="*"))
    assert (error.error_id, error.message) == (
        "AmbiguousParameterSet",
        "Parameter set cannot be resolved using the specified named parameters.",
    )


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (["AllowFederatedUsers"], "Identity"),
        (["EnablePartnerDiscovery"], "DnsSrvRouting"),
        (["UseDefaultRouting"], "DefaultRoute"),
        (["IsPublicProvider", "AllowOutsideUsers"], "DefaultRoute"),
    ],
)
def test_the_parameters_decide_the_routing_method(given_names: list[str], expected: str) -> None:
    binding = BINDER.bind(
        command("Set-CsAccessEdgeConfiguration"), [Argument(name, True) for name in given_names]
    )
    assert binding.parameter_set == expected


def test_null_and_empty_for_a_mandatory_text() -> None:
    given = arguments(Identity="Skype", Enabled=True)
    assert refusal("New-CsPublicProvider", *given, Argument("ProxyFqdn", None)).error_id == (
        "ParameterArgumentValidationErrorNullNotAllowed"
    )
    assert refusal("New-CsPublicProvider", *given, Argument("ProxyFqdn", "")).error_id == (
        "ParameterArgumentValidationErrorEmptyStringNotAllowed"
    )
    given = arguments(Identity="x", PolicyName=None)
    assert BINDER.bind(command("Grant-CsExternalAccessPolicy"), given).get("PolicyName") is None


@pytest.mark.parametrize("spelling", ["SupportEncryption", "supportencryption", "Supp", 0, "0"])
def test_enumerations_take_names_beginnings_and_numbers(spelling: object) -> None:
    bound = BINDER.bind(command("Set-CsMediaConfiguration"), arguments(EncryptionLevel=spelling))
    assert bound.get("EncryptionLevel").name == "SupportEncryption"


def test_an_unknown_enumeration_name_lists_the_names() -> None:
    error = refusal("Set-CsMediaConfiguration", *arguments(EncryptionLevel="V"))
    names = ", ".join(ENUMERATIONS["EncryptionLevel"])
    full = "Microsoft.Rtc.Management.WritableConfig.Settings.Media.EncryptionLevel"
    assert error.error_id == "CannotConvertArgumentNoMessage"
    assert error.message == (
        f'Cannot bind parameter \'EncryptionLevel\'. Cannot convert value "V" to type "{full}". Error: '
        '"Unable to match the '
        "identifier name V to a valid enumerator name. Specify one of the following enumerator names and "
        "try again:"
        f'\r\n{names}"'
    )
    older = refusal("Set-CsMediaConfiguration", *arguments(EncryptionLevel="V"), powershell="2.0")
    assert older.message.endswith(f'. The possible enumeration values are "{names}".')


def test_a_collection_is_no_text() -> None:
    error = refusal("Get-CsSite", *arguments(Identity=["Redmond", "Dublin"]))
    assert error.message == (
        "Cannot convert 'System.Object[]' to the type "
        "'Microsoft.Rtc.Management.Xds.XdsGlobalRelativeIdentity' required by "
        "parameter 'Identity'. Specified method is not supported."
    )


@pytest.mark.parametrize(
    ("name", "parameter", "versions"),
    [
        ("Set-CsExternalAccessPolicy", "EnablePublicCloudAccess", {"2010", "2013", "2015", "2019", "SE"}),
        ("Set-CsExternalAccessPolicy", "EnableXmppAccess", {"2013", "2015", "2019", "SE"}),
        ("Set-CsExternalAccessPolicy", "EnableTeamsConsumerAccess", set()),
        ("Set-CsExternalAccessPolicy", "BypassDualWrite", set()),
        ("Set-CsMediaConfiguration", "EnableDtls", {"2019", "SE"}),
        ("Set-CsMediaConfiguration", "EnableRtx", {"2019", "SE"}),
        ("Set-CsMediaConfiguration", "EnableInCallQoS", {"2015", "2019", "SE"}),
        ("New-CsMediaConfiguration", "EnableDtls", set()),
        ("New-CsPublicProvider", "NameDecorationRoutingDomain", {"2013", "2015", "2019", "SE"}),
        ("Set-CsPublicProvider", "ProxyFqdn", set()),
        ("Grant-CsExternalAccessPolicy", "Global", set()),
    ],
)
def test_which_versions_have_a_parameter(name: str, parameter: str, versions: set[str]) -> None:
    has = {v for v in PRODUCT_VERSIONS if parameter.lower() in command(name, v).parameters}
    assert has == versions


def test_which_versions_have_a_cmdlet() -> None:
    def versions(name: str) -> set[str]:
        return {v for v in PRODUCT_VERSIONS if name.lower() in lync_commands(v)}

    assert versions("Get-CsEffectivePolicy") == {"2013", "2015", "2019", "SE"}
    assert versions("Get-CsServerPatchVersion") == {"2015", "2019", "SE"}
    assert versions("Get-CsPoolUpgradeReadinessState") == {"2013", "2015"}
    assert versions("Set-CsMediaConfiguration") == set(PRODUCT_VERSIONS)


@pytest.mark.parametrize("version", PRODUCT_VERSIONS)
@pytest.mark.parametrize("noun", sorted(NOUNS.keys() - catalogue.noun_facts().keys()))
def test_every_parameter_that_sets_something_has_its_property(version: str, noun: str) -> None:
    beside = {"Identity", "Instance", "Force", "InMemory", "Tenant", "UseDefaultRouting", "UseDnsSrvRouting"}
    for verb in ("New", "Set"):
        for parameter in (
            lync_commands(version).get(f"{verb}-{noun}".lower(), command("Get-CsSite")).parameters.values()
        ):
            if parameter.name not in {*beside, "Filter"}:
                held = NOUNS[noun].by_parameter(parameter.name, version)
                assert held is not None, parameter.name
                assert parameter.values in (None, ENUMERATIONS.get(held.type)), parameter.name


def test_built_in_commands_come_with_their_version_of_powershell() -> None:
    assert "listimported" in catalogue.powershell_commands("5.1")["get-command"].parameters
    assert "listimported" not in catalogue.powershell_commands("2.0")["get-command"].parameters
    assert "informationaction" not in common_parameters(command("Get-CsSite"), "4.0")
    assert "informationaction" in common_parameters(command("Get-CsSite"), "5.1.14393.1884")


@pytest.mark.parametrize("version", PRODUCT_VERSIONS)
def test_members_of_enumerations_are_names_which_a_compiler_takes(version: str) -> None:
    members = {
        (command.name, value)
        for command in lync_commands(version).values()
        for parameter in command.parameters.values()
        for value in parameter.values or ()
    }
    assert [each for each in members if not each[1].isidentifier()] == []
