# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the parts of the collection are, said in several places: action group, README, roles' pages, guides, links."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.requests import check_host, check_zone
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
ROLES = sorted(path for path in (CHECKOUT / "roles").iterdir() if path.is_dir())
#: Playbooks that only other ones import.
IMPORTED = {"drift_verdict"}
KINDS = {"modules": "*.py", "filter": "*.py", "inventory": "*.py", "callback": "*.py", "connection": "*.py"}
PARTS = {
    **{kind: sorted((CHECKOUT / "plugins" / kind).glob(pattern)) for kind, pattern in KINDS.items()},
    "roles": ROLES,
    "playbooks": [
        path for path in sorted((CHECKOUT / "playbooks").glob("*.yml")) if path.stem not in IMPORTED
    ],
}


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths if not path.stem.startswith("_")]


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_action_group_holds_every_module() -> None:
    group = yaml_of(CHECKOUT / "meta" / "runtime.yml")["action_groups"]["lync"]
    assert group == names(PARTS["modules"])


def table_of_parts() -> set[str]:
    """The names in the README's table, with those that it abbreviates."""
    table = README[README.index("## What is in it") : README.index("All modules are in the action group")]
    found = set(re.findall(r"`(\w+)`", table))
    first = table.splitlines()[4]
    if "an `_info` module for each" in first:
        found |= {f"{name}_info" for name in re.findall(r"`(\w+)`", first.partition("and an `_info`")[0])}
    return found


@pytest.mark.parametrize("kind", PARTS)
def test_the_readme_names_every_part(kind: str) -> None:
    assert [name for name in names(PARTS[kind]) if name not in table_of_parts()] == []


