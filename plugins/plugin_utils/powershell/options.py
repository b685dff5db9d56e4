# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options, with the names and meanings of the ``ansible.builtin.psrp`` connection plugin, as pypsrp takes
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import Endpoint

# Handed to pypsrp under the same name.
_SAME_NAME = (
    "connection_timeout",
    "operation_timeout",
    "read_timeout",
    "max_envelope_size",
    "proxy",
    "certificate_key_pem",
    "certificate_pem",
    "certificate_key_password",
    "credssp_auth_mechanism",
    "credssp_disable_tlsv1_2",
    "credssp_minimum_version",
    "negotiate_send_cbt",
    "negotiate_delegate",
    "negotiate_hostname_override",
    "negotiate_service",
)


@dataclass(frozen=True)
class ConnectionOptions:
    """One endpoint's options. Times are seconds. ``repr`` never shows the password."""

    name: str
    host: str
    port: int
    protocol: str
    path: str
    user: str | None
    password: str | None = field(repr=False)
    authentication: str
    configuration_name: str
    idle_timeout: int
    keep_session: bool
    command_timeout: int
    management_module: str
    retries: int
    retry_backoff: float
    no_profile: bool
    wsman: dict[str, Any] = field(repr=False)

    @classmethod
    def from_plugin(cls, option: Callable[[str], Any]) -> ConnectionOptions:
        """``option`` is the connection plugin's ``get_option``."""
        protocol, port = _protocol_and_port(option("protocol"), option("port"))
        wsman = {name: option(name) for name in _SAME_NAME}
        wsman["cert_validation"] = option("cert_validation") != "ignore" and (option("ca_cert") or True)
        wsman["encryption"] = option("message_encryption")
        wsman["no_proxy"] = option("ignore_proxy")
        return cls(
            name=option("inventory_hostname") or option("remote_addr"),
            host=option("remote_addr"),
            port=port,
            protocol=protocol,
            path=option("path").lstrip("/"),
            user=option("remote_user"),
            password=option("remote_password"),
            authentication=option("auth"),
            configuration_name=option("configuration_name"),
            idle_timeout=option("idle_timeout"),
            keep_session=option("keep_session"),
            command_timeout=option("command_timeout"),
            management_module=option("management_module"),
            retries=option("reconnection_retries"),
            retry_backoff=float(option("reconnection_backoff")),
            no_profile=option("no_profile"),
            wsman=wsman,
        )

    @property
    def endpoint(self) -> Endpoint:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return Endpoint(
            url=f"{self.protocol}://{host}:{self.port}/{self.path}",
            name=self.name,
            host=self.host,
            user=self.user,
            authentication=self.authentication,
            configuration_name=self.configuration_name,
        )

    def for_pypsrp(self) -> dict[str, Any]:
        """The keyword arguments of ``pypsrp.wsman.WSMan``. Retrying is this room's own business, hence none of
        pypsrp's.
        """
        return {
            "server": self.host,
            "port": self.port,
            "username": self.user,
            "password": self.password,
            "ssl": self.protocol == "https",
            "path": self.path,
            "auth": self.authentication,
            "reconnection_retries": 0,
            **{name: value for name, value in self.wsman.items() if value is not None},
        }


def _protocol_and_port(protocol: str | None, port: Any) -> tuple[str, int]:
    """The defaults of ``ansible.builtin.psrp``: HTTPS on 5986, unless the port is WinRM's for HTTP."""
    if port is None:
        return protocol or "https", 5985 if protocol == "http" else 5986
    return protocol or ("http" if int(port) == 5985 else "https"), int(port)
