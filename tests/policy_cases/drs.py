"""Cases of the pack drs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.facts import Balancing
from components.rules import UNKNOWN, Raw, Stack
from policies.drs.descheduler import RELEASE
from policies.drs.vms import GROUP, OVERRIDE, ZONE_RULE
from policies.references import VM
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, virtual
from tests.specs import rich, spec

EVEN = rich({"workloads.3.replicas": 3})
SHORT = (
    "pool db leaves 1.4 % of demand unmet (most by search: 1 on 3 nodes)\n"
    "too few pods to even out by moving them: replicas in a multiple of the nodes would"
)
ASSUMED = "at 70 % load, variation 1 [assumptions]"
NO_DRS, BY_HAND = None, Balancing(workers="manual", control_plane="manual")
EAGER = Balancing(workers="fullyAutomated", control_plane="fullyAutomated")


def vm(machine: str, **props: Any) -> Raw:
    """A machine's VM, not created yet."""
    return raw(VM, machine, {"uuid": UNKNOWN, **props}, machine=machine)


def overridden(stack: Stack, *machines: str, of: Raw | None = None, **props: Any) -> Stack:
    """The stack with an override like these properties for each machine's VM, or for another."""
    vms = [of] if of else [vm(machine) for machine in machines]
    source = [{"virtualMachineId": [each]} for each in vms]
    overrides = (
        raw(OVERRIDE, f"{each.name}-mine", {"virtualMachineId": UNKNOWN, **props}, sources=by)
        for each, by in zip(vms, source, strict=True)
    )
    return adding(stack, *vms, *overrides)


def kept(stack: Stack, *, without: str = "", ids: Any = None, rule: Mapping[str, Any] | None = None) -> Stack:
    """The stack with all its VMs but one in the group of a rule; `ids`: the group lists these and no VM's output."""
    vms = [vm(m.wanted.name, uuid=f"id-{m.wanted.name}" if ids else UNKNOWN) for m in stack.machines]
    members = [each for each in vms if each.name != without]
    sources = {} if ids else {"virtualMachineIds": members}
    group = raw(GROUP, "all", {"name": "all-vms", "virtualMachineIds": ids or UNKNOWN}, sources=sources)
    stays = {"vmGroupName": "all-vms", "affinityHostGroupName": "all-hosts", "mandatory": False, **(rule or {})}
    return adding(stack, *vms, group, raw(ZONE_RULE, "stay", stays))


def some_by_id(stack: Stack) -> Stack:
    """The stack with one VM in the group by its output, the other by an id that somebody wrote down."""
    first, second = (vm(m.wanted.name, uuid=uuid) for m, uuid in zip(stack.machines, (UNKNOWN, "4213"), strict=True))
    listed = {"name": "all-vms", "virtualMachineIds": [UNKNOWN, "4213"]}
    group = raw(GROUP, "all", listed, sources={"virtualMachineIds": [first]})
    stays = {"vmGroupName": "all-vms", "affinityHostGroupName": "all-hosts"}
    return adding(stack, first, second, group, raw(ZONE_RULE, "stay", stays))


def descheduler(stack: Stack, levels: Mapping[str, int] | None = None, **more: Any) -> Stack:
    plugins = [
        {"name": "DefaultEvictor", "args": {"nodeFit": True}},
        {"name": "LowNodeUtilization", "args": {"targetThresholds": levels or {"cpu": 50, "memory": 50}, **more}},
        {"name": "RemoveDuplicates"},
    ]
    values = {"deschedulerPolicy": {"profiles": [{"name": "default", "pluginConfig": plugins}]}}
    return adding(
        stack,
        raw(RELEASE, "descheduler", {"chart": "descheduler", "values": values}),
        raw(RELEASE, "cilium", {"chart": "cilium", "values": {}}),
    )


def light(**changes: Any) -> dict[str, Any]:
    """The shop with little to do: 24 CPU asked for on six nodes of eight."""
    return {
        "workloads": [{"name": "w", "pool": "web", "replicas": 12, "requests": {"cpu": "1", "memory": "1Gi"}}],
        **changes,
    }


