# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""W32Time's configuration: policies go before the registry, and only what differs is written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import w32time
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.w32time import (
    POLICY_KEY,
    SERVICE_KEY,
    Configuration,
    check,
    plan,
    read,
    read_peers,
    with_triggers,
    write_peers,
)
from hypothesis import given
from hypothesis import strategies as st

DOMAIN_MEMBER = {
    SERVICE_KEY: {"Start": 2},
    SERVICE_KEY + r"\Parameters": {"Type": "NT5DS", "NtpServer": "time.windows.com,0x8"},
    SERVICE_KEY + r"\Config": {
        "MinPollInterval": 10,
        "MaxPollInterval": 15,
        "MaxPosPhaseCorrection": -1,
        "MaxNegPhaseCorrection": 4294967295,
        "UtilizeSslTimeData": 1,
    },
    SERVICE_KEY + r"\TimeProviders\NtpClient": {"SpecialPollInterval": 3600, "Enabled": 1},
    SERVICE_KEY + r"\TriggerInfo\0": {"Type": 3, "Action": 1},
    SERVICE_KEY + r"\TriggerInfo\1": {"Type": 3, "Action": 2},
    SERVICE_KEY + r"\TimeProviders\VMICTimeProvider": {"Enabled": 1},
}


def configuration(status: str | None = "Running", **keys: dict[str, Any]) -> Configuration:
    """The domain member with changes, given as the last part of the key; ``policy_`` before it means the
    policy's.
    """
    values = {key: dict(inner) for key, inner in DOMAIN_MEMBER.items()}
    for name, inner in keys.items():
        root = POLICY_KEY if name.startswith("policy_") else SERVICE_KEY
        last = name.removeprefix("policy_")
        subkey = {"NtpClient": r"TimeProviders\NtpClient"}.get(last, last)
        values.setdefault(f"{root}\\{subkey}", {}).update(inner)
    return read(values, status)


def texts(planned: w32time.Plan) -> list[str]:
    return [command.as_text() for command in planned.commands]


def test_a_domain_member_as_windows_makes_it() -> None:
    assert configuration().as_options() == {
        "type": "domain_hierarchy",
        "peers": [{"host": "time.windows.com", "flags": ["client"]}],
        "special_poll_interval": 3600,
        "min_poll_interval": 10,
        "max_poll_interval": 15,
        "max_pos_phase_correction": 0xFFFFFFFF,
        "max_neg_phase_correction": 0xFFFFFFFF,
        "ntp_client": True,
        "ssl_time_data": True,
        "vm_provider": True,
        "triggers": ["start/domainjoin", "stop/domainleave"],
        "start_mode": "automatic",
        "service_state": "started",
    }
    assert configuration().correction_limits() == (float("inf"), float("inf"))


def test_a_policy_goes_before_the_registry() -> None:
    found = configuration(policy_Parameters={"Type": "NTP", "NtpServer": "gpo.contoso.com,0x9"})
    assert found.in_force["type"] == "manual"
    assert found.own["type"] == "domain_hierarchy"
    assert found.policies == {
        "type": POLICY_KEY + r"\Parameters\Type",
        "peers": POLICY_KEY + r"\Parameters\NtpServer",
    }


def test_a_policy_that_wants_something_else_is_named_and_nothing_is_done() -> None:
    found = configuration(policy_NtpClient={"SpecialPollInterval": 1024})
    planned = plan(found, {"special_poll_interval": 900, "vm_provider": False})
    assert planned.overridden == {
        "special_poll_interval": POLICY_KEY + r"\TimeProviders\NtpClient\SpecialPollInterval"
    }
    assert planned.commands == ()
    assert plan(found, {"special_poll_interval": 1024}).changed == ()


def test_an_edge_server_gets_its_peers() -> None:
    peers = [
        {"host": "ntp1.contoso.com", "flags": ["client"]},
        {"host": "10.0.0.9", "flags": ["client", "use_as_fallback_only"]},
    ]
    planned = plan(configuration(), {"type": "manual", "peers": peers, "max_pos_phase_correction": 54000})
    assert texts(planned) == [
        rf"New-ItemProperty -LiteralPath '{SERVICE_KEY}\Config' "
        "-Name MaxPosPhaseCorrection -Value 54000 -PropertyType DWord -Force",
        "w32tm /config '/manualpeerlist:ntp1.contoso.com,0x8 10.0.0.9,0xa' /syncfromflags:manual /update",
    ]
    assert planned.changed == ("type", "peers", "max_pos_phase_correction")


def test_the_domain_hierarchy_and_the_vm_provider_need_a_restart() -> None:
    member = configuration(Parameters={"Type": "NTP"})
    assert texts(plan(member, {"type": "domain_hierarchy", "vm_provider": False})) == [
        rf"New-ItemProperty -LiteralPath '{SERVICE_KEY}\TimeProviders\VMICTimeProvider' "
        "-Name Enabled -Value 0 -PropertyType DWord -Force",
        "w32tm /config /syncfromflags:domhier /update",
        "Restart-Service -Name W32Time -Force",
    ]


