# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the first write on every request is broken, in every way and in every module that changes something.

Whatever breaks, the task's result must be true. What is true is what the simulated deployment has seen and holds.
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
import pkgutil
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lab.deployment.services import FOREIGN as NOT_LYNC
from lab.engine import EMBEDDED

from .in_process import PLUGINS, Fault, LabInProcess, Worker

pytestmark = pytest.mark.embedded_only(
    "it judges what a lab in the tests' own process holds once nothing runs there, and a PowerShell does not tell that"
)

#: How many requests and commands of a task each trial of the sweeps breaks. With 12 they take a night.
PLACES = int(os.environ.get("PLACES", "2"))
ALWAYS = {"changed", "status", "before", "after", "drift", "commands", "restore_commands", "diff"}

# -- what is changed --------------------------------------------------------------------------------------------------

DEPLOYMENT: dict[str, Any] = {
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
    "sites": {"Redmond": None},
    "pools": {
        "pool01.contoso.com": {
            "site": "Redmond",
            "computers": [
                "fe01",
                {"name": "fe02", "clock": {"offset": 30}, "time_service": {"slew_seconds": 0}},
                {"name": "fe03", "clock": {"offset": 900000}, "services": {"activity": {"RTCAVMCU": 4}}},
            ],
            "computer_endpoints": True,
        }
    },
    # Basic authentication hands the password over, for the second hop to the store.
    "inventory": {"computers": "basic"},
    "clock": {"time_zone": "Central Standard Time"},
    "time_servers": {"ntp1.contoso.com": {}},
    "replication": {"seconds": 0, "replicas": {"fe02.contoso.com": 1000}},
    "certificates": {"stored": {"days_left": 900}},
    "edges": {
        "edge.contoso.com": {
            "site": "Redmond",
            "computers": ["edge01"],
            "next_hop": "pool01.contoso.com",
            "computer_endpoints": True,
        }
    },
    "users": [
        {"name": name, "pool": "pool01.contoso.com", **held}
        for name, held in {"ken": {}, "pilar": {"policies": {"ConferencingPolicy": "Audio"}}}.items()
    ],
    "settings": {
        "ExternalAccessPolicy": [{"Identity": "Tag:Partners", "EnableFederationAccess": True}],
        "ConferencingPolicy": [{"Identity": "Tag:Audio"}, {"Identity": "Tag:Video"}],
        "PublicProvider": [
            {
                "Identity": "MSN",
                "ProxyFqdn": "federation.messenger.msn.com",
                "VerificationLevel": "UseSourceVerification",
                "Enabled": True,
            }
        ],
    },
}
VERSIONS = {"2.1": {"version": 2013, "powershell": "2.0"}, "2.3": {"version": 2019}}

State = Callable[[LabInProcess], Any]
Fulfilled = Callable[[LabInProcess], bool]


