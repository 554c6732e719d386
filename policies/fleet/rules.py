"""Fleet: spares, pools of unlike hosts, zones of one host, and hosts of which no pod can use most."""

from __future__ import annotations

from collections.abc import Iterator

from components.facts import MachineFacts, SiteFacts
from components.rules import Evidence, Param, Params, Rule, Stack, Violation, figure, percent
from isostack.assess.fleet import any_broken, beyond_smallest, hours_away, rebuild_seconds, stranded
from policies.fleet.hardware import NO_BMC, TWICE
from policies.words import count

HOST = frozenset({"host"})
REPAIRS = Evidence(
    "measured",
    "8 % of servers need a repair within a year: Vishwanath and Nagappan, SoCC 2010, as quoted by notes.yuuk.io",
)
GIB = 1024**3


def check_spare(stack: Stack, params: Params) -> Iterator[Violation]:
    """Of hosts of one's own: where the provider has them, the stock is the provider's."""
    for site in stack.sites:
        used = len({machine.place.host for machine in _of(stack, site)})
        if site.machine != "host" or not site.hosts or site.spare_hosts or not used:
            continue
        repair, ready = params["repairHours"], rebuild_seconds() / 3600
        yield Violation(
            "inventory",
            f"no spare for {count(used, 'host')}: within a year one needs a repair with p = "
            f"{percent(any_broken(used))}\n"
            f"each time its node is away until the repair, {repair:g} h [assumption]: "
            f"{figure(hours_away(used, repair))} h a year on average; on a spare it is back after {figure(ready)} h, "
            f"{figure(hours_away(used, ready))} h a year",
            of="target",
        )


