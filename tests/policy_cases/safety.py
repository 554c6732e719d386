"""Cases of the pack safety."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.planning import wanted_machines
from components.rules import UNKNOWN, Stack
from components.spec import Spec
from components.update import Update
from tests.policy_cases import Case
from tests.policy_stacks import adding, ceph, metal, virtual
from tests.specs import rich, spec


def updated(stack: Stack, of: Spec | None = None, **changes: Any) -> Stack:
    """The stack over what is there: the machines of `of`, or its own."""
    there = {machine.name: machine.pool for machine in wanted_machines(of or stack.cluster.wanted)}
    return replace(stack, update=Update(machines=there, **changes))


def on_both(rule: str, says: str, loud: dict[str, Any], silent: dict[str, Any]) -> tuple[Case, ...]:
    cases = []
    for place in (virtual, metal):
        cases.append(Case(rule, updated(place(rich()), **loud), (says,)))
        cases.append(Case(rule, updated(place(rich()), **silent)))
    return tuple(cases)


MASTERS = tuple(f"shop-control-plane-{i}" for i in range(3))
DB = tuple(f"shop-db-{i}" for i in range(3))

CASES = (
    *on_both(
        "safe-quorum",
        "spec controlPlane.nodes: shop-control-plane-0 and shop-control-plane-1 of 3 control-plane nodes go at once: "
        "etcd "
        "needs 2, 1 is left\nthe API stops until they are back, or for good",
        {"rebuilt": MASTERS[:1], "gone": MASTERS[1:2]},
        {"rebuilt": MASTERS[:1]},
    ),
    Case(
        "safe-quorum",
        updated(metal(spec()), rebuilt=("tiny-control-plane-0",)),
        (
            "spec controlPlane.nodes: tiny-control-plane-0 of 1 control-plane nodes go at once: etcd needs 1, 0 are "
            "left\n"
            "the cluster's state is gone with it",
        ),
    ),
    *on_both(
        "safe-pool-emptied",
        "spec pools.db: all 3 nodes are built anew at once: pods drained from one find no other\n"
        "nowhere to go for orders-db and search",
        {"rebuilt": DB},
        {"rebuilt": DB[:2]},
    ),
    Case(
        "safe-pool-emptied",
        updated(metal(spec()), rich(), gone=("shop-partner-0", "shop-partner-1")),
        ("spec pools.partner: all 2 nodes are deleted: pods drained from one find no other",),
    ),
    # All of them in one.
    Case(
        "safe-pool-emptied",
        updated(metal(spec()), rich(), gone=("shop-partner-0", "shop-partner-1"), rebuilt=DB),
        (
            "spec pools: all 5 nodes of db and partner are built anew or deleted at once: pods drained from one find "
            "no other",
        ),
    ),
    *on_both(
        "safe-keys",
        "spec access: shop-ca and shop-sa: made anew or deleted, while 14 machines keep the old\n"
        "a machine that is made later does not fit its cluster",
        {"keys": ("shop-ca", "shop-sa")},
        {},
    ),
    *on_both(
        "safe-storage",
        "spec storage.classes: StorageClass fast and add-on rook-ceph deleted: nothing then attaches, detaches or "
        "deletes "
        "the "
        "volumes that are there\nvolumes of orders-db, search may be in it",
        {"storage": ("StorageClass fast", "add-on rook-ceph")},
        {},
    ),
    *(
        case
        for place in (virtual, metal)
        for case in (
            Case(
                "safe-ceph",
                updated(adding(place(rich()), ceph()), rebuilt=DB[:2]),
                (
                    "resource rook-ceph-cluster: shop-db-0 and shop-db-1 of 3 nodes with Ceph's disks go at once\n"
                    "of some objects 1 of 3 copies is left, under 2 they take no I/O\n"
                    "up to 2 of 3 monitors go too: without a majority of them every volume stops",
                ),
            ),
            Case("safe-ceph", updated(adding(place(rich()), ceph()), rebuilt=DB[:1])),
        )
    ),
    Case(
        "safe-ceph",
        updated(adding(metal(rich()), ceph()), rebuilt=DB[:1], gone=DB[1:]),
        (
            "resource rook-ceph-cluster: shop-db-0, shop-db-1 and shop-db-2 of 3 nodes with Ceph's disks go at once\n"
            "of some objects all 3 copies go: their data is gone for good\n"
            "up to 3 of 3 monitors go too: without a majority of them every volume stops",
        ),
    ),
    # Five monitors miss two of them; the data does not.
    Case(
        "safe-ceph",
        updated(adding(metal(rich()), ceph(monitors=5)), rebuilt=DB[:2]),
        (
            "resource rook-ceph-cluster: shop-db-0 and shop-db-1 of 3 nodes with Ceph's disks go at once\n"
            "of some objects 1 of 3 copies is left, under 2 they take no I/O",
        ),
    ),
    Case(
        "safe-ceph",
        updated(adding(metal(rich()), ceph(2, monitors=1)), rebuilt=DB[:1]),
        (
            "resource rook-ceph-cluster: shop-db-0 of 3 nodes with Ceph's disks go at once\n"
            "its only monitor may go too: without a majority of them every volume stops",
        ),
    ),
    # Nodes of other pools, and a stack without Ceph.
    Case("safe-ceph", updated(adding(metal(rich()), ceph()), rebuilt=("shop-web-0", "shop-web-1", "shop-web-2"))),
    Case("safe-ceph", updated(metal(rich()), rebuilt=DB)),
    Case(
        "safe-ceph",
        updated(adding(metal(rich()), ceph(UNKNOWN)), rebuilt=DB),
        undecided="values.cephBlockPools.0.spec.replicated.size of rook-ceph-cluster is known only after `pulumi up`",
    ),
)
