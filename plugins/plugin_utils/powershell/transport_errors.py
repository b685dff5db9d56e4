# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pypsrp, requests and the operating system raise, told apart by type and code, never by words where there is a
code.
"""

from __future__ import annotations

import binascii
import http.client
import socket
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Iterator

try:
    import requests
    from pypsrp.exceptions import (
        AuthenticationError,
        FragmentError,
        InvalidPSRPOperation,
        SerializationError,
        WinRMError,
        WinRMTransportError,
        WSManFaultError,
    )
    from spnego.exceptions import SpnegoError
except ImportError:  # told to the user by the connection plugin
    TRANSPORT_ERRORS: tuple[type[Exception], ...] = ()
else:
    TRANSPORT_ERRORS = (
        requests.RequestException,
        WinRMError,
        SpnegoError,
        ET.ParseError,
        http.client.HTTPException,
        OSError,
        ValueError,
    )

from .errors import (
    AuthenticationRefused,
    CannotConnect,
    CannotResolve,
    ConnectionRefused,
    Endpoint,
    NoRightsToOpenShell,
    NotAnEndpoint,
    OptionsDoNotFit,
    ServerFault,
    ShellQuotaReached,
    TlsNotTrusted,
)

# Codes of WSManFault (winerror.h and wsmerror.h of the Windows SDK).
_ACCESS_DENIED = 5
_QUOTAS = frozenset(
    {0x803381A5, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381AB, *range(0x803381E4, 0x803381EB)}
)


def is_fault(error: Exception) -> bool:
    """The server answered with a WSMan fault: it has read the request, and not done what it asks for."""
    return isinstance(error, WSManFaultError)


def is_never_sent(error: Exception) -> bool:
    """The request did not leave this machine, or the server refused the caller before it looked at the request."""
    if isinstance(error, requests.ConnectTimeout | AuthenticationError | SpnegoError):
        return True
    if isinstance(error, WinRMTransportError):
        # A message-encrypted request on a connection that the server has not authenticated is answered 400, unread.
        return error.code in (400, 401, 403, 404, 503)
    return any(
        isinstance(cause, socket.gaierror | ConnectionRefusedError | ssl.SSLError)
        or type(cause).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
        for cause in _causes(error)
    )


def refusal(error: Exception, endpoint: Endpoint) -> ConnectionRefused:
    """The sentence for whatever kept a session from being opened or used."""
    if isinstance(error, AuthenticationError):
        return AuthenticationRefused(endpoint)
    if isinstance(error, SpnegoError):
        return AuthenticationRefused(endpoint, f" ({error})")
    if isinstance(error, WSManFaultError):
        return _fault(error, endpoint)
    if isinstance(error, WinRMTransportError):
        if error.code == 503:
            return CannotConnect(endpoint, "the service is unavailable (HTTP status 503)")
        return NotAnEndpoint(endpoint, f"it answers with HTTP status {error.code}.")
    if isinstance(error, InvalidPSRPOperation):
        return ServerFault(endpoint, str(error))
    if isinstance(error, requests.exceptions.ProxyError):
        return CannotConnect(endpoint, "the proxy refused")
    if isinstance(error, requests.Timeout):
        return CannotConnect(endpoint, "it did not answer in time")
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return CannotResolve(endpoint)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TlsNotTrusted(endpoint, cause.verify_message)
        if isinstance(cause, ssl.SSLError):
            return NotAnEndpoint(endpoint, f"TLS cannot be agreed on ({cause}).")
    if isinstance(
        error, WinRMError | SerializationError | FragmentError | ET.ParseError | UnicodeError | binascii.Error
    ):
        return NotAnEndpoint(endpoint, f"{error}.")
    if isinstance(error, ValueError) and not isinstance(error, requests.RequestException):
        # pypsrp refuses options that contradict each other, or are missing, with ValueError and a sentence of its own.
        return OptionsDoNotFit(endpoint, str(error))
    return CannotConnect(endpoint, reason_of(error))


def reason_of(error: Exception) -> str:
    """What broke, in a few words: the operating system's, without the object addresses that urllib3 prints."""
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    for cause in _causes(error):
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(cause, ConnectionError | http.client.HTTPException):
            return "the server closed the connection"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    if isinstance(error, WinRMTransportError):
        return f"HTTP status {error.code}"
    return str(error)


def _fault(error: WSManFaultError, endpoint: Endpoint) -> ConnectionRefused:
    if error.code == _ACCESS_DENIED:
        return NoRightsToOpenShell(endpoint)
    reason = (error.provider_fault or error.reason or f"WSMan fault {error.code}").strip()
    if error.code in _QUOTAS:
        return ShellQuotaReached(endpoint, reason)
    return ServerFault(endpoint, f"{reason} (WSMan fault {error.code})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, and what it carries: urllib3 and requests nest in all three ways."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        nested = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        pending.extend(item for item in nested if isinstance(item, BaseException))
