# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration, in three acts: Windows Live A/V federation on a simulated Lync Server 2010 deployment, clock
drift on one of Lync Server 2013, and what becomes of changes by hand on one of Skype for Business Server 2019.

Each scene is one ansible-playbook, run as a user runs it. What it promises is checked against the journal of the
servers, which know nothing of Ansible. A scene shows one screen of what the run prints; VERBOSE=1 shows all of it. With
KEEP=1 the servers stay up, for whoever wants to go on.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import recording
import yaml
from lab import control
from running import (
    CHECKOUT,
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
ROLES = re.compile(r"lync\.remediation\.\w+ : ")
#: What Ansible prints of a task that has something to say, before what it says.
SAYING = re.compile(r"(?:ok|changed): \[[^]]+\](?: => \((?:item=)?(?P<item>.*)\))? => *")
RECAP = re.compile(r"(?P<host>\S+) +: (?P<counts>ok=.*)")
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


@dataclass(frozen=True)
class Scene:
    title: str
    playbook: str
    arguments: tuple[str, ...] | Callable[[RunningLab], tuple[str, ...]]
    points: tuple[str, ...]
    changed: int
    writes: tuple[str, ...] = ()
    """The commands that must be in the servers' journal as writing, and no others."""
    shows: tuple[str, ...] = ()
    """The titles of the tasks that are shown."""
    says: tuple[str, ...] | None = None
    """How those of the texts begin that are shown, which a run prints as they stand; all of them, if it is None."""
    exit_code: int = 0
    before: Callable[[RunningLab], None] | None = None


@dataclass
class Outcome:
    scene: Scene
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
        scene = self.scene
        return (self.exit_code, self.changed, written) == (scene.exit_code, scene.changed, scene.writes)


@dataclass(frozen=True)
class Act:
    """Of ``scenes``, the one at ``dry`` and the next are a dry run and the real run of the same. ``group`` has
    ``variables`` in the inventory. ``before`` is told when the deployment runs; ``promises`` are those that only this
    act makes. ``settings`` are of Ansible."""

    title: str
    deployment: str
    opening: tuple[str, ...]
    group: str
    variables: Mapping[str, Any]
    scenes: tuple[Scene, ...]
    promises: Callable[[RunningLab, list[Outcome]], Mapping[str, bool]]
    before: Callable[[RunningLab], None] | None = None
    dry: int = 0
    settings: Callable[[RunningLab], Mapping[str, str]] = lambda lab: {}


# -- the first act ----------------------------------------------------------------------------------------------------

ENABLE = "lync.remediation.enable_windows_live_av_federation"
DISABLE = "lync.remediation.disable_windows_live_av_federation"


def one_session_each(lab: RunningLab, outcomes: list[Outcome]) -> Mapping[str, bool]:
    return {"Each run opened one session": all(outcome.sessions == 1 for outcome in outcomes)}


FEDERATION = Act(
    "Windows Live A/V federation",
    "demo",
    (
        "Starting five simulated servers of Lync Server 2010, which speak PowerShell",
        "Remoting over HTTPS: a pool of three Front Ends, one in Dublin, an Edge ...",
    ),
    "management",
    {
        "windows_live_av_federation_users": ["sip:pilar@contoso.com", "sip:kenmyer@contoso.com"],
        "windows_live_av_federation_sites": ["Redmond", "Dublin"],
        # No DNS knows the names of this deployment.
        "windows_live_av_federation_outside": False,
    },
    (
        Scene(
            "A dry run: what would change?",
            ENABLE,
            ("--check", "--diff"),
            (
                "what is in force, what would change, who is affected, and what goes",
                "before a Global change. Nothing is written.",
            ),
            changed=2,
            says=("pool01.contoso.com",),
        ),
        Scene(
            "The real run",
            ENABLE,
            ("--diff",),
            (
                "the two differences, the lines for the Management Shell, what is in",
                "force afterwards for two people, and what to do now.",
            ),
            changed=2,
            shows=("Change | Policies", "Change | Media settings"),
            says=("These were run", "In force now", "Servers take"),
            writes=("Set-CsExternalAccessPolicy", "Set-CsMediaConfiguration"),
        ),
        Scene(
            "Once more: is anything left to do?",
            ENABLE,
            ("--diff",),
            ("no difference, and changed=0.",),
            changed=0,
            says=("pool01.contoso.com",),
        ),
        Scene(
            "The way back, as a dry run",
            DISABLE,
            ("--check", "--diff"),
            ("the differences the other way round: as it was before, by the journal.",),
            changed=2,
            shows=("Take back | Policies", "Take back | Media settings"),
            says=(),
        ),
    ),
    one_session_each,
)

# -- the second act ---------------------------------------------------------------------------------------------------

FIX = "lync.remediation.fix_clock_drift"
RESTART = ("-e", "clock_drift_restart=true")
FLIPPED = "fe02.contoso.com"


def show_symptom(lab: RunningLab) -> None:
    """What users complain about, and which Front Ends it is about, as the simulation knows it."""
    failing = control.ask(lab.state, "status")["state"]["av_authentication_fails"]
    say('All services run, and yet users of one pool see "Limited External Calling": the')
    say("Edge Server gives no audio and video credentials to", *(f"    {server}" for server in failing))


def worst_clock(lab: RunningLab) -> float:
    """How far from true time the worst of the servers' clocks is, in seconds, as the simulation knows it."""
    computers = control.ask(lab.state, "status")["state"]["computers"]
    return max(abs(computer["clock_error"]) for computer in computers.values())


def repaired(lab: RunningLab, outcomes: list[Outcome]) -> Mapping[str, bool]:
    real = outcomes[1]
    tests = [entry["name"] for entry in lab.commands() if entry["name"] == "Test-CsAVEdgeConnectivity"]
    return {
        f"Only {FLIPPED} was written to and restarted": {entry["server"] for entry in real.writes}
        == {FLIPPED},
        # The dry run's, and two of the real run, whose users the others' are not.
        "A/V authentication was tested before and after the repair": len(tests) == 3,
        f"No clock is farther off than {worst_clock(lab) * 1000:.0f} ms now": worst_clock(lab) < 1,
    }


CLOCKS = Act(
    "Clock drift",
    "clock",
    (
        "Starting five simulated servers of Lync Server 2013: a pool of three Front",
        "Ends, one in Dublin, and an Edge Server, each with a clock of its own ...",
    ),
    "all",
    {
        "clock_drift_follow_pool": True,
        # The simulation's true time is this computer's.
        "clock_drift_controller_synchronised": True,
        # This pool is settled sooner than the twenty minutes that Microsoft asks to wait.
        "clock_drift_settle": 2,
        "clock_drift_busy_wait": 1,
        "clock_drift_interval": 1,
    },
    (
        Scene(
            "A dry run: whose clock is wrong?",
            FIX,
            ("--check", "--diff", *RESTART),
            (
                "who is wrong, who is right and why, and what would be done.",
                "Nothing is written.",
            ),
            changed=4,
            shows=("Repair | Zone", "Repair | Clock"),
        ),
        Scene(
            "The real run",
            FIX,
            ("--diff", *RESTART),
            (
                "how all stand after zone and clock are repaired and the services were",
                "restarted when the pool could spare them. (Pools settle within 2 s here;",
                "the role waits for the 20 minutes that Microsoft asks for.)",
            ),
            changed=4,
            writes=(
                *("New-Item", *["New-ItemProperty"] * 4, "tzutil", "w32tm", *["klist"] * 3),
                *("New-Item", "New-Item", "New-ItemProperty", *["klist"] * 3),
                *("Stop-CsWindowsService", "New-ItemProperty", "Start-CsWindowsService"),
                *("Remove-Item", "Remove-ItemProperty"),
            ),
        ),
        Scene(
            "Once more: is anything left to do?",
            FIX,
            ("--diff", *RESTART),
            ("five clocks that are right, and changed=0.",),
            changed=0,
        ),
    ),
    repaired,
    show_symptom,
)

# -- the third act ----------------------------------------------------------------------------------------------------

IN_A_MONTH = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)).date()
PARTNERS = "Tag:Partners"
BY_HAND = (
    ("CsMediaConfiguration", "Global", "EncryptionLevel", "DoNotSupportEncryption"),
    ("CsMediaConfiguration", "Site:Dublin", "EnableQoS", "true"),
    ("CsExternalAccessPolicy", "Global", "EnableOutsideAccess", "false"),
    ("CsExternalAccessPolicy", PARTNERS, "EnableFederationAccess", "false"),
)
# What is left of the act.
REPORT = CHECKOUT / "build" / "demo" / "drift.html"


