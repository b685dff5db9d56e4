# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a runspace pool on a server, or going on with one that an earlier worker opened, and its HTTP connection.

A WSMan shell outlives the HTTP connection that opened it (MS-WSMV section 3.1.4.1), so a runspace pool can be continued
by another process that knows its ids, its protocol versions, how far its fragment counter has come, and the cookies by
which a load balancer finds the server again; `SessionRecord` is that knowledge.
"""

from __future__ import annotations

import importlib
import itertools
import os
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import OpeningTimedOut
from .options import ConnectionOptions
from .pypsrp_library import Pool, RunspacePoolState, SelectorSet, Wire, require_pypsrp
from .session_record import SessionRecord
from .transport_errors import (
    TRANSPORT_ERRORS,
    is_fault,
    is_hardly_read,
    is_never_accepted,
    is_never_sent,
    is_time_out,
    is_transient,
    refusal,
)

Returned = TypeVar("Returned")

# What cannot be had without a library that pypsrp does not need otherwise.
_LIBRARIES = {"kerberos": "gssapi", "credssp": "requests_credssp"}

# A kept-alive connection that has been idle for longer may have been closed by the server (http.sys: 120 s); pypsrp
# does not recover from that when messages are encrypted, so a new connection is made instead.
_CONNECTION_FRESH_SECONDS = 60

# From this protocol on (PowerShell 3) a pipeline may hold several statements, and a server takes messages of 500 KiB
# and not only of 150 (pypsrp, WSMan.max_payload_size).
_VERSION_3 = (2, 2)
_SMALL_ENVELOPE, _LARGE_ENVELOPE = 153600, 512000

# After how many seconds without a request a server ends the session. Windows Remote Management 2.0 allows an account
# five sessions at a time, so that one that was lost must not be in the way for long.
_IDLE_SECONDS, _IDLE_SECONDS_VERSION_2 = 300, 60

_IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
_IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    f'<wsmid:Identify xmlns:wsmid="{_IDENTITY}"/></s:Body></s:Envelope>'
).encode()


class Opened:
    """An open runspace pool and its HTTP connection."""

    def __init__(self, options: ConnectionOptions, pool: Pool, record: SessionRecord) -> None:
        self.options = options
        self.pool = pool
        self.record = record
        #: Whether a pipeline may be left on the server that nobody has said goodbye to.
        self.doubtful = False
        self._last_used = time.monotonic()

    @property
    def is_version_2(self) -> bool:
        """PowerShell 2, with Windows Remote Management 2.0: one statement a pipeline, identities are the server's."""
        return version(self.record.protocol_version) < _VERSION_3

    def touch(self) -> None:
        self._last_used = time.monotonic()

    def refresh(self) -> None:
        if time.monotonic() - self._last_used > _CONNECTION_FRESH_SECONDS:
            self.reconnect()

    def reconnect(self) -> None:
        """Make the next request use a new, newly authenticated HTTP connection. The session itself stays."""
        self.pool.wire.redial()

    def with_retries(
        self, attempt: Callable[[], Returned], may_retry: Callable[[Exception], bool]
    ) -> Returned:
        """Call; while the server cannot be reached, again after the back-off times."""
        return _with_retries(self.options, attempt, may_retry, self.reconnect)

    def up_to_date_record(self) -> SessionRecord:
        self.record.fragment_counter = self.pool._fragmenter.outgoing_counter
        self.record.cookies = self.pool.wire.cookies
        return self.record

    def delete(self) -> bool:
        """End the session on the server, with one request; whether the server has said that it is gone."""
        try:
            self.pool.close()
        except TRANSPORT_ERRORS as error:
            return is_fault(error)
        finally:
            self.hang_up()
        return True

    def hang_up(self) -> None:
        self.pool.connection.close()


def check_options(options: ConnectionOptions) -> None:
    """Raises `errors.MissingLibrary` and the subclasses of `errors.ConnectionRefused` for which no server is asked."""
    require_pypsrp()
    options.check()
    try:
        _new_wire(options, options.for_pypsrp(), [])
        _load_library(options)
    except TRANSPORT_ERRORS as error:
        raise refusal(error, options.endpoint) from error


def _load_library(options: ConnectionOptions) -> None:
    """Which pypsrp loads no sooner than it authenticates. Raises ImportError.

    Negotiate is Kerberos or NTLM; without a library for the former, the latter must have an account, which pyspnego
    looks for in the file that NTLM_USER_FILE names if it is given none.
    """
    library = _LIBRARIES.get(options.authentication)
    if options.authentication == "negotiate" and not (options.user and options.password):
        library = None if os.environ.get("NTLM_USER_FILE") else "gssapi"
    if library is not None:
        importlib.import_module(library)


def open_session(options: ConnectionOptions) -> Opened:
    """Open a session. Raises the subclasses of `errors.ConnectionRefused`."""
    require_pypsrp()
    options.check()
    try:
        _load_library(options)
        pool = _with_retries(options, lambda: _open(options), _may_open_again)
    except TRANSPORT_ERRORS as error:
        raise refusal(error, options.endpoint) from error
    return Opened(
        options,
        pool,
        SessionRecord(
            shell_id=_shell_id(pool),
            pool_id=pool.id,
            wsman_session_id=pool.connection.session_id,
            fragment_counter=pool._fragmenter.outgoing_counter,
            protocol_version=pool.protocol_version or "2.1",
            ps_version=pool.ps_version or "",
            serialization_version=pool.serialization_version or "",
            powershell_version=_powershell_version(pool),
            cookies=pool.wire.cookies,
        ),
    )


