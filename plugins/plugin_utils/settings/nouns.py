# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading many nouns in few pipelines, so that one that fails costs itself and no other.

The statements of a pipeline answer in order, but an answer does not say which of them it is of: the type of an object
does. What an object of an unexpected type leaves open, and what stood behind a statement that failed, is asked again.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..powershell.commands import Command
from ..powershell.errors import CmdletNotOffered, ConnectionRefused, ManagementShellError, OutcomeUnknown
from ..powershell.ordinal import ordinal_key
from ..powershell.results import RemoteObject, Results
from ..powershell.shell import ManagementShell
from ..result.failures import kind_of
from .any_noun import Table, described
from .catalogue import Noun, noun
from .identity import Identity
from .resource import Collection, Resource

# So many statements at most in one pipeline: a time-out is for a pipeline as a whole.
_BATCH = 60

VERBS = ("Get", "New", "Set", "Remove")


class Outcome(enum.Enum):
    """What became of reading a noun. The value is what users see."""

    READ = "read"
    FAILED = "failed"
    NOT_PERMITTED = "not_permitted"
    """This version has the noun, and this session does not offer it."""
    NOT_OFFERED = "not_offered"
    """This version does not have the noun."""


@dataclass(frozen=True)
class Reading:
    """What was read of one noun. ``failure`` is the sentence and ``kind`` the kind of what kept it from being read."""

    noun: Noun
    outcome: Outcome
    table: Table | None = None
    failure: str = ""
    kind: str = ""
    objects: Mapping[Identity, Collection] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        listed = self.table.listed if self.table else ()
        object.__setattr__(self, "objects", {each.identity: each for each in listed})

    @property
    def as_read(self) -> Table:
        """The table of a noun that was read. Raises ValueError for another."""
        if self.table is None:
            raise ValueError(f"{self.noun.name} was not read")
        return self.table

    @property
    def resource(self) -> Resource | None:
        return self.table.resource if self.table else None

    @property
    def order(self) -> tuple[Identity, ...]:
        return self.table.order if self.table else ()

    @property
    def shape(self) -> Mapping[str, tuple[str, ...]]:
        return self.table.shape if self.table else {}

    @property
    def not_comparable(self) -> Mapping[str, str]:
        return self.table.not_comparable if self.table else {}


_VERSIONS = {4: "2010", 5: "2013", 6: "2015", 7: "2019"}


def version_of(shell: ManagementShell) -> str | None:
    """The product version by its build, 2019 for the Subscription Edition as well; None where that is not told."""
    match = re.search(r"\b(\d+)\.\d+\.\d+", shell.server_version() or "")
    return _VERSIONS.get(int(match[1])) if match else None


def rights(shell: ManagementShell, nouns: Sequence[Noun]) -> dict[str, frozenset[str]]:
    """The verbs of each noun that this session offers."""
    cmdlets = [each.cmdlet(verb) for each in nouns for verb in VERBS if verb in each.verbs]
    commands = shell.describing(*cmdlets)
    if commands:
        results = shell.run(*commands)
        if results.errors:
            raise shell.classify(results.errors[0])
    return {
        each.name: frozenset(
            verb
            for verb in VERBS
            if verb in each.verbs and shell.parameters_of(each.cmdlet(verb)) is not None
        )
        for each in nouns
    }


def read_nouns(shell: ManagementShell, names: Sequence[str]) -> dict[str, Reading]:
    """What there is of each of these nouns, by name, in the order in which they were named.

    Raises UnusableArgument for a name that is no noun, and what keeps anything from being read at all.
    """
    wanted = list({each.name: each for each in map(noun, names)}.values())
    # Asking for the version first makes the session import its Management Shell module, where that is still to be done.
    version = version_of(shell)
    cmdlets = [each.cmdlet("Get") for each in wanted]
    describing = shell.describing(*cmdlets)
    if describing:
        results = shell.run(*describing)
        if results.errors:
            raise shell.classify(results.errors[0])
    offered = [each for each in wanted if shell.parameters_of(each.cmdlet("Get")) is not None]
    readings = {
        each.name: Reading(each, _not_offered(each, version)) for each in wanted if each not in offered
    }
    work = _Work(shell)
    shared = _repeated(each.type_name for each in offered)
    together = [each for each in offered if each.type_name not in shared]
    for start in range(0, len(together), _BATCH):
        work.read(together[start : start + _BATCH])
    for each in offered:
        if each.type_name in shared:
            work.read([each])
    readings |= work.readings
    return {each.name: readings[each.name] for each in wanted}


def _not_offered(each: Noun, version: str | None) -> Outcome:
    """Where the version is not told, the account's rights are what is taken to be missing: that is never absence."""
    if version is None or version in each.versions:
        return Outcome.NOT_PERMITTED
    return Outcome.NOT_OFFERED