def by_hand(lab: RunningLab) -> None:
    say("In the night somebody changes four things by hand:")
    for noun, identity, name, value in BY_HAND:
        lab.inject("other_administrator", noun=noun, identity=identity, **{name: value})
        say(f"    {noun} {identity}: {name} becomes {value}")
    say("")


def reported(lab: RunningLab) -> dict[str, Any]:
    """The newest report."""
    model: dict[str, Any] = json.loads((lab.state / "reports" / "drift.json").read_text(encoding="ascii"))
    return model


def journal_of(lab: RunningLab) -> str:
    return str(reported(lab)["deployments"][0]["journal"])


def with_ids(
    variable: str, *properties: str, more: Sequence[str] = ()
) -> Callable[[RunningLab], tuple[str, ...]]:
    """The arguments with the ids that the report gives the findings of these properties."""

    def arguments(lab: RunningLab) -> tuple[str, ...]:
        ids = [each["id"] for each in reported(lab)["findings"] if each["property"] in properties]
        return ("-e", f"{variable}={','.join(ids)}", *more)

    return arguments


def left(lab: RunningLab, outcomes: list[Outcome]) -> Mapping[str, bool]:
    model = reported(lab)
    (open_now,) = [each for each in model["findings"] if each["count"] == "drifted"] or [{}]
    (waived,) = [each for each in model["findings"] if each["count"] == "waived"] or [{}]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(lab.state / "reports" / "drift.html", REPORT)
    opens = sys.stdout.isatty() and ("DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ)
    if opens:
        webbrowser.open(REPORT.as_uri())
    return {
        "The waived change is listed with its owner, and not corrected": (
            waived.get("property") == "EnableQoS" and waived["waiver"]["owner"] == "Ann"
        ),
        "The change that was taken back is a finding again, and the accepted one is none": (
            open_now.get("property") == "EnableFederationAccess"
        ),
        f"The report {'opens: ' if opens else 'is '}{REPORT}": REPORT.exists(),
    }


DRIFT = Act(
    "Changes by hand",
    "skype2019",
    (
        "Starting simulated servers of Skype for Business Server 2019. Two nouns of",
        "their settings are written down, and compared with what is found later ...",
    ),
    "management",
    {"lync_remediation_deployment": "contoso", "lync_remediation_state_persists": True},
    (
        Scene(
            "Write the settings down",
            "lync.remediation.export_baseline",
            ("-e", "drift_nouns=CsMediaConfiguration,CsExternalAccessPolicy"),
            ("one file for each noun, which belongs into git.",),
            changed=1,
            says=(),
        ),
        Scene(
            "The next morning: what is different?",
            "lync.remediation.check_drift",
            (),
            (
                "four findings, the worst first, and the path of the report, which has",
                "the lines that put each back or keep it. The exit code is 10.",
            ),
            changed=0,
            says=(),
            exit_code=10,
            before=by_hand,
        ),
        Scene(
            "Ann answers for one of them, until a day",
            "lync.remediation.accept_drift",
            with_ids(
                "drift_accept",
                "EnableQoS",
                more=(
                    *("-e", "drift_accept_into=waiver", "-e", "drift_owner=Ann"),
                    *("-e", "drift_justification='Test of QoS'", "-e", f"drift_expires={IN_A_MONTH}"),
                ),
            ),
            ("a waiver for this value and no other.",),
            changed=1,
            says=(),
            exit_code=10,
        ),
        Scene(
            "One is right: the baseline takes it over",
            "lync.remediation.accept_drift",
            with_ids("drift_accept", "EnableOutsideAccess"),
            ("one line of the baseline that changes.",),
            changed=1,
            says=(),
            exit_code=10,
        ),
        Scene(
            "The others are put back: a dry run",
            "lync.remediation.enforce_baseline",
            ("--check", "--diff", "-l", "pool01.contoso.com"),
            ("two differences.",),
            changed=1,
            shows=("Correct",),
            says=(),
            exit_code=10,
        ),
        Scene(
            "The others are put back",
            "lync.remediation.enforce_baseline",
            ("--diff", "-l", "pool01.contoso.com"),
            ("the same two differences. The report has the line that takes them back.",),
            changed=1,
            shows=("Correct",),
            says=(),
            writes=("Set-CsMediaConfiguration", "Set-CsExternalAccessPolicy"),
        ),
        Scene(
            "One of them was right after all",
            "lync.remediation.roll_back",
            lambda lab: (
                *("-e", "run=latest", "-e", "resource=CsExternalAccessPolicy", "-e", f"identity={PARTNERS}"),
                # In quotes, as Ansible would take a folder with a blank apart.
                *("-e", f'lync_remediation_journal="{journal_of(lab)}"'),
            ),
            ("the one setting that is changed back.",),
            changed=1,
            says=(),
            writes=("Set-CsExternalAccessPolicy",),
        ),
        Scene(
            "What is left",
            "lync.remediation.check_drift",
            (),
            ("one finding that is there again, and one that is waived.",),
            changed=0,
            says=(),
            exit_code=10,
        ),
    ),
    left,
    dry=4,
    settings=lambda lab: {
        "ANSIBLE_CALLBACKS_ENABLED": "lync.remediation.drift_report",
        "LYNC_REMEDIATION_REPORT_FOLDER": str(lab.state / "reports"),
    },
)
ACTS = (FEDERATION, CLOCKS, DRIFT)


#: Where deployments stay that are to stay up.
KEPT = CHECKOUT / ".cache" / "demo"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__.partition("\n")[0])
    parser.add_argument("--end", action="store_true", help="end what KEEP=1 has left running")
    parser.add_argument("--record", action="store_true", help="make the README's picture anew")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    if options.end:
        return end()
    if options.record:
        recording.write(recorded())
        return 0
    if KEPT.exists():
        end()
    keep = os.environ.get("KEEP", "") not in ("", "0")
    begin = time.monotonic()
    kept: list[str] = []
    broken: list[str] = []
    for number, act in enumerate(ACTS, 1):
        for promise, is_kept in play(number, act, keep=keep).items():
            (kept if is_kept else broken).append(promise)
    heading("Verdict")
    say(
        f"{len(kept)} of {len(kept) + len(broken)} promises were kept, in {time.monotonic() - begin:.0f} seconds."
    )
    say(*(f"BROKEN  {promise}" for promise in broken))
    try_it_yourself(keep=keep)
    return 1 if broken else 0


