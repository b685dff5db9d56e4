# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line: ``python -m lab``, run from the ``tests`` directory."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import control, journal
from .injection import COMMAND_FAULTS, REQUEST_FAULTS

_DESCRIPTION = """\
A simulated Lync deployment on loopback addresses. Every simulated computer has an address
of its own (127.0.x.y) and speaks what Windows speaks there: WSMan and PowerShell Remoting,
with Basic, NTLM, Negotiate and (given a keytab) Kerberos, over HTTPS or encrypted over HTTP.
"""
_EPILOG = """\
examples:
  python -m lab up lab/deployments/demo.yml --state /tmp/demo
  ansible-playbook -i /tmp/demo/inventory playbooks/check_drift.yml
  python -m lab log --state /tmp/demo --writes
  python -m lab inject drop-after --command 'Set-Cs*' --state /tmp/demo
  python -m lab inject delay --request Receive --times 0 --set seconds=2 --state /tmp/demo
  python -m lab reset --state /tmp/demo
  python -m lab down --state /tmp/demo
"""
_UP_EPILOG = """\
The state directory then holds:
  inventory           an Ansible inventory of the deployment (contains the lab's passwords)
  certificates/       the lab's certificate authority (ca.pem) and the servers' certificates
  journal.jsonl       what happened, one JSON object a line
  lab.log             what the process itself had to say
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (control.NotRunning, control.CommandRefused, ValueError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    def parser(name: str, help_text: str, run: Any, epilog: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=help_text,
            description=help_text[0].upper() + help_text[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
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
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)

    parser("down", "stop a running lab", _down)

    status = parser("status", "show what runs, and what clients have cost each server", _status)
    status.add_argument("--json", action="store_true", help="everything, as JSON")

    log = parser("log", "show the journal since the start or the last reset", _log, journal.__doc__ or "")
    log.add_argument("--json", action="store_true", help="the entries as they are")
    log.add_argument(
        "--writes", action="store_true", help="only commands that changed or tried to change something"
    )
    log.add_argument("--event", help="only entries of this kind, e.g. command or authentication_refused")
    log.add_argument("--server", help="only this server")

    inject = parser("inject", "make something go wrong", _inject, _inject_epilog())
    inject.add_argument("kind", help="what goes wrong (below)")
    inject.add_argument(
        "--server", help="inventory name; patterns allowed for faults of requests and commands"
    )
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
        metavar="NAME=VALUE",
        help="a further option of the fault; may be repeated",
    )

    parser("inventory", "print the inventory", _inventory)
    parser("reset", "restore the deployment, close sessions, forget injected faults, zero counters", _reset)
    return top


def _inject_epilog() -> str:
    def listing(faults: Any) -> str:
        return "\n".join(f"  {name:15} {text}" for name, text in faults.items())

    return (
        f"faults of requests (--request, default any):\n{listing(REQUEST_FAULTS)}\n\n"
        f"faults of commands (with --command):\n{listing(COMMAND_FAULTS)}\n\n"
        "Faults of the deployment itself (replication, services ...) depend on it; an unknown kind lists them.\n"
    )


def _up(options: argparse.Namespace) -> int:
    if not options.deployment.is_file():
        raise ValueError(f"there is no deployment file {options.deployment}")
    try:
        control.ask(options.state, "status")
    except control.NotRunning:
        pass
    else:
        raise ValueError(
            f"a lab is running with state directory {options.state} already; stop it with 'down'"
        )
    if options.foreground:
        return _serve(options)
    return _detach(options)


def _serve(options: argparse.Namespace) -> int:
    # These are slow to import, and the other commands can do without.
    from .deployment import load_deployment
    from .runtime import Lab

    def ready() -> None:
        if options.ready_fd is not None:
            os.write(options.ready_fd, b"ready\n")
            os.close(options.ready_fd)
        else:
            print(
                f"The lab is up. Inventory: {options.state / 'inventory'}. Stop it with Ctrl-C.", flush=True
            )

    async def run() -> None:
        await Lab(load_deployment(options.deployment), options.state).run(ready)

    asyncio.run(run())
    return 0


def _detach(options: argparse.Namespace) -> int:
    """Start another process that serves, and wait until it says that it does."""
    options.state.mkdir(parents=True, exist_ok=True)
    log = options.state / "lab.log"
    read_end, write_end = os.pipe()
    with log.open("wb") as output, os.fdopen(read_end, "rb") as answer:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", __package__, "up", str(options.deployment), "--foreground"),
                *("--state", str(options.state), "--ready-fd", str(write_end)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[write_end],
            start_new_session=True,
        )
        os.close(write_end)
        if answer.readline() != b"ready\n":
            process.wait()
            raise ValueError(f"the lab did not start:\n{log.read_text(errors='replace').strip()}")
    print(f"The lab is up. Inventory: {options.state / 'inventory'}")
    return 0


def _down(options: argparse.Namespace) -> int:
    control.ask(options.state, "down")
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
    details = dict(option.partition("=")[::2] for option in options.set)
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
    names = list(status["totals"])
    print(f"deployment {status['deployment']}, {len(status['servers'])} servers")
    width = max(len(name) for name in status["servers"])
    print(" " * width, *(name.replace("_", " ") for name in names), sep="  ")
    rows = {name: server["counters"] for name, server in status["servers"].items()} | {
        "total": status["totals"]
    }
    for name, counters in rows.items():
        print(name.ljust(width), *(str(counters[key]).rjust(len(key)) for key in names), sep="  ")
    for fault in status["faults"]:
        print("fault:", ", ".join(f"{key} {value}" for key, value in fault.items() if value is not None))
    return 0


def _log(options: argparse.Namespace) -> int:
    path = options.state / "journal.jsonl"
    if not path.is_file():
        raise control.NotRunning(f"no lab was ever up with state directory {options.state}")
    for entry in journal.read(path):
        if options.writes and not entry.get("writes"):
            continue
        if (options.event and entry["event"] != options.event) or (
            options.server and entry["server"] != options.server
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
