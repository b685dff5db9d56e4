# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: access_edge_configuration
short_description: Manage the Access Edge settings
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Manages the settings of the Access Edge service, which decide about federation and about access from
    outside. A deployment has one set of them, the Global one.
  - Options that are not given are never touched.
options:
  allow_anonymous_users:
    description:
      - Whether people who have not been authenticated can join meetings from outside.
    type: bool
  allow_federated_users:
    description:
      - Whether users can communicate with people in other organizations at all, public providers included.
    type: bool
  allow_outside_users:
    description:
      - Whether users and guests can reach the deployment over the Internet.
    type: bool
  routing_method:
    description:
      - How federation requests find their way, by DNS SRV records or all to one server.
      - Going over to V(UseDefaultRouting) takes O(default_route_fqdn), and that there are no public and no
        hosting providers.
    type: str
    choices: [UseDnsSrvRouting, UseDefaultRouting]
  enable_partner_discovery:
    description:
      - Whether partners are found by DNS. If not, only the domains on the list of allowed domains are
        federated with.
      - Exists only with O(routing_method=UseDnsSrvRouting).
    type: bool
  be_clearing_house:
    description:
      - Whether the Edge Servers are directly connected to other organizations. Microsoft asks not to change
        it unless its support says so.
      - Exists only with O(routing_method=UseDnsSrvRouting).
    type: bool
  discovered_partner_verification_level:
    description:
      - Which messages from discovered partners are believed to come from them. V(AlwaysVerifiable) accepts
        them all, V(AlwaysUnverifiable) only those from people on the receiver's contact list,
        V(UseSourceVerification) goes by the sender's own mark.
      - Not in Lync Server 2010.
      - Exists only with O(routing_method=UseDnsSrvRouting).
    type: str
    choices: [AlwaysVerifiable, AlwaysUnverifiable, UseSourceVerification]
  default_route_fqdn:
    description:
      - The server that all federation requests go to. It can be changed only while there are no public and
        no hosting providers.
      - Exists only with O(routing_method=UseDefaultRouting).
    type: str
  is_public_provider:
    description:
      - Whether the default route takes a licence for public instant messaging.
      - Exists only with O(routing_method=UseDefaultRouting).
    type: bool
  verification_level:
    description:
      - Which messages over the default route are believed to come from their senders. V(AlwaysVerifiable)
        accepts them all, V(AlwaysUnverifiable) only those from people on the receiver's contact list,
        V(UseSourceVerification) goes by the sender's own mark.
      - Exists only with O(routing_method=UseDefaultRouting).
    type: str
    choices: [AlwaysVerifiable, AlwaysUnverifiable, UseSourceVerification]
  enable_archiving_disclaimer:
    description:
      - Whether federated partners are told that conversations may be archived.
    type: bool
  enable_user_replicator:
    description:
      - Microsoft documents the default alone.
      - Not in Lync Server 2010.
    type: bool
  keep_crls_up_to_date_for_peers:
    description:
      - Whether the revocation lists for certificates of federated domains are checked from time to time.
    type: bool
  mark_source_verifiable_on_outgoing_messages:
    description:
      - Whether outgoing messages are marked as coming from a verified source.
    type: bool
  outgoing_tls_count_for_federated_partners:
    description:
      - The highest number of connections to a federated partner.
    type: int
  discovered_partner_standard_rate:
    description:
      - The rate that is allowed to a discovered partner.
      - Not in Lync Server 2010.
    type: int
  enable_discovered_partner_contacts_limit:
    description:
      - Whether there is protection against discovered partners who try out which users exist.
      - Not in Lync Server 2010.
    type: bool
  max_contacts_per_discovered_partner:
    description:
      - How many users a discovered partner may contact.
      - Not in Lync Server 2010.
    type: int
  discovered_partner_report_period_minutes:
    description:
      - Minutes between two reports on discovered partners.
      - Not in Lync Server 2010.
    type: int
  max_accepted_certificates_stored:
    description:
      - How many accepted certificates are remembered.
      - Not in Lync Server 2010.
    type: int
  max_rejected_certificates_stored:
    description:
      - How many rejected certificates are remembered.
      - Not in Lync Server 2010.
    type: int
  certificates_deleted_percentage:
    description:
      - The share of the remembered certificates that is dropped at a time, in percent.
      - Not in Lync Server 2010.
    type: int
  dns_srv_cache_record_count:
    description:
      - How many DNS SRV records are kept in the cache.
      - Not in Lync Server 2010 and 2013.
    type: int
  skype_search_url:
    description:
      - The address at which the Skype directory is searched. An empty text removes it.
      - Not in Lync Server 2010 and 2013.
    type: str
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.access_edge_configuration_info
  - module: lync.remediation.external_access_policy
  - module: lync.remediation.public_provider
  - name: Set-CsAccessEdgeConfiguration
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/set-csaccessedgeconfiguration
"""

EXAMPLES = r"""
---
- name: Allow federation, with partners found by DNS
  lync.remediation.access_edge_configuration:
    allow_federated_users: true
    routing_method: UseDnsSrvRouting
    enable_partner_discovery: true

