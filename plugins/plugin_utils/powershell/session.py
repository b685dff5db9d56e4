# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One PowerShell session on one server: opened, or taken over from the worker before, used, and left to the next."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from .commands import Command, Switch
from .errors import (
    CommandError,
    ConnectionRefused,
    Endpoint,
    LostInMidCommand,
    OutcomeUnknown,
    SessionGone,
    SessionsBusy,
    ShellQuotaReached,
    UnconvertibleValue,
    UnreadableAnswer,
    classify_report,
)
from .opening import Opened, check_options, open_session, resume_session
from .options import ConnectionOptions
from .ordinal import ordinal_key, same_name
from .pipeline import Pipeline
from .results import ErrorReport, PipelineState, RemoteObject, Results
from .session_record import SLOTS, AllInUse, RecordFile, SessionRecord
from .shell import SERVER_VERSION

# The module behind the Management Shell: Lync for 2010 and 2013, SkypeForBusiness for 2015 and later.
MANAGEMENT_MODULES = ("Lync", "SkypeForBusiness")

# Errors after which a statement goes on, and so do those behind it: seen in pipelines of a single statement that
# completed all the same (Windows PowerShell 5.1's own commands, PowerShell 7.6).
_NOT_TERMINATING = frozenset(
    {
        "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand",
        "NativeCommandError",
        "NativeCommandErrorMessage",
        "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand",
        "PathNotFound,Microsoft.PowerShell.Commands.GetItemPropertyCommand",
    }
)


