# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What trace_info finds, in which files, and what it never takes for something else."""

from __future__ import annotations

import contextlib
import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument
from ansible_collections.lync.remediation.plugins.plugin_utils.trace import catalogue, clocks, records
from ansible_collections.lync.remediation.plugins.plugin_utils.trace.trace_info import trace_info
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.trace import samples

COLLECTION = Path(catalogue.__file__).parents[3]


def info(*paths: Path, **options: Any) -> dict[str, Any]:
    arguments = {"utc_offset": None, "evidence": 3, "mask": False, **options}
    return trace_info({"paths": [str(path) for path in paths], **arguments}, lambda _file, _size: None)


def found(folder: Path, data: bytes, name: str = "fe01.txt", **options: Any) -> list[dict[str, Any]]:
    file = folder / name
    file.write_bytes(data)
    findings: list[dict[str, Any]] = info(file, **options)["findings"]
    return findings


def ids(findings: list[dict[str, Any]]) -> set[str]:
    return {each["id"] for each in findings}


def test_what_to_run_reaches_the_inventory_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "fe01.txt").write_bytes(b"\n" + samples.REFUSED_488)
    arguments = {"paths": [str(tmp_path)], "utc_offset": None, "evidence": 3, "mask": True}
    result = trace_info(arguments, lambda _file, _size: None, ["-i", "/home/anna/hosts.yml"])
    command = result["findings"][0]["remedy"]
    assert command.startswith("ansible-playbook -i /home/anna/hosts.yml lync.remediation.enable_")
    assert command in result["lines"]


def test_encryption_that_does_not_match(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, b"\n" + samples.REFUSED_488, utc_offset="+02:00")
    assert (finding["id"], finding["family"], finding["confidence"]) == ("52017", "encryption", "high")
    assert (finding["count"], finding["records"]) == (1, 1)
    assert finding["first"] == finding["last"] == "2013-06-14T06:15:02.120Z"
    assert finding["uncertainty_seconds"] == 0
    assert finding["servers"] == ["fe01"]
    assert finding["participants"] == [
        {"from": "kenmyer@contoso.com", "to": "pilar@fabrikam.net", "count": 1}
    ]
    assert finding["attributes"] == {"reason": "Encryption levels dont match"}
    (evidence,) = finding["evidence"]
    assert evidence["line"] == 2
    assert any("52017" in line for line in evidence["lines"])
    assert evidence["lines"][0].startswith("TL_INFO")


@pytest.mark.parametrize(
    "data",
    [
        samples.LOOKS_ALIKE,
        samples.MRAS_REQUEST,
        samples.REFUSED_488.replace(b"ms-client-diagnostics: 52017", b"x-ms-diagnostics: 52017"),
        samples.REFUSED_488.replace(b"ms-client-diagnostics: 52017", b"ms-client-diagnostics: 520170"),
        samples.REFUSED_488.replace(b"ms-client-diagnostics: 52017", b"ms-diagnostics: 23"),
        samples.REFUSED_488.replace(b"52017", b"60001"),
    ],
    ids=[
        "52035",
        "normal request for credentials",
        "OAuth",
        "longer number",
        "another field",
        "custom application",
    ],
)
def test_what_is_no_finding(tmp_path: Path, data: bytes) -> None:
    assert found(tmp_path, data) == []


def test_an_older_client_refuses_by_a_warning(tmp_path: Path) -> None:
    data = samples.REFUSED_488.replace(
        b'ms-client-diagnostics: 52017;reason="Encryption levels dont match"',
        b'Warning: 308 lcs.microsoft.com "Encryption Levels not compatible"',
    )
    assert ids(found(tmp_path, data)) == {"52017"}
    assert found(tmp_path, data.replace(b"488 Not", b"480 Not")) == []


def test_requests_for_credentials_that_fail(tmp_path: Path) -> None:
    findings = found(tmp_path, samples.MRAS_REQUEST + samples.EXPIRED_SERVICE + samples.TIMED_OUT % b"0e5062")
    assert ids(findings) == {"mras_expired", "mras_timed_out"}
    for finding in findings:
        assert finding["family"] == "av_authentication"
        assert "fix_clock_drift" in finding["remedy"]
        assert finding["servers"] == ["fe02"]
    (expired,) = [each for each in findings if each["id"] == "mras_expired"]
    assert expired["edge"] == "edge01.contoso.com"
    assert expired["confidence"] == "medium"


