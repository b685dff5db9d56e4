# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: drift_enforce
short_description: Correct what differs from what is wanted
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Does what M(lync.remediation.drift_check) does, and corrects what differs.
  - The lines are shown before the first of them is sent. Each object is read once more right before it is changed,
    and left alone where somebody has changed it meanwhile. Each change is read back, and written down in the journal.
  - Nothing is corrected where more is called for than the limits allow, until somebody has typed the number.
  - It never fails; RV(refusal) says why nothing was done.
options:
  deployment:
    description:
      - The deployment's name, such as V(contoso). It is bound at the first run to the default SIP domain and the
        sites of the deployment; one name for two deployments, and two names for one, are refused.
    type: str
    required: true
  baseline:
    description:
      - The folder of the deployment's baseline.
      - By default C(baseline/<deployment>) beside the inventory, be that a file or a folder.
    type: path
  state:
    description:
      - The folder on the controller that holds, in a folder for each deployment, what was seen last, the runs,
        copies of the store and the journal of corrections.
      - By default C(lync.remediation/drift) below the user's state folder, C($XDG_STATE_HOME) or C(~/.local/state).
    type: path
  state_persists:
    description:
      - Whether what is written to O(state) is still there at the next run.
      - By default the kind of file system decides that the folder is on. That of a container goes with the container.
    type: bool
  nouns:
    description:
      - Only these nouns, such as V(CsVoicePolicy). By default all of them.
    type: list
    elements: str
  wanted:
    description:
      - What is wanted besides the baseline's files, as a list of mappings with C(noun), C(identity) and
        C(properties), or C(state=absent).
    type: list
    elements: dict
  roles:
    description:
      - Whether what the variables of the role P(lync.remediation.windows_live_av_federation#role) ask for is wanted as
        well, where its state is set for the host.
    type: bool
    default: true
  results:
    description:
      - Results of other tasks of the run, as a rule in check mode. What they found joins the findings.
    type: list
    elements: dict
  waiver_days:
    description:
      - The longest time that a waiver may still have, in days.
      - From V(0) to V(3650).
    type: int
    default: 366
  only:
    description:
      - Ids of findings with commas between them, or the file of a run, which ends in C(.json). Only these are
        corrected, and they are even where a run left them alone since the server did not keep them or something
        sets them back.
    type: str
  remove_unmanaged:
    description:
      - Whether objects that the baseline does not have are removed.
    type: bool
    default: false
  max_corrections:
    description:
      - How many properties may be corrected.
      - From V(0) to V(100000).
    type: int
    default: 20
  max_share:
    description:
      - The share of the objects that may be corrected, where there are ten or more; V(0.3) is three in ten.
      - From V(0) to V(1).
    type: float
    default: 0.3
  max_removals:
    description:
      - How many objects may be removed.
      - From V(0) to V(100000).
    type: int
    default: 0
  max_unknown_share:
    description:
      - The share of the nouns that may be unknown.
      - From V(0) to V(1).
    type: float
    default: 0.2
  confirm_corrections:
    description:
      - The number of corrections that somebody has seen and allows.
      - From V(0) to V(100000).
    type: int
  confirm_removals:
    description:
      - The number of removals that somebody has seen and allows.
      - From V(0) to V(100000).
    type: int
  confirm_unknown:
    description:
      - The number of unknown nouns that somebody has seen and accepts.
      - From V(0) to V(100000).
    type: int
  severities:
    description:
      - Only differences of these severities are corrected; what O(only) names is corrected all the same. By default
        all.
    type: list
    elements: str
    choices: [low, medium, high, critical]
    default: []
  window:
    description:
      - When correcting is allowed, by the controller's time zone, such as V(01:00-05:00). A run that begins at
        another time corrects nothing, and checks everything.
    type: str
  pause:
    description:
      - A mapping of C(until), such as V(2027-01-31T18:00Z), C(owner) and C(reason). Until then nothing is corrected,
        and everything is checked.
    type: dict
  store_copy:
    description:
      - Whether the whole store is copied before the first corrections of a day.
    type: bool
    default: true
  store_copies:
    description:
      - How many copies are kept.
      - From V(1) to V(1000).
    type: int
    default: 7
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - The journal is in the folder that the variable C(lync_remediation_journal) names, and by default in the
    deployment's folder below O(state).
seealso:
  - name: The guide to drift
    description: Baselines, checks, corrections and waivers.
    link: https://github.com/lync-remediation/lync.remediation/blob/main/docs/docsite/rst/guide_drift.rst
  - module: lync.remediation.drift_check
  - module: lync.remediation.drift_accept
  - module: lync.remediation.roll_back
"""

EXAMPLES = r"""
---
- name: Correct two findings
  lync.remediation.drift_enforce:
    deployment: contoso
    only: 7c1e09ab,0b3df211
  register: drift_result
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state), V(drifted), V(corrected), or V(unknown).
  returned: always
  type: str
