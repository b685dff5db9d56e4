# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: media_configuration
short_description: Manage media settings, such as whether calls have to be encrypted
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Manages the collections of media settings, which decide about encryption, codecs, video resolution and
    quality of service of calls.
  - Options that are not given are never touched.
options:
  identity:
    description:
      - The collection. V(Global), V(site:<name>), or V(service:<role>:<pool FQDN>), where the role is
        V(ConferencingServer), V(MediationServer) or V(ApplicationServer) and V(service:) may be left out.
      - Case does not matter.
    type: str
    default: Global
  state:
    description:
      - V(present) creates the collection where it does not exist, as a copy of what is in force there, and gives it
        the values of the other options.
      - V(absent) removes the collection, so that the next wider one applies. The Global collection cannot
        be removed; it is reset to the server's defaults instead. The other options are ignored.
    type: str
    choices: [present, absent]
    default: present
  enable_qos:
    description:
      - Whether calls use Quality of Service.
    type: bool
  encryption_level:
    description:
      - Whether calls are encrypted. V(RequireEncryption) insists on SRTP, V(SupportEncryption) uses it
        where it can be negotiated, V(DoNotSupportEncryption) rules it out.
      - Windows Live Messenger never encrypted audio and video, so that calls with it take
        V(SupportEncryption). Any call of the scope may then go unencrypted.
    type: str
    choices: [SupportEncryption, RequireEncryption, DoNotSupportEncryption]
  enable_siren:
    description:
      - Whether the Mediation Server offers clients the Siren codec.
    type: bool
  max_video_rate_allowed:
    description:
      - The highest video resolution, 1280 x 720 for V(Hd720p15M), 640 x 480 for V(VGA600K) and 352 x 288
        for V(CIF250K).
      - Lync Server 2013 and later ignore it for their own clients, which go by the conferencing policy
        (VideoBitRateKb, TotalReceiveVideoBitRateKb). It matters to Lync 2010 clients.
    type: str
    choices: [Hd720p15M, VGA600K, CIF250K]
  enable_g722_stereo_codec:
    description:
      - Whether the G.722 wideband speech codec may be used.
      - Lync Server 2013 only.
    type: bool
  enable_h264_codec:
    description:
      - Whether the H.264 video codec may be used.
      - Lync Server 2013 only.
    type: bool
  enable_adaptive_bandwidth_estimation:
    description:
      - Whether the video rate follows the state of the network.
      - Lync Server 2013 only, up to cumulative update 2.
    type: bool
  enable_in_call_qos:
    description:
      - Whether clients deliver the data that in-call quality messages are made of.
      - Not in Lync Server 2010 and 2013.
    type: bool
  in_call_qos_interval_seconds:
    description:
      - Seconds between two call quality actions, up to 65535.
      - Not in Lync Server 2010 and 2013.
    type: int
  enable_rtp_rtcp_multiplexing:
    description:
      - Whether RTP and RTCP share one candidate.
      - Not in Lync Server 2010 and 2013.
    type: bool
  enable_video_based_sharing:
    description:
      - Whether screens may be shared as video.
      - Not in Lync Server 2010 and 2013.
    type: bool
  enable_dtls:
    description:
      - Whether Datagram Transport Layer Security may be used with ICE.
      - Skype for Business Server 2019 only.
    type: bool
  enable_silk_for_audio_video_conferences:
    description:
      - Whether audio/video conferences may use the SILK codec.
      - Skype for Business Server 2019 only.
    type: bool
  enable_server_fec_for_video_interop:
    description:
      - Whether video interoperability uses forward error correction on the server.
      - Skype for Business Server 2019 only.
    type: bool
  wait_ice_completed_to_add_dial_out_user:
    description:
      - Whether dialling out to others waits until ICE has been negotiated.
      - Skype for Business Server 2019 only.
    type: bool
  enable_rtx:
    description:
      - Reserved for Microsoft's own use.
      - Skype for Business Server 2019 only.
    type: bool
  enable_av_bundling:
    description:
      - Reserved for Microsoft's own use.
      - Skype for Business Server 2019 only.
    type: bool
  enable_receive_agc:
    description:
      - Reserved for Microsoft's own use.
      - Skype for Business Server 2019 only.
    type: bool
  copy_of:
    description:
      - What a collection that does not exist yet begins as a copy of, by identity. The other options then change
        the copy.
      - By default it is what is in force there, for a service the collection of its site, where it has one, and the
        Global one otherwise.
      - What is not set there is not written, and has to be given where a new collection would begin with a value.
      - Ignored where the collection exists.
    type: str
  server_defaults:
    description:
      - A collection that does not exist yet begins with the server's defaults for what is not given here,
        instead of a copy. Calls there then lose what is set now, such as quality of service.
      - Cannot be combined with O(copy_of).
    type: bool
    default: false
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - A collection of a service takes precedence over that of its site, and that over the Global one. A change to the
    Global collection does nothing for a site or service that has its own;
    M(lync.remediation.media_configuration_info) shows them all.
  - A new collection begins as a copy of what is in force there; the server's own cmdlet would begin with its defaults.
  - Clients read the settings when they sign in, and the Front End Servers pick changes up within five
    minutes. The encryption of calls to gateways is a matter of the trunk configuration.
  - Creating a collection for a site or service that the topology does not have is refused.
