# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PowerShell itself sent, and what it made of what we send: recorded_values.json, replayed."""

from __future__ import annotations

import json
import math
import pathlib
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors, values
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.error_records import error_report
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    Cause,
    ErrorReport,
    RemoteObject,
)

from .recorded import value_of

RECORDED = json.loads(pathlib.Path(__file__).with_name("recorded_values.json").read_text(encoding="utf-8"))


def each(section: str) -> Any:
    return pytest.mark.parametrize("case", RECORDED[section], ids=lambda case: case["what"])


def typed(value: Any) -> Any:
    """The value with the types that Python's == passes over: 1, 1.0 and True, 0.0 and -0.0, NaN."""
    if isinstance(value, RemoteObject):
        return value.type_names, value.text, typed(dict(value.properties))
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, float):
        return float, math.copysign(1, value), "NaN" if math.isnan(value) else value
    return type(value), value


@each("received")
def test_what_the_engine_sends(case: dict[str, Any]) -> None:
    read = [values.from_clixml(document) for document in case["clixml"]]
    assert [typed(value) for value in read] == [typed(value_of(written)) for written in case["values"]]
    # No value is too odd for a task's result.
    json.dumps(values.as_result(read), allow_nan=False)


def without_references(element: ET.Element) -> str:
    for part in element.iter():
        part.attrib.pop("RefId", None)
    return ET.canonicalize(ET.tostring(element, encoding="unicode"))


@each("sent")
def test_what_the_engine_understands(case: dict[str, Any]) -> None:
    for parameter in case["parameters"].values():
        sent = values.to_clixml(value_of(parameter["value"]))
        assert without_references(sent) == without_references(ET.fromstring(parameter["clixml"]))


@each("echoed")
def test_what_the_engine_gives_back(case: dict[str, Any]) -> None:
    for value, sent, answered in zip(value_of(case["values"]), case["sent"], case["answered"], strict=True):
        assert without_references(values.to_clixml(value)) == without_references(ET.fromstring(sent))
        assert typed(values.from_clixml(answered)) == typed(value)


def reported(fields: dict[str, Any]) -> ErrorReport:
    return ErrorReport(**{**fields, "causes": tuple(Cause(*cause) for cause in fields.get("causes", ()))})


@each("errors")
def test_the_errors_that_the_engine_writes(case: dict[str, Any]) -> None:
    expected = reported(case["report"])
    assert error_report(values.from_clixml(case["clixml"]), terminating=expected.terminating) == expected


ENDPOINT = errors.Endpoint("https://x/wsman", "x", "x", "admin", "ntlm", "Microsoft.PowerShell")


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("A parameter that the command lacks", errors.ParameterNotKnown, "has no parameter NoSuch on"),
        ("A command that the server lacks, alone", errors.CmdletNotOffered, "does not offer Get-CsNope"),
        (
            "A command that the server lacks, before others",
            errors.CmdletNotOffered,
            "does not offer Get-CsNope",
        ),
        ("Null for an enumeration", errors.ValueNotAllowed, "RequireEncryption"),
        ("Null for a boolean", errors.ValueNotAllowed, "'Enabled'"),
        ("A text for a boolean", errors.ValueNotAllowed, "'Enabled'"),
        ("A text outside the set", errors.ValueNotAllowed, "Yes,No,Maybe"),
        ("An empty list for a mandatory parameter", errors.ValueNotAllowed, "'Names'"),
        ("A text that the type's constructor refuses", errors.ValueNotAllowed, "has no scope"),
        ("A login that failed, told in words alone", errors.CommandError, "Login failed"),
        ("A service without its file (Windows)", errors.CommandError, "File not found. (Windows error 2)"),
        ("A service that is disabled (Windows)", errors.CommandError, "disabled. (Windows error 1058)"),
        ("A service that does not exist (Windows)", errors.ObjectNotFound, "(Windows error 1060)"),
        ("Exceptions in exceptions", errors.CommandError, "outer. The cause: innermost"),
    ],
)
def test_what_an_error_is_taken_for(what: str, kind: type[errors.CommandError], words: str) -> None:
    (case,) = (case for case in RECORDED["errors"] if case["what"] == what)
    error = errors.classify_report(error_report(values.from_clixml(case["clixml"])), ENDPOINT)
    assert type(error) is kind
    assert words in str(error)
    assert "\n" not in str(error)
