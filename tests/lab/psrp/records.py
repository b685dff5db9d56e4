# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of the error, warning, verbose and debug streams, in the form real servers send."""

from __future__ import annotations

from typing import Any, TypeVar

from psrpcore.types import (
    CommandOrigin,
    CommandTypes,
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    InformationalRecord,
    InvocationInfo,
    NETException,
    PSDict,
    PSList,
    PSObject,
    PSString,
    RemoteStreamOptions,
    SessionStateEntryVisibility,
    add_note_property,
)

_MSCORLIB = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"

RecordType = TypeVar("RecordType", bound=InformationalRecord)


class CategoryInfo(ErrorCategoryInfo):
    """ErrorCategoryInfo with the colon PowerShell writes: ``ObjectNotFound: (target:type) [activity], reason``."""

    def __str__(self) -> str:
        return (
            f"{self.Category.name}: ({self.TargetName or ''}:{self.TargetType or ''}) "
            f"[{self.Activity or ''}], {self.Reason or ''}"
        )


class InvokedCommand(PSString):
    """A cmdlet as invocation details describe it (MS-PSRP 2.2.3.15.1): written as its name."""

    CommandType = CommandTypes.Cmdlet
    Visibility = SessionStateEntryVisibility.Public
    Definition = ""

    @property
    def Name(self) -> str:
        return str(self)


class ReferableDict(PSDict):
    """Written once in a message and referred to from then on, as psrpcore does with what has a hash."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class ReferableList(PSList):
    """See ReferableDict."""

    __hash__ = object.__hash__  # type: ignore[assignment]


Collection = TypeVar("Collection", PSDict, PSList)


def typed(collection: Collection, type_name: str) -> Collection:
    collection.PSObject.type_names = [type_name, "System.Object"]
    return collection


def iteration() -> PSList:
    """PipelineIterationInfo of a command that got one object."""
    type_name = f"System.Collections.ObjectModel.ReadOnlyCollection`1[[System.Int32, {_MSCORLIB}]]"
    return typed(PSList([0, 1]), type_name)


def invocation_of(command: str) -> InvocationInfo:
    """How a command that is no part of a script was invoked; the members are those of recorded servers."""
    dictionary = (
        f"System.Collections.Generic.Dictionary`2[[System.String, {_MSCORLIB}],[System.Object, {_MSCORLIB}]]"
    )
    return InvocationInfo(
        MyCommand=InvokedCommand(command),
        BoundParameters=typed(ReferableDict(), dictionary),
        UnboundArguments=typed(
            ReferableList(), f"System.Collections.Generic.List`1[[System.Object, {_MSCORLIB}]]"
        ),
        ScriptLineNumber=0,
        OffsetInLine=0,
        HistoryId=1,
        ScriptName="",
        Line="",
        PositionMessage="",
        PSScriptRoot="",
        InvocationName=command,
        PipelineLength=1,
        PipelinePosition=1,
        ExpectingInput=False,
        CommandOrigin=CommandOrigin.Runspace,
    )


class SentErrorRecord(ErrorRecord):
    """ErrorRecord with the members that recorded servers send and psrpcore does not."""

    @classmethod
    def ToPSObjectForRemoting(cls, instance: ErrorRecord, **details: Any) -> PSObject:
        sent = super().ToPSObjectForRemoting(instance, **details)
        add_note_property(sent, "writeErrorStream", True)
        add_note_property(sent, "PSMessageDetails", None)
        return sent


def error_as_sent(record: ErrorRecord, options: RemoteStreamOptions) -> ErrorRecord:
    """The record with the invocation details the client asked for (MS-PSRP 2.2.3.15)."""
    category = record.CategoryInfo
    invocation = record.InvocationInfo
    sent = SentErrorRecord(
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
        InvocationInfo=None if invocation is None else invocation_of(str(invocation.InvocationName or "")),
        ErrorDetails=record.ErrorDetails,
        PipelineIterationInfo=iteration(),
        ScriptStackTrace=record.ScriptStackTrace,
    )
    asked = bool(options & RemoteStreamOptions.AddInvocationInfoToErrorRecord)
    sent.serialize_extended_info = asked and record.InvocationInfo is not None
    return sent


def informational(kind: type[RecordType], text: str, command: str | None = None) -> RecordType:
    """A warning, verbose or debug record, with the details of its command's invocation if that is given.

    psrpcore leaves out the ToString that clients print.
    """
    record = kind(Message=text, PipelineIterationInfo=iteration())
    record.PSObject.to_string = text
    if command is not None:
        record.InvocationInfo = invocation_of(command)
        record.serialize_extended_info = True
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