def check_mixed(stack: Stack, params: Params) -> Iterator[Violation]:
    for pool in dict.fromkeys(machine.wanted.pool for machine in stack.machines):
        machines = [machine for machine in stack.machines if machine.wanted.pool == pool]
        cpus = [machine.place.size.cpus for machine in machines]
        memory = [machine.place.size.memory // GIB for machine in machines]
        if max(max(part) / min(part) for part in (cpus, memory)) - 1 <= params["tolerancePercent"] / 100:
            continue
        field = "controlPlane.size" if machines[0].wanted.role == "control-plane" else f"pools.{pool}.size"
        yield Violation(
            field,
            f"hosts of {_range(cpus)} CPU and {_range(memory)}Gi in one pool, asked are {machines[0].wanted.size}\n"
            f"what is made for any of them leaves {percent(beyond_smallest(cpus))} of the CPU and "
            f"{percent(beyond_smallest(memory))} of the memory unused",
            tuple(machine.wanted.name for machine in machines),
        )


def check_zone(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation for all such zones of a site."""
    for site in stack.sites:
        lone = [
            (zone, [machine for machine in _of(stack, site) if machine.wanted.zone == zone])
            for zone in stack.cluster.wanted.zones
            if sum(host.zone == zone for host in site.hosts) == 1
        ]
        lone = [(zone, machines) for zone, machines in lone if machines]
        if not lone:
            continue
        inside = [machine for _, machines in lone for machine in machines]
        yield Violation(
            "hosts" if site.machine == "vm" else "inventory",
            f"{_zones([zone for zone, _ in lone])}: with it the zone is gone, "
            f"{count(max(len(machines) for _, machines in lone), 'node')} at most\n{_meanwhile(site)}",
            tuple(machine.wanted.name for machine in inside),
            of="target",
        )


def check_oversized(stack: Stack, params: Params) -> Iterator[Violation]:
    """Of the control plane alone: what a worker has beyond its size, pods can use."""
    hosts = {site.name for site in stack.sites if site.machine == "host"}
    machines = [m for m in stack.machines if m.wanted.role == "control-plane" and m.place.site in hosts]
    if not machines:
        return
    asked, there = sum(m.wanted.size.cpus for m in machines), sum(m.place.size.cpus for m in machines)
    if 100 * stranded(asked, there) > params["strandedPercent"]:
        wanted, has = (sum(m.wanted.size.memory for m in machines), sum(m.place.size.memory for m in machines))
        yield Violation(
            "controlPlane.size",
            f"{count(len(machines), 'host')} with {there} CPU and {has // GIB}Gi for {asked} CPU and "
            f"{wanted // GIB}Gi asked\n"
            f"{percent(stranded(asked, there))} of the CPU and {percent(stranded(wanted, has))} of the memory is out "
            "of reach: no pod of a workload runs on the control plane",
            tuple(machine.wanted.name for machine in machines),
        )


def _of(stack: Stack, site: SiteFacts) -> list[MachineFacts]:
    return [machine for machine in stack.machines if machine.place.site == site.name]


def _range(values: list[int]) -> str:
    return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"


def _zones(names: list[str]) -> str:
    return f"zone {names[0]} has one host" if len(names) == 1 else f"zones {', '.join(names)} have one host each"


def _meanwhile(site: SiteFacts) -> str:
    if site.restarts_machines:
        return (
            "its VMs start again in another zone under the label of the old one, so replicas may share a host; "
            "maintenance of the host does the same"
        )
    if site.machine == "vm":
        return "its VMs stay off until the host is back; for maintenance they are moved to another zone or stopped"
    return "until it is repaired or built anew, what must stay in the zone has no place to run"


RULES = (
    NO_BMC,
    TWICE,
    Rule(
        id="fleet-no-spare",
        title="No host stands by to replace a broken one",
        severity="medium",
        level="advisory",
        claims=(5, 11),
        remediation="Add a host of the same class to the inventory without the label pool; zones decide whom it helps.",
        evidence=(
            REPAIRS,
            Evidence(
                "documented",
                "EKS Anywhere wants a spare for the control plane and one for each worker group: "
                "github.com/aws/eks-anywhere docs/content/en/docs/clustermgmt/cluster-upgrades/baremetal-upgrades.md",
            ),
        ),
        check=check_spare,
        params=(
            Param(
                name="repairHours",
                default=72,
                minimum=0,
                maximum=8760,
                description="Hours until a broken host is repaired or replaced.",
                evidence=Evidence("assumption", "next business day and a weekend; with parts on site it may be 24"),
            ),
        ),
        machines=HOST,
        why="Hosts break as often below a hypervisor as without one. There the other hosts take the VMs over; here a "
        "node is away until its host is repaired, unless another host stands by. A spare shortens days to the time of "
        "an image, and lets upgrades add a node before they take one away.",
    ),
    Rule(
        id="fleet-mixed-pool",
        title="Hosts of unlike sizes in one pool",
        severity="low",
        level="advisory",
        claims=(5,),
        remediation="Give hosts of each size a pool of their own: pools[] in the spec, label pool in the inventory.",
        evidence=(
            Evidence(
                "documented",
                "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/: pods are spread "
                "by their number, not by what a node has",
            ),
        ),
        check=check_mixed,
        params=(
            Param(
                name="tolerancePercent",
                default=10,
                minimum=0,
                maximum=1000,
                description="By how much the largest host of a pool may exceed its smallest, in percent.",
                evidence=Evidence("assumption", "a generation of servers differs by more"),
            ),
        ),
        machines=HOST,
        why="VMs of a pool are alike, since they are cut to size; hosts are what was bought. Where those of one pool "
        "differ, replicas that are spread evenly fill the smallest first, and what the others have more stays idle.",
    ),
    Rule(
        id="fleet-single-host-zone",
        title="A zone is one host",
        severity="medium",
        level="advisory",
        claims=(11, 12),
        remediation="Add a host to the zone, or name fewer zones in the spec.",
        evidence=(
            Evidence(
                "documented",
                "a rule that says should lets HA and DRS leave the zone, one that says must blocks them: vSphere "
                "Resource Management, VM-Host affinity rules",
            ),
            Evidence("assumption", "labels of a node stay as they were at its birth"),
        ),
        check=check_zone,
        why="A zone is a failure domain: what stands in it fails together. With one host it cannot even be maintained "
        "without being empty. VMs go on elsewhere under a label that is no longer true; nodes on metal stop.",
    ),
    Rule(
        id="fleet-class-oversized",
        title="Hosts of the control plane are mostly out of reach of pods",
        severity="low",
        level="advisory",
        claims=(5,),
        remediation=(
            "Give the control plane the smallest class of hosts: the label pool=control-plane in the inventory, pinned "
            "where the provider's plans are chosen."
        ),
        evidence=(
            Evidence(
                "documented",
                "https://kubernetes.io/docs/reference/labels-annotations-taints/"
                "#node-role-kubernetes-io-control-plane-taint",
            ),
        ),
        check=check_oversized,
        params=(
            Param(
                name="strandedPercent",
                default=75,
                minimum=0,
                maximum=100,
                description="Share of the control plane's CPUs that may be out of reach, in percent.",
                evidence=Evidence("assumption", "four times what is asked: the smallest server that one can buy"),
            ),
        ),
        machines=HOST,
        why="A VM is as large as asked. A host is a whole server, and the taint of the control plane keeps the pods of "
        "workloads off it. What it has more is paid for and used by nobody. On workers it is not lost: pods use it.",
    ),
)
