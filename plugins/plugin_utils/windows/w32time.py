# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""W32Time's configuration: from the registry to options, from options to what has to be written. Pure
functions.

Keys, values, defaults and the flags of peers are those of Microsoft Learn, "Windows Time service tools and
settings". A value under the policies' key goes before the one under the service's own key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..powershell.commands import Command, Switch
from ..result.bounds import between
from ..result.refusals import Unreadable, UnusableArgument
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
    # No policy of Microsoft's reaches this provider; a change is taken when the service starts.
    Setting("vm_provider", _VIRTUAL_MACHINE, "Enabled", has_policy=False, applied_by="restart"),
)
BY_OPTION = {setting.option: setting for setting in SETTINGS}

READ_KEYS = tuple(
    dict.fromkeys(
        [SERVICE_KEY]
        + [setting.key for setting in SETTINGS]
        + [setting.policy_key for setting in SETTINGS if setting.has_policy]
    )
)


@dataclass(frozen=True)
class Configuration:
    """``in_force`` maps options to values as the module takes them, None where the registry has no value.

    ``own`` is the same for the service's own keys alone; ``policies`` names, by option, the policy's value
    that goes before it, as key and name. ``service_state`` is started, stopped, or the lower-case name of a
    state in between; None where there is no such service.
    """

    in_force: Mapping[str, Any]
    own: Mapping[str, Any]
    policies: Mapping[str, str]
    start_mode: str | None
    service_state: str | None

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
        return f"{self.service_state} and disabled" if self.start_mode == "disabled" else self.service_state

    def as_options(self) -> dict[str, Any]:
        return {**self.in_force, "start_mode": self.start_mode, "service_state": self.service_state}

    def correction_limits(self) -> tuple[float, float]:
        """How much the service adds to the clock and takes from it at most, in seconds; infinite where it
        always corrects.
        """
        return tuple(  # type: ignore[return-value]
            float("inf") if value in (None, ALWAYS) else float(value)
            for value in (
                self.in_force["max_pos_phase_correction"],
                self.in_force["max_neg_phase_correction"],
            )
        )


def read(keys: Mapping[str, Mapping[str, Any]], status: str | None) -> Configuration:
    """From the registry's values by key, as in `READ_KEYS`, and what Get-Service says (None: there is no such
    service).
    """
    own = {setting.option: _value(setting, keys.get(setting.key, {})) for setting in SETTINGS}
    in_force, policies = dict(own), {}
    for setting in SETTINGS:
        values = keys.get(setting.policy_key, {}) if setting.has_policy else {}
        if _found(values, setting.name) is not None:
            in_force[setting.option] = _value(setting, values)
            policies[setting.option] = f"{setting.policy_key}\\{setting.name}"
    start = _found(keys.get(SERVICE_KEY, {}), "Start")
    mode = next((name for name, number in START_MODES.items() if number == start), None)
    state = None if status is None else "started" if status.casefold() == "running" else status.casefold()
    return Configuration(in_force, own, policies, mode, state)


def _found(values: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in values.items() if key.casefold() == name.casefold()), None)


def _value(setting: Setting, values: Mapping[str, Any]) -> Any:
    raw = _found(values, setting.name)
    if setting.option == "peers":
        return read_peers(str(raw or ""))
    if raw is None:
        return None
    if setting.option == "type":
        by_text = {text.casefold(): name for name, text in TYPES.items()}
        if str(raw).casefold() not in by_text:
            raise Unreadable(
                f"{setting.key} has the {setting.name} '{raw}', which is none of {', '.join(TYPES.values())}."
            )
        return by_text[str(raw).casefold()]
    if not isinstance(raw, int):
        raise Unreadable(f"{setting.key} has the {setting.name} {raw!r}, which is no number.")
    return raw != 0 if setting.option == "vm_provider" else raw % 2**32


# -- peers ---------------------------------------------------------------------------------------------------


def read_peers(text: str) -> list[dict[str, Any]]:
    """``host,0x9 host`` as the option's list; flags that nobody documents are left out."""
    peers = []
    for entry in text.split():
        host, _comma, number = entry.partition(",")
        try:
            bits = int(number or "0", 16 if number.lower().startswith("0x") else 10)
        except ValueError:
            raise Unreadable(f"NtpServer holds the peer '{entry}', whose flags are no number.") from None
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
    hosts = [peer["host"].casefold() for peer in peers]
    twice = next((peer["host"] for peer in peers if hosts.count(peer["host"].casefold()) > 1), None)
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
    if None not in (shortest, longest) and shortest > longest:
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
    run in order.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changed: tuple[str, ...]
    commands: tuple[Command, ...] = ()
    overridden: Mapping[str, str] = field(default_factory=dict)


