# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pypsrp, requests and the operating system raise, told apart by type and code, never by words where there is a
code.
"""

from __future__ import annotations

import binascii
import http.client
import re
import socket
import ssl
import traceback
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

try:
    from requests_credssp import exceptions as credssp  # type: ignore[import-untyped] # it has no stubs
except ImportError:  # told to the user where CredSSP is asked for
    _CREDSSP_ERRORS: tuple[type[Exception], ...] = ()
else:
    _CREDSSP_ERRORS = (
        credssp.AuthenticationException,
        credssp.InvalidConfigurationException,
        credssp.NTStatusException,
    )


class NotUnderstood(Exception):
    """Something was answered that is not what the protocols say, as pypsrp finds out in all sorts of ways."""


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
    _NOT_UNDERSTOOD: tuple[type[Exception], ...] = ()
else:
    _NOT_UNDERSTOOD = (
        NotUnderstood,
        SerializationError,
        FragmentError,
        ET.ParseError,
        UnicodeError,
        binascii.Error,
    )
    TRANSPORT_ERRORS = (
        NotUnderstood,
        requests.RequestException,
        WinRMError,
        SpnegoError,
        *_CREDSSP_ERRORS,
        ET.ParseError,
        http.client.HTTPException,
        ImportError,  # of the library behind an authentication
        OSError,
        ValueError,
    )

from .errors import (
    AuthenticationRefused,
    CannotConnect,
    CannotResolve,
    ConnectionRefused,
    Endpoint,
    LibraryForAuthenticationMissing,
    MessageTooLarge,
    NoRightsToOpenShell,
    NotAnEndpoint,
    OptionsDoNotFit,
    ProxyRefused,
    ServerFault,
    SessionNotKnown,
    ShellQuotaReached,
    TlsNotTrusted,
)
from .plain_text import one_line

# Codes of WSManFault (winerror.h and wsmerror.h of the Windows SDK).
_ACCESS_DENIED = 5
_OPERATION_TIMED_OUT = 0x80338029
_UNKNOWN_SHELL = 0x8033805B
_QUOTAS = frozenset(
    {0x803381A5, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381AB, *range(0x803381E4, 0x803381EB)}
)
_SHUTTING_DOWN = 0x8033816E
# What a server says before it begins to do what it was asked. With any other code it may have begun: the operation
# timed out, was aborted (ERROR_OPERATION_ABORTED), its host process died in it (RPC_S_CALL_FAILED), and whatever else.
_NOT_BEGUN = frozenset({_ACCESS_DENIED, _UNKNOWN_SHELL, _SHUTTING_DOWN, *_QUOTAS})

# A gateway or load balancer has got no good answer, or none in time, from the server behind it: which may have had the
# request.
_GATEWAY = frozenset({502, 504})
# The caller is refused before anything of the request is looked at.
_REFUSING = frozenset({401, 407})
# Somebody has too many requests to look at this one.
_BUSY = frozenset({429, 503})
# Web servers say so of a request that they have not read: one without authentication on a connection that should be
# encrypted, one that is too large, one too many, one for something that there is not. But gateways say it, too, of a
# request that the server behind them has got, whose answer they lost, cannot make sense of, or do not let through.
_MOSTLY_UNREAD = frozenset({400, 403, 404, 413, *_BUSY})


def is_fault(error: BaseException) -> bool:
    """The server answered with a WSMan fault: it has read the request, and not done what it asks for."""
    return isinstance(error, WSManFaultError)


def is_never_accepted(error: Exception) -> bool:
    """The server answered with a fault that tells that it has not begun to do what it was asked."""
    return isinstance(error, WSManFaultError) and error.code in _NOT_BEGUN


def is_never_sent(error: Exception) -> bool:
    """The request did not leave this machine, or the server refused the caller before it looked at the request."""
    if isinstance(
        error, requests.ConnectTimeout | requests.exceptions.ProxyError | AuthenticationError | SpnegoError
    ):
        return True
    if isinstance(error, _CREDSSP_ERRORS):
        return True
    if isinstance(error, WinRMTransportError):
        return error.code in _REFUSING
    return any(
        isinstance(cause, socket.gaierror | ConnectionRefusedError)
        or type(cause).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
        or _is_of_the_handshake(cause)
        for cause in _causes(error)
    )


def is_hardly_read(error: Exception) -> bool:
    """The server has most likely done nothing: enough to repeat what does no harm twice, and never for a change."""
    return is_never_sent(error) or (isinstance(error, WinRMTransportError) and error.code in _MOSTLY_UNREAD)


def is_time_out(error: Exception) -> bool:
    """There was no answer in time, or the server's answer is that it has none."""
    if isinstance(error, WSManFaultError):
        return bool(error.code == _OPERATION_TIMED_OUT)
    return isinstance(error, requests.Timeout)


def is_transient(error: Exception) -> bool:
    """What may be otherwise a moment later: the server or something before it cannot be reached, or has no time."""
    if isinstance(error, WinRMTransportError):
        return error.code in _BUSY or error.code in _GATEWAY
    if isinstance(error, WinRMError | requests.exceptions.ProxyError):
        return False
    if isinstance(error, requests.Timeout):
        return True
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror | ssl.SSLCertVerificationError):
            return False
        if isinstance(cause, ssl.SSLError):
            return isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        if isinstance(cause, ConnectionError | http.client.HTTPException):
            return True
    return isinstance(error, requests.ConnectionError)


