# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: what goes wrong, where, and how often.

A rule says which server, which request or which cmdlet it strikes; the places where things can go wrong (the HTTP
server, the execution of a command) ask for the rules that match and act on them.
"""

from __future__ import annotations

import fnmatch
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .contract import Server

#: Faults of a request: struck by the HTTP server.
REQUEST_FAULTS: Mapping[str, str] = {
    "drop-before": "the connection is dropped and the request has no effect",
    "drop-after": "the request takes effect, then the connection is dropped instead of an answer",
    "delay": "the answer comes `seconds` later",
    "status": "an HTTP status `code` (401, 500, 503 ...) with an empty body, without effect; 3xx redirects to itself",
    "status-after": "the request takes effect, and is answered so",
    "page": "an HTML page with HTTP status `code`, as portals and gateways show one, without effect",
    "garbage": "the request takes effect, and is answered with something that is not XML",
    "truncate": "the request takes effect, and the connection ends in the middle of the answer",
    "chunks-cut-off": "likewise, where the answer comes in chunks of unannounced length",
    "reset": "the request takes effect, and the connection ends after the headers of the answer",
    "headers-cut-off": "the request takes effect, and the connection ends in the middle of the headers of the answer",
    "trickle": "the request takes effect, and the answer comes in pieces within `seconds`",
    "wrong-type": "the request takes effect, and its answer says that it is HTML",
    "unreadable-output": "the request takes effect; output in its answer is CLIXML that is cut off",
    "unknown-message": "likewise; output is a message of a type that does not exist",
    "no-final-state": "likewise; a pipeline's last state is missing",
    "failed": "likewise; a pipeline's last state is Failed, without an error",
    "stopped": "likewise; a pipeline's last state is Stopped, without an error",
    "another-pipeline": "likewise; messages are those of another pipeline",
    "another-pool": "likewise; messages are those of another pool",
    "said-twice": "likewise; messages come twice",
    "another-request": "the request takes effect, and the answer is that to another request",
    "authenticate-again": "the connection's authentication is forgotten: 401 with challenges, without effect",
    "maintenance": "a WSMan fault: the service is being shut down; no effect, and all shells of the server are gone",
    "fault": "a WSMan fault with `code` (0: none) and `message`, without effect",
    "fault-after": "the request takes effect, and is answered with a WSMan fault with `code` and `message`",
    "shell-vanishes": "all shells of the server are gone before the request is looked at",
    "tls-failure": "TLS handshakes fail (a new connection only; `request` does not apply)",
}
#: Faults of a command: struck where it is executed.
COMMAND_FAULTS: Mapping[str, str] = {
    "drop-before": "the connection is dropped before the command takes effect; the command never runs",
    "drop-after": "the command takes effect, then the connection is dropped",
    "hang": "the command hangs before it takes effect, for `seconds` or until it is stopped",
    "error": "the command fails with `message`, `id` and `category` before it takes effect",
    "no-effect": "the command reports success, returns nothing and changes nothing",
}


@dataclass
class Rule:
    """One injected fault."""

    kind: str
    server: str = "*"  # pattern of the inventory name
    request: str | None = None  # pattern of the WSMan action's last word: Create, Command, Receive, Send ...
    command: str | None = None  # pattern of the command's name; makes it a fault of a command
    times: int = 1  # how often it strikes; 0: until reset
    skip: int = 0  # how many matches are spared first
    seconds: float = 0.0
    code: int = 503
    message: str = "The operation failed."
    id: str = "InjectedFault"
    category: str = "NotSpecified"
    #: What else happens right before the command; then ``kind`` is the deployment's.
    action: Callable[[Server], str] | None = None

    def __post_init__(self) -> None:
        if self.times < 0 or self.skip < 0 or not 0 <= self.seconds < math.inf:
            raise ValueError("times, skip and seconds are finite and cannot be negative")
        if self.action is not None:
            return
        known = COMMAND_FAULTS if self.command is not None else REQUEST_FAULTS
        if self.kind not in known:
            place = "a command" if self.command is not None else "a request"
            raise ValueError(f"{self.kind!r} is no fault of {place}; known are {', '.join(known)}")

    def as_dict(self) -> dict[str, Any]:
        """Where and how often it strikes, and what else was said about it."""
        usual = {item.name: item.default for item in fields(self)}
        return {
            name: value for name, value in vars(self).items() if name != "action" and value != usual[name]
        }


class Injector:
    """The rules in force. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules = [*self._rules, rule]

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    def rules(self) -> list[Rule]:
        with self._lock:
            return list(self._rules)

    def request_fault(self, server: str, request: str) -> Rule | None:
        """The rule that strikes this request, used up by one."""
        return self._strike(
            server, lambda rule: rule.command is None and matches(request, rule.request or "*")
        )

    def tls_fault(self, server: str) -> Rule | None:
        return self._strike(server, lambda rule: True, "tls-failure")

    def command_fault(self, server: str, command: str) -> Rule | None:
        """The rule that strikes this command, used up by one."""
        return self._strike(server, lambda rule: rule.command is not None and matches(command, rule.command))

    def _strike(self, server: str, applies: Callable[[Rule], bool], kind: str | None = None) -> Rule | None:
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if (rule.kind == "tls-failure") != (kind == "tls-failure"):
                    continue
                if not matches(server, rule.server) or not applies(rule):
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.times == 1:
                    self._rules = [other for other in self._rules if other is not rule]
                elif rule.times:
                    rule.times -= 1
                return rule
        return None


def matches(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern with ``*`` and ``?``, whatever their case."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())
