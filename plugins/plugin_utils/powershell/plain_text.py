# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's text on its way into a sentence: one line of bounded length, with nothing that acts on a terminal."""

from __future__ import annotations

import re

LONGEST = 1000
"""Characters of one text that are shown; what PowerShell itself writes is far shorter."""

_ESCAPE_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, movements
    "|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # window titles, links
    "|\x1b[ -/]*[0-~]?"
)
# Control characters, line ends, and the marks that turn the direction of writing.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROLS = re.compile(rf"\s*{_CONTROL.pattern}+\s*")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """A user's text in a sentence: what would act on a terminal, or break the line, is shown as its escape."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    line = _CONTROLS.sub(" ", _ESCAPE_SEQUENCE.sub("", text)).strip()
    line = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ... ({len(line) - LONGEST} characters more)"
