# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on drift as people run them: exit codes, what a terminal shows, and lines that work when pasted."""

from __future__ import annotations

import shlex

import pytest

from .conftest import Ansible, Run

CALLBACK = {"ANSIBLE_CALLBACKS_ENABLED": "lync.remediation.drift_report"}
NOUNS = "CsMediaConfiguration,CsExternalAccessPolicy"


def run(contoso: Ansible, playbook: str, *arguments: str, **environment: str) -> Run:
    command = [
        "ansible-playbook",
        "-i",
        contoso.lab.inventory.name,
        f"lync.remediation.{playbook}",
        *arguments,
    ]
    return contoso.run(command, **{**CALLBACK, **environment})


def line(shown: Run, playbook: str) -> list[str]:
    """The printed command for a playbook, as a shell takes it."""
    (found,) = [each for each in shown.output.splitlines() if f" lync.remediation.{playbook} " in each]
    return shlex.split(found)


def test_from_export_to_taking_back_by_the_lines_that_are_printed(contoso: Ansible) -> None:
    lab = contoso.lab
    refused = run(contoso, "check_drift")
    assert refused.exit_code == 12, refused.output
    exported = run(contoso, "export_baseline", "-e", f"drift_nouns={NOUNS}")
    assert exported.exit_code == 0, exported.output
    lab.inject("other_administrator", noun="CsMediaConfiguration", EnableQoS="true")
    lab.inject("other_administrator", noun="CsExternalAccessPolicy", EnableOutsideAccess="true")

    drifted = run(contoso, "check_drift", ANSIBLE_SHOW_CUSTOM_STATS="true")
    assert drifted.exit_code == 10, drifted.output
    assert drifted.changed == 0
    assert "contoso: 2 things differ" in drifted.text
    assert "lync_remediation_drift" in drifted.output
    summary = drifted.output[
        drifted.output.index("contoso: 2 things") : drifted.output.index("TASK [Pass only")
    ]
    assert all(len(each) <= 80 for each in summary.splitlines() if " lync.remediation." not in each), summary

    finding = next(
        each for each in drifted.output.splitlines() if "  MEDIUM  " in each or "  HIGH  " in each
    ).split()[0]
    keep = line(drifted, "accept_drift")
    kept = contoso.run([*keep[:-1], f"drift_accept={finding}"], **CALLBACK)
    assert kept.exit_code == 10, kept.output
    put_back = contoso.run([*line(kept, "enforce_baseline")], **CALLBACK)
    assert put_back.exit_code == 0, put_back.output
    assert put_back.changed == 1
    back = contoso.run(line(put_back, "roll_back"), **CALLBACK)
    assert back.exit_code == 0, back.output
    assert back.changed == 1


@pytest.mark.sweep
def test_without_the_callback_ansible_s_own_exit_code_tells(contoso: Ansible) -> None:
    environment = {"ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.minimal"}
    assert run(contoso, "export_baseline", "-e", f"drift_nouns={NOUNS}", **environment).exit_code == 0
    assert run(contoso, "check_drift", **environment).exit_code == 0
    contoso.lab.inject("other_administrator", noun="CsMediaConfiguration", EnableQoS="true")
    assert run(contoso, "check_drift", **environment).exit_code == 2


@pytest.mark.sweep
def test_a_server_that_is_not_there_is_incomplete(contoso: Ansible) -> None:
    assert run(contoso, "export_baseline", "-e", f"drift_nouns={NOUNS}").exit_code == 0
    away = run(contoso, "check_drift", "-e", "ansible_port=1")
    assert away.exit_code == 11, away.output
