"""Volumes: whether nodes can attach them, and for how long the loss of a host takes them away."""

from __future__ import annotations

from collections.abc import Iterator

from components.rules import Evidence, Param, Params, Rule, Stack, Violation
from isostack.assess.capacity import VOLUMES_PER_NODE, volumes_on_node
from isostack.assess.recovery import detected
from policies.outage import NHC, back, lost_after
from policies.outage import kept as only_copies
from policies.placed import of_pool
from policies.words import count, named, seconds

VM = "vsphere:index/virtualMachine:VirtualMachine"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
OVERRIDE = "vsphere:index/storageDrsVmOverride:StorageDrsVmOverride"
CSI = "csi.vsphere.vmware.com"


def _uses_csi(stack: Stack) -> bool:
    """Whether volumes are virtual disks that are attached to the node's VM."""
    return any(each.get("provisioner") == CSI for each in stack.raw(STORAGE_CLASS))


def check_uuid(stack: Stack, params: Params) -> Iterator[Violation]:
    if not _uses_csi(stack):
        return
    vms = [vm for vm in stack.raw(VM) if vm.machine]
    blind = [vm.name for vm in vms if not vm.get("enableDiskUuid")]
    if blind:
        yield Violation(
            blind[0],
            f"enableDiskUuid is not true for {len(blind)} of {count(len(vms), 'VM')}: {named(blind)}\n"
            "the CSI driver does not find their disks: pods with a volume do not start there",
            tuple(blind),
            of="resource",
        )


def check_number(stack: Stack, params: Params) -> Iterator[Violation]:
    spec, limit = stack.cluster.wanted, int(params["volumesPerNode"])
    if not _uses_csi(stack):
        return
    for pool in spec.pools:
        kept = [w for w in spec.workloads if w.pool == pool.name and w.state != "none"]
        nodes, volumes = len(of_pool(stack, pool.name)), sum(w.replicas for w in kept)
        each = volumes_on_node(volumes, nodes)
        if kept and each > limit:
            lost = " with one lost" if nodes > 1 else ""
            yield Violation(
                f"pools.{pool.name}.nodes",
                f"{volumes} volumes on {count(nodes, 'node')} are {each} a node{lost}, one for each replica "
                f"[assumption]: the driver attaches {limit}\nthe pods of the others stay Pending",
                tuple(w.name for w in kept),
            )


def check_storage_drs(stack: Stack, params: Params) -> Iterator[Violation]:
    if not _uses_csi(stack):
        return
    overrides = [(o, str(o.get("sdrsEnabled")).lower(), o.get("sdrsAutomationLevel")) for o in stack.raw(OVERRIDE)]
    off = {urn for o, on, _ in overrides if on == "false" for urn in o.sources.get("virtualMachineId", ())}
    # That it is set is known also where the id is not.
    moved = [
        vm.name
        for vm in stack.raw(VM)
        if vm.machine and vm.props.get("datastoreClusterId") not in (None, "") and vm.urn not in off
    ]
    ordered = [o.name for o, on, level in overrides if on == "true" or (on != "false" and level == "automated")]
    if moved or ordered:
        found = [f"{named(moved)} on a datastore cluster (datastoreClusterId)"] if moved else []
        found += [f"switched on by {named(ordered)}"] if ordered else []
        yield Violation(
            (moved or ordered)[0],
            f"{'; '.join(found)}: Storage DRS moves a VM with the volumes attached to it, and renames their files\n"
            "afterwards no other node can attach them; vMotion, which leaves disks where they are, is no such danger",
            (*moved, *ordered),
            of="resource",
        )