class _Work:
    def __init__(self, shell: ManagementShell) -> None:
        self._shell = shell
        self._gone: ManagementShellError | None = None
        self.readings: dict[str, Reading] = {}

    def read(self, nouns: Sequence[Noun]) -> None:
        """Read these, in as few pipelines as their answers allow."""
        if len(nouns) < 2 or self._gone is not None:
            for each in nouns:
                self._read_alone(each)
            return
        commands = [Command(each.cmdlet("Get")) for each in nouns]
        try:
            results = self._shell.read_once(*commands)
        except OutcomeUnknown as unknown:
            partial = unknown.results
            last = (
                _first_failed(nouns, partial) if partial.errors else _last_answered(nouns, partial.objects())
            )
            self._after_failure(nouns, partial, last)
            return
        except ConnectionRefused as refused:
            if not self.readings:
                raise
            self._gone = refused
            self.read(nouns)
            return
        if results.whole:
            failed = {ordinal_key(report.command or "") for report in results.errors}
            alone = [each for each in nouns if ordinal_key(each.cmdlet("Get")) in failed]
            self._take(nouns, results.objects(), ask_again=alone)
            return
        self._after_failure(nouns, results, _first_failed(nouns, results))

    def _after_failure(self, nouns: Sequence[Noun], results: Results, failed: int | None) -> None:
        """Everything before the statement that failed has answered. It is asked again by itself, and what is behind it
        together. Where it is not known which statement failed, each is asked by itself until one fails.
        """
        if failed is None:
            first, *rest = nouns
            self._read_alone(first)
            self.read(rest)
            return
        before, behind = nouns[:failed], nouns[failed + 1 :]
        if before:
            others = {each.type_name for each in nouns[failed:]}
            self._take(before, [one for one in results.objects() if _type(one) not in others])
        self._read_alone(nouns[failed])
        self.read(behind)

    def _take(
        self, nouns: Sequence[Noun], objects: Sequence[RemoteObject], ask_again: Sequence[Noun] = ()
    ) -> None:
        """Give each noun the objects of its type. Where there are objects of a type that none of them is known to
        have, those without an object are asked by themselves.
        """
        by_type: dict[str, list[RemoteObject]] = {}
        for one in objects:
            by_type.setdefault(_type(one), []).append(one)
        known = {each.type_name for each in nouns}
        has_unknown = any(name not in known for name in by_type)
        for each in nouns:
            own = by_type.get(each.type_name, []) if each.type_name in known else []
            if each in ask_again or (not own and (has_unknown or each.always_global)):
                self._read_alone(each)
            else:
                self._conclude(each, own)

    def _read_alone(self, each: Noun) -> None:
        if self._gone is not None:
            self._fail(each, self._gone)
            return
        try:
            results = self._shell.run(Command(each.cmdlet("Get")))
            if results.errors:
                raise self._shell.classify(results.errors[0])
        except CmdletNotOffered:
            self.readings[each.name] = Reading(each, Outcome.NOT_PERMITTED)
            return
        except ConnectionRefused as refused:
            if not self.readings:
                raise
            self._gone = refused
            self._fail(each, refused)
            return
        except ManagementShellError as error:
            self._fail(each, error)
            return
        self._conclude(each, results.objects())

    def _conclude(self, each: Noun, objects: Sequence[RemoteObject]) -> None:
        try:
            table = described(each, objects)
        except ManagementShellError as error:
            self._fail(each, error)
            return
        self.readings[each.name] = Reading(each, Outcome.READ, table)

    def _fail(self, each: Noun, error: ManagementShellError) -> None:
        self.readings[each.name] = Reading(each, Outcome.FAILED, failure=str(error), kind=kind_of(error))


def _type(one: RemoteObject) -> str:
    return one.type_names[0] if one.type_names else ""


def _repeated(names: Iterable[str]) -> set[str]:
    """The types that several nouns have, and the one that is not known."""
    seen: set[str] = {""}
    repeated = {""}
    for name in names:
        (repeated if name in seen else seen).add(name)
    return repeated


def _first_failed(nouns: Sequence[Noun], results: Results) -> int | None:
    """The first statement with an error, where every error says which statement it is of."""
    places = {ordinal_key(each.cmdlet("Get")): number for number, each in enumerate(nouns)}
    found = [places.get(ordinal_key(report.command or report.target or "")) for report in results.errors]
    known = [place for place in found if place is not None]
    return min(known) if known and len(known) == len(found) else None


def _last_answered(nouns: Sequence[Noun], objects: Sequence[RemoteObject]) -> int | None:
    """The last statement that was heard of before time ran out: it may not have come to its end."""
    types = {_type(one) for one in objects}
    heard = [number for number, each in enumerate(nouns) if each.type_name and each.type_name in types]
    return heard[-1] if heard else None