seealso:
  - module: lync.remediation.media_configuration_info
  - module: lync.remediation.external_access_policy
  - module: lync.remediation.replication
  - name: Set-CsMediaConfiguration
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/set-csmediaconfiguration
  - name: New-CsMediaConfiguration
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/new-csmediaconfiguration
  - name: Remove-CsMediaConfiguration
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/remove-csmediaconfiguration
"""

EXAMPLES = r"""
---
- name: Let calls go unencrypted where the other side cannot encrypt, with video up to 720p
  lync.remediation.media_configuration:
    encryption_level: SupportEncryption
    max_video_rate_allowed: Hd720p15M

- name: Let one site have quality of service
  lync.remediation.media_configuration:
    identity: site:Redmond
    enable_qos: true

- name: Let one service have the settings of that site, and the Global ones no longer
  lync.remediation.media_configuration:
    identity: service:ConferencingServer:pool01.contoso.com
    copy_of: site:Redmond

- name: Let that site follow the Global settings again
  lync.remediation.media_configuration:
    identity: site:Redmond
    state: absent

- name: Reset the Global settings to the server's defaults
  lync.remediation.media_configuration:
    state: absent
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
    - The media configuration as it was, with the options of this module. V(null) where it does not exist.
  returned: always
  type: dict
  sample:
    identity: Global
    state: present
    enable_qos: false
    encryption_level: RequireEncryption
    enable_siren: false
    max_video_rate_allowed: VGA600K
after:
  description:
    - The media configuration as it was read back, or as it would be after the change. V(null) where it does
      not exist.
  returned: always
  type: dict
  sample:
    identity: Global
    state: present
    enable_qos: false
    encryption_level: SupportEncryption
    enable_siren: false
    max_video_rate_allowed: VGA600K
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
    - resource: media_configuration
      identity: Global
      property: encryption_level
      current: RequireEncryption
      desired: SupportEncryption
      severity: critical
      reason: Decides whether calls must, may or must not be encrypted; where two sides disagree, a call fails (488).
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
  sample: ["Set-CsMediaConfiguration -Identity Global -EncryptionLevel SupportEncryption"]
restore_commands:
  description:
    - The lines that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsMediaConfiguration -Identity Global -EncryptionLevel RequireEncryption"]
diff:
  description:
    - The differing properties before and after, all of them for an object that is created or removed. The same in
      check mode and in a real run.
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
    before: "encryption_level: RequireEncryption\n"
    after: "encryption_level: SupportEncryption\n"
    before_header: media configuration Global on pool01
    after_header: media configuration Global on pool01
copied_from:
  description:
    - The object that a new one begins as a copy of. V(null) where none is created, or not as a copy.
  returned: always
  type: str
  sample: null
reset:
  description:
    - Whether O(state=absent) meant a reset to the server's defaults instead of a removal.
  returned: always
  type: bool
  sample: false
msg:
  description:
    - Says that absent meant a reset, or what went wrong.
  returned: on a reset, and on failure
  type: str
  sample: "The Global media configuration always exists: absent resets it to the defaults of the server."
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
