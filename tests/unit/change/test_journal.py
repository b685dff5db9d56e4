# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of changes: what is on the disk before a change, who can read it, and what it refuses."""

from __future__ import annotations

import datetime
import decimal
import json
import multiprocessing
import os
import resource
import stat
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change import journal
from ansible_collections.lync.remediation.plugins.plugin_utils.change.envelope import Envelope
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import (
    Change,
    Journal,
    JournalUnusable,
    NoJournal,
    Origin,
    Restorable,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    Hidden,
    PipelineState,
    Results,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.values import Version
from ansible_collections.lync.remediation.plugins.plugin_utils.result.result import Result
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from hypothesis import given
from hypothesis import strategies as st
from unit.scripted import ENDPOINT, Scripted

# Ansible forks its workers as well; the threads here are the test runner's.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

RUN = "20260102T030405Z-0123abcd"
ORIGIN = Origin("pool01", "lync.remediation.media_configuration", "A task", "/site.yml:3")
CHANGE = Change(
    "media_configuration",
    "Global",
    "set",
    {"enable_qos": False},
    {"enable_qos": True},
    Restorable.YES,
)
SET = Command("Set-CsMediaConfiguration", {"Identity": "Global", "EnableQoS": True})
fork = multiprocessing.get_context("fork")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal"


def of_run(folder: Path, run: str = RUN) -> Journal:
    return Journal(folder, run, ORIGIN)


def begin(made: Journal, change: Change = CHANGE) -> str:
    return made.begin(change, (SET.as_text(),), ENDPOINT.url, ENDPOINT.account)


def lines(made: Journal) -> list[dict[str, Any]]:
    return [json.loads(line) for line in made.path.read_text(encoding="ascii").splitlines()]


# -- what is written -------------------------------------------------------------------------------------------------


def test_an_entry_says_what_where_by_whom_and_when_and_comes_back_with_its_outcome(folder: Path) -> None:
    made = of_run(folder)
    change_id = begin(made)
    (line,) = lines(made)
    assert (line["entry"], line["format"], line["run"]) == ("change", journal.FORMAT, RUN)
    assert (line["account"], line["commands"]) == (ENDPOINT.account, [SET.as_text()])
    (entry,) = journal.entries(folder)
    assert (entry.id, entry.run, entry.host, entry.url) == (change_id, RUN, "pool01", ENDPOINT.url)
    assert entry.change == CHANGE
    assert entry.outcome is None
    assert not entry.is_certain
    assert not entry.never_happened

    made.end(change_id, {"status": "corrected", "changed": True})
    (entry,) = journal.entries(folder)
    assert entry.is_certain
    assert {"status": "corrected", "changed": True}.items() <= (entry.outcome or {}).items()


def test_nobody_else_can_read_it(folder: Path) -> None:
    before = os.umask(0)
    try:
        begin(of_run(folder))
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_what_takes_a_change_back_names_it(folder: Path) -> None:
    made = of_run(folder)
    first = begin(made)
    begin(made.taking_back(first))
    assert [entry.takes_back for entry in journal.entries(folder)] == ["", first]


def test_the_order_of_a_file_stands_whatever_the_clock_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = of_run(folder)
    noon = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.timezone.utc)
    identifiers = []
    for hours in (0, -3, -1):
        monkeypatch.setattr(journal, "_now", lambda hours=hours: noon + datetime.timedelta(hours=hours))
        identifiers.append(begin(made))
    assert [entry.id for entry in journal.entries(folder)] == identifiers


def scalars() -> st.SearchStrategy[Any]:
    spans = st.timedeltas(datetime.timedelta(days=-1000), datetime.timedelta(days=1000))
    parts = st.integers(0, 2**31 - 1)
    return (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False)
        | st.text()
        | spans
        | st.binary()
        | st.uuids()
        | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
        | st.datetimes(timezones=st.just(datetime.timezone.utc), min_value=datetime.datetime(1900, 1, 1))
        | st.tuples(parts, parts, parts, parts).map(lambda each: Version(".".join(map(str, each))))
    )


values = st.recursive(
    scalars(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["clixml", "a", "ä", ""]), inner, max_size=3)
    ),
    max_leaves=6,
)


