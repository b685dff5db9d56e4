# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management faults as Windows sends them.

Codes are those of wsmerror.h (Windows SDK). Texts are those of the message table of wsmres.dll (listed in
libyal/winevt-kb); where a fault has a general text and one with particulars, the first is the reason of the SOAP fault
and the second the message of the WSManFault, as in recorded exchanges. Subcodes and details are those of DSP0226 and of
recorded exchanges, except where a comment says "assumed".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from .envelope import ADDRESSING, WSMAN

ACTION_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
ACTION_ADDRESSING = f"{ADDRESSING}/fault"

_DETAIL = f"{WSMAN.rpartition('/')[0]}/wsman/faultDetail/"
_WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"

ACCESS_DENIED = 5
INVALID_PARAMETER = 87
OPERATION_TIMED_OUT = 2150858793
UNEXPECTED_SELECTORS = 2150858843
INVALID_RESOURCE_URI = 2150858811
INSUFFICIENT_SELECTORS = 2150858842
DUPLICATE_SELECTORS = 2150858847
ENVELOPE_TOO_SMALL = 2150858878
ENVELOPE_EXCEEDED = 2150858824
INVALID_HEADER = 2150858767
SHUTTING_DOWN = 2150859118
QUOTA_SHELLS = 2150859173
QUOTA_OPERATIONS = 2150859174
QUOTA_USERS = 2150859179
HOST_PROCESS_GONE = 1726


@dataclass(eq=False)
class Fault(Exception):
    """A fault to answer with. ``code`` None leaves the WSManFault detail out."""

    code: int | None
    message: str  # of the WSManFault
    subcode: str = "w:InternalError"
    sender: bool = False  # s:Sender rather than s:Receiver
    reason: str = ""  # of the SOAP fault, where it differs
    detail: str = ""  # last part of the w:FaultDetail URI
    provider: tuple[str, str] | None = None  # of a ProviderFault: name, path

    @property
    def action(self) -> str:
        return ACTION_ADDRESSING if self.subcode.startswith("a:") else ACTION_WSMAN

    def body(self, machine: str) -> str:
        """The s:Fault element."""
        message = f"<f:Message>{escape(self.message)}</f:Message>"
        opening = f'<f:WSManFault xmlns:f="{_WSMAN_FAULT}" Code="{self.code}" Machine={quoteattr(machine)}>'
        if self.provider is not None:
            name, path = self.provider
            message = (
                f"<f:Message><f:ProviderFault provider={quoteattr(name)} path={quoteattr(path)}>"
                f"{opening}{message}</f:WSManFault></f:ProviderFault></f:Message>"
            )
        detail = f"<w:FaultDetail>{_DETAIL}{self.detail}</w:FaultDetail>" if self.detail else ""
        if self.code is not None:
            detail += f"{opening}{message}</f:WSManFault>"
        detail = f"<s:Detail>{detail}</s:Detail>" if detail else ""
        return (
            f"<s:Fault><s:Code><s:Value>s:{'Sender' if self.sender else 'Receiver'}</s:Value>"
            f"<s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{escape(self.reason or self.message)}</s:Text></s:Reason>'
            f"{detail}</s:Fault>"
        )


@dataclass(eq=False)
class NotUnderstood(Fault):
    """A header has to be understood and is not (SOAP 1.2 part 1, 5.4.8). What WSManFault Windows adds is not known."""

    def body(self, machine: str) -> str:
        return (
            "<s:Fault><s:Code><s:Value>s:MustUnderstand</s:Value></s:Code>"
            f'<s:Reason><s:Text xml:lang="en-US">{escape(self.message)}</s:Text></s:Reason></s:Fault>'
        )


def not_understood(names: Sequence[str]) -> Fault:
    return NotUnderstood(None, f"Headers that have to be understood are not: {', '.join(names)}. ")


def language_not_certain() -> Fault:
    """The language of an answer is a hint, and the request insists on it (subcode and detail by DSP0226, 13.1)."""
    return Fault(
        2150858887,
        "The WS-Management service cannot guarantee that all data is returned in the requested locale as some data "
        "sources may not be able to comply. Resend the remote request with locale as a hint (the SOAP header should "
        'have mustUnderstand="false") ',
        "w:UnsupportedFeature",
        sender=True,
        detail="Locale",
    )


_INVALID_SELECTORS = (
    "The WS-Management service cannot process the request because the request contained invalid selectors for the "
    "resource. "
)


