# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One PowerShell session on one server: opened, or taken over from the worker before, used, and left to the
next.

This file alone knows pypsrp's insides. A WSMan shell outlives the HTTP connection that opened it (MS-WSMV
section 3.1.4.1), so a runspace pool can be continued by another process that knows its ids, its protocol
versions and how far its fragment counter has come; `SessionRecord` is that knowledge.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

try:
    from pypsrp.complex_objects import Command as PipelineCommand
    from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
    from pypsrp.messages import ErrorRecordMessage, PipelineState, VerboseRecord, WarningRecord
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.serializer import Serializer
    from pypsrp.wsman import SelectorSet, WSMan

    PYPSRP_IMPORT_ERROR: ImportError | None = None
except ImportError as error:  # told to the user by the connection plugin
    PYPSRP_IMPORT_ERROR = error
    PipelineCommand = Serializer = object  # type: ignore[assignment,misc]

from . import values
from .commands import Command, Switch
from .error_records import error_report
from .errors import (
    CannotConnect,
    CommandError,
    Endpoint,
    LostInMidCommand,
    MissingLibrary,
    SessionGone,
    TimedOut,
    classify_report,
)
from .options import ConnectionOptions
from .results import ErrorReport, RemoteObject, Results
from .session_record import RecordFile, SessionRecord
from .transport_errors import TRANSPORT_ERRORS, is_fault, is_never_sent, reason_of, refusal

Returned = TypeVar("Returned")

# The module behind the Management Shell: Lync for 2010 and 2013, SkypeForBusiness for 2015 and later.
MANAGEMENT_MODULES = ("Lync", "SkypeForBusiness")

# A kept-alive connection that has been idle for longer may have been closed by the server (http.sys: 120 s);
# pypsrp does not recover from that when messages are encrypted, so a new connection is made instead.
_CONNECTION_FRESH_SECONDS = 60

# From this protocol on (PowerShell 3) a pipeline may hold several statements.
_MULTIPLE_STATEMENTS = (2, 2)
# From it on, too, a server takes messages of 500 KiB and not only of 150 (pypsrp, WSMan.max_payload_size).
_LARGE_ENVELOPES = (2, 2)
_SMALL_ENVELOPE, _LARGE_ENVELOPE = 153600, 512000


