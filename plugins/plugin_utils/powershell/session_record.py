# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note one worker leaves for the next: which shell to go on with. It holds no secret.

A record lives in the run's private temporary folder, one file an endpoint and account. Its lock is held for as long
as a worker uses the session, and the file is emptied when it is taken: a worker that dies leaves an empty file, so
that nobody goes on with a session whose state is not known.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_FORMAT = 1


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
    offers: dict[str, list[str] | None] = field(default_factory=dict)


class RecordFile:
    """One record's file, open and locked. Use `claim` to get one."""

    def __init__(self, descriptor: int, key: str) -> None:
        self._descriptor = descriptor
        self._key = key

    @classmethod
    def claim(cls, folder: str, *identity: str) -> RecordFile | None:
        """The file for an endpoint and account (``identity``), locked, or None if another worker holds it or it is
        not ours.
        """
        key = hashlib.sha256("\0".join(identity).encode()).hexdigest()
        path = Path(folder, f"management-shell-{key[:32]}.session")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        status = os.fstat(descriptor)
        foreign = (
            status.st_uid != os.geteuid()
            or stat.S_IMODE(status.st_mode) & 0o077
            or not stat.S_ISREG(status.st_mode)
        )
        if foreign or not _lock(descriptor):
            os.close(descriptor)
            return None
        return cls(descriptor, key)

    def take(self) -> SessionRecord | None:
        """The record, which is no longer in the file afterwards; None if there is none that can be trusted."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            content = file.read()
        os.ftruncate(self._descriptor, 0)
        return _parse(content, self._key)

    def leave(self, record: SessionRecord) -> None:
        """Write the record for the next worker."""
        content = json.dumps({"format": _FORMAT, "key": self._key, **asdict(record)}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, content, 0)

    def release(self) -> None:
        os.close(self._descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _parse(content: bytes, key: str) -> SessionRecord | None:
    try:
        fields: dict[str, Any] = json.loads(content)
        if fields.pop("format") != _FORMAT or fields.pop("key") != key:
            return None
        record = SessionRecord(**fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    texts = (record.shell_id, record.pool_id, record.wsman_session_id, record.protocol_version)
    sound = all(isinstance(text, str) and text for text in texts) and isinstance(record.fragment_counter, int)
    return record if sound and record.fragment_counter > 0 and isinstance(record.offers, dict) else None
