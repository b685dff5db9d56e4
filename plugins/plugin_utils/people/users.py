# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users as Get-CsUser finds them: by name, or by a filter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..powershell.commands import Command
from ..powershell.errors import ObjectNotFound
from ..powershell.ordinal import ordinal_key
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..result.refusals import BadArgument, UnusableArgument, text_of
from .kinds import Kind

GET = "Get-CsUser"

NAMES_AT_ONCE = 100
"""How many users are asked for in one pipeline."""

_NAMED = 5

Item = TypeVar("Item")


@dataclass(frozen=True)
class User:
    """``distinguished_name`` is the Identity that Get-CsUser shows; ``remote`` is the whole object."""

    distinguished_name: str
    sip_address: str | None
    display_name: str | None
    pool: str | None
    remote: RemoteObject

    @property
    def name(self) -> str:
        """What no other user has: the SIP address, or the distinguished name of a user without one.

        Both are identities that every cmdlet for users takes (Microsoft Learn, Get-CsUser).
        """
        return self.sip_address or self.distinguished_name

    @property
    def key(self) -> str:
        return ordinal_key(self.name)


@dataclass(frozen=True)
class Found:
    """A user, and the name that was asked for; None for one that a filter has found."""

    user: User
    asked: str | None = None


@dataclass(frozen=True)
class Choice:
    """Who is meant: by names, or by what Get-CsUser filters by."""

    names: Sequence[str] = ()
    filter: str | None = None
    ldap_filter: str | None = None
    ou: str | None = None

    @property
    def filters(self) -> dict[str, str]:
        """The parameters of Get-CsUser."""
        given = {"Filter": self.filter, "LdapFilter": self.ldap_filter, "OU": self.ou}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def is_empty(self) -> bool:
        return not self.names and not self.filters


def choice(arguments: Mapping[str, Any]) -> Choice:
    """From a module's options. Raises UnusableArgument and BadArgument for what can be seen to be wrong."""
    for option in ("filter", "ldap_filter", "ou"):
        if arguments[option] is not None and not arguments[option].strip():
            raise UnusableArgument(option, "it is empty. Leave it out, or give what Get-CsUser takes")
    for name in arguments["users"]:
        if not name.strip():
            raise UnusableArgument("users", "an empty text is nobody's name")
    chosen = Choice(
        tuple({ordinal_key(name): name for name in arguments["users"]}.values()),
        arguments["filter"],
        arguments["ldap_filter"],
        arguments["ou"],
    )
    if chosen.names and chosen.filters:
        raise BadArgument("Give either users, or a filter (filter, ldap_filter, ou), and not both.")
    if chosen.filter is not None and chosen.ldap_filter is not None:
        raise BadArgument("filter and ldap_filter cannot be used together: Get-CsUser takes one of them.")
    return chosen


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


# -- reading ----------------------------------------------------------------------------------------------------------


def find(shell: ManagementShell, chosen: Choice) -> list[Found]:
    """Everybody who is meant, each once. Raises UnusableArgument for a name that stands for nobody, and what reading
    raises.
    """
    found = by_names(shell, chosen.names) if chosen.names else []
    if chosen.filters:
        found = [Found(user) for user in _read(shell, Command(GET, chosen.filters))]
    return list({each.user.key: each for each in reversed(found)}.values())[::-1]


def find_one_each(shell: ManagementShell, chosen: Choice) -> list[Found]:
    """As `find`, for whoever is about to change something: a name that stands for several is refused as well."""
    found = by_names(shell, chosen.names) if chosen.names else []
    for name in chosen.names:
        meant = list(dict.fromkeys(each.user.name for each in found if each.asked == name))
        if len(meant) > 1:
            more = f" and {len(meant) - _NAMED} more" if len(meant) > _NAMED else ""
            raise UnusableArgument(
                "users",
                f"'{name}' stands for {len(meant)} users: {', '.join(meant[:_NAMED])}{more}. Name one of them, or "
                "choose them with a filter",
            )
    return find(shell, chosen) if chosen.filters else list({each.user.key: each for each in found}.values())


