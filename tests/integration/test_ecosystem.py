# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ecosystem's own programs make of the built collection. They are installed from the registries."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from running import CHECKOUT, without_colour

from .conftest import Ansible

pytestmark = pytest.mark.registry
TOOLS = CHECKOUT / ".cache" / "ecosystem"
DRY_RUN = ("lync.remediation.enable_windows_live_av_federation", "--check")
#: Licences that may be combined with GPL-3.0-or-later, in the words of the packages' own metadata.
COMPATIBLE = re.compile(
    r"MIT|BSD|ISC|Apache|Python Software Foundation|PSF|MPL|Mozilla Public|GPL|GNU|Public Domain|Unlicense|CNRI|0BSD",
    re.I,
)
#: The project for ansible-runner and AWX imports a playbook by its full name. The importer tells ansible-lint to look
#: for collections in the folder ansible_collections, and ansible-lint looks for a folder of that name in it.
ITS_OWN = "WARNING: ERROR    Failed to find lync.remediation.check_drift playbook."


def environment_with(name: str, *packages: str, python: str = "3.12 3.13 3.11") -> Path:
    folder = TOOLS / name
    subprocess.run([CHECKOUT / "tests/setup/make_venv", folder, python, *packages], check=True)
    return folder / "bin"


def ran(*command: str | Path, folder: Path, programs: Path, **settings: str) -> str:
    environment: Mapping[str, str] = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        **settings,
    }
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    output = without_colour(run.stdout + run.stderr)
    assert run.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([CHECKOUT / "tests" / "setup" / "build", folder], check=True)
    (built,) = folder.glob("*.tar.gz")
    return built


def test_the_importer_has_nothing_to_say(package: Path, tmp_path: Path) -> None:
    """With what Automation Hub asks for as well, but for ansible-test, which `make sanity` runs."""
    programs = environment_with("importer", "galaxy-importer")
    settings = tmp_path / "galaxy-importer.cfg"
    settings.write_text(
        "[galaxy-importer]\nCHECK_REQUIRED_TAGS = True\nCHECK_CHANGELOG = True\nCHECK_RUNTIME_YML = True\n"
    )
    output = ran(
        *(programs / "python", "-m", "galaxy_importer.main", package),
        folder=tmp_path,
        programs=programs,
        GALAXY_IMPORTER_CONFIG=str(settings),
    )
    assert "Importer processing completed successfully" in output
    said = re.findall(r"^.*(?:WARNING|ERROR).*$", output, re.MULTILINE)
    assert [line for line in said if line != ITS_OWN] == []


def test_what_ansible_builder_resolves_installs_and_runs(
    package: Path, demo: Ansible, tmp_path: Path
) -> None:
    programs = environment_with("builder", "ansible-builder")
    (tmp_path / package.name).write_bytes(package.read_bytes())
    galaxy = {"collections": [{"name": package.name, "type": "file"}]}
    (tmp_path / "execution-environment.yml").write_text(
        yaml.safe_dump(
            {
                "version": 3,
                "images": {"base_image": {"name": "debian:12"}},
                "dependencies": {
                    **{
                        "ansible_core": {"package_pip": "ansible-core"},
                        "ansible_runner": {"package_pip": "ansible-runner"},
                    },
                    "galaxy": galaxy,
                },
                "additional_build_files": [{"src": package.name, "dest": "."}],
            }
        )
    )
    named = ("--output-filename", "Containerfile", "--verbosity", "2")
    ran("ansible-builder", "create", *named, folder=tmp_path, programs=programs)
    assert (tmp_path / "context" / "Containerfile").exists()

    collections = tmp_path / "collections"
    clean = environment_with("clean", "ansible-core", python="3.13 3.12")
    ran(
        "ansible-galaxy", "collection", "install", package, "-p", collections, folder=tmp_path, programs=clean
    )
    needed = tmp_path / "requirements.txt"
    ran(
        "ansible-builder",
        "introspect",
        "--write-pip",
        needed,
        collections,
        folder=tmp_path,
        programs=programs,
    )
    assert "pypsrp[kerberos,credssp]" in needed.read_text()
    resolved = environment_with("resolved", "ansible-core", "-r", str(needed), python="3.13 3.12")
    output = ran(
        *("ansible-playbook", "-i", demo.lab.inventory, *DRY_RUN),
        folder=tmp_path,
        programs=resolved,
        ANSIBLE_COLLECTIONS_PATH=str(collections),
    )
    assert re.search(r"changed=2\b", output), output


def test_navigator_runs_a_playbook(package: Path, demo: Ansible, tmp_path: Path) -> None:
    programs = environment_with("navigator", "ansible-navigator", "-r", str(CHECKOUT / "requirements.txt"))
    collections = tmp_path / "collections"
    ran(
        "ansible-galaxy",
        "collection",
        "install",
        package,
        "-p",
        collections,
        folder=tmp_path,
        programs=programs,
    )
    output = ran(
        *("ansible-navigator", "run", *DRY_RUN, "-i", demo.lab.inventory),
        *("--mode", "stdout", "--execution-environment", "false", "--playbook-artifact-enable", "false"),
        folder=tmp_path,
        programs=programs,
        ANSIBLE_COLLECTIONS_PATH=str(collections),
    )
    assert re.search(r"changed=2\b", output), output


def test_whoever_installs_it_may_have_what_it_depends_on(tmp_path: Path) -> None:
    programs = environment_with(
        "licences", "pip-licenses", "-r", str(CHECKOUT / "meta" / "ee-requirements.txt")
    )
    listed = json.loads(ran("pip-licenses", "--format", "json", folder=tmp_path, programs=programs))
    assert {entry["Name"].lower() for entry in listed} >= {"pypsrp", "pyspnego", "cryptography", "requests"}
    assert [entry for entry in listed if not COMPATIBLE.search(entry["License"])] == []


def test_the_lock_has_what_a_developer_needs_and_names_no_host() -> None:
    lock = (CHECKOUT / "requirements-dev.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    wanted = [
        re.match(r"[\w-]+", line)[0].lower()
        for name in ("requirements.txt", "requirements-dev.txt", "tests/requirements.txt")
        for line in (CHECKOUT / name).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "-r"))
    ]
    assert [name for name in wanted if not re.search(rf"^{name}(\[|==)", lock, re.MULTILINE)] == []
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\w)", lock))
