# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab against what PowerShell itself answered, whose answers ``recorded_powershell.json`` has.

Left out are, of values, what the lab has no kind of (BigInteger, XML, tables, tasks, cultures), what differs between
.NET and the .NET Framework of Windows PowerShell (doubles from 10 to the 16th on, SemanticVersion, Half, members that
came with PowerShell 6), fractions of a second finer than Python's, and what psrpcore writes its own way: texts that
XML cannot hold (U+FFFE), an empty ToString, lists that appear twice. Of pipelines: those of parameters that the lab's
commands have none of (ValidateSet, a ConfirmImpact of High), and all streams of debugging and information.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import itertools
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lab.contract import CommandCall, Statement, TerminatingError
from lab.objects.values import NetObject, enumeration, to_wire
from lab.psrp.protocol import ProtocolPool
from psrpcore.types import (
    PSByte,
    PSByteArray,
    PSInt,
    PSInt16,
    PSInt64,
    PSRPMessageType,
    PSSByte,
    PSUInt,
    PSUInt16,
    PSUInt64,
    PSVersion,
)

from .direct import Shell, call, front_end

RECORDED = json.loads(Path(__file__).with_name("recorded_powershell.json").read_text(encoding="utf-8"))
#: When a zone's clocks change, which the lab's registry leaves out.
ABSENT = {"BA DaylightStart", "BA StandardStart"}
#: So many were made, on Linux and on Windows.
RECORDINGS = 127 + 43
LEVEL = enumeration(
    "Contoso.Truth.Level", ("SupportEncryption", "RequireEncryption", "DoNotSupportEncryption")
)
UTC = datetime.timezone.utc
SEVEN, EIGHT = (datetime.timezone(datetime.timedelta(hours=-hours)) for hours in (7, 8))
MOMENT = datetime.datetime(2024, 1, 2, 3, 4, 5)


def odd(name: str, text: str) -> NetObject:
    return NetObject((f"Contoso.Truth.{name}", "System.Object"), {"Name": "n"}, text=text)


def numbered(*values: Any, start: int = 0) -> dict[int, Any]:
    return dict(enumerate(values, start))


#: By id, the number of the recorded answer and the value that gave it.
VALUES: dict[str, dict[int, Any]] = {
    "integers": {
        **numbered(
            PSByte(0), PSByte(255), PSSByte(-128), PSSByte(127), PSInt16(-(2**15)), PSInt16(2**15 - 1)
        ),
        **numbered(PSUInt16(2**16 - 1), PSInt(-(2**31)), PSInt(2**31 - 1), PSUInt(2**32 - 1), start=6),
        **numbered(PSInt64(-(2**63)), PSInt64(2**63 - 1), PSUInt64(2**64 - 1), 0, start=10),
    },
    "booleans": numbered(True, False),
    "doubles": {
        **numbered(0.0, -0.0, 0.1, 1.0 / 3, 100.0),
        **numbered(1e300, -1e-300, 1.7976931348623157e308, -1.7976931348623157e308, start=7),
        **numbered(float("nan"), float("inf"), float("-inf"), start=12),
    },
    "decimals": numbered(*map(decimal.Decimal, ("0", "1.10", "1.0000", f"{2**96 - 1}", f"-{2**96 - 1}"))),
    "strings": {
        **numbered("", " ", "  both  ", "plain", "<&>\"'", "a\tb", "a\nb", "a\r\nb", "trailing\r\n", "\0"),
        **numbered("\x01\x1f", "\x7f\x80\x85\x9f", "\xa0", "\u2028\u2029", "\ufeffbom", start=10),
    },
    "strings_escapes": {
        **numbered("_x0041_", "_X0041_", "_x004_", "_x00410_", "__x0041__", "_x005F_x0041_", "_xZZZZ_"),
        **numbered("_x", "_", "a_b", "\n_x000A_", "_x00e9_", start=7),
    },
    "strings_surrogates": numbered("\U0001f600", "a\U0001f600b"),
    "datetimes": {
        0: MOMENT.replace(tzinfo=UTC),
        1: MOMENT.replace(tzinfo=EIGHT),
        2: MOMENT.replace(month=7, tzinfo=SEVEN),
        3: MOMENT,
        6: MOMENT.replace(microsecond=120_000, tzinfo=UTC),
        8: datetime.datetime.min,
        10: datetime.datetime.min.replace(tzinfo=UTC),
        14: datetime.datetime(1601, 1, 1, tzinfo=UTC),
    },
    "timespans": {
        **numbered(*(datetime.timedelta(seconds=length) for length in (0, 1, 5400, 86400, 400 * 86400))),
        5: datetime.timedelta(hours=-25),
        8: datetime.timedelta(seconds=1.5),
    },
    "guids": numbered(UUID(int=0), UUID("8a7b1c7e-0f0e-4c9c-9a55-0d6f7f0f0f01")),
    "versions": numbered(*map(PSVersion, ("1.2", "5.0.8308", "5.0.8308.0", "0.0"))),
    "bytes": numbered(PSByteArray(b""), PSByteArray(b"\0"), PSByteArray(range(256))),
    "enums": numbered(LEVEL.RequireEncryption),
    "nullables": numbered(5, None, LEVEL.RequireEncryption),
    "deep_lists": numbered([[[["five"]]]]),
    "object_tostring": {
        3: odd("ToStringOdd", "a\r\n_x0041_ \x01 <&>"),
        5: NetObject(("Contoso.Truth.OnlyText", "System.Object"), text="only text"),
    },
}


