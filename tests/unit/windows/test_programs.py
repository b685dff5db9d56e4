# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A program's answer is what it prints; standard error only explains why there is none."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import CommandError
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import ErrorReport, Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import programs
from unit.scripted import Scripted

TZUTIL = Command("tzutil", arguments=("/g",))
REMOTE = "System.Management.Automation.RemoteException"


def line(text: str, identifier: str = "NativeCommandErrorMessage") -> ErrorReport:
    return ErrorReport(text, "NotSpecified", identifier, REMOTE, command="tzutil")


def output(*printed: str, errors: tuple[ErrorReport, ...] = ()) -> list[str]:
    return programs.output(Scripted(), Results(printed, errors), TZUTIL)


def test_a_line_on_standard_error_does_not_discard_an_answer() -> None:
    assert output("UTC", errors=(line("careful", "NativeCommandError"), line(REMOTE))) == ["UTC"]


def test_without_an_answer_every_line_on_standard_error_but_empty_ones_is_told() -> None:
    with pytest.raises(Unreadable) as caught:
        output(errors=(line("one", "NativeCommandError"), line(REMOTE), line("two")))
    assert str(caught.value) == "tzutil /g failed: one two"


def test_what_the_server_said_in_place_of_the_program_is_told() -> None:
    with pytest.raises(CommandError):
        output(
            errors=(ErrorReport("Access is denied.", "PermissionDenied", "AccessDenied", command="tzutil"),)
        )


def test_a_program_that_is_missing_is_named() -> None:
    missing = ErrorReport(
        "?", "ObjectNotFound", "CommandNotFoundException", target="tzutil", command="tzutil", terminating=True
    )
    with pytest.raises(programs.ProgramMissing):
        output(errors=(missing,))


def test_errors_of_other_commands_are_left_to_their_readers() -> None:
    denied = ErrorReport("Access is denied.", "PermissionDenied", "AccessDenied", command="Get-ItemProperty")
    assert output(errors=(denied,)) == []
