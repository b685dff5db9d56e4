# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to read sixty nouns of five objects in one task, against what the wire library alone needs.

The measure is 1.5 times what pypsrp's own serialiser takes for the same documents, and three tasks that find nothing to
change. The task runs in this process, and the lab on threads of its own: CPU is that of the task's thread.
"""

from __future__ import annotations

import importlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integration.in_process import PLUGINS, LabInProcess, Worker
from lab.engine import EMBEDDED
from lab.objects.nouns import NOUNS
from pypsrp.serializer import Serializer

LIMIT = 1.5
OBJECTS = 5
_DEPLOYMENT: dict[str, Any] = {
    "version": 2019,
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
    "sites": dict.fromkeys(["Redmond", *(f"Site{number}" for number in range(OBJECTS - 2))]),
    "pools": {"pool01.contoso.com": {"site": "Redmond", "computers": ["fe01"]}},
    "replication": {"seconds": 0},
}


def _settings(count: int) -> dict[str, list[dict[str, str]]]:
    """Five objects of as many nouns that have a Global one, or bare names."""
    made: dict[str, list[dict[str, str]]] = {}
    catalogue = importlib.import_module(f"{PLUGINS}.plugin_utils.settings.catalogue")
    for noun in catalogue.manageable():
        scopes = NOUNS[noun.name].scopes if noun.name in NOUNS else frozenset()
        if noun.read_only or not noun.type_name or NOUNS[noun.name].has_items or len(made) == count:
            continue
        if "name" in scopes:
            identities = [f"name{number}" for number in range(OBJECTS)]
        elif {"global", "site"} <= scopes:
            identities = ["Global", "site:Redmond", *(f"site:Site{number}" for number in range(OBJECTS - 2))]
        else:
            continue
        made[noun.name.removeprefix("Cs")] = [{"Identity": identity} for identity in identities]
    return made


@contextmanager
def _place(count: int) -> Iterator[tuple[Worker, list[str]]]:
    settings = _settings(count)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        document = {**_DEPLOYMENT, "settings": settings}
        with LabInProcess(document, place / "lab", engine=EMBEDDED) as lab:
            host = next(iter(lab.deployment.servers)).name
            worker = Worker(lab.variables(host), place / "run", place / "journal")
            yield worker, [f"Cs{name}" for name in settings]


def _cost(work: Callable[[], Any], rounds: int) -> float:
    costs = []
    for _turn in range(rounds):
        start = time.thread_time()
        work()
        costs.append(time.thread_time() - start)
    return statistics.median(costs)


def report(counts: tuple[int, ...] = (1, 15, 30, 60), rounds: int = 5) -> list[str]:
    """Lines for people, the last of which says whether the measure is kept."""
    lines = ["", "Reading many nouns in one task, five objects each (CPU ms of the task alone)"]
    lines.append(f"{'nouns':>5} {'task':>8} {'a noun':>8} {'library':>8} {'no change':>10} {'x':>6}")
    ratio = 0.0
    for count in counts:
        task, library, settled = measured(count, rounds)
        ratio = task / (LIMIT * library + 3 * settled)
        lines.append(
            f"{count:>5} {task * 1000:>8.1f} {task / count * 1000:>8.2f} {library * 1000:>8.1f} "
            f"{settled * 1000:>10.1f} {ratio:>6.2f}"
        )
    kept = "kept" if ratio <= 1 else "not kept"
    lines.append(f"At most 1.5 times the library's own decoding and three tasks without a change: {kept}.")
    return lines


def measured(count: int, rounds: int) -> tuple[float, float, float]:
    """CPU of the task, of the library for its documents, and of a task without a change."""
    wire = importlib.import_module(f"{PLUGINS}.plugin_utils.powershell.values")
    documents: list[str] = []
    read = wire.from_clixml

    def kept(document: str) -> Any:
        documents.append(document)
        return read(document)

    with _place(count) as (worker, names):

        def reading() -> None:
            result = worker.run("setting_info", {"nouns": names})
            assert result["coverage"]["read"] == count, result.get("msg")

        def settled() -> None:
            result = worker.run("media_configuration", {"encryption_level": "RequireEncryption"})
            assert result["status"] == "in_desired_state", result.get("msg")

        reading()
        settled()
        wire.from_clixml = kept
        try:
            reading()
        finally:
            wire.from_clixml = read

        def library() -> None:
            for document in documents:
                Serializer().deserialize(document)

        return _cost(reading, rounds), _cost(library, rounds), _cost(settled, rounds)


if __name__ == "__main__":
    print("\n".join(report()))
