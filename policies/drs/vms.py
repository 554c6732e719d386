"""What of a VM decides whether DRS moves it, and what a move means: overrides, etcd, devices, zones, NUMA nodes."""

from __future__ import annotations

from collections.abc import Iterator

from components.facts import MachineFacts, SiteFacts
from components.rules import Evidence, Param, Params, Raw, Rule, Stack, Undecided, Violation, percent
from isostack.assess.etcd import ELECTION, election
from policies.references import VM, Machines
from policies.words import named

OVERRIDE = "vsphere:index/drsVmOverride:DrsVmOverride"
ZONE_RULE = "vsphere:index/computeClusterVmHostRule:ComputeClusterVmHostRule"
GROUP = "vsphere:index/computeClusterVmGroup:ComputeClusterVmGroup"
LEVELS = ("disabled", "manual", "partiallyAutomated", "fullyAutomated")


def _level(site: SiteFacts, machine: MachineFacts) -> str:
    """What the target wishes for a machine."""
    if site.balancing is None:
        return "disabled"
    return site.balancing.control_plane if machine.wanted.role == "control-plane" else site.balancing.workers


def _moves(site: SiteFacts, machine: MachineFacts) -> bool:
    return site.restarts_machines or "Automated" in _level(site, machine)


def _virtual(stack: Stack) -> dict[str, tuple[MachineFacts, SiteFacts]]:
    """VMs among the machines, by name."""
    sites = {site.name: site for site in stack.sites if site.machine == "vm"}
    return {m.wanted.name: (m, sites[m.place.site]) for m in stack.machines if m.place.site in sites}


# ---- overrides


