# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at any point is finished by the next one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from running import RunningLab, ansible_environment, playbook_command

from .clock_drift import (
    PLAYBOOK,
    QUICK,
    START,
    STOP,
    TIMES,
    av_authentication,
    changes,
    down,
    fix,
    last_table,
    prefixed,
    stops,
    writes,
)
from .conftest import Ansible, Start

Journal = list[dict[str, Any]]
VARIABLES = {"restart": True, "follow_pool": True}

pytestmark = pytest.mark.sweep


@contextmanager
def killed_once(
    ansible: Ansible, home: Path, happened: Callable[[Journal], bool], *, workers_too: bool, **variables: Any
) -> Iterator[list[int]]:
    """Start the playbook and kill it as soon as the journal shows that; its workers, which are killed in the end."""
    arguments = ["--extra-vars", json.dumps({**QUICK, **prefixed({**VARIABLES, **variables})})]
    with subprocess.Popen(
        playbook_command(ansible.lab, PLAYBOOK, arguments),
        cwd=ansible.lab.state,
        env=ansible_environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not happened(ansible.lab.journal()):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        workers = descendants(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        if workers_too:
            kill(workers)
    try:
        yield workers
    finally:
        kill(workers)


def descendants(process: int) -> list[int]:
    """Ansible's workers make sessions of their own, so that a signal to the group does not reach them."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [each for child in map(int, children) for each in (child, *descendants(child))]


def kill(processes: list[int]) -> None:
    for number in processes:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def a_command_hangs(journal: Journal) -> bool:
    return any(entry["event"] == "fault" for entry in journal)


def it_settles(journal: Journal) -> bool:
    """The server has been started, and its pool was asked since whether it is ready."""
    names = [entry.get("name") for entry in journal if entry["server"] == "fe02.contoso.com"]
    return START in names and "Get-CsPoolUpgradeReadinessState" in names[names.index(START) :]


@pytest.mark.parametrize(
    "workers_too",
    [True, pytest.param(False, marks=pytest.mark.sweep)],
    ids=["all of it", "the parent alone"],
)
@pytest.mark.parametrize(
    ("command", "stopped"),
    [
        # The note that a restart is pending is there, and empty.
        pytest.param("New-ItemProperty", [], marks=pytest.mark.sweep),
        # Zone and clock are right, and only the note tells that services must be restarted.
        pytest.param("klist", [], marks=pytest.mark.sweep),
        # Its services are stopped, and stay so.
        (START, ["fe02"]),
    ],
)
def test_a_run_that_is_killed_while_a_command_runs(
    command: str, stopped: list[str], workers_too: bool, article: Ansible, tmp_path: Path
) -> None:
    article.lab.inject("hang", "fe02.contoso.com", command=command)
    with killed_once(article, tmp_path, a_command_hangs, workers_too=workers_too) as workers:
        assert stops(article.lab) == stopped
        assert down(article.lab) == set(stopped)
        if stopped and not workers_too:
            # The worker lives, and may start the services at any moment: its mark stands.
            refused = fix(article, **VARIABLES)
            assert refused.exit_code == 2, refused.output
            assert "fe02.contoso.com is being restarted" in refused.text
            assert (stops(article.lab), down(article.lab)) == (stopped, set(stopped))
            kill(workers)
        run = fix(article, **VARIABLES)
        assert run.exit_code == 0, run.output
        assert ("restart pending, down" in run.output) is bool(stopped)
        assert (stops(article.lab), down(article.lab)) == (["fe02"], set())
        assert av_authentication(article) is True
        assert fix(article, **VARIABLES).changed == 0


def test_a_run_that_is_killed_while_a_pool_settles(article: Ansible, tmp_path: Path) -> None:
    with killed_once(article, tmp_path, it_settles, workers_too=True, settle=600):
        run = fix(article, **VARIABLES)
        assert run.exit_code == 0, run.output
        # It runs, and need not be stopped once more; whether the pool is well is looked at again.
        assert (stops(article.lab), down(article.lab)) == (["fe02"], set())
        assert changes(article.lab)[-2:] == [("fe02", START), ("fe02", "Remove-Item")]
        assert av_authentication(article) is True


def test_a_server_that_a_killed_run_left_stopped_is_named_where_nothing_may_be_restarted(
    article: Ansible, tmp_path: Path
) -> None:
    article.lab.inject("hang", "fe02.contoso.com", command=START)
    with killed_once(article, tmp_path, a_command_hangs, workers_too=True):
        run = fix(article, follow_pool=True, restart=False)
        assert run.exit_code == 0, run.output
        assert last_table(run) == {"fe02": "right, restart pending, down"}
        assert f"fe02 is down. On it, to bring it back without a run: {START}" in run.text
        assert down(article.lab) == {"fe02"}


def test_a_run_that_is_killed_while_a_server_is_failed_over(
    start: Start, ansible_at: Callable[[RunningLab], Ansible], tmp_path: Path
) -> None:
    ansible = ansible_at(start("clock", **TIMES, version=2015))
    ansible.lab.inject("hang", "fe02.contoso.com", command="Invoke-CsComputerFailBack")
    with killed_once(ansible, tmp_path, a_command_hangs, workers_too=True):
        assert down(ansible.lab) == {"fe02"}
        run = fix(ansible, **VARIABLES)
        assert run.exit_code == 0, run.output
        assert (stops(ansible.lab), down(ansible.lab)) == (["fe02"], set())
        assert STOP not in [command for _, command in writes(ansible.lab)]
