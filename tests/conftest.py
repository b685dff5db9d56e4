# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine that the simulated servers' sessions run on: the lab's own, or a real PowerShell; and what is tested."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import hypothesis
import pytest

EMBEDDED = "embedded"
# How long an example takes says what else the machine does, and fails no test. Long sweeps, which set FUZZ, try more.
EXAMPLES = 500 if "FUZZ" in os.environ else 50
hypothesis.settings.register_profile("any machine", deadline=None, max_examples=EXAMPLES)
hypothesis.settings.load_profile("any machine")
CHECKOUT = Path(__file__).parents[1]
#: The files with the longest tests, which begin first, so that no process of the tests waits for one in the end.
LONGEST = (
    "test_schedule.py",
    "test_demo.py",
    "test_pasted.py",
    "test_first_ten_minutes.py",
    "test_package.py",
)
# Until all tests are known, nothing becomes garbage, and looking for it takes a quarter of the time.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        default=EMBEDDED,
        metavar="COMMAND",
        help="run whole playbooks against labs on this PowerShell 7, such as 'pwsh', instead of their own engine",
    )
    parser.addoption(
        "--engine-table", action="store_true", help="only list the tests that no PowerShell can pass, and why"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test another checkout's collection, which is what a copy of a checkout would do."""
    place = CHECKOUT / ".collections" / "ansible_collections" / "lync" / "remediation"
    if place.resolve() != CHECKOUT.resolve():
        raise pytest.UsageError(f"{place} does not lead to this checkout. Run `make setup`.")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--engine"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a real PowerShell cannot show, and what cannot be shown without one."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    if _powershell(config) is None:
        without = [item for item in items if "powershell_command" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
    marked = [
        (item, marker.args[0]) for item in items if (marker := item.get_closest_marker("embedded_only"))
    ]
    if config.getoption("--engine-table"):
        places: dict[str, dict[str, None]] = {}
        for item, reason in marked:
            places.setdefault(reason, {})[f"`{_place(item)}`"] = None
        rows = [f"| {', '.join(tests)} | {reason} |" for reason, tests in places.items()]
        print("| test | why only the embedded engine |", "| --- | --- |", *rows, sep="\n")
        items.clear()
    elif config.getoption("--engine") != EMBEDDED:
        for item, reason in marked:
            item.add_marker(pytest.mark.skip(reason=f"only on the embedded engine: {reason}"))


def _place(item: pytest.Item) -> str:
    """The test, or its file where all of that is marked."""
    marks = getattr(getattr(item, "module", None), "pytestmark", None)
    return item.nodeid.partition("::" if getattr(marks, "name", None) == "embedded_only" else "[")[0]


def _powershell(config: pytest.Config) -> str | None:
    """A PowerShell 7: the one named by --engine, or found on PATH."""
    named = str(config.getoption("--engine"))
    return named if named != EMBEDDED else shutil.which("pwsh")


@pytest.fixture(scope="session")
def powershell_command(pytestconfig: pytest.Config) -> str:
    found = _powershell(pytestconfig)
    assert found is not None
    return found


def pytest_report_header(config: pytest.Config) -> str:
    found = _powershell(config)
    return (
        f"PowerShell: {found or 'none on PATH, and none named by --engine; tests that need one are left out'}"
    )
