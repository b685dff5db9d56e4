# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and their values as people read them, in differences and in messages."""

from __future__ import annotations

import json
from typing import Any


def shown(value: Any) -> str:
    """A value for people: a text as it is where that cannot be misread, anything else as YAML and JSON both
    write it.
    """
    if isinstance(value, str) and value and value == value.strip() and value.isprintable():
        return value
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def as_line(option: str, value: Any) -> str:
    return f"{option}: {shown(value)}"