def unexpected_selectors() -> Fault:
    """A shell is selected by its ShellId and nothing else."""
    return Fault(
        UNEXPECTED_SELECTORS,
        _INVALID_SELECTORS,
        "w:InvalidSelectors",
        sender=True,
        detail="UnexpectedSelectors",
    )


def insufficient_selectors() -> Fault:
    """The request selects no shell."""
    return Fault(
        INSUFFICIENT_SELECTORS,
        "The WS-Management service cannot process the request because the request did not contain all required "
        "selectors. ",
        "w:InvalidSelectors",
        sender=True,
        detail="InsufficientSelectors",
    )


def duplicate_selectors() -> Fault:
    return Fault(
        DUPLICATE_SELECTORS,
        "The WS-Management service cannot process the request because the request contains duplicate selectors. ",
        "w:InvalidSelectors",
        sender=True,
        detail="DuplicateSelectors",
    )


def access_denied() -> Fault:
    """An authenticated account without the right to do this."""
    return Fault(ACCESS_DENIED, "Access is denied. ", "w:AccessDenied", sender=True)


def operation_timed_out() -> Fault:
    """A Receive had nothing to deliver within its OperationTimeout; clients poll on."""
    return Fault(
        OPERATION_TIMED_OUT,
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
        "w:TimedOut",
    )


def shell_not_found(shell_id: str) -> Fault:
    """What Command, Receive, Send, Signal and Delete meet when the shell is gone (Microsoft Learn, troubleshooting)."""
    return Fault(
        UNEXPECTED_SELECTORS,
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was not found on "
        "the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists on the "
        "server. "
        "Provide the correct ShellId or create a new shell and retry the operation. ",
        "w:InvalidSelectors",
        sender=True,
        reason=_INVALID_SELECTORS,
        detail="UnexpectedSelectors",
    )


def no_such_instance() -> Fault:
    """What a Get of a shell that is gone meets."""
    return Fault(
        UNEXPECTED_SELECTORS,
        _INVALID_SELECTORS,
        "w:InvalidSelectors",
        sender=True,
        detail="UnexpectedSelectors",
        provider=("Shell provider", r"%systemroot%\system32\WsmSvc.dll"),
    )


def command_not_found() -> Fault:
    return Fault(
        UNEXPECTED_SELECTORS,
        "The Windows Remote Shell received a request to perform an operation on a command identifier that does not "
        "exist. Either the command has completed execution or the client specified an invalid command identifier. ",
        "w:InvalidSelectors",
        sender=True,
        reason=_INVALID_SELECTORS,
        detail="UnexpectedSelectors",
    )


def resource_not_found(resource_uri: str) -> Fault:
    """An unknown session configuration.

    The text is in Microsoft Learn, Unregister-PSSessionConfiguration; subcode and detail are assumed.
    """
    return Fault(
        INVALID_RESOURCE_URI,
        f"The WS-Management service cannot process the request. The resource URI ({resource_uri}) was not found in the "
        "WS-Management catalog. The catalog contains the metadata that describes resources, or logical endpoints. ",
        "a:DestinationUnreachable",
        sender=True,
        detail="InvalidResourceURI",
    )


def action_not_supported(action: str) -> Fault:
    """WS-Addressing's fault for an unknown action (text from WS-Management, DSP0226; code from wsmerror.h)."""
    return Fault(
        2150858753,
        f"The action {action} is not supported by the service. ",
        "a:ActionNotSupported",
        sender=True,
    )


_INVALID_HEADERS = (
    "The WS-Management service cannot process the request. The request contains one or more invalid SOAP "
    "headers. "
)


def invalid_timeout(text: str) -> Fault:
    return Fault(
        INVALID_HEADER,
        f"The WS-Management service cannot process the request. The XML contains an invalid timeout field in the SOAP "
        f"header: {text}. ",
        "a:InvalidMessageInformationHeader",
        sender=True,
        reason=_INVALID_HEADERS,
    )


def invalid_envelope_size() -> Fault:
    """MaxEnvelopeSize is no number (code and subcode by analogy with a timeout: assumed)."""
    return Fault(
        INVALID_HEADER,
        "The WS-Management service cannot process the request because the maximum envelope size header was invalid or "
        "duplicated. ",
        "a:InvalidMessageInformationHeader",
        sender=True,
        reason=_INVALID_HEADERS,
    )


