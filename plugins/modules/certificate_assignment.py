# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_assignment
short_description: Assign a certificate of a server's store to a use
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Assigns a certificate that is in the server's personal store already, at once or from a moment on.
  - One that is not in the store, has no private key there or is not valid when it is to be used is refused before
    anything is changed.
  - A certificate for A/V authentication must go to every Edge Server of a pool. The role
    P(lync.remediation.av_authentication_certificate#role) sees to that; this module knows one server only.
options:
  use:
    description:
      - What the certificate is for.
    type: str
    choices:
      - AudioVideoAuthentication
      - AccessEdgeExternal
      - DataEdgeExternal
      - Internal
      - Default
      - WebServicesInternal
      - WebServicesExternal
    default: AudioVideoAuthentication
  state:
    description:
      - V(present) assigns the certificate, V(absent) takes the assignment away; the certificate stays in the store.
    type: str
    choices: [present, absent]
    default: present
  thumbprint:
    description:
      - The certificate's thumbprint. Blanks and colons in it do not matter. Needed with O(state=present).
    type: str
  effective_date:
    description:
      - When it comes into use, as ISO 8601 writes it with a zone, such as V(2026-12-01T06:00:00Z). Until then, and for
        what was issued by then, the old one stays good (C(-Roll)). Only O(use=AudioVideoAuthentication) has that, and
        Lync Server 2010 does not.
      - It must be O(token_lifetime) before the old certificate ends, or earlier.
      - Unset, the certificate is assigned at once.
    type: str
  token_lifetime:
    description:
      - How long what the service issues is good for, in seconds. The default is that of C(MaxTokenLifetime) of
        C(Set-CsAVEdgeConfiguration).
      - From V(60) to V(15552000).
    type: int
    default: 28800
  only_if_usable:
    description:
      - Whether to refuse a certificate that is not valid, and a date that is too late. V(false) is for putting back
        what was there before.
    type: bool
    default: true
  effective_date_property:
    description:
      - The property in which C(Get-CsCertificate) shows when a certificate that was assigned for later comes into
        use. No public source has its name.
    type: str
    default: EffectiveDate
  previous_property:
    description:
      - The property in which C(Get-CsCertificate) shows that a certificate is the one before. No public source has
        its name.
    type: str
    default: Previous
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - Whether a service must be restarted before it uses the certificate, no public source says. Nothing is restarted.
  - The change is journalled before it is made, and can be taken back from there.
seealso:
  - module: lync.remediation.certificate_info
  - module: lync.remediation.certificate_judgement
"""

EXAMPLES = r"""
---
- name: Assign a certificate for A/V authentication at once
  lync.remediation.certificate_assignment:
    thumbprint: A9D51A2911C74FABFF7F2A8A994B20857D399107

- name: Let it take the old one's place when nothing of that is in use any more
  lync.remediation.certificate_assignment:
    thumbprint: A9D51A2911C74FABFF7F2A8A994B20857D399107
    effective_date: "2026-12-01T06:00:00Z"
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state) where nothing had to be done, V(drifted) where check mode found something to do or
      a change did not come about, V(corrected) after a change that was read back, V(unknown) where the
      state could not be read or judged, or a change may still be at work.
  returned: always
  type: str
  sample: corrected
before:
  description:
    - What was found, with the options of this module; one that was assigned for later stands in the place of the one in
      force. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    use: AudioVideoAuthentication
    thumbprint: 7B1E0A4C55D0A9D3B1F26C0E8A1D4F90B35E6C72
    effective_date: null
after:
  description:
    - What RV(before) has become, or would become. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    use: AudioVideoAuthentication
    thumbprint: A9D51A2911C74FABFF7F2A8A994B20857D399107
    effective_date: null
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
        - The use, and the host.
      returned: always
      type: str
    property:
      description:
        - What differs.
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
    - resource: certificate_assignment
      identity: AudioVideoAuthentication of edge01.contoso.com
      property: thumbprint
      current: 7B1E0A4C55D0A9D3B1F26C0E8A1D4F90B35E6C72
      desired: A9D51A2911C74FABFF7F2A8A994B20857D399107
      severity: critical
      reason: What the service uses; all Edge Servers of a pool must have the same for A/V authentication.
task:
  description:
    - The task's name, its file and its line. Findings of drift that come from this result name it as their origin.
  returned: always
  type: str
  sample: Require encryption, /home/ann/lync/site.yml:12
commands:
  description:
    - The lines that make the change, for people to read. They were run, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample:
    - Set-CsCertificate -Type AudioVideoAuthentication -Thumbprint A9D51A2911C74FABFF7F2A8A994B20857D399107
      -Confirm:$false
restore_commands:
  description:
    - The lines that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample:
    - Set-CsCertificate -Type AudioVideoAuthentication -Thumbprint 7B1E0A4C55D0A9D3B1F26C0E8A1D4F90B35E6C72
      -Confirm:$false
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
    before: "thumbprint: 7B1E0A4C55D0A9D3B1F26C0E8A1D4F90B35E6C72\n"
    after: "thumbprint: A9D51A2911C74FABFF7F2A8A994B20857D399107\n"
    before_header: certificate_assignment of AudioVideoAuthentication of edge01.contoso.com
    after_header: certificate_assignment of AudioVideoAuthentication of edge01.contoso.com
msg:
  description:
    - What went wrong, and what has become of the server.
  returned: on failure
  type: str
  sample: "thumbprint: the private key of A9D51A2911C74FABFF7F2A8A994B20857D399107 is not on edge01.contoso.com.
  Nothing has been
    changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: refused
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
    command: Set-CsCertificate
    causes: []
    native_error_code: null
"""
