# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration: what it shows, that it keeps to one screen, and that it leaves nothing behind."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import demo
import pytest
import recording
from forked_ansible import AnsibleForks
from running import CHECKOUT, TESTS

#: A scene on one screen, its heading and command included.
LINES = 50


class ForkedScene:
    """A scene's run as the demonstration reads it, without the start of Ansible, which costs more than the scene."""

    def __init__(
        self, forks: AnsibleForks, command: list[str], *, cwd: Path, env: Mapping[str, str], **pipes: Any
    ) -> None:
        self._shown = cwd / "scene.txt"
        self._run = forks.start(command, cwd, env, self._shown)
        self.poll = self._run.poll

    @property
    def stdout(self) -> Iterator[str]:
        self.wait()
        with self._shown.open(encoding="utf-8") as lines:
            yield from lines

    def wait(self) -> int:
        return self._run.wait(timeout=300)


@pytest.fixture
def forked_scenes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All scenes but the first, which shows that the command itself is found and does the same."""
    forks = AnsibleForks()
    number = itertools.count()

    def start(*arguments: Any, **keywords: Any) -> Any:
        if next(number) == 0:
            return subprocess.Popen(*arguments, **keywords)
        return ForkedScene(forks, *arguments, **keywords)

    kept = {name: getattr(subprocess, name) for name in ("PIPE", "STDOUT", "DEVNULL")}
    monkeypatch.setattr(demo, "subprocess", SimpleNamespace(Popen=start, **kept))
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for each, handler in handlers.items():
        signal.signal(each, handler)
    forks.close()


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # Whoever starts these tests in the background has Ctrl-C ignored, which is inherited.
        ["env", "--default-signal=INT", sys.executable, "-m", "demo"],
        cwd=TESTS,
        env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_that_name(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in words:
            found.append(words.replace("\0", " "))
    return found


def test_it_leaves_nothing_when_stopped_and_else_keeps_its_promises(
    tmp_path: Path,
    forked_scenes: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stopped by Ctrl-C, by closing the terminal, or by ending the process: while servers start, and afterwards.
    The README's picture is one of its screens.

    One test, since its servers have addresses of their own, which two demonstrations at once would both want.
    """
    starting, up = "lync-demo-*/lab", "lync-demo-*/lab/inventory"
    for number, moment in ((signal.SIGINT, starting), (signal.SIGHUP, starting), (signal.SIGTERM, up)):
        process = started(tmp_path)
        while not list(tmp_path.glob(moment)):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 128 + number, output
        assert processes_that_name(str(tmp_path)) == []
        assert list(tmp_path.iterdir()) == []
        assert "Traceback" not in output

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo, "COLOUR", False)
    assert demo.main([]) == 0
    output = capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert "BROKEN" not in output, output
    assert re.search(r"^(\d+) of \1 promises were kept", output, re.MULTILINE), output
    # The paths of this checkout and of this test are as long as they are.
    wide = [line for line in output.splitlines() if len(line) > 80]
    assert [line for line in wide if str(CHECKOUT) not in line and str(tmp_path) not in line] == []
    for part in re.split(r"(?m)^=+\n(?=(?:Act|Scene|What|Verdict|Now))", output):
        assert len(part.splitlines()) <= LINES, part

    picture = recording.text_of()
    assert max(map(len, picture.splitlines())) <= recording.COLUMNS
    command, screen = re.fullmatch(r"(\$ (?:.*\\\n)*.*\n)([\s\S]*)", recording.normalised(picture)).groups()
    for part in (command, screen):
        assert part in recording.normalised(output), "run `make recording`"
