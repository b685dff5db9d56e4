# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder on the controller that holds what is known of a deployment: lock, last seen, runs, copies of the
store, journal.

It belongs to whoever made it, or to the group that shares the folder it is in (``change/sharing``).

The lock is the kernel's and dies with its process; the text in its file is for people. Nothing of this is in the
deployment itself.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import json
import os
import re
import secrets
import socket
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..change.sharing import is_shared, make_folder, private_mode
from ..powershell.errors import ManagementShellError
from . import history
from .deployment import Binding
from .documents import write_atomically
from .history import LastSeen

FORMAT = 1
VARIABLE = "lync_remediation_state"
_MARKER = "format.json"
_BINDING = "deployment.json"
_LAST_SEEN = "last_seen.json"
_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.json")
# So many are kept.
_RUNS = 1000
_SPARE = 65_536
# Kinds of file systems that go when a container or a machine does (proc(5), mounts).
_FLEETING = frozenset(("overlay", "aufs", "tmpfs", "ramfs", "fuse-overlayfs"))
_CLOCK_TOLERANCE = datetime.timedelta(minutes=5)


class StateUnusable(ManagementShellError):
    """The state folder cannot be used as it is."""

    def __init__(self, path: Path, problem: str) -> None:
        what = "file" if path.suffix else "folder"
        super().__init__(
            f"The state {what} {path} {problem.rstrip('.')}. {VARIABLE} names the folder that it is in."
        )


class Locked(ManagementShellError):
    """Another run works on the deployment. ``run`` is its id, as far as it is known."""

    def __init__(self, path: Path, holder: Mapping[str, Any]) -> None:
        self.run = str(holder.get("run", ""))
        who = ", ".join(
            f"{name} {holder[name]}" for name in ("user", "host", "pid", "since") if name in holder
        )
        super().__init__(
            f"Another run works on this deployment ({who or 'who is not known'}); its lock is {path}."
        )


@dataclass(frozen=True)
class Now:
    """The moment a run began, and the run's id."""

    time: datetime.datetime
    run: str

    @property
    def text(self) -> str:
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def stamp(self) -> str:
        return f"{self.time:%Y%m%dT%H%M%SZ}"

    @property
    def today(self) -> datetime.date:
        return self.time.date()


