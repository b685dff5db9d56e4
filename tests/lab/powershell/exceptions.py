# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions of .NET and PowerShell: what each derives from (.NET's and PowerShell's reference)."""

from __future__ import annotations

_AUTOMATION = "System.Management.Automation"

#: Base types of exceptions, by full name; those that are not here derive from System.SystemException.
EXCEPTIONS = {
    "System.Exception": "System.Object",
    "System.SystemException": "System.Exception",
    "System.ApplicationException": "System.Exception",
    "System.ArgumentException": "System.SystemException",
    "System.ArgumentNullException": "System.ArgumentException",
    "System.ArgumentOutOfRangeException": "System.ArgumentException",
    "System.ArithmeticException": "System.SystemException",
    "System.DivideByZeroException": "System.ArithmeticException",
    "System.OverflowException": "System.ArithmeticException",
    "System.FormatException": "System.SystemException",
    "System.IndexOutOfRangeException": "System.SystemException",
    "System.InvalidCastException": "System.SystemException",
    "System.InvalidOperationException": "System.SystemException",
    "System.NotImplementedException": "System.SystemException",
    "System.NotSupportedException": "System.SystemException",
    "System.NullReferenceException": "System.SystemException",
    "System.OutOfMemoryException": "System.SystemException",
    "System.TimeoutException": "System.SystemException",
    "System.UnauthorizedAccessException": "System.SystemException",
    "System.ComponentModel.Win32Exception": "System.Runtime.InteropServices.ExternalException",
    "System.Runtime.InteropServices.ExternalException": "System.SystemException",
    "System.Runtime.InteropServices.COMException": "System.Runtime.InteropServices.ExternalException",
    "System.Collections.Generic.KeyNotFoundException": "System.SystemException",
    "System.IO.IOException": "System.SystemException",
    "System.IO.FileNotFoundException": "System.IO.IOException",
    "System.IO.DirectoryNotFoundException": "System.IO.IOException",
    "System.IO.PathTooLongException": "System.IO.IOException",
    "System.TimeZoneNotFoundException": "System.Exception",
    "System.Net.WebException": "System.InvalidOperationException",
    "System.Security.SecurityException": "System.SystemException",
    f"{_AUTOMATION}.RuntimeException": "System.SystemException",
    f"{_AUTOMATION}.ActionPreferenceStopException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.ApplicationFailedException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.ArgumentTransformationMetadataException": f"{_AUTOMATION}.MetadataException",
    f"{_AUTOMATION}.CmdletInvocationException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.CommandNotFoundException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.DriveNotFoundException": f"{_AUTOMATION}.SessionStateException",
    f"{_AUTOMATION}.ExtendedTypeSystemException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.GetValueException": f"{_AUTOMATION}.ExtendedTypeSystemException",
    f"{_AUTOMATION}.IncompleteParseException": f"{_AUTOMATION}.ParseException",
    f"{_AUTOMATION}.ItemNotFoundException": f"{_AUTOMATION}.SessionStateException",
    f"{_AUTOMATION}.MetadataException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.MethodException": f"{_AUTOMATION}.ExtendedTypeSystemException",
    f"{_AUTOMATION}.MethodInvocationException": f"{_AUTOMATION}.MethodException",
    f"{_AUTOMATION}.ParameterBindingException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.ParameterBindingArgumentTransformationException": f"{_AUTOMATION}.ParameterBindingException",
    f"{_AUTOMATION}.ParameterBindingValidationException": f"{_AUTOMATION}.ParameterBindingException",
    f"{_AUTOMATION}.ParseException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.PSArgumentException": "System.ArgumentException",
    f"{_AUTOMATION}.PSArgumentNullException": "System.ArgumentNullException",
    f"{_AUTOMATION}.PSArgumentOutOfRangeException": "System.ArgumentOutOfRangeException",
    f"{_AUTOMATION}.PSInvalidCastException": "System.InvalidCastException",
    f"{_AUTOMATION}.PSInvalidOperationException": "System.InvalidOperationException",
    f"{_AUTOMATION}.PSNotImplementedException": "System.NotImplementedException",
    f"{_AUTOMATION}.PSNotSupportedException": "System.NotSupportedException",
    f"{_AUTOMATION}.PipelineStoppedException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.ProviderInvocationException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.RemoteException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.ScriptCallDepthException": "System.SystemException",
    f"{_AUTOMATION}.SessionStateException": f"{_AUTOMATION}.RuntimeException",
    f"{_AUTOMATION}.SessionStateUnauthorizedAccessException": f"{_AUTOMATION}.SessionStateException",
    f"{_AUTOMATION}.SetValueException": f"{_AUTOMATION}.ExtendedTypeSystemException",
    f"{_AUTOMATION}.SetValueInvocationException": f"{_AUTOMATION}.SetValueException",
    f"{_AUTOMATION}.ValidationMetadataException": f"{_AUTOMATION}.MetadataException",
    "Microsoft.PowerShell.Commands.WriteErrorException": "System.SystemException",
    "Microsoft.PowerShell.Commands.ServiceCommandException": "System.SystemException",
}


def ancestors(exception: str) -> list[str]:
    """The exception's own name and those of what it derives from, System.Object excepted."""
    found = [exception]
    while found[-1] != "System.Exception":
        found.append(EXCEPTIONS.get(found[-1], "System.SystemException"))
    return found
