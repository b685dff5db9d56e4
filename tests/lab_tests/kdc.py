# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real MIT Kerberos key distribution centre on loopback, for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

REALM = "CONTOSO.COM"
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def available() -> bool:
    """Whether Debian's krb5-kdc and krb5-user are installed."""
    return all(shutil.which(name, path=_SBIN) for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"))


class KeyDistributionCentre:
    """A realm of its own. ``environment`` makes Kerberos clients and servers use it."""

    def __init__(self, directory: Path, address: str) -> None:
        self._address = address
        with socket.create_server((address, 0)) as free:
            self._port = free.getsockname()[1]
        self.keytab = directory / "server.keytab"
        self.environment = {
            "KRB5_CONFIG": str(directory / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(directory / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{directory / 'ccache'}",
        }
        (directory / "krb5.conf").write_text(
            f"""
[libdefaults]
  default_realm = {REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  {REALM} = {{
    kdc = {address}:{self._port}
  }}
[domain_realm]
  .contoso.com = {REALM}
"""
        )
        (directory / "kdc.conf").write_text(
            f"""
[kdcdefaults]
  kdc_listen = {address}:{self._port}
  kdc_tcp_listen = {address}:{self._port}
[realms]
  {REALM} = {{
    database_name = {directory / "principal"}
    key_stash_file = {directory / "stash"}
    acl_file = {directory / "acl"}
  }}
[logging]
  kdc = FILE:{directory / "kdc.log"}
"""
        )
        self._run("kdb5_util", "create", "-s", "-P", "master", "-r", REALM)
        self._process: subprocess.Popen[bytes] | None = None

    def add_user(self, name: str, password: str) -> None:
        self._run("kadmin.local", "-q", f'addprinc -pw "{password}" {name}')

    def add_service(self, name: str) -> None:
        """A service whose key goes to the keytab."""
        self._run("kadmin.local", "-q", f"addprinc -randkey {name}")
        self._run("kadmin.local", "-q", f"ktadd -k {self.keytab} {name}")

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["krb5kdc", "-n", "-r", REALM], env={**os.environ, **self.environment, "PATH": _SBIN}
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection((self._address, self._port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("the key distribution centre does not answer")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _run(self, *command: str) -> None:
        subprocess.run(
            command, env={**os.environ, **self.environment, "PATH": _SBIN}, check=True, capture_output=True
        )