def sent(value: Any) -> str:
    """The CLIXML that goes over the wire."""
    fragments: list[bytes] = []
    pool = ProtocolPool(lambda parts, *_: fragments.extend(parts), "2.3", {}, 2**20)
    pool.prepare_message(to_wire(value), PSRPMessageType.PipelineOutput)
    return fragments[0][21 + 40 :].decode("utf-8-sig")


def canonical(clixml: str) -> str:
    """In one spelling, and what an object holds in one order, which means nothing."""
    read = ElementTree.fromstring(f"<Read>{clixml}</Read>")
    for element in read.iter("Obj"):
        element[:] = sorted(element, key=lambda held: held.tag)
    return ElementTree.tostring(read, encoding="unicode")


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        pytest.param(value, RECORDED["values"][name][number], id=f"{name}-{number}")
        for name, values in VALUES.items()
        for number, value in values.items()
    ],
)
def test_values(value: Any, recorded: str) -> None:
    assert canonical(sent(value)) == canonical(recorded)


# Pipelines

SET, GET = "Set-CsMediaConfiguration", "Get-CsMediaConfiguration"
A = (call(GET),)
UNKNOWN = (call("Get-CsNope", Identity="x"),)
REFUSED = (call(SET, NoSuchParameter=1),)
WRITES = (call(GET, Identity="site:Dublin"),)
STOPS = (call(GET, Identity="site:Dublin", ErrorAction="Stop"),)
POLICY = {
    "settings": {"ExternalAccessPolicy": [{"Identity": "Tag:Partners"}]},
    "users": [{"name": "kenmyer", "pool": "pool01.contoso.com", "external_access_policy": "Partners"}],
}
#: What fails with an error of the lab's own, so that only the kinds of messages are compared.
KINDS: dict[str, tuple[Statement, ...]] = {
    "error.action_stop": (STOPS,),
    "statements.first_terminates": (REFUSED, A),
    "statements.first_terminates_of_three": (REFUSED, A, A),
    "statements.last_terminates": (A, REFUSED),
    "statements.middle_terminates": (A, REFUSED, A),
    "statements.middle_writes": (A, WRITES, A),
    "statements.middle_stops": (A, STOPS, A),
}
#: What fails likewise.
MANAGEMENT: dict[str, tuple[Statement, ...]] = {
    "error.unknown_parameter": (REFUSED,),
    "error.bad_enum": ((call(SET, EncryptionLevel="Foo"),),),
    "error.bad_enum_empty": ((call(SET, EncryptionLevel=""),),),
    "error.enum_null": ((call(SET, EncryptionLevel=None),),),
    "error.int_null": ((call("Set-CsAVEdgeConfiguration", MaxBandwidthPerUserKb=None),),),
    "error.int_range": ((call("Set-CsAVEdgeConfiguration", MaxBandwidthPerUserKb=2**40),),),
    "error.bool_text": ((call(SET, EnableQoS="true"),),),
    "error.bool_null": ((call(SET, EnableQoS=None),),),
    "error.constructor_throws": ((call(GET, Identity="nothing:of:the:kind"),),),
    "error.positional": ((call(GET, "Global", "b"),),),
    "error.mandatory": ((call("New-CsPublicProvider", ProxyFqdn="x"),),),
    "error.unknown_command": (UNKNOWN,),
    "statements.first_unknown": (UNKNOWN, A),
    "statements.all_unknown": (UNKNOWN, UNKNOWN, UNKNOWN),
    "error.ambiguous_parameter": ((call(SET, Enable=True),),),
    "builtin.get_command_unknown": ((call("Get-Command", Name=[GET, "Get-CsNope"]),),),
    "confirm.continue_false": ((call("Remove-CsExternalAccessPolicy", Identity="Partners", Confirm=False),),),
}
KEY = r"HKLM:\SOFTWARE\Test2"
ZONE = r"HKLM:\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"