class Session:
    """Implements `shell.ManagementShell`. Not thread-safe; one worker uses it at a time.

    ``record_folder`` is the run's private folder, where the session is left for the next worker.
    """

    def __init__(self, options: ConnectionOptions, record_folder: str) -> None:
        self._options = options
        self._record_folder = record_folder
        self._record_file: RecordFile | None = None
        self._current: Opened | None = None
        self._warnings: list[str] = []
        self.resumed = False

    @property
    def options(self) -> ConnectionOptions:
        return self._options

    @property
    def endpoint(self) -> Endpoint:
        return self._options.endpoint

    @property
    def protocol_version(self) -> str:
        """The remoting protocol's version, such as 2.3; opens the session if need be."""
        return self._opened().record.protocol_version

    @property
    def powershell_version(self) -> str | None:
        """The server's PowerShell version, such as 5.1.14393.1884; opens the session if need be."""
        return self._opened().record.powershell_version

    def reach(self) -> None:
        """Open a session if need be, so that it is known that the server answers. Raises `errors.ConnectionRefused`."""
        self._opened()

    def check_options(self) -> None:
        """Raises what would keep any session from being opened, as far as it shows without asking the server."""
        check_options(self._options)

    # -- running commands --

    def run(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        """See `shell.ManagementShell.run`."""
        self._refuse_lists_that_would_become_one_text(commands)
        try:
            results = self._change(commands, limit) if changes else self._read(commands)
        except OutcomeUnknown as unknown:
            self._warnings += unknown.results.warnings
            raise
        self._warnings += results.warnings
        return self._without_descriptions(commands, results)

    def _refuse_lists_that_would_become_one_text(self, commands: Iterable[Command]) -> None:
        """PowerShell reads a list that it is sent as an ArrayList, which it makes an array of, or a PSListModifier, but
        for a List<T> joins to one element. No Lync cmdlet is documented to take one.
        """
        cmdlets = self._current.record.cmdlets if self._current is not None else {}
        known = {ordinal_key(name): types for name, types in cmdlets.items() if types}
        for command in commands:
            types = known.get(ordinal_key(command.name), {})
            for parameter in (name for name, kind in types.items() if kind.startswith("List[")):
                given = next(
                    (value for name, value in command.parameters.items() if same_name(name, parameter)), None
                )
                if isinstance(given, list | tuple):
                    raise UnconvertibleValue(
                        f"{command.name} takes a List for -{parameter}, for which PowerShell Remoting cannot carry "
                        "one: the server would make a single text of its items."
                    )

    def read_once(self, *commands: Command) -> Results:
        """See `shell.ManagementShell.read_once`."""
        try:
            results = self._run_safely(commands, changes=False)
        except OutcomeUnknown as unknown:
            self._warnings += unknown.results.warnings
            raise
        self._warnings += results.warnings
        return replace(results, whole=len(commands) == 1 or _is_whole(results) or self._opened().is_version_2)

    def take_warnings(self) -> list[str]:
        taken, self._warnings = list(dict.fromkeys(self._warnings)), []
        return taken

    def _change(self, commands: Sequence[Command], limit: float | None) -> Results:
        results = self._run_safely(commands, changes=True, limit=limit)
        missing = _missing_management_cmdlets(results)
        # What was not found has not run; but where another statement has, it must not run again.
        if missing and self._has_run_nothing(commands, missing) and self._import_management_module():
            return self._run_safely(commands, changes=True, limit=limit)
        return results

    def _read(self, commands: Sequence[Command]) -> Results:
        results = self._read_whole(commands)
        if _missing_management_cmdlets(results) and self._import_management_module():
            return self._read_whole(commands)
        return results

    def _read_whole(self, commands: Sequence[Command]) -> Results:
        """Read, so that every statement is answered.

        A statement that ends with an error takes with it what the statements behind it had to say, though they run:
        each is asked again, in a pipeline of its own.
        """
        results = self._run_safely(commands, changes=False)
        if len(commands) == 1 or _is_whole(results) or self._opened().is_version_2:
            return results
        return sum((self._run_safely([command], changes=False) for command in commands), Results())

    def _has_run_nothing(self, commands: Sequence[Command], missing: frozenset[str]) -> bool:
        """Whether all of a change's commands were unknown to the server. It does not report each that is."""
        others = sorted({command.name for command in commands if ordinal_key(command.name) not in missing})
        if not others:
            return True
        known = self._run_safely(
            [Command("Get-Command", {"Name": others, "ErrorAction": "SilentlyContinue"})], changes=False
        )
        return not known.output and known.state is PipelineState.COMPLETED

    def _run_safely(
        self, commands: Sequence[Command], *, changes: bool, limit: float | None = None
    ) -> Results:
        """Run once; once more in a new session where that is safe."""
        if self._current is not None:
            self._current.refresh()
        try:
            return self._run_once(commands, changes=changes, limit=limit)
        except SessionGone:
            pass
        except LostInMidCommand:
            if changes:
                raise
        try:
            return self._run_once(commands, changes=changes, limit=limit)
        except SessionGone as gone:
            raise gone.refusal from gone

    def _run_once(self, commands: Sequence[Command], *, changes: bool, limit: float | None) -> Results:
        opened = self._opened()
        try:
            if opened.is_version_2:
                return self._run_each(opened, commands, changes=changes, limit=limit)
            return Pipeline(opened, commands, changes=changes, limit=limit).run()
        except ConnectionRefused:
            # Nothing was accepted, and the session is as it was.
            raise
        except UnreadableAnswer:
            # Nothing is at work any more.
            raise
        except (OutcomeUnknown, SessionGone):
            # Whatever may still be at work in the session ends with it, so far as that can be done.
            self._end_current()
            raise
        except BaseException:
            # A task's own time-out, or Ctrl-C: there is no time left, and the runspace may be at work. Nobody goes on
            # with it; the next worker ends it.
            self._abandon_current()
            raise

    def _run_each(
        self, opened: Opened, commands: Sequence[Command], *, changes: bool, limit: float | None
    ) -> Results:
        """A pipeline for each command: PowerShell 2 runs only the first statement of one.

        Once the first command of a change was accepted, nothing that happens afterwards may look as if nothing had
        been changed, or be answered by beginning again.
        """
        results = Results()
        for number, command in enumerate(commands):
            accepted = [earlier.name for earlier in commands[:number]]
            try:
                results += Pipeline(opened, [command], changes=changes, limit=limit).run()
            except OutcomeUnknown as unknown:
                unknown.commands = (*accepted, *unknown.commands)
                unknown.results = results + unknown.results
                raise
            except (ConnectionRefused, SessionGone, UnconvertibleValue) as refused:
                if not accepted or not changes:
                    raise
                raise LostInMidCommand(
                    self.endpoint,
                    accepted,
                    f"{command.name} was not accepted any more: {refused}",
                    ended=True,
                    results=results,
                ) from refused
        return results

    # -- what the session offers --

    def classify(self, report: ErrorReport) -> CommandError:
        return classify_report(report, self.endpoint)

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        known = self._opened().record.cmdlets
        unknown = [cmdlet for cmdlet in cmdlets if cmdlet not in known]
        return (
            (Command("Get-Command", {"Name": unknown, "ErrorAction": "SilentlyContinue"}),) if unknown else ()
        )

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        parameters = self._described(cmdlet)
        return None if parameters is None else frozenset(parameters)

    def parameter_types(self, cmdlet: str) -> Mapping[str, str]:
        return self._described(cmdlet) or {}

    def _described(self, cmdlet: str) -> Mapping[str, str] | None:
        describing = self.describing(cmdlet)
        if describing:
            # The session that was asked is gone, and another one has answered since.
            results = self.run(*describing)
            if results.errors:
                raise self.classify(results.errors[0])
        return self._opened().record.cmdlets[cmdlet]

    def _without_descriptions(self, commands: Iterable[Command], results: Results) -> Results:
        """Take the answers to `describing` out of the results and remember them with the session."""
        asked = [
            name
            for command in commands
            if command.name == "Get-Command"
            for name in command.parameters["Name"]
        ]
        if not asked or self._current is None:
            return results
        found = {ordinal_key(str(each["Name"])): each for each in results.objects() if _is_command_info(each)}
        if results.state is PipelineState.COMPLETED and not any(
            report.command == "Get-Command" for report in results.errors
        ):
            for cmdlet in asked:
                described = found.get(ordinal_key(cmdlet))
                self._current.record.cmdlets[cmdlet] = (
                    None if described is None else _parameter_names(described)
                )
        return replace(results, output=tuple(item for item in results.output if not _is_command_info(item)))

    def server_version(self) -> str | None:
        record = self._opened().record
        if record.server_version is None:
            results = self.run(SERVER_VERSION)
            texts = [text for text in results.output if isinstance(text, str)]
            record = self._opened().record
            record.server_version = texts[0].partition(": ")[0] if texts else ""
        return record.server_version or None

    def _import_management_module(self) -> bool:
        """Import the Management Shell's module where the endpoint has it but has not loaded it; once per session."""
        record = self._opened().record
        wanted = self._options.management_module
        if record.imported_module is not None or wanted == "none":
            return False
        candidates = MANAGEMENT_MODULES if wanted == "auto" else (wanted,)
        available = self._run_safely(
            [Command("Get-Module", {"ListAvailable": Switch.PRESENT, "Name": list(candidates)})],
            changes=False,
        )
        names = {ordinal_key(str(module.get("Name"))) for module in available.objects()}
        record = self._opened().record
        record.imported_module = ""
        for candidate in candidates:
            if ordinal_key(candidate) in names:
                imported = self._run_safely([Command("Import-Module", {"Name": candidate})], changes=False)
                record = self._opened().record
                if not imported.errors:
                    record.imported_module = candidate
                    record.cmdlets.clear()
                    return True
        return False

    # -- opening, resuming, leaving --

    def _opened(self) -> Opened:
        if self._current is None:
            left = self._left_behind()
            if left is None:
                self.resumed = False
                self._current = self._open_or_share()
            else:
                self.resumed = True
                self._current = resume_session(self._options, left)
            if self._record_file is not None:
                self._record_file.hold(self._current.record)
        return self._current

    def _open_or_share(self) -> Opened:
        """A session of one's own; where the server allows the account no further one, that of another worker of this
        run, as soon as it is free.
        """
        deadline = time.monotonic() + self._options.open_timeout
        last_try = False
        while True:
            try:
                return open_session(self._options)
            except ShellQuotaReached as refused:
                if self._record_file is None or last_try:
                    raise
                self._let_go_of_the_record()
                try:
                    self._record_file = RecordFile.claim_session(
                        self._record_folder, *identity(self._options), wait=deadline - time.monotonic()
                    )
                except AllInUse:
                    raise refused from None
            left = self._left_behind()
            if left is not None:
                self.resumed = True
                return resume_session(self._options, left)
            # Nobody has one any more, or it has just been ended: there is room now, if it was this run's.
            last_try = True

    def _left_behind(self) -> SessionRecord | None:
        """The record of an earlier worker of this run, which is then ours alone."""
        if self._record_file is None:
            wait = self._options.open_timeout + self._options.command_timeout
            try:
                self._record_file = RecordFile.claim(self._record_folder, *identity(self._options), wait=wait)
            except AllInUse:
                raise SessionsBusy(self.endpoint, SLOTS, wait) from None
        if self._record_file is None:
            return None
        abandoned = self._record_file.abandoned()
        if abandoned is not None:
            # Whatever its worker was doing when it died may still be at work, and would change what we read.
            resume_session(self._options, abandoned).delete()
        return self._record_file.take()

    def _end_current(self) -> None:
        """Delete the session on the server; where that cannot be done, the next worker tries again."""
        if self._current is not None and self._current.delete() and self._record_file is not None:
            self._record_file.clear()
        self._current = None

    def _abandon_current(self) -> None:
        """Give the session up without a word to the server."""
        if self._current is not None:
            self._current.hang_up()
        self._current = None

    def leave(self) -> None:
        """Stop using the session: leave it to the next worker, or close it where nobody is to go on with it."""
        file = self._record_file if self._options.keep_session else None
        if file is not None and self._current is not None and not self._current.doubtful:
            file.leave(self._current.up_to_date_record())
            self._abandon_current()
        self.close()

    def close(self) -> None:
        """End the session on the server."""
        self._end_current()
        self._let_go_of_the_record()

    def _let_go_of_the_record(self) -> None:
        if self._record_file is not None:
            self._record_file.release()
            self._record_file = None

    def end(self) -> None:
        """Close every session that this run has left behind here and that nobody uses (``meta: reset_connection``)."""
        self.close()
        for file in RecordFile.claim_all(self._record_folder, *identity(self._options)):
            try:
                left = file.take() or file.abandoned()
                if left is not None and resume_session(self._options, left).delete():
                    file.clear()
            finally:
                file.release()


def identity(options: ConnectionOptions) -> tuple[str, ...]:
    """Whose sessions may be continued: the same endpoint, opened with the same account in the same way."""
    endpoint = options.endpoint
    return (
        endpoint.url,
        endpoint.user or "",
        endpoint.authentication,
        endpoint.configuration_name,
        str(options.wsman.get("certificate_pem") or ""),
    )


def _is_whole(results: Results) -> bool:
    """Whether nothing that a statement had to say can be missing."""
    return results.state is PipelineState.COMPLETED and all(
        report.fully_qualified_id in _NOT_TERMINATING and not report.terminating for report in results.errors
    )


def _missing_management_cmdlets(results: Results) -> frozenset[str]:
    """The names of the Management Shell's commands that the session does not know."""
    return frozenset(
        ordinal_key(report.target or "")
        for report in results.errors
        if report.fully_qualified_id == "CommandNotFoundException"
        and "-CS" in ordinal_key(report.target or "")
    )


def _is_command_info(item: object) -> TypeGuard[RemoteObject]:
    return isinstance(item, RemoteObject) and item.is_a("System.Management.Automation.CommandInfo")


# The type stands between angle brackets; a switch has none.
_SYNTAX_PARAMETER = re.compile(r"(?<=[\s\[])-([A-Za-z]\w*)\]?(?: <([^\s>]*>?)>)?")


def _parameter_names(command: RemoteObject) -> dict[str, str]:
    """The parameters of a CommandInfo with their types: its dictionary of them, or, where serialisation cut that off,
    its syntax, which is what names the types. A type that is not told is empty.
    """
    types = dict(_SYNTAX_PARAMETER.findall(str(command.get("Definition") or "")))
    parameters = command.get("Parameters")
    if isinstance(parameters, dict):
        return {str(name): types.get(str(name), "") for name in parameters}
    return dict(sorted(types.items()))
