# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report's files on the controller: each is replaced as a whole, or stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..change.sharing import make_folder, private_mode
from ..drift.documents import write_atomically
from . import history
from .gathered import UnusableReport
from .history import History
from .rendering import FORMATS


def history_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.history.json"


def load_history(folder: Path, name: str) -> History:
    """Raises UnusableReport."""
    path = history_path(folder, name)
    try:
        return history.load(path.read_text(encoding="ascii")) if path.exists() else History()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnusableReport(f"{path} cannot be used: {reason}.") from None


def save_history(folder: Path, name: str, new: History) -> None:
    """Raises UnusableReport."""
    _write(history_path(folder, name), history.dump(new), 0o600)


def write(
    folder: Path, name: str, model: Mapping[str, Any], formats: Iterable[str], textfile: Path | None = None
) -> list[Path]:
    """The files, the JSON first. All are rendered before any is written. Raises UnusableReport."""
    chosen = [each for each in FORMATS if each in {"json", *formats}]
    rendered = {each: FORMATS[each].render(model) for each in chosen}
    paths = []
    for each, text in rendered.items():
        path = folder / f"{name}{FORMATS[each].suffix}"
        if each == "prometheus" and textfile is not None:
            path = textfile
        _write(path, text, FORMATS[each].mode)
        paths.append(path)
    return paths


def prepare(folder: Path) -> None:
    """Raises UnusableReport."""
    try:
        make_folder(folder)
    except (FileExistsError, NotADirectoryError):
        raise UnusableReport(f"The folder for reports cannot be used: {folder} is not a folder.") from None
    except OSError as error:
        raise UnusableReport(
            f"The folder {folder} for reports cannot be used: {error.strerror or error}."
        ) from None


def _write(path: Path, text: str, mode: int) -> None:
    try:
        # What is made in a folder that a group shares is the group's.
        write_atomically(path, text, private_mode(path.parent) | mode)
    except OSError as error:
        raise UnusableReport(
            f"{path} cannot be written: {error.strerror or error}. An earlier report is as it was."
        ) from None