def value(name: str, data: Any, kind: str = "DWord", key: str = KEY, **more: Any) -> CommandCall:
    return call("New-ItemProperty", LiteralPath=key, Name=name, Value=data, PropertyType=kind, **more)


def key(path: str, name: str, **more: Any) -> CommandCall:
    return call("New-Item", Path=path, Name=name, **more)


COMPUTER: dict[str, tuple[Statement, ...]] = {
    "error.mandatory_empty_list": ((call("Remove-ItemProperty", LiteralPath=KEY, Name=[]),),),
    "native.stderr0": ((call("tzutil", "/s", "Nowhere Standard Time"),),),
    "native.statements": (
        (call("Write-Output", "A"),),
        (call("tzutil", "/s", "Nowhere Standard Time"),),
        (call("Write-Output", "B"),),
    ),
    "builtin.measure_nothing": ((call("Measure-Object"),),),
    "windows.w001": ((call("Stop-Service", Name="W32Time"),),),
    "windows.w002": ((call("Start-Service", Name="W32Time"),),),
    "windows.w009": ((call("Get-Date"),),),
    "windows.w014": ((call("Get-Service", Name="W32Time"),),),
    "windows.w015": ((call("nosuchprogram", "/x"),), (call("Get-Date"),)),
    "windows.w020": ((call("Get-ItemProperty", LiteralPath=[ZONE]),), (call("tzutil", "/g"),)),
    "windows.w021": (
        (call("tzutil", "/s", "Central Standard Time"),),
        (call("Get-ItemProperty", LiteralPath=[ZONE]),),
        (call("tzutil", "/g"),),
    ),
    "windows.w036": (
        (key(KEY, "RestartOwed", Force=None),),
        (value("Since", "2026-11-28T03:05:20Z", "String", rf"{KEY}\RestartOwed", Force=None),),
        (value("Reason", 'Zürich & <x> "q" _x0041_', "String", rf"{KEY}\RestartOwed", Force=None),),
    ),
    "windows.w038": ((call("Get-ItemProperty", LiteralPath=[rf"{KEY}\NoSuchKey", rf"{KEY}\Kinds"]),),),
    "windows.w042": ((call("Restart-Service", Name="W32Time", Force=None),),),
    "windows.w003": ((call("Remove-ItemProperty", LiteralPath=KEY, Name="X"),),),
    "windows.w004": ((call("Set-ItemProperty", LiteralPath=KEY, Name="Y", Value=3),),),
    "windows.w005": ((call("Remove-Item", LiteralPath=KEY, Recurse=None, Force=None),),),
    "windows.w017": ((value("Y", -1, Force=None),),),
    "windows.w018": ((key(KEY, "RestartOwed", Force=None),),),
    "windows.w023": ((key(r"HKLM:\SOFTWARE\Test4", "RestartOwed"),),),
    "windows.w024": ((call("Start-Service", Name="NoSuch"),),),
    "windows.w025": ((call("Get-Service", Name="NoSuch"),),),
    "windows.w026": ((call("Stop-Service", Name="NoSuch", Force=None),),),
    "windows.w027": ((key(r"HKLM:\SOFTWARE", "Test2"),),),
    "windows.w028": ((call("Remove-ItemProperty", LiteralPath=KEY, Name="NoSuch"),),),
    "windows.w029": ((call("Set-Service", Name="NoSuch", StartupType="Automatic"),),),
    "windows.w030": ((call("Remove-Item", LiteralPath=r"HKLM:\SOFTWARE\No", Recurse=None, Force=None),),),
    "windows.w031": ((value("Z", 1),), (value("Z", 2),)),
    "windows.w032": ((value("X", 1, key=r"HKLM:\SOFTWARE\NoSuchKey", Force=None),),),
    "windows.w033": ((value("Z", 1, "Nonsense", Force=None),),),
    "windows.w035": ((call("Restart-Service", Name="RTCATS", Force=None),),),
    "windows.w037": ((value("X", "abc", Force=None),),),
    "windows.w041": ((call("Start-Service", Name="RTCCPS"),),),
    "windows.w043": (
        (call("Stop-Service", Name="W32Time", Force=None),),
        (call("Start-Service", Name="W32Time"),),
        (call("Get-Service", Name="W32Time"),),
    ),
}


