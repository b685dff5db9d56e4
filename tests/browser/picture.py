# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture of the report in the README: python -m browser.picture, from tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.lync.remediation.plugins.plugin_utils.report.rendering import render
from unit.report.test_page import CHROMIUM, pages

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "report.png"
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1000,800",
)


def main() -> int:
    if not CHROMIUM:
        print("There is no Chromium on the PATH.")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, picture = folder / "drift.html", folder / "report.png"
        page.write_text(render("html", pages()["three"]), encoding="utf-8")
        own = (f"--user-data-dir={folder / 'profile'}", f"--screenshot={picture}")
        subprocess.run([CHROMIUM, *OPTIONS, *own, page.as_uri()], check=True, capture_output=True)
        shutil.copyfile(picture, PICTURE)
    print(f"{PICTURE}: {PICTURE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
