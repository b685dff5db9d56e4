# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong between a task and a server's answer: one class and one sentence for each cause.

`classify_transport` and `classify_report` are the only places that look into foreign exceptions and error records.
They go by types, codes and identifiers. A server's words are shown, in whatever language it speaks, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .results import ErrorReport


@dataclass(frozen=True)
class Endpoint:
    """Where a session was to be opened and for whom; only what may be shown to a person.

    ``name`` is the inventory's name for it, ``host`` the name or address that is connected to.
    """

    url: str
    name: str
    host: str
    user: str | None
    authentication: str
    configuration_name: str

    @property
    def account(self) -> str:
        return self.user or "the current Kerberos principal"


class ManagementShellError(Exception):
    """The base of everything this room raises. ``unreachable``: the fault lies before any command was accepted."""

    unreachable = False


class UnconvertibleValue(ManagementShellError):
    """A value has no counterpart on the other side of the wire."""


# -- before a command is accepted ------------------------------------------------------------------------------------


class ConnectionRefused(ManagementShellError):
    """Any fault that kept a session from being opened; the classes below say which."""

    unreachable = True


class CannotResolve(ConnectionRefused):
    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(
            f"The name '{endpoint.host}' cannot be resolved. Check ansible_host in the inventory, and this machine's "
            "DNS."
        )


class CannotConnect(ConnectionRefused):
    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(
            f"No connection to {endpoint.url}: {reason}. Check that the server is up, that the port is right and that "
            "no firewall stands between."
        )


class TlsNotTrusted(ConnectionRefused):
    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(
            f"The certificate of {endpoint.url} is not trusted: {reason}. Give the issuing authority with "
            "ansible_psrp_ca_cert, or renew the server's certificate."
        )


class AuthenticationRefused(ConnectionRefused):
    def __init__(self, endpoint: Endpoint, detail: str = "") -> None:
        super().__init__(
            f"{endpoint.url} refused to authenticate {endpoint.account} with {endpoint.authentication}{detail}. Check "
            "ansible_user, ansible_password and ansible_psrp_auth, and that the account is neither locked nor expired."
        )


class NoRightsToOpenShell(ConnectionRefused):
    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(
            f"{endpoint.account} is authenticated, but has no right to open a session at {endpoint.url} (configuration "
            f"{endpoint.configuration_name}). On /OcsPowershell the account needs a Lync RBAC role, such as membership "
            "in CSAdministrator; over WinRM it must be in the server's Administrators or Remote Management Users."
        )


class ShellQuotaReached(ConnectionRefused):
    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(
            f"{endpoint.url} opens no further session for {endpoint.account}: {reason} Close sessions that are no "
            "longer needed, wait for their idle time-out, or raise the quota (winrm/config/winrs)."
        )


class NotAnEndpoint(ConnectionRefused):
    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(
            f"{endpoint.url} does not answer as a PowerShell Remoting endpoint: {reason}. Check ansible_port, "
            "ansible_psrp_protocol and ansible_psrp_path (OcsPowershell on a pool, wsman for WinRM)."
        )


class ServerFault(ConnectionRefused):
    """A WSMan fault that has no class of its own."""

    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(f"{endpoint.url} refused the request: {reason}")


class OptionsDoNotFit(ConnectionRefused):
    """The connection's options contradict each other, or one is missing; no server was asked."""

    unreachable = False

    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        super().__init__(f"The connection options for {endpoint.url} do not fit together: {reason}.")


class MissingLibrary(ManagementShellError):
    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The Python that runs Ansible cannot load pypsrp ({reason}). Install it there: pip install 'pypsrp>=0.9'."
        )


class SessionGone(ManagementShellError):
    """The server faulted in place of accepting a command, as it does for a shell that it no longer knows.

    Nothing was run, so the session opens a new shell and tries again; ``refusal`` is what to raise if that is refused
    too.
    """

    def __init__(self, refusal: ConnectionRefused) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


# -- while a command runs ---------------------------------------------------------------------------------------------


class LostInMidCommand(ManagementShellError):
    """The connection broke after a command was handed over: it may or may not have taken effect."""

    def __init__(self, endpoint: Endpoint, commands: Sequence[str], reason: str) -> None:
        super().__init__(
            f"The connection to {endpoint.url} was lost while {' and '.join(commands)} ran ({reason}): whether it took "
            "effect is not known."
        )


class TimedOut(ManagementShellError):
    def __init__(self, endpoint: Endpoint, commands: Sequence[str], seconds: float) -> None:
        super().__init__(
            f"{' and '.join(commands)} did not finish within {seconds:g} seconds at {endpoint.url}: whether it took "
            "effect is not known. Raise ansible_management_shell_command_timeout where the server is known to need "
            "longer."
        )