- name: Keep people who have not been authenticated out of meetings
  lync.remediation.access_edge_configuration:
    allow_anonymous_users: false
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state) where nothing had to be done, V(drifted) where check mode found something to do or
      a change did not come about, V(corrected) after a change that was read back, V(unknown) where the
      state could not be read or judged.
  returned: always
  type: str
  sample: corrected
before:
  description:
    - The Access Edge configuration as it was, with the options of this module.
  returned: always
  type: dict
  sample:
    allow_anonymous_users: false
    allow_federated_users: false
    allow_outside_users: true
    routing_method: UseDnsSrvRouting
    enable_partner_discovery: false
    be_clearing_house: false
after:
  description:
    - The Access Edge configuration as it was read back, or as it would be after the change.
  returned: always
  type: dict
  sample:
    allow_anonymous_users: false
    allow_federated_users: true
    allow_outside_users: true
    routing_method: UseDnsSrvRouting
    enable_partner_discovery: false
    be_clearing_house: false
drift:
  description:
    - Every difference between what was found and what is wanted. Empty in the desired state.
  returned: always
  type: list
  elements: dict
  contains:
    resource:
      description:
        - The module's name.
      returned: always
      type: str
    identity:
      description:
        - The object.
      returned: always
      type: str
    property:
      description:
        - The option, or V(state).
      returned: always
      type: str
    current:
      description:
        - What was found.
      returned: always
      type: raw
    desired:
      description:
        - What is wanted.
      returned: always
      type: raw
    severity:
      description:
        - How much the difference matters, one of V(low), V(medium), V(high) and V(critical).
      returned: always
      type: str
    reason:
      description:
        - Why it matters.
      returned: always
      type: str
  sample:
    - resource: access_edge_configuration
      identity: Global
      property: allow_federated_users
      current: false
      desired: true
      severity: critical
      reason: Decides whether there is any federation at all, public providers included.
task:
  description:
    - The task's name, its file and its line. Findings of drift that come from this result name it as their origin.
  returned: always
  type: str
  sample: Require encryption, /home/ann/lync/site.yml:12
commands:
  description:
    - The Management Shell lines that make the change, for people to read. They were run, or would have been
      in check mode.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsAccessEdgeConfiguration -Identity Global -AllowFederatedUsers $true"]
restore_commands:
  description:
    - The lines that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsAccessEdgeConfiguration -Identity Global -AllowFederatedUsers $false"]
diff:
  description:
    - The differing properties before and after, the same in check mode and in a real run.
  returned: always
  type: dict
  contains:
    before:
      description:
        - One line for each differing property as it was found.
      returned: always
      type: str
    after:
      description:
        - One line for each differing property as it is wanted.
      returned: always
      type: str
    before_header:
      description:
        - Names the object and the host.
      returned: always
      type: str
    after_header:
      description:
        - Names the object and the host.
      returned: always
      type: str
  sample:
    before: "allow_federated_users: false\n"
    after: "allow_federated_users: true\n"
    before_header: Access Edge configuration Global on pool01
    after_header: Access Edge configuration Global on pool01
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "routing_method: UseDefaultRouting needs default_route_fqdn. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: value_not_allowed
error_details:
  description:
    - What the server said, where it refused a command.
  returned: when a command failed on the server
  type: dict
  sample:
    message: Access is denied.
    category: PermissionDenied
    fully_qualified_id: AccessDenied
    exception_type: System.UnauthorizedAccessException
    target: null
    command: Get-CsMediaConfiguration
    causes: []
    native_error_code: null
"""
