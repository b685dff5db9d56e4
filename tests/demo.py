# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration: Windows Live A/V federation on a simulated Lync Server 2010 deployment, in four acts.

Each act is one ansible-playbook, run as a user runs it. What it promises is checked against the journal of the servers,
which know nothing of Ansible. Tasks that have nothing to tell are left out of what is shown, unless VERBOSE is set.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from running import (
    DEPLOYMENTS,
    LabNotStarted,
    RunningLab,
    ansible_environment,
    differences,
    playbook_command,
    recap,
    running_lab,
    without_colour,
    write_variables,
)

WIDTH = 78
ROLE = "lync.remediation.windows_live_av_federation : "
ASKED_ABOUT = {
    "windows_live_av_federation_users": ["sip:pilar@contoso.com", "sip:kenmyer@contoso.com"],
    "windows_live_av_federation_sites": ["Redmond", "Dublin"],
}
NOTHING_TOLD = re.compile(r"|TASK \[.*|PLAY \[.*|ok: \[[^]]+\]( => \(item=.*\))?")
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


@dataclass(frozen=True)
class Act:
    title: str
    playbook: str
    arguments: tuple[str, ...]
    look_for: tuple[str, ...]
    changed: int
    writes: tuple[str, ...] = ()
    """The commands that must be in the servers' journal as writing, and no others."""


ENABLE = "lync.remediation.enable_windows_live_av_federation"
DISABLE = "lync.remediation.disable_windows_live_av_federation"
ACTS = (
    Act(
        "A dry run: what would change?",
        ENABLE,
        ("--check", "--diff"),
        (
            "what the preflight finds, and that Dublin's own media settings and one",
            "policy go before a Global change; the two differences. Nothing is written.",
        ),
        changed=2,
    ),
    Act(
        "The real run",
        ENABLE,
        ("--diff",),
        (
            "the same two differences, the settings in force afterwards for two",
            "people and two sites, and what people must do now.",
        ),
        changed=2,
        writes=("Set-CsExternalAccessPolicy", "Set-CsMediaConfiguration"),
    ),
    Act(
        "Once more: is anything left to do?",
        ENABLE,
        ("--diff",),
        ("no difference, and changed=0.",),
        changed=0,
    ),
    Act(
        "The way back, as a dry run",
        DISABLE,
        ("--check", "--diff"),
        ("the differences the other way round: encryption required, flags off.",),
        changed=2,
    ),
)


@dataclass
class Outcome:
    act: Act
    exit_code: int
    changed: int
    commands: int
    writes: list[dict[str, Any]]
    """The journal's entries on commands that changed the deployment."""
    sessions: int
    differences: list[str]

    @property
    def as_promised(self) -> bool:
        written = tuple(entry["name"] for entry in self.writes)
        return (self.exit_code, self.changed, written) == (0, self.act.changed, self.act.writes)


def main() -> int:
    signal.signal(signal.SIGTERM, _stop)
    with tempfile.TemporaryDirectory(prefix="lync-demo-") as folder:
        say("Starting six simulated servers: a pool of three Front Ends and one in")
        say("Dublin, which speak PowerShell Remoting over HTTPS, and an Edge Server ...")
        with running_lab(DEPLOYMENTS / "demo.yml", Path(folder) / "lab") as lab:
            write_variables(lab, "management", ASKED_ABOUT)
            outcomes = [perform(lab, number, act) for number, act in enumerate(ACTS, 1)]
            return prove(outcomes)