@dataclass(frozen=True, eq=False)
class Subject:
    """A task that writes on a host.

    ``state`` is what it changes, as the deployment holds it, and ``is_fulfilled`` whether that is as wanted.
    ``prepare`` makes the deployment such that there is something to do; ``earlier`` does so with tasks of an earlier
    run, whose journal is in the folder that it is given, and returns more arguments. ``is_exact``: the state shows
    whether anything has been changed; else a command that may have done something counts as a change as well.
    ``has_way_back``: there are commands that take it back. ``repeats``: it sends again what did not take effect, once
    it has read that. ``again``: what more has to be said to a second attempt. ``asks_others``: it speaks to other hosts
    of the inventory. ``changes``: how many of it the journal has at most.
    """

    module: str
    arguments: Mapping[str, Any]
    host: str
    state: State
    is_fulfilled: Fulfilled
    prepare: Callable[[LabInProcess], None] = lambda lab: None
    is_exact: bool = True
    has_way_back: bool = True
    repeats: bool = False
    also: Callable[[LabInProcess], Mapping[str, Any]] = lambda lab: {}
    again: Mapping[str, Any] = field(default_factory=dict)
    asks_others: bool = False
    earlier: Callable[[LabInProcess, Path], Mapping[str, Any]] = lambda lab, journal: {}
    changes: int = 1

    def given(self, lab: LabInProcess, journal: Path) -> Mapping[str, Any]:
        """The task's arguments. What they ask for may be the deployment's to say."""
        arguments = {**self.arguments, **self.also(lab), **self.earlier(lab, journal)}
        lab.forget()
        return arguments

    def run(
        self,
        worker: Worker,
        lab: LabInProcess,
        arguments: Mapping[str, Any],
        variables: Mapping[str, Any],
    ) -> dict[str, Any]:
        others = {"hostvars": lab.hostvars} if self.asks_others else {}
        return worker.run(self.module, arguments, **variables, **others)

    def has_failed(self, result: Mapping[str, Any]) -> bool:
        """Whether people and playbooks are told so."""
        return bool(result.get("failed") or result.get("unreachable"))

    def named(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a second attempt has left alone until a person names it."""
        return {}

    #: What a result has as well that says so.
    TOLD = frozenset({"msg", "failure"})


class Enforced(Subject):
    """A task whose failure is a verdict, so that the play goes on to tell it."""

    TOLD = frozenset({"verdict", "refusal", "failure", "findings"})

    def has_failed(self, result: Mapping[str, Any]) -> bool:
        return result["verdict"] != "clean"

    def named(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """A value that a server did not keep is not set once more by itself."""
        left = [each["id"] for each in result["findings"] if each["held"]]
        return {"only": ",".join(left)} if left else {}


def setting(
    module: str, arguments: Mapping[str, Any], noun: str, identity: str, wanted: Mapping[str, Any] | None
) -> Subject:
    """``wanted`` are properties of the object; None where it is to be gone."""

    def is_fulfilled(lab: LabInProcess) -> bool:
        objects = lab.status()["settings"].get(noun, ())
        found = next((each for each in objects if each["Identity"] == identity), None)
        if found is None or wanted is None:
            return found is wanted
        return all(found[name] == value for name, value in wanted.items())

    return Subject(
        module, arguments, "pool01.contoso.com", lambda lab: lab.status()["settings"], is_fulfilled
    )


def on_computer(
    module: str, arguments: Mapping[str, Any], host: str, state: State, is_fulfilled: Fulfilled, **more: Any
) -> Subject:
    return Subject(module, arguments, f"{host}.contoso.com", state, is_fulfilled, **more)


def registry(host: str) -> State:
    """All of a computer's registry."""

    def dump(lab: LabInProcess) -> Any:
        held = lab.deployment.machine(f"{host}.contoso.com").registry

        def below(path: str) -> Iterator[tuple[Any, ...]]:
            yield (path, *((value.name, value.data, value.kind) for value in held.values(path)))
            for key in held.subkeys(path):
                yield from below(key)

        return sorted(below("HKEY_LOCAL_MACHINE"))

    return dump


def registry_has(host: str, *wanted: tuple[str, Any]) -> Fulfilled:
    def is_fulfilled(lab: LabInProcess) -> bool:
        found = {(name, data) for _path, *values in registry(host)(lab) for name, data, _kind in values}
        return all(any(n == name and data in (d, ...) for n, d in found) for name, data in wanted)

    return is_fulfilled


def services(host: str) -> State:
    """Those that are stopped and started; Windows' own, which are listed among them, are not."""
    return lambda lab: {
        service.name: service.status
        for service in lab.deployment.machine(f"{host}.contoso.com").services.values()
        if service.is_lync and service.name not in NOT_LYNC
    }


def are_all(host: str, status: str) -> Fulfilled:
    def is_fulfilled(lab: LabInProcess) -> bool:
        lab.deployment.settle()
        return set(services(host)(lab).values()) == {status}

    return is_fulfilled


def clock_is_right(host: str) -> Callable[[LabInProcess], bool]:
    return lambda lab: abs(lab.deployment.machine(f"{host}.contoso.com").clock.error()) < 1


def have_been_down(host: str) -> Fulfilled:
    """Whether the services run, have been stopped or started since the deployment's beginning, and nobody's mark says
    that they are being stopped.
    """
    running = are_all(host, "Running")

    def is_fulfilled(lab: LabInProcess) -> bool:
        held = lab.deployment.machine(f"{host}.contoso.com").services.values()
        is_marked = any(path.endswith(r"\Stopping") and marks for path, *marks in registry(host)(lab))
        return running(lab) and not is_marked and any(service.attempt for service in held if service.is_lync)

    return is_fulfilled


def policies(lab: LabInProcess) -> dict[str, Any]:
    return {name: user["policies"] for name, user in lab.status()["users"].items()}


def replicas_behind(lab: LabInProcess) -> list[str]:
    return [name for name, state in lab.status()["replicas"].items() if not state["up_to_date"]]


def leave_replicas_behind(lab: LabInProcess) -> None:
    lab.deployment.store.put(
        "CsMediaConfiguration",
        "Global",
        dict(lab.deployment.store.state["CsMediaConfiguration"]["global"][1]),
    )

    def catch_up(command: str) -> None:
        lab.leap(2000)

    lab.on_write = catch_up


AV = "AudioVideoAuthentication"


def certificates(lab: LabInProcess) -> tuple[str, str | None]:
    """What A/V authentication has, and what is to follow."""
    held = lab.deployment.certificates("edge01.contoso.com")
    rolled = held.rolled.get(AV)
    return held.assigned[AV].thumbprint, None if rolled is None else rolled.certificate.thumbprint


def another(lab: LabInProcess) -> str:
    """The certificate that nothing but A/V authentication may have."""
    held = lab.deployment.certificates("edge01.contoso.com")
    others = {certificate.thumbprint for use, certificate in held.assigned.items() if use != AV}
    return max(
        (each for each in held.stored.values() if each.thumbprint not in others),
        key=lambda each: each.certificate.not_valid_after_utc,
    ).thumbprint


def taken_back(
    host: str, fulfilled: Fulfilled, state: State, *tasks: tuple[str, Mapping[str, Any]]
) -> Subject:
    """Changes of an earlier run."""

    def make(lab: LabInProcess, journal: Path) -> Mapping[str, Any]:
        worker = Worker(
            lab.variables(f"{host}.contoso.com"), journal.with_name(f"{journal.name} earlier"), journal
        )
        for module, arguments in tasks:
            made = worker.run(module, arguments, **QUICK)
            assert made["status"] == "corrected", _gist(made)
        worker.reset_connection()
        (run,) = journal.glob("*.jsonl")
        return {"run": run.stem}

    return on_computer("roll_back", {}, host, state, fulfilled, earlier=make, changes=len(tasks))


def settings(lab: LabInProcess) -> Any:
    return lab.status()["settings"]


def holds(noun: str, identity: str, **values: Any) -> Fulfilled:
    def is_fulfilled(lab: LabInProcess) -> bool:
        found = [each for each in settings(lab)[noun] if each["Identity"] == identity]
        return bool(found) and values.items() <= found[0].items()

    return is_fulfilled


#: What somebody has changed by hand.
BY_HAND = {
    ("CsMediaConfiguration", "Global"): {"EnableQoS": True},
    ("CsExternalAccessPolicy", "Tag:Partners"): {"EnableFederationAccess": False},
}


def differing(lab: LabInProcess, journal: Path) -> Mapping[str, Any]:
    """A baseline has been written down, and two settings are other than it says."""
    home = journal.with_name(f"{journal.name} home")
    arguments = {
        "deployment": "contoso",
        "baseline": str(home / "baseline"),
        "state": str(home / "state"),
        "state_persists": True,
        "nouns": [noun for noun, _identity in BY_HAND],
    }
    worker = Worker(lab.variables(DRIFT_HOST), journal.with_name(f"{journal.name} earlier"), journal)
    assert worker.run("drift_export", arguments, **QUICK)["verdict"] == "clean"
    worker.reset_connection()
    for (noun, identity), values in BY_HAND.items():
        held = lab.deployment.store.state[noun][identity.lower()][1]
        lab.deployment.store.put(noun, identity, {**held, **values})
    return arguments


DRIFT_HOST = "pool01.contoso.com"


def in_ten_days() -> str:
    return f"{datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=10):%Y-%m-%dT00:00:00Z}"


SUBJECTS = {
    "certificate assigned": on_computer(
        "certificate_assignment",
        {},
        "edge01",
        certificates,
        lambda lab: certificates(lab) == (another(lab), None),
        also=lambda lab: {"thumbprint": another(lab)},
    ),
    "certificate rolled": on_computer(
        "certificate_assignment",
        {},
        "edge01",
        certificates,
        lambda lab: certificates(lab)[1] == another(lab),
        also=lambda lab: {"thumbprint": another(lab), "effective_date": in_ten_days()},
    ),
    "policy set": setting(
        "external_access_policy",
        {"enable_public_cloud_access": True, "enable_outside_access": True},
        "CsExternalAccessPolicy",
        "Global",
        {"EnablePublicCloudAccess": True, "EnableOutsideAccess": True},
    ),
    "policy created": setting(
        "external_access_policy",
        {"identity": "Tag:Sales", "enable_federation_access": True},
        "CsExternalAccessPolicy",
        "Tag:Sales",
        {"EnableFederationAccess": True},
    ),
    "policy removed": setting(
        "external_access_policy",
        {"identity": "Tag:Partners", "state": "absent"},
        "CsExternalAccessPolicy",
        "Tag:Partners",
        None,
    ),
    "media set": setting(
        "media_configuration",
        {"encryption_level": "SupportEncryption"},
        "CsMediaConfiguration",
        "Global",
        {"EncryptionLevel": "SupportEncryption"},
    ),
    "media created": setting(
        "media_configuration",
        {"identity": "site:Redmond", "enable_qos": True},
        "CsMediaConfiguration",
        "Site:Redmond",
        {"EnableQoS": True},
    ),
    "provider created again": setting(
        "public_provider",
        {"identity": "MSN", "proxy_fqdn": "proxy.fabrikam.com", "enabled": True, "recreate": True},
        "CsPublicProvider",
        "MSN",
        {"ProxyFqdn": "proxy.fabrikam.com", "Enabled": True},
    ),
    "edge set": setting(
        "access_edge_configuration",
        {"allow_federated_users": True},
        "CsAccessEdgeConfiguration",
        "Global",
        {"AllowFederatedUsers": True},
    ),
    "any setting set": setting(
        "setting",
        {"noun": "CsPinPolicy", "properties": {"MinPasswordLength": 9}},
        "CsPinPolicy",
        "Global",
        {"MinPasswordLength": 9},
    ),
    "any setting created": setting(
        "setting",
        {"noun": "CsVoicePolicy", "identity": "Tag:Sales", "properties": {"EnableTeamCall": False}},
        "CsVoicePolicy",
        "Tag:Sales",
        {"EnableTeamCall": False},
    ),
    "policy granted": Subject(
        "policy_assignment",
        {
            "kind": "conferencing_policy",
            "policy": "Video",
            "users": ["sip:ken@contoso.com", "sip:pilar@contoso.com"],
            "retry_timeout": 0,
        },
        "pool01.contoso.com",
        policies,
        lambda lab: all(held == {"ConferencingPolicy": "Video"} for held in policies(lab).values()),
        repeats=True,
    ),
    "replication forced": Subject(
        "replication",
        {"force": True, "timeout": 1, "interval": 1},
        "pool01.contoso.com",
        replicas_behind,
        lambda lab: not replicas_behind(lab),
        leave_replicas_behind,
        is_exact=False,
        has_way_back=False,
    ),
    "zone set": on_computer(
        "time_zone",
        {"zone": "GMT Standard Time", "daylight_saving": False},
        "fe01",
        registry("fe01"),
        registry_has("fe01", ("TimeZoneKeyName", "GMT Standard Time"), ("DynamicDaylightTimeDisabled", 1)),
    ),
    "time service set": on_computer(
        "time_service",
        {
            "type": "manual",
            "peers": [{"host": "ntp1.contoso.com"}],
            "max_pos_phase_correction": 1234,
            "start_mode": "manual",
        },
        "fe01",
        registry("fe01"),
        registry_has(
            "fe01",
            ("Type", "NTP"),
            ("Start", 3),
            ("NtpServer", "ntp1.contoso.com,0x8"),
            ("MaxPosPhaseCorrection", 1234),
        ),
    ),
    "clock resynchronised": on_computer(
        "clock",
        {"timeout": 1, "interval": 1, "samples": 2},
        "fe02",
        clock_is_right("fe02"),
        clock_is_right("fe02"),
        is_exact=False,
        has_way_back=False,
    ),
    "clock stepped": on_computer(
        "clock",
        {"allow_step": True, "reference_confirmed": True, "timeout": 1, "interval": 1, "samples": 2},
        "fe03",
        clock_is_right("fe03"),
        clock_is_right("fe03"),
        is_exact=False,
        has_way_back=False,
    ),
    "restart pending": on_computer(
        "restart_note",
        {"reason": "its zone was another"},
        "fe01",
        registry("fe01"),
        registry_has("fe01", ("Reason", "its zone was another")),
        has_way_back=False,
    ),
    "services stopped": on_computer(
        "server_services",
        {"state": "stopped", "drain_timeout": 1, "interval": 1},
        "fe01",
        services("fe01"),
        are_all("fe01", "Stopped"),
        is_exact=False,
        has_way_back=False,
    ),
    "services started": on_computer(
        "server_services",
        {"state": "running", "start_timeout": 1, "interval": 1},
        "fe01",
        services("fe01"),
        are_all("fe01", "Running"),
        prepare=lambda lab: lab.inject("services_stopped", computer="fe01.contoso.com"),
        is_exact=False,
        has_way_back=False,
    ),
    "server restarted": on_computer(
        "server_restart",
        {
            "management_host": "pool01.contoso.com",
            **{"drain_timeout": 1, "start_timeout": 1, "settle": 0, "interval": 1, "interrupted_wait": 0},
        },
        "fe01",
        services("fe01"),
        have_been_down("fe01"),
        is_exact=False,
        has_way_back=False,
        # The process whose mark may be left is that of the tests, which goes on.
        again={"take_over": ["fe01.contoso.com"]},
        asks_others=True,
    ),
    "policy taken back": taken_back(
        "pool01",
        holds("CsExternalAccessPolicy", "Global", EnablePublicCloudAccess=False, EnableOutsideAccess=False),
        settings,
        (
            "external_access_policy",
            {"enable_public_cloud_access": True, "enable_outside_access": True},
        ),
    ),
    "provider taken back": taken_back(
        "pool01",
        holds("CsPublicProvider", "MSN", ProxyFqdn="federation.messenger.msn.com"),
        settings,
        (
            "public_provider",
            {"identity": "MSN", "proxy_fqdn": "proxy.fabrikam.com", "enabled": True, "recreate": True},
        ),
    ),
    "two changes taken back": taken_back(
        "pool01",
        lambda lab: (
            holds("CsMediaConfiguration", "Global", EncryptionLevel="RequireEncryption")(lab)
            and len(settings(lab)["CsExternalAccessPolicy"]) == 2
        ),
        settings,
        ("external_access_policy", {"identity": "Tag:Sales", "enable_federation_access": True}),
        ("media_configuration", {"encryption_level": "SupportEncryption"}),
    ),
    "zone taken back": taken_back(
        "fe01",
        registry_has("fe01", ("TimeZoneKeyName", "Central Standard Time")),
        registry("fe01"),
        ("time_zone", {"zone": "GMT Standard Time", "daylight_saving": False}),
    ),
    "baseline enforced": Enforced(
        "drift_enforce",
        {"store_copy": False, "max_share": 1.0},
        DRIFT_HOST,
        settings,
        lambda lab: (
            holds("CsMediaConfiguration", "Global", EnableQoS=False)(lab)
            and holds("CsExternalAccessPolicy", "Tag:Partners", EnableFederationAccess=True)(lab)
        ),
        earlier=differing,
        changes=2,
    ),
}


def test_every_module_that_writes_is_a_subject() -> None:
    changing = importlib.import_module(f"{PLUGINS}.plugin_utils.module_action").ModuleAction
    writing = set()
    for module in pkgutil.iter_modules(importlib.import_module(f"{PLUGINS}.modules").__path__):
        described = importlib.import_module(f"{PLUGINS}.modules.{module.name}")
        action = importlib.import_module(f"{PLUGINS}.action.{module.name}").ActionModule
        if issubclass(action, changing) or "\nrestore_commands:" in described.RETURN:
            writing.add(module.name)
    assert writing == {subject.module for subject in SUBJECTS.values()}


#: What only another subject's way of writing shows as well.
ALIKE = {
    "certificate rolled",
    "media set",
    "media created",
    "any setting created",
    "services stopped",
    "services started",
    "clock resynchronised",
}


def once_each(argument: str, names: Collection[str]) -> pytest.MarkDecorator:
    """Each on one version of the protocol, in turn; in a sweep on the other as well."""
    pairs = [
        pytest.param(version, name, marks=[pytest.mark.sweep] if is_more or name in ALIKE else [])
        for number, name in enumerate(names)
        for version, is_more in zip(VERSIONS, (number % 2, not number % 2), strict=True)
    ]
    return pytest.mark.parametrize(("lab", argument), pairs, indirect=["lab"])


EACH_WAY = once_each("subject", SUBJECTS)
SET_AND_CREATED_AGAIN = once_each("subject", ["policy set", "provider created again"])

# -- what breaks ------------------------------------------------------------------------------------------------------

QUICK = {
    "ansible_psrp_reconnection_backoff": 0,
    "ansible_psrp_reconnection_retries": 1,
    "ansible_psrp_operation_timeout": 10,
    "ansible_management_shell_command_timeout": 30,
}
IMPATIENT = {**QUICK, "ansible_psrp_operation_timeout": 1, "ansible_psrp_read_timeout": 2}


@dataclass(frozen=True)
class Kind:
    """A way to break a request."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=lambda: QUICK)


KINDS = {
    "drop before": Kind("drop-before"),
    "503": Kind("status", {"code": 503}),
    "shell unknown": Kind("fault", {"code": 2150858843}),
    "drop after": Kind("drop-after"),
    "401": Kind("status", {"code": 401}),
    "garbage": Kind("garbage"),
    "maintenance": Kind("maintenance"),
    "502": Kind("status", {"code": 502}),
    "truncated": Kind("truncate"),
    "shell vanishes": Kind("shell-vanishes"),
    "aborted": Kind("fault", {"code": 995}),
    "500": Kind("status", {"code": 500}),
    "host process died": Kind("fault", {"code": 1726}),
    "access denied": Kind("fault", {"code": 5}),
    "timed out": Kind("fault", {"code": 2150858793}, IMPATIENT),
    "interrupted": Kind("interrupt"),
    "too late": Kind("delay", {"seconds": 2.2}, IMPATIENT),
    "cut off in chunks": Kind("chunks-cut-off"),
    "reset": Kind("reset"),
    "trickle": Kind("trickle", {"seconds": 2.4}, IMPATIENT),
    "stalled": Kind("trickle", {"seconds": 4.4}, IMPATIENT),
    "wrong type": Kind("wrong-type"),
    "unreadable output": Kind("unreadable-output"),
    "unknown message": Kind("unknown-message"),
    "no final state": Kind("no-final-state"),
    "401 with challenges": Kind("authenticate-again"),
    "shutting down": Kind("fault", {"code": 2150859118}),
    "quota": Kind("fault", {"code": 2150859174}),
    "fault that nobody knows": Kind("fault", {"code": 1359}),
    "host process died after": Kind("fault-after", {"code": 1726}),
    "fault that nobody knows after": Kind("fault-after", {"code": 1359}),
    "503 after": Kind("status-after", {"code": 503}),
    "413 after": Kind("status-after", {"code": 413}),
    "400 after": Kind("status-after", {"code": 400}),
    "502 after": Kind("status-after", {"code": 502}),
    "413": Kind("status", {"code": 413}),
    "429": Kind("status", {"code": 429}),
    "403 after": Kind("status-after", {"code": 403}),
    "404 after": Kind("status-after", {"code": 404}),
    "empty": Kind("status", {"code": 200}),
    "empty after": Kind("status-after", {"code": 200}),
    "sign-in page": Kind("page", {"code": 200}),
    "error page": Kind("page", {"code": 500}),
    "302": Kind("status", {"code": 302}),
    "307": Kind("status", {"code": 307}),
    "308 after": Kind("status-after", {"code": 308}),
    "fault without a code": Kind("fault", {"code": 0}),
    "fault without a code after": Kind("fault-after", {"code": 0}),
    "timed out after": Kind("fault-after", {"code": 2150858793}, IMPATIENT),
    "gone": Kind("gone"),
    "headers cut off": Kind("headers-cut-off"),
    "another request": Kind("another-request"),
    "another pipeline": Kind("another-pipeline"),
    "another pool": Kind("another-pool"),
    "said twice": Kind("said-twice"),
    "failed": Kind("failed"),
    "stopped": Kind("stopped"),
}

COMMAND_KINDS = {
    "hangs": Kind("hang", variables={**IMPATIENT, "ansible_management_shell_command_timeout": 1}),
    "drop before": Kind("drop-before"),
    "error": Kind("error"),
    "no effect": Kind("no-effect"),
    "drop after": Kind("drop-after"),
}

# -- the judge --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], LabInProcess]]:
    """By version of the protocol; each is started when it is first asked for."""
    running: dict[str, LabInProcess] = {}
    sleep = time.sleep

    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        # The deployment comes to everything at once, so that nobody need wait long for it.
        patch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.02)))

        def start(version: str) -> LabInProcess:
            if version not in running:
                number = list(VERSIONS).index(version)
                network = f"127.{100 + os.getpid() % 100}.{number}"
                document = {**DEPLOYMENT, **VERSIONS[version], "network": network}
                lab = LabInProcess(document, tmp_path_factory.mktemp("lab"), number, engine=EMBEDDED)
                running[version] = stack.enter_context(lab)
            return running[version]

        yield start


@pytest.fixture(params=VERSIONS)
def lab(request: pytest.FixtureRequest, labs: Callable[[str], LabInProcess]) -> LabInProcess:
    return labs(request.param)


@dataclass(frozen=True)
class Reference:
    """A task around which nothing breaks.

    ``first_request`` is the number of the one that hands over the first writing pipeline, ``requests`` how many there
    are from that on, and ``pipelines`` which of those hand a pipeline over. ``commands`` are those from the first that
    writes on: name, how often it had run before, and whether it writes.
    """

    first_request: int
    requests: int
    pipelines: list[int]
    commands: list[tuple[str, int, bool]]


@dataclass
class Trial:
    """One task, something that breaks, and the same task again without it."""

    lab: LabInProcess
    subject: Subject
    folder: Path
    troubles: list[str] = field(default_factory=list)

    def reference(self) -> Reference:
        """The task without anything that breaks; made once for all trials of it."""
        known = self.lab.references
        if self.subject not in known:
            known[self.subject] = self._reference()
        return known[self.subject]

    def _reference(self) -> Reference:
        self.lab.reset()
        self.subject.prepare(self.lab)
        arguments = self.subject.given(self.lab, self.folder / "reference")
        result = self.subject.run(self._worker("reference"), self.lab, arguments, QUICK)
        assert result["status"] == "corrected", _gist(result)
        assert self.subject.is_fulfilled(self.lab)
        assert self.lab.first_write is not None
        requests = self.lab.striker.names[self.lab.first_write :]
        names = [command["name"] for command in self.lab.commands]
        writes = [number for number, command in enumerate(self.lab.commands) if command["writes"]]
        return Reference(
            first_request=self.lab.first_write,
            requests=len(requests),
            pipelines=[number for number, name in enumerate(requests) if name == "Command"],
            commands=[
                (name, names[:number].count(name), number in writes)
                for number, name in enumerate(names)
                if number >= writes[0]
            ],
        )

    def run(
        self,
        name: str,
        prepare: Callable[[], None],
        variables: Mapping[str, Any],
        *,
        may_leave_sessions: bool = False,
    ) -> dict[str, Any]:
        """Judge the result of a task around which something breaks; all that is wrong is noted down."""
        lab, subject = self.lab, self.subject
        lab.reset()
        subject.prepare(lab)
        arguments = subject.given(lab, self.folder / name)
        before = subject.state(lab)
        others = frozenset((self.folder / name).glob("*.jsonl"))
        prepare()
        worker = self._worker(name)
        result = subject.run(worker, lab, arguments, variables)
        lab.settle()
        names, faults = lab.striker.names, lab.faults or lab.striker.interrupted
        after = subject.state(lab)
        found = [
            *_false_statements(result, before, after, subject, lab),
            *_not_in_the_journal(
                frozenset((self.folder / name).glob("*.jsonl")) - others, result, subject, lab
            ),
        ]
        if not faults:
            found.append("nothing has broken")
        lab.heal()
        again = subject.run(worker, lab, {**arguments, **subject.again}, QUICK)
        if named := subject.named(again):
            again = subject.run(worker, lab, {**arguments, **named}, QUICK)
        if subject.has_failed(again) or not subject.is_fulfilled(lab):
            found.append(f"the same task again did not bring it about: {again}")
        for host in lab.hostvars if subject.asks_others else (subject.host,):
            worker.reset_connection(**lab.variables(host))
        if lab.sessions and not may_leave_sessions:
            found.append(f"{lab.sessions} sessions are left")
        self.troubles += [f"{name} ({' '.join(names)}): {each}\n    {_gist(result)}" for each in found]
        return result

    def judge(self) -> None:
        assert not self.troubles, "\n".join(["", *self.troubles])

    def _worker(self, name: str) -> Worker:
        return Worker(
            self.lab.variables(self.subject.host), self.folder / f"{name} run", self.folder / f"{name}"
        )


def _false_statements(
    result: Mapping[str, Any], before: Any, after: Any, subject: Subject, lab: LabInProcess
) -> Iterator[str]:
    writes = lab.writes
    sent = [(write["name"], json.dumps(write["parameters"], sort_keys=True)) for write in writes]
    if len(set(sent)) < len(sent) and not subject.repeats:
        yield f"sent twice: {sent}"
    failed = subject.has_failed(result)
    missing = ALWAYS - set(result) | (subject.TOLD - set(result) if failed else set())
    if missing:
        yield f"no {missing}"
        return
    status, changed = result["status"], result["changed"]
    fulfilled = subject.is_fulfilled(lab)
    if result.get("unreachable") and writes:
        yield "unreachable after a write"
    if status in ("in_desired_state", "corrected") and (failed or not fulfilled):
        yield f"{status} although it is not, or failed"
    if status in ("drifted", "unknown") and not failed:
        yield f"{status} without a failure"
    if not changed and after != before:
        yield "changed, and told as unchanged"
    if status == "drifted" and fulfilled:
        yield "drifted although all is as wanted"
    if status == "drifted" and changed and after == before and subject.is_exact:
        yield "unchanged, and told as changed"
    if status == "unknown" and writes and not changed:
        yield "unknown after a write, and told as unchanged"
    if failed and changed and subject.has_way_back and not result["restore_commands"]:
        yield "no way back is told"


def _not_in_the_journal(
    files: Collection[Path], result: Mapping[str, Any], subject: Subject, lab: LabInProcess
) -> Iterator[str]:
    lines = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    changes = [line for line in lines if line["entry"] == "change"]
    outcomes = {line["id"]: line for line in lines if line["entry"] == "outcome"}
    if lab.writes and not 1 <= len(changes) <= subject.changes:
        yield f"{len(changes)} changes in the journal"
    for change in changes:
        if change["id"] not in outcomes:
            yield "no outcome in the journal"
    if not changes or len(outcomes) < len(changes):
        return
    if any(outcome["changed"] for outcome in outcomes.values()) != result.get("changed"):
        yield f"another outcome in the journal: {outcomes}"
    # What was not sent is known to be as it was; the task has not got as far as to say so.
    if (
        lab.writes
        and subject.changes == 1
        and next(iter(outcomes.values()))["status"] != result.get("status")
    ):
        yield f"another status in the journal: {outcomes}"


def _gist(result: Mapping[str, Any]) -> str:
    keys = ("status", "changed", "failed", "unreachable", "failure", "msg", "warnings")
    return str({key: result[key] for key in keys if key in result})


def break_request(
    trial: Trial,
    reference: Reference,
    place: int,
    name: str,
    *,
    lasting: bool = False,
    may_leave_sessions: bool = False,
) -> dict[str, Any]:
    kind = KINDS[name]
    fault = Fault(place, kind.kind, kind.options, lasting)
    prepare = partial(trial.lab.striker.break_at, [fault], reference.first_request)
    # Nothing can be done where the answer that names a session is lost, or the server denies that there is one.
    denied = lasting and name in ("garbage", "shell unknown")
    return trial.run(
        f"request {place}, {name}", prepare, kind.variables, may_leave_sessions=denied or may_leave_sessions
    )


def break_command(trial: Trial, reference: Reference, place: int, name: str) -> dict[str, Any]:
    kind = COMMAND_KINDS[name]
    command, earlier, writes = reference.commands[place]
    if name == "no effect" and not writes:
        # A reading that lies is not to be told from one that does not.
        kind = COMMAND_KINDS["error"]
    prepare = partial(trial.lab.inject, kind.kind, command=command, skip=earlier, **kind.options)
    return trial.run(f"{command} {place}, {name}", prepare, kind.variables)


def spread(count: int, most: int, start: int) -> list[int]:
    """At most so many of the numbers below ``count``, evenly spread; others for another ``start``."""
    step = -(-count // most)
    return list(range(start % step, count, step))


@EACH_WAY
def test_requests_break_in_one_way_or_another(lab: LabInProcess, subject: str, tmp_path: Path) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    number = 2 * list(SUBJECTS).index(subject) + lab.number
    for turn, place in enumerate(spread(reference.requests, 2, number)):
        break_request(trial, reference, place, list(KINDS)[(number + turn * 17) % len(KINDS)])
    trial.judge()


@EACH_WAY
def test_commands_break_in_one_way_or_another(lab: LabInProcess, subject: str, tmp_path: Path) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    number = 2 * list(SUBJECTS).index(subject) + lab.number
    for place in spread(len(reference.commands), 1, number):
        break_command(trial, reference, place, list(COMMAND_KINDS)[number % len(COMMAND_KINDS)])
    trial.judge()


#: One of each kind's class, by whether the first writing pipeline is handed over or asked for its answer.
CLASSES = {
    0: (
        "empty after",
        "sign-in page",
        "307",
        "308 after",
        "429",
        "403 after",
        "fault without a code after",
        "gone",
    ),
    1: ("headers cut off", "another request", "another pipeline", "said twice", "failed", "stopped", "empty"),
}


@pytest.mark.parametrize("lab", ["2.3", pytest.param("2.1", marks=pytest.mark.sweep)], indirect=True)
@pytest.mark.parametrize("place", CLASSES)
def test_the_first_write_breaks_in_each_kind_of_way(lab: LabInProcess, place: int, tmp_path: Path) -> None:
    trial = Trial(lab, SUBJECTS["policy set"], tmp_path)
    reference = trial.reference()
    for kind in CLASSES[place]:
        break_request(trial, reference, place, kind)
    trial.judge()


@pytest.mark.parametrize("kind", ["shell unknown", "503", "401", "maintenance"])
@SET_AND_CREATED_AGAIN
def test_a_session_is_gone_between_two_pipelines(
    lab: LabInProcess, subject: str, kind: str, tmp_path: Path
) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    for place in reference.pipelines[:2]:
        break_request(trial, reference, place, kind)
    trial.judge()


def test_a_session_is_gone_between_two_tasks(lab: LabInProcess, tmp_path: Path) -> None:
    lab.reset()
    worker = Worker(lab.variables("pool01.contoso.com"), tmp_path / "run", tmp_path / "journal")
    for wanted in (True, False):
        lab.inject("shell-vanishes", request="Command")
        result = worker.run("media_configuration", {"enable_qos": wanted}, **QUICK)
        assert result["status"] == "corrected", _gist(result)
        lab.heal()
    worker.reset_connection()


@pytest.mark.sweep
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_request_breaks_in_every_way(lab: LabInProcess, subject: str, kind: str, tmp_path: Path) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    # A task that waits asks the same again and again: each kind strikes others of its requests.
    for place in spread(reference.requests, PLACES, list(KINDS).index(kind)):
        break_request(trial, reference, place, kind)
    trial.judge()


@pytest.mark.sweep
@pytest.mark.parametrize("kind", ["drop before", "503", "401", "shell unknown", "garbage", "truncated"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_all_requests_break_from_one_on(lab: LabInProcess, subject: str, kind: str, tmp_path: Path) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    for place in spread(reference.requests, PLACES, list(KINDS).index(kind)):
        break_request(trial, reference, place, kind, lasting=True)
    trial.judge()


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(200))
def test_several_requests_break_each_in_a_way_of_its_own(
    lab: LabInProcess, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    trial = Trial(lab, SUBJECTS[chance.choice(list(SUBJECTS))], tmp_path)
    reference = trial.reference()
    place, faults = chance.randrange(reference.requests), []
    names = chance.sample(sorted(set(KINDS) - {"interrupted", "gone"}), chance.randint(2, 5))
    for name in names:
        faults.append(Fault(place, KINDS[name].kind, KINDS[name].options))
        place += chance.choice((1, 1, 1, 2, 5))
    variables = IMPATIENT if any(KINDS[name].variables is IMPATIENT for name in names) else QUICK
    prepare = partial(lab.striker.break_at, faults, reference.first_request)
    trial.run(f"{trial.subject.module}: {', '.join(names)}", prepare, variables, may_leave_sessions=True)
    trial.judge()


@pytest.mark.sweep
@pytest.mark.parametrize("kind", COMMAND_KINDS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_command_breaks_in_every_way(lab: LabInProcess, subject: str, kind: str, tmp_path: Path) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    for place in spread(len(reference.commands), PLACES, list(COMMAND_KINDS).index(kind)):
        break_command(trial, reference, place, kind)
    trial.judge()


@SET_AND_CREATED_AGAIN
@pytest.mark.parametrize("kind", ["drop before", "503", pytest.param("too late", marks=pytest.mark.sweep)])
def test_a_slow_write_lands_after_the_line_is_lost_for_good(
    lab: LabInProcess, subject: str, kind: str, tmp_path: Path
) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    command, earlier, _writes = reference.commands[0]
    fault = Fault(1, KINDS[kind].kind, KINDS[kind].options, lasting=True)

    def prepare() -> None:
        lab.inject("hang", command=command, skip=earlier, seconds=1)
        lab.striker.break_at([fault], reference.first_request)

    result = trial.run(kind, prepare, KINDS[kind].variables)
    trial.judge()
    assert (result["status"], result["changed"]) == ("unknown", True)
    assert lab.writes[0]["result"] == "completed"


@SET_AND_CREATED_AGAIN
def test_a_write_outlasts_its_time_limit_and_cannot_be_stopped(
    lab: LabInProcess, subject: str, tmp_path: Path
) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    command, earlier, _writes = reference.commands[0]

    def prepare() -> None:
        lab.inject("hang", command=command, skip=earlier, seconds=3)
        lab.inject("status", request="Signal", times=0, code=503)

    result = trial.run("unstoppable", prepare, {**IMPATIENT, "ansible_management_shell_command_timeout": 1})
    trial.judge()
    assert (result["status"], result["changed"]) == ("unknown", True)


# -- before the first write -------------------------------------------------------------------------------------------


@pytest.mark.sweep
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "subject", ["policy set", "provider created again", "policy granted", "zone set", "baseline enforced"]
)
def test_each_request_before_the_first_write_breaks_in_every_way(
    lab: LabInProcess, subject: str, kind: str, tmp_path: Path
) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    reference = trial.reference()
    for place in spread(reference.first_request, PLACES, list(KINDS).index(kind)):
        # Windows Remote Management 2.0 names a session in its answer to Create alone, the second request of all; and
        # where nobody listens any more, nobody can end one.
        is_lost = (place == 1 and lab.number == 0) or kind == "gone"
        break_request(trial, reference, place - reference.first_request, kind, may_leave_sessions=is_lost)
    trial.judge()


FOREIGN = {"lync_remediation_journal": "/dev/null"}
ENDINGS: dict[str, tuple[dict[str, Any], Mapping[str, Any], Fault | None, str]] = {
    "an option that there is not": ({"nonsense": 1}, QUICK, None, "bad_argument"),
    "a journal that cannot be one": ({}, {**QUICK, **FOREIGN}, None, "journal_unusable"),
    "nobody there": ({}, QUICK, Fault(0, "drop-before", lasting=True), "cannot_connect"),
    "no service": ({}, QUICK, Fault(0, "status", {"code": 503}, lasting=True), "cannot_connect"),
    "another service": ({}, QUICK, Fault(0, "garbage", lasting=True), "not_an_endpoint"),
    "who may not": ({}, QUICK, Fault(0, "status", {"code": 401}, lasting=True), "authentication_refused"),
    "who may open no shell": (
        {},
        QUICK,
        Fault(0, "fault", {"code": 5}, lasting=True),
        "no_rights_to_open_shell",
    ),
    "the task's own time-out": ({}, QUICK, Fault(4, "interrupt"), "task_timed_out"),
}
UNREACHABLE = {"cannot_connect", "not_an_endpoint", "authentication_refused", "no_rights_to_open_shell"}


@once_each("ending", ENDINGS)
def test_what_ends_before_a_write_has_every_key(lab: LabInProcess, ending: str, tmp_path: Path) -> None:
    more, variables, fault, failure = ENDINGS[ending]
    for name in ("policy set", "replication forced", "zone set", "time service set", "restart pending"):
        subject = SUBJECTS[name]
        lab.reset()
        subject.prepare(lab)
        lab.striker.break_at([fault] if fault else [], 0)
        worker = Worker(lab.variables(subject.host), tmp_path / f"{name} run", tmp_path / name)
        result = worker.run(subject.module, {**subject.arguments, **more}, **variables)
        lab.heal()
        worker.reset_connection()
        assert ALWAYS | {"msg", "failure"} <= set(result), name
        assert (result["changed"], lab.writes) == (False, []), name
        assert result["failure"] == failure, (name, _gist(result))
        assert result["status"] == "unknown", (name, _gist(result))
        kinds = {key for key in ("unreachable", "failed") if result.get(key)}
        assert kinds == {"unreachable" if failure in UNREACHABLE else "failed"}, name


@EACH_WAY
def test_a_time_out_of_the_task_after_a_write_is_told(
    lab: LabInProcess, subject: str, tmp_path: Path
) -> None:
    trial = Trial(lab, SUBJECTS[subject], tmp_path)
    result = break_request(trial, trial.reference(), 1, "interrupted")
    trial.judge()
    assert (result["status"], result["changed"]) == ("unknown", True)
    assert result["failure"] == "task_timed_out"
