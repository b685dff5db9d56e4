# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values survive the wire in both directions. psrpcore, which shares no code with us, stands for the other side."""

from __future__ import annotations

import copy
import datetime
import decimal
import math
import pickle
import uuid
import xml.etree.ElementTree as ET

import psrpcore
import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import values
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Switch
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import UnconvertibleValue
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    Hidden,
    RemoteObject,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.times import with_tick
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


# Python's own context would round them: System.Decimal has a digit more.
DECIMALS = st.integers(-(2**96 - 1), 2**96 - 1).map(
    lambda number: decimal.Decimal(number).scaleb(-4, decimal.Context(prec=40))
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**63), max_value=2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    # System.Decimal has 96 bits for its digits.
    DECIMALS,
    st.text(),
    st.uuids(),
    st.binary(),
    st.builds(with_tick, st.datetimes(timezones=st.just(UTC)), st.integers(0, 9)),
    st.builds(
        with_tick,
        st.timedeltas(datetime.timedelta(days=-10_675_199), datetime.timedelta(days=10_675_199)),
        st.integers(0, 9),
    ),
    st.builds("{}.{}.{}.{}".format, *[st.integers(0, 2**31 - 1)] * 4).map(values.Version),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(min_size=1), inner)),
    max_leaves=6,
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


def moment(text: str) -> datetime.datetime:
    return values.from_clixml(f"<DT>{text}</DT>")


def test_times_arrive_in_utc() -> None:
    assert moment("2026-11-21T10:00:00.123456+02:00") == datetime.datetime(
        2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC
    )


def test_a_time_without_a_zone_keeps_none() -> None:
    assert moment("2026-11-21T10:00:00") == datetime.datetime(2026, 11, 21, 10)


@pytest.mark.parametrize("zone", ["Z", "-07:53", "-08:00", "+14:00"])
@pytest.mark.parametrize("never", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999"])
def test_never_is_never_in_every_zone(never: str, zone: str) -> None:
    assert moment(never + zone) == moment(f"{never}Z")
    assert values.as_result(moment(never + zone)) == f"{never}Z"


def test_times_that_differ_by_100_ns_are_two() -> None:
    texts = [f"2026-11-21T10:00:00.{fraction}Z" for fraction in ("1234559", "123456", "1234561", "1234562")]
    moments = [moment(text) for text in texts]
    assert len(set(moments)) == 4
    assert sorted([moments[2], moments[0], moments[3], moments[1]]) == moments
    assert moments[1] < moments[2] <= moments[3]
    assert moments[3] > moments[2] >= moments[1]
    assert moments[2] != moments[1] != moments[2]
    assert moment(texts[2]) == moments[2]
    assert [values.as_result(each) for each in moments] == texts
    assert [pickle.loads(pickle.dumps(each)) for each in moments] == moments
    assert copy.deepcopy(moments) == moments
    assert moments[2] != "2026"
    assert moments[2] != moment("2026-11-21T10:00:00.1234561")


@pytest.mark.parametrize("ticks", [1, -1, 9, -9, 11, -19, 2**63 - 1, -(2**63)])
def test_spans_keep_100_ns(ticks: int) -> None:
    seconds, rest = divmod(abs(ticks), 10**7)
    span = values.from_clixml(f"<TS>{'-' if ticks < 0 else ''}PT{seconds}.{rest:07}S</TS>")
    assert back(span) == span
    assert span != datetime.timedelta(microseconds=ticks // 10)
    assert (
        datetime.timedelta(microseconds=ticks // 10) < span < datetime.timedelta(microseconds=ticks // 10 + 1)
    )
    assert values.as_result(span) == ticks / 10**7
    assert pickle.loads(pickle.dumps(span)) == span


def test_a_date_with_a_display_hint_is_a_date() -> None:
    # What Get-Date sends: a DateTime with a note property (MS-PSRP section 2.2.5.2.1, extended primitive).
    document = """<Obj RefId="0"><DT>2026-11-21T10:00:00Z</DT><MS><Obj N="DisplayHint" RefId="1"><TN RefId="0">
        <T>Microsoft.PowerShell.Commands.DisplayHintType</T><T>System.Enum</T></TN><ToString>DateTime</ToString>
        <I32>2</I32></Obj></MS></Obj>"""
    assert values.from_clixml(document) == datetime.datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "noted",
    [
        "<I32>5</I32>",
        "<LST><I32>5</I32></LST>",
        "<DCT />",
        "<TN RefId='7'><T>A.B</T><T>System.Enum</T></TN><ToString>X</ToString><I32>5</I32>",
        "<TN RefId='7'><T>System.Xml.XmlElement</T><T>System.Xml.XmlNode</T></TN><IE><S>a</S></IE>",
        "<S>@{N=}</S>",
    ],
)
def test_what_a_note_names_can_be_referred_to_later(noted: str) -> None:
    note = '<Obj N="N" RefId="2"><TN RefId="1"><T>Note.Type</T></TN><MS><S N="A">a</S></MS></Obj>'
    later = '<Ref RefId="2" /><Obj RefId="3"><TNRef RefId="1" /></Obj>'
    document = f'<Obj RefId="0"><LST><Obj RefId="1">{noted}<MS>{note}</MS></Obj>{later}</LST></Obj>'
    _value, same, alike = values.from_clixml(document)
    assert same["A"] == "a"
    assert alike.type_names == same.type_names == ("Note.Type",)


def test_a_custom_object_that_lies_deep_keeps_its_properties() -> None:
    found = values.from_clixml(
        '<Obj RefId="0"><S>@{a_x000A_b=1}</S><MS><I32 N="a_x000A_b">1</I32></MS></Obj>'
    )
    assert (found["A\nb"], found.text) == (1, "@{a\nb=1}")
    assert values.from_clixml('<Obj RefId="0"><S>@{b=1}</S><MS><I32 N="a">1</I32></MS></Obj>') == "@{b=1}"


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


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        2**64,
        datetime.datetime(2026, 1, 1),
        1j,
        values.Version("5"),
        values.Version("1.2.3.4.5"),
        values.Version("1.2147483648"),
        values.Version("latest"),
        decimal.Decimal(2**96),
        decimal.Decimal("1E-29"),
        decimal.Decimal("1E+999999"),
        decimal.Decimal("1.23456789012345678901234567890"),
        decimal.Decimal("Infinity"),
        datetime.timedelta(days=10_675_200),
        datetime.timedelta.min,
        {None: 1},
        Hidden.SECURE_STRING,
    ],
)
def test_what_a_server_could_not_read_is_named_and_not_sent(value: object) -> None:
    with pytest.raises(UnconvertibleValue) as caught:
        values.to_clixml([value])
    assert repr(value) in str(caught.value) or "2026" in str(caught.value)


