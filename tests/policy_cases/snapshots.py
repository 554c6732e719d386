"""Cases of the pack snapshots."""

from __future__ import annotations

from typing import Any

from components.rules import UNKNOWN, Raw, Stack
from policies.references import VM
from policies.snapshots.vms import SNAPSHOT
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, virtual
from tests.specs import rich, spec

ONLY = "spec backup.volumes: none: search keeps its only copy on a volume, lost with the storage or by one wrong delete"
REPLICATED = {"workloads.3.state": "replicated"}
RARE = {"backup.volumes.every": "36h"}
LOST = (
    "spec backup.volumes.every: every 36 h, more than 24 h\n"
    "the loss of a volume takes up to 37 h of the data of search with it, 19 h on average (3600 s to copy them away "
    "[assumption])"
)
SHORT = {"backup.etcd.keep": 10, "backup.volumes.keep": 3}
SHORT_ETCD = (
    "spec backup.etcd.keep: 10 of 6 h each reach 54 h back, less than 2.5 days\n"
    "a wrong delete or a bad upgrade that is noticed later is in every snapshot; 11 would reach that far"
)
SHORT_VOLUMES = (
    "spec backup.volumes.keep: 3 of 24 h each reach 48 h back, less than 2.5 days\n"
    "a wrong delete or a bad upgrade that is noticed later is in every backup; 4 would reach that far"
)


def vm(machine: str, **props: Any) -> Raw:
    """A machine's VM, not created yet: its UUID is unknown."""
    return raw(VM, machine, {"name": machine, "uuid": UNKNOWN, **props}, machine=machine)


def snapped(stack: Stack, *names: str, template: bool = False) -> Stack:
    """The stack with snapshots of these machines' VMs, each made from the VM's own output."""
    vms = {m.wanted.name: vm(m.wanted.name) for m in stack.machines}
    other = raw(VM, "template", {"uuid": "1"})
    of = [*(vms[name] for name in names), *([other] if template else [])]
    snapshots = (
        raw(SNAPSHOT, f"{each.name}-now", {"virtualMachineUuid": UNKNOWN}, sources={"virtualMachineUuid": [each]})
        for each in of
    )
    return adding(stack, *vms.values(), other, *snapshots)


def by_uuid(uuid: Any, known: str, machine: str = "") -> Stack:
    """The shop with one VM and a snapshot of a UUID; `machine`: the snapshot hangs below it."""
    return adding(
        virtual(rich()),
        vm("shop-db-0", uuid=known),
        raw(SNAPSHOT, "before", {"virtualMachineUuid": uuid}, machine=machine),
    )


HELD = (
    "volumes of vSphere CSI that were attached when it was taken do not detach, so their pods cannot move and a drain "
    "of the node does not end\n"
    "to revert it takes the data of these volumes back too, and a root disk that a new node has as well; it may grow by"
)
AND = " and by these volumes"
RAFT = (
    "to revert one of 3 members of etcd breaks raft: it has forgotten what it agreed to, and panics\n"
    "to delete it can stop a busy VM for 1.8 s, which costs etcd its leader with p = 96 % if it is on that VM"
)
SOME = "virtualMachineUuid of before is the UUID of some VM, and not every VM of the stack has one yet"
LATER = "virtualMachineUuid of before is known only after `pulumi up`"

CASES = (
    Case(
        "backup-etcd-missing",
        metal(rich({"backup": {}})),
        ("spec backup.etcd: none: the loss of 2 of 3 control-plane nodes takes every API object with it",),
    ),
    Case("backup-etcd-missing", metal(rich())),
    Case(
        "backup-etcd-missing",
        virtual(rich({"backup": {}})),
        (
            "spec backup.etcd: none: the loss of 2 of 3 control-plane nodes takes every API object with it\n"
            "a snapshot of their VMs is none: to revert one breaks raft, and volumes attached then do not detach",
        ),
    ),
    Case("backup-etcd-missing", virtual(rich())),
    Case(
        "backup-volumes-missing",
        virtual(rich({"backup": {}})),
        (f"{ONLY}\na snapshot of the node's VM is none: it goes with the volume, which does not detach meanwhile",),
    ),
    Case("backup-volumes-missing", virtual(rich())),
    Case("backup-volumes-missing", virtual(rich({"backup": {}} | REPLICATED))),
    Case(
        "backup-volumes-missing",
        metal(rich({"backup": {}})),
        (f"{ONLY}\na VolumeSnapshot is none: it lies in the storage that it is a snapshot of",),
    ),
    Case("backup-volumes-missing", metal(rich())),
    *(
        case
        for place in (virtual, metal)
        for case in (
            Case("backup-volumes-rarely", place(rich(RARE)), (LOST,)),
            Case("backup-volumes-rarely", place(rich())),
            Case("backup-volumes-rarely", place(rich(RARE | REPLICATED))),
            Case("backup-volumes-rarely", place(rich(RARE)), params={"maxIntervalHours": 36}),
            Case("backup-retention", place(rich(SHORT)), (SHORT_ETCD, SHORT_VOLUMES)),
            Case("backup-retention", place(rich({"backup.etcd.keep": 11, "backup.volumes.keep": 4}))),
            Case("backup-retention", place(rich({"backup": {}}))),
            Case("backup-retention", place(rich(SHORT)), params={"minDays": 2}),
        )
    ),
    Case(
        "snap-of-node-vm",
        snapped(virtual(rich()), "shop-db-0"),
        (f"resource shop-db-0-now: a snapshot of shop-db-0: {HELD} 1024 GiB{AND}",),
    ),
    Case(
        "snap-of-node-vm",
        snapped(virtual(rich()), *(f"shop-web-{i}" for i in range(5))),
        (
            "resource shop-web-0-now: 5 snapshots of shop-web-0, shop-web-1, shop-web-2 and 2 more: "
            f"{HELD} 500 GiB{AND}",
        ),
    ),
    Case("snap-of-node-vm", snapped(virtual(rich()), "shop-control-plane-0", template=True)),
    Case(
        "snap-of-node-vm",
        by_uuid("4213", "4213"),
        (f"resource before: a snapshot of shop-db-0: {HELD} 1024 GiB{AND}",),
    ),
    Case(
        "snap-of-node-vm",
        by_uuid(UNKNOWN, "4213", machine="shop-db-0"),
        (f"resource before: a snapshot of shop-db-0: {HELD} 1024 GiB{AND}",),
    ),
    Case("snap-of-node-vm", by_uuid("4214", "4213")),
    Case("snap-of-node-vm", by_uuid(UNKNOWN, "4213"), undecided=LATER),
    Case(
        "snap-of-node-vm",
        adding(virtual(rich()), vm("shop-db-0"), raw(SNAPSHOT, "before", {"virtualMachineUuid": "1"})),
        undecided=SOME,
    ),
    Case(
        "snap-of-etcd-member",
        snapped(virtual(rich()), "shop-control-plane-1"),
        (f"resource shop-control-plane-1-now: a snapshot of shop-control-plane-1: {RAFT}",),
    ),
    Case(
        "snap-of-etcd-member",
        snapped(virtual(spec()), "tiny-control-plane-0"),
        (
            "resource tiny-control-plane-0-now: a snapshot of tiny-control-plane-0: to revert it takes the API back, "
            "but no node and no volume with it\n"
            "to delete it can stop a busy VM, and the API with it, for 1.8 s",
        ),
    ),
    Case("snap-of-etcd-member", snapped(virtual(rich()), "shop-db-0", template=True)),
    Case("snap-of-etcd-member", by_uuid(UNKNOWN, "4213"), undecided=LATER),
)
