"""Disks of the cluster's own machines: how many copies a host takes with it, and what an image overwrites."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.rules import Evidence, Params, Rule, Stack, Violation
from isostack.assess.capacity import MIN_SIZE, SIZE
from policies import ceph
from policies.placed import hosts, most
from policies.words import count, named

HARDWARE = "kubernetes:tinkerbell.org/v1alpha1:Hardware"


def check_hosts(stack: Stack, params: Params) -> Iterator[Violation]:
    for release in ceph.clusters(stack):
        machines, size = ceph.nodes(stack, release), ceph.copies(release)
        if not machines:
            continue
        on = hosts(stack, machines)
        host, held = most(on)
        if size < SIZE:
            yield Violation(
                release.name,
                f"{size} {'copy' if size == 1 else 'copies'} of each object on {count(len(on), 'host')}, Ceph's "
                f"default is {SIZE}\n"
                + (
                    "the loss of a host loses data"
                    if size == 1
                    else "with a host lost the next fault of a disk loses data"
                ),
                of="resource",
            )
        elif held > 1 and size - min(held, size) < MIN_SIZE:
            yield Violation(
                release.name,
                f"{size} copies, each on a node of its own: but the {count(len(machines), 'node')} stand on "
                f"{count(len(on), 'host')}, {held} of them on {host}\n"
                f"its loss may leave {size - min(held, size)} of {size}, under {MIN_SIZE} Ceph stops all writes: "
                "failure domain host means node",
                tuple(m.wanted.name for m in machines if m.place.host == host),
                of="resource",
            )


def check_image(stack: Stack, params: Params) -> Iterator[Violation]:
    """Of hosts whose image goes to a disk by its kernel name, where Ceph takes disks of that name."""
    for release in ceph.clusters(stack):
        wanted = str(release.get("values", "cephClusterSpec", "storage", "deviceFilter") or "")
        nodes = {machine.wanted.name for machine in ceph.nodes(stack, release)}
        hit: dict[str, str] = {}
        for hardware in stack.raw(HARDWARE):
            if hardware.machine in nodes:
                device = str(hardware.get("spec", "disks", 0, "device") or "")
                kernel_name = device.removeprefix("/dev/")
                if wanted and "/" not in kernel_name and _matches(wanted, kernel_name):
                    hit[hardware.name] = device
        if hit:
            devices = sorted(set(hit.values()))
            yield Violation(
                "inventory",
                f"{count(len(hit), 'host')} ({named(list(hit))}): the image goes to {named(devices)}, and Ceph takes "
                f"any disk named {wanted}\n"
                "these names may change places between boots: to build the host anew may then overwrite its Ceph disk",
                tuple(hit),
                of="target",
            )


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


RULES = (
    Rule(
        id="sto-ceph-hosts",
        title="One host may take too many copies of the data with it",
        severity="high",
        level="advisory",
        claims=(6, 12),
        remediation=(
            "Give the pool that carries Ceph (storage.ceph.pool of the target config) three nodes or more "
            "(pools[].nodes), and VMs of it a host each (hosts)."
        ),
        evidence=(
            Evidence(
                "documented",
                "docs.ceph.com/en/latest/rados/configuration/pool-pg-config-ref: size 3, min_size 2; below it objects "
                "take no I/O",
            ),
            Evidence("documented", "rook.io CephBlockPool: failureDomain host is the Kubernetes node"),
        ),
        check=check_hosts,
        why="Ceph puts each copy on a host of its own, and takes the node for the host. That is right on metal. VMs "
        "that share an ESXi host lose their copies together: with one copy of three left writes stop, with none the "
        "data is gone. Two copies survive one loss, but nothing beside it.",
        reads=(ceph.RELEASE,),
    ),
    Rule(
        id="sto-reimage-hits-data",
        title="To build a host anew may overwrite a disk of Ceph",
        severity="high",
        level="advisory",
        claims=(6, 13),
        remediation="Name the disk by its id in the inventory's column disk (/dev/disk/by-id/...), which never moves.",
        evidence=(
            Evidence(
                "documented",
                "github.com/openshift-metal3/dev-scripts pull request 342: names swap from one deployment to another, "
                "and the image goes to the wrong drive",
            ),
            Evidence(
                "documented",
                "github.com/longhorn/website pull request 1389: NVMe names change across reboots and between equal "
                "nodes",
            ),
        ),
        check=check_image,
        why="The kernel numbers disks as it finds them. A host with a system disk and a disk for Ceph of the same kind "
        "may find them the other way round when it boots to be imaged. A running Ceph is not touched by that, since it "
        "takes empty disks only; an image asks nobody.",
        machines=frozenset({"host"}),
        reads=(ceph.RELEASE, HARDWARE),
    ),
)
