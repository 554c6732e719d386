"""Cases of the pack capacity."""

from __future__ import annotations

from typing import Any

from components.facts import Realisation
from components.quantity import parse_bytes
from components.rules import UNKNOWN, Stack
from policies.capacity.hosts import VM
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, realised, site, virtual
from tests.specs import rich

SHOP = virtual(rich())
"""14 VMs on 6 hosts in turn: control plane, web, db, partner; HA has one host in reserve."""
RESERVED = {"numCpus": 8, "memory": 32768, "memoryReservation": 32768}
NO_SURGE = Realisation(
    field="availability.surge", grade="degraded", mechanism="nodes are upgraded in place", reason="no host is spare"
)
SURGE = NO_SURGE.model_copy(update={"grade": "equal"})
CROWDED = {"workloads.4.replicas": 7}
"""Seven pods of 4Gi: more than one node of partner's two holds."""


def vms(**props: Any) -> Stack:
    """One VM that is a node and one that somebody added."""
    added = raw(VM, "mine", {**RESERVED, **props})
    return adding(SHOP, raw(VM, "shop-web-0", RESERVED, machine="shop-web-0"), added)


def in_zones(stack: Stack, memory: str) -> Stack:
    """The stack on hosts of so much memory, in the zones a, b and c in turn as its VMs are."""
    usable = parse_bytes(memory)
    hosts = (
        host.model_copy(update={"zone": "abc"[i % 3], "usable_memory": usable})
        for i, host in enumerate(stack.sites[0].hosts)
    )
    return site(stack, hosts=tuple(hosts))


