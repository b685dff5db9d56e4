# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an ErrorRecord as the remoting protocol serialises it (MS-PSRP section 2.2.3.15) to an `ErrorReport`."""

from __future__ import annotations

from typing import Any

from .results import ErrorReport, RemoteObject

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


def error_report(record: Any, *, terminating: bool = False) -> ErrorReport:
    """``record`` is what `values.from_clixml` made of the record; ``terminating`` whether it ended the pipeline."""
    if not isinstance(record, RemoteObject):
        return ErrorReport(str(record), terminating=terminating)
    exception = record.get("Exception")
    message = record.get("ErrorDetails_Message")
    if not message and isinstance(exception, RemoteObject):
        message = exception.get("Message") or exception.text
    category = record.get("ErrorCategory_Category")
    return ErrorReport(
        message=str(
            message or record.text or record.get("ErrorCategory_Message") or "The server gave no reason."
        ),
        category=_CATEGORIES[category]
        if isinstance(category, int) and category < len(_CATEGORIES)
        else "NotSpecified",
        fully_qualified_id=str(record.get("FullyQualifiedErrorId") or ""),
        exception_type=exception.type_names[0]
        if isinstance(exception, RemoteObject) and exception.type_names
        else "",
        target=_text(record.get("TargetObject")) or record.get("ErrorCategory_TargetName") or None,
        command=record.get("ErrorCategory_Activity") or None,
        terminating=terminating,
    )


def _text(target: Any) -> str | None:
    if target is None:
        return None
    return target.text if isinstance(target, RemoteObject) else str(target)
