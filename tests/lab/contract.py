# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two halves of the lab know of each other.

The protocol half (``wsman``, ``psrp``) turns bytes into commands; the deployment half (``deployment``, ``cmdlets``)
answers commands as a Lync server would.  The protocol half loads the other by one call::

    from lab.deployment import load_deployment      # (path: pathlib.Path) -> Deployment

Threads: ``Server.accounts``, ``Server.open_runspace``, ``Deployment.*`` are called on the event loop and must be quick
(further runspaces of a pool are opened on worker threads).
``Runspace.run`` is called on a worker thread, one call at a time per runspace.  Many runspaces run at once, so what
they share (the Central Management Store, services, clocks) is locked by the deployment half.

Scripts: a command with ``is_script`` carries the whole script text in ``name``.  A constrained runspace refuses it
("The syntax is not supported by this runspace. ..."); a full one runs plain command lines
(``lab.powershell.command_lines``), and calls ``Streams.host_exit`` for ``exit``.

Values: everything that crosses is a psrpcore value (``psrpcore.types``: PSString, PSInt, PSBool, PSObject subclasses,
PSList, PSDict ...) or a plain ``str``, ``bool``, ``int``, ``list``, ``dict``, ``None`` that psrpcore converts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the command line reads this file as well, and takes no time for the protocol
    from psrpcore.types import ErrorRecord


@dataclass(eq=False)
class Account:
    """A Windows account a server accepts (its domain's, or its own when in a workgroup).

    A client may call it 'CONTOSO\\uc-admin', 'uc-admin@contoso.com' or 'uc-admin'; case does not count.
    """

    name: str  # 'CONTOSO\\uc-admin', as the deployment file spells it
    password: str
    principal: str = ""  # 'uc-admin@CONTOSO.COM': user principal name, also what Kerberos verifies
    refusal: str | None = (
        None  # why a correct password is refused all the same: 'locked', 'disabled', 'expired'
    )


@dataclass(frozen=True)
class Caller:
    """Who is at the other end of a connection, verified."""

    account: str  # Account.name
    authentication: str  # 'basic', 'ntlm', 'kerberos', 'credssp' or 'certificate'
    delegated: bool  # True if a second hop to another computer works: Basic, CredSSP, delegated Kerberos


@dataclass(frozen=True)
class Argument:
    """One parameter as the client gave it; a positional one has no name."""

    name: str | None  # without the dash
    value: Any
    bare: bool = False  # a name alone, as typed: its value, if it needs one, is the next argument


@dataclass(frozen=True)
class CommandCall:
    name: str  # or the script text
    arguments: tuple[Argument, ...] = ()
    is_script: bool = False


#: Commands joined by ``|``.
Statement = tuple[CommandCall, ...]


class TerminatingError(Exception):
    """A statement-terminating error."""

    def __init__(self, record: ErrorRecord) -> None:
        super().__init__(str(record))
        self.record = record


class PipelineStopped(Exception):
    """The client stopped the pipeline while a command was running; let it pass through."""


