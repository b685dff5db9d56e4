# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every option of every module, wrong in type, in range and in spelling: one sentence, and no server is asked."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import MagicMock, PropertyMock

import pytest
from ansible_collections.lync.remediation.plugins import action
from ansible_collections.lync.remediation.plugins.plugin_utils.module_action import ACTION_GROUP
from unit.modules.test_actions import COLLECTION, run_on

SPECS: dict[str, Mapping[str, Any]] = {
    name: importlib.import_module(f"{COLLECTION}.action.{name}").ActionModule._arguments
    for name in sorted(module.name for module in pkgutil.iter_modules(action.__path__))
}
WRONG: dict[str, list[Any]] = {
    "bool": ["perhaps", 2, 1.5, [], {"a": 1}, ""],
    "int": ["soon", 1.5, True, [1], {"a": 1}, ""],
    "float": ["soon", True, [1.0], {"a": 1}, ""],
    "str": [{"a": 1}, ["a"], True],
    "path": [{"a": 1}, ["a"], True],
    "list": [{"a": 1}, True],
    "dict": ["a", [1], 7, True],
    "raw": [],
}


def wrong_types(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """An option, and a value that it cannot have."""
    for name, option in spec.items():
        kind, elements = option.get("type", "str"), option.get("elements")
        yield from ((name, value) for value in WRONG[kind])
        if elements:
            yield from ((name, [value]) for value in WRONG[elements] if value not in ([], ""))
        if option.get("choices"):
            yield name, "nonsense"
        for inner, value in wrong_types(option.get("options", {})):
            yield name, [{inner: value}]
        if "options" in option:
            yield name, [{"nonsense": 1}]


def refused(module: str, arguments: Mapping[str, Any], **task: Any) -> str:
    """The sentence, without a session having been touched."""
    connection = MagicMock(transport="lync.remediation.management_shell")
    session = MagicMock()
    type(connection).session = PropertyMock(return_value=session)
    result = run_on(connection, module, dict(arguments), **task)
    session.run.assert_not_called()
    if "verdict" in result:  # The modules on drift never fail, so that the play that tells comes.
        assert result["verdict"] == "refused", (arguments, result)
        return str(result["refusal"])
    assert result["failed"], (arguments, result)
    assert result["failure"] in ("bad_argument", "unusable_argument"), (arguments, result)
    return str(result["msg"])


@pytest.mark.parametrize("module", SPECS)
def test_a_wrong_type_is_named_with_its_value(module: str) -> None:
    for name, value in wrong_types(SPECS[module]):
        sentence = refused(module, {name: value})
        assert sentence.startswith(name), sentence
        while isinstance(value, list) and len(value) == 1:
            (value,) = value
        while isinstance(value, dict) and len(value) == 1 and next(iter(value)) != "a":
            ((inner, value),) = value.items()
            assert inner in sentence
            while isinstance(value, list) and len(value) == 1 and not isinstance(value[0], int | float):
                (value,) = value
        assert "nonsense" in sentence or "is not" in sentence
        assert "<class" not in sentence


@pytest.mark.parametrize("module", SPECS)
def test_a_wrong_type_in_the_defaults_of_the_group_is_named_as_well(module: str) -> None:
    name, value = next(iter(wrong_types(SPECS[module])), ("", None))
    if name:
        defaults = {name: value}
        sentence = refused(module, defaults, module_defaults=[{ACTION_GROUP: defaults}])
        assert sentence == refused(module, defaults)


@pytest.mark.parametrize("module", SPECS)
def test_an_option_that_there_is_not_is_named(module: str) -> None:
    assert "nonsense" in refused(module, {"nonsense": 1})


@pytest.mark.parametrize("module", SPECS)
def test_a_number_far_too_large_or_too_small_is_named_with_what_is_allowed(module: str) -> None:
    # An offset that was measured is written down whatever it is.
    numbers = {name for name, option in SPECS[module].items() if option.get("type") in ("int", "float")} - {
        "offset_ms"
    }
    required = {
        name: {"list": [], "dict": {}}.get(option.get("type", "str"), (option.get("choices") or ["x"])[0])
        for name, option in SPECS[module].items()
        if option.get("required")
    }
    for name in numbers:
        for value in (10**12, -(10**12)):
            sentence = refused(module, {**required, name: value})
            assert sentence.startswith(f"{name}: {value} is "), sentence