class Session:
    """Implements `shell.ManagementShell`. Not thread-safe; one worker uses it at a time.

    ``record_folder`` is the run's private folder, where the session is left for the next worker.
    """

    def __init__(self, options: ConnectionOptions, record_folder: str) -> None:
        self._options = options
        self._record_folder = record_folder
        self._record_file: RecordFile | None = None
        self._record: SessionRecord | None = None
        self._pool: RunspacePool | None = None
        self._last_used = 0.0
        self.resumed = False

    @property
    def endpoint(self) -> Endpoint:
        return self._options.endpoint

    @property
    def protocol_version(self) -> str:
        """The remoting protocol's version, such as 2.3; opens the session if need be."""
        return self._opened()[1].protocol_version

    @property
    def powershell_version(self) -> str | None:
        """The server's PowerShell version, such as 5.1.14393.1884; opens the session if need be."""
        return self._opened()[1].powershell_version

    # -- running commands --

    def run(self, *commands: Command, changes: bool = False) -> Results:
        """See `shell.ManagementShell.run`."""
        results = self._run_safely(commands, changes)
        missing = [report for report in results.errors if _is_missing_management_cmdlet(report)]
        # What was not found has not run; but where another statement of a change has, that must not run
        # again.
        may_repeat = not changes or len(missing) == len(commands)
        if missing and self._import_management_module() and may_repeat:
            results = self._run_safely(commands, changes)
        return self._without_descriptions(commands, results)

    def _run_safely(self, commands: Sequence[Command], changes: bool) -> Results:
        """Run once; once more in a new session where that is safe."""
        self._refresh_connection()
        try:
            return self._run_once(commands)
        except SessionGone:
            pass
        except LostInMidCommand:
            if changes:
                raise
        try:
            return self._run_once(commands)
        except SessionGone as gone:
            raise gone.refusal from gone

    def _run_once(self, commands: Sequence[Command]) -> Results:
        pool, record = self._opened()
        several = _version(record.protocol_version) >= _MULTIPLE_STATEMENTS
        try:
            if several:
                return self._pipeline(pool, record, commands)
            return sum((self._pipeline(pool, record, [command]) for command in commands), Results())
        except BaseException:
            # Whatever broke here, a task's timeout included: the runspace may still be at work, and nobody
            # goes on with it.
            self._forget()
            raise

    def _pipeline(self, pool: RunspacePool, record: SessionRecord, commands: Sequence[Command]) -> Results:
        names = [command.name for command in commands]
        pipeline = PowerShell(pool)
        for command in commands:
            if pipeline.commands:
                pipeline.add_statement()
            pipeline.add_command(_Cmdlet(command.name, record.protocol_version, is_script=False))
            for name, value in command.parameters.items():
                pipeline.add_parameter(name, _Argument(value))
            for value in command.arguments:
                pipeline.add_argument(_Argument(value))
        self._guarded(names, pipeline.begin_invoke)
        deadline = time.monotonic() + self._options.command_timeout
        while pipeline.state == PSInvocationState.RUNNING:
            if time.monotonic() > deadline:
                self._quietly(pipeline.stop)
                raise TimedOut(self.endpoint, names, self._options.command_timeout)
            try:
                pipeline.poll_invoke()
            except TRANSPORT_ERRORS as error:
                raise LostInMidCommand(self.endpoint, names, reason_of(error)) from error
        self._last_used = time.monotonic()
        # The server counts a pipeline against the account's quota of operations until it is told that it is
        # done with.
        self._quietly(pipeline.close)
        return _results(pipeline)

    def _guarded(self, names: Sequence[str], begin: Callable[[], None]) -> None:
        """Hand over a pipeline; tells apart what was never accepted from what may have been."""
        try:
            self._with_retries(begin, is_never_sent)
        except TRANSPORT_ERRORS as error:
            refused = refusal(error, self.endpoint)
            if is_fault(error):
                # A fault in place of the CommandResponse: the server has not accepted the pipeline.
                raise SessionGone(refused) from error
            if is_never_sent(error):
                raise refused from error
            raise LostInMidCommand(self.endpoint, names, reason_of(error)) from error

    def _with_retries(
        self, attempt: Callable[[], Returned], may_retry: Callable[[Exception], bool]
    ) -> Returned:
        """Call; while the server cannot be reached, again after the back-off times 1, 2, 4 ... seconds."""
        for tried in itertools.count():
            try:
                return attempt()
            except TRANSPORT_ERRORS as error:
                retry = may_retry(error) and isinstance(refusal(error, self.endpoint), CannotConnect)
                if not retry or tried >= self._options.retries:
                    raise
            self._drop_connection()
            time.sleep(self._options.retry_backoff * 2**tried)
        raise AssertionError("unreachable")

    def _quietly(self, action: Callable[[], Any]) -> None:
        """Tidy up on the server; if that fails, the session is not left to anybody."""
        try:
            action()
        except TRANSPORT_ERRORS:
            self._forget()

    # -- what the session offers --

    def classify(self, report: ErrorReport) -> CommandError:
        return classify_report(report, self.endpoint)

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        known = self._opened()[1].offers
        unknown = [cmdlet for cmdlet in cmdlets if cmdlet not in known]
        return (
            (Command("Get-Command", {"Name": unknown, "ErrorAction": "SilentlyContinue"}),) if unknown else ()
        )

    def offered(self, cmdlet: str) -> frozenset[str] | None:
        parameters = self._opened()[1].offers[cmdlet]
        return None if parameters is None else frozenset(parameters)

    def _without_descriptions(self, commands: Iterable[Command], results: Results) -> Results:
        """Take the answers to `describing` out of the results and remember them with the session."""
        asked = [
            name
            for command in commands
            if command.name == "Get-Command"
            for name in command.parameters["Name"]
        ]
        if not asked or self._record is None:
            return results
        described = {
            str(found["Name"]).casefold(): _parameter_names(found)
            for found in results.objects()
            if found.is_a("System.Management.Automation.CommandInfo")
        }
        if not any(report.command == "Get-Command" for report in results.errors):
            for cmdlet in asked:
                self._record.offers[cmdlet] = described.get(cmdlet.casefold())
        return Results(
            tuple(item for item in results.output if not _is_command_info(item)),
            results.errors,
            results.warnings,
            results.verbose,
        )

    def server_version(self) -> str | None:
        record = self._opened()[1]
        if record.server_version is None:
            results = self.run(Command("Get-CsServerVersion"))
            texts = [text for text in results.output if isinstance(text, str)]
            record = self._opened()[1]
            record.server_version = texts[0].partition(": ")[0] if texts else ""
        return record.server_version or None

    def _import_management_module(self) -> bool:
        """Import the Management Shell's module where the endpoint has it but has not loaded it; once per
        session.
        """
        record = self._opened()[1]
        wanted = self._options.management_module
        if record.imported_module is not None or wanted == "none":
            return False
        candidates = MANAGEMENT_MODULES if wanted == "auto" else (wanted,)
        available = self._run_safely(
            [Command("Get-Module", {"ListAvailable": Switch.PRESENT, "Name": list(candidates)})],
            changes=False,
        )
        names = {str(module.get("Name")).casefold() for module in available.objects()}
        record = self._opened()[1]
        record.imported_module = ""
        for candidate in candidates:
            if candidate.casefold() in names:
                imported = self._run_safely([Command("Import-Module", {"Name": candidate})], changes=False)
                if not imported.errors:
                    record.imported_module = candidate
                    record.offers.clear()
                    return True
        return False

    # -- opening, resuming, leaving --

    def _opened(self) -> tuple[RunspacePool, SessionRecord]:
        if self._pool is None or self._record is None:
            left = self._left_behind()
            self._pool, self._record = self._resume(left) if left else self._open()
            self.resumed = left is not None
        return self._pool, self._record

    def _left_behind(self) -> SessionRecord | None:
        """The record of an earlier worker of this run, which is then ours alone."""
        if self._record_file is None:
            endpoint = self.endpoint
            self._record_file = RecordFile.claim(
                self._record_folder,
                endpoint.url,
                endpoint.user or "",
                endpoint.authentication,
                endpoint.configuration_name,
                str(self._options.wsman.get("certificate_pem") or ""),
            )
        return self._record_file.take() if self._record_file and self._pool is None else None

    def _new_pool(self, options: dict[str, Any]) -> RunspacePool:
        if PYPSRP_IMPORT_ERROR is not None:
            raise MissingLibrary(str(PYPSRP_IMPORT_ERROR)) from PYPSRP_IMPORT_ERROR
        wsman = WSMan(**options)
        _connect(wsman)
        pool = RunspacePool(
            wsman,
            configuration_name=self._options.configuration_name,
            idle_timeout=self._options.idle_timeout,
            no_profile=self._options.no_profile,
        )
        pool._serializer = pool._fragmenter.serializer = _ClixmlSerializer()
        return pool

    def _open(self) -> tuple[RunspacePool, SessionRecord]:
        def attempt() -> RunspacePool:
            pool = self._new_pool(self._options.for_pypsrp())
            pool.open()
            return pool

        try:
            pool = self._with_retries(attempt, lambda error: True)
        except TRANSPORT_ERRORS as error:
            raise refusal(error, self.endpoint) from error
        self._last_used = time.monotonic()
        return pool, SessionRecord(
            shell_id=_shell_id(pool),
            pool_id=pool.id,
            wsman_session_id=pool.connection.session_id,
            fragment_counter=pool._fragmenter.outgoing_counter,
            protocol_version=pool.protocol_version or "2.1",
            ps_version=pool.ps_version or "",
            serialization_version=pool.serialization_version or "",
            powershell_version=_powershell_version(pool),
        )

    def _resume(self, record: SessionRecord) -> tuple[RunspacePool, SessionRecord]:
        options = self._options.for_pypsrp()
        if (
            _version(record.protocol_version) >= _LARGE_ENVELOPES
            and options["max_envelope_size"] == _SMALL_ENVELOPE
        ):
            # What pypsrp does itself when it learns the version while opening.
            options["max_envelope_size"] = _LARGE_ENVELOPE
        pool = self._new_pool(options)
        pool.connection.session_id = record.wsman_session_id
        pool.id = record.pool_id
        pool.shell.id = record.shell_id
        pool.shell.opened = True
        pool.shell._selector_set = SelectorSet()
        pool.shell._selector_set.add_option("ShellId", record.shell_id)
        pool._fragmenter.outgoing_counter = record.fragment_counter
        pool.protocol_version = record.protocol_version
        pool.ps_version = record.ps_version
        pool.serialization_version = record.serialization_version
        pool.state = RunspacePoolState.OPENED
        self._last_used = time.monotonic()
        return pool, record

    def _refresh_connection(self) -> None:
        if self._pool is not None and time.monotonic() - self._last_used > _CONNECTION_FRESH_SECONDS:
            self._drop_connection()

    def _drop_connection(self) -> None:
        """Make the next request use a new, newly authenticated HTTP connection. The session itself stays."""
        if self._pool is not None:
            self._pool.connection.close()
            _connect(self._pool.connection)

    def _forget(self) -> None:
        """Give the session up without a word to the server; its idle time-out ends it there."""
        if self._pool is not None:
            self._pool.connection.close()
        self._pool = self._record = None

    def leave(self) -> None:
        """Stop using the session: leave it to the next worker, or close it where nobody is to go on with it."""
        file = self._record_file if self._options.keep_session else None
        if file is not None and self._pool is not None and self._record is not None:
            self._record.fragment_counter = self._pool._fragmenter.outgoing_counter
            file.leave(self._record)
            self._forget()
        self.close()

    def close(self) -> None:
        """End the session on the server, including one that an earlier worker has left."""
        if self._pool is not None:
            self._quietly(self._pool.close)
            self._forget()
        if self._record_file is not None:
            self._record_file.release()
            self._record_file = None

    def end(self) -> None:
        """Close the session, including one that is only left behind (``meta: reset_connection``)."""
        left = self._left_behind()
        if left is not None:
            self._pool, self._record = self._resume(left)
        self.close()