def play(number: int, act: Act, *, keep: bool) -> Mapping[str, bool]:
    heading(f"Act {number} of {len(ACTS)}   {act.title}")
    say(*act.opening)
    with stage(act, keep=keep) as lab:
        if act.before:
            say("")
            act.before(lab)
        outcomes = [
            perform(lab, f"Scene {scene_number} of {len(act.scenes)}", scene, act.settings(lab))
            for scene_number, scene in enumerate(act.scenes, 1)
        ]
        return prove(outcomes, act.promises(lab, outcomes), act.dry)


@contextlib.contextmanager
def stage(act: Act, *, keep: bool = False) -> Iterator[RunningLab]:
    """The act's deployment, with an inventory and settings for whoever works in its folder."""
    with contextlib.ExitStack() as stack:
        if keep:
            folder = KEPT / act.deployment
            folder.mkdir(parents=True)
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lync-demo-"))) / "lab"
        lab = stack.enter_context(running_lab(DEPLOYMENTS / f"{act.deployment}.yml", folder, keep=keep))
        write_variables(lab, act.group, act.variables)
        example = (CHECKOUT / "ansible.cfg.example").read_text(encoding="utf-8")
        own = example.replace("ask_vault_pass = true", "ask_vault_pass = false")
        (folder / "ansible.cfg").write_text(
            f"{own}collections_path = {CHECKOUT / '.collections'}\n", encoding="utf-8"
        )
        yield lab


