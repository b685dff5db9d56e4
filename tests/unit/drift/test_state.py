# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state folder, the binding of a deployment, and the manifest."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import (
    Change,
    Journal,
    Origin,
    Restorable,
    entries,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.drift import deployment, manifest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.deployment import Binding
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.documents import Document, UnusableFile
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.history import LastSeen
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.manifest import (
    Export,
    Manifest,
    NounExport,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.state import (
    Locked,
    Now,
    State,
    StateUnusable,
    persists,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument

UTC = datetime.timezone.utc
NOW = Now(datetime.datetime(2026, 11, 28, 2, tzinfo=UTC), "20261128T020000Z-0badcafe")
CONTOSO = Binding("contoso.com", ("Redmond", "Dublin"))


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state", "contoso")
    state.prepare()
    return state


def test_what_is_kept_is_read_again_and_belongs_to_its_owner(state: State) -> None:
    state.prepare()
    state.save(LastSeen(NOW.text))
    state.bind(CONTOSO)
    path = state.save_run(NOW, {"findings": []})
    assert state.load() == LastSeen(NOW.text)
    assert state.bindings() == {"contoso": CONTOSO}
    assert path.name == "20261128T020000Z-0badcafe.json"
    assert state.run_of(NOW.run) == {"format": 1, "findings": []}
    for each in [state.path, *state.path.rglob("*")]:
        assert not each.stat().st_mode & 0o077, each


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("format.json", '{"format": 2}'),
        ("format.json", "x"),
        ("format.json", "[]"),
        ("last_seen.json", "{"),
        ("last_seen.json", '{"format": 2}'),
        ("last_seen.json", '{"format": 1}'),
        ("deployment.json", "{}"),
    ],
)
def test_a_damaged_or_newer_folder_is_refused(state: State, name: str, text: str) -> None:
    (state.path / name).write_text(text, encoding="ascii")

    def use() -> None:
        state.prepare()
        state.load()
        state.bindings()

    with pytest.raises(StateUnusable):
        use()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(state: State) -> None:
    state.path.chmod(0o500)
    with pytest.raises(StateUnusable):
        state.prepare()
    state.path.chmod(0o700)


def test_a_folder_that_others_may_change_or_that_is_a_file_is_refused(state: State, tmp_path: Path) -> None:
    state.path.chmod(0o770)
    with pytest.raises(StateUnusable):
        state.prepare()
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnusable):
        State(tmp_path / "file", "contoso").prepare()


