# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shipped for AWX and Event-Driven Ansible, against their own argument specs and schema.

`make neighbours` fetches these; without them the tests are skipped.
"""

from __future__ import annotations

import ast
import copy
import json
from pathlib import Path
from typing import Any

import ansible.template
import jsonschema
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

CHECKOUT = Path(__file__).parents[2]
NEIGHBOURS = CHECKOUT / ".cache" / "neighbours"
MODULES = NEIGHBOURS / "ansible_collections" / "awx" / "awx" / "plugins" / "modules"
SCHEMA = NEIGHBOURS / "ansible_rulebook" / "schema" / "ruleset_schema.json"
VARIABLES: dict[str, Any] = {
    "drift_awx_organization": "Contoso",
    "drift_awx_project": "Drift",
    "drift_awx_project_url": "https://git.contoso.com/drift.git",
    "drift_awx_inventory": "Lync",
    "drift_awx_credentials": ["uc-reader"],
    "drift_awx_execution_environment": "lync",
    "drift_awx_state": "/var/lib/lync-drift/state",
    "drift_awx_notification": {"type": "email", "configuration": {"host": "mail.contoso.com", "port": 25}},
    "item": {"name": "contoso", "limit": "contoso"},
}
(PLAY,) = yaml.safe_load((CHECKOUT / "playbooks" / "configure_awx.yml").read_text())
INCLUDED = CHECKOUT / "playbooks" / PLAY["tasks"][0]["ansible.builtin.include_tasks"]
TASKS = {
    name: task
    for task in yaml.safe_load(INCLUDED.read_text())
    for name in task
    if name.startswith("awx.awx.")
}


def specification(module: str) -> dict[str, Any]:
    """The argument spec in a module's source, which is one expression of dict, list and constants."""
    for node in ast.walk(ast.parse((MODULES / f"{module}.py").read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "argument_spec":
            expression = compile(ast.Expression(node.value), module, "eval")
            found: dict[str, Any] = eval(expression, {"__builtins__": {}, "dict": dict})
            return found
    raise AssertionError(f"{module} has no argument spec")


def rendered(arguments: dict[str, Any]) -> dict[str, Any]:
    templar = Templar(loader=DataLoader(), variables=VARIABLES)
    omitted = {name for name, value in arguments.items() if "default(omit)" in str(value)}
    given = {name: value for name, value in arguments.items() if name not in omitted}
    found = {name: templar.template(trusted(value)) for name, value in given.items()}
    assert "{{" not in str(found)
    return found


def trusted(value: Any) -> Any:
    """As ansible-core 2.19 and later want a template to be."""
    if isinstance(value, dict):
        return {name: trusted(each) for name, each in value.items()}
    trust = getattr(ansible.template, "trust_as_template", None)
    return trust(value) if trust and isinstance(value, str) else value


@pytest.mark.skipif(not MODULES.exists(), reason="awx.awx is not there: make neighbours")
@pytest.mark.parametrize("name", TASKS)
def test_awx_takes_these_arguments(name: str) -> None:
    checked = ArgumentSpecValidator(specification(name.rpartition(".")[2])).validate(
        rendered(TASKS[name][name])
    )
    assert checked.error_messages == []


def test_a_deployment_is_one_job_without_slices() -> None:
    job = TASKS["awx.awx.job_template"]["awx.awx.job_template"]
    assert (job["job_slice_count"], job["allow_simultaneous"]) == (1, False)
    assert (CHECKOUT / "runner.example" / "project" / job["playbook"]).exists()


RULEBOOK = yaml.safe_load((CHECKOUT / "extensions" / "eda" / "rulebooks" / "check_drift.yml").read_text())


@pytest.mark.skipif(not SCHEMA.exists(), reason="the schema of rulebooks is not there: make neighbours")
def test_the_rulebook_is_one() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(RULEBOOK, schema)
    broken = copy.deepcopy(RULEBOOK)
    del broken[0]["rules"][0]["throttle"]["group_by_attributes"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_the_rulebook_checks_and_is_throttled() -> None:
    (rule,) = RULEBOOK[0]["rules"]
    assert rule["action"]["run_playbook"]["name"] == "lync.remediation.check_drift"
    assert "once_within" in rule["throttle"]
