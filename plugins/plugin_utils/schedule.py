# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A schedule on a controller, decided from the variables of the role drift_schedule: when, how, and whether at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .drift.times import longest_gap, minute_of, window
from .result.refusals import BadArgument, UnusableArgument
from .result.severity import Severity

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
# A role's argument specs let a text pass for a list and for a number, and leave it: -e NAME=VALUE has no types.
_LISTS = (
    *("inventory", "members", "nouns", "report_formats", "severities", "times"),
    *("variables_files", "webhooks", "writable_folders"),
)
_NUMBERS = ("keep_days", "max_corrections", "random_delay_minutes", "timeout_minutes")
_CREDENTIAL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# SMBIOS (DMTF DSP0134), System Enclosure or Chassis Types: what people carry about.
_PORTABLE = {
    8: "portable",
    9: "laptop",
    10: "notebook",
    11: "hand-held",
    14: "sub-notebook",
    30: "tablet",
    31: "convertible",
    32: "detachable",
}
VAULT_PASSWORD = "vault_password"  # noqa: S105 - the name of a credential


def plan(variables: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, Any]:
    """What the role does. ``variables`` are its own, without their prefix. ``machine`` is what is known of the
    controller: ``kernel``, ``runs_systemd`` and ``hardware``, lines of ``grep -H`` on files below /sys/class. Raises
    BadArgument.
    """
    variables = _typed(variables)
    name = variables["name"]
    if not _NAME.fullmatch(name):
        raise _unusable("name", f"{name!r} is no name. Allowed: up to 31 of a-z, 0-9 and -, a letter first")
    minutes = [minute_of("drift_schedule_times", each) for each in variables["times"]]
    if not minutes:
        raise _unusable("times", "it is empty. Allowed: times of a day, such as 02:00")
    delay = variables["random_delay_minutes"]
    _must_be_between("random_delay_minutes", delay, 0, 720)
    _must_be_between("timeout_minutes", variables["timeout_minutes"], 1, 24 * 60)
    _must_be_between("keep_days", variables["keep_days"], 1, 3650)
    _must_fit(variables)
    if variables["mode"] == "enforce":
        _must_be_braked(variables, minutes, delay)
    method, why_not_running = _method(variables, machine)
    credentials = {**variables["credentials"], **variables["encrypted_credentials"]}
    for each in credentials:
        if not _CREDENTIAL.fullmatch(each):
            raise _unusable(
                "credentials", f"{each!r} is no name of a credential. Allowed: letters, digits, _ . -"
            )
    if credentials and method == "cron":
        raise _unusable(
            "credentials", "cron has no credentials. Allowed with cron: files that only the account can read"
        )
    return {
        "method": method,
        "is_running": not why_not_running,
        "why_not_running": why_not_running,
        "on_calendar": [f"*-*-* {each // 60:02}:{each % 60:02}:00" for each in sorted(set(minutes))],
        "cron_times": [{"hour": each // 60, "minute": each % 60} for each in sorted(set(minutes))],
        "interval_minutes": longest_gap(minutes),
        "objections": list(objections(machine)),
    }


def _typed(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Raises BadArgument for a text that should be a list: it would be taken for a list of its letters."""
    for option in _LISTS:
        if isinstance(variables[option], str):
            raise _unusable(
                option, f"{variables[option]!r} is a text. Allowed: a list, such as [{variables[option]}]"
            )
    return {**variables, **{each: int(variables[each]) for each in _NUMBERS if variables[each] is not None}}


def objections(machine: Mapping[str, Any]) -> Iterator[str]:
    """Why nobody can rely on this computer to be there at night."""
    if "microsoft" in machine["kernel"].casefold():
        yield "It is a Windows Subsystem for Linux, which runs only while somebody uses it."
    files = dict(_file(line) for line in machine["hardware"])
    chassis = files.get("/sys/class/dmi/id/chassis_type", "")
    if chassis.isdecimal() and int(chassis) in _PORTABLE:
        yield f"Its chassis says that it is a {_PORTABLE[int(chassis)]}, which sleeps when it is closed."
    batteries = [
        path.split("/")[4]
        for path, text in files.items()
        if path.endswith("/type") and text == "Battery" and files.get(f"{path[:-4]}scope") != "Device"
    ]
    if batteries:
        yield f"It has a battery ({', '.join(sorted(batteries))}), as laptops do."


def _file(line: str) -> tuple[str, str]:
    path, _colon, text = line.partition(":")
    return path, text.strip()


def _method(variables: Mapping[str, Any], machine: Mapping[str, Any]) -> tuple[str, str]:
    """systemd or cron, and why it does not run now where that is so."""
    runs = machine["runs_systemd"]
    method = variables["method"]
    if method == "auto":
        method = "systemd" if runs else "cron"
    if method == "systemd" and not runs:
        return method, "systemd does not run on this computer now"
    return method, ""


def _must_fit(variables: Mapping[str, Any]) -> None:
    """Raises BadArgument for what does not go together."""
    if not variables["inventory"]:
        raise _unusable("inventory", "it is empty. Allowed: files or folders, by absolute paths")
    for option in ("inventory", "variables_files"):
        for path in variables[option]:
            if not path.startswith("/"):
                raise _unusable(
                    option, f"{path!r} is not absolute, and a schedule starts in no folder of yours"
                )
    for webhook in variables["webhooks"]:
        if webhook.get("url"):
            raise _unusable(
                "webhooks", "url is a secret, and would be written into a file. Allowed here: url_file"
            )
    if variables["mail"].get("password"):
        raise _unusable("mail", "password would be written into a file. Allowed here: password_file")


def _must_be_braked(variables: Mapping[str, Any], minutes: Sequence[int], delay: int) -> None:
    """A timer corrects only what somebody has said, when, and up to how much. Raises BadArgument."""
    if not variables["nouns"] and not variables["severities"]:
        raise _unusable(
            "mode", "enforce needs drift_schedule_nouns or drift_schedule_severities: what may be corrected"
        )
    known = [each.value for each in Severity]
    for severity in variables["severities"]:
        if severity not in known:
            raise _unusable("severities", f"{severity!r} is none. Allowed: {', '.join(known)}")
    if variables["max_corrections"] is None:
        raise _unusable(
            "mode", "enforce needs drift_schedule_max_corrections: how many corrections a run may make"
        )
    _must_be_between("max_corrections", variables["max_corrections"], 1, 1000)
    if not variables["window"]:
        raise _unusable(
            "mode", "enforce needs drift_schedule_window: when correcting is allowed, such as 01:00-05:00"
        )
    allowed = window("drift_schedule_window", variables["window"])
    for minute in minutes:
        # With the delay it may begin as late as this.
        if not all(allowed.has((minute + each) % (24 * 60)) for each in (0, delay)):
            raise _unusable(
                "window",
                f"a run at {minute // 60:02}:{minute % 60:02}, up to {delay} minutes late, is not within {allowed}",
            )


def _must_be_between(option: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise _unusable(option, f"{value} is not between {lowest} and {highest}")


def _unusable(option: str, problem: str) -> BadArgument:
    return UnusableArgument(f"drift_schedule_{option}", problem)
