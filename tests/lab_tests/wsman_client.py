# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WS-Management client of a few lines (MS-WSMV 3.2): requests as a test wants them, right or wrong."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import requests
from lab.contract import Account

from .conftest import Client
from .small import ADMIN

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
POWERSHELL = "http://schemas.microsoft.com/powershell"
PLUGIN = f"{POWERSHELL}/Microsoft.PowerShell"

_ACTIONS = {action: f"{TRANSFER}/{action}" for action in ("Create", "Delete", "Get")}


class Fault(Exception):
    """What a server answers when it refuses."""

    def __init__(self, body: ElementTree.Element) -> None:
        def text(path: str) -> str:
            found = body.find(path)
            return "" if found is None else (found.text or "").strip()

        self.value = text(f"{{{SOAP}}}Code/{{{SOAP}}}Value").partition(":")[2]
        self.subcode = text(f"{{{SOAP}}}Code/{{{SOAP}}}Subcode/{{{SOAP}}}Value")
        self.reason = text(f"{{{SOAP}}}Reason/{{{SOAP}}}Text")
        self.detail = text(f"{{{SOAP}}}Detail/{{{WSMAN}}}FaultDetail").rpartition("/")[2]
        element = body.find(f"{{{SOAP}}}Detail/{{{FAULT}}}WSManFault")
        self.code = None if element is None else int(element.attrib["Code"])
        self.message = text(f"{{{SOAP}}}Detail/{{{FAULT}}}WSManFault/{{{FAULT}}}Message")
        super().__init__(f"{self.code} {self.subcode} {self.message or self.reason}")


class WSManClient:
    """One account's connection to a server that a test runs."""

    def __init__(self, client: Client, path: str = "/wsman", account: Account = ADMIN) -> None:
        self.url = f"https://{client.server.address}:15986{path}"
        self._session = requests.Session()
        self._session.auth = (account.name, account.password)
        self._ca = client.running.ca
        self._session.headers["Content-Type"] = "application/soap+xml;charset=UTF-8"

    def close(self) -> None:
        self._session.close()

    def post(self, message: str | bytes, timeout: float = 30) -> requests.Response:
        data = message.encode() if isinstance(message, str) else message
        return self._session.post(self.url, data=data, timeout=timeout, verify=self._ca)

    def envelope(
        self,
        action: str,
        body: str = "",
        *,
        resource: str = PLUGIN,
        selectors: Sequence[tuple[str, str]] = (),
        options: Mapping[str, str] | None = None,
        timeout: str = "PT20S",
        size: str = "153600",
        more: str = "",
    ) -> str:
        """``more``: headers, as they stand."""
        chosen = "".join(
            f"<w:Selector Name={quoteattr(key)}>{escape(text)}</w:Selector>" for key, text in selectors
        )
        wanted = "".join(
            f"<w:Option Name={quoteattr(key)}>{escape(text)}</w:Option>"
            for key, text in (options or {}).items()
        )
        return (
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}"><s:Header>'
            f"<a:Action>{_ACTIONS.get(action, f'{SHELL}/{action}')}</a:Action>"
            f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><a:To>{self.url}</a:To>"
            f"<a:ReplyTo><a:Address>{ADDRESSING}/role/anonymous</a:Address></a:ReplyTo>"
            f"<w:ResourceURI>{resource}</w:ResourceURI><w:MaxEnvelopeSize>{size}</w:MaxEnvelopeSize>"
            f"<w:OperationTimeout>{timeout}</w:OperationTimeout>"
            f"{f'<w:SelectorSet>{chosen}</w:SelectorSet>' if chosen else ''}"
            f"{f'<w:OptionSet>{wanted}</w:OptionSet>' if wanted else ''}"
            f"{more}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )

    def request(self, action: str, body: str = "", **headers: object) -> ElementTree.Element:
        """The body of the answer. Raises Fault."""
        answer = self.post(self.envelope(action, body, **headers))  # type: ignore[arg-type]
        found = ElementTree.fromstring(answer.content).find(f"{{{SOAP}}}Body")
        assert found is not None
        fault = found.find(f"{{{SOAP}}}Fault")
        assert answer.status_code == (200 if fault is None else 500)
        if fault is not None:
            raise Fault(fault)
        return found
