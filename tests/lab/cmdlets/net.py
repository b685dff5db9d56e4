# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""net.exe, as far as it is about services: ``net start`` and ``net stop``.

Texts and numbers are those of Windows' netmsg.dll (published many times; the numbers are those of lmerr.h).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.cmdlets.windows_services import wait_for
from lab.deployment.services import ServiceDisabled
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements
from lab.windows.machine import RUNNING, START_PENDING, STOP_PENDING, STOPPED, WindowsService

#: What it says of an error, and its number.
_ALREADY_STARTED = ("The requested service has already been started.", 2182)
_NOT_STARTED = ("The {display_name} service is not started.", 3521)
_INVALID_NAME = ("The service name is invalid.", 2185)
_COULD_NOT_START = ("The {display_name} service could not be started.", 3523)
#: A service that is disabled: ERROR_SERVICE_DISABLED, as the system says it.
_DISABLED = (
    "System error 1058 has occurred.\r\n\r\nThe service cannot be started, either because it is disabled or because it "
    "has no enabled devices associated with it."
)
_SYNTAX = "The syntax of this command is:\r\n\r\nNET\r\n    [ START | STOP ]"


def is_write(arguments: Sequence[str]) -> bool:
    """Whether it starts or stops something."""
    return len(arguments) > 1 and arguments[0].lower() in ("start", "stop")


@implements("net")
def net(invocation: Invocation) -> Iterator[str]:
    verb, *names = invocation.get("Arguments") or [""]
    if verb.lower() == "start" and not names:
        yield from _started(invocation)
    elif verb.lower() in ("start", "stop") and names:
        name = " ".join(names).lower()
        services = invocation.session.machine.services.values()
        service = next((s for s in services if name in (s.name.lower(), s.display_name.lower())), None)
        if service is None:
            yield from _failed(invocation, _INVALID_NAME)
        elif verb.lower() == "start":
            yield from _start(invocation, service)
        else:
            yield from _stop(invocation, service)
    else:
        invocation.exit_code = 1
        invocation.program_error(_SYNTAX)


def _started(invocation: Invocation) -> Iterator[str]:
    services = invocation.session.machine.services.values()
    running = sorted((s.display_name for s in services if s.status == RUNNING), key=str.lower)
    yield from ("These Windows services are started:", "", *(f"   {name}" for name in running))
    yield from ("", "The command completed successfully.", "")


def _start(invocation: Invocation, service: WindowsService) -> Iterator[str]:
    session = invocation.session
    if service.status != STOPPED:
        yield from _failed(invocation, _ALREADY_STARTED)
        return
    try:
        session.deployment.control.start(session.machine, service, session.machine.start_seconds(service))
    except ServiceDisabled:
        invocation.exit_code = 2
        invocation.program_error(f"{_DISABLED}\r\n")
        return
    yield f"The {service.display_name} service is starting."
    # It waits as long as the service asks for, which the lab's services do not say (assumed: half a minute).
    wait_for(invocation, lambda: service.status != START_PENDING, 30.0)
    if service.status == RUNNING:
        yield f"The {service.display_name} service was started successfully."
        yield ""
    else:
        yield from _failed(invocation, _COULD_NOT_START, service)


def _stop(invocation: Invocation, service: WindowsService) -> Iterator[str]:
    session = invocation.session
    if service.status == STOPPED:
        yield from _failed(invocation, _NOT_STARTED, service)
        return
    session.deployment.control.stop(session.machine, service, session.machine.stop_seconds(service))
    yield f"The {service.display_name} service is stopping."
    wait_for(invocation, lambda: service.status != STOP_PENDING, float("inf"))
    yield f"The {service.display_name} service was stopped successfully."
    yield ""


def _failed(
    invocation: Invocation, error: tuple[str, int], service: WindowsService | None = None
) -> Iterator[str]:
    """On standard error, with exit code 2."""
    text, number = error
    shown = text.format(display_name=service.display_name if service else "")
    invocation.exit_code = 2
    invocation.program_error(f"{shown}\r\n\r\nMore help is available by typing NET HELPMSG {number}.\r\n")
    yield from ()
