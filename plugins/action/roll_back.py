# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module roll_back; what it does is described there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..modules import roll_back as module
from ..plugin_utils.change import journal
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.module_action import JOURNAL_VARIABLE, ModuleAction
from ..plugin_utils.powershell.ordinal import same_name
from ..plugin_utils.result.refusals import BadArgument, UnusableArgument
from ..plugin_utils.result.result import Result
from ..plugin_utils.result.status import Status
from ..plugin_utils.roll_back.handlers import HANDLERS
from ..plugin_utils.roll_back.roll_back import roll_back
from ..plugin_utils.roll_back.selection import LATEST, Selection, moment, select
from ..plugin_utils.settings.catalogue import nouns

_CHOOSING = ("run", "host", "resource", "entries", "since")


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._variables: Mapping[str, Any] = task_vars or {}
        return super().run(tmp, task_vars)

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        _must_choose(arguments)
        folder = self._journal_folder(self._variables)
        if folder is None:
            raise UnusableArgument(
                JOURNAL_VARIABLE, "it is false. Allowed: the folder that the changes were written down in"
            )
        envelope.expects(
            Result(Status.UNKNOWN, changed=False, details={"steps": [], "summary": [], "diff": []})
        )
        run = arguments["run"]
        entries = journal.entries(folder, run=None if run is None or same_name(run, LATEST) else run)
        if not entries and folder != journal.default_folder() and not folder.is_dir():
            raise UnusableArgument(
                JOURNAL_VARIABLE,
                f"there is no folder {folder}. Allowed: the folder that the changes were written down in",
            )
        _must_be_known(arguments["resource"], entries)
        own = str(self._task.delegate_to or self._variables.get("inventory_hostname", ""))
        host = arguments["host"]
        selected = select(
            entries,
            Selection(
                host=host or own,
                # Whoever names the host knows where it is reached today.
                url=None if host else envelope.shell.endpoint.url,
                run=run,
                resource=arguments["resource"],
                identity=arguments["identity"],
                ids=frozenset(arguments["entries"] or ()),
                since=moment("since", arguments["since"]) if arguments["since"] else None,
            ),
        )
        result = roll_back(
            envelope,
            selected,
            journal.taken_back(entries),
            journal.half_taken_back(entries),
            overwrite_later_changes=arguments["overwrite_later_changes"],
        )
        if selected.entries or selected.elsewhere:
            return result
        nothing = f"The journal of changes {folder} has no such change of {host or own}."
        return result.with_details(msg=nothing)


def _must_choose(arguments: Mapping[str, Any]) -> None:
    if not any(arguments[option] for option in _CHOOSING):
        raise BadArgument(f"What is to be taken back? Give one of {', '.join(_CHOOSING)}.")
    if arguments["identity"] is not None and arguments["resource"] is None:
        raise UnusableArgument("identity", "an identity is one of a resource, which has to be given as well")


def _must_be_known(resource: str | None, entries: Iterable[journal.Entry]) -> None:
    known = sorted({*HANDLERS, *(entry.change.resource for entry in entries)})
    if resource is not None and resource not in known:
        names = ", ".join(name for name in known if name not in nouns())
        raise UnusableArgument(
            "resource", f"'{resource}' is not known. Allowed: {names}, and the nouns of `setting`"
        )
