# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication of one TCP connection, as http.sys and WinRM do it.

Negotiate, NTLM, Kerberos and CredSSP authenticate the connection: once accepted, further requests on it need no header.
Basic comes with every request.  The security context also seals messages (see ``encryption``).

Kerberos needs a keytab, python-gssapi and python-krb5; without them only NTLM is accepted within Negotiate.  A client
puts the time of the domain controller that gave it its ticket into its messages, so a server whose clock is off from
that by more than five minutes refuses them (MIT's library takes that time over: kdc_timesync; a member of the domain
has it anyway).  The tests' key distribution centre has this machine's time, hence the lab compares, not MIT's code.
"""

from __future__ import annotations

import base64
import binascii
import functools
import importlib.util
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import spnego
import spnego.tls
from spnego._ntlm_raw.crypto import ntowfv1
from spnego.channel_bindings import GssChannelBindings

from ..contract import Account, Caller, Listener, Server
from .ntlm import challenger

#: AV_PAIR MsvAvChannelBindings with its 16 bytes (MS-NLMP 2.2.2.1).
_NTLM_BINDINGS = re.compile(rb"\x0a\x00\x10\x00(.{16})", re.DOTALL)
#: "Maximum tolerance for computer clock synchronization" of a domain (Microsoft Learn).
_CLOCK_SKEW_S = 300
_GSS_C_CHANNEL_BOUND_FLAG = 2048
_CERTIFICATE_PROFILE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass(frozen=True)
class Accepted:
    caller: Caller
    token: str | None = None  # value of a WWW-Authenticate header that completes the exchange


@dataclass(frozen=True)
class Refused:
    """Answer 401 with these WWW-Authenticate headers."""

    challenges: tuple[str, ...]
    account: str | None = None  # set when somebody tried and failed
    reason: str = ""


class Accounts:
    """Who may log on to a server, found by any of the names a client may use."""

    def __init__(self, server: Server, store: Path) -> None:
        self._server = server
        self._store = store
        self._written: list[tuple[str, str, str]] | None = None

    def find(self, name: str) -> Account | None:
        wanted = name.casefold()
        for account in self._server.accounts:
            if wanted in spellings(account):
                return account
        return None

    def credential_file(self) -> Path:
        """The accounts in the smbpasswd form pyspnego's NTLM acceptor reads: hashes, no passwords."""
        accounts = [(account.name, account.principal, account.password) for account in self._server.accounts]
        if accounts != self._written:
            lines = []
            for account in self._server.accounts:
                nt_hash = base64.b16encode(ntowfv1(account.password)).decode()
                lines += [f"{name}:0:{'0' * 32}:{nt_hash}:[U]:LCT-00000000\n" for name in spellings(account)]
            self._store.parent.mkdir(parents=True, exist_ok=True)
            self._store.touch(mode=0o600)
            self._store.write_text("".join(lines), encoding="utf-8")
            self._written = accounts
        return self._store


def spellings(account: Account) -> list[str]:
    """The names, casefolded, a client may give: DOMAIN\\user, user@domain, and user."""
    names = [account.name, account.name.rpartition("\\")[2]]
    if account.principal:
        names.append(account.principal)
    return [name.casefold() for name in names]