def perform(lab: RunningLab, number: int, act: Act) -> Outcome:
    earlier, earlier_sessions = len(lab.commands()), sessions_opened(lab)
    heading(f"Act {number} of {len(ACTS)}   {act.title}")
    command = playbook_command(lab, act.playbook, act.arguments)
    say(bold("$ " + shlex.join(command[:3]) + " \\"), bold("      " + shlex.join(command[3:])))
    say(f"Look for {act.look_for[0]}", *act.look_for[1:])
    say()
    process = subprocess.Popen(
        command,
        cwd=lab.state,
        env=ansible_environment(
            lab.state,
            ANSIBLE_CALLBACK_RESULT_FORMAT="yaml",
            ANSIBLE_DISPLAY_SKIPPED_HOSTS="false",
            **({"ANSIBLE_FORCE_COLOR": "1"} if COLOUR else {"ANSIBLE_NOCOLOR": "1"}),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    output: list[str] = []
    try:
        for block in blocks(process.stdout):
            output += block
            show(block)
        exit_code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    commands = lab.commands()[earlier:]
    return Outcome(
        act=act,
        exit_code=exit_code,
        changed=sum(counts["changed"] for counts in recap("".join(output)).values()),
        commands=len(commands),
        writes=[entry for entry in commands if entry["writes"]],
        sessions=sessions_opened(lab) - earlier_sessions,
        differences=differences("".join(output)),
    )


def sessions_opened(lab: RunningLab) -> int:
    return sum(entry["event"] == "session_opened" for entry in lab.journal())


# -- what is shown ----------------------------------------------------------------------------------------------------


def blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Ansible's output, a task at a time."""
    block: list[str] = []
    for line in lines:
        if without_colour(line).startswith(("TASK [", "PLAY ")) and block:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def show(block: list[str]) -> None:
    plain = [without_colour(line).rstrip() for line in block]
    if "VERBOSE" not in os.environ and all(NOTHING_TOLD.fullmatch(line) for line in plain):
        return
    if plain[0].startswith("TASK ["):
        block = [
            bold(plain[0].rstrip("* ").removeprefix("TASK [").removesuffix("]").removeprefix(ROLE)) + "\n",
            *block[1:],
        ]
    sys.stdout.write("".join(block))
    sys.stdout.flush()


def prove(outcomes: list[Outcome]) -> int:
    heading("What the servers' own journal says")
    say(bold(f"{'act':<38}{'changed':>8}{'commands':>10}{'of them':>10}{'sessions':>10}"))
    say(bold(f"{'':<38}{'':>8}{'received':>10}{'writing':>10}{'opened':>10}"))
    for outcome in outcomes:
        say(
            f"{outcome.act.title:<38}{outcome.changed:>8}{outcome.commands:>10}"
            f"{len(outcome.writes):>10}{outcome.sessions:>10}"
        )
    say()
    for number, outcome in enumerate(outcomes, 1):
        for entry in outcome.writes:
            parameters = " ".join(f"-{name} {value}" for name, value in entry["parameters"].items())
            say(
                *textwrap.wrap(
                    f"Act {number}: {entry['name']} {parameters}", WIDTH, subsequent_indent="       "
                )
            )
    say()
    dry, real = outcomes[0], outcomes[1]
    promises = {
        f"Act {number} wrote {' and '.join(outcome.act.writes) or 'nothing'}": outcome.as_promised
        for number, outcome in enumerate(outcomes, 1)
    }
    promises["The dry run showed, byte for byte, the differences of the real run"] = (
        bool(dry.differences) and dry.differences == real.differences
    )
    promises["Each run opened one session"] = all(outcome.sessions == 1 for outcome in outcomes)
    for promise, kept in promises.items():
        say(f"{'kept  ' if kept else bold('BROKEN')}  {promise}")
    return 0 if all(promises.values()) else 1


def heading(text: str) -> None:
    say("", bold("=" * WIDTH), bold(text), bold("=" * WIDTH))


def say(*lines: str) -> None:
    print(*(lines or ("",)), sep="\n", flush=True)


def bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if COLOUR else text


def _stop(signal_number: int, frame: object) -> NoReturn:
    sys.exit(128 + signal_number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabNotStarted as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        say("", "Stopped. The simulated servers are gone, and so is everything they wrote.")
        sys.exit(130)
