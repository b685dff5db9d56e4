# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an option's value is of the option's type, told in a sentence with the option, the value and what is allowed.

ansible-core's own messages leave the value or the option out, and it takes some values for what they are not: a mapping
for its text, true for 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .result.display import shown
from .result.refusals import BadArgument, UnusableArgument

_ALLOWED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "list": "a list",
    "dict": "a mapping",
    "str": "a text",
    "path": "a path",
}


def check_types(spec: Mapping[str, Any], given: Mapping[str, Any], within: str = "") -> None:
    """Raises `BadArgument` for the first option whose value cannot be of its type. ``within`` is the option that these
    are suboptions of.
    """
    for name in sorted(set(given) - _names(spec)):
        raise BadArgument(
            f"{within}{name}: there is no such option. The options are {', '.join(sorted(spec))}."
        )
    for name, option in spec.items():
        value = given.get(name)
        if value is None:
            continue
        label = f"{within}{name}"
        _check(label, option.get("type", "str"), value)
        items = value if isinstance(value, list) else [value]
        if "elements" in option:
            for item in items:
                _check(label, option["elements"], item)
        choices = option.get("choices")
        if choices and within:
            listed = value.split(",") if "elements" in option and isinstance(value, str) else items
            for item in listed:
                if item not in choices:
                    raise UnusableArgument(
                        label, f"{shown(item)} is not one of {', '.join(map(str, choices))}"
                    )
        if "options" in option:
            for item in items:
                if isinstance(item, Mapping):
                    check_types(option["options"], item, f"{label}.")


def _names(spec: Mapping[str, Any]) -> set[str]:
    return set(spec) | {alias for option in spec.values() for alias in option.get("aliases", ())}


def _check(label: str, kind: str, value: Any) -> None:
    wrong = (
        isinstance(value, list | Mapping)
        if kind in ("str", "path")
        else isinstance(value, bool) and kind != "bool"
    )
    if isinstance(value, bool) and kind in ("str", "path"):
        raise UnusableArgument(label, f"{shown(value)} is not a text. Put it in quotes if it is meant as one")
    if wrong or ArgumentSpecValidator({"value": {"type": kind}}).validate({"value": value}).error_messages:
        raise UnusableArgument(label, f"{shown(value)} is not {_ALLOWED[kind]}")
    if kind == "int" and not -(2**63) <= (value if isinstance(value, int) else float(value)) < 2**63:
        raise UnusableArgument(label, f"{shown(value)} is not a whole number of 64 bits")
