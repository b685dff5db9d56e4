# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A shell that answers as it was told, and a clock that only moves when told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import (
    CommandError,
    Endpoint,
    classify_report,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    ErrorReport,
    RemoteObject,
    Results,
)

NAME = "fe01.contoso.com"
ENDPOINT = Endpoint(f"https://{NAME}:5986/wsman", NAME, NAME, "admin", "basic", "Microsoft.PowerShell")

Answer = Results | BaseException | Callable[[], Results]


class Scripted:
    """Answers one call of ``run`` after the other; keeps what was sent, as a person would read it."""

    endpoint = ENDPOINT

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.pipelines: list[list[str]] = []
        self.changed: list[bool] = []

    @property
    def sent(self) -> list[str]:
        return [text for pipeline in self.pipelines for text in pipeline]

    @property
    def written(self) -> list[str]:
        return [
            text
            for pipeline, changes in zip(self.pipelines, self.changed, strict=True)
            if changes
            for text in pipeline
        ]

    def run(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        self.pipelines.append([command.as_text() for command in commands])
        self.changed.append(changes)
        assert self.answers, f"nobody expected {self.pipelines[-1]}"
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer

    def classify(self, report: ErrorReport) -> CommandError:
        return classify_report(report, self.endpoint)

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        return ()

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        raise KeyError(cmdlet)

    def server_version(self) -> str | None:
        return None


class ScriptedClock:
    """Time that passes when somebody sleeps, or when it is told to."""

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self.wall = start
        self.since_start = 0.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.since_start += seconds

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.since_start

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.passes(seconds)


def remote(type_name: str = "System.Object", **properties: Any) -> RemoteObject:
    return RemoteObject((type_name, "System.Object"), properties)