def typed(value: Any) -> Any:
    """A value with the types that Python's equality looks past."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    for kind in (Version, decimal.Decimal, datetime.datetime, datetime.timedelta, uuid.UUID):
        if isinstance(value, kind):
            return kind.__name__, value
    return type(value).__name__, value


@given(st.dictionaries(st.text(), values, max_size=3))
def test_values_come_back_as_what_they_are(tmp_path_factory: pytest.TempPathFactory, held: Any) -> None:
    folder = tmp_path_factory.mktemp("values")
    begin(of_run(folder), replace(CHANGE, before=held, wanted={"of": held}))
    (entry,) = journal.entries(folder)
    assert typed(entry.change.before) == typed(held)
    assert typed(entry.change.wanted) == typed({"of": held})
    assert entry.change.restorable is Restorable.YES


@pytest.mark.parametrize("value", [2**64, [2**64], "text"])
def test_values_that_cannot_be_sent_again_are_read_as_they_stand(tmp_path: Path, value: Any) -> None:
    held = {"a": {"clixml": value}, "b": {"clixml": 2**64}}
    begin(of_run(tmp_path), replace(CHANGE, before=held, wanted={}))
    (entry,) = journal.entries(tmp_path)
    assert (entry.change.before, entry.change.restorable) == (held, Restorable.NO)


class Unknown:
    def __str__(self) -> str:
        return "something"


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    "value",
    [
        Unknown(),
        CYCLE,
        Hidden.SECURE_STRING,
        datetime.datetime(2026, 1, 2),
        {1: Unknown()},
    ],
    ids=["unknown", "cycle", "hidden", "no zone", "keys"],
)
def test_a_value_that_could_not_be_sent_again_breaks_no_write(folder: Path, value: Any) -> None:
    begin(of_run(folder), replace(CHANGE, before={"option": value}))
    (entry,) = journal.entries(folder)
    assert entry.change.restorable is Restorable.NO


# -- several at once -------------------------------------------------------------------------------------------------


def in_processes(number: int, work: Callable[[int], object]) -> None:
    """Let processes that were forked from this one work at the same moment."""
    barrier = fork.Barrier(number)

    def run(index: int) -> None:
        barrier.wait()
        work(index)

    processes = [fork.Process(target=run, args=(index,)) for index in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * number


def test_all_workers_of_a_run_agree_on_its_id(tmp_path: Path) -> None:
    for attempt in range(10):
        run_folder = tmp_path / str(attempt)
        run_folder.mkdir()
        noted = tmp_path / f"told-{attempt}"
        noted.mkdir()
        in_processes(
            8,
            lambda index, run_folder=run_folder, noted=noted: (noted / str(index)).write_text(
                journal.run_id(str(run_folder))
            ),
        )
        found = {path.read_text() for path in noted.iterdir()}
        assert found == {journal.run_id(str(run_folder))}
        assert len(list(run_folder.iterdir())) == 1


def test_workers_of_a_run_share_its_file(folder: Path) -> None:
    def work(index: int) -> None:
        made = of_run(folder)
        for number in range(20):
            change_id = begin(made, replace(CHANGE, identity=f"{index}.{number}"))
            made.end(change_id, {"status": "corrected", "changed": True})

    in_processes(6, work)
    found = journal.entries(folder)
    assert len(found) == 120
    assert all(entry.is_certain for entry in found)
    assert len({entry.id for entry in found}) == 120


def test_runs_at_the_same_time_have_a_file_each(folder: Path) -> None:
    in_processes(6, lambda index: begin(of_run(folder, f"{RUN}{index}")))
    assert {entry.run for entry in journal.entries(folder)} == {f"{RUN}{index}" for index in range(6)}
    assert len(list(folder.iterdir())) == 7


# -- what is refused -------------------------------------------------------------------------------------------------


def a_file(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.touch()


def below_a_file(folder: Path) -> None:
    folder.parent.touch()


def world_writable(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)


def of_a_newer_format(folder: Path) -> None:
    begin(of_run(folder))
    (folder / "format.json").write_text(json.dumps({"format": journal.FORMAT + 1}))


def without_a_readable_marker(folder: Path) -> None:
    begin(of_run(folder))
    (folder / "format.json").write_bytes(b"\xff[")


def cut_off(folder: Path) -> None:
    begin(of_run(folder))
    path = of_run(folder).path
    path.write_bytes(path.read_bytes()[:-7])


def readable_by_others(folder: Path) -> None:
    begin(of_run(folder))
    of_run(folder).path.chmod(0o644)


def a_link(folder: Path) -> None:
    begin(of_run(folder))
    path = of_run(folder).path
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


def a_folder_in_its_place(folder: Path) -> None:
    of_run(folder).path.mkdir(parents=True)


WRONG = [
    a_file,
    below_a_file,
    world_writable,
    of_a_newer_format,
    without_a_readable_marker,
    cut_off,
    readable_by_others,
    a_link,
    a_folder_in_its_place,
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: each.__name__)
def test_a_journal_that_cannot_be_used_keeps_the_change_from_being_made(
    wrong: Callable[[Path], None], folder: Path
) -> None:
    wrong(folder)
    refuses_before_the_first_write(of_run(folder))


def refuses_before_the_first_write(made: Journal) -> None:
    shell = Scripted()
    envelope = Envelope(shell, made, check_mode=False)
    envelope.begin(CHANGE)
    with pytest.raises(JournalUnusable) as refused:
        envelope.write(SET)
    assert shell.sent == []
    assert not envelope.has_written
    result = envelope.failure(refused.value)
    assert (result["failed"], result["changed"], result["failure"]) == (True, False, "journal_unusable")
    assert result["msg"].count(". ") == 0
    assert "lync_remediation_journal" in result["msg"]


@pytest.mark.parametrize(
    "wrong",
    [each for each in WRONG if each is not below_a_file],
    ids=lambda each: each.__name__,
)
def test_nor_is_it_believed(wrong: Callable[[Path], None], folder: Path) -> None:
    wrong(folder)
    with pytest.raises(JournalUnusable):
        journal.entries(folder)


def as_another(work: Callable[[], None]) -> None:
    """In a process of its own that is not root, where this one is."""

    def run() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        work()

    process = fork.Process(target=run)
    process.start()
    process.join()
    assert process.exitcode == 0


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that others can get into."""
    folder = tmp_path_factory.mktemp("shared")
    for each in (folder, *folder.parents[:3]):
        if each.stat().st_uid == os.geteuid() and each != Path("/tmp"):
            each.chmod(0o755)
    return folder


