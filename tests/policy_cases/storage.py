"""Cases of the pack storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.facts import Realisation
from components.rules import UNKNOWN, Raw, Stack
from policies.ceph import RELEASE
from policies.outage import NHC
from policies.storage.disks import HARDWARE
from policies.storage.volumes import OVERRIDE, STORAGE_CLASS, VM
from tests.policy_cases import Case
from tests.policy_stacks import adding, ceph, metal, raw, realised, virtual
from tests.specs import rich

SHOP, METAL = virtual(rich()), metal(rich())
"""14 machines; db has search, with its only copy on a volume."""
CSI = raw(STORAGE_CLASS, "fast", {"provisioner": "csi.vsphere.vmware.com"})
NFS = raw(STORAGE_CLASS, "fast", {"provisioner": "nfs.csi.k8s.io"})
UNSURE = raw(STORAGE_CLASS, "fast", {"provisioner": UNKNOWN})
STATELESS = {"workloads.3.state": "none"}
FENCED = Realisation(field="availability.remediation", grade="equal", mechanism="fencing through BMCs")
NO_DEFAULT = {"storage.classes.0.default": False}


def node(**props: Any) -> Raw:
    return raw(VM, "shop-web-0", props, machine="shop-web-0")


CLUSTERED = node(datastoreClusterId=UNKNOWN)


def override(**props: Any) -> Raw:
    return raw(OVERRIDE, "mine", {"virtualMachineId": UNKNOWN, **props}, sources={"virtualMachineId": [CLUSTERED]})


def hardware(device: Any, machines: Sequence[str] = ("shop-db-0", "shop-db-1")) -> tuple[Raw, ...]:
    spec = {"disks": [{"device": device}]}
    return tuple(raw(HARDWARE, f"host-{name}", {"spec": spec}, machine=name) for name in machines)


def on_hosts(*hosts: str) -> Stack:
    return virtual(rich(), on={f"shop-db-{i}": host for i, host in enumerate(hosts)})


def lost_after(duration: Any) -> Raw:
    return raw(NHC, "workers", {"spec": {"unhealthyConditions": [{"type": "Ready", "duration": duration}]}})


OTHER = raw(RELEASE, "velero", {"chart": "velero", "values": {}})

CASES = (
    Case(
        "sto-disk-uuid",
        adding(SHOP, CSI, node()),
        (
            "resource shop-web-0: enableDiskUuid is not true for 1 of 1 VM: shop-web-0\n"
            "the CSI driver does not find their disks: pods with a volume do not start there",
        ),
    ),
    Case(
        "sto-disk-uuid",
        adding(SHOP, CSI, node(enableDiskUuid=False)),
        (
            "resource shop-web-0: enableDiskUuid is not true for 1 of 1 VM: shop-web-0\n"
            "the CSI driver does not find their disks: pods with a volume do not start there",
        ),
    ),
    Case("sto-disk-uuid", adding(SHOP, CSI, node(enableDiskUuid=True))),
    Case("sto-disk-uuid", adding(SHOP, NFS, node())),
    Case("sto-disk-uuid", adding(SHOP, CSI, raw(VM, "no-node", {}))),
    Case(
        "sto-disk-uuid",
        adding(SHOP, CSI, node(enableDiskUuid=UNKNOWN)),
        undecided="enableDiskUuid of shop-web-0 is known only after `pulumi up`",
    ),
    Case(
        "sto-disk-uuid", adding(SHOP, UNSURE, node()), undecided="provisioner of fast is known only after `pulumi up`"
    ),
    # 119 volumes are 60 on each of the two nodes that are left.
    Case(
        "sto-volumes-per-node",
        adding(virtual(rich({"workloads.2.replicas": 118})), CSI),
        (
            "spec pools.db.nodes: 119 volumes on 3 nodes are 60 a node with one lost, one for each replica "
            "[assumption]: the driver attaches 59\n"
            "the pods of the others stay Pending",
        ),
    ),
    Case("sto-volumes-per-node", adding(virtual(rich({"workloads.2.replicas": 117})), CSI)),
    Case(
        "sto-volumes-per-node", adding(virtual(rich({"workloads.2.replicas": 118})), CSI), (), {"volumesPerNode": 255}
    ),
    Case("sto-volumes-per-node", adding(virtual(rich({"workloads.2.replicas": 118})), NFS)),
    Case(
        "sto-volumes-per-node",
        adding(virtual(rich({"workloads.2.replicas": 118})), UNSURE),
        undecided="provisioner of fast is known only after `pulumi up`",
    ),
    Case(
        "sto-cns-on-storage-drs",
        adding(SHOP, CSI, CLUSTERED),
        (
            "resource shop-web-0: shop-web-0 on a datastore cluster (datastoreClusterId): Storage DRS moves "
            "a VM with the volumes attached to it, and renames their files\n"
            "afterwards no other node can attach them; vMotion, which leaves disks where they are, is no "
            "such danger",
        ),
    ),
    Case("sto-cns-on-storage-drs", adding(SHOP, CSI, CLUSTERED, override(sdrsEnabled="false"))),
    Case(
        "sto-cns-on-storage-drs",
        adding(SHOP, CSI, CLUSTERED, override(sdrsEnabled="true")),
        (
            "resource shop-web-0: shop-web-0 on a datastore cluster (datastoreClusterId); switched on by "
            "mine: Storage DRS moves a VM with the volumes attached to it, and renames their files\n"
            "afterwards no other node can attach them; vMotion, which leaves disks where they are, is no "
            "such danger",
        ),
    ),
    Case(
        "sto-cns-on-storage-drs",
        adding(SHOP, CSI, override(sdrsAutomationLevel="automated")),
        (
            "resource mine: switched on by mine: Storage DRS moves a VM with the volumes attached to it, "
            "and renames their files\n"
            "afterwards no other node can attach them; vMotion, which leaves disks where they are, is no "
            "such danger",
        ),
    ),
    Case("sto-cns-on-storage-drs", adding(SHOP, CSI, override(sdrsAutomationLevel="manual"))),
    Case("sto-cns-on-storage-drs", adding(SHOP, CSI, node(datastoreId=UNKNOWN, datastoreClusterId=""))),
    Case("sto-cns-on-storage-drs", adding(SHOP, NFS, CLUSTERED)),
    Case(
        "sto-cns-on-storage-drs",
        adding(SHOP, CSI, override(sdrsEnabled=UNKNOWN)),
        undecided="sdrsEnabled of mine is known only after `pulumi up`",
    ),
    Case(
        "sto-no-default-class",
        virtual(rich(NO_DEFAULT)),
        ("spec storage.classes: none is the default: claims that name no class of orders-db and search stay Pending",),
    ),
    Case("sto-no-default-class", SHOP),
    Case(
        "sto-no-default-class",
        metal(rich({"storage": {}})),
        ("spec storage.classes: none: the claims of orders-db and search stay Pending",),
    ),
    Case("sto-no-default-class", METAL),
    Case("sto-no-default-class", metal(rich({**NO_DEFAULT, "workloads": []}))),
    Case(
        "sto-single-copy",
        SHOP,
        (
            "spec workloads: pods of search are away for 116 s after the loss of their host, until HA has "
            "restarted its VM\n"
            "a workload that copies its own data (state: replicated) goes on after 48 s, on every target",
        ),
    ),
    Case("sto-single-copy", virtual(rich(STATELESS))),
    # The pack recovery says what that means.
    Case("sto-single-copy", virtual(rich(), ha=False)),
    # A VM of a dead host cannot be fenced.
    Case("sto-single-copy", adding(realised(virtual(rich(), ha=False), FENCED), lost_after("600s"))),
    Case("sto-single-copy", virtual(rich(), hosts=()), undecided="the hosts of site main are not known"),
    # What is no duration counts as the operator's default.
    Case(
        "sto-single-copy",
        adding(realised(METAL, FENCED), lost_after("soon")),
        (
            "spec workloads: pods of search are away for 422 s after the loss of their host, until its host "
            "is fenced, 300 s of that until it is given up\n"
            "a workload that copies its own data (state: replicated) goes on after 48 s, on every target",
        ),
    ),
    Case("sto-single-copy", METAL),
    Case(
        "sto-single-copy",
        realised(METAL, FENCED),
        (
            "spec workloads: pods of search are away for 722 s after the loss of their host, until its host "
            "is fenced, 600 s of that until it is given up\n"
            "a workload that copies its own data (state: replicated) goes on after 48 s, on every target",
        ),
    ),
    Case(
        "sto-single-copy",
        adding(realised(METAL, FENCED), lost_after("5m0.5s")),
        (
            "spec workloads: pods of search are away for 423 s after the loss of their host, until its host "
            "is fenced, 300 s of that until it is given up\n"
            "a workload that copies its own data (state: replicated) goes on after 48 s, on every target",
        ),
    ),
    Case(
        "sto-single-copy",
        adding(realised(METAL, FENCED), lost_after("6m30s")),
        (
            "spec workloads: pods of search are away for 512 s after the loss of their host, until its host "
            "is fenced, 390 s of that until it is given up\n"
            "a workload that copies its own data (state: replicated) goes on after 48 s, on every target",
        ),
    ),
    Case(
        "sto-single-copy",
        adding(realised(METAL, FENCED), lost_after(UNKNOWN)),
        undecided="spec.unhealthyConditions.0.duration of workers is known only after `pulumi up`",
    ),
    Case(
        "sto-ceph-hosts",
        adding(on_hosts("esx0", "esx0", "esx1"), ceph()),
        (
            "resource rook-ceph-cluster: 3 copies, each on a node of its own: but the 3 nodes stand on 2 "
            "hosts, 2 of them on esx0\n"
            "its loss may leave 1 of 3, under 2 Ceph stops all writes: failure domain host means node",
        ),
    ),
    Case("sto-ceph-hosts", adding(on_hosts("esx0", "esx1", "esx2"), ceph())),
    Case("sto-ceph-hosts", adding(on_hosts("esx0", "esx0", "esx1"), OTHER)),
    Case(
        "sto-ceph-hosts",
        adding(METAL, ceph(2)),
        (
            "resource rook-ceph-cluster: 2 copies of each object on 3 hosts, Ceph's default is 3\n"
            "with a host lost the next fault of a disk loses data",
        ),
    ),
    Case(
        "sto-ceph-hosts",
        adding(METAL, ceph(1)),
        (
            "resource rook-ceph-cluster: 1 copy of each object on 3 hosts, Ceph's default is 3\n"
            "the loss of a host loses data",
        ),
    ),
    Case("sto-ceph-hosts", adding(METAL, ceph())),
    Case(
        "sto-ceph-hosts",
        adding(METAL, ceph(UNKNOWN)),
        undecided="values.cephBlockPools.0.spec.replicated.size of rook-ceph-cluster is known only after `pulumi up`",
    ),
    Case(
        "sto-reimage-hits-data",
        adding(METAL, ceph(), *hardware("/dev/nvme0n1")),
        (
            "target inventory: 2 hosts (host-shop-db-0 and host-shop-db-1): the image goes to /dev/nvme0n1, "
            "and Ceph takes any disk named ^nvme[0-9]n1$\n"
            "these names may change places between boots: to build the host anew may then overwrite its "
            "Ceph disk",
        ),
    ),
    Case("sto-reimage-hits-data", adding(METAL, ceph(), *hardware("/dev/disk/by-id/nvme-eui.1"))),
    Case("sto-reimage-hits-data", adding(METAL, ceph(devices="^sd[b-z]$"), *hardware("/dev/sda"))),
    Case("sto-reimage-hits-data", adding(METAL, ceph(devices="("), *hardware("/dev/sda"))),
    Case("sto-reimage-hits-data", adding(METAL, ceph(), *hardware("/dev/nvme0n1", ["shop-web-0"]))),
    Case("sto-reimage-hits-data", adding(METAL, *hardware("/dev/nvme0n1"))),
    Case(
        "sto-reimage-hits-data",
        adding(METAL, ceph(), *hardware(UNKNOWN)),
        undecided="spec.disks.0.device of host-shop-db-0 is known only after `pulumi up`",
    ),
)
