# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of .NET types: accelerators, and which types the lab knows.

Accelerators: about_Type_Accelerators; PowerShell/PowerShell, engine/parser/TypeResolver.cs.
"""

from __future__ import annotations

from psrpcore.types import ErrorCategory

from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.exceptions import EXCEPTIONS
from lab.powershell.language.tree import TypeName
from lab.powershell.language.values import TypeReference

_AUTOMATION = "System.Management.Automation"
ACCELERATORS = {
    "array": "System.Array",
    "bool": "System.Boolean",
    "byte": "System.Byte",
    "char": "System.Char",
    "datetime": "System.DateTime",
    "decimal": "System.Decimal",
    "double": "System.Double",
    "float": "System.Single",
    "single": "System.Single",
    "guid": "System.Guid",
    "hashtable": "System.Collections.Hashtable",
    "int": "System.Int32",
    "int16": "System.Int16",
    "int32": "System.Int32",
    "int64": "System.Int64",
    "ipaddress": "System.Net.IPAddress",
    "long": "System.Int64",
    "math": "System.Math",
    "psobject": f"{_AUTOMATION}.PSObject",
    "pscustomobject": f"{_AUTOMATION}.PSObject",
    "pscredential": f"{_AUTOMATION}.PSCredential",
    "ref": f"{_AUTOMATION}.PSReference",
    "regex": "System.Text.RegularExpressions.Regex",
    "sbyte": "System.SByte",
    "scriptblock": f"{_AUTOMATION}.ScriptBlock",
    "short": "System.Int16",
    "string": "System.String",
    "switch": f"{_AUTOMATION}.SwitchParameter",
    "timespan": "System.TimeSpan",
    "type": "System.Type",
    "uint16": "System.UInt16",
    "uint32": "System.UInt32",
    "uint64": "System.UInt64",
    "uri": "System.Uri",
    "version": "System.Version",
    "void": "System.Void",
    "object": "System.Object",
    "exception": "System.Exception",
}
#: First version of PowerShell that has the accelerator.
_SINCE = {"ordered": "3"}
#: Accelerators of types that the lab does not have.
_OTHER_ACCELERATORS = frozenset(
    [
        "adsi",
        "adsisearcher",
        "bigint",
        "cimclass",
        "ciminstance",
        "cimconverter",
        "cimtype",
        "cimsession",
        "mailaddress",
        "wmi",
        "wmiclass",
        "wmisearcher",
        "xml",
        "x500distinguishedname",
        "x509certificate",
        "powershell",
        "runspace",
        "runspacefactory",
        "initialsessionstate",
        "psmoduleinfo",
        "psvariable",
        "psaliasproperty",
        "psnoteproperty",
        "psscriptproperty",
        "psscriptmethod",
        "psprimitivedictionary",
        "psmethod",
        "psevent",
        "psproxytype",
        "psdefaultvalue",
        "psreference",
        "cultureinfo",
        "securestring",
        "bigint",
        "ushort",
        "uint",
        "ulong",
        "physicaladdress",
        "dscresource",
        "dscproperty",
        "dsclocalconfigurationmanager",
        "psscriptcmdlet",
        "scriptmethod",
        "supportswildcards",
        "parameter",
        "alias",
        "allownull",
        "allowemptystring",
        "allowemptycollection",
        "cmdletbinding",
        "outputtype",
        "validateset",
        "validaterange",
        "validatelength",
        "validatecount",
        "validatepattern",
        "validatescript",
        "validatenotnull",
        "validatenotnullorempty",
    ]
)
#: Public types of the namespace System that scripts name without it and the lab does not have.
_OTHER_SYSTEM_TYPES = frozenset(
    [
        "action",
        "activator",
        "appdomain",
        "attribute",
        "buffer",
        "console",
        "delegate",
        "enum",
        "eventargs",
        "func",
        "gc",
        "icomparable",
        "idisposable",
        "intptr",
        "lazy",
        "operatingsystem",
        "progress",
        "random",
        "runtimetypehandle",
        "stringcomparer",
        "tuple",
        "typecode",
        "uintptr",
        "uribuilder",
        "weakreference",
        "datetimeoffset",
        "nullable",
    ]
)

#: Other types with members, conversions or constructors here.
_KNOWN = {
    name.lower(): name
    for name in (
        *ACCELERATORS.values(),
        *EXCEPTIONS,
        "System.Attribute",
        "System.BitConverter",
        "System.Collections.ArrayList",
        "System.Collections.DictionaryEntry",
        "System.Collections.Generic.Dictionary",
        "System.Collections.Generic.List",
        "System.Collections.ICollection",
        "System.Collections.IDictionary",
        "System.Collections.IEnumerable",
        "System.Collections.IList",
        "System.Collections.Queue",
        "System.Collections.Specialized.OrderedDictionary",
        "System.Collections.Stack",
        "System.Convert",
        "System.DateTimeKind",
        "System.DayOfWeek",
        "System.Enum",
        "System.Environment",
        "System.Globalization.CultureInfo",
        "System.Globalization.DateTimeStyles",
        "System.Globalization.NumberStyles",
        "System.IComparable",
        "System.IO.Directory",
        "System.IO.File",
        "System.IO.FileInfo",
        "System.IO.DirectoryInfo",
        "System.IO.FileStream",
        "System.IO.MemoryStream",
        "System.IO.Path",
        "System.Management.Automation.ErrorRecord",
        "System.Management.Automation.ErrorCategory",
        "System.Management.Automation.PSCustomObject",
        "System.Management.Automation.PSTypeName",
        "System.Net.Dns",
        "System.Random",
        "System.Reflection.BindingFlags",
        "System.Security.Cryptography.MD5",
        "System.Security.Cryptography.SHA1",
        "System.Security.Cryptography.SHA1CryptoServiceProvider",
        "System.Security.Cryptography.SHA1Managed",
        "System.Security.Cryptography.SHA256",
        "System.Security.Cryptography.SHA256Managed",
        "System.Security.Cryptography.SHA512",
        "System.Security.Principal.WindowsIdentity",
        "System.Security.Principal.WindowsPrincipal",
        "System.Security.Principal.WindowsBuiltInRole",
        "System.StringComparison",
        "System.StringSplitOptions",
        "System.Text.ASCIIEncoding",
        "System.Text.Encoding",
        "System.Text.RegularExpressions.RegexOptions",
        "System.Text.StringBuilder",
        "System.Text.UTF8Encoding",
        "System.Text.UnicodeEncoding",
        "System.Threading.Thread",
        "System.Diagnostics.Stopwatch",
        "System.TimeZone",
        "System.TimeZoneInfo",
        "System.UInt16",
        "System.ValueType",
    )
}
#: The interfaces and base classes that ``-is`` knows beside the names an object has.
NUMBERS = frozenset(
    f"System.{name}"
    for name in (
        *("Byte", "SByte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64"),
        *("Single", "Double", "Decimal"),
    )
)
VALUE_TYPES = NUMBERS | {"System.Boolean", "System.Char", "System.DateTime", "System.TimeSpan", "System.Guid"}
_GENERICS = {"System.Collections.Generic.List": 1, "System.Collections.Generic.Dictionary": 2}


def resolve(name: TypeName, version: str) -> TypeReference:
    """The type of that name. Raises PowerShellError: it does not exist, or the lab does not have it."""
    full = _full_name(name, version)
    return TypeReference(full + "[]" * name.ranks)


def _full_name(name: TypeName, version: str) -> str:
    plain = name.name.partition(",")[0].strip()
    key = plain.lower()
    if key in ACCELERATORS and not version < _SINCE.get(key, "1"):
        return ACCELERATORS[key]
    found = _KNOWN.get(key.partition("`")[0]) or _KNOWN.get(f"system.{key}".partition("`")[0])
    if found is None and key.endswith("attribute"):
        found = _KNOWN.get(key.removesuffix("attribute"))
    if found in _GENERICS:
        if len(name.arguments) != _GENERICS[found]:
            raise type_not_found(str(name), version)
        arguments = ",".join(f"[{resolve(argument, version)}]" for argument in name.arguments)
        return f"{found}`{_GENERICS[found]}[{arguments}]"
    if found is not None:
        return found
    exists = (
        key.startswith(("system.", "microsoft."))
        or key in _OTHER_ACCELERATORS
        or key in _OTHER_SYSTEM_TYPES
        or key.startswith(
            ("io.", "net.", "text.", "collections.", "security.", "diagnostics.", "reflection.")
        )
        or key.startswith(
            ("management.", "threading.", "runtime.", "globalization.", "directoryservices.", "xml.")
        )
    )
    raise not_modelled(f"the .NET type [{name}]") if exists else type_not_found(str(name), version)


def type_not_found(name: str, version: str) -> PowerShellError:
    """Source: ParserStrings.resx; before 5.0 the text went on, as people have reported it."""
    text = f"Unable to find type [{name}]"
    text += "." if version >= "5" else ": make sure that the assembly containing this type is loaded."
    error = PowerShellError(
        text,
        category=ErrorCategory.InvalidOperation,
        error_id="TypeNotFound",
        exception=f"{_AUTOMATION}.RuntimeException",
        target=name,
        qualified=False,
    )
    error.target_type = "TypeName"
    return error
