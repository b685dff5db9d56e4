# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options, with the names and meanings of the ``ansible.builtin.psrp`` connection plugin, as pypsrp takes
them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import Endpoint, OptionsDoNotFit

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

# Windows takes no idle time-out below a minute (New-PSSessionOption), and no envelope below 8 KiB (MS-WSMAN section
# 3.1.4.1.9); less than twice that leaves no room for what pypsrp puts around the smallest command.
_LEAST_IDLE_SECONDS = 60
_LEAST_ENVELOPE = 16384

_ENCRYPTING = frozenset({"negotiate", "kerberos", "ntlm", "credssp"})


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
    idle_timeout: int | None
    open_timeout: int
    operation_timeout: int
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
            open_timeout=option("open_timeout"),
            operation_timeout=option("operation_timeout"),
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
            proxy=self._proxy(),
        )

    def check(self) -> None:
        """Raises `errors.OptionsDoNotFit` for what cannot work with any server."""
        for reason in self._contradictions():
            raise OptionsDoNotFit(self.endpoint, reason)

    def _contradictions(self) -> Iterator[str]:
        read, operation = self.wsman["read_timeout"], self.operation_timeout
        at_least = {
            "ansible_psrp_connection_timeout": (self.wsman["connection_timeout"], 1),
            "ansible_psrp_operation_timeout": (operation, 1),
            "ansible_management_shell_open_timeout": (self.open_timeout, 1),
            "ansible_management_shell_command_timeout": (self.command_timeout, 0),
            "ansible_management_shell_idle_timeout": (self.idle_timeout, _LEAST_IDLE_SECONDS),
            "ansible_psrp_reconnection_retries": (self.retries, 0),
            "ansible_psrp_reconnection_backoff": (self.retry_backoff, 0),
            "ansible_psrp_max_envelope_size": (self.wsman["max_envelope_size"], _LEAST_ENVELOPE),
        }
        for name, (value, least) in at_least.items():
            if value is not None and not least <= value < math.inf:
                yield f"{name} is {value}, and must be at least {least}"
        if read <= operation:
            yield (
                f"ansible_psrp_read_timeout ({read}) must be more than ansible_psrp_operation_timeout ({operation}), "
                "or an answer would be given up before the server has to send it"
            )
        encryption = self.wsman["encryption"]
        if self.authentication not in _ENCRYPTING and encryption == "always":
            yield (
                f"ansible_psrp_message_encryption: always cannot be had with ansible_psrp_auth: {self.authentication}, "
                "which has no keys to encrypt with"
            )
        if not 0 < self.port < 2**16:
            yield f"ansible_port is {self.port}, and must be between 1 and 65535"
        files = {
            "ansible_psrp_ca_cert": self.wsman["cert_validation"],
            "ansible_psrp_certificate_pem": self.wsman["certificate_pem"],
            "ansible_psrp_certificate_key_pem": self.wsman["certificate_key_pem"],
        }
        for name, path in files.items():
            if isinstance(path, str) and not Path(path).exists():
                yield f"{name} is {path}, which does not exist"
        if self.authentication == "basic" and not _is_latin_1(self.user, self.password):
            yield (
                "the user name or the password holds characters that ansible_psrp_auth: basic cannot carry (ISO 8859-1 "
                "alone)"
            )
        if self.authentication == "certificate" and self.protocol == "http":
            yield "ansible_psrp_auth: certificate needs ansible_psrp_protocol: https"

    def _proxy(self) -> tuple[str, str] | None:
        if self.wsman["proxy"]:
            return _without_password(self.wsman["proxy"]), "ansible_psrp_proxy"
        if self.wsman["no_proxy"]:
            return None
        for name in (f"{self.protocol}_proxy", f"{self.protocol}_proxy".upper(), "all_proxy", "ALL_PROXY"):
            if os.environ.get(name):
                return _without_password(os.environ[name]), f"the environment variable {name}"
        return None

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


def _is_latin_1(*texts: str | None) -> bool:
    return all(ord(character) < 256 for text in texts for character in text or "")


def _without_password(url: str) -> str:
    credentials = urlsplit(url if "://" in url else f"http://{url}").netloc.rpartition("@")[0]
    return url.replace(f"{credentials}@", "", 1) if credentials else url


def _protocol_and_port(protocol: str | None, port: Any) -> tuple[str, int]:
    """The defaults of ``ansible.builtin.psrp``: HTTPS on 5986, unless the port is WinRM's for HTTP."""
    if port is None:
        return protocol or "https", 5985 if protocol == "http" else 5986
    return protocol or ("http" if int(port) == 5985 else "https"), int(port)