CASES = (
    Case(
        "cap-n-plus-k",
        metal(rich(CROWDED)),
        (
            "spec pools.partner.nodes: the loss of host-shop-partner-0 leaves 1 of 2 nodes; pods of "
            "partner-feed take 2 nodes, by memory\n"
            "what finds no room stays Pending until a spare host joins, of 1 that there are",
        ),
    ),
    Case("cap-n-plus-k", metal(rich({"workloads.4.replicas": 6}))),
    Case(
        "cap-n-plus-k",
        site(metal(rich({"pools.2.nodes": 1})), spare_hosts=0),
        (
            "spec pools.partner.nodes: the loss of host-shop-partner-0 leaves 0 of 1 node; pods of "
            "partner-feed take 1 node, by memory\n"
            "what finds no room stays Pending until the host is repaired or replaced",
        ),
    ),
    Case(
        "cap-n-plus-k",
        virtual(rich(CROWDED), ha=False),
        (
            "spec pools.partner.nodes: the loss of esx0 leaves 1 of 2 nodes; pods of partner-feed take 2 "
            "nodes, by memory\n"
            "what finds no room stays Pending until the host is repaired or replaced",
        ),
    ),
    Case("cap-n-plus-k", virtual(rich({"workloads.4.replicas": 6}), ha=False)),
    Case("cap-n-plus-k", virtual(rich(CROWDED))),
    Case(
        "cap-n-plus-k",
        site(virtual(rich(CROWDED)), reserve_hosts=0),
        (
            "spec pools.partner.nodes: the loss of esx0 leaves 1 of 2 nodes; pods of partner-feed take 2 "
            "nodes, by memory\n"
            "what finds no room stays Pending until the host is repaired or replaced",
        ),
    ),
    Case("cap-n-plus-k", virtual(rich(), hosts=(), ha=False), undecided="the host of shop-web-0 is chosen later"),
    Case(
        "cap-zone-loss",
        virtual(rich(CROWDED)),
        (
            "spec pools.partner.nodes: the loss of zone a leaves 1 of 2 nodes, 0 of its 1 VM restarted by HA in "
            "other zones; pods of partner-feed take 2 nodes, by memory\n"
            "what finds no room stays Pending until the zone is back, or pods are fewer",
        ),
    ),
    # A should-rule lets HA restart them where there is room.
    Case("cap-zone-loss", in_zones(virtual(rich(CROWDED)), "512Gi")),
    Case(
        "cap-zone-loss",
        in_zones(virtual(rich({"workloads.1.replicas": 27})), "100Gi"),
        (
            "spec pools.web.nodes: the loss of zone c leaves 4 of 6 nodes, 0 of its 2 VMs restarted by HA in other "
            "zones; pods of checkout and catalogue take 5 nodes, by CPU\n"
            "what finds no room stays Pending until the zone is back, or pods are fewer",
        ),
    ),
    Case("cap-zone-loss", in_zones(virtual(rich({"workloads.1.replicas": 27})), "115Gi")),
    Case("cap-zone-loss", virtual(rich(CROWDED), hosts=()), undecided="the hosts of site main are not known"),
    Case(
        "cap-zone-loss",
        in_zones(virtual(rich(CROWDED), on={"shop-db-0": None}), "512Gi"),
        undecided="the host of shop-db-0 is chosen later",
    ),
    Case(
        "cap-zone-loss",
        virtual(rich({"workloads.1.replicas": 27}), ha=False),
        (
            "spec pools.web.nodes: the loss of zone a leaves 4 of 6 nodes; pods of checkout and catalogue "
            "take 5 nodes, by CPU\n"
            "what finds no room stays Pending until the zone is back, or pods are fewer",
        ),
    ),
    Case("cap-zone-loss", virtual(rich())),
    # Told by cap-n-plus-k.
    Case("cap-zone-loss", metal(rich(CROWDED))),
    Case(
        "cap-zone-loss",
        metal(rich({"workloads.1.replicas": 27})),
        (
            "spec pools.web.nodes: the loss of zone a leaves 4 of 6 nodes; pods of checkout and catalogue "
            "take 5 nodes, by CPU\n"
            "what finds no room stays Pending until the zone is back, or pods are fewer",
        ),
    ),
    Case("cap-zone-loss", metal(rich({"workloads.1.replicas": 27, "zones": ["a"]}))),
    Case(
        "cap-max-pods-binds",
        metal(
            rich(
                {"workloads.1.replicas": 100, "workloads.1.requests.cpu": "10m", "workloads.1.requests.memory": "16Mi"}
            )
        ),
        (
            "spec pools.web.size: 112 pods fill 2 hosts of 8 CPU at 110 pods a node, the kubelet's default; "
            "with 250 it would be 1\n"
            "the same CPU and memory in smaller hosts, or in VMs, have room for more pods",
        ),
    ),
    Case(
        "cap-max-pods-binds",
        metal(
            rich({"workloads.1.replicas": 80, "workloads.1.requests.cpu": "10m", "workloads.1.requests.memory": "16Mi"})
        ),
    ),
    Case(
        "cap-no-surge",
        realised(SHOP, NO_SURGE),
        (
            "spec availability.surge: 1 asked, degraded: nodes are upgraded in place: no host is spare\n"
            "an upgrade takes nodes away before others join, and their pods must fit on the rest",
        ),
    ),
    Case("cap-no-surge", realised(SHOP, SURGE)),
    Case(
        "cap-no-surge",
        realised(metal(rich()), NO_SURGE),
        (
            "spec availability.surge: 1 asked, degraded: nodes are upgraded in place: no host is spare\n"
            "an upgrade takes nodes away before others join, and their pods must fit on the rest",
        ),
    ),
    Case("cap-no-surge", realised(metal(rich()), SURGE)),
    Case("cap-no-surge", realised(metal(rich({"availability.surge": 0})), NO_SURGE)),
    Case(
        "cap-ha-blind",
        vms(memoryReservation=0),
        (
            "resource mine: memory is not reserved for 1 VM (mine): HA admission control counts 0 MB and "
            "290 MB of overhead for its 32768 MB\n"
            "with 1 of 6 hosts lost it would let in 18015 such VMs, and 80 fit",
        ),
    ),
    Case(
        "cap-ha-blind",
        vms(memoryReservation=None, numCpus=None),
        (
            "resource mine: memory is not reserved for 1 VM (mine): HA admission control counts 0 MB and "
            "260 MB of overhead for its 32768 MB\n"
            "with 1 of 6 hosts lost it would let in 20093 such VMs, and 150 fit",
        ),
    ),
    Case(
        "cap-ha-blind",
        vms(memoryReservation=16384),
        (
            "resource mine: memory is not reserved for 1 VM (mine): HA admission control counts 16384 MB "
            "and 290 MB of overhead for its 32768 MB\n"
            "with 1 of 6 hosts lost it would let in 314 such VMs, and 80 fit",
        ),
    ),
    Case("cap-ha-blind", vms()),
    Case("cap-ha-blind", adding(virtual(rich(), ha=False), raw(VM, "mine", {"memory": 4096}))),
    Case(
        "cap-ha-blind",
        vms(memoryReservation=UNKNOWN),
        undecided="memoryReservation of mine is known only after `pulumi up`",
    ),
    Case(
        "cap-overcommit",
        virtual(rich(), hosts=(20,) * 6),
        (
            "target cpuOvercommit: esx3, esx4 and esx5 carry more vCPU than threads, esx3 24 on 20: 1.2 a "
            "thread, more than 1\n"
            "when all are busy a vCPU has 83 % of a thread, and so little is then what a pod that requests "
            "a CPU gets",
        ),
    ),
    Case("cap-overcommit", virtual(rich(), hosts=(28,) * 6)),
    Case("cap-overcommit", virtual(rich(), hosts=(20,) * 6), (), {"maxRatio": 2}),
)
