# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own engine against PowerShell, with the same deployment behind both: the same pipelines, the same messages.

Not compared are error texts (PowerShell 7 words some otherwise than Windows PowerShell), moments, versions of .NET, the
parameters that invocation details repeat, what Get-Command has of later versions and where modules are, and the lists
of services that a service has, which Windows' own class makes.
"""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pypsrp.messages
import pytest
from lab.deployment import build_deployment
from lab.runtime import Lab
from pypsrp.exceptions import WinRMError
from pypsrp.powershell import PowerShell, RunspacePool

from .small import RunningLab
from .test_engine import FRONT_END, POOL, EngineLab, deployment

Pipeline = tuple[tuple[Any, ...], ...]
KINDS = {value: name for name, value in vars(pypsrp.messages.MessageType).items() if isinstance(value, int)}
POLICY, MEDIA, EDGE = "CsExternalAccessPolicy", "CsMediaConfiguration", "CsAVEdgeConfiguration"
KEY = r"HKLM:\SOFTWARE\Agree"
SETUP = {
    "services": {"disabled": ["RTCATS"], "stopped": ["RTCCPS"], "fail": ["RTCCPS"]},
    "settings": {"ExternalAccessPolicy": [{"Identity": "Tag:Partners"}]},
}


def _set_media(**parameters: Any) -> Pipeline:
    return ((f"Set-{MEDIA}", parameters),)


def _set_edge(**parameters: Any) -> Pipeline:
    return ((f"Set-{EDGE}", parameters),)


MANAGEMENT: dict[str, Pipeline] = {
    "several nouns": ((f"Get-{MEDIA}",), (f"Get-{POLICY}",), ("Get-CsSite",), ("Get-CsPool",)),
    "topology": (("Get-CsComputer",), ("Get-CsService",)),
    "empty identity": ((f"Get-{MEDIA}", {"Identity": ""}),),
    "refused identity": ((f"Get-{MEDIA}", {"Identity": "nothing:of:the:kind"}),),
    "null identity": ((f"Get-{MEDIA}", {"Identity": None}),),
    "null enumeration": _set_media(EncryptionLevel=None),
    "unknown enumeration": _set_media(EncryptionLevel="Foo"),
    "null boolean": _set_media(EnableQoS=None),
    "text for a boolean": _set_media(EnableQoS="yes"),
    "null number": _set_edge(MaxBandwidthPerUserKb=None),
    "negative number": _set_edge(MaxBandwidthPerUserKb=-1),
    "text for a number": _set_edge(MaxBandwidthPerUserKb="abc"),
    "null time span": _set_edge(MaxTokenLifetime=None),
    "text for a time span": _set_edge(MaxTokenLifetime="x"),
    "unknown command": (("Get-CsNope", {"Identity": 1}),),
    "unknown command first": (("Get-CsNope",), (f"Get-{MEDIA}",)),
    "unknown command later": ((f"Get-{MEDIA}",), ("Get-CsNope",), (f"Get-{MEDIA}",)),
    "unknown parameter": _set_media(Nonsense=1),
    "ambiguous parameter": _set_media(Enable=True),
    "too many arguments": ((f"Get-{MEDIA}", "Global", "b"),),
    "missing parameter": (("New-CsPublicProvider", {"ProxyFqdn": "x"}),),
    "confirmation without a host": _set_media(EnableQoS=True, Confirm=True),
    "what if": _set_media(EnableQoS=True, WhatIf=True),
    "set and get": (*_set_media(EnableQoS=True), (f"Get-{MEDIA}",)),
    "not found": ((f"Get-{MEDIA}", {"Identity": "site:Dublin"}),),
    "error action": ((f"Get-{MEDIA}", {"Identity": "site:Dublin", "ErrorAction": "Stop"}), (f"Get-{MEDIA}",)),
    "nothing to remove": ((f"Remove-{POLICY}", {"Identity": "Nope"}),),
    "unknown user": ((f"Grant-{POLICY}", {"Identity": "nobody", "PolicyName": "Partners"}),),
    "granted": ((f"Grant-{POLICY}", {"Identity": "kaya", "PolicyName": "Partners"}), ("Get-CsUser",)),
    "removal of what is granted": ((f"Remove-{POLICY}", {"Identity": "Partners"}),),
    "the same, unconfirmed": ((f"Remove-{POLICY}", {"Identity": "Partners", "Confirm": False}),),
    "the same by force": ((f"Remove-{POLICY}", {"Identity": "Partners", "Force": True}),),
    "made twice": tuple((f"New-{POLICY}", {"Identity": "site:Dublin"}) for _ in range(2)),
    "in memory": ((f"New-{POLICY}", {"Identity": "x", "InMemory": True}),),
    "a large number": (("Get-CsUser", {"ResultSize": 2**32 - 1}),),
    "commands": (("Get-Command", {"Name": [f"Get-{MEDIA}", "Set-CsNope", "Get-CsSite"]}),),
}
COMPUTER: dict[str, Pipeline] = {
    "services of the product": (("Get-CsWindowsService",),),
    "services": (("Get-Service", {"Name": ["W32Time", "RTCSRV"]}),),
    "unknown service": (("Get-Service", {"Name": "Nope"}),),
    "disabled service": (("Start-Service", {"Name": "RTCATS"}),),
    "failing service": (("Start-Service", {"Name": "RTCCPS"}),),
    "no date": (("Set-Date", {"Date": "abc"}),),
    "registry": (("Get-ItemProperty", {"LiteralPath": r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time"}),),
    "missing key": (("Get-ItemProperty", {"LiteralPath": KEY}),),
    "a key and its values": (
        ("New-Item", {"Path": r"HKLM:\SOFTWARE", "Name": "Agree"}),
        ("New-ItemProperty", {"LiteralPath": KEY, "Name": "a", "Value": -1, "PropertyType": "DWord"}),
        ("Get-ItemProperty", {"LiteralPath": KEY}),
    ),
    "zone": (("tzutil", "/g"), ("tzutil", "/s", "Nowhere")),
    "time service": (("w32tm", "/query", "/status"),),
    "refused by a program": (("w32tm", "/nonsense"),),
    "tickets": (("klist", "-li", "0x3e4", "purge"),),
    "pool": (
        ("Get-CsPoolFabricState", {"PoolFqdn": POOL}),
        ("Get-CsPoolUpgradeReadinessState",),
    ),
}

_VERSIONS = re.compile(r"(mscorlib|System[\w.]*), Version=[\d.]+, Culture=neutral, PublicKeyToken=\w+")
_OTHERWISE = frozenset(
    {"Definition", "Source", "DLL", "HelpUri", "Namespace", "Parameters"}  # Get-Command
    | {"DependentServices", "ServicesDependedOn", "RequiredServices"}  # Get-Service
    | {"Used", "Free"}  # PSDrive: a text that is wrapped once more
)
_CATEGORY = ("Category", "Activity", "Reason", "TargetName", "TargetType")
_FACTS = ("FullyQualifiedErrorId", "InvocationInfo", *(f"ErrorCategory_{part}" for part in _CATEGORY))


class EmbeddedLab(RunningLab):
    """The same deployment on the lab's own engine."""

    wsman = EngineLab.wsman

    def _make(self) -> Lab:
        self._deployment = build_deployment(deployment(**SETUP))
        return Lab(self._deployment, self.state)


