# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""W32Time's configuration: from the registry to options, from options to what has to be written. Pure
functions.

Keys, values, defaults and the flags of peers are those of Microsoft Learn, "Windows Time service tools and
settings". A value under the policies' key goes before the one under the service's own key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..powershell.commands import Command, Switch
from ..powershell.ordinal import ordinal_key, same_name
from ..powershell.values import as_result
from ..result.bounds import between
from ..result.display import shown
from ..result.refusals import UnusableArgument
from .registry import removing, writing
from .zones import signed

SERVICE = "W32Time"
SERVICE_KEY = r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time"
POLICY_KEY = r"HKLM:\SOFTWARE\Policies\Microsoft\W32Time"

DWORD = 0xFFFFFFFF
# Max...PhaseCorrection: every error is corrected, however large.
ALWAYS = DWORD
# Of 2 to this power in seconds; NTP's own bound (RFC 5905, MAXPOLL).
_LONGEST_POLL = 17

TYPES = {"domain_hierarchy": "NT5DS", "manual": "NTP", "all": "AllSync", "none": "NoSync"}
SYNC_FROM = {"domain_hierarchy": "domhier", "manual": "manual", "all": "all", "none": "no"}
FLAGS = {"special_interval": 0x1, "use_as_fallback_only": 0x2, "symmetric_active": 0x4, "client": 0x8}
# What a peer has whose flags nobody gave.
_DEFAULT_FLAGS = ("client",)
START_MODES = {"automatic": 2, "manual": 3, "disabled": 4}
# By type and action as the registry has them (winsvc.h), the words for sc.exe.
TRIGGERS = {
    (2, 1): "start/networkon",
    (2, 2): "stop/networkoff",
    (3, 1): "start/domainjoin",
    (3, 2): "stop/domainleave",
}
# What Microsoft advises for a computer in no domain (KB 2385818). Windows' own triggers stop the service there right
# after the computer has started, be it started automatically or not.
NETWORK_TRIGGERS = ("start/networkon", "stop/networkoff")
DOMAIN_TRIGGERS = ("start/domainjoin", "stop/domainleave")
START_NAMES = {"automatic": "Automatic", "manual": "Manual", "disabled": "Disabled"}


@dataclass(frozen=True)
class Setting:
    """One value of the registry and the option that stands for it. ``subkey`` is the same below both roots.

    ``applied_by`` says what makes the running service take a new value: w32tm's ``update``, or a ``restart``.
    """

    option: str
    subkey: str
    name: str
    has_policy: bool = True
    applied_by: str = "update"

    @property
    def key(self) -> str:
        return f"{SERVICE_KEY}\\{self.subkey}"

    @property
    def policy_key(self) -> str:
        return f"{POLICY_KEY}\\{self.subkey}"


# Options that are on or off.
_SWITCHES = ("ntp_client", "ssl_time_data", "vm_provider")
_CLIENT = r"TimeProviders\NtpClient"
_VIRTUAL_MACHINE = r"TimeProviders\VMICTimeProvider"

SETTINGS = (
    Setting("type", "Parameters", "Type"),
    Setting("peers", "Parameters", "NtpServer"),
    Setting("special_poll_interval", _CLIENT, "SpecialPollInterval"),
    Setting("min_poll_interval", "Config", "MinPollInterval"),
    Setting("max_poll_interval", "Config", "MaxPollInterval"),
    Setting("max_pos_phase_correction", "Config", "MaxPosPhaseCorrection"),
    Setting("max_neg_phase_correction", "Config", "MaxNegPhaseCorrection"),
    Setting("ntp_client", _CLIENT, "Enabled"),
    Setting("ssl_time_data", "Config", "UtilizeSslTimeData"),
    # No policy of Microsoft's reaches this provider; a change is taken when the service starts.
    Setting("vm_provider", _VIRTUAL_MACHINE, "Enabled", has_policy=False, applied_by="restart"),
)
BY_OPTION = {setting.option: setting for setting in SETTINGS}

# Windows has two triggers; more are someone's own.
_TRIGGER_KEYS = tuple(f"{SERVICE_KEY}\\TriggerInfo\\{number}" for number in range(4))

