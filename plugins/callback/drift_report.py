# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: drift_report
type: notification
short_description: Report what a run has found, and make the verdict on drift its exit code
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Writes a report of any run of a playbook that uses modules of this collection, and says at the end of the run in a
    few lines what is in it.
  - Every property, object and host is in exactly one of five counts, which are the same in all formats. A host that was
    unreachable, that failed or was skipped, or that the run never came to is I(unknown), and never missing.
  - C(ansible-playbook) itself can only say that a task failed. With this callback enabled, a run that checks,
    corrects or accepts drift exits with 0 where everything is as wanted, 10 where something differs, 11 where
    something could not be judged, and 12 where the run was refused or did not come to its verdict, and where the
    callback itself breaks. A report that cannot be written makes 12 of 0, and leaves every other verdict as it is.
  - Other runs keep their exit codes.
  - It ends the run when the statistics have been shown. Where several callbacks are enabled, name it last, so that the
    others get to see the statistics as well.
  - Files are replaced as a whole. Where one cannot be written, the one of an earlier run stays.
requirements:
  - to be enabled with C(callbacks_enabled = lync.remediation.drift_report) in ansible.cfg, or in
    C(ANSIBLE_CALLBACKS_ENABLED)
options:
  folder:
    description:
      - The folder for reports. It is made where it is not there.
      - By default C(lync.remediation/reports) below the user's state folder, which is C(~/.local/state) as a rule.
    type: path
    ini:
      - section: callback_drift_report
        key: folder
    env:
      - name: LYNC_REMEDIATION_REPORT_FOLDER
  name:
    description:
      - What the files are called, without their suffixes.
      - By default V(drift) for a run that checks, corrects or accepts drift, and the playbook's name for any other.
    type: str
    ini:
      - section: callback_drift_report
        key: name
    env:
      - name: LYNC_REMEDIATION_REPORT_NAME
  formats:
    description:
      - What is written besides the JSON file, which always is. V(html), a page for people; V(csv), for spreadsheets;
        V(junit), for what shows the results of tests; V(prometheus), for the textfile collector of node_exporter;
        V(text), as it is shown at the end of the run.
    type: list
    elements: str
    choices: [json, html, csv, junit, prometheus, text]
    default: [json, html]
    ini:
      - section: callback_drift_report
        key: formats
    env:
      - name: LYNC_REMEDIATION_REPORT_FORMATS
  textfile:
    description:
      - Where the V(prometheus) format goes, a whole path that ends in C(.prom). By default it lies beside the others.
    type: path
    ini:
      - section: callback_drift_report
        key: textfile
    env:
      - name: LYNC_REMEDIATION_REPORT_TEXTFILE
  interval:
    description:
      - How many minutes there are between two runs of a schedule, so that a run that was missed can be shown. With V(0)
        none is called missed.
    type: int
    default: 0
    ini:
      - section: callback_drift_report
        key: interval
    env:
      - name: LYNC_REMEDIATION_REPORT_INTERVAL
  runs:
    description:
      - How many runs the report's history keeps.
    type: int
    default: 30
    ini:
      - section: callback_drift_report
        key: runs
    env:
      - name: LYNC_REMEDIATION_REPORT_RUNS