def default_root() -> Path:
    """Below the user's state folder (XDG Base Directory Specification, which wants relative paths ignored)."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    base = state if state.is_absolute() else Path("~/.local/state").expanduser()
    return base / "lync.remediation" / "drift"


class State:
    """One deployment's folder below ``root``."""

    def __init__(self, root: Path, deployment: str) -> None:
        self.root = root
        self.path = root / deployment
        self.deployment = deployment

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def store(self) -> Path:
        return self.path / "store"

    # -- opening ----------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the folder, or see that it is ours, can be written and has a format that is known. Raises
        StateUnusable.
        """
        with self._problems("cannot be written"):
            for folder in (self.root, self.path, self.runs, self.store):
                make_folder(folder)
            status = self.path.stat()
            if not is_shared(status):
                if status.st_uid != os.geteuid():
                    raise StateUnusable(self.path, "belongs to another user")
                if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    raise StateUnusable(self.path, "can be changed by others than its owner")
            marker = self.path / _MARKER
            if not marker.exists():
                self._write(marker, {"format": FORMAT})
            found = self._json(marker).get("format")
            if found != FORMAT:
                raise StateUnusable(self.path, f"has the format {found}, and this version knows {FORMAT}")
            if not os.access(self.path, os.W_OK):
                raise StateUnusable(self.path, "cannot be written")

    def must_be_earlier(self, now: Now) -> None:
        """Raises StateUnusable where the clock has gone backwards since the last run, which would turn ages round."""
        latest = self.load().time
        if (
            latest
            and datetime.datetime.fromisoformat(latest.replace("Z", "+00:00")) - now.time > _CLOCK_TOLERANCE
        ):
            raise StateUnusable(
                self.path,
                f"was written at {latest}, and this computer's clock says {now.text}: it went backwards",
            )

    @contextlib.contextmanager
    def locked(self, now: Now) -> Iterator[None]:
        """Hold the deployment's lock. Raises Locked where another process has it, and StateUnusable."""
        path = self.path / "lock"
        with self._problems("cannot be locked"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if os.fstat(descriptor).st_uid == os.geteuid():
                os.fchmod(descriptor, private_mode(self.path))
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Locked(path, _holder(path)) from None
            holder = {
                "run": now.run,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "user": _user(),
                "since": now.text,
            }
            with self._problems("cannot be locked"):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(holder).encode("ascii") + b"\n", 0)
            yield
        finally:
            os.close(descriptor)

    # -- what it holds ----------------------------------------------------------------------------------------

    def bindings(self) -> dict[str, Binding]:
        """Every deployment that has a folder here."""
        found = {}
        with self._problems("cannot be read"):
            for path in sorted(self.root.glob(f"*/{_BINDING}")):
                document = self._json(path)
                try:
                    found[path.parent.name] = Binding(
                        document["default_sip_domain"], tuple(document["sites"])
                    )
                except (KeyError, TypeError):
                    raise StateUnusable(path, "is damaged") from None
        return found

    def bind(self, binding: Binding) -> None:
        if self.bindings().get(self.deployment) != binding:
            document = {"default_sip_domain": binding.default_sip_domain, "sites": list(binding.sites)}
            self._write(self.path / _BINDING, document)

    def load(self) -> LastSeen:
        path = self.path / _LAST_SEEN
        if not path.exists():
            return LastSeen()
        document = self._json(path)
        if document.get("format") != FORMAT:
            raise StateUnusable(
                path, f"has the format {document.get('format')}, and this version knows {FORMAT}"
            )
        try:
            return history.from_json(document)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StateUnusable(
                path, "is damaged; without it there is no history, and all is seen for the first time"
            ) from None

    def save(self, last: LastSeen) -> None:
        self._write(self.path / _LAST_SEEN, {"format": FORMAT, **history.to_json(last)})

    def must_have_room(self, last: LastSeen, run: Mapping[str, Any]) -> None:
        """Whether what is kept of a run can be written when it has changed something. Raises StateUnusable."""
        # What is replaced stands there until what replaces it does, and both may grow.
        size = (
            2 * (len(json.dumps(history.to_json(last), indent=1)) + len(json.dumps(run, indent=1))) + _SPARE
        )
        with self._problems("cannot be written"), tempfile.TemporaryFile(dir=self.path) as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())

    def run_path(self, now: Now) -> Path:
        return self.runs / f"{now.stamp}-{now.run[-8:]}.json"

    def save_run(self, now: Now, document: Mapping[str, Any]) -> Path:
        path = self.run_path(now)
        self._write(path, {"format": FORMAT, **document})
        with self._problems("cannot be written"):
            for old in self._run_files()[:-_RUNS]:
                old.unlink()
        return path

    def _run_files(self) -> list[Path]:
        """From the oldest to the newest."""
        return sorted(path for path in self.runs.glob("*.json") if _RUN.fullmatch(path.name))

    def run_of(self, run: str) -> dict[str, Any] | None:
        """What this deployment was found to be by the run of that id, for a second host of the same one."""
        found = sorted(self.runs.glob(f"*-{run[-8:]}.json")) if self.runs.is_dir() else []
        return self._json(found[-1]) if found else None

    def latest_run(self) -> dict[str, Any] | None:
        """The newest run."""
        found = self._run_files()
        return self._json(found[-1]) if found else None

    def read_run(self, path: Path) -> dict[str, Any]:
        document = self._json(path)
        if document.get("format") != FORMAT or not isinstance(document.get("findings"), list):
            raise StateUnusable(path, "is no run that was saved")
        return document

    # -- copies of the store ----------------------------------------------------------------------------------

    def has_copy_of(self, day: datetime.date) -> bool:
        return any(self.store.glob(f"{day:%Y%m%d}T*.zip"))

    def save_copy(self, now: Now, content: bytes, keep: int) -> Path:
        """Keep a copy that only its owner can read, and the newest ``keep`` of them."""
        path = self.store / f"{now.stamp}.zip"
        with self._problems("cannot be written"):
            write_atomically(path, content, 0o600)
            for old in sorted(self.store.glob("*.zip"))[:-keep]:
                old.unlink()
        return path

    # -- pieces -----------------------------------------------------------------------------------------------

    def _write(self, path: Path, document: Mapping[str, Any]) -> None:
        with self._problems("cannot be written"):
            text = json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
            write_atomically(path, text, private_mode(path.parent))

    def _json(self, path: Path) -> dict[str, Any]:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise StateUnusable(path, f"cannot be read ({error.strerror or error})") from None
        except (ValueError, RecursionError):
            raise StateUnusable(path, "is damaged") from None
        if not isinstance(document, dict):
            raise StateUnusable(path, "is damaged")
        return document

    @contextlib.contextmanager
    def _problems(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StateUnusable(self.path, f"{what} ({error.strerror or error})") from None


def persists(path: Path, mounts: str) -> bool:
    """Whether what is written there is still there when a container has gone. ``mounts`` is /proc/self/mounts."""
    kinds: dict[Path, str] = {}
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            kinds[Path(re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), fields[1]))] = fields[2]
    existing = next(each for each in (path, *path.parents) if each.exists()).resolve()
    mounted = next((each for each in (existing, *existing.parents) if each in kinds), None)
    return mounted is None or kinds[mounted] not in _FLEETING


def mounted() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _holder(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
