"""Snapshots of the cluster's own VMs, added to the program by hand: no backup, and a danger while they are there."""

from __future__ import annotations

from collections.abc import Iterator

from components.facts import MachineFacts
from components.rules import Evidence, Param, Params, Raw, Rule, Stack, Undecided, Violation, percent
from isostack.assess.etcd import election
from isostack.assess.snapshots import DEPENDENT, NO_DETACH, REVERTED, WHOLE
from policies.references import VM, Machines
from policies.words import named

SNAPSHOT = "vsphere:index/virtualMachineSnapshot:VirtualMachineSnapshot"
GIB = 1024**3


def check_nodes(stack: Stack, params: Params) -> Iterator[Violation]:
    found, undecided = _snapshots(stack, "worker")
    if found:
        disks = sum(machine.place.size.disk for _, machine in found)
        yield Violation(
            found[0][0].name,
            f"{_of(found)}: volumes of vSphere CSI that were attached when it was taken do not detach, so their "
            "pods cannot move and a drain of the node does not end\n"
            "to revert it takes the data of these volumes back too, and a root disk that a new node has as well; it "
            f"may grow by {-(-disks // GIB)} GiB and by these volumes",
            subjects=tuple(snapshot.name for snapshot, _ in found),
            of="resource",
        )
    if undecided:
        raise undecided


def check_members(stack: Stack, params: Params) -> Iterator[Violation]:
    found, undecided = _snapshots(stack, "control-plane")
    if found:
        members, stun = stack.cluster.wanted.control_plane.nodes, params["stunSeconds"]
        reverted = (
            f"to revert one of {members} members of etcd breaks raft: it has forgotten what it agreed to, and panics\n"
            f"to delete it can stop a busy VM for {stun:g} s, which costs etcd its leader with p = "
            f"{percent(election(stun, members))} if it is on that VM"
            if members > 1
            else "to revert it takes the API back, but no node and no volume with it\n"
            f"to delete it can stop a busy VM, and the API with it, for {stun:g} s"
        )
        yield Violation(
            found[0][0].name,
            f"{_of(found)}: {reverted}",
            subjects=tuple(snapshot.name for snapshot, _ in found),
            of="resource",
        )
    if undecided:
        raise undecided


def _snapshots(stack: Stack, role: str) -> tuple[list[tuple[Raw, MachineFacts]], Undecided | None]:
    """Those of machines of a role, and why it is not known of others."""
    machines = {machine.wanted.name: machine for machine in stack.machines if machine.wanted.role == role}
    of, found, undecided = Machines(stack), [], None
    for snapshot in stack.raw(SNAPSHOT):
        try:
            name = of.one(snapshot, "virtualMachineUuid")
        except Undecided as error:
            undecided = undecided or error
            continue
        if name in machines:
            found.append((snapshot, machines[name]))
    return found, undecided


def _of(found: list[tuple[Raw, MachineFacts]]) -> str:
    of = named(machine.wanted.name for _, machine in found)
    return f"a snapshot of {of}" if len(found) == 1 else f"{len(found)} snapshots of {of}"


RULES = (
    Rule(
        id="snap-of-node-vm",
        title="A node's VM has a snapshot",
        severity="high",
        level="mandatory",
        claims=(6, 13),
        remediation="Take the VirtualMachineSnapshot out of the program and delete it in vCenter. A broken node is "
        "built anew (generations in the target's config); for volumes set backup.volumes.",
        evidence=(
            NO_DETACH,
            DEPENDENT,
            Evidence(
                "documented",
                "Google Distributed Cloud for VMware, infrastructure incompatibility: with a VM snapshot upgrades and "
                "repairs of the cluster fail",
            ),
            Evidence(
                "documented",
                "registry.terraform.io/providers/vmware/vsphere, virtual_machine_snapshot: neither VMware nor "
                "HashiCorp recommends them as backup, or for long",
            ),
        ),
        check=check_nodes,
        machines=frozenset({"vm"}),
        reads=(SNAPSHOT, VM),
        why="Whether somebody has added a snapshot of a worker's VM. Snapshots are praised as a reason for VMs; of "
        "nodes they are a liability. A node holds nothing that is not built again from its image. Volumes that are "
        "attached to it are in the snapshot too: they stay where they are while it exists, and go back with the node, "
        "unknown to Kubernetes and to who wrote them. A snapshot of the template is "
        "another matter, and of no concern here.",
    ),
    Rule(
        id="snap-of-etcd-member",
        title="A control-plane VM has a snapshot",
        severity="critical",
        level="mandatory",
        claims=(13,),
        remediation="Take the VirtualMachineSnapshot out of the program and delete it in vCenter. Set backup.etcd: its "
        "snapshots are restored on all members at once.",
        evidence=(
            REVERTED,
            WHOLE,
            Evidence("assumption", "model: isostack/assess/etcd.py: 3 members, 1.8 s: p = 0.96"),
        ),
        check=check_members,
        params=(
            Param(
                name="stunSeconds",
                default=1.8,
                minimum=0,
                maximum=3600,
                description="How long a VM stands still while its snapshot is consolidated.",
                evidence=Evidence(
                    "measured", "0.57 to 3.7 s in the logs of VMware KB 2039754; 0.19 s to create one, virten.net 2015"
                ),
            ),
        ),
        machines=frozenset({"vm"}),
        reads=(SNAPSHOT, VM),
        why="Whether somebody has added a snapshot of a control-plane VM. A member of etcd that goes back in time "
        "votes again on what it has already agreed to, which raft rules out and etcd ends with a panic. Going back "
        "with all members at one moment is what a snapshot of etcd is for. The same holds for a snapshot of the "
        "disk that a physical host boots from.",
    ),
)