READ_KEYS = tuple(
    dict.fromkeys(
        [SERVICE_KEY, *_TRIGGER_KEYS]
        + [setting.key for setting in SETTINGS]
        + [setting.policy_key for setting in SETTINGS if setting.has_policy]
    )
)


@dataclass(frozen=True)
class Configuration:
    """``in_force`` maps options to values as the module takes them, None where the registry has no value.

    ``own`` is the same for the service's own keys alone; ``policies`` names, by option, the policy's value
    that goes before it, as key and name. ``problems`` says, by option, what is wrong with a value of the registry
    that has the wrong kind or makes no sense; it stands in ``in_force`` as it was read. ``service_state`` is started,
    stopped, or a state in between such as start_pending; None where there is no such service. ``triggers``: what
    starts and stops it, in sc.exe's words; others as the numbers of their type and action.
    """

    in_force: Mapping[str, Any]
    own: Mapping[str, Any]
    policies: Mapping[str, str]
    start_mode: str | None
    service_state: str | None
    problems: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[str, ...] = ()

    @property
    def registered(self) -> bool:
        return self.service_state is not None

    @property
    def idle(self) -> str | None:
        """Why nothing sets the clock, in words that follow "W32Time is"; None where the service runs."""
        if not self.registered:
            return "not registered"
        if self.service_state == "started":
            return None
        state = str(self.service_state).replace("_", " ")
        return f"{state} and disabled" if self.start_mode == "disabled" else state

    @property
    def is_pending(self) -> bool:
        """Whether the service is on its way to another state."""
        return str(self.service_state).endswith("_pending")

    def as_options(self) -> dict[str, Any]:
        return {
            **self.in_force,
            "triggers": list(self.triggers),
            "start_mode": self.start_mode,
            "service_state": self.service_state,
        }

    def correction_limits(self) -> tuple[float, float]:
        """How much the service adds to the clock and takes from it at most, in seconds; infinite where it
        always corrects. What it makes of a value that is no number shows when the clock is measured.
        """
        return tuple(  # type: ignore[return-value]
            float("inf") if value in (None, ALWAYS) or option in self.problems else float(value)
            for option, value in (
                (option, self.in_force[option])
                for option in ("max_pos_phase_correction", "max_neg_phase_correction")
            )
        )


def read(keys: Mapping[str, Mapping[str, Any]], status: str | None) -> Configuration:
    """From the registry's values by key, as in `READ_KEYS`, and what Get-Service says (None: there is no such
    service).
    """
    own: dict[str, Any] = {}
    in_force: dict[str, Any] = {}
    policies: dict[str, str] = {}
    problems: dict[str, str] = {}
    for setting in SETTINGS:
        option, key = setting.option, setting.key
        own[option], problem = _value(setting, keys.get(key, {}))
        in_force[option] = own[option]
        values = keys.get(setting.policy_key, {}) if setting.has_policy else {}
        if _found(values, setting.name) is not None:
            key = setting.policy_key
            in_force[option], problem = _value(setting, values)
            policies[option] = f"{key}\\{setting.name}"
        if problem is not None:
            problems[option] = f"{key}\\{setting.name} is {shown(in_force[option])}, {problem}."
    start = _found(keys.get(SERVICE_KEY, {}), "Start")
    mode = next((name for name, number in START_MODES.items() if number == start), None)
    triggers = tuple(_trigger(keys[key]) for key in _TRIGGER_KEYS if key in keys)
    return Configuration(in_force, own, policies, mode, _state(status), problems, triggers)


def _trigger(values: Mapping[str, Any]) -> str:
    kind, action = _found(values, "Type"), _found(values, "Action")
    return TRIGGERS.get((kind, action), f"{kind}/{action}")


def _state(status: str | None) -> str | None:
    """From Get-Service's spelling, such as StartPending."""
    if status is None:
        return None
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).lower()
    return "started" if words == "running" else words


def _found(values: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in values.items() if same_name(key, name)), None)


