# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab holds what the product needs and no more: it stays the smaller one, and so do its own tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
#: How lines begin that do not count, by the kind of file.
COMMENTS = {".py": "#", ".yml": "#", ".cs": "//"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(text: str) -> Iterator[int]:
    """The numbers of their lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)


def lines(*folders: str) -> int:
    """Lines of Python, YAML and C# that are neither blank nor comment nor docstring. Data is not Python, so the
    catalogue, which is generated, is not counted."""
    count = 0
    for folder in folders:
        for path in (CHECKOUT / folder).rglob("*"):
            if path.suffix in COMMENTS:
                text = path.read_text(encoding="utf-8")
                without = set(docstrings(text)) if path.suffix == ".py" else set()
                count += sum(
                    bool(line.strip())
                    and not line.lstrip().startswith(COMMENTS[path.suffix])
                    and number not in without
                    for number, line in enumerate(text.splitlines(), 1)
                )
    return count


def test_the_lab_is_smaller_than_the_product() -> None:
    assert lines("tests/lab") < lines("plugins", "roles", "playbooks")


def test_the_labs_own_tests_are_fewer_than_the_products() -> None:
    assert lines("tests/lab_tests") < lines("tests/unit")