class WsmanRefusal(Exception):
    """A shell is refused with a WSMan fault: numeric code (MS-WSMV / winerror), and the text for people."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class CommandEntry:
    """One executed command, for the journal. The deployment half fills it in while the command runs."""

    name: str
    statement: int = 0  # index of the statement in the pipeline
    parameters: Mapping[str, Any] = field(default_factory=dict)  # bound, JSON-able, secrets left out
    writes: bool = False  # True only if it changed (or tried to change) the deployment; -WhatIf does not
    result: str = "completed"  # or the fully qualified error id
    answer: str | None = (
        None  # what it said in short, of those by which careful clients decide what to do next
    )
    effective: bool = True  # False: a fault wants the command to report success without doing anything


class Streams(Protocol):
    """Where a pipeline's results go. Thread safe."""

    #: Set when the client signals a stop (or its shell is gone). Wait on this instead of sleeping.
    stopped: threading.Event

    def output(self, value: Any) -> None: ...

    def error(self, record: ErrorRecord) -> None: ...

    def warning(self, text: str) -> None: ...

    def verbose(self, text: str) -> None: ...

    def debug(self, text: str) -> None: ...

    def host_write_line(self, text: str) -> None:
        """A line on the client's host, which is where ``What if: ...`` and Write-Host (before 5.0) go."""

    def host_exit(self, code: int) -> None:
        """``exit`` of a script: the client's host is told the exit code (SetShouldExit)."""

    def finish(self, failure: ErrorRecord | None = None) -> Streams:
        """Tell the client now that the pipeline is over, Completed or Failed; streams for what runs on unheard."""

    def host_prompt_for_choice(self, caption: str, message: str, choices: Sequence[str], default: int) -> int:
        """Ask the client's host (-Confirm) and wait for its answer."""

    def command(
        self, name: str, statement: int = 0, program: bool = False
    ) -> AbstractContextManager[CommandEntry]:
        """Around the execution of one command, after its parameters were bound.

        ``program`` says that the command is a native program: a child process of the shell.  Where the shell has as
        many processes as it may have, a TerminatingError is raised instead.

        Entering applies injected faults (hang, delay, connection dropped before the effect, a cmdlet error raised as
        TerminatingError); leaving writes the journal entry and applies those that come after the effect.  A
        TerminatingError that passes through sets ``entry.result`` by itself.
        """


class Runspace(Protocol):
    """One PowerShell runspace pool of one caller, implemented by the deployment half."""

    def run(self, statements: Sequence[Statement], streams: Streams, input: Sequence[Any]) -> None:
        """Run the statements in order (PowerShell's batch invocation).

        A TerminatingError that leaves run() makes the pipeline Failed with that record; see
        :class:`lab.powershell.engine.Engine` for what it does to the statements that follow.  ``input`` is what the
        client sent as pipeline input.
        """

    def close(self) -> None: ...


@dataclass(frozen=True)
class Listener:
    """One listening socket of a server."""

    scheme: str  # 'http' or 'https'
    port: int
    paths: tuple[str, ...] = ("/wsman",)  # '/OcsPowershell' for the web service
    authentication: frozenset[str] = frozenset(
        {"negotiate", "ntlm", "kerberos"}
    )  # also basic, credssp, certificate
    allow_unencrypted: bool = False  # WinRM's AllowUnencrypted: plain SOAP over HTTP
    certificate: str = "valid"  # 'valid', 'expired', 'wrong_name' or 'self_signed'
    channel_binding: str = "relaxed"  # WinRM's CbtHardeningLevel: 'none', 'relaxed' or 'strict'


@dataclass(frozen=True)
class Quotas:
    """WinRM's limits. 0 stands for what the server's version of WinRM ships with (WINRM_2, WINRM_3).

    Source: Microsoft Learn, "Installation and configuration for Windows Remote Management" and "Quota management for
    remote shells"; MS-WSMV 2.2.4.10 and following.
    """

    shells_per_user: int = 0  # MaxShellsPerUser
    concurrent_users: int = 0  # MaxConcurrentUsers: accounts with shells
    operations_per_user: int = 0  # MaxConcurrentOperationsPerUser: pipelines not yet given a Terminate signal
    commands_per_shell: int = 0  # MaxConcurrentCommandsPerShell: the same, of one shell
    processes_per_shell: int = 0  # MaxProcessesPerShell: the shell's own one and native programs it runs
    memory_per_shell_mb: int = 0  # MaxMemoryPerShellMB
    envelope_size_kb: int = 0  # MaxEnvelopeSizekb
    idle_timeout_s: float = 0  # IdleTimeout, when the client asks for none
    idle_timeout_minimum_s: float = 0  # New-PSSessionOption -IdleTimeout: at least one minute
    operation_timeout_s: float = 0  # MaxTimeoutms: the most a client gets, and what it gets unless it asks

    def on(self, protocol_version: str) -> Quotas:
        """These limits with every 0 filled in for a server of that PSRP version."""
        shipped = WINRM_2 if protocol_version == "2.1" else WINRM_3
        return replace(shipped, **{name: value for name, value in vars(self).items() if value})


