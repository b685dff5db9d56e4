# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a shell of WinRM: a plug-in knows what its commands are, and what their streams carry (MS-WSMV 3.1.1)."""

from __future__ import annotations

import base64
import binascii
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, Protocol
from xml.etree import ElementTree

from ..host_process import HostProcess
from ..psrp.outbox import Delivery, Outbox, Piece
from . import fault
from .envelope import Request

#: Octets that the rsp:Stream element takes around its data.
STREAM_OVERHEAD = 96


class RunningCommand(Protocol):
    """A command of a shell, from its Command to its Terminate signal."""

    @property
    def over(self) -> bool: ...


class Plugin(ABC, Generic[Piece]):
    """One shell's. Called on the event loop."""

    #: The streams of a shell whose creator names none.
    input_streams: str
    output_streams: str

    def __init__(self, host: HostProcess) -> None:
        self.host = host

    @property
    @abstractmethod
    def commands(self) -> Mapping[str, RunningCommand]:
        """By identifier, in upper case. The other methods are called with an identifier that is in here, or None."""

    @abstractmethod
    def memory_mb(self) -> int:
        """What the host process takes (rsp:MemoryUsed)."""

    @abstractmethod
    def start(self, command_id: str, line: ElementTree.Element, request: Request) -> None:
        """Command: begin a new one."""

    @abstractmethod
    def send(self, command_id: str | None, stream: ElementTree.Element) -> None:
        """Send: input for a command or the shell."""

    @abstractmethod
    def signal(self, command_id: str, code: str) -> bool:
        """Signal: whether the command is to be forgotten now, see ``end``."""

    @abstractmethod
    def end(self, command_id: str) -> None:
        """The command is stopped, and gone."""

    @abstractmethod
    def outbox(self, command_id: str | None) -> Outbox[Piece]:
        """What a Receive looks at."""

    @abstractmethod
    def size(self, piece: Piece) -> int:
        """What a piece takes in an envelope, in octets."""

    @abstractmethod
    def delivered(self, command_id: str | None, delivery: Delivery[Piece]) -> str:
        """The content of a ReceiveResponse."""

    @abstractmethod
    def close(self, pending: str | None = None) -> None:
        """Stop everything; ``pending`` is the reason with which pending Receives end (see OutboxClosed)."""


def decode(text: str) -> bytes:
    """Base64 of a client. Raises Fault."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise fault.invalid_parameter() from error