def test_a_full_disk_leaves_what_was_there(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    state.save(LastSeen(NOW.text))

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(StateUnusable, match="No space left"):
            state.save(LastSeen("2026-12-01T00:00:00Z"))
        with pytest.raises(StateUnusable, match="No space left"):
            state.must_have_room(LastSeen(NOW.text), {"findings": []})
    state.must_have_room(LastSeen(NOW.text), {"findings": []})
    assert state.load().time == NOW.text
    assert not list(state.path.glob(".*"))


def test_a_clock_that_went_backwards_is_refused(state: State) -> None:
    state.save(LastSeen(NOW.text))
    state.must_be_earlier(NOW)
    with pytest.raises(StateUnusable, match="backwards"):
        state.must_be_earlier(Now(NOW.time - datetime.timedelta(hours=1), NOW.run))


HOLD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_the_lock_names_its_holder_and_dies_with_it(state: State) -> None:
    with state.locked(NOW), pytest.raises(Locked) as caught, state.locked(Now(NOW.time, "other")):
        pass
    assert caught.value.run == NOW.run
    assert str(os.getpid()) in str(caught.value)
    command = [sys.executable, "-c", HOLD, str(state.path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(Locked), state.locked(NOW):
            pass
        holder.kill()
        holder.wait()
        with state.locked(NOW):
            pass


def test_copies_of_the_store_are_kept_for_a_while_and_for_their_owner(state: State) -> None:
    for day in range(1, 5):
        now = Now(NOW.time + datetime.timedelta(days=day), NOW.run)
        assert not state.has_copy_of(now.today)
        path = state.save_copy(now, b"PK", keep=2)
        assert path.stat().st_mode & 0o777 == 0o600
        assert state.has_copy_of(now.today)
    assert len(list(state.store.iterdir())) == 2


MOUNTS = "overlay / overlay rw 0 0\n/dev/sda1 /runner\\040home ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n"


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/nowhere/state", False), ("/dev/shm/x", False), ("/runner home/x", True)],
)
def test_what_lies_on_a_container_s_own_disk_does_not_persist(path: str, kept: bool, tmp_path: Path) -> None:
    root = str(tmp_path.resolve())
    mounts = MOUNTS.replace("/runner\\040home", root).replace("/dev/shm", f"{root}/shm")
    (tmp_path / "shm").mkdir()
    path = path.replace("/runner home", root).replace("/dev/shm", f"{root}/shm")
    assert persists(Path(path), mounts) is kept


# -- which deployment it is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "a b", None, 5, "-x", "a" * 64])
def test_a_name_names_a_folder(name: object) -> None:
    with pytest.raises(BadArgument, match="lync_remediation_deployment"):
        deployment.checked_name(name)
    assert deployment.checked_name("contoso.production_1") == "contoso.production_1"


def test_one_name_for_two_deployments_and_two_names_for_one_are_refused() -> None:
    fabrikam = Binding("fabrikam.com", ("Redmond",))
    more = Binding("CONTOSO.com", ("dublin", "Paris"))
    deployment.must_be_same(
        "contoso", more, {"contoso": CONTOSO, "fabrikam": fabrikam}, CONTOSO, "manifest.yml:9"
    )
    with pytest.raises(BadArgument, match="known as another one"):
        deployment.must_be_same("contoso", fabrikam, {"contoso": CONTOSO}, None, "")
    with pytest.raises(BadArgument, match="is known as contoso already"):
        deployment.must_be_same("other", more, {"contoso": CONTOSO}, None, "")
    with pytest.raises(BadArgument, match="exported from another deployment"):
        deployment.must_be_same("contoso", fabrikam, {}, CONTOSO, "manifest.yml:9")


def test_what_could_not_be_read_tells_no_deployments_apart() -> None:
    fabrikam = Binding("fabrikam.com", ("Dublin",))
    known = {"contoso": CONTOSO, "fabrikam": fabrikam}
    for found in (Binding("contoso.com", ()), Binding("", CONTOSO.sites)):
        deployment.must_be_same("contoso", found, known, CONTOSO, "manifest.yml:9")
    for found in (Binding("fabrikam.com", ()), Binding("", ("Lima",))):
        with pytest.raises(BadArgument, match="known as another one"):
            deployment.must_be_same("contoso", found, {"contoso": CONTOSO}, None, "")


def test_a_manifest_is_read_again() -> None:
    nouns = {"CsB": NounExport(Export.READ, 3), "CsA": NounExport(Export.FAILED, note="It: failed #1")}
    written = Manifest(CONTOSO, "contoso", NOW.text, "h", "CONTOSO\\admin", "7.0 (1)", "1.1.0", nouns)
    text = manifest.render(written)
    read = manifest.parse(Document("manifest.yml", text))
    assert (read.binding, dict(read.nouns)) == (CONTOSO, nouns)
    assert manifest.render(read) == text
    assert read.state_of("csb") is Export.READ
    assert json.dumps(text)
    for old, new in (("state: read", "state: red"), ("objects: 3", "objects: x"), ("format: 1", "format: 3")):
        with pytest.raises(UnusableFile):
            manifest.parse(Document("manifest.yml", text.replace(old, new)))


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder as an administrator gives it to a group, below one that everybody may pass."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        folder = Path(name, "shared")
        folder.mkdir()
        folder.chmod(0o2770)
        yield folder


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_what_is_made_in_a_shared_folder_is_the_group_s(shared: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        state = State(shared, "contoso")
        state.prepare()
        state.save(LastSeen(NOW.text))
        state.bind(CONTOSO)
        state.save_run(NOW, {"findings": []})
        with state.locked(NOW):
            pass
    finally:
        os.umask(before)
    for each in [state.path, *state.path.rglob("*")]:
        assert each.stat().st_mode & 0o7777 == (0o2770 if each.is_dir() else 0o660), each


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_one_of_the_group_goes_on_where_another_ended(shared: Path, tmp_path: Path) -> None:
    group, timer, person, stranger = 54321, 54322, 54323, 54324
    os.chown(shared, 0, group)
    shared.chmod(0o2770)

    def as_user(user: int, groups: list[int], work: Callable[[], None]) -> bool:
        child = os.fork()
        if not child:
            code = 1
            with contextlib.suppress(BaseException):
                os.setgroups(groups)
                os.setgid(user)
                os.setuid(user)
                work()
                code = 0
            os._exit(code)
        return os.waitpid(child, 0)[1] == 0

    def once(root: Path = shared) -> None:
        state = State(root, "contoso")
        state.prepare()
        with state.locked(NOW):
            state.load()
            state.save(LastSeen(NOW.text))
        folder = state.journal
        journal = Journal(folder, f"run-{os.geteuid()}", Origin("host", "module"))
        journal.begin(Change("setting", "Global", "set", {}, {}, Restorable.YES), (), "url", "account")
        assert entries(folder)

    # Whatever Python still has to load is out of the others' reach.
    once(tmp_path / "own")
    assert as_user(timer, [group], once)
    assert as_user(person, [group], once)
    assert not as_user(stranger, [], once)
    assert as_user(timer, [group], once)
