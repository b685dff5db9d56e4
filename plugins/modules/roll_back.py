# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: roll_back
short_description: Take changes back
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Takes back what modules of this collection have changed on a host, as the journal of changes on the
    controller has it, the newest change first.
  - Each change becomes a request to the module that made it, which is planned, can be seen in check mode, is
    read back and is written down in the journal itself, so that it can be taken back in its turn.
  - What somebody has changed since is left alone, and so is everything older on the same object.
  - A change that was interrupted is judged by what the server has now.
options:
  run:
    description:
      - Only changes of this run. The run's id is the name of its file in the journal.
      - V(latest) is the newest run that did more than taking back.
    type: str
  host:
    description:
      - The inventory name that the changes were made under, wherever it was reached then.
      - By default these are changes that were made under the name of this host and at its present address.
    type: str
  resource:
    description:
      - Only changes of this kind. It is the name of the module that made them.
    type: str
  identity:
    description:
      - Only changes of this object of the O(resource), such as V(Global). Case does not matter.
    type: str
  entries:
    description:
      - Only the changes with these ids.
    type: list
    elements: str
  since:
    description:
      - Only changes made at this time or later, as ISO 8601 writes it. A time without a zone is the controller's.
    type: str
  overwrite_later_changes:
    description:
      - Take a change back although somebody has changed the same property since.
    type: bool
    default: false
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - The journal is in the folder that the variable C(lync_remediation_journal) names, and by default in
    C(lync.remediation/journal) below the user's state folder, C($XDG_STATE_HOME) or C(~/.local/state).
  - At least one of O(run), O(host), O(resource), O(entries) and O(since) has to be given.
  - Some changes cannot be taken back, such as the restart of a service. They are named, and are no reason to fail.
  - A per-user policy that was removed comes back with its values, but nobody is granted it any more.
  - Of users who were granted policies together, those whose policy was changed since are left, and the others get back
    what they held.
seealso:
  - name: The guide to taking changes back
    description: What is written down, and how it is taken back.
    link: https://github.com/lync-remediation/lync.remediation/blob/main/docs/docsite/rst/guide_taking_back.rst
  - module: lync.remediation.external_access_policy
  - module: lync.remediation.media_configuration
  - module: lync.remediation.public_provider
  - module: lync.remediation.access_edge_configuration
  - module: lync.remediation.policy_assignment
  - module: lync.remediation.certificate_assignment
"""

EXAMPLES = r"""
---
- name: Take back what the last run has changed here
  lync.remediation.roll_back:
    run: latest

- name: Take back whatever was changed in the Global media settings since the end of March
  lync.remediation.roll_back:
    resource: media_configuration
    identity: Global
    since: "2026-03-31T00:00"
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state) where nothing had to be taken back, V(corrected) where everything was, V(drifted)
      where check mode found something to do or something was left, V(unknown) where that could not be found
      out.
  returned: always
  type: str
  sample: corrected
steps:
  description:
    - Every change that was meant, the newest first.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description:
        - The change in the journal.
      returned: always
      type: str
    run:
      description:
        - The run that made it.
      returned: always
      type: str
    time:
      description:
        - When it was made, in UTC.
      returned: always
      type: str
    resource:
      description:
        - The name of the module that made it.
      returned: always
      type: str
    identity:
      description:
        - The object.
      returned: always
      type: str
    kind:
      description:
        - What was done to the object, such as V(set), V(create), V(remove), V(reset) or V(recreate).
      returned: always
      type: str
    restorable:
      description:
        - Whether it can be taken back, one of V(yes), V(no), and V(values_only) where what referred to the
          object is lost, or what the server held without showing it.
      returned: always
      type: str
    outcome:
      description:
        - V(taken_back), in check mode as well.
        - V(back_already) where it was taken back before, never came about, or the server has the former values.
        - V(conflict) where the server has neither these nor those that were written. Of policies of users the others
          are taken back all the same.
        - V(behind_conflict) where a newer change of the same object was not taken back.
        - V(impossible) where nothing takes such a change back.
        - V(elsewhere) where it was made under the same name at another address.
        - V(refused) where the module's request was refused.
        - V(failed) and, after that, V(not_tried).
      returned: always
      type: str
    reason:
      description:
        - The outcome in a sentence. Empty where there is nothing to say.
      returned: always
      type: str
    conflicts:
      description:
        - What was changed since; C(property) is the option, or V(state).
      returned: always
      type: list
      elements: dict
  sample:
    - id: 5f0c9a1b2d3e
      run: 20260331T120000Z-0a1b2c3d
      time: "2026-03-31T12:00:04.123456Z"
      resource: media_configuration
      identity: Global
      kind: set
      restorable: "yes"
      outcome: taken_back
      reason: ""
      conflicts: []
summary:
  description:
    - What was taken back and what was left, in lines for people.
  returned: always
  type: list
  elements: str
  sample:
    - Taken back
    - "* media_configuration Global, changed 2026-03-31 12:00:04 UTC"
    - "  - encryption_level: SupportEncryption -> RequireEncryption"
before:
  description:
    - Each object that was changed, by resource and identity, as it was, with the options of its module.
      V(null) where nothing is known.
  returned: always
  type: dict
after:
  description:
    - Each object of RV(before) as it was read back, or as it would be after the change.
  returned: always
  type: dict
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
  sample: ["Set-CsMediaConfiguration -Identity Global -EncryptionLevel RequireEncryption"]
restore_commands:
  description:
    - The lines that would put back what was there before.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsMediaConfiguration -Identity Global -EncryptionLevel SupportEncryption"]
diff:
  description:
    - The differing properties before and after, for each change that is taken back.
  returned: always
  type: list
  elements: dict
failure:
  description:
    - The failure's kind, one word that does not change with its sentence; V(later_changes) where somebody has
      changed since what was to be taken back, V(journal_unusable) where the journal cannot be used.
  returned: on failure
  type: str
  sample: later_changes
msg:
  description:
    - Says that the journal has no such change, or what went wrong.
  returned: where nothing was meant, and on failure
  type: str
error_details:
  description:
    - What the server said, where it refused a command.
  returned: when a command failed on the server
  type: dict
"""
