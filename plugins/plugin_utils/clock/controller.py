# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller's own kernel says of its clock."""

from __future__ import annotations

import ctypes

# TIME_ERROR of ntp_adjtime(3): the clock is not synchronised.
_NOT_SYNCHRONISED = 5
# More than struct timex takes on any system; all zeros ask for nothing to be changed.
_ROOM = 512


def is_synchronised() -> bool | None:
    """Whether something disciplines the clock; None where the kernel does not tell, as in some containers."""
    try:
        state = ctypes.CDLL(None).ntp_adjtime(ctypes.create_string_buffer(_ROOM))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _NOT_SYNCHRONISED
