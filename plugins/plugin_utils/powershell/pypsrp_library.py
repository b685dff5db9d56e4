# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is used of pypsrp, and how it is adapted: whoever changes with pypsrp changes this file.

Private attributes are named in `PRIVATE`, and looked for before they are used: pypsrp promises nothing of them.
"""

from __future__ import annotations

import functools
import struct
import time
import traceback
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    import requests
    from pypsrp.complex_objects import Command as PipelineCommand
    from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
    from pypsrp.encryption import WinRMEncryption
    from pypsrp.exceptions import WSManFaultError
    from pypsrp.messages import (
        DebugRecord,
        ErrorRecordMessage,
        InformationRecord,
        MessageType,
        PipelineHostCall,
        PipelineState,
        ProgressRecord,
        RunspacePoolHostCall,
        VerboseRecord,
        WarningRecord,
    )
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.serializer import Serializer
    from pypsrp.shell import SignalCode
    from pypsrp.wsman import NAMESPACES, SelectorSet, WSMan, WSManAction

    PYPSRP_IMPORT_ERROR: ImportError | None = None
except ImportError as error:  # told to the user by `require_pypsrp`
    PYPSRP_IMPORT_ERROR = error
    # Names that other files import or derive from; nothing of them is used before `require_pypsrp` has spoken.
    PipelineCommand = Serializer = WSMan = RunspacePool = PowerShell = object  # type: ignore[assignment,misc]
    PSInvocationState = RunspacePoolState = SelectorSet = SignalCode = object  # type: ignore[assignment,misc]
    WSManFaultError = Exception  # type: ignore[assignment,misc]
    NAMESPACES = {}

from . import values
from .errors import MissingLibrary, UnconvertibleValue
from .transport_errors import TRANSPORT_ERRORS, NotUnderstood

__all__ = (
    "NAMESPACES",
    "PSInvocationState",
    "PowerShell",
    "RunspacePoolState",
    "SelectorSet",
    "SignalCode",
    "WSManFaultError",
)

# Codes of WSManFault (wsmerror.h of the Windows SDK).
OPERATION_TIMED_OUT = 0x80338029

# A fragment's header: the number of its message, its own, flags, and how long what follows is (MS-PSRP section 2.2.4).
# The first of a message's begins with where that goes, what it is, and the ids of pool and pipeline (section 2.2.1).
_FRAGMENT = struct.Struct(">QQBI")
_IS_FIRST = 1
_ADDRESSEE = slice(_FRAGMENT.size + 8, _FRAGMENT.size + 40)

# Every attribute beyond pypsrp's documented interface that is read, set or overridden here, by the object that has it.
PRIVATE = {
    "wsman": ("_create_header", "max_payload_size", "operation_timeout", "session_id", "transport"),
    "transport": ("_build_session", "encryption", "endpoint", "read_timeout", "send", "session"),
    "pool": (
        "_fragmenter",
        "_parse_responses",
        "_process_runspacepool_state",
        "_receive",
        "_serializer",
        "pipelines",
    ),
    "fragmenter": ("fragment", "incoming_buffer", "max_size", "outgoing_counter", "serializer"),
    "serializer": ("_get_obj_id", "deserialize", "serialize"),
    "shell": ("_selector_set", "id", "idle_time_out", "opened", "resource_uri"),
    "pipeline": ("_command_id", "_invoke", "state", "streams", "output"),
}


def require_pypsrp() -> None:
    """Raises `MissingLibrary` where pypsrp cannot be loaded, or lacks what is needed of it."""
    if PYPSRP_IMPORT_ERROR is not None:
        raise MissingLibrary(str(PYPSRP_IMPORT_ERROR)) from PYPSRP_IMPORT_ERROR
    lacking = lacking_attributes()
    if lacking:
        raise MissingLibrary(f"this version of it has no {', no '.join(lacking)}")


@functools.cache
def lacking_attributes() -> tuple[str, ...]:
    """Which of `PRIVATE` the installed pypsrp does not have."""
    try:
        wsman = WSMan("localhost", auth="basic", username="", password="", ssl=True)
        pool = RunspacePool(wsman)
        found: dict[str, Any] = {
            "wsman": wsman,
            "transport": wsman.transport,
            "pool": pool,
            "fragmenter": pool._fragmenter,
            "serializer": pool._serializer,
            "shell": pool.shell,
            "pipeline": PowerShell(pool),
        }
    except (AttributeError, TypeError) as error:
        return (str(error),)
    return tuple(
        f"{type(found[owner]).__name__}.{name}"
        for owner, names in PRIVATE.items()
        for name in names
        if not hasattr(found[owner], name)
    )


@contextmanager
def understanding() -> Iterator[None]:
    """Raises `NotUnderstood` for what pypsrp stumbles over in an answer that is not as it expects."""
    try:
        yield
    except TRANSPORT_ERRORS as error:
        # The libraries of Kerberos, NTLM and CredSSP raise the same for a refusal and for a damaged answer.
        if any(
            frame.f_code is WinRMEncryption.unwrap_message.__code__
            for frame, _line in traceback.walk_tb(error.__traceback__)
        ):
            raise NotUnderstood(repr(error)) from error
        raise
    except (AttributeError, AssertionError, LookupError, TypeError, RecursionError, struct.error) as error:
        raise NotUnderstood(repr(error)) from error


class Wire(WSMan):
    """pypsrp's WSMan client, with four more abilities: a Receive whose answer was lost can be repeated as the very
    same message, to which a server gives the very same data; opening a shell has a time-out of its own; cookies survive
    a new connection; and ``command_is_done`` says whether the last Receive was the last that the server will answer.
    """

    command_is_done = False

    def __init__(self, *args: Any, open_timeout: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open_timeout = open_timeout
        self._unanswered: str | None = None
        self._repeat = False

    def redial(self) -> None:
        """Make the next request use a new, newly authenticated HTTP connection.

        pypsrp has put what the environment says of proxies and authorities into the session by then; requests need not
        ask it again for each of them.
        """
        former = self.transport.session
        session = self.transport._build_session()
        session.trust_env = False
        # Followed, a redirection would hand a request over twice, or to whoever is named there.
        session.max_redirects = 0
        if former is not None:
            former.close()
            session.cookies = former.cookies
        self.transport.session = session
        self.transport.encryption = None

    @property
    def cookies(self) -> list[dict[str, Any]]:
        """What a load balancer wants to be told with every request, so that it finds the server with the session."""
        jar = self.transport.session.cookies if self.transport.session is not None else ()
        return [
            {"name": cookie.name, "value": cookie.value, "domain": cookie.domain, "path": cookie.path}
            for cookie in jar
        ]

    @cookies.setter
    def cookies(self, cookies: list[dict[str, Any]]) -> None:
        if self.transport.session is not None:
            for cookie in cookies:
                self.transport.session.cookies.set(**cookie)

    def create(self, *args: Any, **kwargs: Any) -> ET.Element:
        usual = self.operation_timeout, self.transport.read_timeout
        self.operation_timeout = self._open_timeout
        self.transport.read_timeout = self._open_timeout + 2
        try:
            return super().create(*args, **kwargs)
        finally:
            self.operation_timeout, self.transport.read_timeout = usual

    def invoke(self, *args: Any, **kwargs: Any) -> ET.Element:
        with understanding():
            answer = super().invoke(*args, **kwargs)
        body = answer.find("s:Body", namespaces=NAMESPACES)
        if body is None:
            raise NotUnderstood("an envelope without a body")
        if body.find("s:Fault", namespaces=NAMESPACES) is not None:
            raise NotUnderstood("a fault that HTTP calls a success")
        return answer

    def receive(
        self,
        resource_uri: str,
        resource: ET.Element,
        option_set: Any = None,
        selector_set: Any = None,
        timeout: int | None = None,
    ) -> ET.Element:
        try:
            answer = self.invoke(
                WSManAction.RECEIVE, resource_uri, resource, option_set, selector_set, timeout
            )
        except WSManFaultError:
            self._unanswered = None
            raise
        self._unanswered = None
        state = answer.find("s:Body/rsp:ReceiveResponse/rsp:CommandState", namespaces=NAMESPACES)
        self.command_is_done = state is not None and state.get("State", "").endswith("/Done")
        return answer.find("s:Body", namespaces=NAMESPACES)  # type: ignore[return-value] # `invoke` has seen it

    def repeat_unanswered(self) -> None:
        """Let the next Receive be the one whose answer did not arrive, where there is one."""
        self._repeat = self._unanswered is not None

    def _create_header(self, action: str, *args: Any, **kwargs: Any) -> tuple[str, ET.Element]:
        message_id, header = super()._create_header(action, *args, **kwargs)
        if action == WSManAction.RECEIVE:
            if self._repeat and self._unanswered:
                message_id = self._unanswered
                header.find("wsa:MessageID", namespaces=NAMESPACES).text = f"uuid:{message_id}"  # type: ignore[union-attr]
            self._repeat = False
            self._unanswered = message_id
        return message_id, header


class Pool(RunspacePool):
    """pypsrp's runspace pool: with `values` for what people see, and patience with a server that is slow to open it."""

    def __init__(self, wire: Wire, *, open_timeout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(wire, **kwargs)
        self.wire = wire
        self._open_deadline = time.monotonic() + open_timeout
        self._serializer = self._fragmenter.serializer = _ClixmlSerializer()
        self._seen: set[tuple[str, int, int]] = set()

    def _parse_responses(self, responses: bytes, pipeline: PowerShell | None = None) -> Any:
        if pipeline is not None:
            responses = b"".join(self._fragments_of(pipeline.id, responses))
        return super()._parse_responses(responses, pipeline)

    def _fragments_of(self, pipeline_id: str, responses: bytes) -> Iterator[bytes]:
        """The fragments that have not come before. Raises `NotUnderstood` for those of another pipeline or pool."""
        addressee = uuid.UUID(self.id).bytes_le + uuid.UUID(pipeline_id).bytes_le
        place = 0
        while place < len(responses):
            message, number, flags, length = _FRAGMENT.unpack_from(responses, place)
            fragment = responses[place : place + _FRAGMENT.size + length]
            if flags & _IS_FIRST and fragment[_ADDRESSEE] != addressee:
                raise NotUnderstood("a message of another pipeline")
            if (pipeline_id, message, number) not in self._seen:
                self._seen.add((pipeline_id, message, number))
                yield fragment
            place += len(fragment)

    def _receive(self, id: str | None = None, timeout: int | None = None) -> Any:
        try:
            with understanding():
                return super()._receive(id, timeout)
        except (WSManFaultError, requests.Timeout) as error:
            patient = (
                self.state == RunspacePoolState.NEGOTIATION_SENT and time.monotonic() < self._open_deadline
            )
            if not patient or (isinstance(error, WSManFaultError) and error.code != OPERATION_TIMED_OUT):
                raise
            if isinstance(error, requests.Timeout):
                self.wire.redial()
                self.wire.repeat_unanswered()
            return []

    def open(self, *args: Any, **kwargs: Any) -> None:
        with understanding():
            super().open(*args, **kwargs)


class Argument:
    """An argument on its way to the serialiser."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Cmdlet(PipelineCommand):
    """pypsrp copies every command deeply, twice a pipeline, for the sake of an XML library that is not used here."""

    def __deepcopy__(self, memo: Any) -> Cmdlet:
        return self


class _ClixmlSerializer(Serializer):
    """pypsrp's serialiser for its own messages; `values` for what people see, which it reads with types and at a third
    of the cost.
    """

    def serialize(self, value: Any, metadata: Any = None, parent: Any = None, clear: bool = True) -> Any:
        if not isinstance(value, Argument):
            return super().serialize(value, metadata, parent, clear)
        element = values.to_clixml(value.value, self._get_obj_id)
        element.set("N", metadata.name)
        parent.append(element)
        return element

    def deserialize(self, element: Any, metadata: Any = None, clear: bool = True) -> Any:
        if isinstance(element, str) and clear:
            kind = metadata.object if metadata is not None else None
            if metadata is None:
                return _readable(element)
            if kind in (ErrorRecordMessage, WarningRecord, VerboseRecord):
                return _Received(kind.MESSAGE_TYPE, _readable(element))
            if kind in (
                DebugRecord,
                InformationRecord,
                ProgressRecord,
                PipelineHostCall,
                RunspacePoolHostCall,
            ):
                return _Received(kind.MESSAGE_TYPE, None)
            if kind is PipelineState:
                return _end_of_pipeline(element)
            element = values.parse(element)
        return super().deserialize(element, metadata, clear)


class Unreadable:
    """In the place of what the server sent and what cannot be read."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


def _readable(document: str) -> Any:
    try:
        return values.from_clixml(document)
    except UnconvertibleValue as error:
        return Unreadable(str(error))


def _end_of_pipeline(document: str) -> _EndOfPipeline:
    try:
        state = values.from_clixml(document)
        return _EndOfPipeline(state["PipelineState"], state.get("ExceptionAsErrorRecord"))
    except (UnconvertibleValue, LookupError, TypeError, AttributeError) as error:
        raise NotUnderstood(repr(error)) from error


class _Received:
    """A stream's record, in the place of pypsrp's own class for it. Nobody reads some of them, nor what a host is to be
    asked, ``mi`` and ``mp``: there is none.
    """

    mi = mp = None

    def __init__(self, message_type: int, value: Any) -> None:
        self.MESSAGE_TYPE = message_type
        self.value = value


class _EndOfPipeline:
    """MS-PSRP section 2.2.2.21. A failed pipeline carries the error that ended it."""

    MESSAGE_TYPE = 0x00041006

    def __init__(self, state: int, record: Any) -> None:
        self.state = state
        self.error_record = None if record is None else TerminatingError(record)


class TerminatingError:
    """The record that a pipeline's final state carries."""

    def __init__(self, value: Any) -> None:
        self.value = value


def is_output(message_type: int) -> bool:
    return bool(message_type == MessageType.PIPELINE_OUTPUT)
