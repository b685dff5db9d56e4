# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each cause has its own class, told by types, codes and identifiers."""

from __future__ import annotations

import dataclasses
import http.client
import socket
import ssl

import pytest
import requests
import urllib3
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import (
    errors,
    transport_errors,
    values,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.error_records import error_report
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.plain_text import one_line
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import ErrorReport
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError

ENDPOINT = errors.Endpoint(
    "https://pool01.contoso.com:443/OcsPowershell",
    "pool01",
    "pool01.contoso.com",
    "CONTOSO\\uc-admin",
    "negotiate",
    "Microsoft.PowerShell",
)


def report(**fields: object) -> ErrorReport:
    return ErrorReport(**{"message": "m", "command": "Set-CsMediaConfiguration", **fields})  # type: ignore[arg-type]


SQL = "System.Data.SqlClient.SqlException"


@pytest.mark.parametrize(
    ("record", "kind", "words"),
    [
        (
            report(
                fully_qualified_id="CommandNotFoundException", category="ObjectNotFound", target="Set-CsX"
            ),
            errors.CmdletNotOffered,
            "does not offer Set-CsX to CONTOSO\\uc-admin",
        ),
        (
            report(fully_qualified_id="NamedParameterNotFound,Microsoft.Rtc.SetX", parameter="EnableDtls"),
            errors.ParameterNotKnown,
            "has no parameter EnableDtls",
        ),
        (
            report(
                fully_qualified_id="NamedParameterNotFound,Microsoft.Rtc.SetX",
                message='Es wurde kein Parameter gefunden, der dem Parameternamen "EnableDtls" entspricht.',
            ),
            errors.ParameterNotKnown,
            "der dem Parameternamen",
        ),
        *(
            (
                report(fully_qualified_id=f"{identifier},X", message="so nicht"),
                errors.ValueNotAllowed,
                "so nicht",
            )
            for identifier in (
                "CannotConvertArgument",
                "CannotConvertArgumentNoMessage",
                "ParameterArgumentTransformationError",
                "ParameterArgumentValidationError",
                "ParameterArgumentValidationErrorNullNotAllowed",
                "ParameterArgumentValidationErrorEmptyStringNotAllowed",
                "ParameterArgumentValidationErrorEmptyArrayNotAllowed",
                "ParameterArgumentValidationErrorEmptyCollectionNotAllowed",
                "ParameterBindingFailed",
            )
        ),
        (
            report(fully_qualified_id="ScriptsNotAllowed", message="nein"),
            errors.EndpointRefusesCommand,
            "constrained endpoint",
        ),
        (report(category="ObjectNotFound", message="no such thing"), errors.ObjectNotFound, "no such thing"),
        (
            report(message="Fehler bei der Anmeldung.", exception_type=SQL, category="PermissionDenied"),
            errors.SecondHopDenied,
            "ansible_psrp_auth: credssp",
        ),
        (
            report(message="Fehler bei der Anmeldung.", sql_error_number=18456),
            errors.SecondHopDenied,
            "ansible_psrp_auth: credssp",
        ),
        (report(category="InvalidOperation", message="else"), errors.CommandError, "else"),
    ],
)
def test_error_records(record: ErrorReport, kind: type[errors.CommandError], words: str) -> None:
    error = errors.classify_report(record, ENDPOINT)
    assert type(error) is kind
    assert error.report is record
    assert words in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'.",
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
        "A parameter cannot be found that matches parameter name 'X'.",
        "CommandNotFoundException",
    ],
)
def test_a_message_decides_nothing(message: str) -> None:
    assert type(errors.classify_report(report(message=message), ENDPOINT)) is errors.CommandError


def test_the_second_hop_has_three_remedies() -> None:
    text = str(errors.classify_report(report(sql_error_number=18456), ENDPOINT))
    assert all(remedy in text for remedy in ("/OcsPowershell", "credssp", "ansible_psrp_negotiate_delegate"))


