# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static members and constructors of the .NET types that administrators' scripts use (.NET's reference)."""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import math
import random
import re
import sys
import threading
import uuid
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from psrpcore.types import PSInt64, PSVersion

from lab.contract import PipelineStopped
from lab.objects.values import NetObject
from lab.powershell.errors import PowerShellError
from lab.powershell.language import files, instance_members, object_members, time_members
from lab.powershell.language.conversions import INTEGERS, cast, is_number, to_number
from lab.powershell.language.literals import number
from lab.powershell.language.members import Context, NetError, constructor, static, static_prop
from lab.powershell.language.object_members import regex_match
from lab.powershell.language.text import format_string, regex, substitution, to_text
from lab.powershell.language.types import VALUE_TYPES
from lab.powershell.language.values import (
    NOTHING,
    Char,
    Hashtable,
    Instance,
    Reference,
    TypedList,
    TypeReference,
    byte_array,
    items_of,
    strings,
)

#: They register members, too.
MODULES = (files, instance_members, object_members, time_members)

_MATH = "System.Math"
static_prop(_MATH, "PI")(lambda context: math.pi)
static_prop(_MATH, "E")(lambda context: math.e)
static(_MATH, "Abs", "number")(abs)
static(_MATH, "Max", "any any")(lambda one, other: max(to_number(one), to_number(other)))
static(_MATH, "Min", "any any")(lambda one, other: min(to_number(one), to_number(other)))
static(_MATH, "Sign", "any")(lambda value: (to_number(value) > 0) - (to_number(value) < 0))


def _integral(rounding: Any) -> Any:
    def run(value: Any) -> Any:
        value = to_number(value)
        if isinstance(value, Decimal):
            return Decimal(rounding(value))
        return float(rounding(value)) if math.isfinite(value) else value

    return run


for _name, _rounding in (("Floor", math.floor), ("Ceiling", math.ceil), ("Truncate", math.trunc)):
    static(_MATH, _name, "any")(_integral(_rounding))


def _round(value: Any, places: int = 0, mode: Any = None) -> Any:
    found = to_number(value)
    if not 0 <= places <= 15:
        raise NetError(
            "System.ArgumentOutOfRangeException",
            "Rounding digits must be between 0 and 15, inclusive.\r\nParameter name: digits",
        )
    if isinstance(found, float) and not math.isfinite(found):
        return found
    exact = Decimal(repr(float(found))) if isinstance(found, float) else Decimal(found)
    rounding = ROUND_HALF_UP if "away" in to_text(mode).lower() else ROUND_HALF_EVEN
    rounded = exact.quantize(Decimal(1).scaleb(-places), rounding) if abs(exact) < 10**15 else exact
    return rounded if isinstance(found, Decimal) else float(rounded)


static(_MATH, "Round", "any")(_round)
static(_MATH, "Round", "any int")(_round)
static(_MATH, "Round", "any int any")(_round)


def _real(run: Any, outside: float = math.nan) -> Any:
    def calculate(*values: float) -> float:
        try:
            return float(run(*values))
        except ValueError:
            return outside
        except OverflowError:
            return math.inf

    return calculate


for _name, _run, _types in (
    *(("Sqrt", math.sqrt, "double"), ("Pow", math.pow, "double double"), ("Exp", math.exp, "double")),
    *(("Log10", math.log10, "double"), ("Sin", math.sin, "double"), ("Cos", math.cos, "double")),
    *(("Tan", math.tan, "double"), ("Atan", math.atan, "double"), ("Log", math.log, "double double")),
):
    static(_MATH, _name, _types)(_real(_run))
static(_MATH, "Log", "double")(_real(math.log, -math.inf))

# Numbers

for _kind, (_make, _low, _high) in INTEGERS.items():
    static_prop(_kind, "MaxValue")(lambda context, _make=_make, _high=_high: _make(_high))
    static_prop(_kind, "MinValue")(lambda context, _make=_make, _low=_low: _make(_low))
static_prop("System.Double", "MaxValue")(lambda context: sys.float_info.max)
static_prop("System.Double", "MinValue")(lambda context: -sys.float_info.max)
static_prop("System.Double", "NaN")(lambda context: math.nan)
static_prop("System.Double", "PositiveInfinity")(lambda context: math.inf)
static_prop("System.Double", "NegativeInfinity")(lambda context: -math.inf)
static("System.Double", "IsNaN", "double")(math.isnan)
static_prop("System.Decimal", "MaxValue")(lambda context: Decimal(2**96 - 1))