def refusal(error: Exception, endpoint: Endpoint) -> ConnectionRefused:
    """The sentence for whatever kept a session from being opened or used."""
    if isinstance(error, AuthenticationError):
        return AuthenticationRefused(endpoint)
    if isinstance(error, (SpnegoError, *_CREDSSP_ERRORS)):
        return AuthenticationRefused(endpoint, f" ({error})")
    if isinstance(error, ImportError):
        return LibraryForAuthenticationMissing(endpoint, str(error))
    if isinstance(error, WSManFaultError):
        return _fault(error, endpoint)
    if isinstance(error, WinRMTransportError):
        return _status(error.code, endpoint)
    if isinstance(error, InvalidPSRPOperation):
        return ServerFault(endpoint, one_line(str(error)))
    if isinstance(error, requests.exceptions.ProxyError):
        return ProxyRefused(endpoint, _proxy_status(error), reason_of(error))
    if isinstance(error, requests.Timeout):
        return CannotConnect(endpoint, "it did not answer in time")
    if isinstance(error, requests.TooManyRedirects):
        return NotAnEndpoint(endpoint, f"it redirects {_redirection(error)}")
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return CannotResolve(endpoint)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TlsNotTrusted(endpoint, cause.verify_message)
        if isinstance(cause, ssl.SSLError) and not is_transient(error):
            return NotAnEndpoint(endpoint, f"TLS cannot be agreed on ({cause})")
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException) and error.filename:
        return OptionsDoNotFit(endpoint, f"{error.filename}: {error.strerror}")
    if isinstance(error, OSError) and _names_a_file(error):
        return OptionsDoNotFit(endpoint, str(error).rstrip("."))
    if isinstance(error, (WinRMError, *_NOT_UNDERSTOOD)):
        return NotAnEndpoint(endpoint, reason_of(error).rstrip("."))
    if isinstance(error, ValueError) and not isinstance(error, requests.RequestException):
        # pypsrp refuses options that contradict each other, or are missing, with ValueError and a sentence of its own.
        return OptionsDoNotFit(endpoint, str(error).rstrip("."))
    return CannotConnect(endpoint, reason_of(error))


def reason_of(error: Exception) -> str:
    """What broke, in a few words: the operating system's, without the object addresses that urllib3 prints."""
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.TooManyRedirects):
        return f"a redirection {_redirection(error)}"
    for cause in _causes(error):
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return "the TLS connection was cut off"
        if isinstance(cause, ConnectionError | http.client.HTTPException):
            return "the server closed the connection"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    if isinstance(error, WinRMTransportError):
        return f"HTTP status {error.code}"
    if isinstance(error, _NOT_UNDERSTOOD):
        return "its answer cannot be read"
    return one_line(str(error))


def _status(code: int, endpoint: Endpoint) -> ConnectionRefused:
    if code == 503:
        return CannotConnect(endpoint, "the service is unavailable (HTTP status 503)")
    if code in _BUSY:
        return CannotConnect(endpoint, f"it gets too many requests (HTTP status {code})")
    if code in _GATEWAY:
        return CannotConnect(
            endpoint,
            f"a gateway or load balancer before it gets no answer from the server (HTTP status {code})",
        )
    if code == 407:
        return ProxyRefused(endpoint, code, "")
    if code == 413:
        return MessageTooLarge(endpoint)
    if code == 400 and endpoint.authentication in ("negotiate", "kerberos"):
        return AuthenticationRefused(
            endpoint,
            " (HTTP status 400: the account's Kerberos ticket may be too large for the server, as happens to members "
            "of very many groups; MaxFieldLength and MaxRequestBytes of http.sys set the limit)",
        )
    return NotAnEndpoint(endpoint, f"it answers with HTTP status {code}")


def _fault(error: WSManFaultError, endpoint: Endpoint) -> ConnectionRefused:
    if error.code == _ACCESS_DENIED:
        return NoRightsToOpenShell(endpoint)
    if error.code == _UNKNOWN_SHELL:
        return SessionNotKnown(endpoint)
    reason = one_line(error.provider_fault or error.reason or f"WSMan fault {error.code}")
    if error.code in _QUOTAS:
        return ShellQuotaReached(endpoint, reason)
    return ServerFault(endpoint, f"{reason} (WSMan fault {error.code})")


def _redirection(error: requests.TooManyRedirects) -> str:
    """Where to, without what a page may have put behind its address."""
    answer = error.response
    if answer is None:
        return "elsewhere"
    place = urlsplit(str(answer.headers.get("location", "")))
    address = urlunsplit((place.scheme, place.netloc.rpartition("@")[2], place.path, "", ""))
    return f"to {one_line(address)} (HTTP status {answer.status_code})"


def _proxy_status(error: Exception) -> int | None:
    """Python's http.client has the status of a refused tunnel in its own text alone."""
    for cause in _causes(error):
        found = re.match(r"Tunnel connection failed: (\d{3})\b", str(cause))
        if found:
            return int(found.group(1))
    return None


def _is_of_the_handshake(cause: BaseException) -> bool:
    """Whether it was raised while TLS was agreed on, before anything of a request was sent.

    Neither the standard library nor urllib3 tell an error of the handshake from one that comes while an answer is read,
    except by the place that it was raised at.
    """
    if isinstance(cause, ssl.SSLCertVerificationError):
        return True
    return isinstance(cause, OSError) and any(
        frame.f_code.co_name == "do_handshake" for frame, _line in traceback.walk_tb(cause.__traceback__)
    )


def _names_a_file(error: OSError) -> bool:
    """requests looks for the files of authorities and certificates itself, and raises a bare OSError."""
    return error.errno is None and type(error).__name__ == "OSError"


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
