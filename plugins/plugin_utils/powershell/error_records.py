# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an ErrorRecord as the remoting protocol serialises it (MS-PSRP section 2.2.3.15) to an `ErrorReport`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .errors import SQL_EXCEPTIONS
from .plain_text import one_line
from .results import Cause, ErrorReport, RemoteObject
from .values import as_result

# System.Management.Automation.ErrorCategory, in the order of its values (Microsoft Learn, ErrorCategory Enum).
_CATEGORIES = (
    "NotSpecified",
    "OpenError",
    "CloseError",
    "DeviceError",
    "DeadlockDetected",
    "InvalidArgument",
    "InvalidData",
    "InvalidOperation",
    "InvalidResult",
    "InvalidType",
    "MetadataError",
    "NotImplemented",
    "NotInstalled",
    "ObjectNotFound",
    "OperationStopped",
    "OperationTimeout",
    "SyntaxError",
    "ParserError",
    "PermissionDenied",
    "ResourceBusy",
    "ResourceExists",
    "ResourceUnavailable",
    "ReadError",
    "WriteError",
    "FromStdErr",
    "SecurityError",
    "ProtocolError",
    "ConnectionError",
    "AuthenticationError",
    "LimitsExceeded",
    "QuotaExceeded",
    "NotEnabled",
)


# An exception holds another one, which holds another one; nothing real goes deeper.
_MOST_CAUSES = 16


def error_report(record: Any, *, terminating: bool = False) -> ErrorReport:
    """``record`` is what `values.from_clixml` made of the record; ``terminating`` whether it ended the pipeline."""
    if not isinstance(record, RemoteObject):
        return ErrorReport(one_line(str(record)), terminating=terminating)
    exceptions = list(_exceptions(record.get("Exception")))
    outermost = exceptions[0] if exceptions else RemoteObject((), {})
    category = record.get("ErrorCategory_Category")
    identifier = _words(record.get("FullyQualifiedErrorId"))
    target = _words(record.get("TargetObject")) or _words(record.get("ErrorCategory_TargetName"))
    command = _words(record.get("ErrorCategory_Activity")) or _words(outermost.get("CommandName"))
    if not command and identifier == "CommandNotFoundException":
        command = target
    messages = (
        _words(record.get("ErrorDetails_Message")),
        _message(outermost),
        _words(record.text),
        _words(record.get("ErrorCategory_Message")),
    )
    return ErrorReport(
        # An exception without a message is shown as its type.
        message=next(
            (text for text in messages if text and text != _type(outermost)), "The server gave no reason."
        ),
        category=_CATEGORIES[category]
        if isinstance(category, int) and 0 <= category < len(_CATEGORIES)
        else "NotSpecified",
        fully_qualified_id=identifier,
        exception_type=_type(outermost),
        target=target or None,
        command=command or None,
        terminating=terminating,
        parameter=_words(outermost.get("ParameterName")) or None,
        causes=tuple(Cause(_type(inner), _message(inner)) for inner in exceptions[1:]),
        native_error_code=_number(exceptions, "NativeErrorCode"),
        sql_error_number=_number([each for each in exceptions if _type(each) in SQL_EXCEPTIONS], "Number"),
    )


def _exceptions(exception: Any) -> Iterator[RemoteObject]:
    """The exception and those inside it. One that lay too deep for the server is the text of its own."""
    for _depth in range(_MOST_CAUSES):
        if isinstance(exception, str):
            exception = RemoteObject((), {}, exception)
        if not isinstance(exception, RemoteObject):
            return
        yield exception
        exception = exception.get("InnerException")


def _type(exception: RemoteObject) -> str:
    return exception.type_names[0] if exception.type_names else ""


def _message(exception: RemoteObject) -> str:
    return _words(exception.get("Message")) or _words(exception.text)


def _number(exceptions: list[RemoteObject], name: str) -> int | None:
    """The number that the innermost exception with one gives."""
    numbers = [number for each in exceptions if isinstance(number := each.get(name), int)]
    return numbers[-1] if numbers else None


def _words(value: Any) -> str:
    """A value as a person would write it; a list with commas, an object by its own text."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return one_line(", ".join(map(_words, value)))
    if isinstance(value, dict):
        return one_line(", ".join(f"{_words(key)}: {_words(item)}" for key, item in value.items()))
    if isinstance(value, RemoteObject):
        return one_line(value.text or "")
    return one_line(str(as_result(value)))
