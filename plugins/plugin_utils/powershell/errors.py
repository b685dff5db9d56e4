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

from .results import ErrorReport, Results

_NOTHING = Results()


@dataclass(frozen=True)
class Endpoint:
    """Where a session was to be opened and for whom; only what may be shown to a person.

    ``name`` is the inventory's name for it, ``host`` the name or address that is connected to, ``proxy`` the URL of the
    proxy between, without a password, and where that comes from.
    """

    url: str
    name: str
    host: str
    user: str | None
    authentication: str
    configuration_name: str
    proxy: tuple[str, str] | None = None

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
        clock = (
            " Check the clocks as well: Kerberos refuses where those of this machine, the server and the domain "
            "controller are more than five minutes apart."
            if endpoint.authentication in ("kerberos", "negotiate", "credssp")
            else ""
        )
        super().__init__(
            f"{endpoint.url} refused to authenticate {endpoint.account} with {endpoint.authentication}{detail}. Check "
            "ansible_user, ansible_password and ansible_psrp_auth, and that the account is neither locked nor expired."
            f"{clock}"
        )


class LibraryForAuthenticationMissing(ConnectionRefused):
    """No server was asked."""

    unreachable = False

    def __init__(self, endpoint: Endpoint, reason: str) -> None:
        packages = {"credssp": "pypsrp[credssp]"}.get(endpoint.authentication, "pypsrp[kerberos]")
        is_ntlm_possible = endpoint.authentication == "negotiate"
        super().__init__(
            f"ansible_psrp_auth: {endpoint.authentication} needs a library that the Python that runs Ansible cannot "
            f"load ({reason.rstrip('.')}). Install it there: pip install '{packages}'."
            f"{' Or give ansible_user and ansible_password: NTLM does without it.' if is_ntlm_possible else ''}"
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


class OpeningTimedOut(ConnectionRefused):
    def __init__(self, endpoint: Endpoint, seconds: int) -> None:
        super().__init__(
            f"{endpoint.url} did not open a session within {seconds} seconds. A server that loads its Management Shell "
            "for the first time, or under load, may need longer: raise ansible_management_shell_open_timeout."
        )


class SessionsBusy(ConnectionRefused):
    """Every session that a run opens on a host was in use by its other tasks; no server was asked."""

    unreachable = False

    def __init__(self, endpoint: Endpoint, sessions: int, seconds: float) -> None:
        super().__init__(
            f"All {sessions} sessions that a run opens at {endpoint.url} have been in use by its other tasks for "
            f"{seconds:g} seconds. Let fewer tasks use one host at the same time (throttle: {sessions}), or raise "
            "ansible_management_shell_command_timeout, which this wait goes by."
        )


class SessionNotKnown(ConnectionRefused):
    """A session that was just opened is unknown: the request was answered by another server than opened it."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(
            f"{endpoint.url} does not know the session that was opened there a moment ago. A load balancer that sends "
            "the requests of one session to several servers does this: give it persistence, by source address or by a "
            "cookie, or name one server with ansible_host. Otherwise the server has been restarted meanwhile."
        )


class ProxyRefused(ConnectionRefused):
    """``status`` is what the proxy answered, if it did."""

    def __init__(self, endpoint: Endpoint, status: int | None, reason: str) -> None:
        url, origin = endpoint.proxy or ("that requests go through", "where it is set is not known")
        explanation = {
            407: "it wants credentials (HTTP status 407), which are given in its URL",
            403: "it forbids the connection (HTTP status 403)",
        }.get(status or 0, f"HTTP status {status}" if status else reason)
        super().__init__(
            f"No connection to {endpoint.url} through the proxy {url} (from {origin}): {explanation}. Where the server "
            "can be reached without it, set ansible_psrp_ignore_proxy: true, or name the server in the environment "
            "variable no_proxy."
        )


class MessageTooLarge(ConnectionRefused):
    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(
            f"{endpoint.url} takes no message of this size (HTTP status 413): its MaxEnvelopeSizekb (winrm/config) is "
            "smaller than ansible_psrp_max_envelope_size, or something before it has a limit of its own. Lower "
            "ansible_psrp_max_envelope_size."
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


class OutcomeUnknown(ManagementShellError):
    """Commands were handed over, or may have been, and their answer is not complete: they may have taken effect.

    ``commands`` are their names. ``ended`` tells that the final state of each of their pipelines was received in the
    end: nothing of them is still at work. An acknowledged stop or deletion alone does not set it. ``results`` is what
    had been answered by then.
    """

    def __init__(self, sentence: str, commands: Sequence[str], *, ended: bool, results: Results) -> None:
        super().__init__(sentence)
        self.commands = tuple(commands)
        self.ended = ended
        self.results = results


class LostInMidCommand(OutcomeUnknown):
    """The connection broke after a command was handed over, or the server refused the rest of a change."""

    def __init__(
        self,
        endpoint: Endpoint,
        commands: Sequence[str],
        reason: str,
        *,
        ended: bool = False,
        results: Results = _NOTHING,
        changes: bool = True,
    ) -> None:
        effect = f": {_effect(ended)}" if changes else ""
        super().__init__(
            f"The connection to {endpoint.url} was lost while {_listed(commands)} ran ({reason.rstrip('.')}){effect}.",
            commands,
            ended=ended,
            results=results,
        )
        self.reason = reason


class UnreadableAnswer(OutcomeUnknown):
    """Commands ran to their end, and not all of what they answered can be read."""

    def __init__(
        self, endpoint: Endpoint, commands: Sequence[str], problem: str, *, results: Results, changes: bool
    ) -> None:
        effect = " Whether it took effect does not show in that." if changes else ""
        super().__init__(
            f"What {endpoint.url} answered to {_listed(commands)} cannot be read: {problem}{effect}",
            commands,
            ended=True,
            results=results,
        )


COMMAND_TIMEOUT = "Raise ansible_management_shell_command_timeout where the server is known to need longer."


class TimedOut(OutcomeUnknown):
    """Commands ran for longer than they were given, and were told to stop."""

    def __init__(
        self,
        endpoint: Endpoint,
        commands: Sequence[str],
        seconds: float,
        *,
        ended: bool = False,
        results: Results = _NOTHING,
        changes: bool = True,
        remedy: str = COMMAND_TIMEOUT,
    ) -> None:
        effect = f": {_effect(ended)}" if changes else ""
        super().__init__(
            f"{_listed(commands)} did not finish within {seconds:g} seconds at {endpoint.url}{effect}."
            + (remedy and f" {remedy}"),
            commands,
            ended=ended,
            results=results,
        )
        self.seconds = seconds


def _effect(ended: bool) -> str:
    if ended:
        return "it has ended since, and whether it took effect is not known"
    return "whether it took effect is not known, and it may still be at work"


def _listed(commands: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(commands))


class CommandError(ManagementShellError):
    """A command was accepted and failed; ``report`` is what the server said. Subclasses know the cause."""

    def __init__(self, report: ErrorReport, sentence: str | None = None) -> None:
        self.report = report
        origin = f"{report.command}: " if report.command else ""
        kind = ", ".join(filter(None, (report.category, report.fully_qualified_id)))
        super().__init__(sentence or f"{origin}{report.in_full} [{kind}]")


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
    if not SQL_EXCEPTIONS.isdisjoint(report.exception_types) and not _is_login_refused(report):
        return CommandError(
            report,
            f"{CommandError(report)} It is the database of the Central Management Store that failed, which an Edge "
            "Server cannot reach at all: ask a pool's endpoint, /OcsPowershell, for what the store holds.",
        )
    return CommandError(report)


def _is_second_hop(report: ErrorReport, endpoint: Endpoint) -> bool:
    """SQL Server refused the account in which the request arrived. That alone does not tell an account without rights
    from one whose logon could not be passed on; only a logon that is never passed on is the latter.
    """
    return _is_login_refused(report) and endpoint.authentication not in _PASSED_ON


def _is_login_refused(report: ErrorReport) -> bool:
    return report.sql_error_number == _SQL_LOGIN_FAILED or (
        report.category == "PermissionDenied" and not SQL_EXCEPTIONS.isdisjoint(report.exception_types)
    )
