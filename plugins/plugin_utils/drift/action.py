# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions that work on a whole deployment.

They run once for a deployment, however many hosts of the inventory stand for it, and they never fail: what keeps a
deployment from being judged is part of what they return, so that the last play always comes.
"""

from __future__ import annotations

import datetime
import functools
import json
import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible import constants as C
from ansible.utils.vars import load_extra_vars

from ..change.envelope import Envelope
from ..change.journal import Journal, JournalUnusable, NoJournal, Origin, run_id
from ..module_action import JOURNAL_VARIABLE, BaseAction
from ..powershell.errors import ManagementShellError
from ..powershell.shell import ManagementShell
from ..result.failures import failure_result, kind_of
from ..result.pasting import extra_variable
from ..result.refusals import BadArgument, Refused, UnusableArgument
from ..result.result import Result
from ..result.status import Status
from . import summary
from .assessing import Task, refused_run, unread_run
from .deployment import checked_name
from .documents import folded
from .requests import known_noun
from .run import Run
from .state import Locked, Now, State, StateUnusable, default_root, mounted, persists

# What a run's verdict says of what it judged.
_STATUSES = {
    "clean": Status.IN_DESIRED_STATE,
    "drift": Status.DRIFTED,
    "incomplete": Status.UNKNOWN,
    "refused": Status.UNKNOWN,
}

_WAIT_SECONDS = 0.2
_LONGEST_WAIT = 600.0
_ROLE = "windows_live_av_federation_"


class DriftAction(BaseAction):
    """Subclasses give ``DOCUMENTATION``, ``MODE`` and `work`."""

    MODE: ClassVar[str]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._variables: Mapping[str, Any] = task_vars or {}
        self._task_of_run: Task | None = None
        self._writing: Envelope | None = None
        self._now = Now(datetime.datetime.now(datetime.timezone.utc), run_id(C.DEFAULT_LOCAL_TMP))
        return super().run(tmp, task_vars)

    @abstractmethod
    def work(
        self, arguments: dict[str, Any], task: Task, shell: ManagementShell
    ) -> tuple[Run, dict[str, Any]]:
        """What was found, and more keys of the result. May raise what reading raises, and BadArgument."""

    def _envelope(self, task_vars: Mapping[str, Any]) -> Envelope:
        """For reading; what is written goes by one of its own, once it is known where its journal is."""
        return Envelope(self._connection.session, NoJournal(), check_mode=bool(self._task.check_mode))

    def _perform(self, arguments: dict[str, Any], envelope: Envelope) -> dict[str, Any]:
        task = self._task_of_run = self._as_task(arguments)
        task.state.prepare()
        deadline = time.monotonic() + _LONGEST_WAIT
        while True:
            try:
                with task.state.locked(self._now):
                    return self._once(arguments, task, envelope)
            except Locked as locked:
                # Another host of this run stands for the same deployment; its work is ours as well.
                if locked.run != self._now.run or time.monotonic() > deadline:
                    raise
                time.sleep(_WAIT_SECONDS)

    def _once(self, arguments: dict[str, Any], task: Task, envelope: Envelope) -> dict[str, Any]:
        known = task.state.run_of(self._now.run)
        judged = known is not None and known.get("mode") == self.MODE and not known.get("failure")
        if known is not None and judged and known.get("host") != task.host:
            same = {"same_deployment_as": known["host"], "summary": []}
            own = self._of_changes(Result(_STATUSES[known["verdict"]], changed=False).as_dict())
            return {"changed": False, **own, **_without_format(known), **same}
        task.state.must_be_earlier(self._now)
        run, more = self.work(arguments, task, envelope.shell)
        return self._result(task, run, more)

    def _result(self, task: Task | None, run: Run, more: Mapping[str, Any]) -> dict[str, Any]:
        context = self._context(task, run)
        document = replace(run, context=tuple(context)).as_dict()
        if task is not None and task.keeps and not run.refusal:
            task.state.save_run(self._now, document)
        lines = summary.lines(run, context)
        return {"changed": False, **document, "same_deployment_as": None, "summary": lines, **more}

    def _of_changes(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """What of a result of changes is this module's as well; nothing, where it changes no server."""
        return {}

    def _failure(self, error: Exception, envelope: Envelope | None) -> dict[str, Any]:
        """Nothing fails here; what was written by then is said."""
        task = self._task_of_run or Task(
            str(self._task.args.get("deployment", "")), State(Path(), ""), Path(), self._host, keeps=False
        )
        sentence, kind = str(error), kind_of(error)
        more = self._of_changes(self._writing.failure(error) if self._writing else failure_result(error))
        if self._writing is not None and self._writing.has_written:
            sentence += " What had been written by then is in the journal."
        if isinstance(error, BadArgument | StateUnusable | Locked | JournalUnusable | Refused):
            run = refused_run(task, self._now, self.MODE, sentence, kind)
        else:
            run = unread_run(task, self._now, self.MODE, sentence, kind)
        try:
            return self._result(None if kind == "locked" else self._task_of_run, run, more)
        except (OSError, ManagementShellError):
            return self._result(None, run, more)

    # -- what the task asks for -------------------------------------------------------------------------------

    @property
    def _host(self) -> str:
        return str(self._task.delegate_to or self._variables.get("inventory_hostname", ""))

    def _as_task(self, arguments: Mapping[str, Any]) -> Task:
        name = checked_name(arguments["deployment"])
        root = _folder("state", arguments["state"]) if arguments["state"] else default_root()
        state = State(root, name)
        if arguments["baseline"]:
            folder = _folder("baseline", arguments["baseline"])
        else:
            folder = beside_the_inventory(self._variables) / "baseline" / name
        nouns = arguments["nouns"]
        own = self._journal_folder({JOURNAL_VARIABLE: self._variables.get(JOURNAL_VARIABLE)})
        chosen = arguments["state_persists"]
        return Task(
            deployment=name,
            state=state,
            baseline=folder,
            host=self._host,
            nouns=frozenset(folded(known_noun(each, "nouns").name) for each in nouns) if nouns else None,
            journals=tuple(dict.fromkeys(each for each in (own, state.journal) if each is not None)),
            persists=persists(root, mounted()) if chosen is None else chosen,
            collection_version=collection_version(),
            keeps=not self._task.check_mode,
        )

    def _with_requests(self, task: Task, arguments: Mapping[str, Any]) -> Task:
        """The task of a run that compares."""
        roles = {
            name: self._templar.template(value)
            for name, value in self._variables.items()
            if isinstance(name, str) and name.startswith(_ROLE) and name != f"{_ROLE}result"
        }
        return replace(
            task,
            wanted=arguments["wanted"],
            variables=roles if arguments["roles"] else {},
            results=tuple(arguments["results"] or ()),
            waiver_days=arguments["waiver_days"],
        )

    def _journal_of(self, task: Task) -> Journal:
        """Where corrections are written down: where the user wants changes to be, or in the deployment's own folder."""
        chosen = self._variables.get(JOURNAL_VARIABLE)
        folder = task.state.journal if chosen is None else self._journal_folder(self._variables)
        if folder is None:
            raise UnusableArgument(
                JOURNAL_VARIABLE,
                "it is false, and what is not written down cannot be taken back. Allowed: a folder",
            )
        origin = Origin(
            host=self._host,
            module=self._task.resolved_action or self._task.action,
            task=self._task.get_name(),
            playbook=self._task.get_path() or "",
        )
        return Journal(folder, self._now.run, origin)

    def _context(self, task: Task | None, run: Run) -> list[str]:
        """The arguments that a printed command needs to reach this deployment."""
        if task is None:
            return []
        sources = self._variables.get("ansible_inventory_sources") or []
        words = [word for source in sources for word in ("-i", str(source))]
        chosen = load_extra_vars(self._loader)
        again = {
            "lync_remediation_deployment": task.deployment,
            "lync_remediation_baseline": task.baseline.absolute(),
        }
        given = [
            word for name, value in again.items() if name in chosen for word in extra_variable(name, value)
        ]
        return [*words, "-l", task.host, *extra_variable("lync_remediation_state", task.state.root), *given]


def beside_the_inventory(variables: Mapping[str, Any]) -> Path:
    """The folder that the inventory lies in; never the inventory itself, all files of which are read as hosts."""
    folder = Path(str(variables.get("inventory_dir") or "."))
    sources = map(Path, variables.get("ansible_inventory_sources") or ())
    return next(
        (
            source.parent
            for source in sources
            if source.is_dir() and (source == folder or source in folder.parents)
        ),
        folder,
    )


def _folder(option: str, text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_absolute():
        path = Path.cwd() / path
    if path.exists() and not path.is_dir():
        raise UnusableArgument(option, f"{path} is not a folder")
    return path


def _without_format(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "format"}


@functools.cache
def collection_version() -> str:
    """The version of this collection: as it was installed, or as its checkout has it."""
    root = Path(__file__).parents[3]
    try:
        installed = root / "MANIFEST.json"
        if installed.exists():
            return str(json.loads(installed.read_text(encoding="utf-8"))["collection_info"]["version"])
        return str(yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return ""