before:
  description:
    - The changed objects before, by name.
  returned: always
  type: dict
after:
  description:
    - The changed objects afterwards, by name.
  returned: always
  type: dict
drift:
  description:
    - Each difference that was corrected, or would be.
  returned: always
  type: list
  elements: dict
task:
  description:
    - The task's name, its file and its line. Findings of drift that come from this result name it as their origin.
  returned: always
  type: str
  sample: Require encryption, /home/ann/lync/site.yml:12
restore_commands:
  description:
    - The lines that would put back what was there before.
  returned: always
  type: list
  elements: str
verdict:
  description:
    - V(clean), V(drift), V(incomplete) where something could not be judged, or V(refused) where nothing was done.
  returned: always
  type: str
  sample: drift
refusal:
  description:
    - Why nothing was done, one sentence; empty otherwise.
  returned: always
  type: str
failure:
  description:
    - The kind of what kept the deployment from being judged, a word that does not change with the sentence.
  returned: always
  type: str
deployment:
  description:
    - The deployment's name.
  returned: always
  type: str
mode:
  description:
    - V(check), V(enforce), V(export) or V(accept).
  returned: always
  type: str
time:
  description:
    - When the run began, in UTC.
  returned: always
  type: str
run:
  description:
    - The run's id, which is the name of its journal as well.
  returned: always
  type: str
host:
  description:
    - The inventory's name of the host that the deployment was read through.
  returned: always
  type: str
account:
  description:
    - Who read it.
  returned: always
  type: str
server_version:
  description:
    - Product and build, as the server tells them.
  returned: always
  type: str
collection_version:
  description:
    - The version of this collection.
  returned: always
  type: str
previous_collection_version:
  description:
    - The version of this collection at the run before, where it was another one.
  returned: always
  type: str
state:
  description:
    - The state folder.
  returned: always
  type: str
baseline:
  description:
    - The baseline's folder.
  returned: always
  type: str
journal:
  description:
    - The folder that the corrections of this run are written down in; empty where there are none.
  returned: always
  type: str
has_history:
  description:
    - Whether what is seen is kept for the next run.
  returned: always
  type: bool
counts:
  description:
    - Every property and object is in exactly one of RV(counts.as_wanted), RV(counts.drifted), RV(counts.corrected),
      RV(counts.waived) and RV(counts.unknown), whose sum is RV(counts.total).
  returned: always
  type: dict
  contains:
    as_wanted:
      description:
        - As wanted.
      returned: always
      type: int
    drifted:
      description:
        - Different.
      returned: always
      type: int
    corrected:
      description:
        - Corrected by this run.
      returned: always
      type: int
    waived:
      description:
        - Different, and somebody answers for it.
      returned: always
      type: int
    unknown:
      description:
        - What could not be judged.
      returned: always
      type: int
    total:
      description:
        - The sum of the five.
      returned: always
      type: int
    new:
      description:
        - Findings that the run before did not have.
      returned: always
      type: int
    still:
      description:
        - Findings that it had.
      returned: always
      type: int
    returned:
      description:
        - Findings that were resolved once.
      returned: always
      type: int
    resolved:
      description:
        - Findings that are gone.
      returned: always
      type: int
nouns:
  description:
    - How many nouns were judged, and how many could not be.
  returned: always
  type: dict
  contains:
    judged:
      description:
        - Judged.
      returned: always
      type: int
    unread:
      description:
        - Not judged.
      returned: always
      type: int
