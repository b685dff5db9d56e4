# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which function implements which command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from psrpcore.types import ErrorCategory

from lab.catalogue import Command
from lab.powershell.engine import Implementation, Invocation
from lab.powershell.errors import PowerShellError

_IMPLEMENTATIONS: dict[str, Implementation] = {}

Run = Callable[..., Iterable[Any]]


def implements(*names: str, collects: bool = False, flows: bool = False) -> Callable[[Run], Run]:
    """Register a function as the body of these commands.

    It is called with the Invocation (and with all pipeline objects where it ``collects``, with an iterator of them
    where
    it ``flows``) and gives its output.
    """

    def register(run: Run) -> Run:
        for name in names:
            _IMPLEMENTATIONS[name.lower()] = Implementation(run, collects, flows)
        return run

    return register


Claims = Callable[[Invocation], bool]
_PROVIDERS: dict[str, list[tuple[Claims, Run]]] = {}


def provides(*names: str, claims: Claims) -> Callable[[Run], Run]:
    """Register a function as the body of these commands where ``claims`` says that their paths are its own."""

    def register(run: Run) -> Run:
        for name in names:
            _PROVIDERS.setdefault(name.lower(), []).append((claims, run))
        return run

    return register


def implementation_of(command: Command) -> Implementation:
    found = _IMPLEMENTATIONS.get(command.name.lower(), _NOT_MODELLED)
    providers = _PROVIDERS.get(command.name.lower())
    if providers is None:
        return found

    def run(invocation: Invocation) -> Iterable[Any]:
        return next((own for claims, own in providers if claims(invocation)), found.run)(invocation)

    return Implementation(run)


def not_modelled(what: str) -> PowerShellError:
    """The lab's own answer to what it does not do."""
    return PowerShellError(
        f"The lab knows the parameters of {what} but does not model what it does.",
        category=ErrorCategory.NotImplemented,
        error_id="NotModelled",
        exception="System.NotImplementedException",
    )


def _not_modelled(invocation: Invocation) -> Iterable[Any]:
    raise not_modelled(invocation.command.name)


_NOT_MODELLED = Implementation(_not_modelled)
