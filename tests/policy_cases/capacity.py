"""Cases of the pack capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.facts import Realisation
from components.quantity import parse_bytes
from components.rules import UNKNOWN, Stack
from components.spec import Size, Spec
from policies.capacity.hosts import VM
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, realised, site, virtual
from tests.specs import rich, spec

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


LARGE = {"cpus": 16, "memory": "64Gi", "disk": "100Gi"}
SMALL = {"cpus": 8, "memory": "32Gi", "disk": "100Gi"}
SPREAD = (("small", 30, "500m", "2Gi"), ("large", 4, "6", "24Gi"))
TINY = {"cpus": 2, "memory": "4Gi", "disk": "40Gi"}
ONE = (("a", 1, "6", "8Gi"),)
FEW = (("small", 12, "1", "1Gi"), ("large", 2, "6", "10Gi"))
BESIDE = (("small", 8, "250m", "1Gi"), ("large", 2, "6", "10Gi"))
PAIRS = (("a", 2, "3500m", "1Gi"), ("b", 2, "2500m", "1Gi"), ("c", 1, "1500m", "1Gi"))


def pool(
    nodes: int, size: Mapping[str, Any], workloads: Sequence[tuple[str, int, str, str]], sandbox: bool = False
) -> Spec:
    """Of one pool and one tenant. Of a workload: its name, replicas, CPU and memory."""
    names = ("name", "replicas", "requests")
    listed = [dict(zip(names, (n, k, {"cpu": c, "memory": m}), strict=True)) for n, k, c, m in workloads]
    tenants = [{"name": "t", "trust": "external", "sandbox": sandbox}]
    changes = {"pools.0.nodes": nodes, "pools.0.size": size, "pools.0.tenant": "t", "tenants": tenants}
    return spec({**changes, "workloads": [{**each, "pool": "apps"} for each in listed]})


def hosted(spec: Spec, *sizes: Mapping[str, Any]) -> Stack:
    """On hosts of these sizes, of which there may be too few."""
    stack = metal(spec)
    workers = [machine for machine in stack.machines if machine.wanted.role == "worker"]
    placed = (
        machine.model_copy(update={"place": machine.place.model_copy(update={"size": Size.model_validate(size)})})
        for machine, size in zip(workers, sizes, strict=False)
    )
    return replace(stack, machines=tuple(placed))


def lower(*workloads: tuple[str, int, str, str], by: str) -> tuple[tuple[str, int, str, str], ...]:
    """The last of them asking for so much CPU."""
    *rest, (name, replicas, _, memory) = workloads
    return (*rest, (name, replicas, by, memory))


def no_room(replicas: int, nodes: int, packed: int, would_do: int, percent: int = 10) -> str:
    """For one of the large pods."""
    return (
        f"spec pools.apps.nodes: no room for 1 of {replicas} pods of large on {nodes} nodes where smaller ones come "
        f"first, though packed all take {packed}\n"
        f"the scheduler puts each pod on the node with most room; {would_do} nodes would do, or requests of large "
        f"{percent} % lower, or a PriorityClass for the large ones"
    )


BY_NUMBER = (
    "spec pools.apps.size: 112 pods fill 2 hosts of 8 CPU at 110 pods a node, the kubelet's default; with 250 it would "
    "be 1\n"
    "the same CPU and memory in smaller hosts, or in VMs, have room for more pods"
)
SANDBOXED = (
    "spec pools.apps.nodes: the loss of host-tiny-apps-0 leaves 1 of 2 nodes; pods of a take 2 nodes, by CPU\n"
    "what finds no room stays Pending until a spare host joins, of 1 that there are"
)

CASES = (
    *(
        case
        for place in (virtual, metal)
        for case in (
            Case("cap-order-of-pods", place(pool(3, LARGE, SPREAD)), (no_room(4, 3, 3, would_do=4, percent=25),)),
            Case("cap-order-of-pods", place(pool(4, LARGE, SPREAD))),
            Case(
                "cap-order-of-pods",
                place(pool(2, SMALL, PAIRS)),
                (
                    "spec pools.apps.nodes: no room for 1 of 1 pod of c on 2 nodes even where the largest come first, "
                    "though packed all take 2\n"
                    "the scheduler puts each pod on the node with most room; 3 nodes would do, or requests of c 10 % "
                    "lower",
                ),
            ),
            Case("cap-order-of-pods", place(pool(2, SMALL, lower(*PAIRS, by="1350m")))),
            Case("cap-order-of-pods", place(rich())),
        )
    ),
    # One host of two is larger: packed, the smaller one counts.
    Case("cap-order-of-pods", hosted(pool(2, SMALL, PAIRS), SMALL, LARGE)),
    Case(
        "cap-order-of-pods",
        hosted(pool(4, SMALL, FEW), SMALL, SMALL, SMALL, LARGE),
        (no_room(2, 4, 4, would_do=6),),
    ),
    Case("cap-order-of-pods", hosted(pool(1, SMALL, ONE), LARGE)),
    # What the plan refuses, it tells of: a node too few, a pod too large.
    Case("cap-order-of-pods", hosted(pool(2, SMALL, PAIRS), SMALL)),
    Case("cap-order-of-pods", hosted(pool(1, SMALL, ONE), TINY)),
    # What a sandbox takes leaves no room for large pods.
    Case(
        "cap-order-of-pods",
        metal(pool(3, SMALL, BESIDE, sandbox=True)),
        (no_room(2, 3, 3, would_do=4),),
    ),
    Case("cap-order-of-pods", metal(pool(3, SMALL, BESIDE))),
    # Hosts that are larger than asked leave more room.
    Case("cap-order-of-pods", metal(pool(2, SMALL, PAIRS), times=2)),
    # Their sandboxes fill the second node: without them one would be enough.
    Case("cap-n-plus-k", metal(pool(2, SMALL, [("a", 7, "1", "1Gi")], sandbox=True)), (SANDBOXED,)),
    Case("cap-n-plus-k", metal(pool(2, SMALL, [("a", 7, "1", "1Gi")]))),
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
    # With their sandboxes it is CPU that decides.
    Case("cap-max-pods-binds", metal(pool(2, SMALL, [("a", 112, "10m", "16Mi")])), (BY_NUMBER,)),
    Case("cap-max-pods-binds", metal(pool(5, SMALL, [("a", 112, "10m", "16Mi")], sandbox=True))),
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