def _connect(wsman: WSMan) -> None:
    """Give the transport a new HTTP session, which connects with the first request.

    pypsrp has put what the environment says of proxies and authorities into it by then; requests need not ask
    it again for each of them.
    """
    session = wsman.transport._build_session()
    session.trust_env = False
    wsman.transport.session = session
    wsman.transport.encryption = None


def _shell_id(pool: RunspacePool) -> str:
    """PowerShell 2 servers choose the shell's identity themselves, and tell it in the selectors alone."""
    selectors = pool.shell._selector_set
    named = selectors.values if selectors else []
    return next((value for name, value, *_attributes in named if name == "ShellId"), pool.id)


def _powershell_version(pool: RunspacePool) -> str | None:
    """From the $PSVersionTable that servers send with the pool's private data (MS-PSRP section 2.2.2.17)."""
    private = pool.application_private_data
    table = (private.data or {}).get("PSVersionTable") if private else None
    return str(table["PSVersion"]) if isinstance(table, dict) and "PSVersion" in table else None


class _Argument:
    """An argument on its way to the serialiser."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Cmdlet(PipelineCommand):
    """pypsrp copies every command deeply, twice a pipeline, for the sake of an XML library that is not used
    here.
    """

    def __deepcopy__(self, memo: Any) -> _Cmdlet:
        return self


class _ClixmlSerializer(Serializer):
    """pypsrp's serialiser for its own messages; `values` for what people see, which it reads with types and
    at a third of the cost.
    """

    def serialize(self, value: Any, metadata: Any = None, parent: Any = None, clear: bool = True) -> Any:
        if not isinstance(value, _Argument):
            return super().serialize(value, metadata, parent, clear)
        element = values.to_clixml(value.value, self._get_obj_id)
        element.set("N", metadata.name)
        parent.append(element)
        return element

    def deserialize(self, element: Any, metadata: Any = None, clear: bool = True) -> Any:
        if isinstance(element, str) and clear:
            kind = metadata.object if metadata is not None else None
            if metadata is None:
                return values.from_clixml(element)
            if kind in (ErrorRecordMessage, WarningRecord, VerboseRecord):
                return _Received(kind.MESSAGE_TYPE, values.from_clixml(element))
            if kind is PipelineState:
                return _EndOfPipeline(values.from_clixml(element))
        return super().deserialize(element, metadata, clear)


class _Received:
    """A stream's record, in the place of pypsrp's own class for it."""

    def __init__(self, message_type: int, value: Any) -> None:
        self.MESSAGE_TYPE = message_type
        self.value = value


class _EndOfPipeline:
    """MS-PSRP section 2.2.2.21. A failed pipeline carries the error that ended it."""

    MESSAGE_TYPE = 0x00041006

    def __init__(self, value: RemoteObject) -> None:
        self.state = value["PipelineState"]
        record = value.get("ExceptionAsErrorRecord")
        self.error_record = None if record is None else _TerminatingError(record)


class _TerminatingError:
    def __init__(self, value: Any) -> None:
        self.value = value


def _results(pipeline: PowerShell) -> Results:
    # pypsrp's classes to the type checker; what `_ClixmlSerializer` put in their place at run time.
    streams: Any = pipeline.streams
    return Results(
        output=tuple(pipeline.output),
        errors=tuple(
            error_report(record.value, terminating=isinstance(record, _TerminatingError))
            for record in streams.error
        ),
        warnings=tuple(_message(record.value) for record in streams.warning),
        verbose=tuple(_message(record.value) for record in streams.verbose),
    )


def _message(record: Any) -> str:
    if isinstance(record, RemoteObject):
        return str(record.get("InformationalRecord_Message") or record.text or "")
    return str(record)


def _is_missing_management_cmdlet(report: ErrorReport) -> bool:
    return (
        report.fully_qualified_id.startswith("CommandNotFoundException")
        and "-cs" in (report.target or "").lower()
    )


def _is_command_info(item: Any) -> bool:
    return isinstance(item, RemoteObject) and item.is_a("System.Management.Automation.CommandInfo")


_SYNTAX_PARAMETER = re.compile(r"(?<=[\s\[])-([A-Za-z]\w*)")


def _parameter_names(command: RemoteObject) -> list[str]:
    """The parameters of a CommandInfo: its dictionary of them, or, where serialisation cut that off, its
    syntax.
    """
    parameters = command.get("Parameters")
    if isinstance(parameters, dict):
        return [str(name) for name in parameters]
    return sorted(set(_SYNTAX_PARAMETER.findall(str(command.get("Definition") or ""))))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
