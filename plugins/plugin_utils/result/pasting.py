# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands to paste, with the arguments that reach the inventory of the run."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

_PLACEHOLDER = "-i inventory"
"""What commands have, wherever they are written down, in place of the inventory."""
_PLAIN = re.compile(r"[\w@%+:,./~*-]+")


def inventory_arguments(variables: Mapping[str, Any]) -> list[str]:
    """``-i`` for each inventory that the run was given, each word quoted for a shell."""
    return [
        shlex.quote(word)
        for source in variables.get("ansible_inventory_sources") or ()
        for word in ("-i", str(source))
    ]


def extra_variable(name: str, value: object) -> tuple[str, str]:
    """The two words of a command, not yet quoted for a shell. What Ansible would take apart is written as JSON."""
    if _PLAIN.fullmatch(str(value)):
        return "-e", f"{name}={value}"
    return "-e", json.dumps({name: str(value)}, ensure_ascii=False)


def reaching(command: str, arguments: Sequence[str]) -> str:
    """The command with these arguments, or as it stands where none are known."""
    return command.replace(_PLACEHOLDER, " ".join(arguments)) if arguments else command