def answered(shell: Shell, statements: tuple[Statement, ...]) -> list[dict[str, Any]]:
    try:
        shell.run_statements(*statements, answer=None)
        shell.streams.finish()
    except TerminatingError as error:
        shell.streams.finish(error.record)
    over = next(number for number, (kind, _) in enumerate(shell.streams.told) if kind == "PIPELINE_STATE")
    return [_facts(kind, record) for kind, record in shell.streams.told[: over + 1]]


def _facts(kind: str, record: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"type": kind}
    if kind == "PIPELINE_STATE":
        facts["state"] = 4 if record is None else 5
    if kind == "PIPELINE_OUTPUT":
        facts["members"] = _members(sent(record))
    elif record is not None:
        category = record.CategoryInfo
        facts["error"] = {
            "id": record.FullyQualifiedErrorId.partition(",")[0],
            "category": category.Category.value,
            "activity": category.Activity != "",
            "reason": category.Reason,
            "target_type": category.TargetType or "",
            "invocation": record.InvocationInfo is not None,
        }
    return facts


def _members(clixml: str) -> list[str]:
    """The type of an object, and of its members kinds and names; a reference is of the kind of what it refers to."""
    read = ElementTree.fromstring(clixml)
    types = [name.text or "" for name in read.findall("./TN/T")]
    held = [member for group in read if group.tag in ("Props", "MS") for member in group]
    return types[:1] + sorted(f"{m.tag.replace('Ref', 'Obj')} {m.get('N')}" for m in held)


def recorded(name: str) -> list[dict[str, Any]]:
    """Commands have other names here."""
    messages = copy.deepcopy(RECORDED["pipelines"][name])
    for error in (message["error"] for message in messages if "error" in message):
        error["activity"] = error["activity"] != ""
    return messages


def compare(found: list[dict[str, Any]], name: str) -> None:
    """Of most outputs only that there is one is recorded."""
    expected = recorded(name)
    for message, counterpart in zip(found, expected, strict=False):
        if "members" not in counterpart:
            message.pop("members", None)
        else:
            counterpart["members"] = [member for member in counterpart["members"] if member not in ABSENT]
    assert found == expected


@pytest.mark.parametrize("name", KINDS)
def test_the_messages_of_statements(name: str) -> None:
    kinds = [(message["type"], message.get("state")) for message in recorded(name)]
    found = answered(Shell(), KINDS[name])
    assert [(message["type"], message.get("state")) for message in found] == kinds


@pytest.mark.parametrize("name", MANAGEMENT)
def test_refusals(name: str) -> None:
    compare(answered(Shell(**POLICY), MANAGEMENT[name]), name)


@pytest.mark.parametrize("name", COMPUTER)
def test_registry_services_and_programs(name: str) -> None:
    shell = front_end(services={"disabled": ["RTCATS"], "stopped": ["RTCCPS"], "fail": ["RTCCPS"]})
    shell.run(call("New-Item", Path=KEY, Force=None))
    for held in ("X", "Y"):
        shell.run(value(held, 1, Force=None))
    kinds = {
        "B": (PSByteArray(b"\1\2"), "Binary"),
        "D": (-1, "DWord"),
        "EmptyMulti": ([], "MultiString"),
        "Q": (-1, "QWord"),
    }
    shell.run(key(KEY, "Kinds"))
    for held, (data, kind) in {**kinds, "TimeZoneKeyName": ("Pacific Standard Time\0x", "String")}.items():
        shell.run(value(held, data, kind, rf"{KEY}\Kinds", Force=None))
    compare(answered(shell, COMPUTER[name]), name)


def test_every_recording_is_compared_or_has_its_reason() -> None:
    compared = [*KINDS, *MANAGEMENT, *COMPUTER, *(f"value.{name}" for name in VALUES)]
    assert {*compared} == {*RECORDED["pipelines"], *(f"value.{name}" for name in RECORDED["values"])}
    answered_or_not = [*compared, *itertools.chain(*RECORDED["unanswered"].values())]
    assert len({*answered_or_not}) == len(answered_or_not) == RECORDINGS