_WHOLE = re.compile(r"\s*[+-]?\d+\s*")


def _parse(kind: str) -> Any:
    def run(text: str) -> Any:
        if text is None:
            raise NetError("System.ArgumentNullException", "Value cannot be null.\r\nParameter name: String")
        if kind in INTEGERS and not _WHOLE.fullmatch(text):
            raise NetError("System.FormatException", "Input string was not in a correct format.")
        try:
            return cast(text, TypeReference(kind))
        except PowerShellError as error:
            if "too large or too small" in error.message:
                short = kind.rpartition(".")[2]
                raise NetError(
                    "System.OverflowException", f"Value was either too large or too small for an {short}."
                ) from None
            raise NetError("System.FormatException", "Input string was not in a correct format.") from None

    return run


def _try_parse(kind: str) -> Any:
    parse = _parse(kind)

    def run(text: str, target: Reference) -> bool:
        try:
            target.value = parse(text or "")
        except NetError:
            target.value = (
                cast(0, TypeReference(kind)) if kind in INTEGERS or kind == "System.Double" else None
            )
            return False
        return True

    return run


for _kind in (*INTEGERS, "System.Double", "System.Decimal"):
    static(_kind, "Parse", "str")(_parse(_kind))
    static(_kind, "TryParse", "str any")(_try_parse(_kind))

_BOOLEAN = "System.Boolean"
static_prop(_BOOLEAN, "TrueString")(lambda context: "True")
static_prop(_BOOLEAN, "FalseString")(lambda context: "False")


@static(_BOOLEAN, "Parse", "str")
def _parse_boolean(text: str) -> bool:
    if (text or "").strip().lower() not in ("true", "false"):
        raise NetError("System.FormatException", "String was not recognized as a valid Boolean.")
    return text.strip().lower() == "true"


_CHAR = "System.Char"
for _name, _test in (
    *(("IsDigit", str.isdigit), ("IsLetter", str.isalpha), ("IsLetterOrDigit", str.isalnum)),
    *(("IsWhiteSpace", str.isspace), ("IsUpper", str.isupper), ("IsLower", str.islower)),
):
    static(_CHAR, _name, "char")(_test)
static(_CHAR, "ToUpper", "char")(lambda value: Char(str(value).upper()))
static(_CHAR, "ToLower", "char")(lambda value: Char(str(value).lower()))

# Strings

_STRING = "System.String"
static_prop(_STRING, "Empty")(lambda context: "")
static(_STRING, "IsNullOrEmpty", "any")(lambda text: to_text(text) == "")
static(_STRING, "IsNullOrWhiteSpace", "any")(lambda text: to_text(text).strip() == "")
static(_STRING, "Compare", "str str")(
    lambda one, other: instance_members.text_order(one or "", other or "", True)
)
static(_STRING, "Compare", "str str bool")(
    lambda one, other, ignore: instance_members.text_order(one or "", other or "", not ignore)
)
static(_STRING, "Equals", "any any")(lambda one, other: one == other)


def _flat(items: tuple[Any, ...]) -> list[Any]:
    return items_of(items[0]) if len(items) == 1 and isinstance(items[0], list) else list(items)


static(_STRING, "Join", "*")(
    lambda separator, *items: to_text(separator).join(to_text(item) for item in _flat(items))
)
static(_STRING, "Concat", "*")(lambda *items: "".join(to_text(item) for item in _flat(items)))


@static(_STRING, "Format", "*")
def _format(pattern: Any, *items: Any) -> str:
    try:
        return format_string(to_text(pattern), _flat(items))
    except PowerShellError as error:
        raise NetError("System.FormatException", error.inner[1] if error.inner else error.message) from None


constructor(_STRING, "char int")(lambda character, count: str(character) * count)
constructor(_STRING, "chars")(lambda characters: "".join(characters))
constructor("System.Text.StringBuilder", "")(lambda: _builder(""))
constructor("System.Text.StringBuilder", "any")(lambda text: _builder(text if isinstance(text, str) else ""))


def _builder(text: str) -> Instance:
    return Instance(("System.Text.StringBuilder", "System.Object"), [text])


# [Convert], [BitConverter], encodings

_CONVERT = "System.Convert"