"""

import datetime
import functools
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader

from ..plugin_utils.change.journal import run_id
from ..plugin_utils.drift.action import collection_version
from ..plugin_utils.drift.state import default_root
from ..plugin_utils.report import as_text, building, version_control, writing
from ..plugin_utils.report.gathered import VERDICT, Answer, Gathered, UnusableReport, judges, short_name
from ..plugin_utils.report.history import History

_BROKEN = 12
_DEPLOYMENT = "lync_remediation_deployment"
# Of these variables the values are no secrets, and worth having in a report.
_OPEN = ("lync_remediation_", "drift_")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_MOST_RUNS = 1000


class CallbackModule(CallbackBase):
    """Collects what tasks return, and hands it over when the run ends; the report is made elsewhere."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "lync.remediation.drift_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gathered = Gathered("", "", _now())
        self._play: Any = None
        self._exit_code: int | None = None
        self._is_broken = False
        self._is_unwritten = False

    # -- while the run goes on ---------------------------------------------------------------------------------

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._guarded(lambda: self._foresee(playbook))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play
        self._guarded(lambda: self._expect_of(play))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._guarded(lambda: self._note(task, self._play))

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._guarded(lambda: self._note(task, self._play))

    def v2_runner_on_ok(self, result: Any) -> None:
        self._guarded(lambda: self._take(result, "ok"))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._guarded(lambda: self._take(result, "failed"))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._guarded(lambda: self._take(result, "unreachable"))

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._guarded(lambda: self._take(result, "skipped"))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        # A failure that was rescued is none.
        ended = {*getattr(stats, "failures", ()), *getattr(stats, "dark", ())}
        self._gathered.lost = {host: how for host, how in self._gathered.lost.items() if host in ended}
        self._guarded(self._report)
        code = _BROKEN if self._is_broken else 0
        if self._gathered.exits and not code:
            verdict = _BROKEN if self._exit_code is None else self._exit_code
            code = verdict or (_BROKEN if self._is_unwritten else 0)
        if code:
            # Ansible catches exceptions of callbacks; this is none, and leads straight to the exit code.
            raise SystemExit(code)

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except UnusableReport as error:
            self._is_unwritten = True
            self._display.warning(str(error))
        except Exception as error:
            self._is_broken = True
            self._display.warning(f"drift_report broke: {error!r}")

    # -- what is expected --------------------------------------------------------------------------------------

    def _foresee(self, playbook: Any) -> None:
        """A run that is to come to a verdict is one of ours, even if it never gets there; and so are the hosts."""
        for play in playbook.get_plays():
            self._expect_of(play)

    def _expect_of(self, play: Any) -> None:
        for task in _tasks_of(play):
            self._note(task, play)

    def _note(self, task: Any, play: Any) -> None:
        module = short_name(_action_of(task))
        self._gathered.exits = self._gathered.exits or module == VERDICT
        if module and judges(module) and play is not None:
            self._gathered.modules.add(module)
            self._expect(play)

    def _expect(self, play: Any) -> None:
        """All hosts of the play, in whatever batch they are, with the deployment that the inventory has for each."""
        manager = play.get_variable_manager()
        patterns = play.hosts
        if manager is None or any("{{" in str(each) for each in _listed(patterns)):
            return
        for host in manager._inventory.get_hosts(patterns, ignore_restrictions=True):
            if host.name not in self._gathered.hosts:
                named = manager.get_vars(host=host, include_hostvars=False).get(_DEPLOYMENT)
                self._gathered.hosts[host.name] = (
                    str(named) if isinstance(named, str) and "{{" not in named else ""
                )

    # -- results -----------------------------------------------------------------------------------------------

    def _take(self, event: Any, outcome: str) -> None:
        # ansible-core 2.19 has made these attributes properties without the underscore.
        task = getattr(event, "task", None) or event._task
        result = getattr(event, "result", None) or event._result
        host = str(getattr(event, "host", None) or getattr(event, "_host", ""))
        ignores = {"failed": "ignore_errors", "unreachable": "ignore_unreachable"}
        if outcome in ignores and not getattr(task, ignores[outcome], False):
            self._gathered.lost[host] = (outcome, str(result.get("msg") or ""))
        module = short_name(_action_of(task))
        if not module:
            return
        if module == VERDICT and outcome == "ok":
            self._exit_code = max(self._exit_code or 0, int(result["exit_code"]), key=_worst)
        items = result.get("results") if isinstance(result.get("results"), list) else None
        for each in [result] if items is None or not getattr(task, "loop", None) else items:
            self._gathered.answers.append(
                Answer(
                    host,
                    module,
                    str(getattr(task, "_uuid", "")),
                    str(task.get_name()),
                    _outcome_of(each, outcome) if items is not None else outcome,
                    each,
                    tuple(self._speaks_for(task)),
                    bool(getattr(task, "check_mode", False)),
                    str(task.get_path() or ""),
                )
            )

    def _speaks_for(self, task: Any) -> Iterable[str]:
        runs_once = getattr(task, "run_once", False) or _bypasses_the_hosts(task)
        if not runs_once or self._play is None:
            return ()
        manager = self._play.get_variable_manager()
        return (
            [host.name for host in manager._inventory.get_hosts(self._play.hosts)]
            if manager is not None
            else ()
        )

    # -- the report --------------------------------------------------------------------------------------------

    def _report(self) -> None:
        gathered = self._gathered
        if not gathered.is_ours:
            return
        arguments = context.CLIARGS
        gathered.run = run_id(C.DEFAULT_LOCAL_TMP)
        gathered.playbook = str((arguments.get("args") or ("",))[0])
        gathered.arguments = tuple(_shown(arguments))
        gathered.is_dry_run = bool(arguments.get("check"))
        gathered.collection_version = collection_version()
        gathered.ended = _now()
        folders = {
            str(each.result.get("baseline") or "") for each in gathered.answers if "verdict" in each.result
        }
        gathered.baselines = {each: version_control.state_of(each) for each in folders - {""}}
        gathered.interval = self._number("interval", 0, 527_040)
        keep = self._number("runs", 1, _MOST_RUNS)
        gathered.name = str(self.get_option("name") or building.name_of(gathered))
        if not _NAME.fullmatch(gathered.name):
            raise UnusableReport(
                f"name: {gathered.name!r} is no name for a file. Allowed: letters, digits, '_', '-', '.'."
            )
        chosen = self.get_option("folder")
        folder = Path(chosen) if chosen else default_root().parent / "reports"
        model, past = self._built(folder, keep)
        for line in ["", *as_text.lines(model)]:
            self._display.display(line)
        if gathered.exits and self._exit_code is not None:
            self._exit_code = max(self._exit_code, int(model["exit_code"]), key=_worst)
        writing.prepare(folder)
        textfile = self.get_option("textfile")
        formats = self.get_option("formats")
        paths = writing.write(folder, gathered.name, model, formats, Path(textfile) if textfile else None)
        if past is not None:
            writing.save_history(folder, gathered.name, past)
        shown = next((each for each in paths if each.suffix == ".html"), paths[0])
        self._display.display(f"Report: {shown}")

    def _built(self, folder: Path, keep: int) -> tuple[dict[str, Any], History | None]:
        """The model; without earlier runs, and without writing over them, where they cannot be read."""
        try:
            past = writing.load_history(folder, self._gathered.name)
        except UnusableReport as error:
            self._is_unwritten = True
            self._display.warning(
                f"{error} Nothing is compared with earlier runs, and the file stays as it is."
            )
            return building.build(self._gathered, History(), keep)[0], None
        return building.build(self._gathered, past, keep)

    def _number(self, option: str, lowest: int, highest: int) -> int:
        value = int(self.get_option(option))
        if not lowest <= value <= highest:
            raise UnusableReport(f"{option}: {value} is not between {lowest} and {highest}.")
        return value


