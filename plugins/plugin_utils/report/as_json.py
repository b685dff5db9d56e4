# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The model as the JSON file that others read. ``report.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .building import FORMAT
from .gathered import UnusableReport

SCHEMA = Path(__file__).with_name("report.schema.json")


def render(model: Mapping[str, Any]) -> str:
    """In ASCII, in which no value can be anything but text."""
    return json.dumps(model, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def load(text: str) -> dict[str, Any]:
    """Raises UnusableReport."""
    try:
        model = json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableReport("It is no report: it is damaged.") from None
    if not isinstance(model, dict) or "findings" not in model or "counts" not in model:
        raise UnusableReport("It is no report.")
    if model.get("format") != FORMAT:
        raise UnusableReport(f"It has the format {model.get('format')}, and this version knows {FORMAT}.")
    return model