class Connection:
    """The authentication state of one TCP connection."""

    def __init__(
        self, server: Server, listener: Listener, accounts: Accounts, certificate_hash: bytes | None
    ) -> None:
        self._server = server
        self._listener = listener
        self._accounts = accounts
        self._bindings = (
            GssChannelBindings(application_data=b"tls-server-end-point:" + certificate_hash)
            if certificate_hash is not None
            else None
        )
        self._caller: Caller | None = None
        self._scheme = ""
        self.context: spnego.ContextProxy | None = None

    def authenticate(
        self, authorization: str | None, certificate_principal: str | None
    ) -> Accepted | Refused:
        """Look at one request's Authorization header."""
        if not authorization:
            return Accepted(self._caller) if self._caller is not None else Refused(self._offers())
        scheme, _, credentials = authorization.strip().partition(" ")
        offered = self._listener.authentication
        if scheme.lower() == "basic" and "basic" in self._offered_schemes():
            return self._basic(credentials)
        if scheme.lower() in ("negotiate", "ntlm", "kerberos") and offered & {
            "negotiate",
            "ntlm",
            "kerberos",
        }:
            return self._step(scheme, credentials)
        if scheme.lower() == "credssp" and "credssp" in offered:
            return self._step(scheme, credentials)
        if scheme == _CERTIFICATE_PROFILE and "certificate" in offered:
            return self._certificate(certificate_principal)
        return Refused(self._offers())

    def forget(self) -> tuple[str, ...]:
        """Whoever was accepted is to authenticate again; the challenges that say so."""
        self._caller = None
        return self._offers()

    def _offered_schemes(self) -> list[str]:
        """In WinRM's order. Basic is not offered where it would be unencrypted and that is not allowed."""
        offered = self._listener.authentication
        schemes = []
        if offered & {"negotiate", "ntlm", "kerberos"}:
            schemes.append("negotiate")
        if "kerberos" in offered:
            schemes.append("kerberos")
        if "basic" in offered and (self._listener.scheme == "https" or self._listener.allow_unencrypted):
            schemes.append("basic")
        if "credssp" in offered:
            schemes.append("credssp")
        return schemes

    def _offers(self) -> tuple[str, ...]:
        offers = {"basic": 'Basic realm="WSMAN"', "credssp": "CredSSP"}
        return tuple(offers.get(scheme, scheme.capitalize()) for scheme in self._offered_schemes())

    def _refuse(self, account: str, reason: str) -> Refused:
        self._caller = None
        self.context = None
        return Refused(self._offers(), account, reason)

    def _accept(
        self, name: str, authentication: str, delegated: bool, token: str | None = None
    ) -> Accepted | Refused:
        account = self._accounts.find(name)
        if account is None:
            return self._refuse(name, "unknown account")
        if account.refusal:
            return self._refuse(account.name, account.refusal)
        caller = Caller(account.name, authentication, delegated)
        if authentication != "basic":
            self._caller = caller
        return Accepted(caller, token)

    def _basic(self, credentials: str) -> Accepted | Refused:
        try:
            name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return Refused(self._offers())
        account = self._accounts.find(name)
        if account is None or account.password != password:
            return self._refuse(name, "wrong name or password")
        # The server knows the password, so it can log on to a further computer.
        return self._accept(name, "basic", delegated=True)

    def _certificate(self, principal: str | None) -> Accepted | Refused:
        if principal is None:
            return Refused(self._offers())
        return self._accept(principal, "certificate", delegated=False)

    def _step(self, scheme: str, credentials: str) -> Accepted | Refused:
        """One leg of Negotiate (RFC 4559), NTLM, Kerberos or CredSSP (MS-CSSP)."""
        try:
            token = base64.b64decode(credentials, validate=True)
        except binascii.Error:
            return Refused(self._offers())
        if scheme.lower() == "kerberos" and b"NTLMSSP\x00" in token:
            return self._refuse(claimed_account(token), "NTLM is no Kerberos")
        if self.context is None or self.context.complete:
            self._caller = None
            self._scheme = scheme
        try:
            # pyspnego finds its credentials by these variables; everything here runs on one thread.
            os.environ["NTLM_USER_FILE"] = str(self._accounts.credential_file())
            os.environ["KRB5_KTNAME"] = self._server.keytab or "MEMORY:none"
            challenger.set(self._server)
            if self.context is None or self.context.complete:
                self.context = self._new_context(scheme)
            answer = self.context.step(token, channel_bindings=self._bindings_to_check(token))
        except Exception as error:
            # Besides its own errors pyspnego raises whatever a malformed token makes its parsers raise.
            return self._refuse(claimed_account(token), str(error) or repr(error))
        reply = f"{scheme} {base64.b64encode(answer).decode()}" if answer else None
        if not self.context.complete:
            if self.context.get_extra_info("auth_stage") == "Authentication failure":
                # CredSSP tells its client why, inside TLS; pyspnego has the account only when it is accepted.
                return replace(
                    self._refuse("?", "CredSSP: wrong name or password"), challenges=(reply or scheme,)
                )
            return Refused((reply or scheme,))
        principal = self.context.client_principal or ""
        used = self.context.negotiated_protocol or "ntlm"
        offset = self._server.clock_offset_s if used == "kerberos" else 0.0
        if abs(offset) > _CLOCK_SKEW_S:
            return self._refuse(principal, f"KRB_AP_ERR_SKEW: the server's clock is off by {offset:g} s")
        if scheme.lower() == "credssp":
            return self._accept(principal, "credssp", delegated=True, token=reply)
        delegated = bool(self.context.context_attr & spnego.ContextReq.delegate)
        if used == "kerberos" and self._asks_for_bindings and not channel_bound(self.context):
            return self._refuse(principal, "the ticket was sent without channel bindings")
        return self._accept(principal, used, delegated, reply)

    def _new_context(self, scheme: str) -> spnego.ContextProxy:
        protocol, more = "negotiate", {}
        if scheme.lower() == "credssp":
            protocol, more = "credssp", {"credssp_tls_context": credssp_tls()}
        return spnego.server(
            hostname=self._server.fqdn,
            service="HTTP",
            protocol=protocol,
            options=spnego.NegotiateOptions.use_negotiate,
            **more,
        )

    @property
    def _asks_for_bindings(self) -> bool:
        return self._bindings is not None and self._listener.channel_binding == "strict"

    def _bindings_to_check(self, token: bytes) -> GssChannelBindings | None:
        """CbtHardeningLevel: 'relaxed' checks the bindings of clients that send them, 'strict' asks for them."""
        if self._bindings is None or self._listener.channel_binding == "none":
            return None
        if self._asks_for_bindings:
            return self._bindings
        sent = _NTLM_BINDINGS.search(token)
        return self._bindings if sent is not None and any(sent.group(1)) else None


