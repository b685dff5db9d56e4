# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note one worker leaves for the next: which shell to go on with. It holds no secret but a load balancer's cookie.

A run has at most `SLOTS` sessions for an endpoint and account, and a file for each in its private temporary folder. A
file's lock is held for as long as a worker uses the session; the operating system frees it when the worker dies. A
record says whether its session was left in good order. Where it was not (the worker died, or was interrupted), nobody
goes on with that session, but the next worker knows what to end on the server.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_FORMAT = 3

# How many sessions the workers of a run may have with one endpoint and account at the same time.
SLOTS = 2

_POLL_SECONDS = 0.05


class AllInUse(Exception):
    """Other workers held every slot for as long as one was waited for."""


@dataclass
class SessionRecord:
    """What another process needs to go on with an open runspace pool, and what has been learnt about it."""

    shell_id: str
    pool_id: str
    wsman_session_id: str
    fragment_counter: int
    protocol_version: str
    ps_version: str
    serialization_version: str
    powershell_version: str | None = None
    imported_module: str | None = None
    server_version: str | None = None
    cmdlets: dict[str, dict[str, str] | None] = field(default_factory=dict)
    cookies: list[dict[str, Any]] = field(default_factory=list, repr=False)


class RecordFile:
    """One slot's file, open and locked. Use `claim` to get one."""

    def __init__(self, descriptor: int, key: str) -> None:
        self._descriptor = descriptor
        self._key = key

    @classmethod
    def claim(cls, folder: str, *identity: str, wait: float = 0) -> RecordFile | None:
        """A slot for an endpoint and account (``identity``), locked: one with a session in good order, if there is one.

        None where there can be no file of ours. Raises `AllInUse` if no slot became free within ``wait`` seconds.
        """
        deadline = time.monotonic() + wait
        while True:
            slots = [cls._open(folder, identity, number) for number in range(SLOTS)]
            if not any(slot.usable for slot in slots):
                return None
            free = [slot.file for slot in slots if slot.file is not None]
            if free:
                chosen = next((file for file in free if file._read(True) is not None), free[0])
                for file in free:
                    if file is not chosen:
                        file.release()
                return chosen
            if time.monotonic() >= deadline:
                raise AllInUse
            time.sleep(_POLL_SECONDS)

    @classmethod
    def claim_session(cls, folder: str, *identity: str, wait: float) -> RecordFile | None:
        """A slot in which another worker has opened a session, once it is free; None where no slot is in use.

        Raises `AllInUse` if that took longer than ``wait`` seconds.
        """
        deadline = time.monotonic() + wait
        while True:
            slots = [cls._open(folder, identity, number) for number in range(SLOTS)]
            free = [slot.file for slot in slots if slot.file is not None]
            chosen = next(
                (file for left in (True, False) for file in free if file._read(left) is not None), None
            )
            for file in free:
                if file is not chosen:
                    file.release()
            if chosen is not None or not any(slot.usable and slot.file is None for slot in slots):
                return chosen
            if time.monotonic() >= deadline:
                raise AllInUse
            time.sleep(_POLL_SECONDS)

    @classmethod
    def claim_all(cls, folder: str, *identity: str) -> list[RecordFile]:
        """Every slot that nobody uses now."""
        slots = [cls._open(folder, identity, number) for number in range(SLOTS)]
        return [slot.file for slot in slots if slot.file is not None]

    def take(self) -> SessionRecord | None:
        """The session that was left in good order, which counts as in use from now on; None if there is none that can
        be trusted.
        """
        record = self._read(left=True)
        if record is not None:
            self.hold(record)
        return record

    def abandoned(self) -> SessionRecord | None:
        """The session whose worker did not leave it in good order."""
        return self._read(left=False)

    def hold(self, record: SessionRecord) -> None:
        """Note the session that is in use."""
        self._write(record, left=False)

    def leave(self, record: SessionRecord) -> None:
        """Write the record for the next worker."""
        self._write(record, left=True)

    def clear(self) -> None:
        """There is no session any more."""
        os.ftruncate(self._descriptor, 0)

    def release(self) -> None:
        os.close(self._descriptor)

    @classmethod
    def _open(cls, folder: str, identity: Sequence[str], number: int) -> _Slot:
        key = hashlib.sha256("\0".join((str(number), *identity)).encode()).hexdigest()
        path = Path(folder, f"management-shell-{key[:32]}.session")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return _Slot(usable=False, file=None)
        status = os.fstat(descriptor)
        foreign = (
            status.st_uid != os.geteuid()
            or stat.S_IMODE(status.st_mode) & 0o077
            or not stat.S_ISREG(status.st_mode)
        )
        if foreign or not _lock(descriptor):
            os.close(descriptor)
            return _Slot(usable=not foreign, file=None)
        return _Slot(usable=True, file=cls(descriptor, key))

    def _read(self, left: bool) -> SessionRecord | None:
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            return _parse(file.read(), self._key, left)

    def _write(self, record: SessionRecord, *, left: bool) -> None:
        content = json.dumps({"format": _FORMAT, "key": self._key, "left": left, **asdict(record)}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, content, 0)


@dataclass(frozen=True)
class _Slot:
    """``usable``: the file can be had, now or when another worker is done with it; ``file``: it is ours now."""

    usable: bool
    file: RecordFile | None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _parse(content: bytes, key: str, left: bool) -> SessionRecord | None:
    try:
        fields: dict[str, Any] = json.loads(content)
        if fields.pop("format") != _FORMAT or fields.pop("key") != key or fields.pop("left") is not left:
            return None
        record = SessionRecord(**fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return record if _is_sound(record) else None


def _is_sound(record: SessionRecord) -> bool:
    """Whether every field is of a kind that can be worked with: a damaged record must not break a task."""
    texts = (record.shell_id, record.pool_id, record.wsman_session_id, record.protocol_version)
    optional = (
        record.powershell_version,
        record.imported_module,
        record.server_version,
    )
    return (
        all(isinstance(text, str) and text for text in texts)
        and all(isinstance(text, str) for text in (record.ps_version, record.serialization_version))
        and all(text is None or isinstance(text, str) for text in optional)
        and re.fullmatch(r"\d+(\.\d+)+", record.protocol_version) is not None
        and isinstance(record.fragment_counter, int)
        and not isinstance(record.fragment_counter, bool)
        and 0 < record.fragment_counter < 2**63
        and isinstance(record.cmdlets, dict)
        and all(
            types is None
            or (isinstance(types, dict) and all(isinstance(type_name, str) for type_name in types.values()))
            for types in record.cmdlets.values()
        )
        and isinstance(record.cookies, list)
        and all(
            isinstance(cookie, dict)
            and set(cookie) == {"name", "value", "domain", "path"}
            and all(value is None or isinstance(value, str) for value in cookie.values())
            for cookie in record.cookies
        )
    )
