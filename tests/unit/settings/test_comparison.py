# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparing as Lync does: names without case, text with it, null as what it stands for."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.comparison import (
    UINT16,
    UINT32,
    Comparison,
    DomainSet,
    Enumeration,
    Fqdn,
    Text,
    Truth,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resource import Property, Severity
from hypothesis import given
from hypothesis import strategies as st

LEVEL = Enumeration(("SupportEncryption", "RequireEncryption"))


@pytest.mark.parametrize(
    ("comparison", "one", "other", "same"),
    [
        (Truth(), True, True, True),
        (Truth(), True, False, False),
        (Truth(), None, False, False),
        (LEVEL, "requireencryption", "RequireEncryption", True),
        (LEVEL, "RequireEncryption", "SupportEncryption", False),
        (LEVEL, None, "SupportEncryption", False),
        (UINT16, 35, 35, True),
        (UINT16, None, 0, False),
        (Text(), "For people", "for people", False),
        (Text(), "", "", True),
        (Fqdn(), "Proxy.Contoso.com.", "proxy.contoso.com", True),
        (Fqdn(), None, "proxy.contoso.com", False),
        (DomainSet(), ["msn.com", "Live.com"], ["live.com", "MSN.com"], True),
        (DomainSet(), ["msn.com"], ["msn.com", "live.com"], False),
    ],
)
def test_equality(comparison: Comparison, one: Any, other: Any, same: bool) -> None:
    assert comparison.same(one, other) is same
    assert comparison.same(other, one) is same


@pytest.mark.parametrize(
    ("comparison", "value", "problem"),
    [
        (LEVEL, "Always", "Allowed: SupportEncryption, RequireEncryption"),
        (UINT16, 65536, "0 and 65535"),
        (UINT16, -1, "0 and 65535"),
        (UINT32, 2**32, "0 and 4294967295"),
        (Fqdn(), "proxy", "not a fully qualified domain name"),
        (Fqdn(), "proxy..contoso.com", "not a fully qualified domain name"),
        (DomainSet(), ["msn.com", "not a domain"], "'not a domain': not a domain name"),
    ],
)
def test_what_no_server_would_take(comparison: Comparison, value: Any, problem: str) -> None:
    assert problem in (comparison.problem(value) or "")


@pytest.mark.parametrize(
    ("comparison", "value"),
    [
        (LEVEL, "supportENCRYPTION"),
        (UINT16, 65535),
        (Fqdn(), "a.b"),
        (DomainSet(), []),
        (Text(), ""),
        (Truth(), False),
    ],
)
def test_what_a_server_takes(comparison: Comparison, value: Any) -> None:
    assert comparison.problem(value) is None


@pytest.mark.parametrize(
    ("comparison", "raw"),
    [
        (Truth(), "True"),
        (Truth(), 1),
        (UINT16, "35"),
        (UINT16, True),
        (LEVEL, 2),
        (Text(), 5),
        (DomainSet(), 5),
    ],
)
def test_a_value_of_another_type_is_unreadable_and_not_absent(comparison: Comparison, raw: Any) -> None:
    with pytest.raises(Unreadable):
        comparison.read(raw)


def test_enumerations_are_read_and_sent_in_their_own_spelling() -> None:
    assert LEVEL.read("requireencryption") == "RequireEncryption"
    assert LEVEL.send("SUPPORTENCRYPTION") == "SupportEncryption"
    assert LEVEL.read("SomethingNewer") == "SomethingNewer"
    assert LEVEL.read(RemoteObject((), {}, text="RequireEncryption")) == "RequireEncryption"


@given(st.lists(st.sampled_from(["msn.com", "live.com", "outlook.com"]), unique=True))
def test_domains_read_back_as_they_were_sent(domains: list[str]) -> None:
    assert DomainSet().read(DomainSet().send(domains)) == domains


def test_domains_are_read_from_a_list_as_well() -> None:
    assert DomainSet().read(["msn.com", " live.com"]) == ["msn.com", "live.com"]


def test_null_stands_for_what_the_table_says() -> None:
    text = Property("description", "Description", Text(), Severity.LOW, "", null="")
    truth = Property("enabled", "Enabled", Truth(), Severity.LOW, "")
    remote = RemoteObject((), {"Description": None, "Enabled": None})
    assert text.read(remote) == ""
    assert text.same(text.read(remote), "")
    assert truth.read(remote) is None
    assert not truth.same(None, False)
    assert truth.same(None, None)