class CommandError(ManagementShellError):
    """A command was accepted and failed; ``report`` is what the server said. Subclasses know the cause."""

    def __init__(self, report: ErrorReport, sentence: str | None = None) -> None:
        self.report = report
        origin = f"{report.command}: " if report.command else ""
        super().__init__(
            sentence or f"{origin}{report.in_full} [{report.category}, {report.fully_qualified_id}]"
        )


class EndpointRefusesCommand(CommandError):
    pass


class CmdletNotOffered(CommandError):
    pass


class ParameterNotKnown(CommandError):
    pass


class ValueNotAllowed(CommandError):
    pass


class ObjectNotFound(CommandError):
    pass


class SecondHopDenied(CommandError):
    pass


def cmdlet_not_offered(
    endpoint: Endpoint, cmdlet: str, report: ErrorReport | None = None
) -> CmdletNotOffered:
    return CmdletNotOffered(
        report
        or ErrorReport(
            f"{cmdlet} is not offered", "ObjectNotFound", "CommandNotFoundException", command=cmdlet
        ),
        f"{endpoint.url} does not offer {cmdlet} to {endpoint.account}: either no RBAC role of the account includes "
        "it, or this version of the server does not have it. Get-CsAdminRole | Where-Object "
        f"{{$_.Cmdlets -match '{cmdlet}'}} lists the roles that do.",
    )


# -- reading error records --------------------------------------------------------------------------------------------

# PowerShell's own identifiers (its parameter binder and parser); they are the same in every language. The exception's
# type is not: it is ParentContainsErrorRecordException in a record that did not end its pipeline.
_UNKNOWN_COMMAND = "CommandNotFoundException"
_UNKNOWN_PARAMETER = "NamedParameterNotFound"
_LANGUAGE_MODE = "ScriptsNotAllowed"
# CannotConvertArgument and CannotConvertArgumentNoMessage; ParameterArgumentValidationError alone and with what is not
# allowed: null, an empty text, array or collection; ParameterArgumentTransformationError; ParameterBindingFailed, where
# the parameter's own setter refuses.
_REFUSED_VALUES = ("CannotConvertArgument", "ParameterArgument", "ParameterBindingFailed")

SQL_EXCEPTIONS = frozenset({"System.Data.SqlClient.SqlException", "Microsoft.Data.SqlClient.SqlException"})
# Microsoft Learn, MSSQLSERVER_18456: the login failed.
_SQL_LOGIN_FAILED = 18456
# Logons that a server can pass on to the next one. Kerberos can where it is delegated, which the server decides.
_PASSED_ON = frozenset({"basic", "credssp"})


def classify_report(report: ErrorReport, endpoint: Endpoint) -> CommandError:
    """The error class for one error record; `CommandError` itself where no cause is recognised."""
    identifier = report.identifier
    command = report.command or report.target or "The command"
    if identifier == _UNKNOWN_COMMAND:
        return cmdlet_not_offered(endpoint, report.target or command, report)
    if identifier == _UNKNOWN_PARAMETER:
        return ParameterNotKnown(
            report,
            f"{command} has no parameter {report.parameter} on this version of the server ({endpoint.url})."
            if report.parameter
            else f"{command} lacks a parameter on this version of the server ({endpoint.url}): {report.message}",
        )
    if identifier.startswith(_REFUSED_VALUES):
        return ValueNotAllowed(report, f"{command} does not accept a value: {report.in_full}")
    if identifier == _LANGUAGE_MODE:
        return EndpointRefusesCommand(
            report,
            f"The constrained endpoint {endpoint.url} refuses {command}: {report.message}",
        )
    if _is_second_hop(report, endpoint):
        return SecondHopDenied(
            report,
            f"{command} was refused when {endpoint.host} passed the request on to the Central Management Store or "
            f"Active Directory ({report.message}): a {endpoint.authentication} logon can be used for a second hop only "
            "where it is delegated. Use the pool's /OcsPowershell endpoint, or ansible_psrp_auth: credssp, or Kerberos "
            "with ansible_psrp_negotiate_delegate: true. Where that is done already, the account lacks rights there.",
        )
    if report.category == "ObjectNotFound":
        return ObjectNotFound(report, f"{command}: {report.in_full}")
    return CommandError(report)


def _is_second_hop(report: ErrorReport, endpoint: Endpoint) -> bool:
    """SQL Server refused the account in which the request arrived. That alone does not tell an account without rights
    from one whose logon could not be passed on; only a logon that is never passed on is the latter.
    """
    refused = report.sql_error_number == _SQL_LOGIN_FAILED or (
        report.category == "PermissionDenied" and not SQL_EXCEPTIONS.isdisjoint(report.exception_types)
    )
    return refused and endpoint.authentication not in _PASSED_ON