@pytest.mark.parametrize(
    ("status", "wanted", "expected"),
    [
        ("Stopped", {"service_state": "started"}, ["Start-Service -Name W32Time"]),
        ("Running", {"service_state": "stopped"}, ["Stop-Service -Name W32Time -Force"]),
        ("Running", {"start_mode": "manual"}, ["Set-Service -Name W32Time -StartupType Manual"]),
        ("Stopped", {"type": "none"}, ["w32tm /config /syncfromflags:no"]),
        (
            "Stopped",
            {"vm_provider": False, "service_state": "started"},
            ["New", "Start-Service -Name W32Time", "w32tm /config /update"],
        ),
        (
            None,
            {"type": "all", "service_state": "started"},
            ["w32tm /register", "Start-Service -Name W32Time", "w32tm /config /syncfromflags:all /update"],
        ),
    ],
)
def test_the_service_itself(status: str | None, wanted: dict[str, Any], expected: list[str]) -> None:
    found = texts(plan(configuration(status), wanted))
    assert [text if not text.startswith("New-") else "New" for text in found] == expected


def test_a_limit_of_always_is_sent_as_the_dword_that_it_is() -> None:
    found = configuration(Config={"MaxPosPhaseCorrection": 54000})
    assert "-Value (-1) " in texts(plan(found, {"max_pos_phase_correction": 0xFFFFFFFF}))[0]


def test_without_its_key_the_vm_provider_is_off() -> None:
    values = {key: inner for key, inner in DOMAIN_MEMBER.items() if "VMIC" not in key}
    assert plan(read(values, "Running"), {"vm_provider": False}).changed == ()


hosts = st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True)
peer_lists = st.lists(
    st.fixed_dictionaries(
        {"host": hosts, "flags": st.sets(st.sampled_from(sorted(w32time.FLAGS))).map(sorted)}
    ),
    max_size=5,
)


@given(peer_lists)
def test_peers_come_back_as_they_were_written(peers: list[dict[str, Any]]) -> None:
    back = read_peers(write_peers(peers))
    assert back is not None
    assert [(peer["host"], set(peer["flags"])) for peer in back] == [
        (peer["host"], set(peer["flags"])) for peer in peers
    ]


