"""Plan of a vSphere target: on which host each VM starts, with which address, and what that makes of the wishes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from math import ceil

from components import facts
from components.addons import load_balancer_rules, remediation_rules, sandbox_rules, storage_rules
from components.facts import Balancing, Place, Realisation, SiteFacts, Wanted
from components.networks import addresses, server
from components.plan import Assignment, Leaf, NodePlatform, Rule, degraded, equal
from components.planning import wanted_machines
from components.problems import InvalidInput, listed
from components.quantity import format_bytes
from components.spec import CONTROL_PLANE, Spec
from components.vsphere.addons import FENCE_AGENT
from components.vsphere.capacity import GIB, STEPS, Standing, hypervisors, real, real_size, standing, total, usable, vms
from components.vsphere.config import Config
from components.vsphere.failover import outlook
from components.vsphere.limits import hosts_count, placed, reserve
from components.vsphere.placement import Packing
from components.vsphere.surge import surge_rule

NO_HA = "a VM on a dead host cannot be powered off through that host: without vSphere HA its node waits for a person"
"""[engineers' knowledge], not measured."""
NESTED = (
    "a sandbox is a VM inside a VM: it starts and does I/O slower. Nested virtualisation is as of a VM's birth: one "
    "that is there already is built anew by its generation"
)
"""That a VM in a VM is slower [engineers' knowledge]; by how much depends on the workload, and is not measured here.
nestedHvEnabled is off unless asked [documented] www.pulumi.com/registry/packages/vsphere, VirtualMachine."""


def assign(spec: Spec, config: Config, wanted: Sequence[Wanted]) -> Assignment:
    """Place each VM on a host of its zone that has room for it, as `placement.place` says; a fault where none has."""
    packings, faults = placed(spec, config, vms(spec, wanted), hypervisors(config))
    if faults:
        raise InvalidInput(faults)
    on = {name: host for packing in packings.values() for name, host in packing.on.items()}
    places = tuple(
        Place(
            host=on[machine.name],
            host_class="vm",
            size=real_size(machine.size),
            address=str(IPv4Address(addresses(config.network.addresses[machine.pool])[machine.index])),
            generation=config.generations.get(machine.name, 1),
        )
        for machine in wanted
    )
    platform = NodePlatform(cloud_provider=True, provider_id="", vip_mode="arp", vip_interface="")
    return Assignment(
        places=places,
        platforms=(platform,) * len(places),
        endpoint=config.endpoint,
        site=_site(config),
        reasons=tuple(_reasons(spec, config, standing(spec, config, wanted, places), packings)),
    )


def rules(spec: Spec, config: Config, assignment: Assignment) -> Mapping[str, Rule]:
    stands = standing(spec, config, wanted_machines(spec), assignment.places)
    zones = _zone_rule(spec, config)
    return {
        "zones": zones,
        "pools.*.zones": zones,
        **{
            f"{holder}.size.{part}": _size_rule
            for holder in ("controlPlane", "pools.*")
            for part in ("cpus", "memory", "disk")
        },
        **_quorum_rule(spec, config, stands),
        "availability.surge": surge_rule(spec, config, stands),
        **remediation_rules(f"{FENCE_AGENT} by the VM's UUID", "" if config.ha.enabled else NO_HA),
        **sandbox_rules("nested virtualisation in its VMs", NESTED),
        **storage_rules(config),
        **load_balancer_rules(config),
    }


def _site(config: Config) -> SiteFacts:
    return SiteFacts(
        name="main",
        kind=config.kind,
        machine="vm",
        hosts=tuple(
            facts.Host(**host.model_dump(), usable_cpus=usable(host).cpus, usable_memory=usable(host).memory)
            for host in config.hosts
        ),
        reserve_hosts=reserve(config),
        cpu_overcommit=config.cpu_overcommit,
        spare_hosts=0,
        balancing=Balancing(workers=config.drs.workers, control_plane=config.drs.control_plane),
        restarts_machines=config.ha.enabled,
        power_control=True,
        machine_snapshots=True,
        networks=(str(config.network.network),),
        controllers=tuple(taken.text for taken in server(config.vcenter, "vCenter", ("vcenter",))),
    )


# ---- why


def _reasons(spec: Spec, config: Config, stands: Standing, packings: Mapping[str, Packing]) -> Iterator[str]:
    asked, there = total([vm.need for vm in stands.vms]), total([host.room for host in stands.hosts])
    yield (
        f"{len(stands.vms)} VMs on {hosts_count(len(stands.hosts))}: {asked.cpus} of {there.cpus} CPU and "
        f"{ceil(asked.memory / GIB)}Gi of {there.memory // GIB}Gi in use{_by_zone(spec, stands)}"
    )
    yield from _moved(stands, packings)
    yield from _after_loss(config, stands)


def _by_zone(spec: Spec, stands: Standing) -> str:
    """Zones are not equally full: a pool's first node goes to the first of its zones."""
    if len(spec.zones) == 1:
        return ""
    shares = []
    for zone in spec.zones:
        used = sum(vm.need.memory for vm in stands.vms if vm.zone == zone)
        have = sum(host.room.memory for host in stands.hosts if host.zone == zone)
        shares.append(f"{zone} {100 * used // have} %")
    return f"; of the memory in zone {', '.join(shares)}"


def _moved(stands: Standing, packings: Mapping[str, Packing]) -> Iterator[str]:
    """Where the hosts are too full for the rule that growth does not disturb."""
    searched = [zone for zone, packing in packings.items() if not packing.by_index]
    if searched:
        yield (
            f"zone {listed(searched)}: so full that the VMs are packed by size, not by index: a change of any pool can "
            "name other hosts for them, which counts at a VM's birth only"
        )
    named = {zone: [host.name for host in stands.hosts if host.zone == zone] for zone in packings}
    elsewhere = [
        vm.name
        for vm in stands.vms
        if packings[vm.zone].by_index and named[vm.zone][vm.nth % len(named[vm.zone])] != stands.on[vm.name]
    ]
    if elsewhere:
        stand = "stands" if len(elsewhere) == 1 else "stand"
        yield f"{listed(elsewhere)} {stand} where there was room: the host that the index names has too little for it"


def _after_loss(config: Config, stands: Standing) -> Iterator[str]:
    lost = reserve(config)
    if not lost:
        return
    found = outlook(stands, lost)
    if not found.failures:
        which = "whichever is lost" if found.every else f"each one, and the {lost} largest together; others by sum"
        yield (
            f"vSphere HA restarts the VMs of {hosts_count(lost)} lost: the others hold them by fit of CPU and memory, "
            f"{which}; not counted: that it may leave a VM off rather than beside another of its pool"
        )
        return
    loss, vm = found.failures[0], found.failures[0].stranded[0]
    also = f" and {len(loss.stranded) - 1} more" if len(loss.stranded) > 1 else ""
    finds = "finds no room" if loss.exact else "found no room, in what was tried,"
    yield (
        f"vSphere HA has its reserve of {hosts_count(lost)} by sum, not by fit: with {', '.join(loss.hosts)} lost, "
        f"{vm.name} ({vm.need.asked}){also} {finds} on the others, where {loss.most.name} has most left: "
        f"{loss.most.room.there}; so in {len(found.failures)} of {found.tried} losses"
    )


# ---- what becomes of the wishes


def _size_rule(leaf: Leaf) -> Realisation:
    """VMs are as asked, but for the steps in which their sizes come."""
    part = leaf.pattern.rpartition(".")[2]
    has = real(part, leaf.value)
    more = f"rounded up to {format_bytes(has)}, in steps of {format_bytes(STEPS[part])}" if has != leaf.value else ""
    return equal("virtual hardware of the VM", more)(leaf)


def _zone_rule(spec: Spec, config: Config) -> Rule:
    counts = {zone: sum(host.zone == zone for host in config.hosts) for zone in spec.zones}
    hosts = ", ".join(f"{zone}: {count}" for zone, count in counts.items())
    return equal(
        f"host groups and VM-host rules (hosts {hosts})",
        "rules say should: while a zone lacks room, HA or DRS may run a VM in another, and its node's label stays",
    )


def _quorum_rule(spec: Spec, config: Config, stands: Standing) -> Mapping[str, Rule]:
    """Nothing to add where etcd outlives the loss of any host, or where its only member is on one."""
    members = Counter(stands.on[vm.name] for vm in stands.vms if vm.pool == CONTROL_PLANE)
    nodes, (host, most) = spec.control_plane.nodes, members.most_common(1)[0]
    majority = nodes // 2 + 1
    if most == 1 or nodes - most >= majority:
        return {}
    back = "until HA has restarted enough of them" if config.ha.enabled else "until the host is back"
    return {
        "controlPlane.nodes": degraded(
            f"{nodes} VMs on {hosts_count(len(members))}, joined with kubeadm",
            f"{host} holds {most} of them and etcd needs {majority}: its loss stops the API {back}",
        )
    }
