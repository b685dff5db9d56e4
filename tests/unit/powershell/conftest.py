# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers for the tests of the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lab_tests.small import RunningLab, SmallServer
from unit.powershell.places import ADDRESS, Place


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Place]]:
    running: list[RunningLab] = []

    def start(**changes: Any) -> Place:
        server = SmallServer(**{"address": ADDRESS, **changes})
        lab = RunningLab(tmp_path_factory.mktemp("lab"), server)
        running.append(lab)
        lab.__enter__()
        return Place(lab, server, tmp_path_factory.mktemp("run"))

    yield start
    for lab in running:
        lab.__exit__()
