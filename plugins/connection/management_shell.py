# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: management_shell
short_description: Speak to a Lync or Skype for Business Server in Management Shell commands
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Opens a PowerShell Remoting session on a Lync Server or Skype for Business Server computer and runs structured
    commands in it. No script text is ever sent, so that it works in the constrained session of C(/OcsPowershell) as
    well as over WinRM.
  - It takes the variables of the P(ansible.builtin.psrp#connection) connection plugin. An inventory that works with
    that one works here by changing C(ansible_connection).
  - One session is opened for each host and run. A worker that finishes leaves it to the next, which goes on without
    opening another; the note it leaves lies in the run's private temporary folder, readable for its owner alone, and
    holds no secret but a load balancer's cookie. Workers that use a host at the same time share two sessions at
    most, or one where the server allows the account no more, and wait for each other.
  - Only the modules of this collection can be used on such a host, and M(ansible.builtin.ping) and
    M(ansible.builtin.wait_for_connection), which open a session. M(ansible.builtin.gather_facts),
    M(ansible.builtin.raw), M(ansible.builtin.copy) and C(become) are refused with a sentence that says so.
requirements:
  - pypsrp >= 0.9 in the Python that runs Ansible
options:
  remote_addr:
    description: Name or address of the server. For settings of the deployment this is the pool's FQDN.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_psrp_host
  inventory_hostname:
    description: The inventory's name for the server, by which it is called in diffs.
    type: str
    vars:
      - name: inventory_hostname
  remote_user:
    description:
      - The account, as C(DOMAIN\user) or C(user@domain). Leave it out to use the Kerberos ticket of the person who
        runs Ansible.
    type: str
    vars:
      - name: ansible_user
      - name: ansible_psrp_user
    keyword:
      - name: remote_user
  remote_password:
    description: The account's password.
    type: str
    aliases: [password]
    vars:
      - name: ansible_password
      - name: ansible_winrm_pass
      - name: ansible_winrm_password
  port:
    description:
      - The port. Default is V(5986), or V(5985) if O(protocol=http). The C(/OcsPowershell) endpoint of a pool listens
        on V(443).
    type: int
    vars:
      - name: ansible_port
      - name: ansible_psrp_port
    keyword:
      - name: port
  protocol:
    description: Default is V(https), unless O(port=5985).
    type: str
    choices: [http, https]
    vars:
      - name: ansible_psrp_protocol
  path:
    description: The path, V(OcsPowershell) for a pool's own endpoint, V(wsman) for WinRM.
    type: str
    default: wsman
    vars:
      - name: ansible_psrp_path
  auth:
    description: How to authenticate. V(negotiate) tries Kerberos first and falls back to NTLM.
    type: str
    choices: [basic, certificate, negotiate, kerberos, ntlm, credssp]
    default: negotiate
    vars:
      - name: ansible_psrp_auth
  cert_validation:
    description: Whether the server's certificate is validated. V(ignore) makes the connection open to interception.
    type: str
    choices: [validate, ignore]
    default: validate
    vars:
      - name: ansible_psrp_cert_validation
  ca_cert:
    description: A PEM file of certificate authorities to trust in place of this machine's own.
    type: path
    aliases: [cert_trust_path]
    vars:
      - name: ansible_psrp_cert_trust_path
      - name: ansible_psrp_ca_cert
  connection_timeout:
    description: How long to wait for a connection, in seconds.
    type: int
    default: 30
    vars:
      - name: ansible_psrp_connection_timeout
  read_timeout:
    description:
      - How long to wait for an answer, in seconds. Must be more than O(operation_timeout); another value is refused.
    type: int
    default: 30
    vars:
      - name: ansible_psrp_read_timeout
  operation_timeout:
    description:
      - After how many seconds the server answers even if a command has nothing to say yet. The command goes on.
    type: int
    default: 20
    vars:
      - name: ansible_psrp_operation_timeout
  command_timeout:
    description:
      - How long a call of commands may take in all, in seconds. After that it is stopped and the task fails.
      - A task waits as long, and O(open_timeout) more, for a session that other tasks of the run use.
    type: int
    default: 600
    vars:
      - name: ansible_management_shell_command_timeout
  open_timeout:
    description:
      - How long a server may take to open a session, in seconds. One that loads its Management Shell for the first time
        may take minutes.
    type: int
    default: 180
    vars:
      - name: ansible_management_shell_open_timeout
  idle_timeout:
    description:
      - After how many seconds without a request the server ends the session by itself. A task that finds it gone opens
        another.
      - This is what ends a session that no task has closed (O(keep_session)). Windows takes no less than 60.
      - Default is V(300), or V(60) where the server says that it is Windows Remote Management 2.0, which allows an
        account five sessions at a time. It is asked before a session is opened, which takes one request; give the
        option to save that.
    type: int
    vars:
      - name: ansible_management_shell_idle_timeout
  keep_session:
    description:
      - Whether the session stays open after a task, for the host's next one to go on with.
      - V(false) closes it after the task. Set it for the last task of a play, so that the server need not wait for
        O(idle_timeout); Windows Server 2008 R2 allows an account five sessions at a time.
    type: bool
    default: true
    vars:
      - name: ansible_management_shell_keep_session
  management_module:
    description:
      - The PowerShell module to import where the endpoint has it, but does not offer its cmdlets.
      - V(auto) tries C(Lync) and C(SkypeForBusiness), once a session, and only if a cmdlet was not found.
    type: str
    choices: [auto, Lync, SkypeForBusiness, none]
    default: auto
    vars:
      - name: ansible_management_shell_module
  reconnection_retries:
    description:
      - How often to try again when the server cannot be reached, or a gateway before it gets no answer from it (HTTP
        status 502, 503, 504). A command that may have taken effect is never repeated.
    type: int
    default: 2
    vars:
      - name: ansible_psrp_reconnection_retries
  reconnection_backoff:
    description: The wait before the first new try, in seconds. It doubles each time.
    type: float
    default: 2
    vars:
      - name: ansible_psrp_connection_backoff
      - name: ansible_psrp_reconnection_backoff
  message_encryption:
    description:
      - Encryption of the messages themselves, with the keys of Kerberos, NTLM or CredSSP.
      - V(auto) means over HTTP, V(always) over HTTPS too. V(never) sends everything in the clear over HTTP.
    type: str
    choices: [auto, always, never]
    default: auto
    vars:
      - name: ansible_psrp_message_encryption
  proxy:
    description: The URL of a proxy.
    type: str
    vars:
      - name: ansible_psrp_proxy
  ignore_proxy:
    description: Do not use the proxy that the environment names.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_ignore_proxy
  certificate_key_pem:
    description: The key's file for O(auth=certificate).
    type: path
    vars:
      - name: ansible_psrp_certificate_key_pem
  certificate_pem:
    description: The certificate's file for O(auth=certificate).
    type: path
    vars:
      - name: ansible_psrp_certificate_pem
  certificate_key_password:
    description: The password of O(certificate_key_pem).
    type: str
    vars:
      - name: ansible_psrp_certificate_key_password
  credssp_auth_mechanism:
    description: What CredSSP authenticates with.
    type: str
    choices: [auto, kerberos, ntlm]
    default: auto
    vars:
      - name: ansible_psrp_credssp_auth_mechanism
  credssp_disable_tlsv1_2:
    description: Use TLS 1.0 for CredSSP's own channel.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_credssp_disable_tlsv1_2
  credssp_minimum_version:
    description: The lowest version of CredSSP to accept. V(5) is the first without CVE-2018-0886.
    type: int
    default: 2
    vars:
      - name: ansible_psrp_credssp_minimum_version
  negotiate_delegate:
    description: Let the server use the account on other servers (Kerberos delegation).
    type: bool
    vars:
      - name: ansible_psrp_negotiate_delegate
  negotiate_hostname_override:
    description: The server's name in Kerberos, where it differs from O(remote_addr).
    type: str
    vars:
      - name: ansible_psrp_negotiate_hostname_override
  negotiate_send_cbt:
    description: Bind the authentication to the TLS channel.
    type: bool
    default: true
    vars:
      - name: ansible_psrp_negotiate_send_cbt
  negotiate_service:
    description: The service part of the server's name in Kerberos.
    type: str
    default: host
    vars:
      - name: ansible_psrp_negotiate_service
  max_envelope_size:
    description:
      - The largest message to send, in bytes. Servers with PowerShell 3 and later take 512000, which is used once
        their version is known.
    type: int
    default: 153600
    vars:
      - name: ansible_psrp_max_envelope_size
  configuration_name:
    description: The PowerShell session configuration.
    type: str
    default: Microsoft.PowerShell
    vars:
      - name: ansible_psrp_configuration_name
  no_profile:
    description: Do not load the account's Windows profile.
    type: bool
    default: false
    vars:
      - name: ansible_psrp_no_profile
notes:
  - "This is the whole of what an inventory needs for a pool's own endpoint: C(ansible_connection:
    lync.remediation.management_shell), C(ansible_port: 443), C(ansible_psrp_path: OcsPowershell), and an account."
