"""Network: the worked examples."""

from __future__ import annotations

import pytest

from components import networks
from isostack.assess.network import NODE_PREFIX, arp_failover, node_networks


def test_an_address_moves_when_the_lease_has_run_out_and_somebody_looks() -> None:
    assert arp_failover() == 17
    assert arp_failover(5, 1) == 6


@pytest.mark.parametrize(("cidr", "nodes"), [("10.244.0.0/16", 256), ("10.245.0.0/20", 16), ("10.0.0.0/24", 1)])
def test_each_node_takes_a_part_of_the_pod_network(cidr: str, nodes: int) -> None:
    assert node_networks(cidr) == nodes


def test_a_part_is_as_large_as_the_plan_takes_it() -> None:
    assert NODE_PREFIX == networks.NODE_PREFIX