def check_default(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    kept = [w.name for w in spec.workloads if w.state != "none"]
    if kept and not any(wish.default for wish in spec.storage.classes):
        text = "none is the default: claims that name no class" if spec.storage.classes else "none: the claims"
        yield Violation("storage.classes", f"{text} of {named(kept)} stay Pending", tuple(kept))


def check_single(stack: Stack, params: Params) -> Iterator[Violation]:
    """Where something brings the volume back. Where nothing does, the pack recovery says so, and here is silence."""
    kept = only_copies(stack)
    if not kept or (found := back(stack)).by == "a person":
        return
    how = (
        "until HA has restarted its VM"
        if found.by == "HA"
        else f"until its host is fenced, {seconds(lost_after(stack))} of that until it is given up"
    )
    yield Violation(
        "workloads",
        f"pods of {named(kept)} are away for {seconds(found.seconds)} after the loss of their host, {how}\n"
        f"a workload that copies its own data (state: replicated) goes on after {seconds(detected())}, on every target",
        tuple(kept),
    )


RULES = (
    Rule(
        id="sto-disk-uuid",
        title="The CSI driver cannot find the disks of a node",
        severity="high",
        level="mandatory",
        claims=(6, 1),
        remediation="Set enableDiskUuid: true on the VirtualMachine, as the VMs of the plan have.",
        evidence=(
            Evidence(
                "documented",
                "github.com/kubernetes/cloud-provider-vsphere "
                "docs/book/tutorials/kubernetes-on-vsphere-with-kubeadm.md: disk.EnableUUID must be set for each "
                "node VM",
            ),
            Evidence("documented", "pulumi-vsphere VirtualMachine.enableDiskUuid: off where it is left out"),
        ),
        check=check_uuid,
        why="The vSphere CSI driver finds an attached disk by its UUID. A VM shows it to its guest only where "
        "disk.EnableUUID is set, and the provider leaves it off. Nothing fails until the first pod with a volume.",
        machines=frozenset({"vm"}),
        reads=(VM, STORAGE_CLASS),
    ),
    Rule(
        id="sto-volumes-per-node",
        title="A node cannot attach as many volumes as may come to it",
        severity="medium",
        # How many volumes a replica has, the spec does not say.
        level="advisory",
        claims=(6,),
        remediation="Raise pools[].nodes; or raise the driver's limit, up to 255 on vSphere 8, and volumesPerNode with "
        "it.",
        evidence=(
            Evidence(
                "documented",
                "github.com/kubernetes-sigs/vsphere-csi-driver pkg/csi/service/node.go: 59 block volumes a node, 255 "
                "from vSphere 8 on with max-pvscsi-targets-per-vm",
            ),
            Evidence("assumption", "one volume for each replica, spread evenly"),
        ),
        check=check_number,
        params=(
            Param(
                name="volumesPerNode",
                kind="whole",
                default=VOLUMES_PER_NODE,
                minimum=1,
                maximum=255,
                description="Volumes that the driver attaches to one node.",
                evidence=Evidence(
                    "documented", "59 by default, github.com/openshift/openshift-docs pull request 114546"
                ),
            ),
        ),
        why="A VM has room for 59 volumes: four controllers of fifteen disks, less the root disk. A pool that is sized "
        "for CPU meets that limit first where its pods are small and each has a volume.",
        machines=frozenset({"vm"}),
        reads=(STORAGE_CLASS,),
    ),
    Rule(
        id="sto-cns-on-storage-drs",
        title="Storage DRS may move volumes away from under Kubernetes",
        severity="high",
        level="mandatory",
        claims=(6, 10),
        remediation=(
            "Put node VMs on a plain datastore (datastore of the target config, datastoreId), or set sdrsEnabled: "
            "false for them in a StorageDrsVmOverride."
        ),
        evidence=(
            Evidence(
                "documented",
                "github.com/kubernetes-sigs/vsphere-csi-driver/issues/513: SDRS is not supported, volumes cannot be "
                "mounted after it; issue 686: how it renames their files",
            ),
            Evidence("documented", "github.com/aws/eks-anywhere docs, vmotion.md: vMotion yes, Storage vMotion no"),
        ),
        check=check_storage_drs,
        why="A volume of the CSI driver is a disk at a path that vCenter keeps in mind. While it is attached it looks "
        "like a disk of the VM, and Storage DRS moves it along with the VM to another datastore, under another name. "
        "The volume is then lost to every other node. vMotion moves no disks.",
        machines=frozenset({"vm"}),
        reads=(VM, STORAGE_CLASS, OVERRIDE),
    ),
    Rule(
        id="sto-no-default-class",
        title="Claims that name no storage class get no volume",
        severity="medium",
        level="advisory",
        claims=(6, 1),
        remediation="Mark one of storage.classes with default: true.",
        evidence=(
            Evidence(
                "documented",
                "kubernetes.io/docs/concepts/storage/persistent-volumes: without a default class such a claim waits",
            ),
        ),
        check=check_default,
        why="No target brings a storage class of its own, VMs as little as metal: what the spec does not name is not "
        "there. Most charts name no class and rely on a default.",
    ),
    Rule(
        id="sto-single-copy",
        title="The one copy of a workload's data is away while its host is",
        severity="low",
        level="advisory",
        claims=(6, 11),
        remediation="Let the workload copy its own data and say state: replicated, or accept the time in the message.",
        evidence=(Evidence("assumption", "model: times in isostack/assess/recovery.py"),),
        check=check_single,
        why="Redundant storage keeps the data, not the workload: its only pod must first run elsewhere. How long that "
        "takes is where targets differ most. A VM is restarted with its volumes attached; a host of metal must be "
        "proven off before its volumes are given to another.",
        reads=(NHC,),
    ),
)
