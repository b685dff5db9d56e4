# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audio and video with Windows Live: what there is to change, what stands in the way, and whom it concerns.

Everything here is decided from what the info modules have read; nothing is asked of a server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..people.judgement import ReportedUser, affected_by, copy_name, grouped
from ..powershell.ordinal import ordinal_key, same_name
from ..result.display import shown
from ..result.status import Status
from ..settings.identity import Identity, Scope, stored
from ..settings.resources.registry import RESOURCES
from .messenger import DNS_SRV_ROUTING, MESSENGER
from .screen import counted, items, screen
from .shadowing import SCOPES, Options, differs, identity_of, shadowing
from .taking_back import taking_back

REQUIRED = "RequireEncryption"
_ROLE = "windows_live_av_federation"
_FLAGS = ("enable_public_cloud_access", "enable_public_cloud_audio_video_access")
_NAMED = 3
BLOCKING = frozenset({"allowed_domains"})
"""Prerequisites without which enabling does harm: an Access Edge that does not start. Those without which nothing would
come of it, and which the role can put right, have sentences of their own.
"""
_SETTLED = BLOCKING | {"policies", "media_encryption", "public_provider", "access_edge"}
"""Prerequisites that the change itself brings about, or whose lack is an obstacle that is told already."""


@dataclass(frozen=True)
class Request:
    """The role's variables, without their prefix; what each means is said in its argument specs."""

    state: str
    policies: Sequence[str]
    media: Sequence[str]
    people: Sequence[str]
    people_filter: str
    people_ldap_filter: str
    people_ou: str
    people_policy: str
    include_shadowing_scopes: bool
    encryption_level: str
    max_video_rate: str
    providers: Sequence[str]
    enable_providers: bool
    disable_providers: bool
    manage_access_edge: bool

    @property
    def enabling(self) -> bool:
        return self.state == "present"

    @property
    def for_people(self) -> bool:
        return bool(self.people or self.people_filter or self.people_ldap_filter or self.people_ou)

    @property
    def policy_scopes(self) -> Sequence[str]:
        return self.policies or ([] if self.for_people else ["Global"])

    @property
    def media_scopes(self) -> Sequence[str]:
        return self.media or ([] if self.for_people else ["Global"])

    @property
    def policy_values(self) -> dict[str, Any]:
        if self.enabling:
            return dict.fromkeys(_FLAGS, True)
        return {"enable_public_cloud_audio_video_access": False}

    @property
    def media_values(self) -> dict[str, Any]:
        if self.enabling:
            return {
                "encryption_level": self.encryption_level,
                "max_video_rate_allowed": self.max_video_rate,
            }
        return {"encryption_level": REQUIRED}


@dataclass(frozen=True)
class Findings:
    """The results of the info modules."""

    connection: Options
    readiness: Options
    """federation_info's."""
    access_edge: Options
    providers: Sequence[Options]
    replication: Options
    policies: Sequence[Options]
    media: Sequence[Options]
    services: Sequence[Options]
    """``service`` and ``site`` of the services that have media settings of their own."""
    people: Sequence[ReportedUser]
    """The people that the change is for, where it is for people."""
    holders: Sequence[Options]
    """``identity``, ``number`` and ``users`` of every per-user external access policy."""
    reported: Options
    """effective_policy_info's of the users and sites to report on; without its keys where there are none."""

    def present(self) -> dict[str, Sequence[Options]]:
        return {
            "external_access_policy": self.policies,
            "media_configuration": self.media,
            "public_provider": self.providers,
            "access_edge_configuration": [{"identity": "Global", **self.access_edge}],
        }

    def sites_of_services(self) -> dict[Identity, Identity]:
        return {
            stored(f"service:{each['service']}", SCOPES): Identity(Scope.SITE, each["site"])
            for each in self.services
        }

    def holders_of(self, identity: str) -> Sequence[str]:
        wanted = stored(identity, SCOPES)
        return next(
            (each["users"] for each in self.holders if stored(each["identity"], SCOPES) == wanted), ()
        )


