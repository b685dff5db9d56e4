# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as commands raise them, and the error records they become.

Texts and identifiers of PowerShell's own errors: PowerShell/PowerShell,
src/System.Management.Automation/resources and engine/ParameterBinderBase.cs, with Windows PowerShell's
wording where the two differ.
"""

from __future__ import annotations

from typing import Any

from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    InvocationInfo,
    NETException,
    PSDict,
)

from lab.objects.values import text_of, to_wire, type_names
from lab.powershell.exceptions import ancestors


class PowerShellError(Exception):
    """An error of a command, before it is known who raised it and whether it stops anything.

    ``error_id`` is the first part of the fully qualified error id; the command's class is appended, as
    WriteError does, unless ``qualified`` is False (errors of the engine: command not found, parser).
    """

    def __init__(
        self,
        message: str,
        *,
        category: ErrorCategory = ErrorCategory.NotSpecified,
        error_id: str,
        exception: str = "System.InvalidOperationException",
        target: Any = None,
        qualified: bool = True,
        inner: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.category = category
        self.error_id = error_id
        self.exception = exception
        self.target = target
        self.qualified = qualified
        self.inner = inner  # type name and message of the exception that was wrapped

    def record(self, command: str = "", class_name: str = "") -> ErrorRecord:
        """The error record, as the command of that name and implementing class would have written it."""
        identifier = f"{self.error_id},{class_name}" if self.qualified and class_name else self.error_id
        target_name, target_type = "", ""
        if self.target is not None:
            target_name = text_of(self.target)
            target_type = (
                type_names(self.target)[0].rpartition(".")[2]
                if not isinstance(self.target, str)
                else "String"
            )
        info = _CategoryInfo(
            Category=self.category,
            Activity=command,
            Reason=self.exception.rpartition(".")[2],
            TargetName=target_name,
            TargetType=target_type,
        )
        record = ErrorRecord(
            Exception=net_exception(self.exception, self.message, self.inner),
            CategoryInfo=info,
            TargetObject=to_wire(self.target, 0),
            FullyQualifiedErrorId=identifier,
            InvocationInfo=InvocationInfo(InvocationName=command) if command else None,
        )
        record.PSObject.to_string = self.message
        return record


class _CategoryInfo(ErrorCategoryInfo):
    """With the colon after the category that PowerShell writes and psrpcore's text lacks."""

    def __str__(self) -> str:
        return f"{self.Category.name}: ({self.TargetName}:{self.TargetType}) [{self.Activity}], {self.Reason}"


def net_exception(type_name: str, message: str, inner: tuple[str, str] | None = None) -> NETException:
    """A .NET exception, with the names of the types it derives from."""
    exception = NETException(Message=message, Data=PSDict(), HResult=-2146233087)
    exception.PSObject.type_names = [*ancestors(type_name), "System.Object"]
    exception.PSObject.to_string = f"{type_name}: {message}"
    if inner is not None:
        exception.InnerException = net_exception(*inner)
    return exception


def command_not_found(name: str) -> PowerShellError:
    """Of no cmdlet: its record has neither an activity nor invocation details (measured)."""
    return PowerShellError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
        "program. Check the "
        "spelling of the name, or if a path was included, verify that the path is correct and try again.",
        category=ErrorCategory.ObjectNotFound,
        error_id="CommandNotFoundException",
        exception="System.Management.Automation.CommandNotFoundException",
        target=name,
        qualified=False,
    )


def scripts_refused() -> PowerShellError:
    return PowerShellError(
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language "
        "mode.",
        category=ErrorCategory.ParserError,
        error_id="ScriptsNotAllowed",
        exception="System.Management.Automation.PSNotSupportedException",
        qualified=False,
    )


def not_modelled(what: str) -> PowerShellError:
    """The lab's own answer to what a server has and the lab has not."""
    return PowerShellError(
        f"The lab does not model {what}.",
        category=ErrorCategory.NotImplemented,
        error_id="NotModelled",
        exception="System.NotImplementedException",
    )


def binding_error(
    message: str,
    error_id: str,
    target: Any = None,
    category: ErrorCategory = ErrorCategory.InvalidArgument,
) -> PowerShellError:
    return PowerShellError(
        message,
        category=category,
        error_id=error_id,
        exception="System.Management.Automation.ParameterBindingException",
        target=target,
    )


def validation_error(message: str, error_id: str, target: Any = None) -> PowerShellError:
    return PowerShellError(
        message,
        category=ErrorCategory.InvalidData,
        error_id=error_id,
        exception="System.Management.Automation.ParameterBindingValidationException",
        target=target,
    )


def input_not_bound(item: Any) -> PowerShellError:
    """An object of the pipeline that no parameter takes."""
    return PowerShellError(
        "The input object cannot be bound to any parameters for the command either because the command does not take "
        "pipeline input or the input and its properties do not match any of the parameters that take pipeline input.",
        category=ErrorCategory.InvalidArgument,
        error_id="InputObjectNotBound",
        exception="System.Management.Automation.ParameterBindingException",
        target=item,
    )
