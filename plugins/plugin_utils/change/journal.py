# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of changes: written down on the controller before each change is made, so that it can be taken back.

A folder with one file a run, JSON Lines. A ``change`` entry is on the disk before its command is sent, an ``outcome``
entry follows when the outcome is known; a change without one was interrupted, and only the server can tell what became
of it. The files belong to their owner alone and hold no secret.
"""

from __future__ import annotations

import datetime
import enum
import fcntl
import getpass
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..powershell.errors import ManagementShellError

FORMAT = 1
_MARKER = "format.json"
_RUN = "lync-remediation-run"


class JournalUnusable(ManagementShellError):
    """The journal cannot be written or read. Where that is found out before a change, nothing is changed."""

    def __init__(self, path: Path, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The journal of changes {path} {problem}. Name another folder with lync_remediation_journal, or false for "
            "none."
        )


class Restorable(enum.Enum):
    """Whether a change can be taken back."""

    YES = "yes"
    VALUES_ONLY = "values_only"
    """The object comes back with its values, but what referred to it does not, such as grants of a policy."""
    NO = "no"


@dataclass(frozen=True)
class Origin:
    """Who makes a change, from where, and as part of what: for people, and for finding the change again."""

    host: str
    module: str
    task: str = ""
    playbook: str = ""


@dataclass(frozen=True)
class Change:
    """What is about to be changed.

    ``before`` holds the values that are replaced and ``wanted`` those that replace them, as `restoring` needs them:
    None for an object that is absent. ``kind`` is what is done to the object, such as ``set`` or ``create``.
    """

    resource: str
    identity: str
    kind: str
    before: Mapping[str, Any] | None
    wanted: Mapping[str, Any] | None
    restorable: Restorable


@dataclass(frozen=True)
class Entry:
    """A change as the journal has it. ``time`` is UTC; ``outcome`` is None for one that was interrupted."""

    id: str
    run: str
    time: str
    host: str
    url: str
    account: str
    change: Change
    commands: tuple[str, ...]
    origin: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Any] | None = None


def default_folder() -> Path:
    """Below the user's state folder (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "lync.remediation" / "journal"


