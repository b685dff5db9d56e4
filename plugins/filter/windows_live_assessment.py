# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: windows_live_assessment
short_description: What Windows Live audio and video takes in a deployment, and what stands in the way
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Decides from what the C(_info) modules have read. It asks nothing of a server.
  - The role P(lync.remediation.windows_live_av_federation#role) decides with it before it changes anything.
positional: request
options:
  _input:
    description:
      - The results of the info modules, under the keys C(connection) (connection_info), C(readiness) (federation_info),
        C(access_edge) (the one configuration), C(providers), C(replication) (replication_info), C(policies), C(media),
        C(services) (the C(effective) list of media_configuration_info for the services that have settings of their
        own), C(people) (the C(users) of effective_policy_info for the people whom the change is for), C(holders) (the
        holders of external access policies that it returns), and C(reported) (what it returns of the users and sites to
        report on).
    type: dict
    required: true
  request:
    description:
      - The role's variables of the same names without their prefix, from C(state) to C(manage_access_edge).
    type: dict
    required: true
  check_mode:
    description: Whether nothing is going to be changed, as in check mode; an account that may only read will do then.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read the connection
  lync.remediation.connection_info:
  register: who

- name: Look at the prerequisites
  lync.remediation.federation_info:
  register: readiness

- name: See who holds which policies
  lync.remediation.effective_policy_info:
    holders: true
  register: effective

- name: Read the Access Edge configuration
  lync.remediation.access_edge_configuration_info:
  register: access_edge

- name: Read the public providers
  lync.remediation.public_provider_info:
  register: providers

- name: Read the state of replication
  lync.remediation.replication_info:
  register: replication

- name: Read the external access policies
  lync.remediation.external_access_policy_info:
  register: policies

- name: Read the media configurations
  lync.remediation.media_configuration_info:
  register: media

- name: Name what keeps a change of the Global settings from having an effect everywhere
  ansible.builtin.debug:
    msg: "{{ (read | lync.remediation.windows_live_assessment(request, check_mode=true)).shadowing }}"
  vars:
    read:
      connection: "{{ who }}"
      readiness: "{{ readiness }}"
      access_edge: "{{ access_edge.access_edge_configurations | first }}"
      providers: "{{ providers.public_providers }}"
      replication: "{{ replication }}"
      policies: "{{ policies.external_access_policies }}"
      media: "{{ media.media_configurations }}"
      services: []
      people: []
      holders: "{{ effective.holders.external_access_policy }}"
      reported: "{{ effective }}"
    request:
      state: present
      policies: [Global]
      media: [Global]
      people: []
      people_filter: ""
      people_ldap_filter: ""
      people_ou: ""
      people_policy: Windows Live AV
      include_shadowing_scopes: false
      encryption_level: SupportEncryption
      max_video_rate: Hd720p15M
      providers: []
      enable_providers: false
      disable_providers: false
      manage_access_edge: false
"""

RETURN = r"""
_value:
  description:
    - C(policies), C(media), C(providers), C(grants) and C(access_edge) are what to write, as options of their modules.
      C(pending) says what of it is not as wanted yet, C(weaker) where encryption would no longer be required.
    - C(in_force) says what is in force for the users and sites to report on.
    - C(shadowing) says which collections go before the change somewhere and are left as they are, C(left) what is not
      taken back, C(obstacles) what stands in the way, C(screen) all of it for people, as lists of texts.
  type: dict
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from ansible.module_utils.common.validation import check_type_bool, check_type_list

from ..plugin_utils.federation.windows_live import Findings, Request, assess

# Variables given on the command line are text, whatever the role's argument specs say of them.
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"bool": check_type_bool, "Sequence[str]": check_type_list}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def windows_live_assessment(
    read: Mapping[str, Any], request: Mapping[str, Any], check_mode: bool = False
) -> dict[str, Any]:
    converted = {
        field.name: _CONVERSIONS.get(str(field.type), _text)(request[field.name]) for field in fields(Request)
    }
    return assess(Findings(**read), Request(**converted), check_mode=check_mode)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"windows_live_assessment": windows_live_assessment}
