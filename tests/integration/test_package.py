# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a file: built, installed, and used from where it was installed."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from running import CHECKOUT

from .conftest import Ansible


@pytest.fixture(scope="module")
def tracked_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what version control knows, as a fresh clone has it."""
    copy = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.split("\0")[:-1]:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((CHECKOUT / name).read_bytes())
    return copy


def test_it_builds_installs_and_works_with_nothing_but_what_a_collection_consists_of(
    demo: Ansible, tracked_files: Path, tmp_path: Path
) -> None:
    built = demo.run(
        ["ansible-galaxy", "collection", "build", str(tracked_files), "--output-path", str(tmp_path)]
    )
    assert built.exit_code == 0, built.output
    (package,) = tmp_path.glob("lync-remediation-*.tar.gz")
    with tarfile.open(package) as archive:
        names = {member.name for member in archive if member.isfile()}
    top = {Path(name).parts[0] for name in names}
    # ansible-test reads there that nothing runs on a managed host.
    assert {name for name in names if name.startswith("tests/")} == {"tests/config.yml"}
    assert not names & {
        "Makefile",
        "pyproject.toml",
        "docs/render",
        "requirements-dev.txt",
        "requirements-dev.lock",
    }
    assert {"plugins", "roles", "playbooks", "meta", "README.md", "LICENSE", "CHANGELOG.rst"} <= top
    assert not {name for name in top if name.startswith(".") and name not in {".ansible-lint", ".yamllint"}}

    demo.expected_warnings = ["The specified collections path "]
    installed = demo.run(
        [
            "ansible-galaxy",
            "collection",
            "install",
            str(package),
            "--offline",
            "--force",
            "-p",
            str(tmp_path / "collections"),
        ]
    )
    assert installed.exit_code == 0, installed.output
    demo.expected_warnings = []
    # Ansible's inclusion rules: it works with everything deleted but meta, plugins, roles and playbooks.
    for path in (tmp_path / "collections" / "ansible_collections" / "lync" / "remediation").iterdir():
        if path.is_file():
            path.unlink()
        elif path.name not in {"meta", "plugins", "roles", "playbooks"}:
            shutil.rmtree(path)
    run = demo.run(
        [
            "ansible-playbook",
            "-i",
            "inventory",
            "lync.remediation.enable_windows_live_av_federation",
            "--check",
        ],
        ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "collections"),
    )
    assert run.exit_code == 0, run.output
    assert run.changed == 2
