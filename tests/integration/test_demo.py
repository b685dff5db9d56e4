# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration: what it shows, that it keeps to one screen, and that it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import recording
from running import CHECKOUT, TESTS

#: A scene on one screen, its heading and command included.
LINES = 50


def started(folder: Path, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        # Whoever starts these tests in the background has Ctrl-C ignored, which is inherited.
        ["env", "--default-signal=INT", sys.executable, "-m", "demo"],
        cwd=TESTS,
        env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "80", **settings},
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


def test_it_leaves_nothing_when_stopped_and_else_keeps_its_promises(tmp_path: Path) -> None:
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

    output, _ = started(tmp_path, NO_COLOR="1").communicate(timeout=500)
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
