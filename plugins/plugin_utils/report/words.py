# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a report, which every format has in common: the verdict, its sentence, and values for people."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..drift.summary import not_known
from ..result.severity import Severity
from .counting import AS_WANTED, CORRECTED, DRIFTED, UNKNOWN, WAIVED

TITLES: Mapping[str, str] = {
    DRIFTED: "differ",
    CORRECTED: "corrected",
    WAIVED: "waived",
    UNKNOWN: "cannot be said",
    AS_WANTED: "as wanted",
}
"""In the order in which people should see them."""
LABELS: Mapping[str, str] = {
    "server_changed": "changed on the server",
    "baseline_changed": "changed in the baseline",
    "both": "changed on the server and in the baseline",
    "first_seen": "seen for the first time",
}
_SEVERITIES = [each.value for each in Severity]


def word(model: Mapping[str, Any]) -> str:
    """The verdict in a word or two."""
    if model["verdict"] == "drift":
        return "differs"
    if model["verdict"] != "clean":
        return "cannot say"
    return "corrected" if model["counts"][CORRECTED] else "as wanted"


def sentence(model: Mapping[str, Any]) -> str:
    """The verdict in a sentence or two, which never says that all is well where something is not known."""
    counts = model["counts"]
    said = [_finding_sentence(model)] if counts[DRIFTED] else []
    if counts[CORRECTED]:
        said.append(f"{_number(counts[CORRECTED], 'thing was', 'things were')} corrected.")
    if counts[UNKNOWN]:
        unknown = [each for each in model["findings"] if each["count"] == UNKNOWN]
        said.append(f"{visible(not_known(unknown))}.")
    if model["verdict"] == "refused":
        refusals = [each["refusal"] for each in model["deployments"] if each["refusal"]]
        said.insert(0, refusals[0] if refusals else "The run ended before it came to its verdict.")
    elif not counts[DRIFTED] and not counts[UNKNOWN]:
        said.append("Everything else is as wanted." if said else "Everything is as wanted.")
    if counts[WAIVED]:
        said.append(f"{_number(counts[WAIVED], 'difference is', 'differences are')} waived.")
    return " ".join(said)


def _finding_sentence(model: Mapping[str, Any]) -> str:
    number = model["counts"][DRIFTED]
    by_severity = Counter(each["severity"] for each in model["findings"] if each["count"] == DRIFTED)
    worst = max(by_severity, key=_SEVERITIES.index)
    if number == 1:
        return f"1 thing differs; its severity is {worst}."
    of_them = "all" if by_severity[worst] == number else str(by_severity[worst])
    return f"{number} things differ, {of_them} of them {worst}."


def not_checked(model: Mapping[str, Any]) -> str:
    """What nobody has looked at, in a sentence; empty where that is nothing."""
    numbers: Counter[str] = Counter()
    for each in model["deployments"]:
        coverage = each["coverage"]
        numbers["not permitted"] += len(coverage["not_permitted"])
        numbers["not in this version"] += len(coverage["not_in_version"])
        numbers["never compared"] += len(coverage["excluded"])
        numbers["properties"] += sum(len(reasons) for reasons in coverage["not_comparable"].values())
    parts = [
        f"{_number(numbers[reason], 'noun', 'nouns')} {reason}"
        for reason in ("not permitted", "not in this version", "never compared")
        if numbers[reason]
    ]
    if numbers["properties"]:
        parts.append(f"{_number(numbers['properties'], 'property', 'properties')} that cannot be compared")
    return f"Not looked at: {', '.join(parts)}." if parts else ""


def _number(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


# -- values -----------------------------------------------------------------------------------------------------------


def visible(text: str) -> str:
    """The text with every character that cannot be seen, or that turns the text around, written as its code point."""
    return "".join(
        character if _can_be_seen(character) else f"\\u{{{ord(character):x}}}" for character in text
    )


def _can_be_seen(character: str) -> bool:
    return character in " \n\t" or unicodedata.category(character)[0] not in "CZ"


def without_surrogates(text: str) -> str:
    """The text as UTF-8 can hold it; half of a character is none."""
    return text.encode("utf-8", "replace").decode("utf-8")


def value(found: Any) -> str:
    """A value for people."""
    if found is None:
        return "(not set)"
    if found == "":
        return "(empty)"
    if found == []:
        return "(none)"
    if isinstance(found, str):
        return visible(found)
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return ", ".join(map(value, found))
    return visible(json.dumps(found, ensure_ascii=False, sort_keys=True))