@given(peer_lists.flatmap(lambda peers: st.tuples(st.just(peers), st.permutations(peers))))
def test_the_order_of_peers_means_nothing(both: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    peers, shuffled = both
    found = configuration(Parameters={"NtpServer": write_peers(peers)})
    assert plan(found, {"peers": shuffled}).changed == ()


def test_flags_are_foretold_in_the_order_in_which_they_come_back() -> None:
    planned = plan(configuration(), {"peers": [{"host": "a", "flags": ["client", "special_interval"]}]})
    assert planned.after == {"peers": read_peers("a,0x9")}


@pytest.mark.parametrize("host", ["", "two hosts", "a,0x9", 'quoted"', "/update", "-x"])
def test_a_host_that_would_break_the_list_is_refused(host: str) -> None:
    with pytest.raises(UnusableArgument, match=r"peers: .* is not the name or address of one time server"):
        check({"peers": [{"host": host, "flags": []}]})


def test_flags_are_decimal_or_hexadecimal_numbers() -> None:
    assert read_peers("a,9 b,0x9 c,09") == [
        {"host": host, "flags": ["special_interval", "client"]} for host in "abc"
    ]


WRONG_KINDS: list[tuple[str, str, str, Any, Any, list[str]]] = [
    # option, subkey, name, what the registry holds, what is wanted, the statement that gives it the right kind
    ("type", "Parameters", "Type", "Odd", "manual", ["-Value NTP", "-PropertyType String"]),
    ("type", "Parameters", "Type", ["NTP"], "manual", ["-Value NTP", "-PropertyType String"]),
    ("peers", "Parameters", "NtpServer", "a,b", [{"host": "a"}], ["-Value 'a,0x8'", "-PropertyType String"]),
    (
        "peers",
        "Parameters",
        "NtpServer",
        ["a,0x8"],
        [{"host": "a"}],
        ["-Value 'a,0x8'", "-PropertyType String"],
    ),
    ("min_poll_interval", "Config", "MinPollInterval", "ten", 10, ["-Value 10", "-PropertyType DWord"]),
    ("min_poll_interval", "Config", "MinPollInterval", "10", 10, ["-Value 10", "-PropertyType DWord"]),
    (
        "max_pos_phase_correction",
        "Config",
        "MaxPosPhaseCorrection",
        b"\1",
        60,
        ["-Value 60", "-PropertyType DWord"],
    ),
]


@pytest.mark.parametrize(("option", "subkey", "name", "raw", "wanted", "written"), WRONG_KINDS)
def test_a_value_of_the_wrong_kind_is_shown_as_it_stands_and_can_be_repaired(
    option: str, subkey: str, name: str, raw: Any, wanted: Any, written: list[str]
) -> None:
    wanted = [{"flags": ["client"], **peer} for peer in wanted] if option == "peers" else wanted
    found = configuration(**{subkey: {name: raw}})
    assert found.in_force[option] == (raw if not isinstance(raw, bytes) else "AQ==")
    assert list(found.problems) == [option]
    assert name in found.problems[option]
    assert found.correction_limits() == (float("inf"), float("inf"))
    planned = plan(found, {option: wanted})
    assert planned.changed == (option,)
    (repair,) = (command.as_text() for command in planned.commands if command.name == "New-ItemProperty")
    assert all(part in repair for part in [f"-Name {name}", *written, "-Force"])
    assert not planned.restorable


@pytest.mark.parametrize(
    ("before", "wanted", "restored"),
    [
        (
            {"Parameters": {"Type": "NT5DS"}},
            {"type": "none"},
            ["w32tm /config /syncfromflags:domhier /update", "Restart-Service -Name W32Time -Force"],
        ),
        ({}, {"service_state": "stopped"}, ["Start-Service -Name W32Time"]),
        ({}, {"start_mode": "manual"}, ["Set-Service -Name W32Time -StartupType Automatic"]),
        (
            {"Config": {"MaxPosPhaseCorrection": 54000}},
            {"max_pos_phase_correction": 4294967295},
            [
                rf"New-ItemProperty -LiteralPath '{SERVICE_KEY}\Config' -Name MaxPosPhaseCorrection -Value 54000 "
                "-PropertyType DWord -Force",
                "w32tm /config /update",
            ],
        ),
        (
            {"Config": {"MinPollInterval": "ten"}},
            {"min_poll_interval": 10},
            [
                rf"New-ItemProperty -LiteralPath '{SERVICE_KEY}\Config' -Name MinPollInterval -Value ten "
                "-PropertyType String -Force",
                "w32tm /config /update",
            ],
        ),
        (
            {"Config": {"MinPollInterval": None}},
            {"min_poll_interval": 10},
            [
                rf"Remove-ItemProperty -LiteralPath '{SERVICE_KEY}\Config' -Name MinPollInterval",
                "w32tm /config /update",
            ],
        ),
    ],
)
def test_what_leads_back(before: dict[str, Any], wanted: dict[str, Any], restored: list[str]) -> None:
    planned = plan(configuration(**before), wanted)
    assert [command.as_text() for command in planned.restore_commands] == restored


def test_a_service_that_was_not_registered_is_unregistered_again() -> None:
    planned = plan(configuration(None), {"service_state": "started"})
    assert [command.as_text() for command in planned.restore_commands] == ["w32tm /unregister"]
    assert not planned.restorable


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(sorted(w32time.TYPES)),
            "special_poll_interval": st.integers(1, 10**6),
            "max_neg_phase_correction": st.integers(0, 2**32 - 1),
            "vm_provider": st.booleans(),
            "start_mode": st.sampled_from(sorted(w32time.START_MODES)),
        },
    )
)
def test_what_is_fulfilled_needs_nothing(wanted: dict[str, Any]) -> None:
    planned = plan(configuration(), wanted)
    assert bool(planned.commands) is bool(planned.changed)
    fulfilled = Configuration(
        {**configuration().in_force, **planned.after},
        {},
        {},
        wanted.get("start_mode", "automatic"),
        "started",
    )
    assert plan(fulfilled, wanted).changed == ()


NETWORK = ["start/networkon", "stop/networkoff"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"type": "manual"}, NETWORK),
        ({"start_mode": "automatic"}, None),
        ({"type": "manual", "start_mode": "manual"}, None),
        ({"type": "manual", "service_state": "stopped"}, None),
        ({"type": "domain_hierarchy", "start_mode": "automatic"}, None),
    ],
)
def test_a_service_that_follows_its_own_peers_is_to_survive_a_start_without_domain(
    wanted: dict[str, Any], expected: list[str] | None
) -> None:
    assert with_triggers(configuration().as_options(), wanted).get("triggers") == expected


def test_triggers_of_the_network_are_left_alone() -> None:
    found = configuration(**{r"TriggerInfo\0": {"Type": 2}, r"TriggerInfo\1": {"Type": 2}})
    assert found.triggers == tuple(NETWORK)
    assert "triggers" not in with_triggers(found.as_options(), {"type": "manual"})


def test_triggers_are_put_back_as_they_were() -> None:
    planned = plan(configuration(Parameters={"Type": "NTP"}), {"triggers": NETWORK})
    assert texts(planned) == ["sc.exe triggerinfo W32Time start/networkon stop/networkoff"]
    assert [command.as_text() for command in planned.restore_commands] == [
        "sc.exe triggerinfo W32Time start/domainjoin stop/domainleave"
    ]
    assert planned.restorable


def test_a_trigger_of_an_unknown_kind_is_shown_and_cannot_be_put_back() -> None:
    found = configuration(**{r"TriggerInfo\2": {"Type": 20, "Action": 1}})
    assert found.triggers == ("start/domainjoin", "stop/domainleave", "20/1")
    assert not plan(found, {"triggers": NETWORK}).restorable
