# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reading a trace costs, beside a bare loop over its lines with one expression, in the same run.

``cd tests && python -m benchmarks.traces [MiB]``
"""

from __future__ import annotations

import re
import resource
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.lync.remediation.plugins.plugin_utils.trace.trace_info import trace_info
from unit.trace import samples

_COMPONENT = (
    b"TL_INFO(TF_COMPONENT) [pool01\\fe01]0A10.0BC4::06/14/2013-08:15:%02d.%03d.%08X "
    b"(UserServices,CUser::Do:user.cpp(%d))( 00000000028FDD70 ) Exit - state unchanged for session\n"
)


def main(mebibytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fe01.txt"
        _write(file, mebibytes << 20)
        start = time.process_time()
        arguments = {"paths": [str(file)], "utc_offset": None, "evidence": 3, "mask": False}
        result = trace_info(arguments, lambda _file, _size: None)
        ours = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        expression = re.compile(rb"ms-client-diagnostics: (\d+)")
        start = time.process_time()
        with file.open("rb") as lines:
            hits = sum(1 for line in lines if expression.search(line))
        bare = time.process_time() - start
    print(
        f"{mebibytes} MiB: {mebibytes / ours:.0f} MiB/s, a bare loop {mebibytes / bare:.0f} MiB/s, "
        f"ratio {bare / ours:.2f}, at most {peak:.0f} MiB of memory; {len(result['findings'])} finding, {hits} lines"
    )


def _write(file: Path, size: int) -> None:
    with file.open("wb") as out:
        number = 0
        while out.tell() < size:
            for each in range(40):
                out.write(_COMPONENT % (each, each, number + each, each))
            for each in range(30):
                out.write(samples.message("fe01", f"08:15:00.{each:03}", True, f"c{number + each}"))
            if number % 2000 == 0:
                out.write(samples.REFUSED_488)
            number += 40


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
