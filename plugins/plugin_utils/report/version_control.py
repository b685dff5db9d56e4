# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What git has of a baseline's folder, where it is kept there."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

_SECONDS = 10


def state_of(folder: str) -> dict[str, Any]:
    """The newest commit that touched the folder, its time, and whether something is in no commit; empty where git, or
    a repository, is not there.
    """
    newest = _git(folder, "log", "-1", "--format=%h %cI", "--", ".")
    changes = _git(folder, "status", "--porcelain", "--", ".")
    if not newest or changes is None:
        return {}
    commit, _blank, time = newest.strip().partition(" ")
    return {"commit": commit, "time": time, "is_changed": bool(changes.strip())}


def _git(folder: str, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, "-C", folder, "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, and no shell
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
