# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as a table for spreadsheets: a row for each finding, and one for what is as wanted at each place.

Spreadsheets take a cell that begins with one of a few characters for a formula; such a cell gets an apostrophe in
front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from . import words
from .counting import AS_WANTED

COLUMNS = (
    "status",
    "number",
    "severity",
    "deployment",
    "pool",
    "server",
    "noun",
    "identity",
    "property",
    "now",
    "wanted",
    "trend",
    "since",
    "reason",
    "detail",
    "origin",
    "owner",
    "expires",
    "put_back",
    "keep",
    "id",
)
# OWASP, CSV injection; what begins with a tab or a line break is written with its code point anyway.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render(model: Mapping[str, Any]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    for row in rows(model):
        table.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue()


def rows(model: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in model["findings"]:
        waiver = each["waiver"] or {}
        yield {
            "status": each["count"],
            "number": 1,
            **{
                name: each[name]
                for name in (
                    *(
                        "severity",
                        "deployment",
                        "pool",
                        "server",
                        "noun",
                        "identity",
                        "property",
                        "trend",
                        "since",
                    ),
                    *("reason", "detail", "put_back", "keep", "id"),
                )
            },
            "now": words.value(each["current"]),
            "wanted": words.value(each["desired"]),
            "origin": ", ".join(each["origins"]),
            "owner": waiver.get("owner", ""),
            "expires": waiver.get("expires", ""),
        }
    for deployment in model["deployments"]:
        for pool in deployment["pools"]:
            place = {"status": AS_WANTED, "deployment": deployment["name"], "pool": pool["name"]}
            for server in pool["servers"]:
                yield {**place, "server": server["name"], "number": server["counts"][AS_WANTED]}
            of_servers = sum(server["counts"][AS_WANTED] for server in pool["servers"])
            yield {**place, "number": pool["counts"][AS_WANTED] - of_servers}


def _cell(value: Any) -> Any:
    if isinstance(value, int):
        return value
    text = words.visible(str(value or ""))
    return f"'{text}" if text.startswith(_FORMULAS) else text