@static(_CONVERT, "FromBase64String", "str")
def _from_base64(text: str) -> Any:
    stripped = re.sub(r"\s", "", text or "")
    try:
        return byte_array(base64.b64decode(stripped, validate=True))
    except (binascii.Error, ValueError):
        reason = (
            "Invalid length for a Base-64 char array or string."
            if re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", stripped)
            else "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two "
            "padding characters, or an illegal character among the padding characters. "
        )
        raise NetError("System.FormatException", reason) from None


static(_CONVERT, "ToBase64String", "bytes")(lambda data: base64.b64encode(bytes(data)).decode())
static(_CONVERT, "ToString", "any")(to_text)


@static(_CONVERT, "ToString", "any int")
def _to_base(value: Any, base: int) -> str:
    whole = int(to_number(value))
    bits = 64 if isinstance(value, PSInt64) else 32
    digits = {2: "b", 8: "o", 16: "x"}
    if base == 10:
        return str(whole)
    if base not in digits:
        raise NetError("System.ArgumentException", "Invalid Base.")
    return format(whole % 2**bits if whole < 0 else whole, digits[base])


def _from_base(kind: str) -> Any:
    def run(text: str, base: int) -> Any:
        if base not in (2, 8, 10, 16):
            raise NetError("System.ArgumentException", "Invalid Base.")
        try:
            whole = int(text, base)
        except (ValueError, TypeError):
            raise NetError("System.FormatException", "Could not find any recognizable digits.") from None
        bits = 64 if kind.endswith("64") else 32
        return cast(
            whole - 2**bits if whole >= 2 ** (bits - 1) and "UInt" not in kind else whole, TypeReference(kind)
        )

    return run


def _converted(kind: str) -> Any:
    def run(value: Any) -> Any:
        if isinstance(value, str) and not isinstance(value, Char) and kind in INTEGERS:
            return _parse(kind)(value)
        try:
            return cast(value, TypeReference(kind))
        except PowerShellError as error:
            overflows = "too large or too small" in error.message
            raise NetError(
                "System.OverflowException" if overflows else "System.FormatException",
                error.message.partition('Error: "')[2].rstrip('"') or error.message,
            ) from None

    return run


for _kind in (
    *INTEGERS,
    "System.Double",
    "System.Decimal",
    "System.Boolean",
    "System.DateTime",
    "System.Char",
):
    static(_CONVERT, f"To{_kind.rpartition('.')[2]}", "any")(_converted(_kind))
for _kind in (
    "System.Int32",
    "System.Int64",
    "System.UInt32",
    "System.UInt64",
    "System.Byte",
    "System.Int16",
):
    static(_CONVERT, f"To{_kind.rpartition('.')[2]}", "str int")(_from_base(_kind))

_BITS = "System.BitConverter"
static(_BITS, "ToString", "bytes")(lambda data: "-".join(f"{byte:02X}" for byte in data))
static(_BITS, "GetBytes", "any")(
    lambda value: byte_array(
        int(value).to_bytes(8 if isinstance(value, PSInt64) else 4, "little", signed=int(value) < 0)
    )
)
static(_BITS, "ToInt32", "bytes int")(
    lambda data, at: int.from_bytes(bytes(data[at : at + 4]), "little", signed=True)
)
static_prop(_BITS, "IsLittleEndian")(lambda context: True)

_ENCODING = "System.Text.Encoding"
_ENCODINGS = {
    "UTF8": ("utf-8", "System.Text.UTF8Encoding"),
    "ASCII": ("ascii", "System.Text.ASCIIEncoding"),
    "Unicode": ("utf-16-le", "System.Text.UnicodeEncoding"),
    "BigEndianUnicode": ("utf-16-be", "System.Text.UnicodeEncoding"),
    "UTF32": ("utf-32-le", "System.Text.UTF32Encoding"),
    "UTF7": ("utf-7", "System.Text.UTF7Encoding"),
    "Default": ("cp1252", "System.Text.SBCSCodePageEncoding"),
}


def encoding(name: str) -> Instance:
    codec, type_name = _ENCODINGS[name]
    return Instance((type_name, _ENCODING, "System.Object"), codec)


for _name in _ENCODINGS:
    static_prop(_ENCODING, _name)(lambda context, _name=_name: encoding(_name))
constructor("System.Text.UTF8Encoding", "")(lambda: encoding("UTF8"))
constructor("System.Text.UTF8Encoding", "bool")(lambda mark: encoding("UTF8"))
constructor("System.Text.ASCIIEncoding", "")(lambda: encoding("ASCII"))
constructor("System.Text.UnicodeEncoding", "")(lambda: encoding("Unicode"))


