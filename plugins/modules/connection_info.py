# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: connection_info
short_description: Describe a connection, its account and the cmdlets it may use
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns everything about a connection that helps to find out why a task does not do what it should. The
    password is not part of it.
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
"""

EXAMPLES = r"""
---
- name: Describe the connection
  lync.remediation.connection_info:
  register: who

- name: Show the version of the server
  ansible.builtin.debug:
    var: who.product_version

- name: Show the cmdlets that this account cannot use
  ansible.builtin.debug:
    var: who.missing_cmdlets
"""

RETURN = r"""
---
account:
  description:
    - The account that the session belongs to.
  returned: always
  type: str
  sample: CONTOSO\uc-admin
url:
  description:
    - The address of the endpoint.
  returned: always
  type: str
  sample: https://pool01.contoso.com:443/OcsPowershell
host:
  description:
    - The host in RV(url).
  returned: always
  type: str
  sample: pool01.contoso.com
authentication:
  description:
    - How the account was authenticated.
  returned: always
  type: str
  sample: negotiate
configuration_name:
  description:
    - The session configuration.
  returned: always
  type: str
  sample: Microsoft.PowerShell
protocol_version:
  description:
    - The version of the PowerShell Remoting Protocol.
  returned: always
  type: str
  sample: "2.1"
powershell_version:
  description:
    - The version of PowerShell there, as the server gave it when the session was opened; V(null) if it did not.
  returned: always
  type: str
  sample: "2.0"
product_version:
  description:
    - Product and build as Get-CsServerVersion prints them; V(null) where the session does not offer that.
  returned: always
  type: str
  sample: Microsoft Lync Server 2010 (4.0.7577.0)
latency_ms:
  description:
    - Milliseconds for a command that does nothing, the best of three.
  returned: always
  type: float
  sample: 41.3
session_resumed:
  description:
    - Whether the session was taken over from an earlier task of the run.
  returned: always
  type: bool
  sample: false
cmdlets:
  description:
    - The Lync cmdlets that the modules of this collection use, and whether the session offers them. One that is
      missing is not part of the account's RBAC roles, or not of this version of the server.
    - No endpoint has to offer all of them. A task that needs one that is missing names it and changes nothing.
  returned: always
  type: dict
  sample:
    Export-CsConfiguration: true
    Get-CsAVEdgeConfiguration: true
    Get-CsAccessEdgeConfiguration: true
    Get-CsAdminRole: true
    Get-CsAllowedDomain: true
    Get-CsArchivingPolicy: true
    Get-CsBlockedDomain: true
    Get-CsCallViaWorkPolicy: false
    Get-CsCertificate: true
    Get-CsClientPolicy: true
    Get-CsClientVersionPolicy: true
    Get-CsComputer: true
    Get-CsConferencingPolicy: true
    Get-CsDialPlan: true
    Get-CsEffectivePolicy: false
    Get-CsExternalAccessPolicy: true
    Get-CsHostedVoicemailPolicy: true
    Get-CsHostingProvider: true
    Get-CsIPPhonePolicy: false
    Get-CsLocationPolicy: true
    Get-CsManagementStoreReplicationStatus: true
    Get-CsMediaConfiguration: true
    Get-CsMobilityPolicy: true
    Get-CsPersistentChatPolicy: false
    Get-CsPinPolicy: true
    Get-CsPool: true
    Get-CsPoolFabricState: false
    Get-CsPoolUpgradeReadinessState: false
    Get-CsPresencePolicy: true
    Get-CsPublicProvider: true
    Get-CsServerVersion: true
    Get-CsService: true
    Get-CsSipDomain: true
    Get-CsSite: true
    Get-CsThirdPartyVideoSystemPolicy: false
    Get-CsUpgradeDomainInfo: false
    Get-CsUser: true
    Get-CsUserServicesPolicy: false
    Get-CsVoicePolicy: true
    Get-CsVoiceRoutingPolicy: false
    Get-CsWindowsService: true
    Grant-CsArchivingPolicy: true
    Grant-CsCallViaWorkPolicy: false
    Grant-CsClientPolicy: true
    Grant-CsClientVersionPolicy: true
    Grant-CsConferencingPolicy: true
    Grant-CsDialPlan: true
    Grant-CsExternalAccessPolicy: true
    Grant-CsHostedVoicemailPolicy: true
    Grant-CsIPPhonePolicy: false
    Grant-CsLocationPolicy: true
    Grant-CsMobilityPolicy: true
    Grant-CsPersistentChatPolicy: false
    Grant-CsPinPolicy: true
    Grant-CsPresencePolicy: true
    Grant-CsThirdPartyVideoSystemPolicy: false
    Grant-CsUserServicesPolicy: false
    Grant-CsVoicePolicy: true
    Grant-CsVoiceRoutingPolicy: false
    Invoke-CsComputerFailBack: false
    Invoke-CsComputerFailOver: false
    Invoke-CsManagementStoreReplication: true
    New-CsExternalAccessPolicy: true
    New-CsMediaConfiguration: true
    New-CsPublicProvider: true
    Remove-CsCertificate: true
    Remove-CsExternalAccessPolicy: true
    Remove-CsMediaConfiguration: true
    Remove-CsPublicProvider: true
    Search-CsClsLogging: true
    Set-CsAccessEdgeConfiguration: true
    Set-CsCertificate: true
    Set-CsExternalAccessPolicy: true
    Set-CsMediaConfiguration: true
    Set-CsPublicProvider: true
    Start-CsWindowsService: true
    Stop-CsWindowsService: true
    Test-CsAVEdgeConnectivity: false
