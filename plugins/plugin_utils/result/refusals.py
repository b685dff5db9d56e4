# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a request, apart from the wire: each is one sentence that says what became of the object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..powershell.errors import ManagementShellError
from ..powershell.plain_text import visible
from ..powershell.results import RemoteObject
from .result import Result
from .status import Status


class BadArgument(ValueError):
    """An argument that cannot be right; the text names the option, the value and what is allowed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(visible(sentence))


class UnusableArgument(BadArgument):
    """An option's value can be seen to be wrong without asking a server."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}" if problem.endswith((".", "?")) else f"{option}: {problem}.")


class Refused(ManagementShellError):
    """What was read makes it impossible, or unwise, to carry the request out; nothing has been changed.

    ``status`` is DRIFTED where the object is known to differ, UNKNOWN where that could not be judged.
    """

    def __init__(self, sentence: str, status: Status = Status.DRIFTED) -> None:
        self.status = status
        super().__init__(visible(f"{sentence.rstrip('.')}. Nothing has been changed."))


class Unreadable(ManagementShellError):
    """The server answered with something that cannot be what was asked for; it is never taken for absence."""


def text_of(raw: Any) -> str:
    """The text of a string, or of an object that is shown as text, such as an identity or an enumeration."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, RemoteObject) and raw.text is not None:
        return raw.text
    raise Unreadable(f"The server sent {raw!r} where a text was expected.")


class ChangeFailed(ManagementShellError):
    """A change was attempted and is not, or not known to be, in place.

    ``result`` is what is known of it; ``causes`` are what broke, the first of which is told in full.
    """

    def __init__(self, sentence: str, result: Result, causes: Sequence[ManagementShellError] = ()) -> None:
        # The sentence is the failed task's msg; one that explains a success has no place beside it.
        self.result = replace(result, details={k: v for k, v in result.details.items() if k != "msg"})
        self.causes = tuple(causes)
        super().__init__(sentence)