@pytest.mark.parametrize("authentication", ["credssp", "basic"])
def test_a_logon_that_is_passed_on_is_refused_for_another_reason(authentication: str) -> None:
    endpoint = dataclasses.replace(ENDPOINT, authentication=authentication)
    refused = report(exception_type=SQL, category="PermissionDenied", sql_error_number=18456)
    assert type(errors.classify_report(refused, endpoint)) is errors.CommandError


def test_another_fault_of_the_database_is_no_second_hop() -> None:
    failed = errors.classify_report(
        report(exception_type=SQL, category="ResourceUnavailable", sql_error_number=53), ENDPOINT
    )
    assert type(failed) is errors.CommandError
    assert "an Edge Server cannot reach" in str(failed)


def test_who_was_refused_by_the_database_has_reached_it() -> None:
    endpoint = dataclasses.replace(ENDPOINT, authentication="basic")
    refused = report(exception_type=SQL, category="PermissionDenied", sql_error_number=18456)
    assert "Edge" not in str(errors.classify_report(refused, endpoint))


def nested(outer: Exception, *inner: BaseException) -> Exception:
    error: BaseException = outer
    for cause in inner:
        error.__cause__ = cause
        error = cause
    return outer


def redirection(target: str) -> requests.TooManyRedirects:
    answer = requests.Response()
    answer.status_code, answer.headers["Location"] = 302, target
    return requests.TooManyRedirects(response=answer)


def fault(code: int, reason: str = "r") -> WSManFaultError:
    return WSManFaultError(code, "machine", reason, None, None, None)