def run_id(run_folder: str) -> str:
    """The id of the playbook run whose private temporary folder this is; all its workers get the same."""
    path = Path(run_folder, _RUN)
    fresh = f"{_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # Written in one piece, and read back by whoever comes second under the same lock.
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(fresh)
        return fresh
    with path.open("r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        if not text:  # Its maker has not locked it yet, or died: ours is as good.
            text = fresh
            file.write(text)
        return text


class Journal:
    """One run's journal. Use `NoJournal` where the user wants none."""

    def __init__(self, folder: Path, run: str, origin: Origin) -> None:
        self._folder = folder
        self._run = run
        self._origin = origin

    @property
    def path(self) -> Path:
        return self._folder / f"{self._run}.jsonl"

    def begin(self, change: Change, commands: tuple[str, ...], url: str, account: str) -> str:
        """Write a change down, on the disk, before it is made; its id. Raises JournalUnusable."""
        entry = {
            "entry": "change",
            "format": FORMAT,
            "id": secrets.token_hex(4),
            "run": self._run,
            "time": f"{_now():%Y-%m-%dT%H:%M:%S.%fZ}",
            "user": _user(),
            **asdict(self._origin),
            "url": url,
            "account": account,
            "resource": change.resource,
            "identity": change.identity,
            "kind": change.kind,
            "before": change.before,
            "wanted": change.wanted,
            "restorable": change.restorable.value,
            "commands": list(commands),
        }
        with self._problems():
            _prepare(self._folder)
            self._append(entry, check=True)
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
        except OSError as error:
            raise JournalUnusable(self.path, f"cannot be written ({error.strerror or error})") from error

    def _append(self, entry: Mapping[str, Any], *, check: bool = False) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            # Workers of one run share the file.
            fcntl.flock(file, fcntl.LOCK_EX)
            if check:
                _must_be_ours(self.path, os.fstat(descriptor))
                _must_be_whole(self.path, file.seek(0, os.SEEK_END), descriptor)
            line = json.dumps(entry, ensure_ascii=True, allow_nan=False).encode() + b"\n"
            written = os.write(descriptor, line)
            if written != len(line):
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
                raise OSError(28, "No space left on device")
            os.fsync(descriptor)


class NoJournal:
    """For whoever wants none, and for check mode, which has nothing to write down."""

    path = None

    def begin(self, change: Change, commands: tuple[str, ...], url: str, account: str) -> str:
        return ""

    def end(self, change_id: str, outcome: Mapping[str, Any]) -> None:
        pass


# -- writing ------------------------------------------------------------------------------------------------


def _prepare(folder: Path) -> None:
    """Make the folder and its marker, or refuse one that is somebody else's or of a newer format."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise JournalUnusable(folder, "is not a folder") from None
    _must_be_ours(folder, folder.stat())
    marker = folder / _MARKER
    if not marker.exists():
        temporary = folder / f".{_MARKER}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps({"format": FORMAT}) + "\n")
            file.flush()
            os.fsync(descriptor)
        temporary.replace(marker)
    _must_be_known(folder)


def _must_be_known(folder: Path) -> None:
    marker = folder / _MARKER
    try:
        found = json.loads(marker.read_text(encoding="ascii"))["format"]
    except (ValueError, KeyError, TypeError):
        raise JournalUnusable(folder, f"has no readable {_MARKER}") from None
    if found != FORMAT:
        raise JournalUnusable(folder, f"has the format {found}, and this version knows {FORMAT}")


def _must_be_ours(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise JournalUnusable(path, "belongs to another user")
    if stat.S_IMODE(status.st_mode) & 0o077 & ~(0o055 if stat.S_ISDIR(status.st_mode) else 0):
        raise JournalUnusable(path, "can be changed by others than its owner")


def _must_be_whole(path: Path, size: int, descriptor: int) -> None:
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        raise JournalUnusable(path, "was cut off in the middle of an entry")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


# -- reading ------------------------------------------------------------------------------------------------


def entries(folder: Path) -> list[Entry]:
    """Every change in the journal, oldest first, each with its outcome. Raises JournalUnusable."""
    if not folder.is_dir():
        raise JournalUnusable(folder, "is not a folder" if folder.exists() else "does not exist")
    if not (folder / _MARKER).exists():
        if any(folder.glob("*.jsonl")):
            raise JournalUnusable(folder, f"has no readable {_MARKER}")
        return []
    _must_be_known(folder)
    found: list[Entry] = []
    for path in sorted(folder.glob("*.jsonl")):
        found += _entries_of(path)
    return sorted(found, key=lambda entry: entry.time)


def _entries_of(path: Path) -> list[Entry]:
    changes: dict[str, dict[str, Any]] = {}
    outcomes: dict[str, dict[str, Any]] = {}
    try:
        lines = path.read_bytes().split(b"\n")
        if lines[-1]:
            raise JournalUnusable(path, "was cut off in the middle of an entry")
        for number, line in enumerate(lines[:-1], 1):
            entry = json.loads(line)
            if entry.get("format", FORMAT) != FORMAT:
                raise JournalUnusable(path, f"has an entry of the format {entry['format']} in line {number}")
            (changes if entry["entry"] == "change" else outcomes)[entry["id"]] = entry
        return [_entry(each, outcomes.get(name)) for name, each in changes.items()]
    except OSError as error:
        raise JournalUnusable(path, f"cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JournalUnusable(path, f"has something in it that is no entry ({error!r})") from None


def _entry(fields: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> Entry:
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
            before=fields["before"],
            wanted=fields["wanted"],
            restorable=Restorable(fields["restorable"]),
        ),
        commands=tuple(fields["commands"]),
        origin={name: fields.get(name, "") for name in ("user", "module", "task", "playbook")},
        outcome=outcome,
    )
