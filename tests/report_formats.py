# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every format of a report, read back by somebody else's parser: all must be valid and say the same."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from collections import Counter
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
from ansible_collections.lync.remediation.plugins.plugin_utils.report import as_json, as_text
from ansible_collections.lync.remediation.plugins.plugin_utils.report.counting import COUNTS
from ansible_collections.lync.remediation.plugins.plugin_utils.report.rendering import FORMATS, render

VALIDATOR = jsonschema.Draft202012Validator(json.loads(as_json.SCHEMA.read_text(encoding="utf-8")))


class Page(html.parser.HTMLParser):
    """The counts and the data of a page, and whatever could ask for something or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.scripts = 0
        self.data = ""
        self.asks: list[str] = []
        self._open: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.scripts += tag == "script"
        self.asks += [
            f"{tag} {name}"
            for name in found
            if name in ("src", "srcset", "action", "data") or name[:2] == "on"
        ]
        self.asks += [
            f"{tag} {found['href']}" for _ in [0] if not str(found.get("href", "#")).startswith("#")
        ]
        self._open.append({"tag": tag, **found})

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()["tag"] != tag:
            pass

    def handle_data(self, data: str) -> None:
        at = self._open[-1] if self._open else {}
        if at.get("id") == "data":
            self.data += data
        if at.get("tag") == "b" and len(self._open) > 1 and (name := self._open[-2].get("data-count")):
            self.counts[name] = int(data)


def counts_of_csv(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in csv.DictReader(io.StringIO(text, newline="")):
        found[row["status"]] += int(row["number"])
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values()), row
    return found


def counts_of_junit(text: str) -> dict[str, int]:
    root = ET.fromstring(text.encode("utf-8"))
    cases = [(each.get("classname"), each.get("name")) for each in root.iter("testcase")]
    assert len(set(cases)) == len(cases)
    suite = root.find("testsuite")
    assert suite is not None
    for state, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(str(suite.get(state))) == len(list(root.iter(tag)))
    return {
        str(each.get("name")).removeprefix("counts."): int(str(each.get("value")))
        for each in root.iter("property")
        if str(each.get("name")).startswith("counts.")
    }


def counts_of_prometheus(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in text.split("\n"):
        if match := re.match(r'lync_remediation_drift_rows\{.*,status="(\w+)"\} (\d+)$', line):
            found[match[1]] += int(match[2])
    return found


def counts_of_text(text: str) -> list[int]:
    (line,) = re.findall(
        r"(?s)  (\d+) differ, (\d+) corrected, (\d+)\s+waived, (\d+)\s+cannot\s+be\s+said, (\d+)", text
    )
    return [int(number) for number in line]


def assert_all_say_the_same(built: dict[str, Any]) -> None:
    VALIDATOR.validate(built)
    counts = {name: built["counts"][name] for name in COUNTS}
    assert sum(counts.values()) == built["counts"]["total"]
    assert Counter(each["count"] for each in built["findings"]) == +Counter(
        {name: number for name, number in counts.items() if name != "as_wanted"}
    )
    for part in (built["deployments"], [pool for each in built["deployments"] for pool in each["pools"]]):
        assert {name: sum(each["counts"][name] for each in part) for name in COUNTS} == counts
    rendered = {name: render(name, built) for name in FORMATS}
    for text in rendered.values():
        text.encode("utf-8")
    assert as_json.load(rendered["json"]) == built
    assert +counts_of_csv(rendered["csv"]) == +Counter(counts)
    assert counts_of_junit(rendered["junit"]) == built["counts"]
    assert +counts_of_prometheus(rendered["prometheus"]) == +Counter(counts)
    order = ("drifted", "corrected", "waived", "unknown", "as_wanted")
    assert counts_of_text(rendered["text"]) == [counts[name] for name in order]
    # A name is not broken, however long it is.
    assert [line for line in as_text.lines(built) if len(line) > 79 and " " in line.strip()] == []
    page = Page(rendered["html"])
    assert page.counts == counts
    assert (page.scripts, page.asks) == (2, [])
    data = json.loads(page.data)
    assert [each["id"] for each in data["findings"]] == [each["id"] for each in built["findings"]]
