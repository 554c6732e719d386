"""Hosts below VMs: what a VM is promised of them, and what vSphere HA believes of it."""

from __future__ import annotations

from collections.abc import Iterator

from components.rules import Evidence, Param, Params, Raw, Rule, Stack, Violation, figure, percent
from isostack.assess.capacity import admitted, vm_overhead, vms_on_host
from policies.placed import restarting
from policies.words import count, named

VM = "vsphere:index/virtualMachine:VirtualMachine"
MIB = 1024**2


def check_blind(stack: Stack, params: Params) -> Iterator[Violation]:
    """Also VMs that are no nodes: admission control counts those of the whole compute cluster."""
    site = restarting(stack)
    if site is None or not site.hosts:
        return
    blind = [vm for vm in stack.raw(VM) if (vm.get("memoryReservation") or 0) < (vm.get("memory") or 0)]
    if not blind:
        return
    largest = max(blind, key=lambda vm: (vm.get("memory"), vm.name))
    cpus, memory = largest.get("numCpus") or 1, largest.get("memory")
    lost, hosts = max(1, site.reserve_hosts), [host.memory / MIB for host in site.hosts]
    kept = sorted(site.hosts, key=lambda host: host.usable_memory)[: max(0, len(hosts) - lost)]
    fit = sum(vms_on_host(host.usable_cpus, host.usable_memory / MIB, cpus, memory) for host in kept)
    yield Violation(
        largest.name,
        f"memory is not reserved for {count(len(blind), 'VM')} ({named([vm.name for vm in blind])}): HA admission "
        f"control counts {_reserved(largest)} MB and {figure(vm_overhead(cpus, memory))} MB of overhead for its "
        f"{memory} MB\nwith {lost} of {count(len(hosts), 'host')} lost it would let in "
        f"{admitted(hosts, lost, cpus, memory, _reserved(largest))} such VMs, and {fit} fit",
        tuple(vm.name for vm in blind),
        of="resource",
    )


def _reserved(vm: Raw) -> int:
    return int(vm.get("memoryReservation") or 0)


def check_overcommit(stack: Stack, params: Params) -> Iterator[Violation]:
    for site in stack.sites:
        carried = dict.fromkeys((host.name for host in site.hosts), 0)
        for machine in stack.machines:
            if machine.place.site == site.name and machine.place.host in carried:
                carried[machine.place.host] += machine.place.size.cpus
        ratios = {host.name: carried[host.name] / max(1, host.usable_cpus) for host in site.hosts}
        over = sorted((name for name in ratios if ratios[name] > params["maxRatio"]), key=lambda name: -ratios[name])
        if over:
            worst, threads = over[0], {host.name: host.usable_cpus for host in site.hosts}
            yield Violation(
                "cpuOvercommit",
                f"{named(over)} {'carries' if len(over) == 1 else 'carry'} more vCPU than threads, {worst} "
                f"{carried[worst]} on {threads[worst]}: {figure(ratios[worst])} a thread, more than "
                f"{params['maxRatio']:g}\n"
                f"when all are busy a vCPU has {percent(1 / ratios[worst])} of a thread, and so little is then "
                "what a pod that requests a CPU gets",
                tuple(over),
                of="target",
            )


RULES = (
    Rule(
        id="cap-ha-blind",
        title="vSphere HA keeps nothing free for VMs without a memory reservation",
        severity="high",
        level="mandatory",
        claims=(11, 12),
        remediation=(
            "Set memoryReservation to the VM's memory and memoryReservationLockedToMax: true, as the VMs of the plan "
            "have."
        ),
        evidence=(
            Evidence(
                "documented",
                "docs.vmware.com vSphere 8.0 Availability, GUID-53F6938C: it considers a VM's reserved memory and its "
                "overhead; where more is used, failover capacity is insufficient",
            ),
            Evidence(
                "documented",
                "vSphere 6.7 Resource Management, Overhead Memory on Virtual Machines; on from its last values above 8 "
                "vCPU and 16 GiB [assumption]: isostack/assess/capacity.py",
            ),
        ),
        check=check_blind,
        why="Admission control is what keeps a host's worth of capacity free for HA. It counts reservations, not the "
        "size of VMs: one without a reservation is worth its overhead, some hundred MB. So it lets in many times the "
        "VMs that fit, and after a loss they start and starve, or do not start. Kubernetes also believes in memory "
        "that the host may take back.",
        machines=frozenset({"vm"}),
        reads=(VM,),
    ),
    Rule(
        id="cap-overcommit",
        title="Hosts carry more virtual CPUs than they have threads",
        severity="medium",
        # No ratio is right for all: what counts is contention, which no preview shows.
        level="advisory",
        claims=(10, 5),
        remediation=(
            "Add hosts, make nodes smaller, or lower cpuOvercommit of the target config to 1; where it is meant, set "
            "maxRatio and watch CPU ready."
        ),
        evidence=(
            Evidence(
                "vendor",
                "blogs.vmware.com, VMware Cloud Foundation, 2025-06-04: there is no common ratio of vCPU to physical "
                "CPU, contention decides",
            ),
            Evidence("assumption", "Kubernetes on metal counts threads as CPUs: 1 a thread compares fairly"),
        ),
        check=check_overcommit,
        params=(
            Param(
                name="maxRatio",
                default=1.0,
                minimum=0.1,
                maximum=16,
                description="Virtual CPUs a usable thread that go unnoticed.",
                evidence=Evidence("assumption", "as on metal, where a CPU is a thread"),
            ),
        ),
        why="A request of one CPU is a promise of a node, and a node that is a VM was promised it by a host that may "
        "have promised it twice. Ratios such as 4 to 1 are folklore. What is compared is the plan: where VMs start.",
        machines=frozenset({"vm"}),
    ),
)