def plan(actual: Configuration, wanted: Mapping[str, Any]) -> Plan:
    """What to do for the ``wanted`` options, of which those that are None are left alone.

    ``overridden`` names the policies that keep a wish from coming true; nothing should be done then.
    """
    wishes = {option: value for option, value in wanted.items() if value is not None}
    before = {option: actual.as_options()[option] for option in wishes}
    changed = differing(before, wishes)
    overridden = {option: actual.policies[option] for option in changed if option in actual.policies}
    commands = [] if overridden else _commands(actual, wishes, changed)
    after = {option: wishes[option] if option in changed else before[option] for option in wishes}
    return Plan(before, after, changed, tuple(commands), overridden)


def differing(options: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The wanted options that the given ones do not fulfil; those that are None want nothing."""
    return tuple(
        option
        for option, value in wanted.items()
        if value is not None and not _same(option, options.get(option), value)
    )


def _same(option: str, one: Any, other: Any) -> bool:
    if option == "peers":
        return _peer_set(one or []) == _peer_set(other)
    if option == "vm_provider":
        # Without its key the provider does not exist, which is as good as switched off.
        return bool(one) == other
    return bool(one == other)


def _peer_set(peers: Sequence[Mapping[str, Any]]) -> set[tuple[str, frozenset[str]]]:
    return {(peer["host"].casefold(), frozenset(peer.get("flags", _DEFAULT_FLAGS))) for peer in peers}


def _commands(actual: Configuration, wishes: Mapping[str, Any], changed: Sequence[str]) -> list[Command]:
    if not changed:
        return []
    commands = [] if actual.registered else [Command("w32tm", arguments=("/register",))]
    registry = [option for option in changed if option in BY_OPTION and option not in ("type", "peers")]
    commands += [_registry_write(BY_OPTION[option], wishes[option]) for option in registry]
    if "start_mode" in changed:
        mode = START_NAMES[wishes["start_mode"]]
        commands.append(Command("Set-Service", {"Name": SERVICE, "StartupType": mode}))
    source = [option for option in changed if option in ("type", "peers")]
    stays_down = wishes.get("service_state", actual.service_state) == "stopped"
    # A domain member takes its hierarchy up only when the service starts (Microsoft Learn, same article).
    restart = wishes.get("type") == "domain_hierarchy" and "type" in changed
    restart = restart or any(BY_OPTION[option].applied_by == "restart" for option in registry)
    if not stays_down and actual.service_state != "started":
        commands.append(Command("Start-Service", {"Name": SERVICE}))
        restart = False
    if source or (registry and not stays_down):
        # A service that is not running cannot be told to update itself, and reads everything when it starts.
        update = () if stays_down and actual.service_state != "started" else ("/update",)
        commands.append(Command("w32tm", arguments=("/config", *_source(wishes, source), *update)))
    if restart and not stays_down:
        commands.append(Command("Restart-Service", {"Name": SERVICE, "Force": Switch.PRESENT}))
    if "service_state" in changed and stays_down:
        commands.append(Command("Stop-Service", {"Name": SERVICE, "Force": Switch.PRESENT}))
    return commands


def _source(wishes: Mapping[str, Any], source: Sequence[str]) -> list[str]:
    arguments = []
    if "peers" in source:
        arguments.append(f"/manualpeerlist:{write_peers(wishes['peers'])}")
    if "type" in source:
        arguments.append(f"/syncfromflags:{SYNC_FROM[wishes['type']]}")
    return arguments


def _registry_write(setting: Setting, value: Any) -> Command:
    # A DWORD crosses as a signed Int32, which is what .NET's registry classes take; -1 is 0xFFFFFFFF.
    number = signed(int(value))
    parameters = {"LiteralPath": setting.key, "Name": setting.name, "Value": number, "PropertyType": "DWord"}
    return Command("New-ItemProperty", {**parameters, "Force": Switch.PRESENT})