def check_overrides(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation for each way in which overrides fall behind the target."""
    found: dict[str, list[tuple[Raw, str]]] = {}
    of, undecided, vms = Machines(stack), None, _virtual(stack)
    for override in stack.raw(OVERRIDE):
        try:
            level, why = _overridden(override)
            name = of.one(override, "virtualMachineId") if level != LEVELS[-1] else ""
        except Undecided as error:
            undecided = undecided or error
            continue
        wish = _level(vms[name][1], vms[name][0]) if name in vms else LEVELS[0]
        if LEVELS.index(level) < LEVELS.index(wish):
            said = "neither places nor moves" if level == "disabled" else "only recommends to move"
            found.setdefault(f"{why}: DRS {said} {{}}, where the target says {wish}", []).append((override, name))
    for text, those in found.items():
        names = [name for _, name in those]
        yield Violation(
            those[0][0].name,
            text.format(named(names)) + "\nit stays on a crowded host, and keeps its host from maintenance mode until "
            "somebody moves it",
            subjects=tuple(override.name for override, _ in those),
            of="resource",
        )
    if undecided:
        raise undecided


def _overridden(override: Raw) -> tuple[str, str]:
    """The level that an override comes to, and why."""
    enabled, level = override.get("drsEnabled"), override.get("drsAutomationLevel")
    if enabled is None:
        return "disabled", "drsEnabled is left out, for which the provider takes false"
    if not enabled:
        vain = f" and drsAutomationLevel {level} in vain" if level not in (None, "manual") else ""
        return "disabled", f"drsEnabled is false{vain}"
    if level is None:
        return "manual", "drsAutomationLevel is left out, for which the provider takes manual"
    return str(level), f"drsAutomationLevel is {level}"


# ---- etcd


def check_etcd(stack: Stack, params: Params) -> Iterator[Violation]:
    members, stun = stack.cluster.wanted.control_plane.nodes, params["stunSeconds"]
    moved = [
        machine.wanted.name
        for machine, site in _virtual(stack).values()
        if machine.wanted.role == "control-plane" and _level(site, machine) == "fullyAutomated"
    ]
    if moved and members > 1:
        lost = election(stun, members)
        means = (
            f"with its election timeout of {ELECTION:g} s a moved leader is lost with p = {percent(lost)}"
            if lost
            else f"by the numbers that is harmless, its election timeout is {ELECTION:g} s: only a report from the "
            "field objects"
        )
        yield Violation(
            "drs.controlPlane",
            f"fullyAutomated: each move stops a member of etcd for {stun:g} s; {means}\n"
            "sources disagree: Kubermatic saw seed clusters go down under frequent moves (2021), EKS Anywhere advised "
            "DRS off (2022) and describes vMotion since 2024, vSphere's CSI driver advises it on",
            subjects=tuple(moved),
            of="target",
        )


# ---- devices


def check_passthrough(stack: Stack, params: Params) -> Iterator[Violation]:
    vms, found, undecided = _virtual(stack), dict[str, str](), None
    for vm in stack.raw(VM):
        if vm.machine not in vms or not _moves(vms[vm.machine][1], vms[vm.machine][0]):
            continue
        try:
            if device := _device(vm):
                found[vm.machine] = device
        except Undecided as error:
            undecided = undecided or error
    if found:
        first, site = next(iter(found)), vms[next(iter(found))][1]
        lost = "HA restarts none of them" if site.restarts_machines else "DRS moves none of them"
        yield Violation(
            first,
            f"{named(found)} ({', '.join(sorted(set(found.values())))}): {len(found)} of {len(vms)} VMs are "
            f"bound to their host, {lost}\n"
            "with the host they are gone until it is back, and its maintenance needs them drained and powered off: "
            "reckon with them as with metal",
            subjects=tuple(found),
            of="resource",
        )
    if undecided:
        raise undecided


def _device(vm: Raw) -> str:
    if vm.get("pciDeviceIds"):
        return "pciDeviceIds"
    adapters = vm.get("networkInterfaces") or []
    types = [vm.get("networkInterfaces", i, "adapterType") for i in range(len(adapters))]
    return "adapterType sriov" if "sriov" in types else ""


# ---- zones


def check_zones(stack: Stack, params: Params) -> Iterator[Violation]:
    """A node's zone is a label of its birth: only a rule keeps its VM where the label says."""
    zones, vms = stack.cluster.wanted.zones, _virtual(stack)
    there = [vm.machine for vm in stack.raw(VM) if vm.machine in vms]
    of, kept, undecided = Machines(stack), set[str](), None
    for rule in stack.raw(ZONE_RULE):
        try:
            kept |= {name for group in _groups(stack, rule) for name in of.many(group, "virtualMachineIds")}
        except Undecided as error:
            undecided = undecided or error
    loose = [name for name in there if name not in kept and _moves(vms[name][1], vms[name][0])]
    if len(zones) < 2 or not loose:
        return
    if undecided:
        raise undecided
    yield Violation(
        "zones",
        f"{len(loose)} of {len(there)} VMs ({named(loose)}) are in no rule that keeps them on the hosts of a zone\n"
        f"DRS or HA may run them in another though theirs has room, and their nodes' labels stay: replicas that are "
        f"spread over {len(zones)} zones by label may stand in one",
        subjects=tuple(loose),
    )


def _groups(stack: Stack, rule: Raw) -> list[Raw]:
    """Groups of VMs that a rule keeps on a group of hosts."""
    if rule.get("enabled") is False or rule.props.get("affinityHostGroupName") is None:
        return []
    from_group = rule.sources.get("vmGroupName", ())
    groups = [group for group in stack.raw(GROUP) if group.urn in from_group]
    return groups or [group for group in stack.raw(GROUP) if group.get("name") == rule.get("vmGroupName")]


RULES = (
    Rule(
        id="drs-override-disables",
        title="A DRS override does less for a VM than the target says",
        severity="medium",
        # Somebody may mean it.
        level="advisory",
        claims=(10,),
        remediation="Set both drsEnabled and drsAutomationLevel of the DrsVmOverride, or take it out: isostack makes "
        "one for each VM, by drs.workers and drs.controlPlane of the target.",
        evidence=(
            Evidence(
                "documented",
                "registry.terraform.io/providers/vmware/vsphere, drs_vm_override: always an override, also where a "
                "field is omitted; drs_enabled defaults to false, drs_automation_level to manual",
            ),
        ),
        check=check_overrides,
        machines=frozenset({"vm"}),
        reads=(OVERRIDE, VM),
        why="Whether an override, also one that was added by hand, leaves a VM with less automation than the target's "
        "config wishes for its role. A field left out does not mean what the cluster does: it means off and manual, "
        "so an override that sets the level alone switches DRS off.",
    ),
    Rule(
        id="drs-etcd-automated",
        title="DRS moves the VMs of etcd by itself",
        severity="medium",
        # The sources conflict.
        level="advisory",
        claims=(10, 12),
        remediation="Set drs.controlPlane: manual or partiallyAutomated, and move these VMs before maintenance; or "
        "keep it with a vMotion network of 10 GbE or more.",
        evidence=(
            Evidence("vendor", "knowledge.broadcom.com/external/article/436882: vMotion aims at 0.5 s of standstill"),
            Evidence("documented", "etcd.io/docs/v3.6/tuning: election timeout 1000 ms"),
            Evidence("assumption", "model: isostack/assess/etcd.py"),
            Evidence("documented", "against: github.com/kubermatic/docs/issues/760, a report from the field"),
            Evidence("documented", "against: github.com/aws/eks-anywhere/issues/3586; for: pull/8852"),
            Evidence("vendor", "for: github.com/kubernetes-sigs/vsphere-csi-driver/issues/692"),
        ),
        check=check_etcd,
        params=(
            Param(
                name="stunSeconds",
                default=0.5,
                minimum=0,
                maximum=60,
                description="How long a VM stands still while it is moved.",
                evidence=Evidence("vendor", "goal of vMotion; slow networks and much changed memory take longer"),
            ),
        ),
        machines=frozenset({"vm"}),
        why="Whether DRS may move control-plane VMs whenever it likes. By the numbers a move is shorter than etcd's "
        "patience; reports from the field say that frequent ones are not borne. A control plane needs little CPU, so "
        "there is little that moving it could win.",
    ),
    Rule(
        id="drs-passthrough-pinned",
        title="VMs with a device of their host neither move nor restart elsewhere",
        severity="high",
        # A pool for its devices may be meant so.
        level="advisory",
        claims=(10, 11),
        remediation="Take the device away (vmxnet3 for the network), or put the pool on metal and plan for its hosts' "
        "loss: spare nodes, and volumes that others can attach.",
        evidence=(
            Evidence(
                "documented",
                "docs.vmware.com vSphere 8.0 networking GUID-BF2770C3: with DirectPath I/O no high availability, no "
                "migration between hosts, no snapshots",
            ),
            Evidence("documented", "vSphere 6.5 networking, SR-IOV: neither vMotion nor DRS nor high availability"),
        ),
        check=check_passthrough,
        machines=frozenset({"vm"}),
        reads=(VM,),
        why="Whether a node's VM has a PCI device or an SR-IOV adapter of its host while DRS or HA is counted on. Such "
        "a VM is metal with a hypervisor under it: what is said for VMs under DRS and recovery does not hold for it. "
        "Where neither DRS nor HA is on, nothing is lost and nothing is said.",
    ),
    Rule(
        id="drs-zone-label-unpinned",
        title="No rule holds VMs in the zone that their node is labelled with",
        severity="high",
        level="mandatory",
        claims=(10, 12),
        remediation="Bring back the ComputeClusterVmHostRule of each zone with its groups, enabled, and the VM in its "
        "group; for a VM added by hand, make it a node of a pool.",
        evidence=(
            Evidence("documented", "a node's zone is a label that it is born with: components/spec.py, pools.zones"),
            Evidence(
                "documented",
                "github.com/kubernetes-sigs/cluster-api-provider-vsphere/issues/1312: a zone inside a compute cluster "
                "is a host group, with VM groups and rules that keep them on it",
            ),
            Evidence(
                "documented",
                "docs.vmware.com vSphere 8.0 Resource Management, GUID-793013E2: DRS and HA may violate should-rules; "
                "under a must-rule HA does not fail a VM over, nor does DRS evacuate its host",
            ),
        ),
        check=check_zones,
        machines=frozenset({"vm"}),
        reads=(ZONE_RULE, GROUP, VM),
        why="Whether each node's VM is in a group that a rule in force, should or must, ties to hosts. The scheduler, "
        "and etcd's quorum, go by labels; DRS and HA go by rules. Without one a VM is moved or restarted in any zone, "
        "its label stays, and the spread over zones is one on paper. isostack makes should-rules: they hold a VM in "
        "its zone while that has room, and let HA restart it elsewhere when it has none, under its old label. A "
        "must-rule would leave it off. A host on metal stands where it stands.",
    ),
)
