# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: topology
short_description: Take hosts and groups from the topology of a deployment
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Reads sites, pools, computers, services and the version from one endpoint of a Lync Server or Skype for Business
    Server deployment, and makes hosts and groups of them, with the variables that the playbooks of this collection
    need. M(lync.remediation.topology_info) returns the same as data.
  - A computer is a host by its FQDN in lower case. The endpoint that was asked is the host C(<pool>_management) in
    the group C(management), and alone there, since one endpoint speaks for the whole deployment. Those of other pools
    are in C(management_endpoints) beside it.
  - A computer is in the group of what its pool is, which is C(front_ends), C(edges), C(directors), C(mediation),
    C(persistent_chat) or C(survivable_branches). It is also in C(pool_<fqdn>), C(site_<name>), C(role_<role>) for each
    of the pool's roles, and C(version_<number>). What a group's name cannot hold becomes an underscore. The number is
    that of the pool's services, V(5) for 2010, V(6) for 2013, V(7) for 2015, V(8) for 2019 and Subscription Edition.
  - C(pool_<fqdn>) is a child of the pool's other groups, so that its variables take precedence over those of its
    site or kind.
    The group C(lync) holds everything.
  - Every host has C(ansible_host), C(lync_pool), C(lync_site), C(lync_roles) and C(lync_version). The group C(lync)
    sets C(ansible_connection), and C(management_endpoints) sets C(ansible_port), C(ansible_psrp_path) and
    C(ansible_psrp_protocol). How to authenticate on the hosts is not known from the topology, and the account given
    here may be one that only reads. That belongs in C(group_vars) beside the file, as C(inventory.example) shows.
  - SQL Servers, file stores, gateways, witnesses and servers of other products are not hosts. A warning names pools,
    computers and groups that are left out because of their names, or because none of their roles is known.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [lync.remediation.topology]
  ansible_psrp_host:
    description: The FQDN of a pool that publishes C(/OcsPowershell). Any pool speaks for the whole deployment.
    type: str
    required: true
    aliases: [ansible_host]
  ansible_psrp_user:
    description:
      - The account, as C(DOMAIN\user) or C(user@domain). Leave it out to use the Kerberos ticket of the person who
        runs Ansible. The RBAC role CsViewOnlyAdministrator is enough.
    type: str
    aliases: [ansible_user]
  ansible_psrp_password:
    description: The account's password, best a vaulted value or a lookup.
    type: str
    aliases: [ansible_password]
  ansible_psrp_port:
    description: The port.
    type: int
    default: 443
    aliases: [ansible_port]
  ansible_psrp_protocol:
    description: Default is V(https), unless O(ansible_psrp_port=5985).
    type: str
    choices: [http, https]
  ansible_psrp_path:
    description: The path, V(OcsPowershell) for a pool's own endpoint, V(wsman) for WinRM.
    type: str
    default: OcsPowershell
  ansible_psrp_auth:
    description: How to authenticate. V(negotiate) tries Kerberos first and falls back to NTLM.
    type: str
    choices: [basic, certificate, negotiate, kerberos, ntlm, credssp]
    default: negotiate
  ansible_psrp_cert_validation:
    description: Whether the server's certificate is validated. V(ignore) makes the connection open to interception.
    type: str
    choices: [validate, ignore]
    default: validate
  ansible_psrp_ca_cert:
    description: A PEM file of certificate authorities to trust in place of this machine's own.
    type: path
  ansible_psrp_connection_timeout:
    description: How long to wait for a connection, in seconds.
    type: int
    default: 30
  ansible_psrp_read_timeout:
    description:
      - How long to wait for an answer, in seconds. Must be more than
        O(ansible_psrp_operation_timeout); another value is refused.
    type: int
    default: 30
  ansible_psrp_operation_timeout:
    description:
      - After how many seconds the server answers even if a command has nothing to say yet. The command goes on.
    type: int
    default: 20
  ansible_management_shell_command_timeout:
    description:
      - How long a call of commands may take in all, in seconds. After that it is stopped and nothing is read.
    type: int
    default: 600
  ansible_management_shell_open_timeout:
    description:
      - How long a server may take to open a session, in seconds. One that loads its Management Shell for the first time
        may take minutes.
    type: int
    default: 180
  ansible_management_shell_idle_timeout:
    description:
      - After how many seconds without a request the server ends the session by itself.
      - The session is closed when everything is read; this ends one that could not be. Windows takes no less than 60.
      - Default is V(300), or V(60) where the server says that it is Windows Remote Management 2.0, which allows an
        account five sessions at a time. It is asked before a session is opened, which takes one request; give the
        option to save that.
    type: int
  ansible_management_shell_module:
    description:
      - The PowerShell module to import where the endpoint has it, but does not offer its cmdlets.
      - V(auto) tries C(Lync) and C(SkypeForBusiness), once a session, and only if a cmdlet was not found.
    type: str
    choices: [auto, Lync, SkypeForBusiness, none]
    default: auto
  ansible_psrp_reconnection_retries:
    description:
      - How often to try again when the server cannot be reached, or a gateway before it gets no answer from it (HTTP
        status 502, 503, 504). A command that may have taken effect is never repeated.
    type: int
    default: 2
  ansible_psrp_reconnection_backoff:
    description: The wait before the first new try, in seconds. It doubles each time.
    type: float
    default: 2
  ansible_psrp_message_encryption:
    description:
      - Encryption of the messages themselves, with the keys of Kerberos, NTLM or CredSSP.
      - V(auto) means over HTTP, V(always) over HTTPS too. V(never) sends everything in the clear over HTTP.
    type: str
    choices: [auto, always, never]
    default: auto
  ansible_psrp_proxy:
    description: The URL of a proxy.
    type: str
  ansible_psrp_ignore_proxy:
    description: Do not use the proxy that the environment names.
    type: bool
    default: false
  ansible_psrp_certificate_key_pem:
    description: The key's file for O(ansible_psrp_auth=certificate).
    type: path
  ansible_psrp_certificate_pem:
    description: The certificate's file for O(ansible_psrp_auth=certificate).
    type: path
  ansible_psrp_certificate_key_password:
    description: The password of O(ansible_psrp_certificate_key_pem).
    type: str
  ansible_psrp_credssp_auth_mechanism:
    description: What CredSSP authenticates with.
    type: str
    choices: [auto, kerberos, ntlm]
    default: auto
  ansible_psrp_credssp_disable_tlsv1_2:
    description: Use TLS 1.0 for CredSSP's own channel.
    type: bool
    default: false
  ansible_psrp_credssp_minimum_version:
    description: The lowest version of CredSSP to accept. V(5) is the first without CVE-2018-0886.
    type: int
    default: 2
  ansible_psrp_negotiate_delegate:
    description: Let the server use the account on other servers (Kerberos delegation).
    type: bool
  ansible_psrp_negotiate_hostname_override:
    description: The server's name in Kerberos, where it differs from O(ansible_psrp_host).
    type: str
  ansible_psrp_negotiate_send_cbt:
    description: Bind the authentication to the TLS channel.
    type: bool
    default: true
  ansible_psrp_negotiate_service:
    description: The service part of the server's name in Kerberos.
    type: str
    default: host
  ansible_psrp_max_envelope_size:
    description:
      - The largest message to send, in bytes. Servers with PowerShell 3 and later take 512000, which is used once
        their version is known.
    type: int
    default: 153600
  ansible_psrp_configuration_name:
    description: The PowerShell session configuration.
    type: str
    default: Microsoft.PowerShell
  ansible_psrp_no_profile:
    description: Do not load the account's Windows profile.
    type: bool
    default: false
