# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module time_service: read, compare, write to the registry and with w32tm, read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.display import shown
from ..result.outcome import Reason, failed, outcome, with_warnings, write_and_read
from ..result.refusals import Refused
from ..result.severity import Severity
from . import computer, registry, w32time, w32tm

READS = (registry.reading(w32time.READ_KEYS), computer.GET_SERVICE)
_REASONS = {
    "type": Reason(
        Severity.HIGH,
        "Decides whom the clock follows; an Edge Server in a workgroup has no domain to follow.",
    ),
    "peers": Reason(
        Severity.HIGH, "The time servers that the clock follows where it does not follow the domain."
    ),
    "special_poll_interval": Reason(
        Severity.LOW, "How often a time server is asked; a rare look notices an error late."
    ),
    "min_poll_interval": Reason(Severity.LOW, "How often a time server is asked at most."),
    "max_poll_interval": Reason(
        Severity.LOW, "How seldom a time server is asked; a rare look notices an error late."
    ),
    "max_pos_phase_correction": Reason(
        Severity.MEDIUM, "A clock that is further behind than this is never put right by itself."
    ),
    "max_neg_phase_correction": Reason(
        Severity.MEDIUM, "A clock that is further ahead than this is never put right by itself."
    ),
    "vm_provider": Reason(
        Severity.MEDIUM, "With it the clock follows the virtual machine's host instead of the domain."
    ),
    "start_mode": Reason(Severity.HIGH, "A time service that does not start leaves the clock to itself."),
    "service_state": Reason(Severity.HIGH, "While the time service is stopped, nothing corrects the clock."),
}


def remediate(shell: ManagementShell, wanted: Mapping[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """``wanted``: the module's options, None for what is to be left alone. Raises UnusableArgument, Refused where a
    group policy decides, ChangeFailed, and the wire's errors.
    """
    w32time.check(wanted)
    actual = read(shell, shell.run(*READS))
    w32time.check_together(actual, wanted)
    planned = w32time.plan(actual, wanted)
    if planned.overridden:
        raise Refused(_ruled(planned))
    result = outcome(
        shell, "time_service", planned.before, planned.after, planned.changed, _REASONS, planned.commands
    )
    if check_mode or not planned.changed:
        return result
    results, warnings = write_and_read(shell, planned.commands, READS, result)
    for report in results.errors:
        if report.command not in (computer.GET_SERVICE.name, registry.GET):
            cause = shell.classify(report)
            raise failed(str(cause), result, cause, status="unknown")
    code = w32tm.error_code(computer.strings(results))
    if code is not None:
        said = " ".join(w32tm.text_lines(computer.strings(results)))
        raise failed(f"w32tm answered with error 0x{code:08X}: {said}", result, status="unknown")
    found = read(shell, results)
    left = w32time.plan(found, wanted)
    if left.changed:
        details = "; ".join(
            f"{name} should be {shown(left.after[name])} and is {shown(left.before[name])}"
            for name in left.changed
        )
        raise failed(
            f"W32Time was configured without an error, but did not keep it: {details}.",
            {**result, "after": dict(left.before)},
        )
    return with_warnings({**result, "status": "corrected", "after": dict(left.before)}, warnings)


def read(shell: ManagementShell, results: Results) -> w32time.Configuration:
    keys = registry.read(shell, results, w32time.READ_KEYS)
    return computer.time_configuration(shell, results, keys)


def _ruled(planned: w32time.Plan) -> str:
    parts = [
        f"{option} is {shown(planned.before[option])} by {value}, and {shown(planned.after[option])} was "
        "asked for"
        for option, value in planned.overridden.items()
    ]
    return f"A group policy decides: {'; '.join(parts)}. Change the policy, or ask for what it says"
