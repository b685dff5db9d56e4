# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What w32tm prints is understood in any language, and what is not what it prints is never taken for it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import w32tm
from hypothesis import given
from hypothesis import strategies as st

ENGLISH = """\
Leap Indicator: 0(no warning)
Stratum: 3 (secondary reference - syncd by (S)NTP)
Precision: -23 (119.209ns per tick)
Root Delay: 0.0312500s
Root Dispersion: 7.7760000s
ReferenceId: 0x0A00000A (source IP:  10.0.0.10)
Last Successful Sync Time: 5/23/2023 7:51:39 PM
Source: dc01.contoso.com
Poll Interval: 10 (1024s)

Phase Offset: -0.0000013s
ClockRate: 0.0156250s
State Machine: 2 (Sync)
Time Source Flags: 0 (None)
Server Role: 0 (None)
Last Sync Error: 0 (The command completed successfully.)
Time since Last Good Sync Time: 15.7344985s
""".splitlines()

# Labels as no Windows has them: the reader must not care.
STRANGE = """\
Lééäp : 0(öö)
ストラタム\uff1a 3 (セカンダリ)
П: -23 (119,209)
RD: 0,0312500s
RS: 7,7760000s
Id: 0x0A00000A (IP:  10.0.0.10)
Wann: 23.05.2023 19:51:39
Woher: dc01.contoso.com
Wie oft: 10 (1024s)

Phase: -0,0000013s
Takt: 0,0156250s
Z: 2 (Synchron)
F: 0 (keine)
R: 0 (keine)
Fehler: 0 (Der Befehl wurde erfolgreich ausgeführt.)
Seit: 15,7344985s
""".splitlines()

UNSYNCHRONISED = """\
Leap Indicator: 3(not synchronized)
Stratum: 0 (unspecified)
Precision: -6 (15.625ms per tick)
Root Delay: 0.0000000s
Root Dispersion: 0.0000000s
ReferenceId: 0x00000000 (unspecified)
Last Successful Sync Time: unspecified
Source: Local CMOS Clock
Poll Interval: 6 (64s)

Phase Offset: 0.0000000s
ClockRate: 0.0156250s
State Machine: 0 (Unset)
Time Source Flags: 0 (None)
Server Role: 0 (None)
Last Sync Error: 1 (The computer did not resync because no time data was available.)
Time since Last Good Sync Time: 240.1s
""".splitlines()


@pytest.mark.parametrize(
    "lines", [ENGLISH, STRANGE, ["\n".join(ENGLISH)]], ids=["english", "strange", "one string"]
)
def test_a_synchronised_server(lines: list[str]) -> None:
    status = w32tm.read_status(lines)
    assert status == w32tm.Status(
        leap_indicator=0,
        stratum=3,
        root_delay=0.03125,
        root_dispersion=7.776,
        reference_id="0x0a00000a",
        source="dc01.contoso.com",
        poll_interval=1024,
        phase_offset=-0.0000013,
        last_sync_error=0,
        since_last_sync=15.7344985,
    )
    assert status.synchronised


def test_a_server_that_never_synchronised() -> None:
    status = w32tm.read_status(UNSYNCHRONISED)
    assert not status.synchronised
    assert status.since_last_sync is None
    assert status.why_not_synchronised == "no time data was available"


def test_a_server_that_follows_itself_is_not_synchronised() -> None:
    lines = [
        re.sub(r"^(ReferenceId:).*", r"\1 0x4C4F434C (source name:  \"LOCL\")", line) for line in ENGLISH
    ]
    assert w32tm.read_status(ENGLISH).synchronised
    assert not w32tm.read_status(lines).synchronised


