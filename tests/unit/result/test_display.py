# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands that people copy."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.filter.management_shell_lines import management_shell_lines

LONG = "Set-CsExternalAccessPolicy -Identity 'Tag:It''s -all' -EnablePublicCloudAccess $true -Force -Confirm:$false"


@pytest.mark.parametrize("width", [20, 50, 72, 200])
def test_joined_again_it_is_the_same_command(width: int) -> None:
    lines = management_shell_lines([LONG], width)
    assert " ".join(line.removesuffix(" `").lstrip() for line in lines) == LONG
    assert all(line.endswith(" `") for line in lines[:-1])
    assert [line[:4].isspace() for line in lines] == [index > 0 for index in range(len(lines))]
    assert all(len(line) <= width or line.lstrip().count(" -") <= 1 for line in lines)


def test_short_commands_stay_as_they_are() -> None:
    assert management_shell_lines(["Get-CsSite", "Get-CsPool -Site Redmond"]) == [
        "Get-CsSite",
        "Get-CsPool -Site Redmond",
    ]


def test_of_thousands_the_first_are_shown_and_the_others_counted() -> None:
    grants = [f"Grant-CsVoicePolicy -Identity sip:{number}@contoso.com" for number in range(5000)]
    assert management_shell_lines([*grants, "Get-CsSite"], most=2) == [
        *grants[:2],
        "# and 4998 more of Grant-CsVoicePolicy",
        "Get-CsSite",
    ]
