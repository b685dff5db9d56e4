# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions of .NET and PowerShell: what each derives from (.NET's and PowerShell's reference)."""

from __future__ import annotations

AUTOMATION = "System.Management.Automation"

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
    f"{AUTOMATION}.RuntimeException": "System.SystemException",
    f"{AUTOMATION}.ActionPreferenceStopException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.ApplicationFailedException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.ArgumentTransformationMetadataException": f"{AUTOMATION}.MetadataException",
    f"{AUTOMATION}.CmdletInvocationException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.CommandNotFoundException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.DriveNotFoundException": f"{AUTOMATION}.SessionStateException",
    f"{AUTOMATION}.ExtendedTypeSystemException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.GetValueException": f"{AUTOMATION}.ExtendedTypeSystemException",
    f"{AUTOMATION}.IncompleteParseException": f"{AUTOMATION}.ParseException",
    f"{AUTOMATION}.ItemNotFoundException": f"{AUTOMATION}.SessionStateException",
    f"{AUTOMATION}.MetadataException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.MethodException": f"{AUTOMATION}.ExtendedTypeSystemException",
    f"{AUTOMATION}.MethodInvocationException": f"{AUTOMATION}.MethodException",
    f"{AUTOMATION}.ParameterBindingException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.ParameterBindingArgumentTransformationException": f"{AUTOMATION}.ParameterBindingException",
    f"{AUTOMATION}.ParameterBindingValidationException": f"{AUTOMATION}.ParameterBindingException",
    f"{AUTOMATION}.ParseException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.PSArgumentException": "System.ArgumentException",
    f"{AUTOMATION}.PSArgumentNullException": "System.ArgumentNullException",
    f"{AUTOMATION}.PSArgumentOutOfRangeException": "System.ArgumentOutOfRangeException",
    f"{AUTOMATION}.PSInvalidCastException": "System.InvalidCastException",
    f"{AUTOMATION}.PSInvalidOperationException": "System.InvalidOperationException",
    f"{AUTOMATION}.PSNotImplementedException": "System.NotImplementedException",
    f"{AUTOMATION}.PSNotSupportedException": "System.NotSupportedException",
    f"{AUTOMATION}.PipelineStoppedException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.ProviderInvocationException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.RemoteException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.ScriptCallDepthException": "System.SystemException",
    f"{AUTOMATION}.SessionStateException": f"{AUTOMATION}.RuntimeException",
    f"{AUTOMATION}.SessionStateUnauthorizedAccessException": f"{AUTOMATION}.SessionStateException",
    f"{AUTOMATION}.SetValueException": f"{AUTOMATION}.ExtendedTypeSystemException",
    f"{AUTOMATION}.SetValueInvocationException": f"{AUTOMATION}.SetValueException",
    f"{AUTOMATION}.ValidationMetadataException": f"{AUTOMATION}.MetadataException",
    "Microsoft.PowerShell.Commands.WriteErrorException": "System.SystemException",
    "Microsoft.PowerShell.Commands.ServiceCommandException": "System.SystemException",
}


def ancestors(exception: str) -> list[str]:
    """The exception's own name and those of what it derives from, System.Object excepted."""
    found = [exception]
    while found[-1] != "System.Exception":
        found.append(EXCEPTIONS.get(found[-1], "System.SystemException"))
    return found
