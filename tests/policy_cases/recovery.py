"""Cases of the pack recovery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.rules import UNKNOWN, Raw, Stack
from policies.recovery.hosts import ANTI_AFFINITY
from policies.recovery.quorum import VM
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, virtual
from tests.specs import rich

SHOP = virtual(rich())
"""14 VMs on 6 hosts in turn: control plane, web, db, partner; db has search on a volume."""
MEMBERS = [f"shop-control-plane-{i}" for i in range(3)]
VMS = {name: raw(VM, name, {"uuid": UNKNOWN}, machine=name) for name in MEMBERS}
STATELESS = {"workloads.3.state": "none"}


def apart(members: Sequence[str] = MEMBERS, **props: Any) -> Raw:
    """An anti-affinity rule as at preview: the ids of its VMs are unknown, what they are made of is not."""
    ids = {"virtualMachineIds": [UNKNOWN] * len(members)}
    sources = {"virtualMachineIds": [VMS[name] for name in members]}
    return raw(ANTI_AFFINITY, "control-plane", {"mandatory": False, **ids, **props}, sources=sources)


def with_rule(*rules: Raw, stack: Stack = SHOP) -> Stack:
    return adding(stack, *VMS.values(), *rules)


def typed(*ids: str) -> Raw:
    """A rule whose ids somebody has typed in."""
    return raw(ANTI_AFFINITY, "typed", {"virtualMachineIds": list(ids)})


def known(ids: Sequence[str]) -> Sequence[Raw]:
    """VMs that are there already, and such a rule."""
    vms = [raw(VM, name, {"uuid": str(i)}, machine=name) for i, name in enumerate(MEMBERS)]
    return (*vms, typed(*ids))


def mandatory(members: int, **props: Any) -> Stack:
    props = {"mandatory": True, "virtualMachineIds": [UNKNOWN] * members, **props}
    return adding(SHOP, raw(ANTI_AFFINITY, "mine", props))


TWO = {"zones": ["a", "b"]}
SINGLE = {"controlPlane.nodes": 1}
ONE_REPLICA = {"workloads.0.replicas": 1, "availability.evictAfter": "300s"}
ONE_ZONE = {"zones": ["a"]}
ALL_WEB = dict.fromkeys((f"shop-web-{i}" for i in range(6)), "esx0")
MOST_OF_56 = dict.fromkeys((f"shop-web-{i}" for i in range(36)), "esx0")
STACKED = dict.fromkeys((f"shop-web-{i}" for i in range(4)), "esx0")

CASES = (
    # Two of six nodes on one host: 1 - C(6,2) pairs less the one that shares.
    Case(
        "rec-hostname-is-not-host",
        virtual(rich({"workloads.0.replicas": 3, "workloads.1.replicas": 2}), hosts=(128,) * 4),
        (
            "spec pools.web.nodes: its 6 nodes stand on 4 hosts, 2 of them on esx0: spread by node is not "
            "spread by host\n"
            "on different nodes the 3 replicas of checkout share a host with p = 40 %, those of catalogue "
            "at most as often",
        ),
    ),
    Case("rec-hostname-is-not-host", virtual(rich({"workloads.0.replicas": 3}))),
    # More replicas than hosts share one on metal too.
    Case(
        "rec-hostname-is-not-host",
        virtual(rich({"workloads.2.replicas": 7, "workloads.4.replicas": 9}), hosts=(128,) * 4),
    ),
    Case(
        "rec-hostname-is-not-host",
        virtual(rich(), hosts=(), on=dict.fromkeys(STACKED, None)),
        undecided="the host of shop-web-0 is chosen later",
    ),
    Case(
        "rec-cp-anti-affinity",
        virtual(rich(), on={"shop-control-plane-1": "esx0"}),
        (
            "target hosts: esx0 holds 2 of 3 etcd members, and 2 lost are no majority any more: its loss "
            "stops the API for 96 s, until HA has restarted them",
        ),
    ),
    Case(
        "rec-cp-anti-affinity",
        virtual(rich(), on={"shop-control-plane-1": "esx0"}, ha=False),
        (
            "target hosts: esx0 holds 2 of 3 etcd members, and 2 lost are no majority any more: its loss "
            "stops the API until it is back",
        ),
    ),
    Case(
        "rec-cp-anti-affinity",
        with_rule(),
        (
            "resource control-plane: no anti-affinity rule holds shop-control-plane-0, shop-control-plane-1 "
            "and shop-control-plane-2 apart: DRS and HA may put 2 of 3 etcd members on one host\n"
            "placed at random on 6 hosts, a lost host takes the majority with p = 7.4 %: the API stops for "
            "96 s, until HA has restarted them",
        ),
    ),
    Case(
        "rec-cp-anti-affinity",
        with_rule(apart(enabled=False)),
        (
            "resource control-plane: no anti-affinity rule holds shop-control-plane-0, shop-control-plane-1 "
            "and shop-control-plane-2 apart: DRS and HA may put 2 of 3 etcd members on one host\n"
            "placed at random on 6 hosts, a lost host takes the majority with p = 7.4 %: the API stops for "
            "96 s, until HA has restarted them",
        ),
    ),
    Case(
        "rec-cp-anti-affinity",
        with_rule(apart(MEMBERS[:2])),
        (
            "resource control-plane: no anti-affinity rule holds shop-control-plane-2 apart: DRS and HA may "
            "put 2 of 3 etcd members on one host\n"
            "placed at random on 6 hosts, a lost host takes the majority with p = 7.4 %: the API stops for "
            "96 s, until HA has restarted them",
        ),
    ),
    Case("rec-cp-anti-affinity", with_rule(apart())),
    Case("rec-cp-anti-affinity", with_rule(apart(enabled=True))),
    Case(
        "rec-cp-anti-affinity",
        with_rule(apart(enabled=UNKNOWN)),
        undecided="enabled of control-plane is known only after `pulumi up`",
    ),
    Case("rec-cp-anti-affinity", adding(SHOP, *known(["0", "1", "2"]))),
    Case(
        "rec-cp-anti-affinity",
        adding(SHOP, *known(["0", "1", "7"])),
        (
            "resource control-plane: no anti-affinity rule holds shop-control-plane-2 apart: DRS and HA may "
            "put 2 of 3 etcd members on one host\n"
            "placed at random on 6 hosts, a lost host takes the majority with p = 7.4 %: the API stops for "
            "96 s, until HA has restarted them",
        ),
    ),
    Case(
        "rec-cp-anti-affinity",
        adding(SHOP, *(raw(VM, name, {}, machine=name) for name in MEMBERS), typed("0", "1", "2")),
        undecided="uuid of shop-control-plane-0 is known only after `pulumi up`",
    ),
    Case(
        "rec-cp-anti-affinity",
        with_rule(typed("0", "1", "2")),
        undecided="uuid of shop-control-plane-0 is known only after `pulumi up`",
    ),
    Case(
        "rec-anti-affinity-deadlock",
        mandatory(6),
        (
            "resource mine: mandatory, for 6 VMs on 6 hosts: 7 are needed\n"
            "an upgrade with surge 1 needs 7 and blocks; with 1 host lost HA leaves 1 VM off where it "
            "respects such rules",
        ),
    ),
    Case(
        "rec-anti-affinity-deadlock",
        mandatory(7),
        (
            "resource mine: mandatory, for 7 VMs on 6 hosts: 8 are needed\n"
            "1 VM of them cannot be powered on at all; an upgrade with surge 1 needs 8 and blocks; with 1 "
            "host lost HA leaves 2 VMs off where it respects such rules",
        ),
    ),
    Case("rec-anti-affinity-deadlock", mandatory(5)),
    Case("rec-anti-affinity-deadlock", mandatory(6, mandatory=False)),
    Case("rec-anti-affinity-deadlock", mandatory(6, enabled=False)),
    Case(
        "rec-anti-affinity-deadlock",
        mandatory(6, virtualMachineIds=UNKNOWN),
        undecided="virtualMachineIds of mine is known only after `pulumi up`",
    ),
    # 8 of 14 are 57 %, 7 are 50 %.
    Case(
        "rec-evictions-stop",
        virtual(rich(ONE_ZONE), on=ALL_WEB, ha=False),
        (
            "target hosts: the loss of esx0 makes NotReady 8 of 14 nodes of zone a (57 %), and Kubernetes "
            "evicts the pods of none\n"
            "what is not evicted runs nowhere until the host is back, also without a volume: no VM is restarted",
        ),
    ),
    Case("rec-evictions-stop", virtual(rich(ONE_ZONE), on={**ALL_WEB, "shop-web-5": "esx1"}, ha=False)),
    Case("rec-evictions-stop", virtual(rich(ONE_ZONE), on=ALL_WEB)),
    Case(
        "rec-evictions-stop",
        virtual(rich(TWO), on=ALL_WEB, ha=False),
        (
            "target hosts: the loss of esx0 makes NotReady 5 of 8 nodes of zone a (62 %), and Kubernetes "
            "evicts the pods of none\n"
            "what is not evicted runs nowhere until the host is back, also without a volume: no VM is restarted",
        ),
    ),
    # 41 of 64 nodes: slower, not stopped.
    Case(
        "rec-evictions-stop",
        virtual(rich({**ONE_ZONE, "pools.0.nodes": 56}), on=MOST_OF_56, ha=False),
        (
            "target hosts: the loss of esx0 makes NotReady 41 of 64 nodes of zone a (64 %), and Kubernetes "
            "evicts those of one node in 100 s\n"
            "what is not evicted runs nowhere until the host is back, also without a volume: no VM is restarted",
        ),
    ),
    Case(
        "rec-quorum-zone",
        virtual(rich(TWO)),
        (
            "spec zones: zone a holds 2 of 3 control-plane nodes, and etcd needs 2: its loss stops the API, "
            "that of another zone does not",
        ),
    ),
    Case("rec-quorum-zone", virtual(rich())),
    Case(
        "rec-quorum-zone",
        metal(rich(TWO)),
        (
            "spec zones: zone a holds 2 of 3 control-plane nodes, and etcd needs 2: its loss stops the API, "
            "that of another zone does not",
        ),
    ),
    Case("rec-quorum-zone", metal(rich())),
    Case(
        "rec-control-plane-single",
        virtual(rich(SINGLE)),
        (
            "spec controlPlane.nodes: 1: the API and the only etcd are away for 96 s when their host is "
            "lost, and come back as they were",
        ),
    ),
    Case(
        "rec-control-plane-single",
        virtual(rich()),
    ),
    Case(
        "rec-control-plane-single",
        metal(rich(SINGLE)),
        (
            "spec controlPlane.nodes: 1: the API and the only etcd are away until a person acts, 1800 s "
            "[assumption] and the time to build them anew: nothing restarts them\n"
            "where the disk is lost too, what comes back is a snapshot up to 6 h old",
        ),
    ),
    Case(
        "rec-control-plane-single",
        metal(rich({**SINGLE, "backup": {}})),
        (
            "spec controlPlane.nodes: 1: the API and the only etcd are away until a person acts, 60 s "
            "[assumption] and the time to build them anew: nothing restarts them\n"
            "where the disk is lost too, what comes back is nothing: there is no backup",
        ),
        {"humanSeconds": 60},
    ),
    Case("rec-control-plane-single", metal(rich())),
    Case(
        "rec-toleration-below-ha",
        virtual(rich({"availability.evictAfter": "30s"})),
        (
            "spec availability.evictAfter: 30 s: pods of a lost host are given up after 78 s, and HA has "
            "its VMs back after 96 s\n"
            "pods of search cannot leave a node that does not answer: they wait for the VM, and start anew "
            "then; from 49 s on they just go on",
        ),
    ),
    # 6 hosts: 48.3 s.
    Case("rec-toleration-below-ha", virtual(rich({"availability.evictAfter": "49s"}))),
    Case("rec-toleration-below-ha", virtual(rich({"availability.evictAfter": "48s", **STATELESS}))),
    Case(
        "rec-default-toleration",
        metal(rich(ONE_REPLICA)),
        (
            "spec availability.evictAfter: 300 s: the only replica of checkout is back 370 s after the loss "
            "of its host, with 30 s after 100 s; with two replicas half of the requests fail for 48 s",
        ),
    ),
    Case("rec-default-toleration", metal(rich({**ONE_REPLICA, "availability.evictAfter": "230s"}))),
    Case("rec-default-toleration", metal(rich({**ONE_REPLICA, "workloads.0.replicas": 2}))),
    Case(
        "rec-default-toleration",
        virtual(rich(ONE_REPLICA), ha=False),
        (
            "spec availability.evictAfter: 300 s: the only replica of checkout is back 370 s after the loss "
            "of its host, with 30 s after 100 s; with two replicas half of the requests fail for 48 s",
        ),
    ),
    Case("rec-default-toleration", virtual(rich(ONE_REPLICA))),
    Case(
        "rec-error-window",
        virtual(rich(), on=STACKED),
        (
            "spec pools.web.nodes: a lost host takes 67 % of the replicas of checkout: until its nodes are "
            "NotReady, for 48 s, so many requests fail, worth 32 s of all\n"
            "more than the 30 s allowed for checkout and catalogue; neither vSphere HA nor evictAfter "
            "shortens it",
        ),
    ),
    Case("rec-error-window", virtual(rich())),
    Case(
        "rec-error-window",
        metal(rich({"pools.2.nodes": 1})),
        (
            "spec pools.partner.nodes: a lost host takes 100 % of the replicas of partner-feed: until its "
            "nodes are NotReady, for 48 s, so many requests fail, worth 48 s of all\n"
            "more than the 30 s allowed for partner-feed; neither vSphere HA nor evictAfter shortens it",
        ),
    ),
    Case("rec-error-window", metal(rich())),
    Case(
        "rec-error-window",
        metal(rich()),
        (
            "spec pools.db.nodes: a lost host takes 33 % of the replicas of orders-db: until its nodes are "
            "NotReady, for 48 s, so many requests fail, worth 16 s of all\n"
            "more than the 10 s allowed for orders-db; neither vSphere HA nor evictAfter shortens it",
            "spec pools.partner.nodes: a lost host takes 50 % of the replicas of partner-feed: until its "
            "nodes are NotReady, for 48 s, so many requests fail, worth 24 s of all\n"
            "more than the 10 s allowed for partner-feed; neither vSphere HA nor evictAfter shortens it",
        ),
        {"budgetSeconds": 10},
    ),
)
