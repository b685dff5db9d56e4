# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be read is told without a parser's words, and costs nothing but itself."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors, pypsrp_library
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.session import Session
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.transport_errors import (
    NotUnderstood,
)
from unit.powershell.places import Place, write

OUTPUT, ERROR, STATE = 0x00041004, 0x00041005, 0x00041006
VERBOSE, WARNING, PROGRESS, INFORMATION, HOST_CALL = 0x41008, 0x41009, 0x41010, 0x41011, 0x41100
BROKEN = "<Obj RefId='0'><MS><S N='Message'>&#x1;</S></MS></Obj>"
NONCHARACTER = "<Obj RefId='0'><MS><S N='Message'>&#xFFFE;</S></MS></Obj>"


@pytest.fixture
def pool() -> Any:
    wire = pypsrp_library.Wire(
        "pool", auth="basic", username="u", password="p", ssl=True, open_timeout=1
    )  # nothing is sent
    return pypsrp_library.Pool(wire)


def answer(pool: Any, message_type: int, document: str) -> Any:
    """What becomes of one message."""
    pipeline = pypsrp_library.PowerShell(pool)
    ids = uuid.UUID(pool.id).bytes_le + uuid.UUID(pipeline.id).bytes_le
    message = struct.pack("<II", 1, message_type) + ids + document.encode()
    fragment = struct.pack(">QQBI", 1, 0, 3, len(message)) + message
    with pypsrp_library.understanding():
        ((_type, found),) = pool._parse_responses(fragment, pipeline)
    return pipeline, found


@pytest.mark.parametrize("document", [BROKEN, NONCHARACTER, "", "no XML"])
@pytest.mark.parametrize("message_type", [PROGRESS, INFORMATION, HOST_CALL, 0x41007])
def test_what_nobody_reads_breaks_nothing(pool: Any, message_type: int, document: str) -> None:
    answer(pool, message_type, document)


@pytest.mark.parametrize(
    "document", [BROKEN, "no XML", "<Obj RefId='0'><MS/></Obj>", "<Nil/>", "<I32>4</I32>", ""]
)
def test_a_final_state_that_cannot_be_read_is_none(pool: Any, document: str) -> None:
    with pytest.raises(NotUnderstood):
        answer(pool, STATE, document)


def test_an_output_that_cannot_be_read_is_marked(pool: Any) -> None:
    _pipeline, message = answer(pool, OUTPUT, BROKEN)
    assert isinstance(message.data.data, pypsrp_library.Unreadable)
    _pipeline, message = answer(pool, OUTPUT, "<I32>x</I32>")
    assert isinstance(message.data.data, pypsrp_library.Unreadable)


def test_an_error_that_cannot_be_read_is_an_error(pool: Any) -> None:
    pipeline, _message = answer(pool, ERROR, BROKEN)
    assert len(pipeline.streams.error) == 1


@pytest.fixture
def spoilt(place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session in which the text *bad* cannot be read."""
    session = place().session()
    session.run(write(1))
    read = pypsrp_library.values.from_clixml

    def spoil(document: str) -> Any:
        return read(BROKEN if document == "<S>bad</S>" else document)

    monkeypatch.setattr(pypsrp_library.values, "from_clixml", spoil)
    return session


@pytest.mark.parametrize("changes", [False, True])
def test_a_pipeline_ends_whose_output_cannot_be_read(spoilt: Session, changes: bool) -> None:
    with pytest.raises(errors.UnreadableAnswer) as caught:
        spoilt.run(write("good", "bad"), changes=changes)
    assert caught.value.ended
    assert caught.value.results.output == ("good",)
    assert "line 1" not in str(caught.value)
    # The session is as good as before.
    assert spoilt.run(write("good")).output == ("good",)
    spoilt.leave()


def test_an_answer_that_is_no_xml_is_told_in_words(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("garbage", "Receive", times=0)
    with pytest.raises(errors.LostInMidCommand) as caught:
        session.run(Command("Set-Variable", {"Name": "n", "Value": 1}), changes=True)
    assert caught.value.reason == "its answer cannot be read"
