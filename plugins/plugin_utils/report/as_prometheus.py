# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as a file for the textfile collector of Prometheus' node_exporter.

HELP and TYPE never change, every state is there with its zero, and labels have few values: a name, a state or a
severity.
Files have no times of their own, so that the age of the last success is a value.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..drift.run import EXIT_CODES
from ..result.severity import Severity
from . import words
from .counting import COUNTS, OPEN

_PREFIX = "lync_remediation_drift"
_HELP: Mapping[str, str] = {
    "rows": "Properties and objects by what they were found to be.",
    "findings": "Findings that are open, by severity.",
    "verdict": "1 for the verdict of the last run.",
    "last_run_timestamp_seconds": "When the last run began.",
    "last_success_timestamp_seconds": "When the last run began that could judge everything; 0 where there is none.",
}


def render(model: Mapping[str, Any]) -> str:
    report = {"report": model["name"]}
    samples: dict[str, list[tuple[Mapping[str, str], float]]] = {
        "rows": [],
        "findings": [],
        "verdict": [({**report, "verdict": each}, each == model["verdict"]) for each in EXIT_CODES],
        "last_run_timestamp_seconds": [(report, _seconds(model["started"]))],
        "last_success_timestamp_seconds": [(report, _seconds(model["last_complete"]))],
    }
    open_now = Counter(
        (each["deployment"], each["severity"]) for each in model["findings"] if each["count"] in OPEN
    )
    for each in model["deployments"]:
        labels = {**report, "deployment": each["name"]}
        samples["rows"] += [({**labels, "status": name}, each["counts"][name]) for name in COUNTS]
        samples["findings"] += [
            ({**labels, "severity": severity.value}, open_now[each["name"], severity.value])
            for severity in Severity
        ]
    return "".join(
        f"{line}\n" for name, help_text in _HELP.items() for line in _metric(name, help_text, samples[name])
    )


def _metric(name: str, help_text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> list[str]:
    full = f"{_PREFIX}_{name}"
    return [
        f"# HELP {full} {help_text}",
        f"# TYPE {full} gauge",
        *(f"{full}{{{_labels(labels)}}} {int(value)}" for labels, value in samples),
    ]


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    """As the exposition format has it; what is no Unicode text is replaced."""
    return words.without_surrogates(text).replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _seconds(time: str) -> float:
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() if time else 0