def _now() -> str:
    return f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def _tasks_of(play: Any) -> Iterable[Any]:
    blocks = [*play.tasks, *(block for role in _roles_of(play) for block in role.get_task_blocks())]
    while blocks:
        each = blocks.pop()
        if hasattr(each, "block"):
            blocks += [
                *each.block,
                *(getattr(each, "rescue", None) or ()),
                *(getattr(each, "always", None) or ()),
            ]
        else:
            yield each


def _roles_of(play: Any) -> Iterable[Any]:
    return getattr(play, "roles", None) or ()


def _listed(patterns: Any) -> list[Any]:
    return patterns if isinstance(patterns, list) else [patterns]


def _action_of(task: Any) -> str:
    return str(getattr(task, "resolved_action", None) or getattr(task, "action", ""))


@functools.cache
def _bypasses_the_hosts_of(action: str) -> bool:
    return bool(getattr(action_loader.get(action, class_only=True), "BYPASS_HOST_LOOP", False))


def _bypasses_the_hosts(task: Any) -> bool:
    """Such a task runs once for its play, though it does not say so."""
    return _bypasses_the_hosts_of(_action_of(task))


def _outcome_of(item: Mapping[str, Any], outcome: str) -> str:
    """Of one item of a loop."""
    for name, key in (("unreachable", "unreachable"), ("failed", "failed"), ("skipped", "skipped")):
        if item.get(key):
            return name
    return "ok" if outcome != "unreachable" else outcome


def _shown(arguments: Mapping[str, Any]) -> Iterable[str]:
    """The command line, without values that may be secrets."""
    for source in arguments.get("inventory") or ():
        yield from ("-i", str(source))
    if arguments.get("subset"):
        yield from ("-l", str(arguments["subset"]))
    yield from (f"--{name}" for name in ("check", "diff") if arguments.get(name))
    for name in ("tags", "skip_tags"):
        chosen = [str(each) for each in arguments.get(name) or () if each != "all"]
        yield from (f"--{name.replace('_', '-')}", ",".join(chosen)) if chosen else ()
    for each in arguments.get("extra_vars") or ():
        yield from ("-e", _without_values(str(each)))
    yield from map(str, arguments.get("args") or ())


def _without_values(variables: str) -> str:
    if variables.startswith("@"):
        return variables
    try:
        words = [word.partition("=") for word in shlex.split(variables)]
    except ValueError:
        return "…"
    if variables.lstrip().startswith(("{", "[")):
        return "…"
    return " ".join(
        f"{name}={value if name.startswith(_OPEN) else '…'}" if equals else "…"
        for name, equals, value in words
    )


def _worst(code: int) -> int:
    """From the best exit code to the worst: 0, 11, 10, 12."""
    return (0, 11, 10, _BROKEN).index(code)
