# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: topology_info
short_description: Read sites, pools and computers, and what an inventory makes of them
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns the topology of the deployment, with its SQL Servers, file stores and gateways, and the hosts and groups
    that the inventory plugin P(lync.remediation.topology#inventory) makes of it.
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - Over WinRM, the topology needs a second hop, by CredSSP or Kerberos with delegation. On C(/OcsPowershell) it does
    not. An Edge Server cannot read it.
seealso:
  - plugin: lync.remediation.topology
    plugin_type: inventory
  - module: lync.remediation.pool_info
"""

EXAMPLES = r"""
---
- name: Read the topology
  lync.remediation.topology_info:
  register: topology

- name: Show the pools of each site
  ansible.builtin.debug:
    msg: "{{ topology.pools | selectattr('site', 'equalto', item.name) | map(attribute='fqdn') | join(', ') }}"
  loop: "{{ topology.sites }}"
  loop_control:
    label: "{{ item.name }}"

- name: Show what is not a host of an inventory, and why
  ansible.builtin.debug:
    msg: "{{ topology.left_out | map(attribute='description') | list }}"
"""

RETURN = r"""
---
product:
  description:
    - Product and build of the endpoint. V(null) where the session cannot tell.
  returned: always
  type: str
  sample: Skype for Business Server 2019 (7.0.2046.0)
sites:
  description:
    - The sites.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - Its name, without C(Site:).
      returned: always
      type: str
      sample: Redmond
    kind:
      description:
        - V(CentralSite), or V(RemoteSite) for a branch.
      returned: always
      type: str
      sample: CentralSite
    parent:
      description:
        - The central site of a branch.
      returned: always
      type: str
      sample: Redmond
pools:
  description:
    - The pools, databases, file stores and gateways among them.
  returned: always
  type: list
  elements: dict
  contains:
    fqdn:
      description:
        - Its FQDN, as the topology spells it.
      returned: always
      type: str
      sample: pool01.contoso.com
    site:
      description:
        - Its site.
      returned: always
      type: str
      sample: Redmond
    roles:
      description:
        - The roles of its services.
      returned: always
      type: list
      elements: str
      sample: [Registrar, UserServer, WebServer]
    version:
      description:
        - The version of its services, V(5) for 2010, V(6) for 2013, V(7) for 2015, V(8) for 2019 and Subscription
          Edition. V(null) where it has none of the roles that tell it.
      returned: always
      type: int
      sample: 8
    computers:
      description:
        - Its computers in the topology's order.
      returned: always
      type: list
      elements: str
      sample: [fe01.contoso.com, fe02.contoso.com, fe03.contoso.com]
hosts:
  description:
    - The inventory's hosts with their variables, by name.
  returned: always
  type: dict
  sample:
    fe01.contoso.com:
      ansible_host: fe01.contoso.com
      lync_pool: pool01.contoso.com
      lync_roles: [Registrar, UserServer, WebServer]
      lync_site: Redmond
      lync_version: 8
groups:
  description:
    - The inventory's groups by name, each with C(hosts), C(children) and C(variables).
  returned: always
  type: dict
  sample:
    front_ends:
      hosts: []
      children: [pool_pool01_contoso_com]
      variables: {}
left_out:
  description:
    - What the inventory leaves out.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - Its name.
      returned: always
      type: str
      sample: sql01.contoso.com
    what:
      description:
        - V(pool), V(computer), or V(group) for a group that is not made.
      returned: always
      type: str
      sample: pool
    reason:
      description:
        - V(not_a_lync_server), V(unknown_role) where none of its roles is known, V(not_a_host_name), or
          V(group_name_taken) where names that differ in punctuation only would make one group of several pools or
          sites.
      returned: always
      type: str
      sample: not_a_lync_server
    description:
      description:
        - What is left out, and why, in a sentence.
      returned: always
      type: str
      sample: The pool 'sql01.contoso.com' runs no role of Lync Server or Skype for Business Server, and is left out.
"""