def _value(setting: Setting, values: Mapping[str, Any]) -> tuple[Any, str | None]:
    """The option's value; one that makes no sense as it stands, with what is wrong with it."""
    raw = _found(values, setting.name)
    if raw is None:
        return [] if setting.option == "peers" else None, None
    if setting.option in ("type", "peers") and not isinstance(raw, str):
        return as_result(raw), "which is no text"
    if setting.option == "peers":
        peers = read_peers(raw)
        return (raw, "and the flags of a peer must be a number") if peers is None else (peers, None)
    if setting.option == "type":
        name = next((name for name, text in TYPES.items() if same_name(text, raw)), None)
        return (raw, f"which is none of {', '.join(TYPES.values())}") if name is None else (name, None)
    if isinstance(raw, bool) or not isinstance(raw, int):
        return as_result(raw), "which is no number"
    return (raw != 0 if setting.option in _SWITCHES else raw % 2**32), None


def waits_for_domain(options: Mapping[str, Any]) -> bool:
    """Whether a service that follows time servers of its own is started, or stopped, by what becomes of the domain."""
    triggers = options.get("triggers")
    is_known = isinstance(triggers, (list, tuple))
    return (
        options.get("type") == "manual"
        and is_known
        and any(each in DOMAIN_TRIGGERS for each in triggers or ())
    )