"""

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

if TYPE_CHECKING:
    from ..plugin_utils.powershell.session import Session

# pypsrp logs whole messages at DEBUG and expected faults at ERROR; what matters reaches the user as a
# sentence.
for _library in ("pypsrp", "urllib3", "spnego"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

# The module's name in what Ansible sends to run it.
_PING = re.compile(rb"module_fqn='ansible\.(?:modules|legacy|builtin)\.ping'|\bansible[./]modules[./]ping\b")


class Connection(ConnectionBase):
    """A host that is spoken to in commands. `session` is what the collection's action plugins use."""

    transport = "lync.remediation.management_shell"
    has_pipelining = True
    always_pipeline_modules = True
    allow_executable = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The host's session. Nothing is sent before the first command."""
        # pypsrp is slow to load. The action plugins load it once, in Ansible's parent process; a worker
        # that only runs something like debug on this host has no use for it.
        from ..plugin_utils.powershell.options import ConnectionOptions
        from ..plugin_utils.powershell.session import Session

        # Ansible goes on with this object for all items of a loop, and sets the options of each.
        options = ConnectionOptions.from_plugin(self.get_option)
        if self._session is not None and self._session.options != options:
            self._session.leave()
            self._session = None
        if self._session is None:
            self._session = Session(options, C.DEFAULT_LOCAL_TMP)
        # Without this Ansible makes a new connection for each item, and forgets the one before unclosed.
        self._connect()
        return self._session

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def close(self) -> None:
        if self._session is not None:
            self._session.leave()
            self._session = None
        self._connected = False

    def reset(self) -> None:
        """Never raises: whatever comes out of this ends the whole of ansible-playbook."""
        try:
            self.session.end()
        except Exception as error:
            Display().warning(
                f"{self.get_option('remote_addr')}: sessions of this run could not be closed, and end by their idle "
                f"time-out. {error}"
            )
        self._session = None
        self._connected = False

    @property
    def transport_test(self) -> NoReturn:
        """There is none. But M(ansible.builtin.wait_for_connection) asks for it before it begins to wait, when options
        that no server can make work can still end the task: in its loop it takes every exception for a server that is
        not there yet.
        """
        from ..plugin_utils.powershell.errors import ManagementShellError

        try:
            self.session.check_options()
        except ManagementShellError as error:
            raise AnsibleError(str(error)) from None
        raise AttributeError("transport_test")

    def update_vars(self, variables: dict[str, Any]) -> None:
        """The module ping is the only one that is let through, and no Python on the server has to be looked for."""
        super().update_vars(variables)
        variables.setdefault("ansible_python_interpreter", sys.executable)

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Answers the module ping, which M(ansible.builtin.wait_for_connection) asks until there is an answer."""
        if in_data is None or not _PING.search(in_data):
            self._refuse()
        from ..plugin_utils.powershell.errors import ManagementShellError

        try:
            self.session.reach()
        except ManagementShellError as error:
            raise AnsibleConnectionFailure(str(error)) from None
        return 0, b'{"ping": "pong"}', b""

    def put_file(self, in_path: str, out_path: str) -> NoReturn:
        self._refuse()

    def fetch_file(self, in_path: str, out_path: str) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise AnsibleError(
            f"{self.get_option('remote_addr')} is reached with the connection lync.remediation.management_shell, which "
            "runs Management Shell commands only: gathering facts (set gather_facts: false), raw, script, copy, "
            "become and modules of other collections need a connection such as ansible.builtin.psrp, or delegate_to: "
            "localhost."
        )
