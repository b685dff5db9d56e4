# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_info
short_description: Read which certificates a server has assigned, and what its store knows of them
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Reads what C(Get-CsCertificate) shows as assigned on a server, and the certificates in its personal store with their
    private keys, dates, names, keys, signatures and chains.
  - Dates, names, keys and signatures are read from the certificate itself, in whatever language and time zone the
    server is.
  - A part that cannot be found out is V(null), and RV(trouble) says why; the others are returned all the same.
options:
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
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - No private key is ever read. Whether one may be exported, .NET tells of keys of a cryptographic service provider
    only.
  - M(lync.remediation.certificate_judgement) says what it means for A/V authentication.
seealso:
  - module: lync.remediation.certificate_assignment
  - module: lync.remediation.certificate_judgement
  - module: lync.remediation.av_edge_info
"""

EXAMPLES = r"""
---
- name: Read the certificates of an Edge Server
  lync.remediation.certificate_info:
  register: certificates

- name: Show what A/V authentication uses
  ansible.builtin.debug:
    msg: "{{ certificates.assigned | selectattr('use', 'eq', 'AudioVideoAuthentication') }}"
"""

RETURN = r"""
---
computer:
  description:
    - The server's name with its DNS suffix, as the topology knows it. V(null) where it could not be read.
  returned: success
  type: str
  sample: edge01.contoso.com
assigned:
  description:
    - What is assigned, by use. Of a use for which another certificate was assigned for later there are two. V(null)
      where it could not be read.
  returned: success
  type: list
  elements: dict
  contains:
    use:
      description:
        - What it is used for.
      returned: always
      type: str
    thumbprint:
      description:
        - Its thumbprint.
      returned: always
      type: str
    subject:
      description:
        - Its subject, as the server shows it.
      returned: always
      type: str
    issuer:
      description:
        - Its issuer, as the server shows it.
      returned: always
      type: str
    names:
      description:
        - Its alternative names.
      returned: always
      type: list
      elements: str
    not_before:
      description:
        - When its validity begins, in UTC.
      returned: always
      type: str
    not_after:
      description:
        - When its validity ends, in UTC.
      returned: always
      type: str
    effective_date:
      description:
        - When it comes into use, in UTC. V(null) for one that was assigned at once.
      returned: always
      type: str
    previous:
      description:
        - Whether it is the one before. V(null) where the server does not tell.
      returned: always
      type: bool
  sample:
    - use: AudioVideoAuthentication
      thumbprint: A9D51A2911C74FABFF7F2A8A994B20857D399107
      subject: CN=av.contoso.com
      issuer: CN=Contoso CA
      names: [av.contoso.com]
      not_before: '2026-10-29T08:00:00Z'
      not_after: '2028-10-28T08:00:00Z'
      effective_date: null
      previous: false
store:
  description:
    - The certificates in C(Cert:\LocalMachine\My). V(null) where it could not be read.
  returned: success
  type: list
  elements: dict
  contains:
    thumbprint:
      description:
        - Its thumbprint.
      returned: always
      type: str
    subject:
      description:
        - Its subject, as RFC 4514 writes it.
      returned: always
      type: str
    issuer:
      description:
        - Its issuer, as RFC 4514 writes it.
      returned: always
      type: str
    names:
      description:
        - The common name of its subject, and its DNS names.
      returned: always
      type: list
      elements: str
    not_before:
      description:
        - When its validity begins, in UTC.
      returned: always
      type: str
    not_after:
      description:
        - When its validity ends, in UTC.
      returned: always
      type: str
    key_algorithm:
      description:
        - The kind of its key, such as V(RSA).
      returned: always
      type: str
    key_bits:
      description:
        - The size of its key.
      returned: always
      type: int
    signature_hash:
      description:
        - The hash that its signature is made with.
      returned: always
      type: str
    has_private_key:
      description:
        - Whether its private key is on the server. V(null) where that is not known.
      returned: always
      type: bool
    exportable:
      description:
        - Whether its private key may be exported. V(null) where no command shows it.
      returned: always
      type: bool
    chain:
      description:
        - The subjects of those who signed it, upwards, as far as they are in the server's stores.
      returned: always
      type: list
      elements: str
    chain_complete:
      description:
        - Whether a root that the server trusts is the last of them. V(null) where that is not known.
      returned: always
      type: bool
  sample:
    - thumbprint: A9D51A2911C74FABFF7F2A8A994B20857D399107
      subject: CN=av.contoso.com
      issuer: CN=Contoso CA
      names: [av.contoso.com]
      not_before: '2026-10-29T08:00:00Z'
      not_after: '2028-10-28T08:00:00Z'
      key_algorithm: RSA
      key_bits: 2048
      signature_hash: sha256
      has_private_key: true
      exportable: true
      chain: [CN=Contoso CA]
      chain_complete: true
trouble:
  description:
    - What could not be found out, and why.
  returned: success
  type: list
  elements: str
  sample: []
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
  sample: "The name 'edge01.contoso.com' cannot be resolved. Check ansible_host in the inventory, and this
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
    command: Get-ItemProperty
    causes: []
    native_error_code: null
"""
