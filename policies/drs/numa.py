"""VMs that are wider than a NUMA node of their host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from components.facts import Host, MachineFacts, SiteFacts
from components.rules import Evidence, Param, Params, Rule, Stack, Undecided, Violation, figure, percent
from policies.references import VM
from policies.words import named

GIB = 1024**3
SHOWN_FROM = 9
"""CPUs from which a VM is shown its NUMA nodes. [documented] docs.vmware.com vSphere 8.0 resource management"""


@dataclass(frozen=True, slots=True)
class Wide:
    """A VM, and how many NUMA nodes of its host it takes."""

    machine: MachineFacts
    part: str
    """cpus or memory: what takes most nodes."""
    has: str
    node: str
    nodes: int


def check(stack: Stack, params: Params) -> Iterator[Violation]:
    found = [wide for site in stack.sites if site.machine == "vm" for wide in _wide(stack, site, params)]
    if not found:
        return
    worst = max(found, key=lambda wide: (wide.nodes, wide.machine.place.size.cpus))
    pools = named(wide.machine.wanted.pool for wide in found)
    built = f"{figure(params['numaNodes'])} NUMA nodes a host, {figure(params['threadsPerCore'])} threads a core"
    names = [wide.machine.wanted.name for wide in found]
    # Left out it is off: the provider's default.
    grows = {vm.machine for vm in stack.raw(VM) if vm.props.get("cpuHotAddEnabled") is True}
    hidden = [wide for wide in found if wide.machine.wanted.name in grows and _shown(wide)]
    first = worst.machine.wanted
    where = "controlPlane" if first.role == "control-plane" else f"pools.{first.pool}"
    yield Violation(
        f"{where}.size.{worst.part}",
        f"{worst.has}, and a NUMA node has {worst.node}: {len(found)} VMs of {pools} take up to "
        f"{worst.nodes} each\n{percent(1 - 1 / worst.nodes)} of memory accesses are remote if spread evenly "
        f"[assumption: {built}]"
        + (
            f"\ncpuHotAddEnabled hides this from {len(hidden)} of their guests, unless vSphere 8 is told to show"
            if hidden
            else ""
        ),
        subjects=tuple(names),
    )


def _shown(wide: Wide) -> bool:
    """The guest would see the nodes: memory alone makes it none."""
    return wide.part == "cpus" and wide.machine.place.size.cpus >= SHOWN_FROM


def _wide(stack: Stack, site: SiteFacts, params: Params) -> Iterator[Wide]:
    if not site.hosts:
        raise Undecided(f"the hosts of site {site.name} are not known")
    hosts = {host.name: host for host in site.hosts}
    smallest = min(site.hosts, key=lambda host: (host.cpus, host.memory))
    for machine in stack.machines:
        if machine.place.site == site.name:
            yield from _on(machine, hosts.get(machine.place.host or "", smallest), params)


def _on(machine: MachineFacts, host: Host, params: Params) -> Iterator[Wide]:
    size, nodes = machine.place.size, params["numaNodes"]
    cores, memory = host.cpus / params["threadsPerCore"] / nodes, host.memory / nodes
    # A VM that outgrows its host still has no more nodes than that.
    by_cpus, by_memory = (min(ceil(part), int(nodes)) for part in (size.cpus / cores, size.memory / memory))
    if by_cpus >= by_memory and by_cpus > 1:
        yield Wide(machine, "cpus", f"{size.cpus} CPU", f"{figure(cores)} cores", by_cpus)
    elif by_memory > 1:
        yield Wide(machine, "memory", f"{size.memory // GIB} GiB", f"{int(memory // GIB)} GiB", by_memory)


RULES = (
    Rule(
        id="drs-numa-wide",
        title="VMs are wider than a NUMA node",
        severity="low",
        level="advisory",
        claims=(3, 10),
        remediation="More and smaller nodes in the pool; or let the kubelet place pods by NUMA node. Say how your "
        "hosts are built by the parameters numaNodes and threadsPerCore of this rule.",
        evidence=(
            Evidence("vendor", "knowledge.broadcom.com/external/article/415687: vCPUs that span NUMA nodes may wait"),
            Evidence(
                "documented",
                "frankdenneman.nl 2010/10/07: a VM with more vCPUs than a processor has cores spans processors, "
                "threads are not counted; 2017/04/14: hot-add hides the nodes from the guest",
            ),
        ),
        check=check,
        params=(
            Param(
                name="numaNodes",
                kind="whole",
                default=2,
                minimum=1,
                maximum=64,
                description="NUMA nodes of a host.",
                evidence=Evidence("assumption", "two sockets, each one node; the BIOS may make more of them"),
            ),
            Param(
                name="threadsPerCore",
                kind="whole",
                default=2,
                minimum=1,
                maximum=8,
                description="Threads of a core.",
                evidence=Evidence("assumption", "SMT of today's x86 processors"),
            ),
        ),
        machines=frozenset({"vm"}),
        reads=(VM,),
        why="Whether a VM has more CPUs than a NUMA node of its host has cores, or more memory. A VM that fits has all "
        "its memory near, which a whole host with two sockets never has: here small VMs are better off than metal "
        "whose pods are not placed by NUMA node. A wide one has the drawback of both.",
    ),
)
