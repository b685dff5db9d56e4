# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Front Ends get A/V credentials from their Edge ("It's About Time", confusedamused.com)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.deployment.certificates import AV_AUTHENTICATION, HeldCertificates
from lab.deployment.services import MEDIA_RELAY_AUTHENTICATION, REGISTRAR, ServiceControl
from lab.deployment.topology import Pool, Topology
from lab.windows.machine import ALIVE, Machine


@dataclass
class MediaAuthentication:
    """A/V authentication (MRAS) of all pools.

    It takes a running service, clocks that agree, and certificates that are valid by the computers' own clocks: an
    Edge's private key of AudioVideoAuthentication makes the credentials, and the Edges of a pool share it.

    ``tolerance``: by how many seconds a Front End's clock and its Edge's may differ.
    """

    topology: Topology
    control: ServiceControl
    machine: Callable[[str], Machine]
    tolerance: float
    certificates: Callable[[str], HeldCertificates]

    def failing(self, pool: Pool) -> list[str]:
        """The running Front Ends of the pool that get no credentials."""
        if pool.is_edge or pool.edge is None:
            return []
        edge = self.topology.pool(pool.edge)
        assert edge is not None
        edges = [self.machine(computer.fqdn) for computer in edge.computers]
        return [fqdn for fqdn in self.control.active(pool) if not self._served(self.machine(fqdn), edges)]

    def _served(self, front_end: Machine, edges: list[Machine]) -> bool:
        running = [edge for edge in edges if edge.is_running(MEDIA_RELAY_AUTHENTICATION)]
        return (
            bool(running)
            and all(
                _knows_its_clock(front_end, REGISTRAR)
                and _knows_its_clock(edge, MEDIA_RELAY_AUTHENTICATION)
                and abs(front_end.clock.error() - edge.clock.error()) <= self.tolerance
                and self._trust_each_other(front_end, edge)
                for edge in running
            )
            and self._take_each_others_tokens(running)
        )

    def _trust_each_other(self, front_end: Machine, edge: Machine) -> bool:
        """The certificates of their TLS connection are valid, by both clocks."""
        presented = (
            self.certificates(front_end.fqdn).assigned.get("Default"),
            self.certificates(edge.fqdn).assigned.get("Internal"),
        )
        moments = (front_end.clock.now(), edge.clock.now())
        return all(
            certificate is not None and certificate.valid_at(moment)
            for certificate in presented
            for moment in moments
        )

    def _take_each_others_tokens(self, edges: list[Machine]) -> bool:
        """Each Edge issues tokens with a certificate that is valid by its clock, and that all of them hold."""
        for edge in edges:
            now = edge.clock.now()
            issuing = self.certificates(edge.fqdn).in_force(AV_AUTHENTICATION, now)
            if issuing is None or not issuing.has_private_key or not issuing.valid_at(now):
                return False
            for other in edges:
                if issuing.thumbprint not in self.certificates(other.fqdn).accepted(AV_AUTHENTICATION):
                    return False
        return True


def _knows_its_clock(machine: Machine, service: str) -> bool:
    """The process runs, and began after the clock was last moved by much."""
    held = machine.service(service)
    return held is not None and held.status in ALIVE and held.clock_epoch == machine.clock_epoch
