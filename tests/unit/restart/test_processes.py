# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process is only dead where that is certain: on this controller, in this boot and these process ids."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.processes import (
    _FIRST_NAMESPACE,
    _stat,
    is_dead,
    this_process,
)

HERE = this_process()


def test_this_process_lives_and_is_known() -> None:
    assert HERE.process == os.getpid()
    assert all((HERE.controller, HERE.user, HERE.started, HERE.boot, HERE.namespace))
    assert not is_dead(HERE, HERE)


def test_a_process_is_dead_when_it_has_ended_and_when_nobody_has_waited_for_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        other = replace(HERE, process=process.pid, started=_stat(process.pid)[0])
        assert not is_dead(other, HERE)
        assert process.stdin is not None
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(other, HERE)
    assert is_dead(other, HERE)


def test_another_process_with_the_same_id_is_not_it() -> None:
    assert is_dead(replace(HERE, started="1"), HERE)


@pytest.mark.parametrize(
    "other",
    [
        {"controller": "elsewhere"},
        {"namespace": "pid:[1]"},
        {"boot": "", "started": "1"},
        {"boot": "another", "machine": "another"},
        {"boot": "another", "namespace": "pid:[1]"},
    ],
)
def test_what_cannot_be_known_to_be_dead_is_not(other: dict[str, Any]) -> None:
    assert not is_dead(replace(HERE, **other), HERE)


def test_nothing_is_known_where_the_system_does_not_tell() -> None:
    nowhere = replace(HERE, boot="", namespace="", started="")
    assert not is_dead(nowhere, nowhere)


@pytest.mark.parametrize(("machine", "dead"), [("this", True), ("other", False), ("", False)])
def test_a_controller_that_was_started_anew_has_none_of_its_old_processes(machine: str, dead: bool) -> None:
    here = replace(HERE, machine="this", namespace=_FIRST_NAMESPACE)
    assert is_dead(replace(here, boot="before", machine=machine), here) is dead
