# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The formats of a report. Each is made from the model, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import as_csv, as_html, as_json, as_junit, as_prometheus, as_text


@dataclass(frozen=True)
class Format:
    """``mode`` is the file's: a report is its owner's, but for the metrics, which somebody else collects."""

    suffix: str
    render: Callable[[Mapping[str, Any]], str]
    mode: int = 0o600


FORMATS: Mapping[str, Format] = {
    "json": Format(".json", as_json.render),
    "html": Format(".html", as_html.render),
    "csv": Format(".csv", as_csv.render),
    "junit": Format(".xml", as_junit.render),
    "prometheus": Format(".prom", as_prometheus.render, 0o644),
    "text": Format(".txt", as_text.render),
}


def render(name: str, model: Mapping[str, Any]) -> str:
    return FORMATS[name].render(model)
