# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a wish, apart from the wire: each is one sentence, and says what has become of the
object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..powershell.errors import CommandError, ManagementShellError
from ..powershell.results import RemoteObject


class BadArgument(ValueError):
    """An argument that cannot be right; the text names the option, the value and what is allowed."""


class UnusableArgument(BadArgument):
    """An option's value can be seen to be wrong without asking a server."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}" if problem.endswith((".", "?")) else f"{option}: {problem}.")


class Refused(ManagementShellError):
    """What was read makes it impossible, or unwise, to carry the wish out; nothing has been changed.

    ``status`` is ``drifted`` where the object is known to differ, ``unknown`` where that could not be judged.
    """

    def __init__(self, sentence: str, status: str = "drifted") -> None:
        self.status = status
        super().__init__(f"{sentence.rstrip('.')}. Nothing has been changed.")


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

    ``result`` holds the module's keys all the same; ``cause`` is what the server said, where it said anything.
    """

    def __init__(self, sentence: str, result: Mapping[str, Any], cause: CommandError | None = None) -> None:
        # The sentence is the failed task's msg; one that explains a success has no place beside it.
        self.result = {key: value for key, value in result.items() if key != "msg"}
        self.cause = cause
        super().__init__(sentence)
