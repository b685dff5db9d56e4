# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A picture of a terminal, as SVG: what it shows is text, which can be read back."""

from __future__ import annotations

import html
import re
from pathlib import Path

from running import CHECKOUT

PICTURE = CHECKOUT / "docs" / "images" / "dry_run.svg"
COLUMNS = 80
_WIDTH, _HEIGHT, _MARGIN = 8.43, 18, 16
_FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_COLOURS = {"$": "#ffffff", "+": "#7ee787", "-": "#ff7b72", "@": "#79c0ff"}


def write(text: str, path: Path = PICTURE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture(text), encoding="utf-8")


def picture(text: str) -> str:
    lines = text.splitlines()
    width, height = round(COLUMNS * _WIDTH) + 2 * _MARGIN, len(lines) * _HEIGHT + 2 * _MARGIN
    drawn = [
        f'<text x="{_MARGIN}" y="{_MARGIN + 13 + number * _HEIGHT}" fill="{_colour(line)}">{_drawn(line)}</text>'
        for number, line in enumerate(lines)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"',
            f' viewBox="0 0 {width} {height}">',
            f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
            f'<g font-family="{_FONTS}" font-size="14">',
            *drawn,
            "</g>",
            "</svg>\n",
        ]
    )


def _drawn(line: str) -> str:
    """Programs that draw collapse spaces, whatever is said about them, but for those that do not break."""
    return html.escape(line).replace(" ", "\N{NO-BREAK SPACE}")


def _colour(line: str) -> str:
    return _COLOURS.get(line[:1], "#e6edf3") if line[1:2] != " " or line[:1] == "$" else "#e6edf3"


def text_of(path: Path = PICTURE) -> str:
    found = re.findall(r"<text[^>]*>(.*?)</text>", path.read_text(encoding="utf-8"))
    return "".join(f"{html.unescape(line)}\n" for line in found).replace("\N{NO-BREAK SPACE}", " ")


def normalised(text: str) -> str:
    """Without what is another each time: times, ports, durations, uncertainties."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?", "(time)", text)
    return re.sub(r"\d+(\.\d+)? (ms|s|seconds)\b", r"(number) \2", re.sub(r":\d{4,5}\b", ":(port)", text))
