# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs of the federation role against one deployment at the same time, by one administrator and by another."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from forked_ansible import AnsibleForks
from running import RunningLab

from .conftest import Ansible, Run, Start
from .test_scopes import dump

EVERYWHERE: Mapping[str, Any] = {}
SITE = {"policies": ["site:Redmond"], "media": ["site:Redmond"]}
KEN = {"people": ["sip:kenmyer@contoso.com"], "media": ["site:Redmond"]}
OTHERS = {"people": ["sip:pilar@contoso.com", "sip:kaya@contoso.com"], "media": ["site:Redmond"]}
ALL_PEOPLE = {"people_filter": "Enabled -eq $True", "media": ["Global", "site:Redmond"]}
BACK = {"state": "absent"}

Variables = Mapping[str, Any]
#: What was enabled before, and what both do then.
ROUNDS: dict[str, tuple[Variables | None, Variables, Variables]] = {
    "the same": (None, EVERYWHERE, EVERYWHERE),
    "the same people": (None, ALL_PEOPLE, ALL_PEOPLE),
    "different people": (None, KEN, OTHERS),
    "people among others": (None, ALL_PEOPLE, OTHERS),
    "a site and people": (None, SITE, OTHERS),
    "enabling and disabling": (EVERYWHERE, EVERYWHERE, BACK),
    "enabling and disabling people": (ALL_PEOPLE, ALL_PEOPLE, BACK),
    "disabling twice": (ALL_PEOPLE, BACK, BACK),
}
WANTED = {"in_desired_state", "corrected"}


@dataclass
class Administrator:
    """Each at a controller of their own; ``journal`` is the folder of their journal of changes."""

    home: Path
    lab: RunningLab
    journal: Path
    forks: AnsibleForks

    def runs(self, variables: Variables, *arguments: str) -> tuple[Run, dict[str, Any]]:
        """The run, and the fact that the role sets."""
        role = {
            "name": "Run the role",
            "ansible.builtin.include_role": {"name": "lync.remediation.windows_live_av_federation"},
            "vars": {
                **{f"windows_live_av_federation_{name}": value for name, value in variables.items()},
                "lync_remediation_journal": str(self.journal),
            },
        }
        fact = self.home / "fact.json"
        kept = {
            "ansible.builtin.copy": {
                "content": "{{ windows_live_av_federation_result | to_json }}",
                "dest": str(fact),
                "mode": "0600",
            },
            "delegate_to": "localhost",
            "check_mode": False,
            "diff": False,
        }
        ansible = Ansible(self.lab, self.home, self.forks)
        # What the other has done first is an error of the cmdlet, and no more than a warning where it is so by then.
        ansible.expected_warnings = [f"{verb}-Cs" for verb in ("New", "Set", "Grant", "Remove")]
        # A server of 2010 allows an account five sessions.
        closed = {"ansible.builtin.meta": "reset_connection"}
        fact.unlink(missing_ok=True)
        run = ansible.tasks([{"block": [role], "always": [kept, closed]}], *arguments)
        return run, json.loads(fact.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def controllers() -> Iterator[list[AnsibleForks]]:
    """Each runs Ansible beside the other."""
    both = [AnsibleForks(), AnsibleForks()]
    yield both
    for each in both:
        each.close()


@pytest.mark.sweep
@pytest.mark.parametrize("journals", ["one journal", "two journals"])
@pytest.mark.parametrize(("title", "version"), list(zip(ROUNDS, itertools.cycle((2010, 2019)), strict=False)))
def test_both_end_truthfully_and_all_of_it_can_be_taken_back(
    title: str, version: int, journals: str, start: Start, tmp_path: Path, controllers: list[AnsibleForks]
) -> None:
    enabled, *wanted = ROUNDS[title]
    lab = start("demo", version=version)
    homes = [tmp_path / "one", tmp_path / "other"]
    for home in homes:
        home.mkdir()
    one, other = (
        Administrator(
            home, lab, tmp_path / "journal" if journals == "one journal" else home / "journal", forks
        )
        for home, forks in zip(homes, controllers, strict=True)
    )
    before = dump(Ansible(lab, tmp_path))
    if enabled is not None:
        run, _fact = one.runs(enabled)
        assert run.exit_code == 0, run.output
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(Administrator.runs, (one, other), wanted))
    for (run, fact), variables in zip(ended, wanted, strict=True):
        assert (run.exit_code == 0) == (fact["status"] in WANTED), (fact, run.output)
        assert fact["status"] in WANTED or fact["reasons"], fact
        # Where nobody works against it, what a run says it has reached is there.
        if run.exit_code == 0 and BACK not in wanted:
            _again, told = one.runs(variables, "--check")
            assert told["status"] == "in_desired_state", told
    # By journals of their own, a policy that one has made and the other granted goes when nobody holds it any more.
    for administrator in (one,) if journals == "one journal" else (one, other, one):
        run, fact = administrator.runs(BACK)
        assert fact["status"] in WANTED, (fact, run.output)
    assert dump(Ansible(lab, tmp_path)) == before, [(fact, run.output) for run, fact in ended]