@static(_ENCODING, "GetEncoding", "any")
def _get_encoding(name: Any) -> Instance:
    pages = {
        "65001": "utf-8",
        "1252": "cp1252",
        "437": "cp437",
        "850": "cp850",
        "20127": "ascii",
        "1200": "utf-16-le",
    }
    text = to_text(name)
    try:
        codec = codecs.lookup(pages.get(text, text)).name
    except LookupError:
        raise NetError(
            "System.ArgumentException",
            f"'{text}' is not a supported encoding name. For information on defining a custom encoding, see the "
            "documentation for the Encoding.RegisterProvider method.\r\nParameter name: name",
        ) from None
    return Instance((_ENCODING, "System.Object"), codec)


# Hashes

_HASH = "System.Security.Cryptography.HashAlgorithm"


def _hash(algorithm: str, type_name: str) -> Instance:
    return Instance(
        (type_name, _HASH, "System.Object"),
        hashlib.new(algorithm, usedforsecurity=False),
        {"Algorithm": algorithm},
    )


for _short, _algorithm in (
    *(("MD5", "md5"), ("SHA1", "sha1"), ("SHA256", "sha256"), ("SHA512", "sha512")),
    *(("SHA1CryptoServiceProvider", "sha1"), ("SHA1Managed", "sha1"), ("SHA256Managed", "sha256")),
):
    _full = f"System.Security.Cryptography.{_short}"
    static(_full, "Create")(lambda _full=_full, _algorithm=_algorithm: _hash(_algorithm, _full))
    constructor(_full, "")(lambda _full=_full, _algorithm=_algorithm: _hash(_algorithm, _full))

# Identifiers, versions, random numbers

_GUID = "System.Guid"
static(_GUID, "NewGuid")(uuid.uuid4)
static_prop(_GUID, "Empty")(lambda context: uuid.UUID(int=0))
static(_GUID, "Parse", "str")(lambda text: _guid(text))
constructor(_GUID, "str")(lambda text: _guid(text))
constructor(_GUID, "")(lambda: uuid.UUID(int=0))


def _guid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError):
        raise NetError(
            "System.FormatException",
            "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).",
        ) from None


@static(_GUID, "TryParse", "str any")
def _try_guid(text: str, target: Reference) -> bool:
    try:
        target.value = _guid(text)
    except NetError:
        target.value = uuid.UUID(int=0)
        return False
    return True


_VERSION = "System.Version"
for _count in (2, 3, 4):
    constructor(_VERSION, " ".join(["int"] * _count))(lambda *parts: PSVersion(".".join(map(str, parts))))
constructor(_VERSION, "str")(lambda text: cast(text, TypeReference(_VERSION)))
static(_VERSION, "Parse", "str")(lambda text: cast(text, TypeReference(_VERSION)))

_RANDOM = "System.Random"
constructor(_RANDOM, "")(lambda: Instance((_RANDOM, "System.Object"), random.Random()))
constructor(_RANDOM, "int")(lambda seed: Instance((_RANDOM, "System.Object"), random.Random(seed)))
instance_members.method(_RANDOM, "Next", "int int")(lambda value, low, high: value.state.randrange(low, high))
instance_members.method(_RANDOM, "Next", "int")(lambda value, high: value.state.randrange(high))
instance_members.method(_RANDOM, "NextDouble")(lambda value: value.state.random())

# Regular expressions

_REGEX = "System.Text.RegularExpressions.Regex"


def _flags(options: Any) -> int:
    value = int(getattr(options, "value", to_number(options) if is_number(options) else 0))
    if not value and isinstance(options, str):
        value = int(cast(options, TypeReference("System.Text.RegularExpressions.RegexOptions")).value)
    pairs = ((1, re.IGNORECASE), (2, re.MULTILINE), (16, re.DOTALL), (32, re.VERBOSE))
    return sum(int(flag) for bit, flag in pairs if value & bit)


def _pattern(pattern: str, options: Any = None) -> re.Pattern[str]:
    try:
        return regex(to_text(pattern), _flags(options) if options is not None else 0)
    except PowerShellError as error:
        if error.error_id == "NotModelled":
            raise
        raise NetError("System.ArgumentException", error.message) from None


