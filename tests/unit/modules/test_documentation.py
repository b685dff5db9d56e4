# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables against the reference, the modules' documentation and the action plugins."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lync.remediation.plugins.plugin_utils.module_action import ModuleAction, validated
from ansible_collections.lync.remediation.plugins.plugin_utils.result.bounds import BOUNDS
from ansible_collections.lync.remediation.plugins.plugin_utils.run_action import RunAction
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.comparison import Enumeration
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resource import Resource
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resources.registry import RESOURCES
from unit.settings.scripted_shell import CLOUD, PARAMETERS, PLUMBING, VERSIONS

COLLECTION = "ansible_collections.lync.remediation.plugins"
PLUGINS = Path(importlib.import_module(f"{COLLECTION}.modules").__path__[0]).parent
MODULES = sorted(path.stem for path in PLUGINS.glob("modules/*.py"))
#: Whose attributes are its own: it changes nothing on a server, and writes to people.
SAYS_ITSELF = {"drift_notification"}
SELECTING = {"identity", "state", "force", "recreate", "copy_of", "server_defaults"}

tables = pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
modules = pytest.mark.parametrize("module", MODULES)


def document(module: str, part: str = "DOCUMENTATION") -> Any:
    return yaml.safe_load(getattr(importlib.import_module(f"{COLLECTION}.modules.{module}"), part))


def tasks(module: str) -> list[dict[str, Any]]:
    """The arguments of a module in its own examples."""
    name = f"lync.remediation.{module}"
    return [task[name] or {} for task in document(module, "EXAMPLES") if name in task]


@tables
def test_the_table_covers_the_reference(resource: Resource) -> None:
    documented = {
        parameter
        for verb in ("New", "Set")
        for parameter in PARAMETERS.get(resource.cmdlet(verb), {})
        if parameter not in PLUMBING | CLOUD
    }
    of_table = {
        parameter
        for p in resource.properties
        for parameter in (p.comparison.names if p.is_switch else [p.parameter])
    }
    assert of_table == documented


@tables
def test_the_table_agrees_with_the_documentation(resource: Resource) -> None:
    options = document(resource.name)["options"]
    assert set(options) - SELECTING == {p.option for p in resource.properties}
    assert ("state" in options) is resource.creatable
    assert ("recreate" in options) is resource.recreatable
    assert ("copy_of" in options) is ("server_defaults" in options) is resource.layered
    for p in resource.properties:
        option = options[p.option]
        assert option["type"] == p.comparison.option_type, p.option
        names = list(p.comparison.names) if isinstance(p.comparison, Enumeration) else None
        assert option.get("choices") == names, p.option
        assert "default" not in option, "what is not given is not touched"


@tables
def test_every_property_says_why_it_matters(resource: Resource) -> None:
    for p in resource.properties:
        assert p.reason[0].isupper(), p.option
        assert p.reason.endswith("."), p.option
        assert "\n" not in p.reason, p.option


@modules
def test_module_and_action_are_a_pair(module: str) -> None:
    action = importlib.import_module(f"{COLLECTION}.action.{module}").ActionModule
    described = document(module)
    assert described["module"] == module
    assert action.DOCUMENTATION == importlib.import_module(f"{COLLECTION}.modules.{module}").DOCUMENTATION
    assert set(action._arguments) == set(described.get("options") or {})
    if hasattr(action, "RESOURCE"):
        assert action.RESOURCE.name == module.removesuffix("_info")


@modules
def test_every_action_has_its_module_and_a_place_in_the_group(module: str) -> None:
    runtime = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert module in runtime["action_groups"]["lync"]
    assert sorted(path.stem for path in PLUGINS.glob("action/*.py")) == MODULES
    assert "lync.remediation.action_group" in document(module)["extends_documentation_fragment"]


@modules
def test_fragments_say_what_the_action_is(module: str) -> None:
    """How a server is reached where one is asked, whether something is changed, and whether it runs once."""
    action = importlib.import_module(f"{COLLECTION}.action.{module}").ActionModule
    fragments = set(document(module)["extends_documentation_fragment"])
    ways = fragments & {"lync.remediation.connection", "lync.remediation.connection.server"}
    assert len(ways) == getattr(action, "_requires_connection", False)
    assert ("lync.remediation.attributes.once" in fragments) is issubclass(action, RunAction)
    if module not in SAYS_ITSELF:
        changes = issubclass(action, ModuleAction) or getattr(action, "MODE", "check") != "check"
        kinds = {
            "lync.remediation.attributes.changing": changes,
            "lync.remediation.attributes.info": not changes,
        }
        assert {kind for kind in kinds if kind in fragments} == {
            kind for kind, holds in kinds.items() if holds
        }


@modules
def test_bounds_are_in_the_documentation(module: str) -> None:
    for name, option in (document(module).get("options") or {}).items():
        if name not in BOUNDS or option["type"] not in ("int", "float"):
            continue
        told = re.search(r"From V\((\S+)\) to V\((\S+)\)\.", " ".join(option["description"]))
        assert told, name
        lowest, highest = BOUNDS[name]
        assert lowest <= float(told[1]) < float(told[2]) == highest, name


@modules
def test_every_example_has_arguments_that_are_taken(module: str) -> None:
    action = importlib.import_module(f"{COLLECTION}.action.{module}").ActionModule
    examples = tasks(module)
    assert examples
    for arguments in examples:
        plain = {name: value for name, value in arguments.items() if "{{" not in str(value)}
        dictionaries = {name for name, option in action._arguments.items() if option.get("type") == "dict"}
        given = {
            name: [] if isinstance(value, list) else {} if name in dictionaries else "Global"
            for name, value in arguments.items()
        }
        assert set(validated(action._arguments, {**given, **plain} if plain else given)) == set(
            action._arguments
        )


@tables
def test_examples_use_what_every_version_has(resource: Resource) -> None:
    for arguments in tasks(resource.name):
        for option in set(arguments) - SELECTING:
            parameter = resource.property_of(option).parameter
            if resource.property_of(option).is_switch:
                parameter = arguments[option]
            known = PARAMETERS[resource.cmdlet("Set")] | PARAMETERS.get(resource.cmdlet("New"), {})
            assert known[parameter] == list(VERSIONS), option


def test_fragments_describe_no_options() -> None:
    for path in PLUGINS.glob("doc_fragments/*.py"):
        fragment = importlib.import_module(f"{COLLECTION}.doc_fragments.{path.stem}").ModuleDocFragment
        for text in (value for name, value in vars(fragment).items() if name.isupper()):
            assert not yaml.safe_load(text).get("options"), path.stem