def _shown(kind: str, clixml: str) -> tuple[str, list[str]]:
    """A message, without what is not compared."""
    message = ElementTree.fromstring(f"<Message>{_VERSIONS.sub('', clixml)}</Message>")
    if any(element.get("N") == "FullyQualifiedErrorId" for element in message.iter()):
        members = {element.get("N"): element for element in message.iter()}
        types = [name.text or "" for name in members["Exception"].findall("./TN/T")]
        facts = {name: members[name] for name in _FACTS if name in members}
        return kind, [*types, *(f"{name} {found.tag} {found.text}" for name, found in facts.items())]
    types_by_number: dict[str | None, str] = {}
    return kind, [line for element in message for line in _lines(element, types_by_number)]


def _lines(element: ElementTree.Element, types: dict[str | None, str]) -> Iterator[str]:
    name = element.get("N") or ""
    if name in _OTHERWISE:
        return
    if element.tag == "TN":
        types[element.get("RefId")] = " ".join(found.text or "" for found in element)
    if element.tag in ("TN", "TNRef"):
        yield types[element.get("RefId")]
        return
    inner = [(held.tag not in ("TN", "TNRef", "ToString"), [*_lines(held, types)]) for held in element]
    if element.tag in ("Props", "MS") and not any(lines for _, lines in inner):
        return
    text = "" if element.tag == "DT" else re.sub(r"\d+:\d+:\d+", "", element.text or "")
    yield f"{element.tag} {name} {text}".rstrip()
    for _, lines in sorted(inner) if element.tag != "LST" else inner:
        yield from lines


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, powershell_command: str) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("agree")
    found = []
    for lab in (
        EmbeddedLab(folder / "embedded"),
        EngineLab(folder / "powershell", powershell_command, **SETUP),
    ):
        with lab:
            found.append({**_asked(lab, POOL, MANAGEMENT), **_asked(lab, FRONT_END, COMPUTER)})
    return found


def _asked(lab: Any, server: str, pipelines: dict[str, Pipeline]) -> dict[str, list[tuple[str, list[str]]]]:
    received: list[tuple[str, str]] = []
    unpack = pypsrp.messages.Message.unpack

    def kept(data: bytes, serializer: Any) -> Any:
        received.append((KINDS[struct.unpack("<I", data[4:8])[0]], data[40:].decode("utf-8-sig")))
        return unpack(data, serializer)

    found = {}
    with pytest.MonkeyPatch.context() as patch, RunspacePool(lab.wsman(server)) as pool:
        patch.setattr(pypsrp.messages.Message, "unpack", staticmethod(kept))
        if server == FRONT_END:
            _run(pool, (("Import-Module", "Lync"),))
        for name, statements in pipelines.items():
            received.clear()
            _run(pool, statements)
            told = [_shown(kind, clixml) for kind, clixml in received if kind != "PROGRESS_RECORD"]
            found[name] = [message for message in told if message[0] != "WARNING_RECORD"]
    return found


def _run(pool: RunspacePool, statements: Pipeline) -> None:
    shell = PowerShell(pool)
    for number, (name, *arguments) in enumerate(statements):
        if number:
            shell.add_statement()
        shell.add_cmdlet(name)
        for argument in arguments:
            if isinstance(argument, dict):
                shell.add_parameters(argument)
            else:
                shell.add_argument(argument)
    with suppress(WinRMError):  # a pipeline that failed has been answered, too
        shell.invoke()


@pytest.mark.parametrize("name", [*MANAGEMENT, *COMPUTER])
def test_both_engines_answer_the_same(name: str, answers: list[dict[str, Any]]) -> None:
    embedded, powershell = (found[name] for found in answers)
    assert embedded == powershell