def end() -> int:
    for folder in sorted(KEPT.glob("*/")):
        with contextlib.suppress(control.NotRunning):
            control.ask(folder, "down")
            say(f"The servers of {folder.relative_to(CHECKOUT)} are gone.")
    shutil.rmtree(KEPT, ignore_errors=True)
    return 0


def try_it_yourself(*, keep: bool) -> None:
    heading("Now try it yourself")
    if not keep:
        say(
            *("make demo KEEP=1   leaves these servers running, with an inventory for them.",),
            *("README.md          tells how to begin with your own.",),
        )
        return
    say(
        *("The servers are still up. In a terminal of their own:", ""),
        *(f'    cd "{KEPT}"', f'    export PATH="{CHECKOUT / ".venv" / "bin"}:$PATH"', ""),
        *(f"    cd {ACTS[0].deployment}", f"    ansible-playbook {ENABLE} --check --diff", ""),
        *("or, as an administrator who changes something behind your back:", ""),
        *(f'    cd "{CHECKOUT / "tests"}"',),
        *(f'    python -m lab inject clock_offset --state "{KEPT / CLOCKS.deployment}" \\',),
        *("        --server fe01.contoso.com --set seconds=-600",),
        *(f'    cd "{KEPT / CLOCKS.deployment}"', f"    ansible-playbook {FIX} --check --diff", ""),
        *("make demo-end   ends them, and removes all that they wrote.",),
    )


