# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enumerate, Pull and Release (DSP0226 8)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from lab.wsman.enumeration import ENUMERATION_TIMEOUT_S
from lab.wsman.envelope import ENUMERATION, SHELL, WSMAN
from pypsrp.powershell import RunspacePool

from .conftest import Client
from .small import OTHER
from .wsman_client import Fault, WSManClient

OPTIMISED = "<w:OptimizeEnumeration/>"


@pytest.fixture
def wsman(client: Client) -> Iterator[WSManClient]:
    made = WSManClient(client)
    yield made
    made.close()


@pytest.fixture
def shells(client: Client) -> Iterator[list[str]]:
    """The identifiers of seven shells."""
    pools = [RunspacePool(client.wsman()) for _ in range(7)]
    for pool in pools:
        pool.open()
    yield [pool.shell.id for pool in pools]
    for pool in pools:
        pool.close()


def enumerate_shells(wsman: WSManClient, inside: str = "", **headers: object) -> ElementTree.Element:
    body = f"<n:Enumerate>{inside}</n:Enumerate>"
    return wsman.request("Enumerate", body, **{"resource": SHELL, **headers})


def pull(wsman: WSManClient, context: str, inside: str = "", resource: str = SHELL) -> ElementTree.Element:
    named = f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    return wsman.request("Pull", f"<n:Pull>{named}{inside}</n:Pull>", resource=resource)


def at_most(count: object) -> str:
    return f"<n:MaxElements>{count}</n:MaxElements>"


def found(body: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in body.iter(f"{{{SHELL}}}ShellId")]


def context_of(body: ElementTree.Element) -> str:
    element = body.find(f".//{{{ENUMERATION}}}EnumerationContext")
    return "" if element is None else element.text or ""


def ended(body: ElementTree.Element) -> bool:
    return any(element.tag.endswith("}EndOfSequence") for element in body.iter())


def test_pulled_one_by_one(wsman: WSManClient, shells: list[str]) -> None:
    answer = enumerate_shells(wsman)
    assert (found(answer), ended(answer)) == ([], False)
    context = context_of(answer)
    pulled: list[str] = []
    for number in range(7):
        answer = pull(wsman, context)
        pulled += found(answer)
        assert ended(answer) == (number == 6)
        assert answer.find(f"{{{ENUMERATION}}}PullResponse/{{{ENUMERATION}}}Items") is not None
    assert pulled == shells
    with pytest.raises(Fault, match="The WS-Enumeration context in the enumeration is not valid") as caught:
        pull(wsman, context)
    assert (caught.value.code, caught.value.subcode) == (2150858779, "n:InvalidEnumerationContext")
    assert caught.value.value == "Receiver"


@pytest.mark.parametrize("count", [1, 3, 7, 100, 10**9])
def test_pulled_in_batches(wsman: WSManClient, shells: list[str], count: int) -> None:
    context = context_of(enumerate_shells(wsman, at_most(2)))
    batches: list[list[str]] = []
    while True:
        answer = pull(wsman, context, at_most(count))
        batches.append(found(answer))
        if ended(answer):
            break
    assert [shell for batch in batches for shell in batch] == shells
    assert all(len(batch) <= count for batch in batches)
    assert len(batches) == -(-7 // min(count, 7))


def test_optimised(wsman: WSManClient, shells: list[str]) -> None:
    every = enumerate_shells(wsman, OPTIMISED + at_most(32000))
    assert (found(every), ended(every), context_of(every)) == (shells, True, "")
    first = enumerate_shells(wsman, OPTIMISED + at_most(5))
    assert (found(first), ended(first)) == (shells[:5], False)
    assert first.find(f"{{{ENUMERATION}}}EnumerateResponse/{{{WSMAN}}}Items") is not None
    rest = pull(wsman, context_of(first), at_most(5))
    assert (found(rest), ended(rest)) == (shells[5:], True)
    assert len(found(enumerate_shells(wsman, OPTIMISED))) == 1


def test_nothing_there(wsman: WSManClient) -> None:
    answer = enumerate_shells(wsman, OPTIMISED)
    assert (found(answer), ended(answer)) == ([], True)
    answer = pull(wsman, context_of(enumerate_shells(wsman)))
    assert (found(answer), ended(answer)) == ([], True)


def test_as_many_as_fit_into_the_envelope(wsman: WSManClient, shells: list[str]) -> None:
    first = enumerate_shells(wsman, OPTIMISED + at_most(7), size="8192")
    assert 0 < len(found(first)) < 7
    rest = pull(wsman, context_of(first), at_most(7))
    assert [*found(first), *found(rest)] == shells


def test_released(wsman: WSManClient, shells: list[str]) -> None:
    context = context_of(enumerate_shells(wsman))
    release = f"<n:Release><n:EnumerationContext>{context}</n:EnumerationContext></n:Release>"
    assert len(wsman.request("Release", release, resource=SHELL)) == 0
    for again in (
        lambda: pull(wsman, context),
        lambda: wsman.request("Release", release, resource=SHELL),
    ):
        with pytest.raises(Fault, match="is not valid"):
            again()


@pytest.mark.parametrize("context", ["", "uuid:00000000-0000-0000-0000-000000000000", "&amp;"])
def test_a_context_that_there_is_not(wsman: WSManClient, context: str) -> None:
    with pytest.raises(Fault, match="is not valid"):
        pull(wsman, context)


def test_somebody_elses_context(client: Client, wsman: WSManClient, shells: list[str]) -> None:
    context = context_of(enumerate_shells(wsman))
    other = WSManClient(client, account=OTHER)
    with pytest.raises(Fault, match="is not valid"):
        pull(other, context)
    other.close()
    with pytest.raises(Fault, match="is not valid"):
        pull(wsman, context, resource=f"{SHELL}/Command")
    assert found(pull(wsman, context)) == shells[:1]


def test_a_context_that_was_left_alone(client: Client, wsman: WSManClient, shells: list[str]) -> None:
    context = context_of(enumerate_shells(wsman))
    service = client.running.lab.services[client.server.name]
    service._enumerations._contexts[context].expires -= ENUMERATION_TIMEOUT_S
    with pytest.raises(Fault, match="is not valid"):
        pull(wsman, context)


@pytest.mark.parametrize("count", ["0", "-1", "", "many", "9" * 20])
def test_a_number_that_is_none(wsman: WSManClient, shells: list[str], count: str) -> None:
    with pytest.raises(Fault) as caught:
        enumerate_shells(wsman, OPTIMISED + at_most(count))
    assert caught.value.code == 87
    context = context_of(enumerate_shells(wsman))
    with pytest.raises(Fault) as caught:
        pull(wsman, context, at_most(count))
    assert caught.value.code == 87


@pytest.mark.parametrize("action", ["Enumerate", "Pull", "Release"])
def test_a_body_that_is_empty(wsman: WSManClient, action: str) -> None:
    with pytest.raises(Fault) as caught:
        wsman.request(action, "", resource=SHELL)
    assert caught.value.code == 2150858817