@pytest.mark.parametrize("first", [True, False])
def test_a_time_out_is_joined_to_its_request_wherever_that_stands(tmp_path: Path, first: bool) -> None:
    request, time_out = samples.MRAS_REQUEST, samples.TIMED_OUT % b"0e5062"
    assert ids(found(tmp_path, request + time_out if first else time_out + request)) == {"mras_timed_out"}


def test_a_time_out_of_another_call_is_only_a_time_out(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, samples.MRAS_REQUEST + samples.TIMED_OUT % b"other")
    assert (finding["id"], finding["family"], finding["confidence"]) == (
        "transaction_timed_out",
        "other",
        "low",
    )
    assert finding["remedy"] is None


def test_a_skewed_date(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, samples.DATE_SKEWED)
    assert (finding["id"], finding["family"]) == ("1020", "clock")
    assert finding["attributes"]["signer"] == "fe02.contoso.com"
    assert finding["attributes"]["ms-ep-fqdn"] == "edgepool01.contoso.com"


def test_without_the_skewed_date_it_is_a_signature(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, samples.DATE_SKEWED.replace(b"0xC3E93EE0", b"0xC3E93EE1"))
    assert (finding["id"], finding["family"]) == ("referrer_signature", "certificate")


def test_a_consequence_is_one_only_in_the_same_call(tmp_path: Path) -> None:
    consequence = (
        b"SIP/2.0 504 Server time-out\nCall-ID: %s\nms-diagnostics: 15030;source=fe01\n$$end_record\n"
    )
    families = {
        call: {
            each["id"]: each["family"] for each in found(tmp_path, consequence % call + samples.DATE_SKEWED)
        }
        for call in (b"0f1020", b"another")
    }
    assert families == {
        b"0f1020": {"1020": "clock", "15030": "clock"},
        b"another": {"1020": "clock", "15030": "other"},
    }


def test_a_clock_that_is_known_to_be_wrong_makes_it_surer(tmp_path: Path) -> None:
    findings = found(tmp_path, samples.EXPIRED_SERVICE + samples.DATE_SKEWED)
    assert [(each["id"], each["confidence"]) for each in findings] == [
        ("1020", "high"),
        ("mras_expired", "high"),
    ]
    assert findings[1]["supported_by"] == ["1020"]


def test_a_clients_log(tmp_path: Path) -> None:
    (tmp_path / "Lync-UccApi-0.UccApilog").write_bytes(samples.CLIENT_LOG)
    result = info(tmp_path)
    (finding,) = result["findings"]
    assert (finding["id"], finding["family"]) == ("1009", "federation")
    assert finding["first"] == "2013-06-14T10:15:02.101Z"
    assert finding["uncertainty_seconds"] == 14 * 3600
    assert result["files"][0]["kind"] == "client_log"


def test_one_record_in_two_searches_and_one_call_in_two_records(tmp_path: Path) -> None:
    (once,) = found(tmp_path, samples.REFUSED_488 * 2)
    assert (once["count"], once["records"]) == (1, 1)
    (again,) = found(tmp_path, samples.REFUSED_488 + samples.REFUSED_488.replace(b"0000A001", b"0000A002"))
    assert (again["count"], again["records"]) == (1, 2)
    other = samples.REFUSED_488.replace(b"0000A001", b"0000A002").replace(b"5f0e488", b"5f0e489")
    (two,) = found(tmp_path, samples.REFUSED_488 + other)
    assert (two["count"], two["participants"][0]["count"]) == (2, 2)


def test_what_is_not_in_the_catalogue_is_listed(tmp_path: Path) -> None:
    (tmp_path / "fe01.txt").write_bytes(samples.REFUSED_488.replace(b"52017", b"52999"))
    result = info(tmp_path)
    assert result["findings"] == []
    assert result["uncatalogued"] == [{"field": "client_diagnostics", "code": 52999, "records": 1}]


# -- files ------------------------------------------------------------------------------------------------------------

TEXT = samples.SERVER_TRACE.decode()


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        gzip.compress(TEXT.encode("utf-16")),
    ],
    ids=["BOM", "UTF-16", "UTF-16 BE", "without BOM", "BE without BOM", "CRLF", "gzip"],
)
def test_however_it_is_written(tmp_path: Path, data: bytes) -> None:
    assert ids(found(tmp_path, data)) == {"52017", "mras_expired", "mras_timed_out"}


