# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a server's time service, its source and its Windows: each is told apart over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from running import RunningLab

from .conftest import Ansible, Start

AnsibleAt = Callable[[RunningLab], Ansible]
HOUR = 3600
NTP1, LIAR, DEAD = "ntp1.contoso.com", "liar.contoso.com", "dead.contoso.com"
TIME_SERVERS = {NTP1: {}, LIAR: {"offset": 5 * HOUR}, DEAD: {"reachable": False}}
OFF = {"offset": -HOUR}


def pool(servers: Mapping[str, Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A deployment of one pool of these Front Ends, and an Edge Server in a workgroup."""
    return {
        "sites": {"Redmond": {}},
        "pools": {
            "pool01.contoso.com": {
                "site": "Redmond",
                "edge": "edge.contoso.com",
                "computers": [{"name": name, **details} for name, details in servers.items()],
            }
        },
        "edges": {
            "edge.contoso.com": {"site": "Redmond", "computers": ["edge01"], "next_hop": "pool01.contoso.com"}
        },
        "users": [],
        "time_servers": TIME_SERVERS,
        **more,
    }


def short(found: Mapping[str, Any]) -> dict[str, Any]:
    return {host.partition(".")[0]: result for host, result in found.items()}


# -- clock_info ----------------------------------------------------------------------------------------------

# A console breaks long lines, and a session may read what programs print in another code page than theirs.
GERMAN = {"language": "de", "decimal_comma": True, "columns": 80, "code_pages": ["cp850", "cp1252"]}
FRENCH = {**GERMAN, "language": "fr"}
JAPANESE = {"language": "ja", "columns": 80, "code_pages": ["cp932", "cp437"]}
TROUBLED: dict[str, dict[str, Any]] = {
    "well": {},
    "stopped": {"time_service": {"running": False}},
    "disabled": {"time_service": {"running": False, "start": "disabled"}},
    "unregistered": {"time_service": {"registered": False}},
    "nosync": {"time_service": {"type": "NoSync"}},
    "never": {"time_service": {"type": "NTP", "peers": f"{DEAD},0x8", "last_sync_seconds": "never"}},
    "liar": {"clock": {"offset": 5 * HOUR}, "time_service": {"type": "NTP", "peers": f"{LIAR},0x8"}},
    "guest": {"time_service": {"hyper_v_host": {"offset": 90}}},
    "german": {"time_service": GERMAN},
    "lost": {"time_service": {**GERMAN, "type": "NTP", "peers": f"{DEAD},0x8", "last_sync_seconds": "never"}},
    "french": {"time_service": FRENCH, "clock": {"offset": -42.125}},
    "japanese": {"time_service": JAPANESE},
    "old": {"clock": {"tzutil": False, "time_zone": "W. Europe Standard Time", "daylight_saving": False}},
    "odd": {"time_service": {"registry": {"Parameters": {"NtpServer": "ntp1,often"}}}},
}
RUNS = {"synchronised": True, "stratum": 3, "last_sync_error": None}


@pytest.mark.parametrize(
    ("version", "powershell"),
    [
        pytest.param(2010, "2.0", marks=pytest.mark.sweep),
        (2013, "4.0"),
        pytest.param(2019, "5.1", marks=pytest.mark.sweep),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_is_known(
    version: int, powershell: str, start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("clock", version=version, powershell=powershell, **pool(TROUBLED))
    asked = [NTP1, LIAR, DEAD, "nobody.contoso.com"]
    found = short(ansible_at(lab).modules("clock_info", hosts="front_ends", ntp_servers=asked))
    assert lab.writes() == []
    assert set(found) == set(TROUBLED)
    for name, result in found.items():
        offset = TROUBLED[name].get("clock", {}).get("offset", 0.0) * 1000
        assert abs(result["offset_ms"] - offset) <= result["uncertainty_ms"], name
        by_name = {each["name"]: each for each in result["ntp_servers"]}
        assert by_name[NTP1]["offset_ms"] == pytest.approx(offset, abs=0.1)
        assert by_name[LIAR]["offset_ms"] == pytest.approx(offset - 5 * HOUR * 1000, abs=0.1)
        assert (by_name[DEAD]["offset_ms"], by_name[DEAD]["errors"]) == (None, ["0x800705B4"] * 3)
        assert by_name[DEAD]["unknown_host"] is False
        assert (by_name[asked[3]]["offset_ms"], by_name[asked[3]]["errors"]) == (None, ["0x80072AF9"])
        assert by_name[asked[3]]["unknown_host"] is True
        assert result["time_zone"]["zone"] is not None, name

    trouble = {
        name: [each for each in result["trouble"] if "time server" not in each]
        for name, result in found.items()
    }
    assert {name: said for name, said in trouble.items() if said} == {
        "stopped": ["W32Time is stopped."],
        "disabled": ["W32Time is stopped and disabled."],
        "unregistered": ["W32Time is not registered."],
        "odd": [
            r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\Parameters\NtpServer is ntp1,often, and the flags of a "
            "peer must be a number."
        ],
    }
    assert all(
        "The time server dead.contoso.com does not answer" in str(each["trouble"]) for each in found.values()
    )
    standing = {name: result["synchronisation"] for name, result in found.items()}
    assert {name for name, status in standing.items() if status is None} == {
        "stopped",
        "disabled",
        "unregistered",
    }
    for name in ("well", "german", "french", "japanese", "old"):
        assert {key: standing[name][key] for key in RUNS} == RUNS, name
        assert 600 <= standing[name]["seconds_since_last_sync"] < 700, name
        assert standing[name]["root_dispersion_ms"] == 34.628
    assert standing["liar"]["source"] == f"{LIAR},0x8"
    assert standing["guest"]["source"] == "VM IC Time Synchronization Provider"
    for name in ("nosync", "never", "lost"):
        assert (standing[name]["synchronised"], standing[name]["stratum"]) == (False, 0), name
        assert standing[name]["seconds_since_last_sync"] is None, name
        assert standing[name]["last_sync_error"] == "no time data was available", name
    assert found["old"]["time_zone"] == {
        "zone": "W. Europe Standard Time",
        "daylight_saving": False,
        "utc_offset_minutes": 60,
        "hardware_clock_in_utc": False,
    }
    assert found["odd"]["time_service"]["peers"] == "ntp1,often"
    states = {name: result["time_service"] for name, result in found.items() if name != "odd"}
    assert {
        name: state["start_mode"] for name, state in states.items() if state["start_mode"] != "automatic"
    } == {
        "disabled": "disabled",
        "unregistered": None,
    }
    assert states["unregistered"]["service_state"] is None
    assert states["nosync"]["type"] == "none"
    assert (states["guest"]["vm_provider"], states["well"]["vm_provider"]) == (True, None)


def test_a_server_without_tzutil_keeps_its_zone_and_says_why(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("clock", version=2010, powershell="2.0", **pool({"old": {"clock": {"tzutil": False}}}))
    failed = ansible_at(lab).module("time_zone", hosts="front_ends", zone="UTC")
    assert (failed["reached"], failed["status"]) == ("FAILED!", "unknown")
    assert "tzutil does not exist on old.contoso.com; it came with Windows Server 2008 R2." in failed["msg"]
    assert lab.writes() == []


# -- clock ---------------------------------------------------------------------------------------------------

UNHELPED: dict[str, tuple[dict[str, Any], str]] = {
    "stopped": ({"running": False}, "W32Time is stopped there. Start it with time_service."),
    "disabled": (
        {"running": False, "start": "disabled"},
        "W32Time is stopped and disabled there. Start it with time_service, start_mode: automatic.",
    ),
    "unregistered": ({"registered": False}, "W32Time is not registered there. Set it up with time_service."),
    "nosync": (
        {"type": "NoSync"},
        "W32Time follows nobody there (NoSync). Give it a source with time_service.",
    ),
}
UNHEARD: dict[str, tuple[dict[str, Any], str]] = {
    "dead": (
        {"type": "NTP", "peers": f"{DEAD},0x8"},
        "W32Time did not synchronise: no time data was available",
    ),
    "liar": (
        {"type": "NTP", "peers": f"{LIAR},0x8"},
        f"W32Time says that it is synchronised with {LIAR},0x8, stratum 3: that source has "
        "another time than the controller.",
    ),
    "guest": (
        {"hyper_v_host": {"offset": 90}, "language": "de", "decimal_comma": True},
        "W32Time says that it is synchronised with VM IC Time Synchronization Provider",
    ),
}


@pytest.mark.engine_core
def test_why_a_clock_is_not_put_right(start: Start, ansible_at: AnsibleAt) -> None:
    cases = {**UNHELPED, **UNHEARD}
    servers = {name: {"clock": OFF, "time_service": service} for name, (service, _) in cases.items()}
    lab = start("clock", **pool(servers))
    found = short(ansible_at(lab).modules("clock", hosts="front_ends", samples=2, timeout=0))
    for name, (_, sentence) in cases.items():
        assert found[name]["reached"] == "FAILED!", (name, found[name])
        assert found[name]["status"] == "drifted"
        assert sentence in found[name]["msg"], (name, found[name]["msg"])
        assert found[name]["msg"].endswith("Nothing has been changed.") == (name in UNHELPED)
    touched = {entry["server"].partition(".")[0] for entry in lab.commands() if entry["writes"]}
    assert touched == set(UNHEARD)


@pytest.mark.parametrize("number", [3, pytest.param(4, marks=pytest.mark.sweep)])
def test_a_change_that_is_too_big_for_w32time_is_found_by_measuring(
    number: int, start: Start, ansible_at: AnsibleAt
) -> None:
    """The registry has no limit any more, and the service that runs has not heard of it."""
    limits = {"registry": {"Config": {"MaxPosPhaseCorrection": 60}}, "change_too_big": number}
    lab = start("clock", **pool({"fe01": {"clock": OFF, "time_service": limits}}))
    config = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\W32Time\Config"
    lab.inject(
        "registry_changed", "fe01.contoso.com", path=config, name="MaxPosPhaseCorrection", value="0xFFFFFFFF"
    )
    ansible = ansible_at(lab)
    failed = ansible.module("clock", hosts="front_ends", samples=2, timeout=0)
    assert failed["status"] == "drifted"
    assert (
        "W32Time did not synchronise: the required change was too big, or the time service "
        "was shutting down (source: dc01.contoso.com"
    ) in failed["msg"]
    found = ansible.module("clock_info", hosts="front_ends", samples=2)["synchronisation"]
    assert (
        found["last_sync_error"] == "the required change was too big, or the time service was shutting down"
    )


def test_a_clock_that_jumped_once_is_judged_by_what_it_is_since(start: Start, ansible_at: AnsibleAt) -> None:
    jumping = {"offset": -HOUR, "jumps": [{"reading": 2, "seconds": HOUR}]}
    lab = start("clock", **pool({"fe01": {"clock": jumping}}))
    ansible = ansible_at(lab)
    ansible.expected_warnings = ["The server's clock jumped by "]
    run, found = ansible.results([{"lync.remediation.clock": {"samples": 4}}], hosts="front_ends")
    assert found["fe01.contoso.com"][0]["status"] == "in_desired_state"
    assert "[WARNING]: The server s clock jumped by 60 min or more while" in run.text.replace(
        "1 h 0 min", "60 min"
    )
    assert lab.writes() == []


# -- errors beyond the correction limit ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "offset",
    [
        -15 * HOUR - 60,
        *(
            pytest.param(offset, marks=pytest.mark.sweep)
            for offset in (15 * HOUR + 60, -40 * 24 * HOUR, 13 * 8766 * HOUR)
        ),
    ],
)
def test_an_error_beyond_the_limit_is_stepped_only_when_allowed_and_certain(
    offset: float, start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("clock", **pool({"fe01": {}}))
    lab.inject("clock_offset", "edge01.contoso.com", seconds=offset)
    ansible = ansible_at(lab)
    cases = [
        ({}, "W32Time corrects no more than 15 h 0 min there, so that it will not put it right."),
        ({"allow_step": True}, "is not set at once: no other clock confirms the controller's."),
        ({"allow_step": True, "ntp_server": LIAR}, f"is not set at once: by {LIAR} it is "),
        (
            {"allow_step": True, "ntp_server": DEAD},
            f"is not set at once: {DEAD} does not answer it (error 0x800705B4).",
        ),
        (
            {"allow_step": True, "ntp_server": "nobody"},
            "is not set at once: nobody does not answer it (error 0x80072AF9)",
        ),
        ({"allow_step": True, "ntp_server": LIAR, "reference_confirmed": True}, f"by {LIAR} it is "),
    ]
    tasks = [{"lync.remediation.clock": {"samples": 2, **options}} for options, _ in cases]
    _, found = ansible.results(tasks, hosts="edges")
    for result, (options, sentence) in zip(found["edge01.contoso.com"], cases, strict=True):
        assert (result["failed"], result["status"]) == (True, "drifted"), (options, result)
        assert sentence in result["msg"], (options, result["msg"])
        assert result["msg"].endswith("Nothing has been changed.")
    assert lab.writes() == []
    stepped = ansible.module("clock", hosts="edges", samples=2, allow_step=True, ntp_server=NTP1)
    assert (stepped["status"], stepped["stepped"]) == ("corrected", True), stepped
    assert abs(stepped["offset_ms"]) < 1000
    assert lab.writes() == ["Set-Date", "w32tm", *["klist"] * 3]


def test_an_error_just_within_the_limit_is_left_to_w32time(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("clock", **pool({"fe01": {}}, time_servers={**TIME_SERVERS, "time.windows.com": {}}))
    lab.inject("clock_offset", "edge01.contoso.com", seconds=-15 * HOUR + 60)
    done = ansible_at(lab).module("clock", hosts="edges", samples=2)
    assert (done["status"], done["stepped"]) == ("corrected", False), done
    assert lab.writes() == ["w32tm", *["klist"] * 3]


# -- group policies ------------------------------------------------------------------------------------------

POLICY = r"HKLM:\SOFTWARE\Policies\Microsoft\W32Time"
CLIENT = r"TimeProviders\NtpClient"
# By option: where the policy's value is, what it says, what that is as an option, and what is asked for.
POLICIES: dict[str, tuple[str, str, Any, Any, Any]] = {
    "type": ("Parameters", "Type", "NTP", "manual", "domain_hierarchy"),
    "peers": (
        "Parameters",
        "NtpServer",
        f"{NTP1},0x9",
        [{"host": NTP1, "flags": ["special_interval", "client"]}],
        [],
    ),
    "special_poll_interval": (CLIENT, "SpecialPollInterval", 1024, 1024, 3600),
    "min_poll_interval": ("Config", "MinPollInterval", 6, 6, 10),
    "max_poll_interval": ("Config", "MaxPollInterval", 12, 12, 15),
    "max_pos_phase_correction": ("Config", "MaxPosPhaseCorrection", 48 * HOUR, 48 * HOUR, 4294967295),
    "max_neg_phase_correction": ("Config", "MaxNegPhaseCorrection", 60, 60, 54000),
}


def test_a_group_policy_in_charge_of_a_value_is_named(start: Start, ansible_at: AnsibleAt) -> None:
    names = {option: option.replace("_", "-") for option in POLICIES}
    policies = {
        names[option]: {"time_service": {"peers": NTP1, "policy": {section: {name: raw}}}}
        for option, (section, name, raw, _, _) in POLICIES.items()
    }
    lab = start("clock", **pool(policies))
    ansible = ansible_at(lab)
    found = short(ansible.modules("clock_info", hosts="front_ends", samples=1))
    for option, (section, name, _, value, _) in POLICIES.items():
        assert found[names[option]]["policies"] == {option: rf"{POLICY}\{section}\{name}"}
        assert found[names[option]]["time_service"][option] == value

    def ask(which: int) -> dict[str, dict[str, Any]]:
        tasks = [
            {
                "lync.remediation.time_service": {option: case[which], "start_without_domain": False},
                "when": f"inventory_hostname_short == '{names[option]}'",
            }
            for option, case in POLICIES.items()
        ]
        _, found = ansible.results(tasks, hosts="front_ends")
        return {
            option: found[f"{names[option]}.contoso.com"][number] for number, option in enumerate(POLICIES)
        }

    for option, refused in ask(4).items():
        section, name, *_ = POLICIES[option]
        assert (refused["failed"], refused["status"]) == (True, "drifted"), (option, refused)
        assert refused["msg"].startswith(f"A group policy decides: {option} is ")
        assert rf" by {POLICY}\{section}\{name}, and " in refused["msg"]
        assert refused["msg"].endswith(
            "Change the policy, or ask for what it says. Nothing has been changed."
        )
    for option, content in ask(3).items():
        assert (content["changed"], content["status"]) == (False, "in_desired_state"), (option, content)
    assert lab.writes() == []


def test_a_policy_s_key_without_values_is_no_policy(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("clock", **pool({"fe01": {"time_service": {"policy": {"Config": {}, "Parameters": {}}}}}))
    ansible = ansible_at(lab)
    found = ansible.module("clock_info", hosts="front_ends", samples=1)
    assert (found["policies"], found["time_service"]["min_poll_interval"]) == ({}, 10)
    done = ansible.module("time_service", hosts="front_ends", min_poll_interval=6)
    assert (done["status"], done["after"]) == ("corrected", {"min_poll_interval": 6})
