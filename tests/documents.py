# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The blocks of code in the project's pages: what people paste."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from running import CHECKOUT

#: Every page that a user or contributor reads.
PAGES = (
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(CHECKOUT.glob("roles/*/README.md")),
    *sorted(CHECKOUT.glob("docs/docsite/rst/*.rst")),
)
_OPENING = {
    ".md": re.compile(r"^(?P<indent>)```(?P<language>\w*)$"),
    ".rst": re.compile(r"^(?P<indent> *)\.\. code-block:: (?P<language>\w+)$"),
}
_REASON = re.compile(r"(?:<!--|\.\.) not run: (.*?)(?: -->)?")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str
    reason: str | None
    """Why nobody can run it here, as the page itself says in a comment right before it."""

    def __str__(self) -> str:
        return f"{self.page.relative_to(CHECKOUT)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """One command each, as typed; those after ``$`` where the block shows a prompt."""
        lines = self.text.replace("\\\n", "").splitlines()
        if self.language == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and not line.startswith("#")]


def blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    end = 0
    for number, line in enumerate(lines):
        opening = _OPENING[page.suffix].match(line) if number >= end else None
        if opening is None:
            continue
        if page.suffix == ".md":
            end = lines.index("```", number + 1) + 1
        else:
            inside = f"{opening['indent']} "
            rest = range(number + 1, len(lines))
            end = next((n for n in rest if lines[n] and not lines[n].startswith(inside)), len(lines))
        text = textwrap.dedent("\n".join(lines[number + 1 : end])).removesuffix("```").strip("\n") + "\n"
        yield Block(page, number + 1, opening["language"], text, _reason(lines[:number]))


def _reason(before: list[str]) -> str | None:
    """What the paragraph right before a block says, if that is the mark of one that is not run."""
    paragraph = "\n".join(before).rstrip().rpartition("\n\n")[2]
    found = _REASON.fullmatch(" ".join(paragraph.split()))
    return found[1] if found else None