for _extra in ("", " any"):
    static(_REGEX, "IsMatch", f"str str{_extra}")(
        lambda text, p, o=None: _pattern(p, o).search(text or "") is not None
    )
    static(_REGEX, "Match", f"str str{_extra}")(
        lambda text, p, o=None: regex_match(_pattern(p, o).search(text or ""))
    )
    static(_REGEX, "Matches", f"str str{_extra}")(
        lambda text, p, o=None: [regex_match(found) for found in _pattern(p, o).finditer(text or "")]
    )
    static(_REGEX, "Split", f"str str{_extra}")(
        lambda text, p, o=None: strings(
            piece for piece in _pattern(p, o).split(text or "") if piece is not None
        )
    )
    constructor(_REGEX, f"str{_extra}")(lambda p, o=None: Instance((_REGEX, "System.Object"), _pattern(p, o)))
static(_REGEX, "Escape", "str")(lambda text: re.sub(r"([\\*+?|{\[()^$.# ])", r"\\\1", text))
static(_REGEX, "Unescape", "str")(lambda text: re.sub(r"\\(.)", r"\1", text))


@static(_REGEX, "Replace", "str str str", context=True)
def _regex_replace(context: Context, text: str, pattern: str, template: str) -> str:
    return _pattern(pattern).sub(lambda found: substitution(template, found), text or "")


# Collections

for _name in ("ArrayList", "Queue", "Stack"):
    _full = f"System.Collections.{_name}"
    constructor(_full, "")(lambda _full=_full: TypedList([], _full))
    constructor(_full, "any")(
        lambda items, _full=_full: TypedList([] if is_number(items) else items_of(items), _full)
    )
_LIST = "System.Collections.Generic.List`1"
constructor(_LIST, "")(lambda: TypedList([], _LIST))
constructor(_LIST, "any")(lambda items: TypedList([] if is_number(items) else items_of(items), _LIST))
constructor("System.Collections.Hashtable", "")(Hashtable)
constructor("System.Collections.Generic.Dictionary`2", "")(Hashtable)
constructor("System.Collections.Specialized.OrderedDictionary", "")(lambda: Hashtable(ordered=True))
static("System.Array", "Reverse", "any")(lambda array: (array.reverse(), NOTHING)[1])
static("System.Array", "IndexOf", "any any")(lambda array, item: instance_members._position(array, item))
static("System.Array", "Sort", "any")(
    lambda array: (
        array.sort(
            key=instance_members.functools.cmp_to_key(lambda a, b: instance_members.order_of(a, b, True))
        ),
        NOTHING,
    )[1]
)
constructor("System.Object", "")(lambda: NetObject(("System.Object",), text="System.Object"))
constructor("System.Management.Automation.PSObject", "")(
    lambda: NetObject(("System.Management.Automation.PSCustomObject", "System.Object"))
)

# Enumerations


@static("System.Enum", "GetNames", "any")
def _names(kind: Any) -> Any:
    from lab.powershell.language.enums import ENUMERATIONS

    found = ENUMERATIONS.get(to_text(kind))
    if found is None:
        raise NetError(
            "System.ArgumentException", "Type provided must be an Enum.\r\nParameter name: enumType"
        )
    return strings(member.name for member in found)


@static("System.Enum", "GetValues", "any")
def _members(kind: Any) -> list[Any]:
    from lab.powershell.language.enums import ENUMERATIONS

    return list(ENUMERATIONS.get(to_text(kind), ()))


# The computer and who is on it

_ENVIRONMENT = "System.Environment"
static_prop(_ENVIRONMENT, "MachineName")(lambda context: context.session.computer_name())
static_prop(_ENVIRONMENT, "UserName")(
    lambda context: to_text(context.interpreter.environment.get("USERNAME"))
)
static_prop(_ENVIRONMENT, "UserDomainName")(
    lambda context: to_text(context.interpreter.environment.get("USERDOMAIN"))
)
static_prop(_ENVIRONMENT, "NewLine")(lambda context: "\r\n")
static_prop(_ENVIRONMENT, "Is64BitOperatingSystem")(lambda context: True)
static_prop(_ENVIRONMENT, "Is64BitProcess")(lambda context: True)
static_prop(_ENVIRONMENT, "ProcessorCount")(lambda context: 4)
static_prop(_ENVIRONMENT, "SystemDirectory")(lambda context: r"C:\Windows\system32")
static_prop(_ENVIRONMENT, "CurrentDirectory")(lambda context: r"C:\Windows\system32")
static_prop(_ENVIRONMENT, "UserInteractive")(lambda context: False)
static_prop(_ENVIRONMENT, "Version")(
    lambda context: PSVersion(str(context.interpreter.root.get("PSVersionTable").get("CLRVersion")))
)