def test_a_property_without_a_name_is_not_sent() -> None:
    with pytest.raises(UnconvertibleValue):
        values.to_clixml(RemoteObject((), {"": 1}))


@pytest.mark.parametrize("levels", [33, 5000])
def test_what_is_nested_too_deeply_for_a_server_is_not_sent(levels: int) -> None:
    nested: object = 1
    for _ in range(levels):
        nested = [nested]
    with pytest.raises(UnconvertibleValue, match="32 levels"):
        values.to_clixml(nested)


@pytest.mark.parametrize(
    ("number", "text"), [(math.inf, "INF"), (-math.inf, "-INF"), (math.nan, "NaN"), (1e300, "1e+300")]
)
def test_numbers_are_written_as_dotnet_reads_them(number: float, text: str) -> None:
    element = values.to_clixml(number)
    assert (element.tag, element.text) == ("Db", text)
    assert str(back(number)) == str(number)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\ufffeb\uffff", "a_xFFFE_b_xFFFF_"),
        # What follows an underscore may complete the pattern of an escape.
        ("_x0041\n", "_x005F_x0041_x000A_"),
        ("_X0041\U0001f600", "_x005F_X0041_xD83D__xDE00_"),
        ("_x", "_x005F_x"),
        ("a_b", "a_b"),
    ],
)
def test_texts_are_escaped_as_powershell_escapes_them(text: str, escaped: str) -> None:
    assert values.to_clixml(text).text == escaped
    assert back(text) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("&#xFFFE;&#xFFFF;", "\ufffe\uffff"),
        ("&#x0fffe;&#65534;&#65535;", "\ufffe\ufffe\uffff"),
        # Nothing but the two is touched, and what merely looks like them stays what it is.
        ("&amp;#xFFFE;", "&#xFFFE;"),
        ("&amp;amp;#xFFFE;", "&amp;#xFFFE;"),
        ("_x005F_x0041&#xFFFE;", "_x0041\ufffe"),
        ("&#xE9;&#xFFFD;", "\xe9\ufffd"),
    ],
)
def test_noncharacters_do_not_make_a_listing_unreadable(written: str, text: str) -> None:
    assert values.from_clixml(f"<S>{written}</S>") == text
    assert values.from_clixml(f'<Obj RefId="0"><MS><I32 N="{written}">1</I32></MS></Obj>').properties == {
        text: 1
    }