extends_documentation_fragment:
  - constructed
  - inventory_cache
requirements:
  - pypsrp >= 0.9 in the Python that runs Ansible
notes:
  - The file's name must end in C(topology.yml) or C(topology.yaml).
  - Values may be vaulted. Those of text may be templates with lookups and extra variables; other variables are not
    known yet when an inventory is read.
  - The cache holds the topology. It never holds an option of the connection.
seealso:
  - module: lync.remediation.topology_info
  - plugin: lync.remediation.management_shell
    plugin_type: connection
"""

EXAMPLES = r"""
---
# topology.yml, in the place of hosts.yml, with group_vars beside it. The first four lines are enough.
plugin: lync.remediation.topology
ansible_psrp_host: pool01.contoso.com
ansible_psrp_user: uc-reader@CONTOSO.COM
ansible_psrp_password: "{{ lookup('ansible.builtin.env', 'UC_READER_PASSWORD') }}"

# The topology is read once a day, and an Edge Server is reached by an address that DNS does not know.
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/lync_topology
cache_timeout: 86400
compose:
  ansible_host: "'192.0.2.10' if inventory_hostname == 'edge01.contoso.com' else ansible_host"
groups:
  standard_edition: lync_pool | lower == inventory_hostname and 'UserServer' in lync_roles