def recorded(act: Act = CLOCKS) -> str:
    """The README's picture, as text: the act's first scene."""
    lines: list[str] = []
    with stage(act) as lab:
        scene = act.scenes[0]
        command = playbook_command(lab, scene.playbook, arguments_of(scene, lab))
        lines += as_typed(command)
        process = subprocess.run(
            command,
            cwd=lab.state,
            env=_environment(lab),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        for block in blocks(process.stdout.splitlines(keepends=True)):
            lines += shown(block, scene)
    return "\n".join(lines).strip("\n") + "\n"


def arguments_of(scene: Scene, lab: RunningLab) -> tuple[str, ...]:
    return scene.arguments(lab) if callable(scene.arguments) else scene.arguments


def as_typed(command: Sequence[str]) -> list[str]:
    """The command as a shell takes it, its playbook and each -e that does not fit on a line of its own."""
    lines = [f"$ {shlex.join(command[:3])}", "   "]
    rest = list(command[3:])
    while rest:
        length = 2 if rest[0] in ("-e", "-l") else 1
        words, rest = shlex.join(rest[:length]), rest[length:]
        if lines[-1].strip() and len(lines[-1]) + len(words) + 3 > WIDTH:
            lines.append("   ")
        lines[-1] += f" {words}"
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def perform(lab: RunningLab, place: str, scene: Scene, settings: Mapping[str, str]) -> Outcome:
    heading(f"{place}   {scene.title}")
    if scene.before:
        scene.before(lab)
    earlier, earlier_sessions = len(lab.commands()), sessions_opened(lab)
    command = playbook_command(lab, scene.playbook, arguments_of(scene, lab))
    say(*map(bold, as_typed(command)))
    say(f"Look for {scene.points[0]}", *scene.points[1:])
    process = subprocess.Popen(
        command,
        cwd=lab.state,
        env={**_environment(lab), **settings},
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
            say(*shown(block, scene))
        exit_code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    commands = lab.commands()[earlier:]
    return Outcome(
        scene=scene,
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


def shown(block: list[str], scene: Scene) -> list[str]:
    """What of Ansible's output on a task is shown, without its marks of YAML."""
    if "VERBOSE" in os.environ:
        return [line.rstrip("\n") for line in block]
    plain = [without_colour(line).rstrip() for line in block]
    lines = plain[1:]
    if plain[0].startswith("PLAY RECAP"):
        return ["", *_short_recap([line for line in lines if line])]
    title = ROLES.sub("", plain[0].rstrip("* ").removeprefix("TASK [").removesuffix("]"))
    # A task ends at the first line that neither it nor Ansible indents; what follows was said between tasks.
    ends = next((n for n, line in enumerate(lines) if line and not _OF_A_TASK.match(line)), len(lines))
    texts = [text for text in "\n".join(lines[ends:]).split("\n\n") if text.strip()]
    if scene.says is not None:
        texts = [text for text in texts if text.lstrip().startswith(scene.says)]
    said = [line for text in texts for line in ["", *text.strip("\n").splitlines()]]
    return ["", bold(title), *map(_coloured, _plainly(lines[:ends])), *said] if title in scene.shows else said


_OF_A_TASK = re.compile(r"(ok|changed|skipping|included|fatal|failed): ?|[-+@ ]")


def _plainly(lines: list[str]) -> Iterator[str]:
    """The lines of a task, with its messages as the texts that they are."""
    item = ""
    message: list[str] = []
    for line in [*lines, ""]:
        if line.startswith("    "):
            message.append(line)
            continue
        if message:
            said = yaml.safe_load("\n".join(message))["msg"]
            if isinstance(said, list):
                yield from ([f"{item}:"] if item else [])
                yield from said
            else:
                text = f"{item}: {said}" if item else said
                yield from textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
            item, message = "", []
        saying = SAYING.fullmatch(line)
        if saying is None and line:
            yield line
        elif saying is not None:
            item = saying["item"] or ""


def _short_recap(lines: list[str]) -> Iterator[str]:
    """What was changed or failed on each server; those where nothing did as one line."""
    untouched = []
    for line in lines:
        found = RECAP.fullmatch(line)
        if found is None:
            yield line
            continue
        counts = [
            count
            for count in found["counts"].split()
            if count.startswith(("changed", "unreachable", "failed"))
        ]
        said = f"{found['host']:<24} {' '.join(counts)}"
        if all(count.endswith("=0") for count in counts):
            untouched.append(said)
        else:
            yield said
    if len(untouched) > 2:
        counts = untouched[0].split()[1:]
        untouched = [f"{f'{len(untouched)} servers':<24} {' '.join(counts)}"]
    yield from untouched


def _coloured(line: str) -> str:
    colour = {"+": 32, "-": 31, "@": 36}.get(line[:1])
    return f"\033[{colour}m{line}\033[0m" if COLOUR and colour and line[1:2] != " " else line


def _environment(lab: RunningLab) -> dict[str, str]:
    """Ansible as the example of its settings has it, at 80 columns."""
    environment = ansible_environment(lab.state / "home", COLUMNS="80", ANSIBLE_NOCOLOR="1")
    return {**environment, "ANSIBLE_CONFIG": str(lab.state / "ansible.cfg")}


def prove(outcomes: list[Outcome], more: Mapping[str, bool], first: int) -> Mapping[str, bool]:
    heading("What the servers' own journal says")
    say(bold(f"{'scene':<38}{'changed':>8}{'commands':>10}{'of them':>10}{'sessions':>10}"))
    say(bold(f"{'':<38}{'':>8}{'received':>10}{'writing':>10}{'opened':>10}"))
    for outcome in outcomes:
        say(
            f"{outcome.scene.title:<38}{outcome.changed:>8}{outcome.commands:>10}"
            f"{len(outcome.writes):>10}{outcome.sessions:>10}"
        )
    say("")
    for number, outcome in enumerate(outcomes, 1):
        for line in map(spelled, outcome.writes) if len(outcome.writes) < 5 else counted(outcome.writes):
            say(
                *textwrap.wrap(
                    f"Scene {number}: {line}", WIDTH, subsequent_indent="         ", break_on_hyphens=False
                )
            )
    say("")
    dry, real = outcomes[first], outcomes[first + 1]
    promises = {
        f"Scene {number} wrote {wrote(outcome.scene)}": outcome.as_promised
        for number, outcome in enumerate(outcomes, 1)
    }
    promises["The dry run showed, byte for byte, the differences of the real run"] = (
        bool(dry.differences) and dry.differences == real.differences
    )
    promises |= more
    for promise, kept in promises.items():
        first_line, *others = textwrap.wrap(
            promise, WIDTH - 8, break_long_words=False, break_on_hyphens=False
        )
        say(f"{'kept  ' if kept else bold('BROKEN')}  {first_line}", *(f"        {line}" for line in others))
    return promises


def counted(entries: list[dict[str, Any]]) -> Iterator[str]:
    """By server, the commands in the order in which each first came, and how often."""
    for server in dict.fromkeys(entry["server"] for entry in entries):
        names = Counter(entry["name"] for entry in entries if entry["server"] == server)
        said = (name if often == 1 else f"{name} ({often} times)" for name, often in names.items())
        yield f"{server}: {', '.join(said)}"


def spelled(entry: Mapping[str, Any]) -> str:
    """A journal's entry as it is typed; native programs have arguments without names."""
    words = [entry["name"]]
    for name, value in entry["parameters"].items():
        if name == "Arguments":
            words += map(quoted, value)
        elif isinstance(value, bool):
            words.append(f"-{name}:${str(value).lower()}")
        else:
            values = value if isinstance(value, list) else [value]
            words += [f"-{name}", ",".join(map(quoted, values))]
    return " ".join(words)


def quoted(value: Any) -> str:
    """A value as PowerShell takes it: texts with spaces in them stand in quotes."""
    text = str(value)
    return "'{}'".format(text.replace("'", "''")) if re.search(r"[\s,;'()]", text) else text


def wrote(scene: Scene) -> str:
    if len(scene.writes) > 2:
        return f"the {len(scene.writes)} commands that it takes, in their order"
    return " and ".join(scene.writes) or "nothing"


def heading(text: str) -> None:
    say("", bold("=" * WIDTH), bold(text), bold("=" * WIDTH))


def say(*lines: str) -> None:
    if lines:
        print(*lines, sep="\n", flush=True)


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
