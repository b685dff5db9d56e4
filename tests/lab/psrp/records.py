# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of the error, warning, verbose and debug streams, in the form real servers send."""

from __future__ import annotations

from typing import TypeVar

from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    InformationalRecord,
    NETException,
    RemoteStreamOptions,
)

RecordType = TypeVar("RecordType", bound=InformationalRecord)


class CategoryInfo(ErrorCategoryInfo):
    """ErrorCategoryInfo with the colon PowerShell writes: ``ObjectNotFound: (target:type) [activity], reason``."""

    def __str__(self) -> str:
        return (
            f"{self.Category.name}: ({self.TargetName or ''}:{self.TargetType or ''}) "
            f"[{self.Activity or ''}], {self.Reason or ''}"
        )


def error_as_sent(record: ErrorRecord, options: RemoteStreamOptions) -> ErrorRecord:
    """The record with the invocation details the client asked for (MS-PSRP 2.2.3.15)."""
    category = record.CategoryInfo
    sent = ErrorRecord(
        Exception=record.Exception,
        CategoryInfo=CategoryInfo(
            Category=category.Category,
            Activity=category.Activity or "",
            Reason=category.Reason or "",
            TargetName=category.TargetName or "",
            TargetType=category.TargetType or "",
        ),
        TargetObject=record.TargetObject,
        FullyQualifiedErrorId=record.FullyQualifiedErrorId,
        InvocationInfo=record.InvocationInfo,
        ErrorDetails=record.ErrorDetails,
        PipelineIterationInfo=record.PipelineIterationInfo,
        ScriptStackTrace=record.ScriptStackTrace,
    )
    asked = bool(options & RemoteStreamOptions.AddInvocationInfoToErrorRecord)
    sent.serialize_extended_info = asked and record.InvocationInfo is not None
    return sent


def informational(kind: type[RecordType], text: str) -> RecordType:
    """A warning, verbose or debug record; psrpcore leaves out the ToString that clients print."""
    record = kind(Message=text)
    record.PSObject.to_string = text
    return record


def exception(type_names: list[str], message: str) -> NETException:
    """A .NET exception: its own type names, most derived first, without System.Exception and System.Object."""
    made = NETException(Message=message, HResult=-2146233087)
    made.PSObject.type_names = [*type_names, "System.Exception", "System.Object"]
    made.PSObject.to_string = f"{type_names[0]}: {message}" if type_names else message
    return made


def error_record(
    type_names: list[str], message: str, category: ErrorCategory, error_id: str, activity: str = ""
) -> ErrorRecord:
    """A plain error record about no particular target."""
    reason = type_names[0].rpartition(".")[2] if type_names else "Exception"
    return ErrorRecord(
        Exception=exception(type_names, message),
        CategoryInfo=CategoryInfo(Category=category, Activity=activity, Reason=reason),
        FullyQualifiedErrorId=error_id,
    )


def pipeline_stopped() -> ErrorRecord:
    """The record of a pipeline the client stopped."""
    return error_record(
        [
            "System.Management.Automation.PipelineStoppedException",
            "System.Management.Automation.RuntimeException",
            "System.SystemException",
        ],
        "The pipeline has been stopped.",
        ErrorCategory.OperationStopped,
        "PipelineStopped",
    )


def no_more_processes(program: str) -> ErrorRecord:
    """The record of a native program for which the shell has no process left."""
    return error_record(
        [
            "System.Management.Automation.ApplicationFailedException",
            "System.Management.Automation.RuntimeException",
            "System.SystemException",
        ],
        f"Program '{program}' failed to run: Not enough quota is available to process this command",
        ErrorCategory.ResourceUnavailable,
        "NativeCommandFailed",
    )
