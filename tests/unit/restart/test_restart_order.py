# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No round has two servers of one pool; Edge Servers come first; what is down already comes before what still
runs.
"""

from __future__ import annotations

from ansible_collections.lync.remediation.plugins.plugin_utils.restart.restart_order import Candidate, rounds
from hypothesis import given
from hypothesis import strategies as st

candidates = st.lists(
    st.builds(
        Candidate,
        host=st.integers(0, 10**6).map("host{}".format),
        pool=st.sampled_from(["edgepool", "pool01", "pool02", "pool03"]),
        is_edge=st.just(False),
        position=st.integers(0, 11),
        running=st.booleans(),
    ),
    unique_by=lambda each: each.host,
    max_size=20,
).map(
    lambda all_of_them: [
        Candidate(**{**vars(each), "is_edge": each.pool == "edgepool"}) for each in all_of_them
    ]
)


@given(candidates)
def test_every_server_once_and_one_of_a_pool_at_a_time(servers: list[Candidate]) -> None:
    found = rounds(servers)
    by_host = {each.host: each for each in servers}
    assert sorted(host for one in found for host in one) == sorted(by_host)
    assert all(one for one in found)
    for one in found:
        pools = [by_host[host].pool for host in one]
        assert len(pools) == len(set(pools))
    order = [by_host[host] for one in found for host in one]
    assert [each.is_edge for each in order] == sorted((each.is_edge for each in order), reverse=True)
    for pool in {each.pool for each in servers}:
        running = [each.running for each in order if each.pool == pool]
        assert running == sorted(running)


def test_the_order_of_a_deployment() -> None:
    servers = [
        Candidate("fe1", "pool01", False, 0, True),
        Candidate("fe2", "pool01", False, 1, True),
        Candidate("fe3", "pool01", False, 2, False),
        Candidate("fe4", "POOL02", False, 0, True),
        Candidate("edge1", "edge", True, 0, True),
        Candidate("edge2", "edge", True, 1, True),
    ]
    assert rounds(servers) == [["edge2"], ["edge1"], ["fe3", "fe4"], ["fe2"], ["fe1"]]
