# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine that the simulated servers' sessions run on: the lab's own, or a real PowerShell."""

from __future__ import annotations

import shutil

import pytest

EMBEDDED = "embedded"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        default=EMBEDDED,
        metavar="COMMAND",
        help="run whole playbooks against labs on this PowerShell 7, such as 'pwsh', instead of their own engine",
    )


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--engine"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a real PowerShell cannot show."""
    if config.getoption("--engine") == EMBEDDED:
        return
    for item in items:
        marker = item.get_closest_marker("embedded_only")
        if marker is not None:
            item.add_marker(pytest.mark.skip(reason=f"only on the embedded engine: {marker.args[0]}"))


@pytest.fixture(scope="session")
def powershell_command(engine: str) -> str:
    """A PowerShell 7: the one named by --engine, or found on PATH."""
    if engine != EMBEDDED:
        return engine
    if shutil.which("pwsh") is None:
        pytest.skip("there is no PowerShell 7 on PATH, and --engine names none")
    return "pwsh"
