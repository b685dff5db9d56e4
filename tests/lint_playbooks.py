# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-lint as it is, but that its syntax check of each playbook and role starts no Ansible of its own.

What a check says is left to the command itself: it runs for each check that fails here.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansiblelint import __main__ as ansible_lint
from ansiblelint import runner
from forked_ansible import AnsibleForks


def main() -> None:
    gc.disable()  # a run is short, and keeps nearly all that it makes
    forks, one_at_a_time = AnsibleForks(), threading.Lock()

    def run(command: list[str], **keywords: Any) -> Any:
        if command[:2] == ["ansible-playbook", "--syntax-check"]:
            with one_at_a_time, tempfile.TemporaryDirectory() as folder:
                checked = forks.start(command, Path.cwd(), keywords["env"], Path(folder, "output"))
                if checked.wait(timeout=120) == 0:
                    return subprocess.CompletedProcess(command, 0, "", "")
        return subprocess.run(command, **keywords)

    runner.subprocess = SimpleNamespace(**{**vars(subprocess), "run": run})
    try:
        sys.exit(ansible_lint.main(["ansible-lint", *sys.argv[1:]]))
    finally:
        forks.close()


if __name__ == "__main__":
    main()
