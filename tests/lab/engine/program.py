# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A native program of a simulated computer (w32tm, tzutil ...), named before its arguments: asks the model."""

import json
import os
import socket
import sys

host, _, port = os.environ["LAB_MODEL_ADDRESS"].partition(":")
with (
    socket.create_connection((host, int(port))) as connection,
    connection.makefile("rw", encoding="utf-8") as talk,
):
    request = {
        "token": os.environ["LAB_MODEL_TOKEN"],
        "command": sys.argv[1],
        "arguments": sys.argv[2:],
    }
    talk.write(json.dumps(request) + "\n")
    talk.flush()
    for line in talk:
        kind, content = json.loads(line)
        if kind == "output":
            print(content, flush=True)
        elif kind == "program_error":
            print(content, file=sys.stderr, flush=True)
        elif kind == "exit_code":
            sys.exit(content & 0xFF)
sys.exit(1)