#: Windows Server 2008 R2, with PowerShell 2.0.
WINRM_2 = Quotas(
    shells_per_user=5,
    concurrent_users=5,
    operations_per_user=15,
    commands_per_shell=15,
    processes_per_shell=15,
    memory_per_shell_mb=150,
    envelope_size_kb=150,
    idle_timeout_s=180.0,
    idle_timeout_minimum_s=60.0,
    operation_timeout_s=60.0,
)
#: Windows Server 2012 and later.
WINRM_3 = Quotas(
    shells_per_user=30,
    concurrent_users=10,
    operations_per_user=1500,
    commands_per_shell=1000,
    processes_per_shell=25,
    memory_per_shell_mb=1024,
    envelope_size_kb=500,
    idle_timeout_s=7200.0,
    idle_timeout_minimum_s=60.0,
    operation_timeout_s=60.0,
)


@dataclass(frozen=True)
class Timings:
    request_delay_s: float = 0.0  # added to every HTTP request
    session_open_delay_s: float = 0.0  # added once, to opening a runspace pool


class Server(Protocol):
    """One simulated computer (or web service of a pool), implemented by the deployment half."""

    name: str  # inventory host name, e.g. the fully qualified domain name
    fqdn: str
    address: str  # 127.0.x.y
    listeners: Sequence[Listener]  # the first is the one written to the inventory
    protocol_version: str  # PSRP: '2.1' for PowerShell 2.0, '2.2' for 3.0 and 4.0, '2.3' for 5.1
    powershell_version: str  # $PSVersionTable.PSVersion, e.g. '5.1.14393.1884'
    clr_version: str  # '2.0.50727.5420' or '4.0.30319.42000'
    build_version: str  # '6.1.7601.17514'
    accounts: Sequence[Account]  # who may authenticate at all (a domain member: the domain's and its own)
    quotas: Quotas
    timings: Timings
    groups: Sequence[str]  # inventory groups, outermost first: ('front_ends', 'pool01'), ('management',)
    inventory_account: Account  # whose name and password are written to the inventory
    inventory_authentication: str  # value of ansible_psrp_auth
    inventory_variables: Mapping[str, Any]  # more host variables
    keytab: str | None  # for the Kerberos acceptor; None: no Kerberos

    @property
    def clock_offset_s(self) -> float:
        """Its clock less the domain controller's, by whose time Kerberos tickets are made."""

    @property
    def down_s(self) -> float:
        """How long the computer is still down, as while it reboots: nobody listens then. 0: it is up."""

    def open_runspace(self, caller: Caller, path: str, configuration_name: str) -> Runspace:
        """One runspace; a pool of several calls this for each, and close() for each.

        Raises WsmanRefusal: no rights (code 5), unknown session configuration (2150858811), endpoint disabled.
        """


class Deployment(Protocol):
    """Everything of one deployment file."""

    name: str
    servers: Sequence[Server]
    #: What goes wrong from the start and again after every reset: ``kind``, ``server``, and the options of inject().
    faults: Sequence[Mapping[str, Any]]
    #: Set by the protocol half; to be called, from any thread, when a computer goes down.
    went_down: Callable[[], None]

    @property
    def fault_kinds(self) -> Mapping[str, str]:
        """What inject() understands: a kind, and one line of help."""

    def inject(self, kind: str, server: Server | None, options: Mapping[str, str]) -> str:
        """Change the modelled deployment while it runs (replication stuck, a service that does not start, ...).

        Returns a sentence for people; raises ValueError with one.
        """

    def status(self) -> Mapping[str, Any]:
        """What ``lab status`` shows of the modelled deployment (JSON-able)."""

    def watch(self, tell: Callable[..., None]) -> None:
        """Call ``tell(event, server, **details)`` for what happens besides commands, as the journal has it."""

    def reset(self) -> None:
        """Back to the state of the deployment file."""

    def close(self) -> None:
        """Stop background work (replication)."""
