# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders on the controller that a group shares, such as people and the account of a timer.

Whoever gives a folder to a group, lets it write there and sets the folder's set-group-ID bit has said that its members
trust each other. What is made in it is the group's then, whatever the umask; anywhere else it is its owner's alone.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_BY_THE_GROUP = stat.S_ISGID | stat.S_IWGRP


def is_shared(status: os.stat_result) -> bool:
    """Whether it is a folder that one group shares, and nobody else."""
    mode = status.st_mode
    return stat.S_ISDIR(mode) and mode & _BY_THE_GROUP == _BY_THE_GROUP and not mode & stat.S_IWOTH


def make_folder(path: Path) -> None:
    """Make a folder and those above it that are missing. Raises OSError, FileExistsError where it is something else."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent)
    if not is_shared(path.parent.stat()):
        path.mkdir(mode=0o700, exist_ok=True)
        return
    # The kernel passes the set-group-ID bit on. Setting it is what a service may be forbidden (RestrictSUIDSGID).
    umask = os.umask(0o007)
    try:
        path.mkdir(mode=0o770, exist_ok=True)
    finally:
        os.umask(umask)


def private_mode(folder: Path, *, group: int = 0o060) -> int:
    """The mode of a file in that folder that is nobody's but the owner's, or the group's that shares the folder.
    ``group`` is what the group may do then.
    """
    return 0o600 | (group if is_shared(folder.stat()) else 0)
