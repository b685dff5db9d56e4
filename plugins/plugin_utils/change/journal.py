# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of changes: written down on the controller before each change is made, so that it can be taken back.

A folder with one file a run, JSON Lines. A ``change`` entry is on the disk before its command is sent, an ``outcome``
entry follows when the outcome is known; a change without one was interrupted, and only the server can tell what became
of it. The files belong to their owner alone, or may be read by the group that shares the folder, and hold no secret.
"""

from __future__ import annotations

import datetime
import enum
import errno
import fcntl
import getpass
import json
import math
import os
import secrets
import stat
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..powershell.errors import ManagementShellError, UnconvertibleValue
from ..powershell.values import as_result, from_clixml, to_clixml
from .sharing import is_shared, make_folder, private_mode

FORMAT = 1
_MARKER = "format.json"
_RUN = "lync-remediation-run"


class JournalUnusable(ManagementShellError):
    """The journal cannot be written or read. Where that is found out before a change, nothing is changed."""

    def __init__(self, path: Path, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The journal of changes {path} {problem}; lync_remediation_journal names its folder, or false for none."
        )


class Restorable(enum.Enum):
    """Whether a change can be taken back."""

    YES = "yes"
    VALUES_ONLY = "values_only"
    """The object comes back with its values, but what referred to it does not, such as grants of a policy."""
    NO = "no"


@dataclass(frozen=True)
class Origin:
    """Who makes a change, from where, and as part of what: for people, and for finding the change again.

    ``takes_back`` is the id of the change that this one takes back.
    """

    host: str
    module: str
    task: str = ""
    playbook: str = ""
    takes_back: str = ""


@dataclass(frozen=True)
class Change:
    """What is about to be changed.

    ``before`` holds the values that are replaced and ``wanted`` those that replace them, as options of the module
    ``resource``: None for an object that is absent. ``kind`` is what is done to the object, such as ``set`` or
    ``create``.
    """

    resource: str
    identity: str
    kind: str
    before: Mapping[str, Any] | None
    wanted: Mapping[str, Any] | None
    restorable: Restorable


@dataclass(frozen=True)
class Entry:
    """A change as the journal has it.

    ``time`` is UTC, ``takes_back`` the id of the change that it took back. ``outcome`` is None for one that was
    interrupted.
    """

    id: str
    run: str
    time: str
    host: str
    url: str
    account: str
    change: Change
    commands: tuple[str, ...]
    origin: Mapping[str, Any] = field(default_factory=dict)
    takes_back: str = ""
    outcome: Mapping[str, Any] | None = None

    @property
    def is_certain(self) -> bool:
        """Whether the change is known to have been in place when its task ended."""
        return self.outcome is not None and self.outcome.get("status") == "corrected"

    @property
    def never_happened(self) -> bool:
        """Whether the change is known to have had no effect."""
        return self.outcome is not None and self.outcome.get("changed") is False


def default_folder() -> Path:
    """Below the user's state folder (XDG Base Directory Specification, which wants relative paths ignored)."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = state if state.is_absolute() else Path("~/.local/state").expanduser()
    return base / "lync.remediation" / "journal"


def run_id(run_folder: str) -> str:
    """The id of the playbook run whose private temporary folder this is; all its workers get the same."""
    path = Path(run_folder, _RUN)
    fresh = f"{_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    own = path.with_name(f"{_RUN}.{fresh}")
    own.write_text(fresh, encoding="ascii")
    # A link appears with its content, and only once: whoever comes second takes what is there.
    with suppress(FileExistsError):
        path.hardlink_to(own)
    own.unlink()
    return path.read_text(encoding="ascii")