def test_a_line_without_a_label_goes_on_with_the_one_before() -> None:
    """As a German Windows breaks that of the last error."""
    at = next(number for number, line in enumerate(STRANGE) if line.startswith("Fehler"))
    broken = [
        *STRANGE[:at],
        "Fehler: 1 (Der Computer wurde nicht synchronisiert, da keine",
        "Zeitdaten verf\u00fcgbar waren.)",
    ]
    status = w32tm.read_status([*broken, *STRANGE[at + 1 :]])
    assert status.why_not_synchronised == "no time data was available"
    assert status.since_last_sync == 15.7344985


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (2, "only stale time data was available"),
        (3, "the required change was too big, or the time service was shutting down"),
        (4, "the required change was too big, or the time service was shutting down"),
        (9, "error 9"),
    ],
)
def test_the_last_error_in_words(number: int, reason: str) -> None:
    lines = [re.sub(r"^(Last Sync Error:) 1", rf"\1 {number}", line) for line in UNSYNCHRONISED]
    assert w32tm.read_status(lines).why_not_synchronised == reason


def test_without_verbose_lines() -> None:
    status = w32tm.read_status(ENGLISH[:9])
    assert (status.stratum, status.last_sync_error, status.since_last_sync) == (3, None, None)
    assert status.why_not_synchronised is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("The following error occurred: The service has not been started. (0x80070426)", w32tm.NOT_STARTED),
        (
            "Folgender Fehler ist aufgetreten: Der Dienst ist nicht vorhanden. (0x80070424)",
            w32tm.NOT_REGISTERED,
        ),
    ],
)
def test_an_error_is_told_by_its_code(line: str, code: int) -> None:
    with pytest.raises(w32tm.ProgramFailed) as caught:
        w32tm.read_status([line])
    assert caught.value.code == code


@given(st.integers(0, len(ENGLISH) - 1), st.sampled_from(["", "Stratum", "Stratum: many", "x: y"]))
def test_a_line_that_has_not_its_form_is_not_guessed_at(index: int, line: str) -> None:
    lines = list(ENGLISH)
    if lines[index].partition(":")[0] in ("", "Last Successful Sync Time", "Source"):
        return
    lines[index] = line
    with pytest.raises(Unreadable):
        w32tm.read_status(lines)


@given(st.lists(st.text(max_size=40), max_size=20))
def test_any_other_text_is_unreadable(lines: list[str]) -> None:
    with pytest.raises(Unreadable):
        w32tm.read_status(lines)


@pytest.mark.parametrize(
    ("lines", "offsets", "errors"),
    [
        (
            [
                "Tracking ntp1 [10.0.0.9:123].",
                "The current time is 5/23/2023 7:51:39 PM.",
                "19:51:39, +00.0123456s",
            ],
            (0.0123456,),
            (),
        ),
        (["19:51:39, -3600.5s", "19:51:41, +00,25s", "7:51:43 PM, +01.5s"], (-3600.5, 0.25, 1.5), ()),
        (["19:51:39, error: 0x800705B4", "19:51:41, +00.5s"], (0.5,), (0x800705B4,)),
        (["19:51:39, Fehler: 0x800705B4"], (), (0x800705B4,)),
    ],
)
def test_stripcharts(lines: list[str], offsets: tuple[float, ...], errors: tuple[int, ...]) -> None:
    chart = w32tm.read_stripchart(lines)
    assert (chart.offsets, chart.errors) == (offsets, errors)


def test_the_middle_sample_counts() -> None:
    assert w32tm.Stripchart((0.1, 9.0, 0.2), ()).best == 0.2
    assert w32tm.Stripchart((), (1,)).best is None


def test_a_stripchart_without_samples_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        w32tm.read_stripchart(["Tracking ntp1 [10.0.0.9:123]."])


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 7)), st.sampled_from([".", ","]))
def test_any_offset_is_read_as_it_is_printed(offset: float, point: str) -> None:
    text = f"{offset:+011.7f}".replace(".", point)
    assert w32tm.read_stripchart([f"19:51:39, {text}s"]).offsets == (pytest.approx(offset, abs=1e-7),)