def channel_bound(context: spnego.ContextProxy) -> bool:
    """Whether the client of an accepted Kerberos ticket bound it to its channel.

    MIT's acceptor takes a ticket without bindings even if it has some to compare; it tells by a flag, which
    pyspnego does not hand on.
    """
    kerberos = getattr(context, "_context", context)  # within Negotiate there is another context
    return bool(kerberos._context_attr & _GSS_C_CHANNEL_BOUND_FLAG)


@functools.cache
def credssp_tls() -> Any:
    """The certificate CredSSP's inner TLS shows: self-signed, as a server's own is; one for the whole lab."""
    certificate, key, public_key = spnego.tls.generate_tls_certificate()
    tls = spnego.tls.default_tls_context(usage="accept")
    with NamedTemporaryFile() as file:
        file.write(certificate + key)
        file.flush()
        tls.context.load_cert_chain(file.name)
    tls.public_key = public_key
    return tls


def claimed_account(token: bytes) -> str:
    """Whom an NTLM AUTHENTICATE message claims to be, for the journal; '?' if it is none."""
    start = token.find(b"NTLMSSP\x00\x03\x00\x00\x00")
    if start < 0:
        return "?"
    message = token[start:]

    def field(offset: int) -> str:
        length = int.from_bytes(message[offset : offset + 2], "little")
        at = int.from_bytes(message[offset + 4 : offset + 8], "little")
        return message[at : at + length].decode("utf-16-le", "replace")

    domain, user = field(28), field(36)
    return f"{domain}\\{user}" if domain else user


def check_kerberos(servers: Sequence[Server]) -> None:
    """Raise ValueError if a server has a keytab and nothing here could use it."""
    missing = [name for name in ("gssapi", "krb5") if importlib.util.find_spec(name) is None]
    if missing and any(server.keytab for server in servers):
        raise ValueError(
            f"a server has a keytab, but Kerberos needs the Python packages {' and '.join(missing)}: "
            "pip install 'pyspnego[kerberos]'"
        )
