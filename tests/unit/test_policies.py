"""Policy packs isolation and snapshots: where their rules fire, and the nearest place where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from components.facts import Balancing
from components.planning import wanted_machines
from components.rules import Undecided
from isostack.assess.exposure import exposure, longest_wait, others_met
from policies import catalogue
from policies.snapshots.backup import RULES as SNAPSHOTS
from tests.policy_stacks import found, metal, virtual
from tests.specs import SHOP, rich, spec

ISOLATION = [
    catalogue.rules()[name]
    for name in ("iso-hard-tenants-share-kernel", "iso-external-tenant-boundary", "iso-vm-boundary-unused")
]


def test_own_pools_on_vms_share_hypervisors_and_on_metal_nothing() -> None:
    assert found(ISOLATION, virtual(rich())) == [
        "spec tenants.partner.trust: no kernel shared, but hypervisors: its 2 VMs start beside 2 of control-plane and "
        "2 of shop, on esx0 and esx1\n"
        "exploited escapes from a kernel and a VM both turn up within 30 days with p = 0.34 %, 47 times rarer than "
        "from a shared kernel (16 %): exposure, not breach"
    ]
    (fewer,) = found(ISOLATION, virtual(rich(), on={"shop-web-3": "esx2", "shop-control-plane-0": "esx3"}))
    assert "its 2 VMs start beside 1 of control-plane and 1 of shop, on esx1\n" in fewer
    assert found(ISOLATION, metal(rich())) == found(ISOLATION, metal(rich(), known=False)) == []


def test_hosts_of_its_own_are_worth_something_only_where_nothing_moves_vms() -> None:
    alone: dict[str, str | None] = {m.name: "esx0" for m in wanted_machines(rich())}
    alone |= {"shop-partner-0": "esx4", "shop-partner-1": "esx5"}
    manual = Balancing(workers="manual", control_plane="manual")
    moved = "its 2 VMs start on hosts of their own, but DRS or HA may move others beside them\n"
    assert found(ISOLATION, virtual(rich(), on=alone, balancing=manual, ha=False)) == []
    (by_drs,) = found(ISOLATION, virtual(rich(), on=alone, ha=False))
    (by_ha,) = found(ISOLATION, virtual(rich(), on=alone, balancing=None))
    assert moved in by_drs
    assert moved in by_ha


def test_unknown_hosts_are_not_decidable() -> None:
    later = "with whom the 2 VMs of partner share hosts: these are chosen later"
    with pytest.raises(Undecided, match=later):
        found(ISOLATION, virtual(rich(), on={"shop-partner-0": None}))


def test_many_shared_hosts_are_counted() -> None:
    (message,) = found(ISOLATION, virtual(rich({"pools.2.nodes": 6})))
    assert "on esx0, esx1, esx2 and 3 more\n" in message


@pytest.mark.parametrize("place", [virtual, metal])
def test_a_pool_open_to_all_shares_kernels_on_every_target(place: Any) -> None:
    assert found(ISOLATION, place(rich({"pools.0.tenant": None}))) == [
        "spec pools.web.tenant: none: external partner may share a kernel with shop, on 6 nodes of pool web\n"
        "a pod that breaks out to its node meets 0.94 of the 1 others on average (30 pods split evenly [assumption])\n"
        "an exploited kernel escalation turns up within 30 days with p = 16 %: exposure, not breach"
    ]
    assert found(ISOLATION[:2], place(rich({"pools.0.tenant": None, "tenants.1.trust": "internal"}))) == []
    (faster,) = found(ISOLATION, place(rich({"pools.0.tenant": None})), exposureDays=7)
    assert "within 7 days with p = 3.9 %" in faster


def test_how_many_tenants_meet_is_not_decidable_without_workloads() -> None:
    (message,) = found(ISOLATION, metal(rich({"pools.0.tenant": None, "workloads": []})))
    assert "\nhow many tenants meet on a node is not decidable: no workload names these pools\n" in message


def test_one_tenant_has_nobody_to_share_with() -> None:
    alone = {"tenants": [{"name": "partner", "trust": "external"}], "pools": [SHOP["pools"][2]], "workloads": []}
    assert found(ISOLATION, virtual(rich(alone))) == []


@pytest.mark.parametrize(
    ("events", "days", "expected"),
    [(8, 7, 0.03946), (8, 30, 0.1585), (8, 90, 0.4041), (1, 7, 0.00502), (1, 30, 0.02134), (1, 90, 0.06265)],
)
def test_exposure(events: int, days: float, expected: float) -> None:
    assert exposure(events, days) == pytest.approx(expected, rel=1e-3)


def test_external_tenants_meet_each_other_too() -> None:
    tenants = [{"name": name, "trust": trust} for name, trust in (("a", "external"), ("b", "external"))]
    pools = [{**SHOP["pools"][0], "tenant": None}]
    both = {"tenants": tenants, "pools": pools, "workloads": []}
    (message,) = found(ISOLATION, metal(rich(both)))
    assert "external a and b may share a kernel with each other, on" in message
    third = {**both, "tenants": [*tenants, {"name": "c", "trust": "internal"}]}
    (message,) = found(ISOLATION, metal(rich(third)))
    assert "external a and b may share a kernel with each other and with c, on" in message


@pytest.mark.parametrize(
    ("days", "wait"), [(("sat",), 7), (("sun", "sat"), 6), (("mon", "thu"), 4), (("mon", "sun"), 6)]
)
def test_longest_wait(days: tuple[str, ...], wait: int) -> None:
    assert longest_wait(days) == wait


def test_tenants_met_by_hand() -> None:
    assert others_met(2, 2, 1) == 1  # on the one node there is
    assert others_met(2, 2, 2) == 0.5  # the other tenant's one pod is on one of two nodes
    # All ten tenants of 40 pods on 8 nodes: 9.952 of them on any one node.
    assert others_met(10, 400, 8) / 9 * 10 == pytest.approx(9.952, rel=1e-3)


VM_SNAPSHOT = "\na snapshot of their VMs is none: to revert one breaks raft, and volumes attached then do not detach"


def test_no_backup_of_etcd() -> None:
    none = rich({"backup": {}})
    lost = "spec backup.etcd: none: the loss of 2 of 3 control-plane nodes takes every API object with it"
    assert found(SNAPSHOTS[:1], virtual(none)) == [lost + VM_SNAPSHOT]
    assert found(SNAPSHOTS[:1], metal(none)) == [lost]
    assert found(SNAPSHOTS[:1], virtual(spec())) == [
        "spec backup.etcd: none: the loss of the control-plane node takes every API object with it\n"
        "a snapshot of its VM is none: to revert one takes the API back, but no node and no volume, and volumes "
        "attached then do not detach"
    ]


def test_a_backup_too_rare() -> None:
    rare = rich({"backup.etcd.every": "13h"})
    message = (
        "spec backup.etcd.every: every 13 h, more than 12 h\n"
        "the loss of 2 of 3 control-plane nodes takes up to 13.02 h of changes with it, 6.52 h on average "
        "(60 s to copy one away [assumption])"
    )
    assert found(SNAPSHOTS[:1], metal(rare)) == [message]
    assert found(SNAPSHOTS[:1], virtual(rare)) == [message + VM_SNAPSHOT]
    assert found(SNAPSHOTS[:1], metal(rare), maxIntervalHours=13) == []
    for enough in ("6h", "12h"):
        assert found(SNAPSHOTS[:1], virtual(rich({"backup.etcd.every": enough}))) == []


def test_the_only_copy_of_data_without_a_backup() -> None:
    none = rich({"backup": {}})
    lost = (
        "spec backup.volumes: none: search keeps its only copy on a volume, "
        "lost with the storage or by one wrong delete"
    )
    vm = "\na snapshot of the node's VM is none: it goes with the volume, which does not detach meanwhile"
    assert found(SNAPSHOTS[1:2], virtual(none)) == [lost + vm]
    assert found(SNAPSHOTS[1:2], metal(none)) == [
        lost + "\na VolumeSnapshot is none: it lies in the storage that it is a snapshot of"
    ]


def test_data_with_a_backup_or_with_further_copies() -> None:
    for sound in (rich(), rich({"backup": {}, "workloads.3.state": "replicated"})):
        assert found(SNAPSHOTS[1:2], virtual(sound)) == []
        assert found(SNAPSHOTS[1:2], metal(sound)) == []
