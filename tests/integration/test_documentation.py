# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation says, done as it says it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from running import CHECKOUT, RunningLab

from .conftest import Ansible, Run, Start

MODULES = sorted(path for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))
FILTERS = sorted(path for path in (CHECKOUT / "plugins" / "filter").glob("*.py"))
# Whose examples are about computers: the hosts of `clock` that they are tried on one after the other, and from which
# of the examples on. Those of the others are tried on the demonstration.
OF_COMPUTERS = {
    "clock": {"fe02.contoso.com": 0, "edge01.contoso.com": 1},
    "clock_info": {"edge01.contoso.com": 0},
    "server_restart": {"fe03.contoso.com": 0},
    "server_services": {"fe03.contoso.com": 0},
    "time_service": {"fe01.contoso.com": 0, "edge01.contoso.com": 0},
    "time_zone": {"fe02.contoso.com": 0},
    "certificate_info": {"edge01.contoso.com": 0},
    "certificate_judgement": {"edges": 0},
    "clock_judgement": {"front_ends:edges": 0},
    "clock_report": {"front_ends": 0},
    "clock_restart_plan": {"front_ends:edges": 0},
    "restart_note": {"fe03.contoso.com": 0},
    "pool_state": {"fe03.contoso.com": 0},
}
# Whose examples are about files, certificates, mail servers or accounts that only their reader has.
OF_THEIR_READER = {"trace_info", "certificate_assignment", "drift_notification", "drift_schedule_plan"}
OF_DEPLOYMENTS = [path for path in [*MODULES, *FILTERS] if path.stem not in {*OF_COMPUTERS, *OF_THEIR_READER}]


def reads_only(path: Path) -> bool:
    # What the examples of others register goes before this one's variable of the same name.
    return path.stem.endswith("_info") and path.stem != "setting_info"


def constant(path: Path, name: str) -> str:
    """The text that a Python file assigns to a name, without running it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in node.targets
        ):
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{path} has no {name}")


def test_examples_of_what_reads_run_as_pasted(demo: Ansible) -> None:
    examples = [yaml.safe_load(constant(path, "EXAMPLES")) for path in OF_DEPLOYMENTS if reads_only(path)]
    runs_smoothly(demo.tasks([task for each in examples for task in each], hosts="pool01.contoso.com"))


@pytest.mark.parametrize(
    "path", [path for path in OF_DEPLOYMENTS if not reads_only(path)], ids=lambda path: path.stem
)
def test_examples_run_as_pasted(path: Path, demo: Ansible) -> None:
    # The server itself warns of the reset of a Global object.
    demo.expected_warnings = ["The global "]
    runs_smoothly(demo.tasks(yaml.safe_load(constant(path, "EXAMPLES")), hosts="pool01.contoso.com"))


@pytest.mark.parametrize(
    ("path", "hosts", "first"),
    [
        pytest.param(path, hosts, first, id=f"{path.stem}-{hosts}")
        for path in [*MODULES, *FILTERS]
        for hosts, first in OF_COMPUTERS.get(path.stem, {}).items()
    ],
)
def test_examples_about_computers_run_as_pasted(path: Path, hosts: str, first: int, article: Ansible) -> None:
    # The lab's pools need not settle for as long as real ones.
    waits = {"settle": 1, "busy_wait": 1, "interval": 1}
    quick = {f"lync.remediation.{name}": waits for name in ("server_restart", "server_services")}
    examples = yaml.safe_load(constant(path, "EXAMPLES"))[first:]
    runs_smoothly(article.tasks(examples, hosts=hosts, module_defaults=quick))


def runs_smoothly(run: Run) -> None:
    assert run.exit_code == 0, run.output


@pytest.fixture
def article(start: Start, ansible_at: Callable[[RunningLab], Ansible]) -> Ansible:
    """Lync Server 2013 with a Front End whose zone was flipped, and an Edge Server that is three days behind."""
    lab = start("clock", services={"start_seconds": 0}, high_availability={"busy_seconds": 0})
    lab.inject("clock_offset", "edge01.contoso.com", seconds=-3 * 86400)
    return ansible_at(lab)


def test_the_example_inventory_parses_without_a_question(demo: Ansible) -> None:
    graph = demo.run(["ansible-inventory", "-i", str(CHECKOUT / "inventory.example"), "--graph"])
    assert graph.exit_code == 0, graph.output
    for group in ("@management", "@front_ends", "@pool_pool01_contoso_com", "@edges"):
        assert group in graph.output


def test_the_example_inventory_s_vault_opens_with_the_password_it_tells(
    demo: Ansible, tmp_path: Path
) -> None:
    secret = tmp_path / "vault-password"
    secret.write_text("demonstration")
    shown = demo.run(
        [
            *("ansible", "-i", str(CHECKOUT / "inventory.example"), "management"),
            *("-m", "ansible.builtin.debug"),
            *("-a", "var=ansible_password", "--vault-password-file", str(secret)),
        ]
    )
    assert shown.exit_code == 0, shown.output
    assert "not a real password" in shown.output
