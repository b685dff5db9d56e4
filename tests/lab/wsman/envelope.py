# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP envelopes of WS-Management: requests taken apart, responses put together (MS-WSMV 2.2.4).

Responses are strings, not trees: they are few, fixed in shape, and made thousands of times in a benchmark.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
WSMV = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
POWERSHELL = "http://schemas.microsoft.com/powershell"

ANONYMOUS = f"{ADDRESSING}/role/anonymous"

_RESPONSE = (
    f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:x="{TRANSFER}" '
    f'xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}" xmlns:p="{WSMV}"><s:Header><a:Action>%s</a:Action>'
    "<a:MessageID>uuid:%s</a:MessageID>%s"
    f"<a:To>{ANONYMOUS}</a:To><a:RelatesTo>%s</a:RelatesTo></s:Header><s:Body>%s</s:Body></s:Envelope>"
)

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


#: The headers of requests that WinRM takes in, by their local names (MS-WSMV 2.2.4, MS-PSRP 2.2.5, WS-Addressing).
_UNDERSTOOD = frozenset(
    {
        *("Action", "FaultTo", "From", "MessageID", "RelatesTo", "ReplyTo", "To"),
        *(
            "DataLocale",
            "Locale",
            "MaxEnvelopeSize",
            "OperationTimeout",
            "OptionSet",
            "ResourceURI",
            "SelectorSet",
        ),
        *("CompressionType", "OperationID", "SequenceId", "SessionId"),
    }
)
_HINTS = frozenset(("DataLocale", "Locale"))


class MalformedRequest(Exception):
    """The body is not a SOAP envelope with the headers WS-Management asks for."""


@dataclass(frozen=True)
class Request:
    """A WS-Management request."""

    action: str
    resource_uri: str
    message_id: str
    operation_timeout: str | None  # xs:duration, as sent
    max_envelope_size: str | None  # in bytes, as sent
    selectors: Sequence[tuple[str, str]]
    not_understood: Sequence[str]  # local names of headers that must be understood
    insists_on_language: bool
    body: ElementTree.Element = field(repr=False)

    def operation(self, name: str) -> ElementTree.Element | None:
        """The first element of the body with this local name, in any namespace."""
        return next((element for element in self.body if local_name(element) == name), None)


def local_name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def parse_request(data: bytes) -> Request:
    """Take a request apart. Raises MalformedRequest."""
    try:
        envelope = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise MalformedRequest(str(error)) from error
    header = envelope.find(f"{{{SOAP}}}Header")
    body = envelope.find(f"{{{SOAP}}}Body")
    if header is None or body is None:
        raise MalformedRequest("no SOAP header or body")
    texts: dict[str, str] = {}
    selectors: list[tuple[str, str]] = []
    required: set[str] = set()
    for element in header:
        name = local_name(element)
        if element.get(f"{{{SOAP}}}mustUnderstand", "").strip() in ("1", "true"):
            required.add(name)
        if name == "SelectorSet":
            selectors = [(item.get("Name", ""), (item.text or "").strip()) for item in element]
        else:
            texts[name] = (element.text or "").strip()
    if not texts.get("Action"):
        raise MalformedRequest("no action")
    return Request(
        action=texts["Action"],
        resource_uri=texts.get("ResourceURI", ""),
        message_id=texts.get("MessageID", ""),
        operation_timeout=texts.get("OperationTimeout"),
        max_envelope_size=texts.get("MaxEnvelopeSize"),
        selectors=selectors,
        not_understood=sorted(required - _UNDERSTOOD),
        insists_on_language=not required.isdisjoint(_HINTS),
        body=body,
    )


def parse_duration(text: str) -> float | None:
    """Seconds of an xs:duration without years and months; None if it is not one."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    part = {name: float(value or 0) for name, value in match.groupdict().items()}
    return ((part["days"] * 24 + part["hours"]) * 60 + part["minutes"]) * 60 + part["seconds"]


def format_elapsed(seconds: float) -> str:
    """An elapsed time as WinRM writes it: P0DT0H1M2S."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"P{day}DT{hour}H{minute}M{second}S"


def response(request: Request, body: str, modern: bool, action: str | None = None) -> bytes:
    """The envelope that answers ``request``; the action is the request's with 'Response' unless given.

    ``modern`` servers, with WinRM 3.0, name an activity for their event log too.
    """
    activity = f"<p:ActivityId>{str(uuid.uuid4()).upper()}</p:ActivityId>" if modern else ""
    text = _RESPONSE % (
        action or escape(request.action) + "Response",
        str(uuid.uuid4()).upper(),
        activity,
        escape(request.message_id),
        body,
    )
    return text.encode()


def element(name: str, text: str, **attributes: str) -> str:
    """One element as text, escaped."""
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{written}>{escape(text)}</{name}>"
