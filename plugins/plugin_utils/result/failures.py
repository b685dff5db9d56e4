# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From whatever ended a task to its result: the one place where failures are classified.

``failure`` is the failure's kind, one word that does not change with its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..powershell import errors
from . import refusals
from .result import NOTHING_KNOWN, Result
from .status import Status

UNCHANGED = "Nothing has been changed."


def failure_result(error: BaseException, known: Result = NOTHING_KNOWN) -> dict[str, Any]:
    """The result of a task that ``error`` ended before anything was written, or that says itself what was written.

    ``known`` is what had been found out by then. ``unreachable`` stands in the place of ``failed`` where no session was
    to be had.
    """
    if isinstance(error, refusals.ChangeFailed):
        return _described(error, str(error), error.result, error.causes)
    if isinstance(error, refusals.BadArgument):
        return _described(error, f"{error} {UNCHANGED}", replace(known, changed=False, status=Status.UNKNOWN))
    status = error.status if isinstance(error, refusals.Refused) else Status.UNKNOWN
    result = _described(error, str(error), replace(known, changed=False, status=status))
    if isinstance(error, errors.ConnectionRefused) and error.unreachable:
        del result["failed"]
        result["unreachable"] = True
    return result


def _described(
    error: BaseException, sentence: str, known: Result, causes: tuple[errors.ManagementShellError, ...] = ()
) -> dict[str, Any]:
    first = causes[0] if causes else error
    result = {**known.as_dict(), "failed": True, "msg": sentence, "failure": kind_of(first)}
    if isinstance(first, errors.CommandError):
        result["error_details"] = error_details(first)
    return result


def error_details(error: errors.CommandError) -> dict[str, Any]:
    """What the server said, for people who look closer."""
    report = error.report
    return {
        "message": report.message,
        "category": report.category,
        "fully_qualified_id": report.fully_qualified_id,
        "exception_type": report.exception_type,
        "target": report.target,
        "command": report.command,
        "causes": [vars(cause) for cause in report.causes],
        "native_error_code": report.native_error_code,
    }


def has_failed(answer: Mapping[str, Any]) -> bool:
    """Of what a task has registered. A role that goes on after a failure has Ansible call it none, but for its kind."""
    return bool(answer.get("failed") or answer.get("unreachable") or answer.get("failure"))


def kind_of(error: BaseException) -> str:
    """The class's name in snake case: ``cannot_connect``, ``value_not_allowed``, ``timed_out``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()
