# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of the Centralized Logging Service, searched on the servers and read as traces are.

Search-CsClsLogging writes what it finds to the console where it is given no file: that way nothing is left on a server,
and a restricted session suffices. Two searches are made: one for what servers warn of, one for messages that carry a
diagnostic. Their end lies in the future, for the records of a server whose clock is ahead. Where they bring nothing, a
third one looks for any record of the last minutes, which shows whether anything is logged at all.

Not documented is how the console's lines come over remoting: any text in the output is taken, and a search without one
is reported as not having found out anything. Microsoft calls the two times local ones; they are sent as moments in UTC,
which .NET converts.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.errors import CommandError, TimedOut
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.bounds import between
from ..result.pasting import reaching
from ..settings.nouns import version_of
from .reading import Reading
from .trace_info import described, seconds_of

SEARCH = "Search-CsClsLogging"
CMDLETS = (SEARCH,)
_NAME = "Centralized Logging"
_COMPONENT = "SIPStack"
_DAY_MS = 86_400_000.0
_AHEAD = datetime.timedelta(hours=14)
_DIAGNOSTICS = "diagnostics"
_PROOF = datetime.timedelta(minutes=2)
_WITHOUT = "2010"
STEPS = (
    "On each Front End and Edge Server of the pool, start the Lync Server Logging Tool (OCSLogger).",
    "Choose the component SIPStack with all levels and all flags, and start logging.",
    "Repeat the call that fails, and stop logging.",
    "View the log files, and save what the tool shows as text, in one folder, as <server>.txt.",
)
"""Lync Server 2010 has no central logging."""
_READ_THEM = "ansible-playbook -i inventory lync.remediation.diagnose_calls -e diagnose_calls_traces=FOLDER"


def central_logging_info(
    shell: ManagementShell,
    arguments: Mapping[str, Any],
    clock: Clock = time,
    inventory: Sequence[str] = (),
) -> dict[str, Any]:
    """The module's own keys. ``inventory`` are the arguments that commands to paste need.

    Raises BadArgument, and what the powershell room raises where nothing can be asked.
    """
    between(arguments, evidence=(1, 20), minutes=(1, 24 * 60))
    utc_offset = seconds_of(arguments["utc_offset"])
    missing = _why_missing(shell)
    reading = Reading(arguments["evidence"], utc_offset, lambda _name, _size: None)
    if missing is not None:
        steps = [*STEPS, reaching(_READ_THEM, inventory)] if version_of(shell) == _WITHOUT else []
        result = described(reading, [missing], arguments, inventory)
        return {**result, "searched": False, "steps": steps, "lines": [*result["lines"], *steps]}
    now = datetime.datetime.fromtimestamp(clock.time(), datetime.timezone.utc)
    output, problems = _found(shell, searches(arguments, now))
    if not output and not problems:
        output, problems = _found(shell, (proof_of_logging(arguments, now),))
    reading.read_stream(_NAME, _NAME, _stream(output))
    for each in reading.files:
        if not each["bytes"] and not problems:
            problems.append(
                "The search brought nothing, and no ordinary record of the last minutes either. Perhaps nothing is "
                "logged: AlwaysOn is off until somebody starts it, with Start-CsClsLogging -Scenario AlwaysOn."
            )
        elif each["problem"] and each["bytes"]:
            problems.append(each["problem"])
    result = described(reading, problems, arguments, inventory)
    return {**result, "searched": True, "steps": []}


def searches(arguments: Mapping[str, Any], now: datetime.datetime) -> tuple[Command, Command]:
    """One for what servers warn of, one for messages that carry a diagnostic."""
    common = _common(arguments, now, datetime.timedelta(minutes=arguments["minutes"]))
    return (
        Command(SEARCH, {**common, "LogLevel": "Warning"}),
        Command(SEARCH, {**common, "SipContents": _DIAGNOSTICS}),
    )


def proof_of_logging(arguments: Mapping[str, Any], now: datetime.datetime) -> Command:
    """What busy servers always have a record of: without one, that nothing was found means nothing."""
    return Command(SEARCH, _common(arguments, now, _PROOF))


def _common(arguments: Mapping[str, Any], now: datetime.datetime, back: datetime.timedelta) -> dict[str, Any]:
    where = {
        name: arguments[option]
        for name, option in (("Pools", "pools"), ("Computers", "computers"))
        if arguments[option]
    }
    return {
        "Components": [_COMPONENT],
        **where,
        "StartTime": now - back - behind(arguments["clocks"]),
        "EndTime": now + _AHEAD,
        "MatchAll": Switch.PRESENT,
    }


def behind(clocks: Mapping[str, Any]) -> datetime.timedelta:
    """How far the clock is behind that is farthest, by what clock_judgement returned; no more than a day."""
    errors = (server.get("error_ms") or 0.0 for server in (clocks.get("servers") or {}).values())
    return datetime.timedelta(milliseconds=min(max(0.0, -min(errors, default=0.0)), _DAY_MS))


def _why_missing(shell: ManagementShell) -> str | None:
    commands = shell.describing(SEARCH)
    if commands:
        results = shell.run(*commands)
        for report in results.errors:
            raise shell.classify(report)
    if shell.parameters_of(SEARCH) is not None:
        return None
    if version_of(shell) == _WITHOUT:
        return "Lync Server 2010 has no Centralized Logging Service."
    return f"The session offers no {SEARCH}: the account lacks the role CsServerAdministrator."


def _found(shell: ManagementShell, commands: Sequence[Command]) -> tuple[list[str], list[str]]:
    """What the searches have printed, and what kept them from looking everywhere."""
    output: list[str] = []
    problems: list[str] = []
    for command in commands:
        try:
            results = shell.run(command)
        except TimedOut as late:
            output += _printed(late.results)
            problems.append(
                f"{SEARCH} did not end within {late.seconds:g} seconds; what came before has been read."
            )
            break
        except CommandError as error:
            problems.append(str(error))
            continue
        output += _printed(results)
        problems += [str(shell.classify(report)) for report in results.errors]
    return output, list(dict.fromkeys(problems))


def _printed(results: Results) -> list[str]:
    return [each for each in results.output if isinstance(each, str)]


def _stream(output: Sequence[str]) -> Iterator[bytes]:
    step = 2000
    for start in range(0, len(output), step):
        yield "".join(f"{line}\n" for line in output[start : start + step]).encode("utf-8", "replace")