missing_cmdlets:
  description:
    - Those of RV(cmdlets) that the session does not offer.
  returned: always
  type: list
  elements: str
  sample:
    - Get-CsCallViaWorkPolicy
    - Get-CsEffectivePolicy
    - Get-CsIPPhonePolicy
    - Get-CsPersistentChatPolicy
    - Get-CsPoolFabricState
    - Get-CsPoolUpgradeReadinessState
    - Get-CsThirdPartyVideoSystemPolicy
    - Get-CsUpgradeDomainInfo
    - Get-CsUserServicesPolicy
    - Get-CsVoiceRoutingPolicy
    - Grant-CsCallViaWorkPolicy
    - Grant-CsIPPhonePolicy
    - Grant-CsPersistentChatPolicy
    - Grant-CsThirdPartyVideoSystemPolicy
    - Grant-CsUserServicesPolicy
    - Grant-CsVoiceRoutingPolicy
    - Invoke-CsComputerFailBack
    - Invoke-CsComputerFailOver
    - Test-CsAVEdgeConnectivity
roles_query:
  description:
    - A line for the Management Shell that lists the RBAC roles which have one of the missing cmdlets; V(null) if none
      is missing. A cmdlet that no role has is not of this version.
  returned: always
  type: str
  sample: >-
    Get-CsAdminRole | Where-Object {$_.Cmdlets -match
    '\b(Get-CsCallViaWorkPolicy|Get-CsEffectivePolicy|Get-CsIPPhonePolicy|Get-CsPersistentChatPolicy|Get-CsPoolFabricState|Get-CsPoolUpgradeReadinessState|Get-CsThirdPartyVideoSystemPolicy|Get-CsUpgradeDomainInfo|Get-CsUserServicesPolicy|Get-CsVoiceRoutingPolicy|Grant-CsCallViaWorkPolicy|Grant-CsIPPhonePolicy|Grant-CsPersistentChatPolicy|Grant-CsThirdPartyVideoSystemPolicy|Grant-CsUserServicesPolicy|Grant-CsVoiceRoutingPolicy|Invoke-CsComputerFailBack|Invoke-CsComputerFailOver|Test-CsAVEdgeConnectivity)\b'}
status:
  description:
    - V(unknown), as the state could not be read.
  returned: when reading failed
  type: str
  sample: unknown
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "The name 'pool01.contoso.com' cannot be resolved. Check ansible_host in the inventory, and this
    machine's DNS."
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
    command: Get-Command
    causes: []
    native_error_code: null
"""