def test_the_readme_names_nothing_else() -> None:
    every = {name for paths in PARTS.values() for name in names(paths)}
    assert table_of_parts() - every == {"_info"}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_s_specs_defaults_and_page_agree(role: Path) -> None:
    options = yaml_of(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = yaml_of(role / "defaults" / "main.yml") or {}
    stated = {name: option["default"] for name, option in options.items() if "default" in option}
    assert stated == {name: value for name, value in defaults.items() if name in stated}
    assert set(defaults) <= set(options)
    page = (role / "README.md").read_text(encoding="utf-8")
    cells = "".join(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page, re.MULTILINE))
    assert {f"{role.name}_{name}" for name in re.findall(r"`(\w+)`", cells)} == set(options)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_s_page_tells_its_defaults(role: Path) -> None:
    options = yaml_of(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    page = (role / "README.md").read_text(encoding="utf-8")
    wrong = []
    for cells, defaults in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([^|]*) \|", page, re.MULTILINE):
        written = re.findall(r"`([^`]*)`", defaults)
        each = re.findall(r"`(\w+)`", cells)
        if not re.fullmatch(r"`[^`]*`(, `[^`]*`)*", defaults) or len(written) not in (1, len(each)):
            continue  # said in words
        for name, text in zip(
            each, written if len(written) == len(each) else written * len(each), strict=True
        ):
            default = options[f"{role.name}_{name}"].get("default")
            if yaml.safe_load(text) != default:
                wrong.append((name, text, default))
    assert wrong == []


def test_every_playbook_begins_with_what_it_is_for() -> None:
    paths = sorted((CHECKOUT / "playbooks").glob("*.yml"))
    assert [path.stem for path in paths if not path.read_text(encoding="utf-8").startswith("---\n# ")] == []


def fragments() -> list[dict[str, Any]]:
    return [yaml_of(path) or {} for path in sorted((CHECKOUT / "changelogs" / "fragments").glob("*.yml"))]


def test_every_playbook_is_in_the_changelog() -> None:
    # Plugins and roles are found by antsibull-changelog itself.
    added = [entry["name"] for fragment in fragments() for entry in fragment.get("add object.playbook", [])]
    assert sorted(added) == names(PARTS["playbooks"])


def test_fragments_of_the_changelog_are_about_parts_that_exist() -> None:
    every = {"modules", *(name for paths in PARTS.values() for name in names(paths))}
    entries = [
        entry
        for fragment in fragments()
        for section, content in fragment.items()
        if isinstance(content, list) and not section.startswith("add ")
        for entry in content
    ]
    subjects = [match[1].split(", ") for entry in entries if (match := re.match(r"([\w, ]+) - ", entry))]
    assert [name for each in subjects for name in each if name not in every] == []


def test_the_example_inventory_says_how_servers_are_reached_and_wants_nothing_of_them() -> None:
    """Whoever copies it and edits half of it must not have a healthy server changed."""
    of_roles = tuple(f"{role.name}_" for role in ROLES)
    wanted = [
        f"{path.relative_to(CHECKOUT)}: {name}"
        for path in sorted((CHECKOUT / "inventory.example" / "group_vars").rglob("*.yml"))
        for name in yaml.load(path.read_text(encoding="utf-8"), Loader=_WithVaults) or {}
        if name.startswith(of_roles)
    ]
    assert wanted == []


def test_what_is_commented_out_of_it_names_no_zone_and_no_time_source() -> None:
    """Whoever takes the marks away and edits nothing is refused."""
    refused = 0
    for path in (CHECKOUT / "inventory.example" / "group_vars").rglob("clock.yml"):
        lines = re.findall(r"(?m)^# (clock_drift_\w+:.*|  .*)$", path.read_text(encoding="utf-8"))
        values = yaml.safe_load("\n".join(lines))
        if "clock_drift_time_zone" in values:
            with pytest.raises(BadArgument):
                check_zone("zone", "fe01.contoso.com", values["clock_drift_time_zone"])
            refused += 1
        for peer in values.get("clock_drift_time_service", {}).get("peers", ()):
            with pytest.raises(BadArgument):
                check_host("peers", peer["host"])
            refused += 1
    assert refused == 5


class _WithVaults(yaml.SafeLoader):
    """What is in a vault is a text here."""


_WithVaults.add_constructor("!vault", lambda loader, node: loader.construct_scalar(node))


def test_the_list_of_targets_fits_into_a_terminal() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):[^#\n]*## *(.*)$", makefile, re.MULTILINE)
    assert len(targets) > 20
    assert [name for name, text in targets if len(f"make {name}") > 21 or 22 + len(text) > 79] == []


def test_every_guide_is_in_the_site_and_in_the_readme() -> None:
    guides = sorted(path.stem for path in (CHECKOUT / "docs" / "docsite" / "rst").glob("*.rst"))
    (section,) = yaml_of(CHECKOUT / "docs" / "docsite" / "extra-docs.yml")["sections"]
    assert sorted(section["toctree"]) == guides
    assert [guide for guide in guides if f"/{guide}.rst\n" not in README] == []


def test_links_are_absolute_lead_somewhere_and_come_from_one_address() -> None:
    repository = GALAXY["repository"]
    assert GALAXY["homepage"] == repository
    assert GALAXY["issues"] == f"{repository}/issues"
    pages = [CHECKOUT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")]
    pages += [role / "README.md" for role in ROLES]
    links = [GALAXY["documentation"]]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        links += re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[[\w-]+\]: (\S+)$", text, re.MULTILINE)
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    own = re.compile(
        r"https://(?:github|raw\.githubusercontent)\.com/[\w.-]+/[\w.-]+/(?:(?:blob|tree)/)?main/(.+)"
    )
    within = [match[1] for link in links if (match := own.fullmatch(link))]
    assert [path for path in within if not (CHECKOUT / path.partition("#")[0]).exists()] == []
    name = repository.removeprefix("https://github.com/")
    assert [link for link in links if own.fullmatch(link) and f".com/{name}/" not in link] == []


def test_references_of_the_readme_are_defined_and_used() -> None:
    defined = set(re.findall(r"^\[([\w-]+)\]: ", README, re.MULTILINE))
    assert set(re.findall(r"\]\[([\w-]+)\]", README)) == defined


def test_the_readme_s_versions_are_those_that_are_tested() -> None:
    pythons = runpy.run_path(str(CHECKOUT / "tests" / "setup" / "matrix"))["PYTHONS"]
    rows = re.findall(r"^\| (2\.\d+) \| ([\d., ]+) \|$", README, re.MULTILINE)
    assert rows == [(core, ", ".join(reversed(each))) for core, each in pythons.items()]
    assert yaml_of(CHECKOUT / "meta" / "runtime.yml")["requires_ansible"] == f">={next(iter(pythons))}.0"