@pytest.mark.parametrize(
    ("error", "kind", "never_sent"),
    [
        (AuthenticationError("no"), errors.AuthenticationRefused, True),
        (fault(5), errors.NoRightsToOpenShell, False),
        (fault(0x803381A5), errors.ShellQuotaReached, False),
        (fault(0x80338000), errors.ServerFault, False),
        (WinRMTransportError("http", 404, ""), errors.NotAnEndpoint, False),
        (WinRMTransportError("http", 429, ""), errors.CannotConnect, False),
        (redirection("https://me:x@portal.contoso.com/sign-in?for=you"), errors.NotAnEndpoint, False),
        (WinRMTransportError("http", 500, "<html>"), errors.NotAnEndpoint, False),
        (WinRMTransportError("http", 503, ""), errors.CannotConnect, False),
        (requests.ConnectTimeout(), errors.CannotConnect, True),
        (requests.ReadTimeout(), errors.CannotConnect, False),
        (nested(requests.ConnectionError(), socket.gaierror(-2, "unknown")), errors.CannotResolve, True),
        (
            nested(requests.ConnectionError(), ConnectionRefusedError(111, "refused")),
            errors.CannotConnect,
            True,
        ),
        (
            nested(requests.ConnectionError(), http.client.RemoteDisconnected("closed")),
            errors.CannotConnect,
            False,
        ),
        (
            nested(requests.exceptions.SSLError(), ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
            errors.NotAnEndpoint,
            False,
        ),
        (requests.exceptions.ProxyError(), errors.ProxyRefused, True),
        (ValueError("For basic auth, the password must be specified"), errors.OptionsDoNotFit, False),
    ],
)
def test_transport(error: Exception, kind: type[errors.ConnectionRefused], never_sent: bool) -> None:
    refused = transport_errors.refusal(error, ENDPOINT)
    assert type(refused) is kind
    assert ENDPOINT.host in str(refused)
    assert transport_errors.is_never_sent(error) is never_sent
    assert isinstance(error, transport_errors.TRANSPORT_ERRORS)


def test_a_redirection_says_where_to_and_no_more() -> None:
    refused = transport_errors.refusal(
        redirection("https://me:x@portal.contoso.com/sign-in?for=you"), ENDPOINT
    )
    assert "https://portal.contoso.com/sign-in (HTTP status 302)" in str(refused)


def test_what_urllib3_nests_in_its_arguments_is_found() -> None:
    refused = urllib3.exceptions.NewConnectionError(None, "x")  # type: ignore[arg-type]
    refused.__cause__ = ConnectionRefusedError(111, "Connection refused")
    error = requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", refused))  # type: ignore[arg-type]
    assert "the connection was refused" in str(transport_errors.refusal(error, ENDPOINT))


def test_an_expired_certificate_says_so() -> None:
    expired = ssl.SSLCertVerificationError(1, "certificate verify failed")
    expired.verify_message = "certificate has expired"
    text = str(transport_errors.refusal(nested(requests.exceptions.SSLError(), expired), ENDPOINT))
    assert "certificate has expired" in text
    assert "ansible_psrp_ca_cert" in text


def test_no_sentence_shows_a_password() -> None:
    assert "password" not in vars(ENDPOINT)


RECORD = """<Obj RefId="0"><TN RefId="0"><T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN>
<ToString>text</ToString><MS><Obj N="Exception" RefId="1"><TN RefId="1">
<T>System.Management.Automation.ParameterBindingException</T><T>System.Exception</T></TN><ToString>long</ToString>
<Props><S N="Message">A parameter cannot be found.</S></Props></Obj>{target}
<S N="FullyQualifiedErrorId">NamedParameterNotFound,X</S><Nil N="InvocationInfo" />
<I32 N="ErrorCategory_Category">5</I32><S N="ErrorCategory_Activity">Set-X</S>
<S N="ErrorCategory_Reason">ParameterBindingException</S><S N="ErrorCategory_TargetName">name</S>
{details}</MS></Obj>"""


def read(details: str = "", target: str = "") -> ErrorReport:
    return error_report(values.from_clixml(RECORD.format(details=details, target=target)), terminating=True)


@pytest.mark.parametrize(
    ("details", "message"),
    [("", "A parameter cannot be found."), ('<S N="ErrorDetails_Message">Plainly: no.</S>', "Plainly: no.")],
)
def test_a_record_as_it_is_serialised(details: str, message: str) -> None:
    assert read(details) == ErrorReport(
        message,
        "InvalidArgument",
        "NamedParameterNotFound,X",
        "System.Management.Automation.ParameterBindingException",
        "name",
        "Set-X",
        True,
    )


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ('<Nil N="TargetObject" />', "name"),
        ('<S N="TargetObject">HKLM:\\SOFTWARE\\a  b</S>', "HKLM:\\SOFTWARE\\a  b"),
        ('<I32 N="TargetObject">5</I32>', "5"),
        ('<B N="TargetObject">true</B>', "True"),
        (
            '<Obj N="TargetObject" RefId="7"><LST><S>a</S><Nil /><I32>2</I32></LST></Obj>',
            "a, , 2",
        ),
        (
            '<Obj N="TargetObject" RefId="7"><DCT><En><S N="Key">k</S><S N="Value">v</S></En></DCT></Obj>',
            "k: v",
        ),
        ('<Obj N="TargetObject" RefId="7"><ToString>Global</ToString></Obj>', "Global"),
        ('<SS N="TargetObject">cGsdkLhfUJk3s11BlDALQw==</SS>', "(SecureString, not shown)"),
    ],
)
def test_a_target_is_told_in_words(target: str, words: str) -> None:
    assert read(target=target).target == words


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one\r\n  two\n\n", "one two"),
        ("\x1b[31;1mred\x1b[0m and \x1b]0;title\x07plain", "red and plain"),
        ("\x9b2Jcleared\x00\x07", "cleared"),
        ("abc\u202egpj.exe", "abc gpj.exe"),
        ("half \ud83d", "half \ufffd"),
        ("two  blanks", "two  blanks"),
        ("x" * 1005, "x" * 1000 + " ... (5 characters more)"),
    ],
)
def test_a_text_of_a_server_is_one_bounded_line(text: str, line: str) -> None:
    assert one_line(text) == line
    assert read(f'<S N="ErrorDetails_Message">{values.escape_text(text)}</S>').message == line
