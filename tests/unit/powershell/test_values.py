# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values survive the wire in both directions. psrpcore, which shares no code with us, stands for the other side."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
import xml.etree.ElementTree as ET

import psrpcore
import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import values
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Switch
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import UnconvertibleValue
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject
from hypothesis import given
from hypothesis import strategies as st
from psrpcore.types import PSCryptoProvider, deserialize, serialize

UTC = datetime.timezone.utc


class NoCrypto(PSCryptoProvider):
    def register_key(self, key: bytes) -> None: ...

    def encrypt(self, value: bytes) -> bytes:
        return value

    def decrypt(self, value: bytes) -> bytes:
        return value


def there(value: object) -> object:
    """What the other side makes of a value of ours."""
    return deserialize(values.to_clixml(value), NoCrypto())


def here(value: object) -> object:
    """What we make of a value of the other side's."""
    return values.from_clixml(ET.tostring(serialize(value, NoCrypto()), encoding="unicode"))


def back(value: object) -> object:
    return values.from_clixml(ET.tostring(values.to_clixml(value), encoding="unicode"))


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**63), max_value=2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.text(),
    st.uuids(),
    st.binary(),
    st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
    st.builds("{}.{}.{}.{}".format, *[st.integers(0, 9999)] * 4).map(values.Version),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(min_size=1), inner)),
    max_leaves=8,
)


@given(anything)
def test_what_is_sent_reads_back_as_itself(value: object) -> None:
    assert back(value) == value


@given(anything)
def test_types_survive_the_way_back(value: object) -> None:
    assert type(back(value)) is type(value)


@given(st.text())
def test_the_other_side_reads_our_text(text: str) -> None:
    assert there(text) == text


@given(st.text())
def test_we_read_the_other_sides_text(text: str) -> None:
    assert here(psrpcore.types.PSString(text)) == text


@given(st.dictionaries(st.text(min_size=1), st.lists(st.integers(-5, 5), max_size=3), max_size=3))
def test_the_other_side_reads_our_containers(value: dict) -> None:
    assert there(value) == value


@pytest.mark.parametrize(
    ("number", "tag"),
    [
        (0, "I32"),
        (2**31 - 1, "I32"),
        (2**31, "I64"),
        (-(2**31) - 1, "I64"),
        (2**63, "U64"),
        (True, "B"),
        (1.5, "Db"),
    ],
)
def test_a_number_travels_in_the_smallest_type_that_holds_it(number: object, tag: str) -> None:
    assert values.to_clixml(number).tag == tag


def test_times_arrive_in_utc() -> None:
    assert values.from_clixml("<DT>2026-11-21T10:00:00.1234567+02:00</DT>") == datetime.datetime(
        2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC
    )


def test_a_time_without_a_zone_keeps_none() -> None:
    assert values.from_clixml("<DT>2026-11-21T10:00:00</DT>") == datetime.datetime(2026, 11, 21, 10)


def test_the_end_of_time_is_no_error() -> None:
    assert values.from_clixml("<DT>9999-12-31T23:59:59.9999999-08:00</DT>").year == 9999


def test_a_date_with_a_display_hint_is_a_date() -> None:
    # What Get-Date sends: a DateTime with a note property (MS-PSRP section 2.2.5.2.1, extended primitive).
    document = """<Obj RefId="0"><DT>2026-11-21T10:00:00Z</DT><MS><Obj N="DisplayHint" RefId="1"><TN RefId="0">
        <T>Microsoft.PowerShell.Commands.DisplayHintType</T><T>System.Enum</T></TN><ToString>DateTime</ToString>
        <I32>2</I32></Obj></MS></Obj>"""
    assert values.from_clixml(document) == datetime.datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize("prefix", ["", "Deserialized."])
def test_an_enumeration_is_its_name(prefix: str) -> None:
    document = f"""<Obj RefId="0">
        <TN RefId="0"><T>{prefix}Microsoft.Rtc.EncryptionLevel</T><T>{prefix}System.Enum</T></TN>
        <ToString>SupportEncryption</ToString><I32>0</I32></Obj>"""
    assert values.from_clixml(document) == "SupportEncryption"


def test_objects_keep_types_order_and_text_and_are_read_without_regard_to_case() -> None:
    document = """<Obj RefId="0"><TN RefId="0"><T>Deserialized.A.B</T><T>Deserialized.System.Object</T></TN>
        <ToString>Global</ToString><Props><S N="Identity">Global</S><B N="EnableQoS">false</B><Nil N="Description" />
        <Obj N="Inner" RefId="1"><TNRef RefId="0" /><Props><S N="Identity">x</S></Props></Obj>
        <Ref N="Again" RefId="1" /></Props><MS><S N="Note">n</S></MS></Obj>"""
    found = values.from_clixml(document)
    assert isinstance(found, RemoteObject)
    assert found.type_names == ("A.B", "System.Object")
    assert list(found) == ["Identity", "EnableQoS", "Description", "Inner", "Again", "Note"]
    assert (found["enableqos"], found["DESCRIPTION"], found.text) == (False, None, "Global")
    assert found["Inner"].is_a("A.B")
    assert found["Again"] is found["Inner"]


@pytest.mark.parametrize("tag", ["LST", "IE", "STK", "QUE"])
def test_every_kind_of_sequence_is_a_list(tag: str) -> None:
    document = f"""<Obj RefId="0"><TN RefId="0"><T>System.Collections.Generic.List`1[[System.Int32]]</T></TN>
        <{tag}><I32>1</I32><I32>2</I32></{tag}><Props><I32 N="Count">2</I32></Props></Obj>"""
    assert values.from_clixml(document) == [1, 2]


def test_an_empty_payload_is_null() -> None:
    assert values.from_clixml("") is None


@pytest.mark.parametrize("value", [object(), {1, 2}, 2**64, datetime.datetime(2026, 1, 1), 1j])
def test_what_cannot_be_sent_is_named(value: object) -> None:
    with pytest.raises(UnconvertibleValue) as caught:
        values.to_clixml(value)
    assert str(value) in str(caught.value) or "2026" in str(caught.value)


@pytest.mark.parametrize(
    "document", ["<SS>AAAA</SS>", "<Unknown />", "<I32", "<DT>tomorrow</DT>", "<TS>PT</TS>"]
)
def test_what_cannot_be_read_is_an_error_and_never_text(document: str) -> None:
    with pytest.raises(UnconvertibleValue):
        values.from_clixml(document)


def test_a_switch_is_sent_as_true() -> None:
    assert there(Switch.PRESENT) is True


def test_results_are_json_ready() -> None:
    found = RemoteObject(
        (),
        {
            "When": datetime.datetime(2026, 1, 2, tzinfo=UTC),
            "Span": datetime.timedelta(hours=8),
            "Id": uuid.UUID(int=1),
            "Version": values.Version("5.0"),
            "Sum": decimal.Decimal("1.5"),
            "Blob": b"x",
            "Many": ({"a": None},),
        },
    )
    assert values.as_result(found) == {
        "When": "2026-01-02T00:00:00Z",
        "Span": 28800.0,
        "Id": "00000000-0000-0000-0000-000000000001",
        "Version": "5.0",
        "Sum": "1.5",
        "Blob": "eA==",
        "Many": [{"a": None}],
    }
    assert math.isclose(values.as_result(datetime.timedelta(milliseconds=1)), 0.001)