keyed_groups:
  - key: lync_pool
    prefix: maintenance
"""

from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.plugins.loader import connection_loader
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils.powershell.errors import ManagementShellError
from ..plugin_utils.powershell.options import ConnectionOptions
from ..plugin_utils.topology import deployment
from ..plugin_utils.topology.inventory import CONNECTION, NOT_OURS, Inventory
from ..plugin_utils.topology.inventory import inventory as hosts_and_groups

# What the connection calls otherwise.
_VARIABLES = {"ansible_psrp_password": "ansible_password"}


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "lync.remediation.topology"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(("topology.yml", "topology.yaml"))

    def parse(self, inventory: Any, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        self._refuse_unknown(config)
        try:
            options = self._connection_options(config)
            topology = self._topology(options, self.get_cache_key(path), cache)
        except ManagementShellError as error:
            raise AnsibleParserError(str(error)) from None
        self._populate(hosts_and_groups(topology, options.endpoint))

    def _refuse_unknown(self, config: Mapping[str, Any]) -> None:
        allowed = {
            name
            for option, its in self.option_definitions.items()
            for name in (option, *its.get("aliases", ()))
        }
        unknown = sorted(set(config) - allowed)
        if unknown:
            raise AnsibleParserError(
                f"{', '.join(unknown)}: there is no such option. Allowed are {', '.join(sorted(allowed))}."
            )

    def _connection_options(self, config: Mapping[str, Any]) -> ConnectionOptions:
        """What the connection would make of a host with these variables."""
        variables = {}
        self.templar.available_variables = self._vars
        for option, its in self.option_definitions.items():
            if not option.startswith("ansible_"):
                continue
            given = next((config[name] for name in (option, *its.get("aliases", ())) if name in config), None)
            try:
                value = self.get_option(option) if given is None else self.templar.template(given)
            except AnsibleError as error:
                raise AnsibleParserError(f"{option}: {error}") from error
            if value is not None:
                variables[_VARIABLES.get(option, option)] = value
        # Ansible knows a plugin's options once it is loaded, by the name that it was loaded under.
        connection = connection_loader.get(CONNECTION, class_only=True)
        return ConnectionOptions.from_plugin(
            C.config.get_plugin_options("connection", connection._load_name, variables=variables).__getitem__
        )

    def _topology(self, options: ConnectionOptions, key: str, cache: bool) -> deployment.Topology:
        """From the cache where that holds what this endpoint has said, and from the endpoint otherwise."""
        if not self.get_option("cache"):
            return _read(options)
        if cache:
            try:
                kept = self._cache[key]
                if kept["url"] == options.endpoint.url:
                    return deployment.from_dict(kept["topology"])
            except (KeyError, TypeError, ValueError):
                pass
        topology = _read(options)
        self._cache[key] = {"url": options.endpoint.url, "topology": topology.as_dict()}
        return topology

    def _populate(self, found: Inventory) -> None:
        for name, group in found.groups.items():
            self.inventory.add_group(name)
            for variable, value in group.variables.items():
                self.inventory.set_variable(name, variable, value)
        for name, variables in found.hosts.items():
            self.inventory.add_host(name)
            for variable, value in variables.items():
                # Up to ansible-core 2.18 a site's name could otherwise be taken for a template.
                self.inventory.set_variable(name, variable, wrap_var(value))
        for name, group in found.groups.items():
            for member in (*group.children, *group.hosts):
                self.inventory.add_child(name, member)
        for name in found.hosts:
            self._construct(name)
        for each in found.left_out:
            if each.reason == NOT_OURS:
                self.display.vv(each.sentence)
            else:
                self.display.warning(each.sentence)

    def _construct(self, host: str) -> None:
        strict = self.get_option("strict")
        self._set_composite_vars(
            self.get_option("compose"), self.inventory.get_host(host).get_vars(), host, strict=strict
        )
        variables = self.inventory.get_host(host).get_vars()
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def _read(options: ConnectionOptions) -> deployment.Topology:
    # pypsrp is slow to load, and not needed for what is in the cache.
    from ..plugin_utils.powershell.session import Session

    session = Session(options, C.DEFAULT_LOCAL_TMP)
    try:
        return deployment.read(session)
    finally:
        session.close()