def envelope_too_small(asked: int, least: int) -> Fault:
    """MaxEnvelopeSize is below what an answer needs (DSP0226 6.2, MS-WSMAN 3.1.4.1.9)."""
    return Fault(
        ENVELOPE_TOO_SMALL,
        "The WS-Management service cannot process the request because the maximum envelope size requested is "
        f"({asked}) too small. The size must be {least} or larger. ",
        "w:EncodingLimit",
        sender=True,
        reason=(
            "The WS-Management service cannot process the request because the envelope size in the request is too "
            "small. "
        ),
        detail="MinimumEnvelopeLimit",
    )


def envelope_exceeded(size: int, limit: int) -> Fault:
    """The answer would be larger than the client's MaxEnvelopeSize or the server's MaxEnvelopeSizekb."""
    return Fault(
        ENVELOPE_EXCEEDED,
        f"The WS-Management service cannot process the request. The computed response packet size ({size}) exceeds the "
        f"maximum envelope size that is allowed ({limit}). ",
        "w:EncodingLimit",
        sender=True,
        reason=(
            "The response that the WS-Management service computed exceeds the maximum envelope size in the request. "
        ),
        detail="MaxEnvelopeSizeExceeded",
    )


def schema_validation(what: str) -> Fault:
    """The body lacks an element, or has a wrong one (shape recorded; the inner sentence names the element)."""
    return Fault(
        2150858817,
        f"The Windows Remote Shell cannot process the request. The SOAP packet contains an element {what} that is "
        "invalid. Retry the request with the correct XML element. ",
        "w:SchemaValidationError",
        sender=True,
        reason=(
            "The SOAP XML in the message does not match the corresponding XML schema definition. Change the XML and "
            "retry. "
        ),
    )


def invalid_parameter() -> Fault:
    return Fault(
        INVALID_PARAMETER,
        "The parameter is incorrect. ",
        "w:InvalidParameter",
        sender=True,
        detail="InvalidValue",
    )


def protocol_violation(message: str) -> Fault:
    """PSRP data that the PowerShell plug-in cannot make sense of.

    Assumed: no public source found; the code is COR_E_EXCEPTION, the HRESULT of its exception.
    """
    return Fault(
        2148734208, message, provider=("microsoft.powershell", r"%systemroot%\system32\pwrshplugin.dll")
    )


def operation_aborted() -> Fault:
    """A Receive was pending when its shell or command went away (ERROR_OPERATION_ABORTED)."""
    return Fault(
        995, "The I/O operation has been aborted because of either a thread exit or an application request. "
    )


def shutting_down() -> Fault:
    """The service is being stopped, as for maintenance (ERROR_WSMAN_SHELL_NOT_INITIALIZED; subcode assumed)."""
    return Fault(
        SHUTTING_DOWN,
        "The WS-Management service on the remote machine cannot process the shell request. This can happen if the "
        "WS-Management service on the remote machine was being shutdown. To correct this problem restart the "
        "WS-Management service on the remote machine and re-send the shell request. ",
    )


def host_process_gone() -> Fault:
    """A request was pending when the shell's host process died, such as for want of memory.

    The text is that of wsmres.dll and of reports; the code is the one with which a call of a process that dies ends
    (RPC_S_CALL_FAILED; assumed).
    """
    return Fault(
        HOST_PROCESS_GONE,
        "The WSMan provider host process did not return a proper response. A provider in the host process may have "
        "behaved improperly. ",
    )


def too_many_users(limit: int) -> Fault:
    """MaxConcurrentUsers."""
    return Fault(
        QUOTA_USERS,
        "The WS-Management service cannot process the request. This service is configured to allow a maximum of "
        f"{limit} concurrent shell users, which has been exceeded. Retry your request after sometime or raise the "
        "quota for concurrent shell users. ",
        "w:QuotaLimit",
    )


def too_many_shells(limit: int) -> Fault:
    return Fault(
        QUOTA_SHELLS,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota for this user. ",
        "w:QuotaLimit",
    )


def too_many_operations(limit: int) -> Fault:
    return Fault(
        QUOTA_OPERATIONS,
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent operations, which has been exceeded. Close existing operations for this user, or raise "
        "the quota for this user. ",
        "w:QuotaLimit",
    )


def too_many_commands() -> Fault:
    """MaxConcurrentCommandsPerShell; real servers send it without a WSManFault detail."""
    return Fault(
        None,
        "The WS-Management service cannot process the request. The maximum number of concurrent commands per shell "
        "has been exceeded. Retry the request later or raise the Maximum Commands per Shell quota. ",
    )