STAYS = "it stays on a crowded host, and keeps its host from maintenance mode until somebody moves it"
DISAGREE = (
    "sources disagree: Kubermatic saw seed clusters go down under frequent moves (2021), EKS Anywhere advised DRS off "
    "(2022) and describes vMotion since 2024, vSphere's CSI driver advises it on"
)
BOUND = (
    "with the host they are gone until it is back, and its maintenance needs them drained and powered off: reckon with "
    "them as with metal"
)
SRIOV = [{"adapterType": "vmxnet3"}, {"adapterType": "sriov"}]
LOOSE = (
    "DRS or HA may run them in another though theirs has room, and their nodes' labels stay: replicas that are spread "
    "over 3 zones by label may stand in one"
)
NUMA = "of memory accesses are remote if spread evenly [assumption: 2 NUMA nodes a host, 2 threads a core]"
BY_REQUESTS = (
    "it looks at requests and not at use, so nodes that run hot stay hot; what is left of it parts duplicates and "
    "mends spread constraints"
)
CASES = (
    Case(
        "drs-value",
        virtual(EVEN),
        (
            "spec workloads: DRS (fullyAutomated) changes nothing measurable: this cluster cannot make a host short of "
            "CPU, at most 24 vCPU on 128 usable threads, 124 on 640 with 1 lost\n"
            f"nodes do not run short of CPU {ASSUMED}",
        ),
    ),
    Case("drs-value", virtual(EVEN, balancing=None)),
    Case(
        "drs-value",
        virtual(rich({"workloads": []})),
        undecided="no workloads are named: whether nodes run short depends on them",
    ),
    Case(
        "drs-value",
        virtual(rich(), balancing=None),
        (
            f"spec workloads: nodes run short {ASSUMED}, and the descheduler sees what pods ask for, not what they "
            f"use: {SHORT}",
        ),
    ),
    Case(
        "drs-value",
        metal(rich()),
        (
            f"spec workloads: nodes run short {ASSUMED}, and the descheduler sees what pods ask for, not what they "
            f"use: {SHORT}",
        ),
    ),
    Case("drs-value", metal(EVEN)),
    Case("drs-value", metal(rich(), times=2)),
    Case(
        "drs-override-disables",
        overridden(virtual(rich()), "shop-web-0", "shop-web-1", drsAutomationLevel="fullyAutomated"),
        (
            "resource shop-web-0-mine: drsEnabled is left out, for which the provider takes false: DRS neither places "
            f"nor moves shop-web-0 and shop-web-1, where the target says fullyAutomated\n{STAYS}",
        ),
    ),
    Case(
        "drs-override-disables",
        overridden(virtual(rich()), "shop-web-0", drsAutomationLevel="fullyAutomated", drsEnabled=False),
        (
            "resource shop-web-0-mine: drsEnabled is false and drsAutomationLevel fullyAutomated in vain: DRS neither "
            f"places nor moves shop-web-0, where the target says fullyAutomated\n{STAYS}",
        ),
    ),
    Case(
        "drs-override-disables",
        overridden(virtual(rich()), "shop-web-0", drsEnabled=True),
        (
            "resource shop-web-0-mine: drsAutomationLevel is left out, for which the provider takes manual: DRS only "
            f"recommends to move shop-web-0, where the target says fullyAutomated\n{STAYS}",
        ),
    ),
    Case(
        "drs-override-disables",
        overridden(virtual(rich()), "shop-web-0", drsEnabled=True, drsAutomationLevel="fullyAutomated"),
    ),
    Case("drs-override-disables", overridden(virtual(rich()), "shop-control-plane-0", drsEnabled=True)),
    Case("drs-override-disables", overridden(virtual(rich(), balancing=NO_DRS), "shop-web-0")),
    Case("drs-override-disables", overridden(virtual(rich()), of=raw(VM, "other", {}))),
    Case(
        "drs-override-disables",
        overridden(virtual(rich()), "shop-web-0", drsEnabled=UNKNOWN),
        undecided="drsEnabled of shop-web-0-mine is known only after `pulumi up`",
    ),
    Case(
        "drs-override-disables",
        adding(virtual(rich()), vm("shop-web-0"), raw(OVERRIDE, "mine", {"virtualMachineId": "4213"})),
        undecided="virtualMachineId of mine is the UUID of some VM, and not every VM of the stack has one yet",
    ),
    Case(
        "drs-etcd-automated",
        virtual(rich(), balancing=EAGER),
        (
            "target drs.controlPlane: fullyAutomated: each move stops a member of etcd for 0.5 s; by the numbers that "
            f"is harmless, its election timeout is 1 s: only a report from the field objects\n{DISAGREE}",
        ),
    ),
    Case(
        "drs-etcd-automated",
        virtual(rich(), balancing=EAGER),
        (
            "target drs.controlPlane: fullyAutomated: each move stops a member of etcd for 1.2 s; with its election "
            f"timeout of 1 s a moved leader is lost with p = 36 %\n{DISAGREE}",
        ),
        params={"stunSeconds": 1.2},
    ),
    Case("drs-etcd-automated", virtual(rich())),
    Case("drs-etcd-automated", virtual(spec(), balancing=EAGER)),  # one member elects nobody
    Case(
        "drs-passthrough-pinned",
        adding(
            virtual(rich()), vm("shop-db-0", pciDeviceIds=["0000:3b:00.0"]), vm("shop-db-1", networkInterfaces=SRIOV)
        ),
        (
            "resource shop-db-0: shop-db-0 and shop-db-1 (adapterType sriov, pciDeviceIds): 2 of 14 VMs are bound to "
            f"their host, HA restarts none of them\n{BOUND}",
        ),
    ),
    Case(
        "drs-passthrough-pinned",
        adding(virtual(rich(), ha=False), vm("shop-db-0", pciDeviceIds=["0000:3b:00.0"])),
        (
            "resource shop-db-0: shop-db-0 (pciDeviceIds): 1 of 14 VMs are bound to their host, DRS moves none of "
            f"them\n{BOUND}",
        ),
    ),
    Case(
        "drs-passthrough-pinned", adding(virtual(rich()), vm("shop-db-0", pciDeviceIds=[], networkInterfaces=SRIOV[:1]))
    ),
    Case("drs-passthrough-pinned", adding(virtual(rich()), raw(VM, "other", {"pciDeviceIds": ["0000:3b:00.0"]}))),
    Case(
        "drs-passthrough-pinned",
        adding(virtual(rich(), ha=False, balancing=BY_HAND), vm("shop-db-0", networkInterfaces=SRIOV)),
    ),
    Case(
        "drs-passthrough-pinned",
        adding(virtual(rich()), vm("shop-db-0", networkInterfaces=[{"adapterType": UNKNOWN}])),
        undecided="networkInterfaces.0.adapterType of shop-db-0 is known only after `pulumi up`",
    ),
    Case(
        "drs-zone-label-unpinned",
        kept(virtual(rich()), without="shop-db-2"),
        (f"spec zones: 1 of 14 VMs (shop-db-2) are in no rule that keeps them on the hosts of a zone\n{LOOSE}",),
    ),
    Case(
        "drs-zone-label-unpinned",
        kept(virtual(rich()), rule={"enabled": False}),
        (
            "spec zones: 14 of 14 VMs (shop-control-plane-0, shop-control-plane-1, shop-control-plane-2 and 11 "
            f"more) are in no rule that keeps them on the hosts of a zone\n{LOOSE}",
        ),
    ),
    Case(
        "drs-zone-label-unpinned",
        kept(virtual(spec({"zones": ["a", "b"]})), rule={"affinityHostGroupName": None}),
        (
            "spec zones: 2 of 2 VMs (tiny-control-plane-0 and tiny-apps-0) are in no rule that keeps them on the hosts "
            f"of a zone\n{LOOSE.replace('3', '2')}",
        ),
    ),
    Case("drs-zone-label-unpinned", kept(virtual(rich()))),
    Case("drs-zone-label-unpinned", kept(virtual(rich()), rule={"affinityHostGroupName": UNKNOWN})),
    Case("drs-zone-label-unpinned", kept(virtual(spec()), without="tiny-apps-0")),  # one zone
    Case("drs-zone-label-unpinned", kept(virtual(rich(), ha=False, balancing=BY_HAND), without="shop-db-2")),
    Case(
        "drs-zone-label-unpinned",
        kept(virtual(spec({"zones": ["a", "b"]})), ids=["id-tiny-apps-0", "id-tiny-control-plane-0"]),
    ),
    Case(
        "drs-zone-label-unpinned",
        kept(virtual(spec({"zones": ["a", "b"]})), ids=["id-tiny-apps-0"]),
        (
            "spec zones: 1 of 2 VMs (tiny-control-plane-0) are in no rule that keeps them on the hosts of "
            f"a zone\n{LOOSE.replace('3', '2')}",
        ),
    ),
    Case("drs-zone-label-unpinned", some_by_id(virtual(spec({"zones": ["a", "b"]})))),
    Case(
        "drs-zone-label-unpinned",
        kept(virtual(rich()), rule={"vmGroupName": UNKNOWN}),
        undecided="vmGroupName of stay is known only after `pulumi up`",
    ),
    Case(
        "drs-numa-wide",
        virtual(rich(), hosts=(58,) * 6),
        (f"spec pools.db.size.cpus: 16 CPU, and a NUMA node has 15 cores: 3 VMs of db take up to 2 each\n50 % {NUMA}",),
    ),
    Case("drs-numa-wide", virtual(rich(), hosts=(62,) * 6)),  # 16 cores
    Case("drs-numa-wide", virtual(rich(), hosts=(58,) * 6), params={"numaNodes": 1}),
    Case(
        "drs-numa-wide",
        adding(
            virtual(rich(), hosts=(28,) * 6, on={"shop-db-1": None}),
            vm("shop-db-0", cpuHotAddEnabled=True),
            vm("shop-db-1", cpuHotAddEnabled=False),
            vm("shop-web-0", cpuHotAddEnabled=True),
        ),
        (
            "spec pools.db.size.cpus: 16 CPU, and a NUMA node has 7.5 cores: 11 VMs of web, db and partner take up to "
            "2 each\n"
            f"50 % {NUMA}\n"
            "cpuHotAddEnabled hides this from 1 of their guests, unless vSphere 8 is told to show",
        ),
    ),
    Case(
        "drs-numa-wide",
        virtual(rich({"controlPlane.size.memory": "600Gi"})),
        (
            "spec controlPlane.size.memory: 600 GiB, and a NUMA node has 512 GiB: 3 VMs of control-plane take up to 2 "
            f"each\n50 % {NUMA}",
        ),
    ),
    Case(
        "drs-numa-wide",
        virtual(rich(), hosts=()),
        undecided="the hosts of site main are not known",
    ),
    Case(
        "drs-desched-by-requests",
        descheduler(virtual(rich(light()))),
        (
            "spec availability.rebalance: LowNodeUtilization begins with nodes that are asked for 50 %; here none is "
            f"asked for more than 40 %, cpu of pool web with one node out\n{BY_REQUESTS}",
        ),
    ),
    Case("drs-desched-by-requests", descheduler(virtual(rich(light())), {"cpu": 40})),
    Case("drs-desched-by-requests", descheduler(virtual(rich()))),
    Case(
        "drs-desched-by-requests",
        descheduler(virtual(rich(light())), metricsUtilization={"source": "KubernetesMetrics"}),
    ),
    Case("drs-desched-by-requests", descheduler(virtual(rich(light(**{"availability.rebalance": False}))))),
    Case(
        "drs-desched-by-requests",
        descheduler(metal(rich(light()), times=4)),
        (
            "spec availability.rebalance: LowNodeUtilization begins with nodes that are asked for 50 %; here none is "
            f"asked for more than 10 %, cpu of pool web with one node out\n{BY_REQUESTS}",
        ),
    ),
    Case("drs-desched-by-requests", descheduler(metal(rich(), times=4))),
    Case(
        "drs-desched-by-requests",
        descheduler(metal(rich({"workloads": []}))),
        undecided="what nodes are asked for: the spec names no workload",
    ),
    Case(
        "drs-desched-by-requests",
        adding(metal(rich()), raw(RELEASE, "descheduler", {"chart": "descheduler", "values": UNKNOWN})),
        undecided="values of descheduler is known only after `pulumi up`",
    ),
)