class Journal:
    """One run's journal. Use `NoJournal` where the user wants none."""

    def __init__(self, folder: Path, run: str, origin: Origin) -> None:
        self._folder = folder
        self._run = run
        self._origin = origin

    @property
    def path(self) -> Path:
        return self._folder / f"{self._run}.jsonl"

    def taking_back(self, change_id: str) -> Journal:
        """The same journal, for the change that takes that one back."""
        return Journal(self._folder, self._run, replace(self._origin, takes_back=change_id))

    def begin(self, change: Change, commands: tuple[str, ...], url: str, account: str) -> str:
        """Write a change down, on the disk, before it is made; its id. Raises JournalUnusable."""
        entry = {
            "entry": "change",
            "format": FORMAT,
            "id": secrets.token_hex(6),
            "run": self._run,
            "time": f"{_now():%Y-%m-%dT%H:%M:%S.%fZ}",
            "user": _user(),
            **asdict(self._origin),
            "url": url,
            "account": account,
            "resource": change.resource,
            "identity": change.identity,
            "kind": change.kind,
            **_values(change),
            "commands": list(commands),
        }
        with self._problems():
            _prepare(self._folder)
            self._append(entry, new=True)
        return str(entry["id"])

    def end(self, change_id: str, outcome: Mapping[str, Any]) -> None:
        """Write down what became of a change. Raises JournalUnusable."""
        with self._problems():
            self._append(
                {"entry": "outcome", "id": change_id, "time": f"{_now():%Y-%m-%dT%H:%M:%S.%fZ}", **outcome}
            )

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise JournalUnusable(self.path, f"cannot be written ({reason})") from error

    def _append(self, entry: Mapping[str, Any], *, new: bool = False) -> None:
        """One line, on the disk or not at all. Only a ``new`` change may make the file, and has it looked at."""
        line = json.dumps(entry, allow_nan=False, default=str).encode("ascii") + b"\n"
        flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags | (os.O_CREAT if new else 0), 0o600)
        try:
            # Workers of one run share the file.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            status = os.fstat(descriptor)
            if new:
                if not status.st_size:
                    os.fchmod(descriptor, private_mode(self._folder, group=0o040))
                _must_be_ours(self.path, status, shared=is_shared(self._folder.stat()))
                if status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
                    raise JournalUnusable(self.path, _TO_WRITE)
            try:
                if os.write(descriptor, line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, status.st_size)
                raise
        finally:
            os.close(descriptor)
        if not status.st_size:
            _sync(self._folder)


class NoJournal:
    """For whoever wants none, and for check mode, which has nothing to write down."""

    path = None

    def taking_back(self, change_id: str) -> NoJournal:
        return self

    def begin(self, change: Change, commands: tuple[str, ...], url: str, account: str) -> str:
        return ""

    def end(self, change_id: str, outcome: Mapping[str, Any]) -> None:
        pass


# -- values -------------------------------------------------------------------------------------------------

_CLIXML = "clixml"


def _values(change: Change) -> dict[str, Any]:
    """The values of a change as JSON has them. One that could not be sent again does not keep it from being made."""
    try:
        before, wanted = _as_json(change.before), _as_json(change.wanted)
    except (UnconvertibleValue, RecursionError):
        before, wanted = as_result(change.before), as_result(change.wanted)
        return {"before": before, "wanted": wanted, "typed": False, "restorable": Restorable.NO.value}
    return {"before": before, "wanted": wanted, "restorable": change.restorable.value}


def _as_json(value: Any) -> Any:
    """What JSON has no type for, such as a version or a span of time, is written as it is sent to a server."""
    kind = type(value)
    if value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, Mapping) and set(value) != {_CLIXML} and all(isinstance(key, str) for key in value):
        return {key: _as_json(item) for key, item in value.items()}
    return {_CLIXML: ET.tostring(to_clixml(value), encoding="unicode")}


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if isinstance(value, dict):
        if set(value) == {_CLIXML}:
            return from_clixml(value[_CLIXML])
        return {key: _from_json(item) for key, item in value.items()}
    return value


# -- writing ------------------------------------------------------------------------------------------------

_CUT_OFF = "was cut off in the middle of an entry"
_TO_WRITE = f"{_CUT_OFF}: move the file elsewhere, and start again"
_TO_READ = (
    f"{_CUT_OFF}: move the file elsewhere to go on without what it has, or name another run, which can be taken back "
    "all the same"
)


