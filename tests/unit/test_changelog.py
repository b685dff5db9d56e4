# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the changelog says of a version that nobody had before."""

from __future__ import annotations

import yaml
from running import CHECKOUT

CHANGELOGS = CHECKOUT / "changelogs"
#: What there can be only against an earlier version.
AGAINST_AN_EARLIER_ONE = {"bugfixes", "breaking_changes", "deprecated_features", "removed_features"}


def test_the_first_version_mends_and_removes_nothing_that_anybody_had() -> None:
    released = yaml.safe_load((CHANGELOGS / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
    if len(released) > 1:
        return
    for path in sorted((CHANGELOGS / "fragments").glob("*.yml")):
        fragment = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert not AGAINST_AN_EARLIER_ONE & set(fragment), path.name
