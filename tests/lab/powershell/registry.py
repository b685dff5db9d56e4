# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which function implements which command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lab.catalogue import Command
from lab.powershell.engine import Implementation, Invocation
from lab.powershell.errors import not_modelled

_IMPLEMENTATIONS: dict[str, Implementation] = {}

Run = Callable[..., Iterable[Any]]


def implements(*names: str, collects: bool = False) -> Callable[[Run], Run]:
    """Register a function as the body of these commands.

    It is called with the Invocation (and with all pipeline objects where it ``collects``) and gives its output.
    """

    def register(run: Run) -> Run:
        for name in names:
            _IMPLEMENTATIONS[name.lower()] = Implementation(run, collects)
        return run

    return register


def implementation_of(command: Command) -> Implementation:
    return _IMPLEMENTATIONS.get(command.name.lower(), _NOT_MODELLED)


def _not_modelled(invocation: Invocation) -> Iterable[Any]:
    raise not_modelled(invocation.command.name)


_NOT_MODELLED = Implementation(_not_modelled)
