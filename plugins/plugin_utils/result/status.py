# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task knows of the state it is about."""

from __future__ import annotations

import enum


class Status(enum.Enum):
    """The status of a result; its value is what users see."""

    IN_DESIRED_STATE = "in_desired_state"
    DRIFTED = "drifted"
    CORRECTED = "corrected"
    UNKNOWN = "unknown"