def resume_session(options: ConnectionOptions, record: SessionRecord) -> Opened:
    """Go on with a session. Sends nothing: whether it is still there shows with the first request."""
    require_pypsrp()
    options.check()
    keywords = options.for_pypsrp()
    if version(record.protocol_version) >= _VERSION_3 and keywords["max_envelope_size"] == _SMALL_ENVELOPE:
        # What pypsrp does itself when it learns the version while opening.
        keywords["max_envelope_size"] = _LARGE_ENVELOPE
    try:
        pool = _new_pool(options, _new_wire(options, keywords, record.cookies), None)
    except TRANSPORT_ERRORS as error:
        raise refusal(error, options.endpoint) from error
    pool.connection.session_id = record.wsman_session_id
    pool.id = record.pool_id
    _select(pool, record.shell_id)
    pool._fragmenter.outgoing_counter = record.fragment_counter
    pool.protocol_version = record.protocol_version
    pool.ps_version = record.ps_version
    pool.serialization_version = record.serialization_version
    pool.state = RunspacePoolState.OPENED
    return Opened(options, pool, record)


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def back_off(options: ConnectionOptions, tried: int) -> None:
    """Wait 1, 2, 4 ... times the time that is configured."""
    time.sleep(options.retry_backoff * 2**tried)


def _with_retries(
    options: ConnectionOptions,
    attempt: Callable[[], Returned],
    may_retry: Callable[[Exception], bool],
    reconnect: Callable[[], None] = lambda: None,
) -> Returned:
    for tried in itertools.count():
        try:
            return attempt()
        except TRANSPORT_ERRORS as error:
            if tried >= options.retries or not is_transient(error) or not may_retry(error):
                raise
        back_off(options, tried)
        reconnect()
    raise AssertionError("unreachable")


def _may_open_again(error: Exception) -> bool:
    """A request that timed out is not repeated: the server may be opening a session all the while."""
    return is_never_sent(error) or not is_time_out(error)


def _open(options: ConnectionOptions) -> Pool:
    """One attempt. Leaves no session behind on a server that lets its clients name them."""
    wire = _new_wire(options, options.for_pypsrp(), [])
    idle_timeout = options.idle_timeout
    if idle_timeout is None:
        idle_timeout = _IDLE_SECONDS_VERSION_2 if _is_version_2(wire) else _IDLE_SECONDS
    pool = _new_pool(options, wire, idle_timeout)
    shell_id = pool.id
    try:
        pool.open()
    except TRANSPORT_ERRORS as error:
        accepted = bool(pool.shell.opened)
        if accepted or not (is_never_accepted(error) or is_never_sent(error)):
            _delete_quietly(pool, _shell_id(pool) if accepted else shell_id)
        if is_time_out(error) and not is_never_sent(error):
            raise OpeningTimedOut(options.endpoint, options.open_timeout) from error
        raise
    except BaseException:
        # As the task's own time-out does, which strikes anywhere.
        if pool.shell.opened:
            _delete_quietly(pool, _shell_id(pool))
        raise
    return pool


def _is_version_2(wire: Wire) -> bool:
    """Whether the server says that it is Windows Remote Management 2.0 (DSP0226 section 11, Identify).

    Its answer to Create comes too late: the idle time-out is asked for in that. Where a server does not answer this
    question as it should, nothing is known of it, and what follows shows what is wrong.
    """
    try:
        answer = wire.transport.send(_IDENTIFY)
    except TRANSPORT_ERRORS as error:
        if is_hardly_read(error) or is_transient(error) or is_time_out(error):
            raise
        return False
    return re.search(rb"ProductVersion>[^<]*Stack: *2\.", answer) is not None


def _new_wire(options: ConnectionOptions, keywords: dict[str, Any], cookies: list[dict[str, Any]]) -> Wire:
    wire = Wire(**keywords, open_timeout=options.open_timeout)
    wire.redial()
    wire.cookies = cookies
    return wire


def _new_pool(options: ConnectionOptions, wire: Wire, idle_timeout: int | None) -> Pool:
    return Pool(
        wire,
        open_timeout=options.open_timeout,
        configuration_name=options.configuration_name,
        idle_timeout=idle_timeout,
        no_profile=options.no_profile,
    )


def _select(pool: Pool, shell_id: str) -> None:
    pool.shell.id = shell_id
    pool.shell.opened = True
    pool.shell._selector_set = SelectorSet()
    pool.shell._selector_set.add_option("ShellId", shell_id)


def _delete_quietly(pool: Pool, shell_id: str) -> None:
    try:
        pool.wire.redial()
        _select(pool, shell_id)
        pool.shell.close()
    except TRANSPORT_ERRORS:
        pass
    finally:
        pool.connection.close()


def _shell_id(pool: Pool) -> str:
    """PowerShell 2 servers choose the shell's identity themselves, and tell it in the selectors alone."""
    selectors = pool.shell._selector_set
    named = selectors.values if selectors else []
    return next((value for name, value, *_attributes in named if name == "ShellId"), pool.id)


def _powershell_version(pool: Pool) -> str | None:
    """From the $PSVersionTable that servers send with the pool's private data (MS-PSRP section 2.2.2.17)."""
    private = pool.application_private_data
    table = (private.data or {}).get("PSVersionTable") if private else None
    return str(table["PSVersion"]) if isinstance(table, dict) and "PSVersion" in table else None
