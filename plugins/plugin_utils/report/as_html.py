# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as one HTML file, which asks for nothing else: neither a server nor another file.

What decides is in the text of the page. The findings are in it once, as data, and its script lists as many as are
looked at. The page's own policy allows no other script, so that no value of a server can be one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from ..result.spans import span_text
from . import as_json, words
from .counting import TRENDS

_FOLDER = Path(__file__).parent
# Of the strip, in pixels.
_HEIGHT = 34
# So many servers are in the plot at once; the others are one click away.
_PLOTTED = 40


def render(model: Mapping[str, Any]) -> str:
    style, script = (
        _FOLDER.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js")
    )
    policy = "; ".join(
        (
            "default-src 'none'",
            "style-src 'unsafe-inline'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    text = (
        _environment()
        .get_template("report.html.j2")
        .render(
            model=model,
            counts=[(name, words.TITLES[name], model["counts"][name]) for name in words.TITLES],
            trends=[(name, model["trends"][name]) for name in TRENDS],
            expires=min(
                (each["waiver"]["expires"] for each in model["findings"] if each["waiver"]), default=""
            ),
            strip=_strip(model),
            clocks=[_plot(each) for each in model["clocks"]],
            data=_embedded(model),
            digest=hashlib.sha256(as_json.render(model).encode("ascii")).hexdigest(),
            style=style,
            script=script,
            policy=policy,
        )
    )
    return words.without_surrogates(text)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seen": words.visible,
        "encodable": words.without_surrogates,
        "value": words.value,
        "moment": _moment,
        "day": lambda text: str(text)[:10],
        "span": lambda milliseconds: span_text(milliseconds / 1000, signed=True),
        "size": lambda milliseconds: span_text(milliseconds / 1000),
    }
    return environment


def _hash(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}"


def _moment(text: str) -> str:
    return str(text)[:16].replace("T", " ")


def _embedded(model: Mapping[str, Any]) -> str:
    """The findings for the script, without what is empty; no character of it can end the element that it stands in."""
    findings = [
        {name: value for name, value in each.items() if value not in (None, "", [])}
        for each in model["findings"]
    ]
    for each, whole in zip(findings, model["findings"], strict=True):
        each |= {name: whole[name] for name in ("current", "desired")}
    data = {
        "findings": findings,
        "counts": model["counts"],
        "history": model["history"],
        "titles": dict(words.TITLES),
        "labels": dict(words.LABELS),
        "several": len(model["deployments"]) > 1,
    }
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


# -- the strip of runs ------------------------------------------------------------------------------------------------


def _strip(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Runs and gaps in the order of time; a run's bars are what differed and what could not be said."""
    runs = model["history"]
    highest = max((each["counts"]["drifted"] + each["counts"]["unknown"] for each in runs), default=0)
    entries = [{"time": time, "missed": True} for time in model["missed"]]
    for number, each in enumerate(runs):
        drifted, unknown = (_bar(each["counts"][name], highest) for name in ("drifted", "unknown"))
        entries.append(
            {
                "time": each["time"],
                "missed": False,
                "number": number,
                "mode": each["mode"],
                "counts": each["counts"],
                "drifted": {"y": _HEIGHT - drifted, "height": drifted},
                "unknown": {"y": _HEIGHT - drifted - unknown, "height": unknown},
            }
        )
    return sorted(entries, key=lambda each: str(each["time"]))


def _bar(number: int, highest: int) -> float:
    """Of one finding among many something is seen still."""
    return round(max(4.0, (_HEIGHT - 4) * number / highest), 1) if number else 0.0


# -- the plot of clocks -----------------------------------------------------------------------------------------------


def _plot(clocks: Mapping[str, Any]) -> dict[str, Any]:
    """Offsets on a scale that shows milliseconds beside hours: the logarithm, to either side of zero."""
    known = [each for each in clocks["servers"] if each["offset_ms"] is not None]
    reach = max((abs(each["offset_ms"]) + each["uncertainty_ms"] for each in known), default=0)
    end = max(3, math.ceil(_scaled(reach)))
    rows = []
    for each in clocks["servers"]:
        row = dict(each)
        if each["offset_ms"] is not None:
            low, high = each["offset_ms"] - each["uncertainty_ms"], each["offset_ms"] + each["uncertainty_ms"]
            row |= {
                "at": _percent(each["offset_ms"], end),
                "low": _percent(low, end),
                "width": round(_percent(high, end) - _percent(low, end), 2),
            }
        rows.append(row)
    step = max(1, math.ceil(end / 3))
    sizes = [10.0**power for power in range(step, end + 1, step)]
    ticks = [
        (0.0, "0"),
        *((sign * size, span_text(sign * size / 1000, signed=True)) for size in sizes for sign in (-1, 1)),
    ]
    return {
        **clocks,
        "rows": rows[:_PLOTTED],
        "more": rows[_PLOTTED:],
        "ticks": sorted((_percent(value, end), label) for value, label in ticks),
    }


def _scaled(milliseconds: float) -> float:
    return math.copysign(math.log10(1 + abs(milliseconds)), milliseconds)


def _percent(milliseconds: float, end: float) -> float:
    return round(50 + 50 * _scaled(milliseconds) / end, 2)