def test_a_read_only_folder(shared: Path) -> None:
    shared.chmod(0o777 if os.geteuid() == 0 else 0o755)

    def work() -> None:
        folder = shared / "journal"
        folder.mkdir(mode=0o700)
        begin(of_run(folder, "earlier"))
        folder.chmod(0o500)
        refuses_before_the_first_write(of_run(folder))

    as_another(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else's")
def test_somebody_else_s_folder(shared: Path) -> None:
    (shared / "journal").mkdir(mode=0o755)
    as_another(lambda: refuses_before_the_first_write(of_run(shared / "journal")))
    os.chown(shared / "journal", 65534, 65534)
    refuses_before_the_first_write(of_run(shared / "journal"))


@pytest.mark.parametrize("room", [0, 7], ids=["nothing fits", "a part fits"])
def test_a_full_disk(folder: Path, room: int) -> None:
    begin(of_run(folder))
    whole = of_run(folder).path.read_bytes()

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + room, resource.RLIM_INFINITY))
        refuses_before_the_first_write(of_run(folder))

    process = fork.Process(target=work)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert of_run(folder).path.read_bytes() == whole


def test_an_entry_that_did_not_reach_the_disk_is_not_left_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(of_run(folder))

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    refuses_before_the_first_write(of_run(folder))
    assert len(journal.entries(folder)) == 1


# -- in the envelope -------------------------------------------------------------------------------------------------


def test_the_entry_is_on_the_disk_before_anything_is_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = of_run(folder)
    events: list[str] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        sync(descriptor)
        events.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    def answer() -> Results:
        assert [entry.outcome for entry in journal.entries(folder)] == [None]
        events.append("sent")
        return Results(state=PipelineState.COMPLETED)

    monkeypatch.setattr(os, "fsync", note)
    envelope = Envelope(Scripted(answer), made, check_mode=False)
    envelope.begin(CHANGE)
    envelope.write(SET)
    assert events.index(made.path.name) < events.index("sent")
    # Its name as well: the folder was synchronised after the file was made.
    assert folder.name in events[events.index(made.path.name) : events.index("sent")]


def test_one_that_cannot_take_the_outcome_is_a_warning(folder: Path) -> None:
    made = of_run(folder)
    envelope = Envelope(Scripted(Results(state=PipelineState.COMPLETED)), made, check_mode=False)
    envelope.begin(CHANGE)
    envelope.write(SET)
    made.path.unlink()
    result = envelope.conclude(
        "The policy", {"enable": True}, [], result=Result(Status.DRIFTED, changed=True)
    )
    assert (result.status, result.changed) == (Status.CORRECTED, True)
    (warning,) = result.warnings
    assert str(made.path) in warning
    assert not made.path.exists()


def test_check_mode_writes_nothing_down() -> None:
    envelope = Envelope(Scripted(), NoJournal(), check_mode=True)
    envelope.begin(CHANGE)
    with pytest.raises(AssertionError):
        envelope.write(SET)


def test_a_run_that_is_interrupted_leaves_a_change_without_an_outcome(folder: Path) -> None:
    envelope = Envelope(Scripted(KeyboardInterrupt()), of_run(folder), check_mode=False)
    envelope.begin(CHANGE)
    with pytest.raises(KeyboardInterrupt):
        envelope.write(SET)
    (entry,) = journal.entries(folder)
    assert entry.outcome is None


# -- where it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["", "relative/state"])
def test_the_user_s_state_folder(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", state)
    assert journal.default_folder() == tmp_path / ".local/state/lync.remediation/journal"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert journal.default_folder() == tmp_path / "state/lync.remediation/journal"


def test_no_journal_has_no_entries(folder: Path) -> None:
    assert journal.entries(folder) == []


def test_a_file_that_was_cut_off_is_in_the_way_of_what_it_may_hold_alone(folder: Path) -> None:
    cut_off(folder)
    spoilt = of_run(folder).path
    other = of_run(folder, f"{RUN}9")
    change_id = begin(other)
    for run in (None, RUN):
        with pytest.raises(JournalUnusable) as caught:
            journal.entries(folder, run=run)
        assert str(spoilt) in str(caught.value)
    assert [entry.id for entry in journal.entries(folder, run=other.path.stem)] == [change_id]