def test_a_clock_that_is_set_inside_a_trace_is_noted(tmp_path: Path) -> None:
    later = samples.EXPIRED_SERVICE.replace(b"08:16:40.500.0000A00F", b"05:16:40.500.0000A0FF")
    ahead = samples.EXPIRED_SERVICE.replace(b"0000A00F", b"0000A00E")
    (tmp_path / "fe02.txt").write_bytes(ahead + later)
    (file,) = info(tmp_path)["files"]
    assert any("step back by 10800 s" in note for note in file["notes"])
    (tmp_path / "fe02.txt").write_bytes(later + ahead)
    assert info(tmp_path)["files"][0]["notes"] == []


def test_what_is_harmless_hides_nothing_beside_it(tmp_path: Path) -> None:
    harmless = b'ms-client-diagnostics: 51007;reason="Callee media connectivity diagnosis info"\n'
    for data in (
        samples.REFUSED_488.replace(
            b"ms-client-diagnostics: 52017", harmless + b"ms-client-diagnostics: 52017"
        ),
        samples.REFUSED_488.replace(b"CONTENT-LENGTH", harmless + b"CONTENT-LENGTH"),
    ):
        assert ids(found(tmp_path, data)) == {"52017"}
    # Of the one header a number is harmless, of the other it is none that is known.
    (tmp_path / "fe01.txt").write_bytes(
        samples.REFUSED_488.replace(b"ms-client-diagnostics: 52017", b"ms-diagnostics: 51007")
    )
    assert [each["code"] for each in info(tmp_path / "fe01.txt")["uncatalogued"]] == [51007]


def test_members_of_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("logs/fe01.txt", samples.REFUSED_488)
        archive.writestr("logs/S4.etl", b"\x00\x01" * 500)
    result = info(tmp_path / "all.zip")
    assert ids(result["findings"]) == {"52017"}
    assert result["findings"][0]["servers"] == ["fe01"]
    assert [each["examined"] for each in result["files"]] == [True, False]
    assert not result["complete"]


@pytest.mark.parametrize(
    ("date", "order", "known", "day"),
    [
        (b"06/14/2013-08:15", "mdy", True, "2013-06-14T08:15"),
        (b"14.06.2013-08:15", "dmy", True, "2013-06-14T08:15"),
        (b"14/06/2013-8:15", "dmy", True, "2013-06-14T08:15"),
        (b"2013-06-14-08.15", "ymd", True, "2013-06-14T08:15"),
        (b"14. 6. 2013-08:15", "dmy", True, "2013-06-14T08:15"),
        (b"06/07/2013-08:15", "mdy", False, "2013-06-07T08:15"),
    ],
)
def test_dates_of_any_locale(tmp_path: Path, date: bytes, order: str, known: bool, day: str) -> None:
    data = samples.REFUSED_488.replace(b"06/14/2013-08:15", date)
    if b"." in date[-6:]:
        data = data.replace(date + b":02", date + b".02")
    (tmp_path / "fe01.txt").write_bytes(data)
    result = info(tmp_path)
    assert (result["files"][0]["date_order"], result["files"][0]["date_order_known"]) == (order, known)
    assert result["findings"][0]["first"].startswith(day)


def test_half_days(tmp_path: Path) -> None:
    data = samples.CLIENT_LOG.replace(b"06/14/2013|10:15:02.101", b"06/14/2013|10:15:02.101 PM")
    assert found(tmp_path, data)[0]["first"] == "2013-06-14T22:15:02.101Z"


def test_an_order_nobody_proves_is_that_of_the_shorter_span() -> None:
    assert records.order_of({(4, 5, 2013), (5, 5, 2013)}) == ("dmy", False)
    assert records.order_of({(5, 4, 2013), (5, 5, 2013)}) == ("mdy", False)
    assert records.order_of(()) == ("mdy", False)


@pytest.mark.parametrize("data", [samples.SERVER_TRACE, samples.CLIENT_LOG], ids=["server", "client"])
def test_cut_off_at_any_byte(tmp_path: Path, data: bytes) -> None:
    whole = ids(found(tmp_path, data))
    for end in range(1, len(data), 7):
        (tmp_path / "fe01.txt").write_bytes(data[:end])
        try:
            findings = info(tmp_path / "fe01.txt")["findings"]
        except BadArgument:
            assert end < 80
        else:
            # A request that is cut off may be missing to what timed out; a number that is cut off is another number.
            assert ids(findings) <= whole | {"transaction_timed_out", "0xc3e93f5b"}


