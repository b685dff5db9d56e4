# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Becomes the command it is given, as a process that cannot set this machine's clock and ends with the lab.

``python launch.py PARENT COMMAND...``; a program of its own, since after a fork of the lab, which has many threads,
nothing but exec is safe.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38  # linux/prctl.h
_CAP_SYS_TIME, _CAP_WAKE_ALARM = 25, 35  # linux/capability.h

if __name__ == "__main__":
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for capability in (_CAP_SYS_TIME, _CAP_WAKE_ALARM):
        # Who may not drop it has not got it: only root's processes get capabilities by being executed.
        prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("The lab is gone.")
    os.execvp(sys.argv[2], sys.argv[2:])