@pytest.mark.parametrize("reference", ["&#xFFFEF;&#x0;", "&#x1;", "&#xD800;", "&#XFFFE;", "&#xFFFE"])
def test_other_references_that_xml_has_not_stay_errors(reference: str) -> None:
    with pytest.raises(UnconvertibleValue):
        values.from_clixml(f"<S>{reference}</S>")


@pytest.mark.parametrize(
    "document",
    [
        "<Unknown />",
        "<I32",
        "<I32>x</I32>",
        "<B>yes</B>",
        "<D>x</D>",
        "<G>x</G>",
        "<C>-1</C>",
        "<C>x</C>",
        "<Db>x</Db>",
        "<BA>x</BA>",
        "<DT>tomorrow</DT>",
        "<DT>2026-02-30T00:00:00Z</DT>",
        "<TS>PT</TS>",
        "<TS>P99999999999D</TS>",
        '<Ref RefId="9" />',
        "<Obj>" * 4000 + "</Obj>" * 4000,
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_text(document: str) -> None:
    with pytest.raises(UnconvertibleValue):
        values.from_clixml(document)


def test_a_secure_string_is_not_read_and_does_not_keep_the_rest_from_being_read() -> None:
    document = '<Obj RefId="0"><MS><S N="User">u</S><SS N="Password">cGsdkLhfUJk3s11BlDALQw==</SS></MS></Obj>'
    found = values.from_clixml(document)
    assert found["User"] == "u"
    assert found["Password"] is Hidden.SECURE_STRING
    assert values.as_result(found) == {"User": "u", "Password": "(SecureString, not shown)"}
    assert "cGsd" not in repr(found) + str(values.as_result([found, {found["Password"]: 1}]))


def test_a_list_that_contains_itself() -> None:
    found = values.from_clixml('<Obj RefId="0"><LST><I32>1</I32><Ref RefId="0" /></LST></Obj>')
    assert found[1] is found
    assert values.as_result(found) == [1, "(contains itself)"]


def test_a_dictionary_and_an_object_that_contain_themselves() -> None:
    found = values.from_clixml(
        '<Obj RefId="0"><DCT><En><S N="Key">self</S><Ref N="Value" RefId="0" /></En></DCT></Obj>'
    )
    assert found["self"] is found
    found = values.from_clixml('<Obj RefId="0"><MS><Ref N="Me" RefId="0" /></MS></Obj>')
    assert found["me"] is found
    assert values.as_result(found) == {"Me": "(contains itself)"}
    assert "Me" in repr(found)


def test_keys_of_every_kind() -> None:
    def entry(key: str) -> str:
        return f"<En>{key}<I32 N='Value'>1</I32></En>"

    keys = (
        '<Obj N="Key" RefId="1"><LST><I32>1</I32><Obj RefId="2"><LST /></Obj></LST></Obj>',
        '<Obj N="Key" RefId="3"><DCT><En><S N="Key">k</S><Obj N="Value" RefId="4"><LST /></Obj></En></DCT></Obj>',
        '<Obj N="Key" RefId="5"><ToString>Global</ToString></Obj>',
        '<DT N="Key">2024-01-02T00:00:00Z</DT>',
        '<I32 N="Key">7</I32>',
    )
    found = values.from_clixml(f'<Obj RefId="0"><DCT>{"".join(map(entry, keys))}</DCT></Obj>')
    assert list(found) == [(1, ()), (("k", ()),), "Global", datetime.datetime(2024, 1, 2, tzinfo=UTC), 7]
    assert list(values.as_result(found)) == ["1, ", "k, ", "Global", "2024-01-02T00:00:00Z", "7"]


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
            "Numbers": [math.inf, -math.inf, math.nan, 2**64 - 1],
            "Bare": RemoteObject(("A.B",), {}, "as text"),
            "Nothing": RemoteObject(("A.B",), {}),
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
        "Numbers": ["INF", "-INF", "NaN", 2**64 - 1],
        "Bare": "as text",
        "Nothing": {},
        "Many": [{"a": None}],
    }
    assert math.isclose(values.as_result(datetime.timedelta(milliseconds=1)), 0.001)
