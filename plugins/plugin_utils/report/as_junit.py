# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as JUnit has it, for whatever shows the results of tests: one case for each object.

A difference is a failure, what cannot be said an error, what is waived a test that was skipped. The five counts are
properties of the suite, since cases are objects and not rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from . import words
from .counting import CORRECTED, DRIFTED, UNKNOWN, WAIVED

_WORST_FIRST = (DRIFTED, UNKNOWN, WAIVED, CORRECTED)
# What XML 1.0 does not allow, even as a reference (section 2.2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(model: Mapping[str, Any]) -> str:
    cases = _cases(model["findings"])
    numbers = [_state(each) for each in cases.values()]
    suite = ET.Element(
        "testsuite",
        {
            "name": f"{model['name']}: {words.word(model)}",
            "timestamp": model["started"].removesuffix("Z"),
            "tests": str(len(cases) + len(model["deployments"])),
            "failures": str(numbers.count(DRIFTED)),
            "errors": str(numbers.count(UNKNOWN)),
            "skipped": str(numbers.count(WAIVED)),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, number in model["counts"].items():
        ET.SubElement(properties, "property", {"name": f"counts.{name}", "value": str(number)})
    ET.SubElement(properties, "property", {"name": "verdict", "value": model["verdict"]})
    for (place, name), findings in cases.items():
        _case(suite, place, name, findings)
    for each in model["deployments"]:
        number = each["counts"]["as_wanted"]
        ET.SubElement(
            suite,
            "testcase",
            {"classname": _allowed(each["name"]), "name": f"as wanted: {number}", "time": "0"},
        )
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _cases(findings: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """By object; two of the same name would be taken for one."""
    cases: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in findings:
        place = ".".join(filter(None, (each["deployment"] or each["host"], each["noun"])))
        cases.setdefault((_allowed(place), _allowed(each["identity"] or each["noun"])), []).append(each)
    return cases


def _state(findings: Iterable[Mapping[str, Any]]) -> str:
    return min((each["count"] for each in findings), key=_WORST_FIRST.index)


def _case(suite: ET.Element, place: str, name: str, findings: list[Mapping[str, Any]]) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": place, "name": name, "time": "0"})
    state = _state(findings)
    text = "\n\n".join(_allowed(_described(each)) for each in findings)
    first = _allowed(_headline(next(each for each in findings if each["count"] == state)))
    if state == DRIFTED:
        ET.SubElement(case, "failure", {"type": findings[0]["severity"], "message": first}).text = text
    elif state == UNKNOWN:
        ET.SubElement(case, "error", {"type": str(findings[0]["unknown"]), "message": first}).text = text
    elif state == WAIVED:
        ET.SubElement(case, "skipped", {"message": first})
    else:
        ET.SubElement(case, "system-out").text = text


def _headline(finding: Mapping[str, Any]) -> str:
    if finding["count"] == UNKNOWN:
        return str(finding["detail"])
    now, wanted = words.value(finding["current"]), words.value(finding["desired"])
    if finding["count"] == WAIVED:
        return (
            f"waived until {finding['waiver']['expires']} by {finding['waiver']['owner']}: {now} for {wanted}"
        )
    if finding["current"] is None and finding["desired"] is None:
        return str(finding["reason"])
    return f"{finding['property']}: {now}, wanted {wanted}"


def _described(finding: Mapping[str, Any]) -> str:
    lines = (
        f"{finding['id']} {finding['count']} {finding['severity']} {finding['property']}".rstrip(),
        _headline(finding),
        finding["reason"],
        finding["detail"],
        *finding["origins"],
        finding["command"],
        finding["put_back"],
        finding["keep"],
    )
    return "\n".join(dict.fromkeys(filter(None, lines)))


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text)
