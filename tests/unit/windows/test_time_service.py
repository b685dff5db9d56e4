# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""W32Time is configured, read back, and left alone where a policy decides."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Refused,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import time_service
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.w32time import POLICY_KEY
from unit.envelopes import envelope
from unit.scripted import ScriptedClock
from unit.scripted_windows import W32, Refuses, Service, Windows

EDGE = {
    "type": "manual",
    "peers": [{"host": "ntp1", "flags": ["client"]}],
    "max_pos_phase_correction": 4294967295,
    "service_state": "started",
}


def remediate(there: Windows, options: dict[str, Any], check_mode: bool = False) -> dict[str, Any]:
    request = time_service.Request(options)
    return time_service.remediate(envelope(there, check_mode), request, there.clock).as_dict()


@pytest.fixture
def there() -> Windows:
    return Windows(ScriptedClock())


def test_an_edge_server_is_configured_once(there: Windows) -> None:
    there.registry[W32 + r"\Config"]["MaxPosPhaseCorrection"] = 54000
    dry = remediate(there, EDGE, check_mode=True)
    assert there.written == []
    wet = remediate(there, EDGE)
    assert dry["diff"] == wet["diff"]
    assert dry["commands"] == wet["commands"] == there.written
    assert there.registry[W32 + r"\Parameters"] == {"Type": "NTP", "NtpServer": "ntp1,0x8"}
    assert there.registry[W32 + r"\Config"]["MaxPosPhaseCorrection"] == -1
    assert wet["after"] == EDGE
    again = remediate(there, EDGE)
    assert (again["changed"], again["status"]) == (False, "in_desired_state")


@pytest.mark.parametrize("service", [None, Service("Stopped")])
def test_a_service_that_is_missing_or_stopped_is_brought_up(there: Windows, service: Service | None) -> None:
    there.w32time = service
    result = remediate(there, EDGE)
    assert result["status"] == "corrected"
    assert there.w32time is not None
    assert there.w32time.status == "Running"


def test_a_policy_is_named(there: Windows) -> None:
    there.registry[POLICY_KEY + r"\Parameters"] = {"Type": "NT5DS"}
    with pytest.raises(
        Refused, match=r"Policies.Microsoft.W32Time.Parameters.Type, and manual was asked for"
    ):
        remediate(there, EDGE, check_mode=True)
    assert there.written == []


def test_nobody_can_follow_no_time_server(there: Windows) -> None:
    with pytest.raises(UnusableArgument, match="there is none"):
        remediate(there, {"type": "manual"}, check_mode=True)


def test_what_w32tm_complains_about_is_told(there: Windows) -> None:
    there._w32tm_config = lambda arguments: None  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="type should be manual and is domain_hierarchy"):
        remediate(there, {"type": "manual", "peers": EDGE["peers"]})


def test_a_registry_that_may_not_be_read_is_not_an_empty_one(there: Windows) -> None:
    def denied(given: dict[str, Any]) -> list[Any]:
        raise Refuses("Requested registry access is not allowed.", "PermissionDenied")

    there._get_itemproperty = denied  # type: ignore[method-assign]
    with pytest.raises(Exception, match="registry access"):
        remediate(there, EDGE)
    assert there.written == []