def with_triggers(actual: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """The wanted options, with the triggers without which a service that is to follow time servers of its own would not
    run after the computer's next start. Only of a task that asks for that source or for a service that runs.
    """
    asks = (
        wanted.get("type") == "manual"
        or wanted.get("start_mode") == "automatic"
        or wanted.get("service_state") == "started"
    )
    goes_down = wanted.get("service_state") == "stopped" or wanted.get("start_mode") in ("manual", "disabled")
    after = {**actual, **{option: value for option, value in wanted.items() if value is not None}}
    if actual.get("service_state") is None:
        # It has those that Windows gives it once it is registered.
        after["triggers"] = DOMAIN_TRIGGERS
    if not asks or goes_down or not waits_for_domain(after):
        return wanted
    return {**wanted, "triggers": list(NETWORK_TRIGGERS)}


# -- peers ---------------------------------------------------------------------------------------------------


def read_peers(text: str) -> list[dict[str, Any]] | None:
    """``host,0x9 host`` as the option's list; flags that nobody documents are left out. None where flags are no number,
    as where hosts are separated by commas.
    """
    peers = []
    for entry in text.split():
        host, _comma, number = entry.partition(",")
        try:
            bits = int(number or "0", 16 if number.lower().startswith("0x") else 10)
        except ValueError:
            return None
        peers.append({"host": host, "flags": [name for name, bit in FLAGS.items() if bits & bit]})
    return peers


def write_peers(peers: Sequence[Mapping[str, Any]]) -> str:
    """The option's list as w32tm and the registry take it."""
    return " ".join(f"{peer['host']},0x{sum(FLAGS[flag] for flag in set(peer['flags'])):x}" for peer in peers)


def one_host(option: str, text: str) -> None:
    """Raises UnusableArgument for what cannot be one host, and would mean something else on w32tm's command line."""
    if not text or text.startswith(("/", "-")) or any(each.isspace() or each in ',"' for each in text):
        raise UnusableArgument(option, f"'{text}' is not the name or address of one time server")


# -- what has to be done -------------------------------------------------------------------------------------


def check(wanted: Mapping[str, Any]) -> None:
    """Raises UnusableArgument for options that no server could be brought to."""
    between(
        wanted,
        special_poll_interval=(1, DWORD),
        min_poll_interval=(0, _LONGEST_POLL),
        max_poll_interval=(0, _LONGEST_POLL),
        max_pos_phase_correction=(0, DWORD),
        max_neg_phase_correction=(0, DWORD),
    )
    peers = wanted.get("peers") or []
    for peer in peers:
        one_host("peers", peer["host"])
    hosts = [ordinal_key(peer["host"]) for peer in peers]
    twice = next((peer["host"] for peer in peers if hosts.count(ordinal_key(peer["host"])) > 1), None)
    if twice is not None:
        raise UnusableArgument("peers", f"'{twice}' is named more than once")
    if wanted.get("start_mode") == "disabled" and wanted.get("service_state") == "started":
        raise UnusableArgument(
            "start_mode",
            "'disabled' contradicts service_state: started. Allowed with that are automatic and manual",
        )


def check_together(actual: Configuration, wanted: Mapping[str, Any]) -> None:
    """Raises UnusableArgument for options that contradict what the server has, and will keep."""
    together = {
        **actual.as_options(),
        **{option: value for option, value in wanted.items() if value is not None},
    }
    if wanted.get("type") in ("manual", "all") and not together["peers"]:
        raise UnusableArgument("peers", f"type: {wanted['type']} follows time servers, and there is none")
    shortest, longest = together["min_poll_interval"], together["max_poll_interval"]
    if isinstance(shortest, int) and isinstance(longest, int) and shortest > longest:
        for option in ("min_poll_interval", "max_poll_interval"):
            if wanted.get(option) is not None:
                problem = f"the shortest interval ({shortest}) would be longer than the longest ({longest})"
                raise UnusableArgument(option, f"with {wanted[option]} {problem}")
    if wanted.get("service_state") == "started" and together["start_mode"] == "disabled":
        raise UnusableArgument(
            "service_state",
            "W32Time is disabled and cannot be started. Ask for start_mode: automatic as well",
        )
    if wanted.get("vm_provider") and actual.own["vm_provider"] is None:
        raise UnusableArgument(
            "vm_provider",
            f"there is no {_VIRTUAL_MACHINE} on this server, as it is no virtual machine of Hyper-V. Allowed is false",
        )


@dataclass(frozen=True)
class Plan:
    """``before`` and ``after`` hold the managed options; ``changed`` names those that differ. ``commands``
    run in order, ``restore_commands`` take them back. ``restorable``: whether what was there before can be asked for
    with the module's own options.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changed: tuple[str, ...]
    commands: tuple[Command, ...] = ()
    restore_commands: tuple[Command, ...] = ()
    restorable: bool = True
    overridden: Mapping[str, str] = field(default_factory=dict)


def plan(actual: Configuration, wanted: Mapping[str, Any]) -> Plan:
    """What to do for the ``wanted`` options, of which those that are None are left alone.

    ``overridden`` names the policies that want something else; nothing should be done then.
    """
    requested = {option: value for option, value in wanted.items() if value is not None}
    before = {option: actual.as_options()[option] for option in requested}
    different = differing(before, requested)
    changed = tuple(option for option in requested if option in different or option in actual.problems)
    after = {
        option: _as_shown(option, requested[option]) if option in changed else before[option]
        for option in requested
    }
    overridden = {option: actual.policies[option] for option in changed if option in actual.policies}
    if overridden or not changed:
        return Plan(before, after, changed, overridden=overridden)
    return Plan(
        before,
        after,
        changed,
        tuple(_commands(actual, requested, changed)),
        _restoration(actual, after, changed),
        actual.registered and all(is_option_value(option, before[option]) for option in changed),
    )


def _as_shown(option: str, value: Any) -> Any:
    """As the server will have it: the flags of a peer come back in an order of their own."""
    return read_peers(write_peers(value)) if option == "peers" else value


def _restoration(
    actual: Configuration, after: Mapping[str, Any], changed: Sequence[str]
) -> tuple[Command, ...]:
    """What leads back from ``after``: values of the registry as they stood, then the options."""
    if not actual.registered:
        return (Command("w32tm", arguments=("/unregister",)),)
    before = actual.as_options()
    options = {option: before[option] for option in changed if is_option_value(option, before[option])}
    stood = [
        removing(BY_OPTION[option].key, BY_OPTION[option].name)
        if before[option] is None
        else writing(BY_OPTION[option].key, BY_OPTION[option].name, before[option])
        for option in changed
        if option in BY_OPTION and option not in options
    ]
    states = {option: after[option] for option in ("start_mode", "service_state") if option in after}
    now = replace(actual, in_force={**actual.in_force, **after}, problems={}, **states)
    commands = _commands(now, options, tuple(options))
    runs = now.service_state == "started"
    if stood and runs and not any("/update" in command.arguments for command in commands):
        commands.append(Command("w32tm", arguments=("/config", "/update")))
    return (*stood, *commands)


def is_option_value(option: str, value: Any) -> bool:
    """Whether a value that was found can be asked for: the registry may hold nothing, or nonsense."""
    allowed: Mapping[str, Any] = {
        "type": TYPES,
        "start_mode": START_MODES,
        "service_state": ("started", "stopped"),
    }
    if option in allowed:
        return isinstance(value, str) and value in allowed[option]
    if option == "peers":
        return isinstance(value, list) and all(isinstance(peer, Mapping) for peer in value)
    if option == "triggers":
        return isinstance(value, list) and all(each in TRIGGERS.values() for each in value)
    if option in _SWITCHES:
        return isinstance(value, bool)
    return isinstance(value, int)


def differing(options: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The wanted options that the given ones do not have; those that are None want nothing."""
    return tuple(
        option
        for option, value in wanted.items()
        if value is not None and not _same(option, options.get(option), value)
    )


def _same(option: str, one: Any, other: Any) -> bool:
    if option == "peers":
        return is_option_value(option, one or []) and _peer_set(one or []) == _peer_set(other)
    if option == "triggers":
        return set(one or ()) == set(other)
    if option == "vm_provider":
        # Without its key the provider does not exist, which is as good as switched off.
        return (False if one is None else one) == other
    return bool(one == other)


def _peer_set(peers: Sequence[Mapping[str, Any]]) -> set[tuple[str, frozenset[str]]]:
    return {(ordinal_key(peer["host"]), frozenset(peer.get("flags", _DEFAULT_FLAGS))) for peer in peers}


def _commands(actual: Configuration, requested: Mapping[str, Any], changed: Sequence[str]) -> list[Command]:
    if not changed:
        return []
    commands = [] if actual.registered else [Command("w32tm", arguments=("/register",))]
    registry = [option for option in changed if option in BY_OPTION and option not in ("type", "peers")]
    commands += [_registry_write(BY_OPTION[option], requested[option]) for option in registry]
    # w32tm is not known to give a value the right kind that has a wrong one.
    commands += [
        _registry_write(BY_OPTION[option], requested[option])
        for option in ("type", "peers")
        if option in changed and option in actual.problems
    ]
    if "start_mode" in changed:
        mode = START_NAMES[requested["start_mode"]]
        commands.append(Command("Set-Service", {"Name": SERVICE, "StartupType": mode}))
    if "triggers" in changed:
        # In PowerShell "sc" alone is Set-Content.
        words = tuple(requested["triggers"]) or ("delete",)
        commands.append(Command("sc.exe", arguments=("triggerinfo", SERVICE, *words)))
    source = [option for option in changed if option in ("type", "peers")]
    stays_down = requested.get("service_state", actual.service_state) == "stopped"
    # A domain member takes its hierarchy up only when the service starts (Microsoft Learn, same article).
    restart = requested.get("type") == "domain_hierarchy" and "type" in changed
    restart = restart or any(BY_OPTION[option].applied_by == "restart" for option in registry)
    if not stays_down and actual.service_state != "started":
        commands.append(Command("Start-Service", {"Name": SERVICE}))
        restart = False
    if source or (registry and not stays_down):
        # A service that is not running cannot be told to update itself, and reads everything when it starts.
        update = () if stays_down and actual.service_state != "started" else ("/update",)
        commands.append(Command("w32tm", arguments=("/config", *_source(requested, source), *update)))
    if restart and not stays_down:
        commands.append(Command("Restart-Service", {"Name": SERVICE, "Force": Switch.PRESENT}))
    if "service_state" in changed and stays_down:
        commands.append(Command("Stop-Service", {"Name": SERVICE, "Force": Switch.PRESENT}))
    return commands


def _source(requested: Mapping[str, Any], source: Sequence[str]) -> list[str]:
    arguments = []
    if "peers" in source:
        arguments.append(f"/manualpeerlist:{write_peers(requested['peers'])}")
    if "type" in source:
        arguments.append(f"/syncfromflags:{SYNC_FROM[requested['type']]}")
    return arguments


def _registry_write(setting: Setting, value: Any) -> Command:
    if setting.option == "type":
        return writing(setting.key, setting.name, TYPES[value])
    if setting.option == "peers":
        return writing(setting.key, setting.name, write_peers(value))
    # A DWORD crosses as a signed Int32, which is what .NET's registry classes take; -1 is 0xFFFFFFFF.
    return writing(setting.key, setting.name, signed(int(value)))