@static_prop(_ENVIRONMENT, "OSVersion")
def _os_version(context: Context) -> NetObject:
    version = str(context.interpreter.root.get("PSVersionTable").get("BuildVersion"))
    major, minor, build, _ = version.split(".")
    shown = f"{major}.{minor}.{build}"
    pack = " Service Pack 1" if shown == "6.1.7601" else ""
    return NetObject(
        ("System.OperatingSystem", "System.Object"),
        {
            "Platform": "Win32NT",
            "ServicePack": pack.strip(),
            "Version": PSVersion(f"{shown}.{65536 if pack else 0}"),
            "VersionString": f"Microsoft Windows NT {shown}{pack or '.0'}",
        },
        text=f"Microsoft Windows NT {shown}{pack or '.0'}",
    )


@static(_ENVIRONMENT, "GetEnvironmentVariable", "str", context=True)
def _get_variable(context: Context, name: str) -> str | None:
    found = context.interpreter.environment.get(name)
    return None if found is None else to_text(found)


static(_ENVIRONMENT, "GetEnvironmentVariable", "str any", context=True)(
    lambda context, name, target: _get_variable(context, name)
)
static(_ENVIRONMENT, "SetEnvironmentVariable", "str str", context=True)(
    lambda context, name, value: (context.interpreter.set_environment(name, value), NOTHING)[1]
)


@static(_ENVIRONMENT, "ExpandEnvironmentVariables", "str", context=True)
def _expand(context: Context, text: str) -> str:
    def expand(found: re.Match[str]) -> str:
        value = context.interpreter.environment.get(found[1])
        return found.group() if value is None else to_text(value)

    return re.sub(r"%([^%]+)%", expand, text or "")


@static(_ENVIRONMENT, "GetFolderPath", "any", context=True)
def _folder(context: Context, name: Any) -> str:
    home = to_text(context.interpreter.environment.get("USERPROFILE"))
    folders = {
        "desktop": rf"{home}\Desktop",
        "mydocuments": rf"{home}\Documents",
        "personal": rf"{home}\Documents",
        "userprofile": home,
        "applicationdata": rf"{home}\AppData\Roaming",
        "localapplicationdata": rf"{home}\AppData\Local",
        "commonapplicationdata": r"C:\ProgramData",
        "programfiles": r"C:\Program Files",
        "programfilesx86": r"C:\Program Files (x86)",
        "system": r"C:\Windows\system32",
        "windows": r"C:\Windows",
    }
    return folders.get(to_text(name).lower(), "")


static("System.Net.Dns", "GetHostName", context=True)(lambda context: context.session.computer_name())


@static("System.Security.Principal.WindowsIdentity", "GetCurrent", context=True)
def _identity(context: Context) -> NetObject:
    account = context.session.caller.account
    return NetObject(
        (
            "System.Security.Principal.WindowsIdentity",
            "System.Security.Claims.ClaimsIdentity",
            "System.Object",
        ),
        {"Name": account, "IsAuthenticated": True, "IsSystem": False, "IsGuest": False, "IsAnonymous": False},
    )


constructor("System.Security.Principal.WindowsPrincipal", "any")(
    lambda identity: Instance(
        ("System.Security.Principal.WindowsPrincipal", "System.Object"), identity, {"Identity": identity}
    )
)


@static("System.Threading.Thread", "Sleep", "any", context=True)
def _sleep(context: Context, span: Any) -> Any:
    seconds = span.total_seconds() if hasattr(span, "total_seconds") else float(to_number(span)) / 1000
    stopped: threading.Event = context.frame.streams.stopped
    if stopped.wait(seconds):
        raise PipelineStopped
    return NOTHING


_CULTURE = "System.Globalization.CultureInfo"
for _name, _shown in (("InvariantCulture", ""), ("CurrentCulture", "en-US"), ("CurrentUICulture", "en-US")):
    static_prop(_CULTURE, _name)(
        lambda context, _shown=_shown: NetObject((_CULTURE, "System.Object"), {"Name": _shown}, text=_shown)
    )

static("System.Management.Automation.ScriptBlock", "Create", "str", context=True)(
    lambda context, text: context.interpreter.parse_block(text)
)

__all__ = ["MODULES", "VALUE_TYPES", "encoding", "number"]