@pytest.mark.sweep
@pytest.mark.parametrize("pack", [lambda data: data, lambda data: data.decode().encode("utf-16")])
def test_cut_off_at_every_byte(tmp_path: Path, pack: Any) -> None:
    data = pack(samples.SERVER_TRACE)
    for end in range(200, len(data)):
        (tmp_path / "fe01.txt").write_bytes(data[:end])
        assert info(tmp_path / "fe01.txt")["files"][0]["kind"] == "server_trace"


def test_a_packed_file_that_is_cut_off_tells_what_it_has(tmp_path: Path) -> None:
    packed = gzip.compress(samples.SERVER_TRACE + bytes(range(32, 127)) * 50)
    (tmp_path / "fe01.txt.gz").write_bytes(packed[:-20])
    result = info(tmp_path)
    assert "52017" in ids(result["findings"])
    assert not result["complete"]
    assert len(result["problems"]) == 1


@given(
    data=st.binary(max_size=4000),
    start=st.sampled_from([b"", samples.SERVER_TRACE[:700], b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04"]),
)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_end_in_a_sentence_at_most(tmp_path: Path, data: bytes, start: bytes) -> None:
    (tmp_path / "fe01.txt").write_bytes(start + data)
    with contextlib.suppress(BadArgument):
        json.dumps(info(tmp_path / "fe01.txt", mask=True))


@given(size=st.integers(1, 400), data=st.sampled_from([samples.SERVER_TRACE * 2, samples.CLIENT_LOG * 2]))
@settings(max_examples=60, deadline=None)
def test_blocks_of_any_size_give_the_same_records(size: int, data: bytes) -> None:
    def read(stream: list[bytes]) -> list[tuple[int, bytes]]:
        return [(r.line, r.original) for block in records.grouped(stream) for r in block.records((b":",))]

    assert read([data[at : at + size] for at in range(0, len(data), size)]) == read([data])


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\x03" * 300,
        b'2017-03-02T08:10:46 gw tvcs: UTCTime="2017-03-02 07:10:46,240" Module="network.sip"\n SIPMSG:\n',
        b"(10:38:48) sipe: SIP transactions count:0 after removal\n",
        b"INVITE sip:a@contoso.com SIP/2.0#015#012To: <sip:a@contoso.com>#015#012",
        b"Event ID: 32263\nError code: 0xC3E93C2F\n",
        b"PK\x03\x04 cut off",
        b"",
    ],
    ids=["binary", "Expressway", "SIPE", "syslog", "events", "archive", "empty"],
)
def test_what_is_no_trace_is_told_and_the_rest_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(BadArgument):
        info(tmp_path)
    (tmp_path / "b.txt").write_bytes(samples.REFUSED_488)
    result = info(tmp_path)
    assert ids(result["findings"]) == {"52017"}
    assert [each["examined"] for each in result["files"]] == [False, True]
    assert len(result["problems"]) == 1
    assert result["problems"][0].startswith(str(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    "options",
    [
        {"utc_offset": "CET"},
        {"utc_offset": "+15:00"},
        {"evidence": 0},
        {"evidence": 21},
        {"paths": []},
        {"paths": ["/nonexistent/fe01.txt"]},
        {"paths": ["/dev/null"]},
        {"paths": ["a\x00b"]},
    ],
)
def test_bad_input_is_one_sentence_that_names_the_option(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "fe01.txt").write_bytes(samples.REFUSED_488)
    arguments = {"paths": [str(tmp_path)], "utc_offset": None, "evidence": 3, "mask": False, **options}
    with pytest.raises(BadArgument) as caught:
        trace_info(arguments, lambda _file, _size: None)
    assert str(caught.value).startswith(f"{next(iter(options))}: ")


# -- clocks -----------------------------------------------------------------------------------------------------------


def both_ways() -> bytes:
    """edge01 is ten minutes and a second behind, and a message takes 20 and 40 ms."""
    return (
        samples.message("fe01", "08:15:00.000", True, "c1")
        + samples.message("edge01", "08:04:59.020", False, "c1")
        + samples.message("edge01", "08:05:00.000", True, "c1", response=True)
        + samples.message("fe01", "08:15:01.040", False, "c1", response=True)
    )


def test_two_servers_records_of_one_call(tmp_path: Path) -> None:
    (tmp_path / "merged.txt").write_bytes(both_ways())
    result = info(tmp_path)
    (difference,) = result["clock_differences"]
    assert {difference["server"], difference["reference"]} == {"fe01", "edge01"}
    ahead = difference["offset_seconds"] * (1 if difference["server"] == "edge01" else -1)
    assert ahead == pytest.approx(-601.01)
    assert difference["uncertainty_seconds"] == pytest.approx(0.03)
    assert not difference["may_be_zone"]
    (finding,) = result["findings"]
    assert (finding["id"], finding["confidence"]) == ("clock_difference", "high")


def test_files_whose_records_name_no_server_are_told_apart_by_their_names(tmp_path: Path) -> None:
    for server in ("fe01", "edge01"):
        parts = both_ways().split(b"\n\n")
        own = b"\n\n".join(part for part in parts if f"\\{server}]".encode() in part)
        (tmp_path / f"{server}.log").write_bytes(own.replace(f"[pool01\\{server}]".encode(), b"[0]"))
    (difference,) = info(tmp_path)["clock_differences"]
    assert {difference["server"], difference["reference"]} == {"fe01", "edge01"}


@pytest.mark.parametrize(
    ("offset", "uncertainty", "zone"),
    [(3600.4, 0.1, True), (-900.0, None, True), (601.0, 0.1, False), (1.0, 0.1, False)],
)
def test_whole_quarters_may_be_zones(offset: float, uncertainty: float | None, zone: bool) -> None:
    assert clocks.ClockDifference("a", "b", offset, uncertainty, 1).may_be_zone is zone


def test_one_direction_is_a_bound(tmp_path: Path) -> None:
    late = samples.message("fe01", "08:15:00.000", True, "c1") + samples.message(
        "edge01", "08:20:00.000", False, "c1"
    )
    assert found(tmp_path, late)[0]["confidence"] == "low"
    early = samples.message("fe01", "08:15:00.000", True, "c1") + samples.message(
        "edge01", "08:10:00.000", False, "c1"
    )
    assert found(tmp_path, early)[0]["confidence"] == "high"


def test_memory_is_bounded_and_both_servers_keep_the_same_calls(tmp_path: Path) -> None:
    observations = clocks.Observations(most=100)
    for server, sent in (("fe01", True), ("edge01", False)):
        for number in range(2000):
            data = samples.message(server, "08:15:00.000", sent, f"call{number}")
            for block in records.grouped([data]):
                for record in block.records((b"call-id",)):
                    call = f"call{number}".encode()
                    if observations.wanted([call]):
                        observations.add(record, call, server, 0)
    (difference,) = observations.differences({0: "mdy"})
    assert 10 <= difference.messages <= 50


# -- masking ----------------------------------------------------------------------------------------------------------


def test_personal_data_is_masked_the_same_by_the_same(tmp_path: Path) -> None:
    data = samples.SERVER_TRACE + samples.CLIENT_LOG
    shown = json.dumps(found(tmp_path, data, mask=True))
    for personal in ("kenmyer", "Ken Myer", "pilar", "@fabrikam", "@sub.fabrikam", "192.0.2"):
        assert personal not in shown
    for kept in ("edge01.contoso.com", "52017", "08:15:02.120", "0xc3e93f5b", "SIP/2.0 488"):
        assert kept in shown
    findings = found(tmp_path, data, mask=True)
    callers = {each["participants"][0]["from"] for each in findings if each["participants"]}
    assert len(callers) == 1


# -- the catalogue ----------------------------------------------------------------------------------------------------


def test_the_catalogue_can_be_used() -> None:
    playbooks = {path.stem for path in (COLLECTION / "playbooks").glob("*.yml")}
    modules = {path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py")}
    for (place, code), entry in catalogue.catalogue().items():
        assert place in ("diagnostics", "client_diagnostics", "result", "name", "rule"), code
        assert entry.family in catalogue.FAMILIES, code
        assert entry.confidence in catalogue.CONFIDENCES, code
        assert entry.meaning.endswith("."), code
        if entry.requires_result:
            assert ("rule", entry.otherwise) in catalogue.catalogue()
        if entry.remedy:
            words = entry.remedy.replace(" -m ", " ").split()
            assert {word.removeprefix("lync.remediation.") for word in words} & (playbooks | modules), code
