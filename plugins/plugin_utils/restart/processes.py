# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process this is, and whether one that left a mark is dead for certain. Linux tells; elsewhere nothing is
known.
"""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path

from ..windows.stopping_mark import Process

_PROC = Path("/proc")
_BOOT = _PROC / "sys/kernel/random/boot_id"
_MACHINE = Path("/etc/machine-id")
# The inode of the first namespace of a kernel (PROC_PID_INIT_INO of include/linux/proc_ns.h): no container.
_FIRST_NAMESPACE = "pid:[4026531836]"
_GONE = ("Z", "X", "x")


def this_process() -> Process:
    process = os.getpid()
    started, _state = _stat(process)
    return Process(
        controller=platform.node(),
        user=_user(),
        process=process,
        started=started,
        machine=_text(_MACHINE),
        boot=_text(_BOOT),
        namespace=_namespace(),
    )


def is_dead(other: Process, here: Process) -> bool:
    """Whether it is certain that ``other`` does nothing any more. ``here``: a process that lives."""
    known = all((here.controller, here.boot, here.namespace))
    if not known or other.controller != here.controller:
        return False
    if other.boot != here.boot:
        # The same computer, started anew since.
        same = other.machine == here.machine != ""
        return same and bool(other.boot) and other.namespace == here.namespace == _FIRST_NAMESPACE
    if other.namespace != here.namespace:
        return False
    started, state = _stat(other.process)
    return started != other.started or state in _GONE


def _stat(process: int) -> tuple[str, str]:
    """When a process started, in ticks since the computer did, and its state; empty where there is none (proc(5))."""
    text = _text(_PROC / str(process) / "stat")
    fields = text.rpartition(")")[2].split()
    return (fields[19], fields[0]) if len(fields) > 19 else ("", "")


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
