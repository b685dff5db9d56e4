# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line: ``python -m lab``, run from the ``tests`` directory."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import control, journal
from .injection import COMMAND_FAULTS, REQUEST_FAULTS, matches

#: What a process ends with that SIGINT stopped.
_INTERRUPTED = 130
_EMBEDDED = "embedded"

_DESCRIPTION = """\
A simulated Lync deployment on loopback addresses. Every simulated computer
has an address of its own (127.0.x.y) and speaks what Windows speaks there:
WSMan and PowerShell Remoting, with Basic, NTLM, Negotiate and (given a
keytab) Kerberos, over HTTPS or encrypted over HTTP.
"""
_EPILOG = """\
examples:
  python -m lab up lab/deployments/demo.yml --state /tmp/demo
  ansible-playbook -i /tmp/demo/inventory playbooks/check_drift.yml
  python -m lab log --state /tmp/demo --writes
  python -m lab inject drop-after --command 'Set-Cs*' --state /tmp/demo
  python -m lab inject delay --times 0 --set seconds=2 --state /tmp/demo
  python -m lab reset --state /tmp/demo
  python -m lab down --state /tmp/demo
"""
_UP_EPILOG = """\
The state directory then holds:
  inventory      an Ansible inventory, with the lab's passwords
  certificates/  the lab's certificate authority (ca.pem) and what it issued
  journal.jsonl  what happened, one JSON object a line
  lab.log        what the process itself had to say
  lab.lock       held by the process as long as it runs

Two labs at once need a state directory and a `network` each.
"""
_INJECT_EPILOG = """\
examples:
  python -m lab inject drop-before --request Command --server 'fe*'
  python -m lab inject error --command Get-CsPool --set message='It broke.'
  python -m lab inject clock_offset --server fe02.contoso.com --set seconds=-60
  python -m lab inject service_fails --server fe02.contoso.com \\
      --set service=RTCSRV
  python -m lab inject other_administrator --command 'Set-CsMedia*' \\
      --set noun=CsMediaConfiguration --set EnableQoS=true

A deployment file may have them from the start, and again after each reset:
  faults:
    - {kind: delay, server: 'edge*', request: Receive, times: 0, seconds: 2}
    - {kind: clock_offset, server: fe02.contoso.com, seconds: -60}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Who reads has seen enough (``| head``); Python would complain about it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (control.NotRunning, control.CommandRefused, ValueError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    def parser(
        name: str, help_text: str, run: Any, epilog: str = "", help_action: Any = None
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=help_text,
            description=help_text[0].upper() + help_text[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=help_action is None,
        )
        if help_action is not None:
            made.add_argument("-h", "--help", action=help_action, help="show this help message and exit")
        made.set_defaults(run=run)
        made.add_argument(
            "--state",
            type=Path,
            default=Path(".lab"),
            metavar="DIR",
            help="state directory (default: %(default)s)",
        )
        return made

    top = argparse.ArgumentParser(
        prog="python -m lab",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    up = parser("up", "start a deployment and return when every server answers", _up, _UP_EPILOG)
    up.add_argument("deployment", type=Path, metavar="DEPLOYMENT.yml", help="description of the deployment")
    up.add_argument(
        "--foreground", action="store_true", help="stay in the foreground until SIGINT or SIGTERM"
    )
    up.add_argument(
        "--engine",
        default=_EMBEDDED,
        metavar="COMMAND",
        help="a PowerShell 7 that runs the sessions instead of the lab's own engine, such as 'pwsh'",
    )
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)

    parser("down", "stop a running lab", _down)

    status = parser("status", "show what runs, and what clients have cost each server", _status)
    status.add_argument("--json", action="store_true", help="everything, as JSON")

    log = parser("log", "show the journal since the start or the last reset", _log, journal.KINDS)
    log.add_argument("--json", action="store_true", help="the entries as they are")
    log.add_argument(
        "--writes", action="store_true", help="only commands that changed or tried to change something"
    )
    log.add_argument("--event", help="only entries of this kind (below)")
    log.add_argument("--server", help="only this server; a pattern may be given")

    parser("dump", "print what the Central Management Store holds, as JSON", _dump)

    inject = parser("inject", "make something go wrong", _inject, _INJECT_EPILOG, _HelpWithFaults)
    inject.add_argument("kind", help="what goes wrong (below)")
    inject.add_argument("--server", help="inventory name; a pattern may be given (default: all)")
    inject.add_argument(
        "--request", help="strike requests of this action: Create, Command, Receive, Send, Signal, Delete ..."
    )
    inject.add_argument("--command", help="strike the execution of this command, e.g. 'Set-Cs*'")
    inject.add_argument("--times", type=int, help="how often (default 1; 0: until reset)")
    inject.add_argument("--skip", type=int, help="how many matches to spare first")
    inject.add_argument(
        "--set",
        action="append",
        default=[],
        type=_name_and_value,
        metavar="NAME=VALUE",
        help="a further option of the fault; may be repeated",
    )

    parser("inventory", "print the inventory", _inventory)
    parser("reset", "restore the deployment, close sessions, forget injected faults, zero counters", _reset)
    return top


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


class _HelpWithFaults(argparse.Action):
    """Help with a list of all faults; those of a deployment are slow to import."""

    def __init__(self, option_strings: Sequence[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        from .deployment.faults import FAULTS

        def listing(faults: Mapping[str, str]) -> str:
            lines = []
            for name, text in faults.items():
                first = f"  {name:15} " if len(name) < 16 else f"  {name}\n{' ' * 18}"
                wrapped = textwrap.wrap(text, 60)
                lines.append(first + f"\n{' ' * 18}".join(wrapped))
            return "\n".join(lines)

        parser.epilog = (
            f"faults of requests (--request, default any):\n{listing(REQUEST_FAULTS)}\n\n"
            f"faults of commands (with --command):\n{listing(COMMAND_FAULTS)}\n\n"
            "faults of the deployment (options with --set; of a server, or of\n"
            "computer=<fqdn> if it answers no clients; at once, or with --command\n"
            "right before that command, on the server that runs it):\n"
            f"{listing({kind: fault.help for kind, fault in FAULTS.items()})}\n\n{parser.epilog}"
        )
        parser.print_help()
        parser.exit()


def _up(options: argparse.Namespace) -> int:
    if not options.deployment.is_file():
        raise ValueError(f"there is no deployment file {options.deployment}")
    if control.is_running(options.state):
        raise ValueError(
            f"a lab is running with state directory {options.state} already; stop it with 'down'"
        )
    if options.foreground:
        return _serve(options)
    return _detach(options)


def _serve(options: argparse.Namespace) -> int:
    # These are slow to import, and the other commands can do without.
    from .deployment import load_deployment
    from .engine import engine_named
    from .runtime import Lab

    def ready() -> None:
        if options.ready_fd is not None:
            os.write(options.ready_fd, b"ready\n")
            os.close(options.ready_fd)
        else:
            print(
                f"The lab is up. Inventory: {options.state / 'inventory'}. Stop it with Ctrl-C.", flush=True
            )

    is_interrupted = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        raise KeyboardInterrupt

    async def run() -> None:
        engine = engine_named(options.engine, options.state)
        lab = Lab(load_deployment(options.deployment), options.state, engine)
        if is_interrupted:  # Python loses what is raised while it collects garbage or runs a callback
            raise KeyboardInterrupt
        await lab.run(ready)

    signal.signal(signal.SIGTERM, interrupt)
    with control.lock(options.state):
        try:
            asyncio.run(run())
        except KeyboardInterrupt:
            return _INTERRUPTED  # before it could listen
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ValueError(
                f"{error.strerror}; does another lab run whose deployment has the same network?"
            ) from error
    return 0


def _detach(options: argparse.Namespace) -> int:
    """Start another process that serves, and wait until it says that it does."""
    options.state.mkdir(parents=True, exist_ok=True)
    log = options.state / "lab.log"
    process: subprocess.Popen[bytes] | None = None
    interrupted = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted = True
        if process is not None:  # or it would be left alone, with nobody who knows it
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    read_end, write_end = os.pipe()
    with log.open("wb") as output, os.fdopen(read_end, "rb") as answer:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", __package__, "up", str(options.deployment), "--foreground"),
                *("--state", str(options.state), "--engine", options.engine, "--ready-fd", str(write_end)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[write_end],
            start_new_session=True,
        )
        try:
            os.close(write_end)
            is_up = not interrupted and answer.readline() == b"ready\n"
        except KeyboardInterrupt:
            is_up = False
        if interrupted:
            process.terminate()
            process.wait()
            return _INTERRUPTED
        if not is_up:
            process.wait()
            raise ValueError(f"the lab did not start:\n{log.read_text(errors='replace').strip()}")
    print(f"The lab is up. Inventory: {options.state / 'inventory'}")
    return 0


def _down(options: argparse.Namespace) -> int:
    control.ask(options.state, "down")
    print("The lab is down.")
    return 0


def _reset(options: argparse.Namespace) -> int:
    print(control.ask(options.state, "reset"))
    return 0


def _inventory(options: argparse.Namespace) -> int:
    path = options.state / "inventory"
    if not path.is_file():
        raise control.NotRunning(f"no lab was ever up with state directory {options.state}")
    print(path.read_text(encoding="utf-8"), end="")
    return 0


def _inject(options: argparse.Namespace) -> int:
    details = dict(options.set)
    for name in ("request", "command", "times", "skip"):
        value = getattr(options, name)
        if value is not None:
            details[name] = str(value)
    print(control.ask(options.state, "inject", kind=options.kind, server=options.server, options=details))
    return 0


def _status(options: argparse.Namespace) -> int:
    status = control.ask(options.state, "status")
    if options.json:
        print(json.dumps(status, indent=2))
        return 0
    print(f"deployment {status['deployment']}, {len(status['servers'])} servers")
    width = max(len(name) for name in status["servers"])
    print(" " * width, *(heading.rjust(size) for heading, size, _ in _COUNTERS), sep="  ")
    for name, counters in (
        *((name, server["counters"]) for name, server in status["servers"].items()),
        ("total", status["totals"]),
    ):
        print(name.ljust(width), *(shown(counters).rjust(size) for _, size, shown in _COUNTERS), sep="  ")
    for line in _deployment_lines(status["state"]):
        print(line)
    for fault in status["faults"]:
        print("fault:", ", ".join(f"{key} {value}" for key, value in fault.items() if value is not None))
    return 0


def _dump(options: argparse.Namespace) -> int:
    print(json.dumps(control.ask(options.state, "status")["state"]["settings"], indent=2))
    return 0


def _bytes(number: int) -> str:
    return str(number) if number < 10_000 else f"{number / 1000:.0f}k"


#: Columns of ``status``: heading, width, and what a server's counters show there.
_COUNTERS: tuple[tuple[str, int, Callable[[Mapping[str, int]], str]], ...] = (
    ("requests", 8, lambda counters: str(counters["requests"])),
    ("connections", 11, lambda counters: str(counters["connections"])),
    ("sessions", 8, lambda counters: f"{counters['sessions_open']}/{counters['sessions_opened']}"),
    ("pipelines", 9, lambda counters: str(counters["pipelines"])),
    ("in", 6, lambda counters: _bytes(counters["bytes_in"])),
    ("out", 6, lambda counters: _bytes(counters["bytes_out"])),
    ("refused", 7, lambda counters: str(counters["authentications_refused"])),
    ("faults", 6, lambda counters: str(counters["faults"])),
)


def _deployment_lines(state: Mapping[str, Any]) -> Iterator[str]:
    """The deployment in a few lines: the store and its replicas, and computers that somebody has looked at."""
    if "central_management" in state:
        answers = "answers" if state["central_management_reachable"] else "does not answer"
        behind = [fqdn for fqdn, replica in state["replicas"].items() if not replica["up_to_date"]]
        late = f"; not up to date: {', '.join(behind)}" if behind else ""
        yield f"central management: {state['central_management']} {answers}{late}"
    for fqdn, computer in state.get("computers", {}).items():
        stopped = [f"{name} {status}" for name, status in computer["services"].items() if status != "Running"]
        yield (
            f"{fqdn}: clock {computer['clock_error']:+.3f} s, {computer['time_zone']}, "
            f"source {computer['time_source'] or 'none'}"
            + (", down" if computer["down"] else "")
            + (f"; {', '.join(stopped)}" if stopped else "")
        )
    for event in state.get("events", ()):
        yield f"event: {event}"


def _log(options: argparse.Namespace) -> int:
    path = options.state / "journal.jsonl"
    if not path.is_file():
        raise control.NotRunning(f"no lab was ever up with state directory {options.state}")
    for entry in journal.read(path):
        if options.writes and not entry.get("writes"):
            continue
        if (options.event and entry["event"] != options.event) or (
            options.server and not matches(entry["server"], options.server)
        ):
            continue
        print(json.dumps(entry) if options.json else _line(entry))
    return 0


def _line(entry: dict[str, Any]) -> str:
    if entry["event"] != "command":
        details = " ".join(
            f"{key}={value}" for key, value in entry.items() if key not in ("time", "event", "server")
        )
        return f"{entry['time']} {entry['server']} {entry['event']} {details}"
    parameters = " ".join(f"-{name} {json.dumps(value)}" for name, value in entry["parameters"].items())
    wrote = " [writes]" if entry["writes"] else ""
    what = f"{entry['name']} {parameters} -> {entry['result']}{wrote}"
    return f"{entry['time']} {entry['server']} {entry['caller']}: {what}"


if __name__ == "__main__":
    sys.exit(main())