def _prepare(folder: Path) -> None:
    """Make the folder and its marker, or refuse one that is somebody else's or of a newer format."""
    try:
        make_folder(folder)
    except (FileExistsError, NotADirectoryError):
        raise JournalUnusable(folder, "is not a folder") from None
    _must_be_ours(folder, folder.stat())
    marker = folder / _MARKER
    if not marker.exists():
        own = folder / f".{_MARKER}.{secrets.token_hex(4)}"
        try:
            descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(json.dumps({"format": FORMAT}) + "\n")
                file.flush()
                os.fchmod(descriptor, private_mode(folder))
                os.fsync(descriptor)
            own.replace(marker)
        finally:
            own.unlink(missing_ok=True)
        _sync(folder)
    _must_be_known(folder)


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk; what a new file holds is of no use without its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _must_be_known(folder: Path) -> None:
    marker = folder / _MARKER
    try:
        found = json.loads(marker.read_text(encoding="ascii"))["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise JournalUnusable(folder, f"has no readable {_MARKER}") from None
    if found != FORMAT:
        raise JournalUnusable(folder, f"has the format {found}, and this version knows {FORMAT}")


def _must_be_ours(path: Path, status: os.stat_result, *, shared: bool = False) -> None:
    """Whoever could write here could have anything taken back in our name. ``shared``: a file whose folder a group
    shares.
    """
    is_folder = stat.S_ISDIR(status.st_mode)
    if not is_folder and not stat.S_ISREG(status.st_mode):
        raise JournalUnusable(path, "is not a file")
    if is_shared(status):
        return
    if status.st_uid != os.geteuid() and not shared:
        raise JournalUnusable(path, "belongs to another user")
    if status.st_mode & (0o022 if is_folder or shared else 0o077):
        raise JournalUnusable(
            path, f"can be {'changed' if is_folder or shared else 'read'} by others than its owner"
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


# -- reading ------------------------------------------------------------------------------------------------


def entries(folder: Path, *, run: str | None = None) -> list[Entry]:
    """Every change in the journal, oldest first, each with its outcome. Raises JournalUnusable.

    With a ``run`` only that one's changes matter. Then another's file may be cut off: what it lacks are later changes,
    which the server shows, or that a change was taken back, which it shows as well.
    """
    try:
        if not folder.is_dir():
            if folder.exists() or folder.is_symlink():
                raise JournalUnusable(folder, "is not a folder")
            return []
        _must_be_ours(folder, folder.stat())
        paths = sorted(folder.glob("*.jsonl"))
        if paths or (folder / _MARKER).exists():
            _must_be_known(folder)
    except (OSError, ValueError) as error:
        raise JournalUnusable(folder, f"cannot be read ({error})") from error
    found = [entry for path in paths for entry in _entries_of(path, whole=run in (None, path.stem))]
    return sorted(found, key=lambda entry: entry.time)


def _entries_of(path: Path, *, whole: bool) -> list[Entry]:
    changes: dict[str, dict[str, Any]] = {}
    outcomes: dict[str, dict[str, Any]] = {}
    try:
        _must_be_ours(path, path.lstat(), shared=is_shared(path.parent.stat()))
        lines = path.read_bytes().split(b"\n")
        if lines[-1] and whole:
            raise JournalUnusable(path, _TO_READ)
        latest = ""
        for number, line in enumerate(lines[:-1], 1):
            entry = json.loads(line)
            if entry.get("format", FORMAT) != FORMAT:
                raise JournalUnusable(path, f"has an entry of the format {entry['format']} in line {number}")
            # The order of a file stands, whatever the clock did meanwhile.
            latest = entry["time"] = max(latest, entry["time"])
            (changes if entry["entry"] == "change" else outcomes)[entry["id"]] = entry
        return [_entry(each, outcomes.get(name)) for name, each in changes.items()]
    except OSError as error:
        raise JournalUnusable(path, f"cannot be read ({error.strerror or error})") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, UnconvertibleValue) as error:
        raise JournalUnusable(path, f"has something in it that is no entry ({error!r})") from None


def _entry(fields: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> Entry:
    # Values that could not be written with their types are only to be read by people.
    before, wanted = fields["before"], fields["wanted"]
    if fields.get("typed", True):
        before, wanted = _from_json(before), _from_json(wanted)
    return Entry(
        id=fields["id"],
        run=fields["run"],
        time=fields["time"],
        host=fields["host"],
        url=fields["url"],
        account=fields["account"],
        change=Change(
            resource=fields["resource"],
            identity=fields["identity"],
            kind=fields["kind"],
            before=before,
            wanted=wanted,
            restorable=Restorable(fields["restorable"]),
        ),
        commands=tuple(fields["commands"]),
        origin={name: fields.get(name, "") for name in ("user", "module", "task", "playbook")},
        takes_back=fields.get("takes_back", ""),
        outcome=outcome,
    )


def taken_back(journal: Iterable[Entry]) -> frozenset[str]:
    """The ids of changes that are known to have been taken back, by changes that were not taken back in their turn."""
    takers: dict[str, list[Entry]] = {}
    for entry in journal:
        if entry.takes_back and entry.is_certain:
            takers.setdefault(entry.takes_back, []).append(entry)

    def is_back(change_id: str) -> bool:
        return any(not is_back(taker.id) for taker in takers.get(change_id, ()))

    return frozenset(change_id for change_id in takers if is_back(change_id))


def half_taken_back(journal: Iterable[Entry]) -> frozenset[str]:
    """The ids of changes that somebody has begun to take back, when nobody knows how that ended."""
    takers = [entry for entry in journal if entry.takes_back and not entry.never_happened]
    finished = {entry.takes_back for entry in takers if entry.is_certain}
    return frozenset(entry.takes_back for entry in takers) - finished