def by_names(shell: ManagementShell, names: Sequence[str]) -> list[Found]:
    """The users that these names stand for, which may be several for a display name or one with wildcards."""
    found: list[Found] = []
    for some in batches(names, NAMES_AT_ONCE):
        answers = _answers_together(shell, some) if len(some) > 1 else None
        for name in some:
            users = [answers[name]] if answers else _answer(shell, name)
            if not users:
                raise UnusableArgument("users", f"'{name}' stands for no user")
            found += [Found(user, name) for user in users]
    return found


def again(shell: ManagementShell, names: Sequence[str]) -> dict[str, User]:
    """What users of these `User.name` are now, by their keys. Whoever is not found any more is missing."""
    found: dict[str, User] = {}
    for some in batches(names, NAMES_AT_ONCE):
        results = shell.run(*(Command(GET, {"Identity": name}) for name in some))
        for report in results.errors:
            error = shell.classify(report)
            if not isinstance(error, ObjectNotFound):
                raise error
        found.update((user.key, user) for user in map(read, results.objects()))
    return found


def holders(shell: ManagementShell, kind: Kind) -> list[User]:
    """Everybody who has been granted a policy of that kind."""
    return [
        user
        for user in _read(shell, Command(GET, {"Filter": f"{kind.attribute} -ne $Null"}))
        if kind.held_by(user.remote) is not None
    ]


def read(remote: RemoteObject) -> User:
    """Raises Unreadable for a user without an identity."""
    sip_address, display_name, pool = (
        remote.get(name) for name in ("SipAddress", "DisplayName", "RegistrarPool")
    )
    return User(
        text_of(remote.get("Identity")),
        text_of(sip_address) if sip_address else None,
        text_of(display_name) if display_name else None,
        text_of(pool) if pool else None,
        remote,
    )


def _read(shell: ManagementShell, command: Command) -> list[User]:
    results = shell.run(command)
    if results.errors:
        raise shell.classify(results.errors[0])
    return [read(remote) for remote in results.objects()]


def _answer(shell: ManagementShell, name: str) -> list[User]:
    try:
        return _read(shell, Command(GET, {"Identity": name}))
    except ObjectNotFound as error:
        raise UnusableArgument(
            "users", f"'{name}' stands for no user ({error.report.message.rstrip('.')})"
        ) from None


def _answers_together(shell: ManagementShell, names: Sequence[str]) -> dict[str, User] | None:
    results = shell.run(*(Command(GET, {"Identity": name}) for name in names))
    return None if results.errors else attributed(names, [read(remote) for remote in results.objects()])


def attributed(names: Sequence[str], users: Sequence[User]) -> dict[str, User] | None:
    """Which user each name stands for, where all were asked for in one pipeline; None where that is not certain.

    An answer does not say to which name it belongs. It is certain where there are as many as there are names, and each
    name is a SIP address, a principal, a logon, a display name or a distinguished name of one of them alone.
    """
    by_name: dict[str, list[User]] = {}
    for user in users:
        for name in _names_of(user):
            by_name.setdefault(name, []).append(user)
    answers = {name: by_name.get(_key_of(name), []) for name in names}
    if len(users) != len(names) or any(len(meant) != 1 for meant in answers.values()):
        return None
    return {name: meant[0] for name, meant in answers.items()}


def _names_of(user: User) -> set[str]:
    given = [user.distinguished_name, user.display_name, user.sip_address]
    given += [user.remote.get(name) for name in ("UserPrincipalName", "SamAccountName")]
    return {_key_of(name) for name in given if isinstance(name, str) and name}


def _key_of(name: str) -> str:
    """The same for every spelling of a name, without ``sip:`` and without the domain of a logon."""
    key = ordinal_key(name.strip())
    key = key.removeprefix("SIP:")
    return key.rpartition("\\")[2] if "=" not in key else key