@dataclass
class Plan:
    """What to write: objects as options of their modules, with ``state`` and ``copy_of``. ``made`` tells of a grant
    that its policy is made by the same run. ``shadowing`` are collections that go before the change somewhere.
    """

    access_edge: dict[str, Any] = field(default_factory=dict)
    providers: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    grants: list[dict[str, Any]] = field(default_factory=list)
    media: list[dict[str, Any]] = field(default_factory=list)
    shadowing: list[tuple[str, Options]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def steps(self, *, back: bool) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each thing to do with its module, in the order of the role's tasks; ``back``: of those that take back."""
        edge = [{"identity": "Global", **self.access_edge}] if self.access_edge else []
        ways = [
            ("access_edge_configuration", edge),
            ("public_provider", self.providers),
            ("external_access_policy", self.policies),
            ("policy_assignment", self.grants),
        ]
        for module, listed in [*(reversed(ways) if back else ways), ("media_configuration", self.media)]:
            for each in listed:
                yield module, each


def assess(found: Findings, request: Request, *, check_mode: bool) -> dict[str, Any]:
    """What there is to change, what keeps it from being changed, and what keeps it from having an effect.

    Returns the fields of `Plan` but for ``shadowing``, which is texts; ``pending`` (texts on what is not as wanted
    yet), ``weaker`` (the media scopes where encryption would no longer be required), ``obstacles`` (sentences; none
    if all is well), ``in_force`` (lines on the users and sites to report on) and ``screen`` (lines for people).
    ``check_mode`` is true in check mode.
    """
    planned = _enabling(found, request) if request.enabling else _disabling(found, request)
    pending = list(_pending(found, planned.steps(back=not request.enabling)))
    obstacles = [*_contradictions(request), *_unfit_people(found, request)]
    if request.enabling:
        obstacles += _obstacles_to_enabling(found, request)
    obstacles += _obstacles_to_any_change(found, [] if check_mode else _withheld(found, planned))
    result: dict[str, Any] = {
        "access_edge": planned.access_edge,
        "providers": planned.providers,
        "policies": planned.policies,
        "grants": planned.grants,
        "media": planned.media,
        "left": planned.left,
        "pending": [text for text, _module, _each in pending],
        "weaker": [
            each["identity"]
            for _text, module, each in pending
            if module == "media_configuration" and each.get("encryption_level", REQUIRED) != REQUIRED
        ],
        "shadowing": [_shadow_text(found, kind, each) for kind, each in planned.shadowing],
        "obstacles": obstacles,
    }
    in_force = list(_in_force(found))
    lines = screen(
        now=list(_now(found, request)),
        in_force=in_force,
        changes=list(_change_lines(found, pending)),
        warnings=_warnings(request, result["weaker"]),
        affected=list(_affected(found, pending)),
        shadowing=result["shadowing"],
        left=planned.left,
        prerequisites=found.readiness["prerequisites"] if request.enabling else [],
        settled=_SETTLED,
        obstacles=obstacles,
        check_mode=check_mode,
    )
    return {**result, "in_force": [line for item in items(in_force) for line in item], "screen": lines}


# -- enabling ---------------------------------------------------------------------------------------------------------


def _enabling(found: Findings, request: Request) -> Plan:
    planned = Plan()
    if request.manage_access_edge:
        planned.access_edge = {"allow_federated_users": True, "routing_method": DNS_SRV_ROUTING}
    if request.enable_providers:
        planned.providers = [
            {"identity": each["identity"], "enabled": True} for each in _providers(found, request)
        ]
    _narrower_included(
        planned.policies,
        planned.shadowing,
        "policy",
        request,
        _chosen(request.policy_scopes, found.policies),
        found.policies,
        request.policy_values,
        {},
    )
    _copies_for_people(found, request, planned)
    _narrower_included(
        planned.media,
        planned.shadowing,
        "media settings",
        request,
        _chosen(request.media_scopes, found.media),
        found.media,
        request.media_values,
        found.sites_of_services(),
    )
    return planned


def _chosen(texts: Sequence[str], collections: Sequence[Options]) -> dict[Identity, str]:
    """The named identities, in the server's spelling where they exist."""
    existing = {identity_of(each): str(each["identity"]) for each in collections}
    return {(identity := stored(text, SCOPES)): existing.get(identity, str(identity)) for text in texts}


def _narrower_included(
    steps: list[dict[str, Any]],
    shadows: list[tuple[str, Options]],
    kind: str,
    request: Request,
    chosen: Mapping[Identity, str],
    collections: Sequence[Options],
    values: Options,
    sites: Mapping[Identity, Identity],
) -> None:
    narrower = shadowing(collections, list(chosen), values, sites)
    names = list(chosen.values())
    if request.include_shadowing_scopes:
        names += [str(each["identity"]) for each in narrower]
    else:
        shadows += [(kind, each) for each in narrower]
    steps += [{"identity": name, "state": "present", **values} for name in names]


def _copies_for_people(found: Findings, request: Request, planned: Plan) -> None:
    """One policy for each that these people have in force and that does not allow it yet: a copy that does."""
    existing = {str(each["identity"]): each for each in found.policies}
    taken = list(existing)
    for of, users in grouped(found.people, "external_access_policy").items():
        policy = existing.get(str(of))
        if of is None or policy is None or not differs(policy, request.policy_values):
            continue
        wanted = {**policy, **request.policy_values}
        name = _reusable(existing, taken, of, request.people_policy, wanted)
        made = name not in existing
        if made:
            name = f"Tag:{copy_name(of, request.people_policy, taken)}"
            planned.policies.append(
                {"identity": name, "state": "present", "copy_of": of, **request.policy_values}
            )
            taken.append(name)
        planned.grants.append(
            {
                "policy": name.partition(":")[2],
                "state": "present",
                "users": [_name(user) for user in users],
                "made": made,
            }
        )


def _reusable(
    existing: Mapping[str, Options], taken: Sequence[str], of: str, label: str, wanted: Options
) -> str:
    """A copy that an earlier run made and did not come to grant; empty if there is none."""
    base = f"Tag:{copy_name(of, label, ())}"
    settings = {option: value for option, value in wanted.items() if option != "identity"}
    for name in taken:
        same = same_name(name, base) and name in existing
        if same and not differs(existing[name], settings):
            return name
    return ""


def _name(user: ReportedUser) -> str:
    return str(user["sip_address"] or user["identity"])


# -- the way back -----------------------------------------------------------------------------------------------------


def _disabling(found: Findings, request: Request) -> Plan:
    planned = Plan()
    changes = found.readiness["changes"]
    if changes:
        _by_the_journal(found, changes, planned)
        _untouched(found, request, changes, planned)
    else:
        _without_a_journal(found, request, planned)
    if request.disable_providers:
        listed = {each["identity"]: each for each in planned.providers}
        for each in _providers(found, request):
            listed[each["identity"]] = {"identity": each["identity"], "enabled": False}
        planned.providers = list(listed.values())
    return planned


def _by_the_journal(found: Findings, changes: Sequence[Options], planned: Plan) -> None:
    holders = {each["identity"]: each["users"] for each in found.holders}
    back = taking_back(changes, found.present(), holders)
    planned.grants = back.grants
    planned.left = back.left
    planned.access_edge = next(iter(back.values.get("access_edge_configuration", {}).values()), {})
    for module, steps in (
        ("public_provider", planned.providers),
        ("external_access_policy", planned.policies),
        ("media_configuration", planned.media),
    ):
        steps += [
            {"identity": identity, "state": "present", **values}
            for identity, values in back.values.get(module, {}).items()
        ]
        steps += [{"identity": identity, "state": "absent"} for identity in back.removals.get(module, ())]


def _untouched(found: Findings, request: Request, changes: Sequence[Options], planned: Plan) -> None:
    """What was named, and is not the role's to take back."""
    for module, texts in (
        ("external_access_policy", request.policies),
        ("media_configuration", request.media),
    ):
        changed = {stored(each["identity"], SCOPES) for each in changes if each["resource"] == module}
        planned.left += [
            f"The {RESOURCES[module].title} {name} was not changed by the role, and is left."
            for identity, name in _chosen(texts, found.present()[module]).items()
            if identity not in changed
        ]


def _without_a_journal(found: Findings, request: Request, planned: Plan) -> None:
    """Only what the role is about: the audio and video flag, and encryption. Nothing is created for that."""
    if request.for_people:
        planned.left.append(
            "Which policies these people had before is not known. lync.remediation.policy_assignment withdraws "
            "those that they have."
        )
    for kind, texts, collections, values, steps, sites in (
        ("policy", request.policy_scopes, found.policies, request.policy_values, planned.policies, {}),
        (
            "media settings",
            request.media_scopes,
            found.media,
            request.media_values,
            planned.media,
            found.sites_of_services(),
        ),
    ):
        existing = {identity_of(each) for each in collections}
        chosen = {i: name for i, name in _chosen(texts, collections).items() if i in existing}
        _narrower_included(steps, planned.shadowing, kind, request, chosen, collections, values, sites)
    for each in found.policies:
        if any(step["identity"] == each["identity"] for step in planned.policies) and each[_FLAGS[0]]:
            planned.left.append(
                f"enable_public_cloud_access of the policy {each['identity']} stays on: what it was before is not "
                "known."
            )
    for each in found.media:
        if any(step["identity"] == each["identity"] for step in planned.media):
            planned.left.append(
                f"max_video_rate_allowed of the media settings {each['identity']} stays "
                f"{each['max_video_rate_allowed']}: what it was before is not known."
            )


# -- what is not as wanted --------------------------------------------------------------------------------------------

_KINDS = {
    "access_edge_configuration": "Access Edge",
    "public_provider": "public provider",
    "external_access_policy": "policy",
    "media_configuration": "media settings",
}


def _pending(
    found: Findings, steps: Iterable[tuple[str, dict[str, Any]]]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Text, module and object of everything that has to be written."""
    for module, each in steps:
        if module == "policy_assignment":
            word = "withdrawn from" if each["state"] == "absent" else "granted to"
            yield f"policy {each['policy']} {word} {counted(each['users'])}", module, each
            continue
        existing = _existing(found, module, each["identity"])
        if each.get("state") == "absent":
            is_pending = existing is not None
        else:
            is_pending = existing is None or bool(_differences(existing, each))
        if is_pending:
            name = _KINDS[module]
            text = name if module == "access_edge_configuration" else f"{name} {each['identity']}"
            yield text, module, each


def _existing(found: Findings, module: str, identity: str) -> Options | None:
    scopes = RESOURCES[module].scopes
    wanted = stored(identity, scopes)
    return next(
        (each for each in found.present()[module] if stored(each["identity"], scopes) == wanted), None
    )


def _differences(existing: Options, wanted: Options) -> list[str]:
    return [
        option
        for option, value in wanted.items()
        if option not in ("identity", "state", "copy_of") and existing.get(option) != value
    ]


_WORDS = {
    "enable_public_cloud_access": "public access",
    "enable_public_cloud_audio_video_access": "audio and video",
    "encryption_level": "encryption",
    "max_video_rate_allowed": "video rate",
}
"""What people call the options that the role changes."""


def _change_lines(found: Findings, pending: Sequence[tuple[str, str, Options]]) -> Iterator[str]:
    """What each change does, in words. A policy that is made for people, and its grant, are told as one."""
    for_people = {
        str(stored(f"Tag:{each['policy']}", SCOPES)): counted(each["users"])
        for _text, module, each in pending
        if module == "policy_assignment" and each["made"]
    }
    for _text, module, each in pending:
        if module != "policy_assignment":
            yield _change_line(found, module, each, for_people.get(str(each["identity"])))
        elif not each["made"]:
            what = "withdrawn from" if each["state"] == "absent" else "granted to"
            yield f"policy Tag:{each['policy']}: {what} {counted(each['users'])}"


def _change_line(found: Findings, module: str, each: Options, users: str | None) -> str:
    """``users``: how many get it by a grant of the same run."""
    existing = _existing(found, module, each["identity"])
    name = _KINDS[module] if module == "access_edge_configuration" else f"{_KINDS[module]} {each['identity']}"
    if each.get("state") == "absent":
        return f"{name}: removed"
    parts = []
    if existing is None:
        made = f"created for {users}" if users else "created"
        parts.append(f"{made}, a copy of {each.get('copy_of', 'what is in force there')} but for")
    for option in _differences(existing or {}, each):
        before = "" if existing is None else f"{_in_words(existing.get(option))} -> "
        parts.append(f"{_WORDS.get(option, option)} {before}{_in_words(each[option])}")
    first, *others = parts
    return f"{name}: {first}{' ' if existing is None else ', ' if others else ''}{', '.join(others)}"


def _in_words(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else shown(value)


# -- whom it concerns -------------------------------------------------------------------------------------------------


def _affected(found: Findings, pending: Sequence[tuple[str, str, Options]]) -> Iterator[str]:
    for _text, module, each in pending:
        if module == "policy_assignment":
            yield f"policy Tag:{each['policy']}: {_people(each['users'])}"
        elif module == "external_access_policy":
            yield from _affected_by_policy(found, each)
        elif module == "media_configuration":
            yield from _affected_by_media(found, each)
        else:
            yield f"{_KINDS[module]}: every user, and every federated partner"


def _affected_by_policy(found: Findings, each: Options) -> Iterator[str]:
    identity = stored(each["identity"], SCOPES)
    if identity.scope is Scope.USER:
        users = found.holders_of(each["identity"])
        # Who holds one that is removed gives it back first, and is told by that grant.
        if users and each["state"] == "present":
            yield f"policy {each['identity']}: {_people(users)}"
    elif identity.scope is Scope.SITE:
        yield f"policy {each['identity']}: the users of the site who have been granted none"
    else:
        yield "policy Global: every user without a policy of the site or of their own"


def _affected_by_media(found: Findings, each: Options) -> Iterator[str]:
    identity = str(each["identity"])
    scope = stored(identity, SCOPES).scope
    where = {
        Scope.GLOBAL: "every call where no site or service has settings of its own",
        Scope.SITE: "every call of the site where no service has settings of its own",
    }.get(scope, "every call of the service")
    yield f"media settings {identity}: {where}, in the company as well"
    if found.people:
        concerned = affected_by(identity, found.people, [str(other["identity"]) for other in found.media])
        yield (
            f"of the people named, {len(concerned)} of {len(found.people)}; encryption has no user scope, so that "
            "others there are affected too"
        )


def _people(users: Sequence[str]) -> str:
    return f"{counted(users)} ({_first(users)})"


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _shadow_text(found: Findings, kind: str, each: Options) -> str:
    if kind == "media settings":
        return (
            f"media settings {each['identity']}, {each['encryption_level']}, {each['max_video_rate_allowed']}"
        )
    text = f"policy {each['identity']}, which {'allows it' if _allows(each) else 'does not allow it'}"
    if identity_of(each).scope is not Scope.USER:
        return text
    users = found.holders_of(each["identity"])
    return f"{text}, held by {_people(users) if users else 'nobody'}"


def _allows(policy: Options) -> bool:
    return all(policy.get(flag) for flag in _FLAGS)


# -- what stands in the way -------------------------------------------------------------------------------------------


def _contradictions(request: Request) -> Iterator[str]:
    if not request.for_people or not request.enabling:
        return
    if request.policies:
        yield (
            f"{_ROLE}_policies and {_ROLE}_people contradict each other: people get policies of their own. Give one of "
            "them."
        )
    if not request.media:
        yield (
            f"Encryption has no user scope. Name the media settings that these people's calls go by in {_ROLE}_media, "
            "such as site:Redmond; every call there is affected."
        )


def _unfit_people(found: Findings, request: Request) -> Iterator[str]:
    if not request.enabling:
        return
    if request.for_people and not found.people:
        yield "The filter for people finds nobody."
    asked: dict[str, list[ReportedUser]] = {}
    for user in found.people:
        if user["user"] is not None:
            asked.setdefault(user["user"], []).append(user)
    for name, users in asked.items():
        if len({ordinal_key(user["identity"]) for user in users}) > 1:
            yield f"'{name}' in {_ROLE}_people stands for {_people([_name(user) for user in users])}. Name one."
    unknown = grouped(found.people, "external_access_policy").get(None, [])
    if unknown:
        yield (
            f"Which policy is in force for {_people([_name(user) for user in unknown])} is not known: "
            f"{unknown[0]['external_access_policy']['why']}"
        )


def _providers(found: Findings, request: Request) -> list[Options]:
    names = {ordinal_key(name) for name in request.providers}
    if names:
        return [each for each in found.providers if ordinal_key(each["identity"]) in names]
    return [each for each in found.providers if _leads_there(each)]


def _leads_there(provider: Options) -> bool:
    return same_name(str(provider.get("proxy_fqdn")).rstrip("."), MESSENGER)


def _obstacles_to_enabling(found: Findings, request: Request) -> Iterator[str]:
    yield from _nobody_would_hold(found, request)
    providers = _providers(found, request)
    there_are = ", ".join(each["identity"] for each in found.providers) or "none"
    if request.providers:
        known = {ordinal_key(each["identity"]) for each in providers}
        missing = [name for name in request.providers if ordinal_key(name) not in known]
        if missing:
            other = [each["identity"] for each in found.providers if _leads_there(each)]
            hint = f" The one that leads to {MESSENGER} is {', '.join(other)}." if other else ""
            yield (
                f"There is no public provider {' and no '.join(missing)}. The public providers are: {there_are}.{hint}"
            )
    elif not providers:
        yield (
            f"No public provider leads to {MESSENGER} (the public providers are: {there_are}). Create one with "
            f"lync.remediation.public_provider, or name yours in {_ROLE}_providers."
        )
    disabled = [each["identity"] for each in providers if not each["enabled"]]
    if disabled and not request.enable_providers:
        yield (
            f"The public provider {' and '.join(disabled)} is disabled. Set {_ROLE}_enable_providers: true to have "
            "it enabled."
        )
    for each in found.readiness["prerequisites"]:
        # Without a public provider of that server, what is unmet may be a hosting provider that has it.
        blocking = BLOCKING | ({"public_provider"} if not providers else set())
        if each["prerequisite"] in blocking and each["state"] == "unmet":
            yield f"{each['evidence']}. Run: {'; '.join(each['remedy'])}"
    if request.manage_access_edge:
        return
    remedy = f"Set {_ROLE}_manage_access_edge: true to have that changed, for all federated partners."
    if not found.access_edge["allow_federated_users"]:
        yield f"The Access Edge does not allow federation. {remedy}"
    if found.access_edge["routing_method"] != DNS_SRV_ROUTING:
        yield (
            f"The Access Edge does not route by DNS SRV records ({found.access_edge['routing_method']}), without which "
            f"public providers cannot be used. {remedy}"
        )


def _nobody_would_hold(found: Findings, request: Request) -> Iterator[str]:
    """A new per-user policy does nothing until it is granted."""
    existing = {identity_of(each) for each in found.policies}
    for identity, name in _chosen(request.policy_scopes, found.policies).items():
        if identity.scope is Scope.USER and identity not in existing:
            yield (
                f"There is no policy {name}, and a new one would be held by nobody. Name the people whom it is for in "
                f"{_ROLE}_people."
            )


def _obstacles_to_any_change(found: Findings, withheld: Sequence[str]) -> Iterator[str]:
    store = found.replication["central_management_store"]
    if store is not None and not store["active_master_fqdn"]:
        yield (
            "The Central Management Store has no active master, so nothing would replicate. Check that the service "
            "MASTER runs on the Central Management Server."
        )
    masters = found.replication["active_masters"] or []
    if len(masters) > 1:
        yield (
            f"{' and '.join(masters)} both call themselves the active Central Management Server, so nothing would "
            "replicate. End the failover that was begun, with Invoke-CsManagementServerFailover or "
            "Move-CsManagementServer."
        )
    if withheld:
        yield (
            f"{found.connection['account']} may not use {' and '.join(withheld)} here. Changing settings takes the "
            "role CsAdministrator; a dry run (--check) needs no more than CsViewOnlyAdministrator."
        )


def _withheld(found: Findings, planned: Plan) -> list[str]:
    """The cmdlets that the plan takes and the session does not have."""
    needed: dict[str, None] = {}
    for module, each in planned.steps(back=False):
        if module == "policy_assignment":
            needed.setdefault("Grant-CsExternalAccessPolicy")
            continue
        existing = _existing(found, module, each["identity"])
        verb = "Remove" if each.get("state") == "absent" else "Set" if existing is not None else "New"
        needed.setdefault(RESOURCES[module].cmdlet(verb))
    return [cmdlet for cmdlet in needed if not found.connection["cmdlets"].get(cmdlet)]


# -- for people -------------------------------------------------------------------------------------------------------


def _now(found: Findings, request: Request) -> Iterator[tuple[str, str]]:
    """The more telling first, since a long list is cut at its end."""
    replicas = found.replication["replicas"]
    behind = found.replication["behind"]
    yield "server", found.readiness["version"] or "version unknown"
    allowed = "allowed" if found.access_edge["allow_federated_users"] else "not allowed"
    yield "federation", f"{allowed}, {found.access_edge['routing_method']}"
    described = [
        f"{each['identity']} ({'enabled' if each['enabled'] else 'disabled'})"
        for each in _providers(found, request)
    ]
    yield "public provider", ", ".join(described) or "none"
    if found.people:
        groups = grouped(found.people, "external_access_policy").items()
        yield (
            "people",
            ", ".join(f"{len(users)} with {policy or 'no known policy'}" for policy, users in groups),
        )
    for each in found.policies:
        if identity_of(each).scope is not Scope.USER:
            flags = [f"{_WORDS[flag]} {_in_words(each[flag])}" for flag in _FLAGS]
            yield f"policy {each['identity']}", ", ".join(flags)
    for each in found.media:
        yield f"media {each['identity']}", f"{each['encryption_level']}, {each['max_video_rate_allowed']}"
    late = f"; behind: {_first(behind)}" if behind else ""
    yield "replication", f"{len(replicas) - len(behind)} of {len(replicas)} servers are up to date{late}"
    yield "account", found.connection["account"]


def _in_force(found: Findings) -> Iterator[str]:
    """What is in force for the users and at the sites to report on."""
    named = [(_name(user), user) for user in found.reported.get("users", ())]
    named += [(f"site {site['site']}", site) for site in found.reported.get("sites", ())]
    for name, answer in named:
        policy, media = answer["external_access_policy"], answer["media_configuration"]
        if policy["settings"] is None:
            said = f"not known ({policy['why'].rstrip('.')})"
        else:
            said = f"{'allowed' if _allows(policy['settings']) else 'not allowed'} ({policy['identity']})"
        level = media["settings"]["encryption_level"] if media["settings"] else "not known"
        yield f"{name}: {said}; {level} ({media['identity']})"


def _warnings(request: Request, weaker: Sequence[str]) -> list[str]:
    if not weaker:
        return []
    return [
        f"With {request.encryption_level} no call has to be encrypted any more, calls within the company included, at: "
        f"{', '.join(weaker)}"
    ]


def outcome(before: Options | None, after: Options | None, steps: Sequence[Options]) -> dict[str, Any]:
    """The one fact that the role returns: ``status``, ``changed``, ``unknown`` and ``reasons``.

    ``before`` and ``after`` are what `assess` said before the change and once everything was read again, None where it
    did not come to that; ``steps`` are the results of the tasks that ran. ``unknown`` names what is not known,
    ``reasons`` say why the state is not the one that was asked for.
    """
    taken = [each for step in steps for each in step.get("results", [step])]
    failed = [each for each in taken if each.get("failed") or each.get("unreachable")]
    changed = any(each.get("changed") for each in taken)
    pending = list((after or before or {}).get("pending", ()))
    obstacles = [] if after else list((before or {}).get("obstacles", ()))
    reasons = [str(each.get("msg")) for each in failed] + obstacles
    if before is None or any(each.get("status") == Status.UNKNOWN.value for each in failed):
        reasons = reasons or ["The role did not come to its end."]
        return {
            "status": Status.UNKNOWN.value,
            "changed": changed,
            "unknown": pending or ["everything"],
            "reasons": reasons,
        }
    if after is None:
        status = Status.DRIFTED if pending or obstacles else Status.IN_DESIRED_STATE
        return {"status": status.value, "changed": changed, "unknown": [], "reasons": reasons or pending}
    status = Status.DRIFTED if pending else Status.CORRECTED if changed else Status.IN_DESIRED_STATE
    return {"status": status.value, "changed": changed, "unknown": [], "reasons": reasons or pending}