findings:
  description:
    - Whatever is not as wanted, the worst first.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description:
        - Eight hexadecimal digits, the same as long as the difference is the same.
      returned: always
      type: str
    deployment:
      description:
        - The deployment's name.
      returned: always
      type: str
    noun:
      description:
        - The noun, or the module where another task has found it.
      returned: always
      type: str
    identity:
      description:
        - The object; empty for a whole noun.
      returned: always
      type: str
    property:
      description:
        - The property; V(existence) for an object as a whole, V(order) for its place among others.
      returned: always
      type: str
    kind:
      description:
        - V(value), V(order), V(sequence), V(missing), V(extra), V(unwanted), V(noun) or V(reported).
      returned: always
      type: str
    status:
      description:
        - V(drifted), V(corrected) or V(unknown).
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
        - V(low), V(medium), V(high) or V(critical).
      returned: always
      type: str
    reason:
      description:
        - Why it matters.
      returned: always
      type: str
    origins:
      description:
        - Every place that asks for it, a file with its line or a variable.
      returned: always
      type: list
      elements: str
    unknown:
      description:
        - Why it could not be judged, V(unreachable), V(timed_out), V(failed), V(not_permitted), V(not_comparable),
          V(not_kept), V(shape_changed), V(changed_while_reading) or V(not_reached).
      returned: always
      type: str
    detail:
      description:
        - One more sentence.
      returned: always
      type: str
    label:
      description:
        - What has changed since the value was last seen, V(server_changed), V(baseline_changed), V(both) or
          V(first_seen).
      returned: always
      type: str
    since:
      description:
        - Since when it is known.
      returned: always
      type: str
    trend:
      description:
        - V(new), V(still) or V(returned).
      returned: always
      type: str
    waiver:
      description:
        - The waiver that covers it.
      returned: always
      type: dict
    explained:
      description:
        - The change of our own that made it what it is.
      returned: always
      type: dict
    command:
      description:
        - The line that puts it back.
      returned: always
      type: str
    held:
      description:
        - Why an enforcing run leaves it alone.
      returned: always
      type: str
    range:
      description:
        - For what part of the deployment the object decides, one sentence.
      returned: always
      type: str
resolved:
  description:
    - What the run before has found, and is gone.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description:
        - The finding's id.
      returned: always
      type: str
    noun:
      description:
        - The noun.
      returned: always
      type: str
    identity:
      description:
        - The object.
      returned: always
      type: str
    property:
      description:
        - The property.
      returned: always
      type: str
    since:
      description:
        - Since when it was known.
      returned: always
      type: str
coverage:
  description:
    - What the run says nothing of, and why.
  returned: always
  type: dict
  contains:
    not_comparable:
      description:
        - By noun the properties that cannot be compared, with the reason.
      returned: always
      type: dict
    not_permitted:
      description:
        - Nouns that this account may not read, and could not when the baseline was written.
      returned: always
      type: list
      elements: str
    not_in_version:
      description:
        - Nouns that this version does not have.
      returned: always
      type: list
      elements: str
    excluded:
      description:
        - Nouns that are never read.
      returned: always
      type: list
      elements: str
    not_managed:
      description:
        - By noun the properties that the server has and nothing asks for.
      returned: always
      type: dict
waivers:
  description:
    - Waivers that have expired, that expire within two weeks, and that match nothing any more.
  returned: always
  type: dict
  contains:
    expired:
      description:
        - Have expired.
      returned: always
      type: list
      elements: dict
    expiring:
      description:
        - Expire within two weeks.
      returned: always
      type: list
      elements: dict
    unmatched:
      description:
        - Match nothing any more.
      returned: always
      type: list
      elements: dict
commands:
  description:
    - The lines that an enforcing run sends, or would send in check mode.
  returned: always
  type: list
  elements: str
follow_ups:
  description:
    - What has to be run by hand after the corrections, as the documentation demands.
  returned: always
  type: list
  elements: str
notes:
  description:
    - What else there is to say.
  returned: always
  type: list
  elements: str
context:
  description:
    - The arguments that a playbook of this collection needs to reach the deployment again.
  returned: always
  type: list
  elements: str
summary:
  description:
    - The run in lines for a terminal.
  returned: always
  type: list
  elements: str
same_deployment_as:
  description:
    - Another host of this run that stands for the same deployment, and that everything here comes from.
  returned: always
  type: str
"""
