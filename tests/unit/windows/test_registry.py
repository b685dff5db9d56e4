# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that do not exist, keys without values and keys that nobody may read are told apart."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import (
    CmdletNotOffered,
    CommandError,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    ErrorReport,
    PipelineState,
    RemoteObject,
    Results,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import registry
from unit.scripted import Scripted, remote

FULL, EMPTY, GONE, SECRET = (rf"HKLM:\SOFTWARE\{name}" for name in ("Full", "Empty", "Gone", "Secret"))
KEYS = (FULL, EMPTY, GONE, SECRET)


def there(key: str, **values: object) -> RemoteObject:
    path = "Microsoft.PowerShell.Core\\Registry::" + key.replace("HKLM:", "HKEY_LOCAL_MACHINE").upper()
    return remote(**values, PSPath=path, PSChildName="x")


def error(identifier: str, target: str | None, command: str = registry.GET, **more: bool) -> ErrorReport:
    return ErrorReport("It failed.", "NotSpecified", identifier, target=target, command=command, **more)


ABSENT = error("PathNotFound,Microsoft.PowerShell.Commands.GetItemPropertyCommand", GONE.lower())
DENIED = error(
    "System.Security.SecurityException,Microsoft.PowerShell.Commands.GetItemPropertyCommand", SECRET
)


def test_one_unreadable_key_leaves_the_others() -> None:
    found = registry.read_some(Scripted(), Results((there(FULL, A=1),), (ABSENT, DENIED)), KEYS)
    assert found.values == {FULL: {"A": 1}, EMPTY: {}}
    assert list(found.unread) == [SECRET]
    with pytest.raises(CommandError, match="It failed"):
        registry.read(Scripted(), Results((there(FULL, A=1),), (ABSENT, DENIED)), KEYS)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (Results((), (error("CommandNotFoundException", registry.GET),)), CmdletNotOffered),
        (Results((there(FULL, A=1),), (error("System.IO.IOException", None),)), CommandError),
        (Results((there(FULL, A=1),), state=PipelineState.STOPPED), Unreadable),
    ],
)
def test_silence_after_a_failure_is_no_empty_key(results: Results, expected: type[Exception]) -> None:
    found = registry.read_some(Scripted(), results, [FULL, EMPTY])
    assert EMPTY not in found.values
    assert isinstance(found.unread[EMPTY], expected)


def test_the_end_of_another_statement_is_none_of_a_keys_business() -> None:
    other = error("CommandNotFoundException", "tzutil", "tzutil", terminating=True)
    found = registry.read_some(Scripted(), Results((), (other,), state=PipelineState.FAILED), [EMPTY])
    assert (found.values, found.unread) == ({EMPTY: {}}, {})


@pytest.mark.parametrize(("value", "kind"), [(7, "DWord"), ("7", "String"), (["7"], "MultiString")])
def test_a_value_is_written_with_its_kind(value: object, kind: str) -> None:
    assert registry.writing(FULL, "A", value).parameters["PropertyType"] == kind
