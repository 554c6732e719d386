"""Plan of a vSphere target: on which host each VM starts, with which address, and what that makes of the wishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from math import ceil

from components import facts
from components.addons import load_balancer_rules, remediation_rules, storage_rules
from components.facts import Balancing, Place, Realisation, SiteFacts, Wanted
from components.networks import addresses
from components.plan import Assignment, Leaf, NodePlatform, Rule, equal
from components.problems import InvalidInput, Problem
from components.quantity import format_bytes
from components.spec import CONTROL_PLANE, Spec
from components.vsphere.config import Config, Host

GIB = 1024**3
# Threads and memory that the hypervisor keeps of each host [assumption]: Broadcom publishes no formula.
HYPERVISOR_CPUS, HYPERVISOR_BYTES, HYPERVISOR_SHARE = 2, 8 * GIB, 0.03
# Memory that the hypervisor adds to each VM [documented for 6.7, extrapolated above 8 vCPU]: between 0.5 % and 1.8 %
# of a node-sized VM in the vSphere Resource Management guide; 1 % is the plan's figure.
VM_OVERHEAD = 0.01


def assign(spec: Spec, config: Config, wanted: Sequence[Wanted]) -> Assignment:
    """Spread each pool over the hosts of its zones by index: a pool that grows moves nothing, a host added does."""
    faults = list(_capacity_problems(spec, config, wanted))
    if faults:
        raise InvalidInput(faults)
    hosts = {zone: [host for host in config.hosts if host.zone == zone] for zone in spec.zones}
    order = {name: i for i, name in enumerate((CONTROL_PLANE, *(pool.name for pool in spec.pools)))}
    places = []
    for machine in wanted:
        there = hosts[machine.zone]
        # Pools start on different hosts: otherwise index 0 of every pool would share one.
        nth = machine.index // len(spec.zones_of(machine.pool)) + order[machine.pool]
        places.append(
            Place(
                host=there[nth % len(there)].name,
                host_class="vm",
                size=machine.size,
                address=str(IPv4Address(addresses(config.network.addresses[machine.pool])[machine.index])),
                generation=config.generations.get(machine.name, 1),
            )
        )
    platform = NodePlatform(cloud_provider=True, provider_id="", vip_mode="arp", vip_interface="")
    return Assignment(
        places=tuple(places),
        platforms=(platform,) * len(places),
        endpoint=config.endpoint,
        site=_site(config),
        reasons=tuple(_reasons(spec, config, wanted)),
    )


def rules(spec: Spec, config: Config, assignment: Assignment) -> Mapping[str, Rule]:
    exact = equal("virtual hardware of the VM")
    zones = _zone_rule(spec, config)
    return {
        "zones": zones,
        "pools.*.zones": zones,
        **{
            f"{holder}.size.{part}": exact
            for holder in ("controlPlane", "pools.*")
            for part in ("cpus", "memory", "disk")
        },
        "availability.surge": _surge_rule(spec, config),
        **remediation_rules(
            "vSphere HA restarts the VMs of a lost host" if config.ha.enabled else "a person powers the VM off and on"
        ),
        **storage_rules(config),
        **load_balancer_rules(config),
    }


def _site(config: Config) -> SiteFacts:
    return SiteFacts(
        name="main",
        kind=config.kind,
        machine="vm",
        hosts=tuple(facts.Host(**host.model_dump()) for host in config.hosts),
        reserve_hosts=config.ha.host_failures if config.ha.enabled else 0,
        spare_hosts=0,
        balancing=Balancing(workers=config.drs.workers, control_plane=config.drs.control_plane),
        restarts_machines=config.ha.enabled,
        power_control=True,
        machine_snapshots=True,
    )


def usable(host: Host, overcommit: float = 1.0) -> tuple[int, int]:
    """Virtual CPUs and bytes that a host offers to VMs."""
    kept = max(HYPERVISOR_BYTES, int(host.memory * HYPERVISOR_SHARE))
    return int((host.cpus - HYPERVISOR_CPUS) * overcommit), max(0, host.memory - kept)


def _vm_bytes(machine: Wanted) -> int:
    return int(machine.size.memory * (1 + VM_OVERHEAD))


def _capacity_problems(spec: Spec, config: Config, wanted: Sequence[Wanted]) -> Iterator[Problem]:
    """Largest VM against largest host, each zone's VMs against its hosts, and all VMs with the HA reserve taken off."""
    largest = max((usable(host, config.cpu_overcommit) for host in config.hosts), key=lambda pair: pair[1])
    for i, pool in enumerate((None, *spec.pools)):
        size = pool.size if pool else spec.control_plane.size
        if size.memory * (1 + VM_OVERHEAD) > largest[1] or size.cpus > max(h.cpus for h in config.hosts):
            yield Problem(
                f"a node asks {size.cpus} CPU and {format_bytes(size.memory)}, the largest host offers "
                f"{largest[0]} CPU and {largest[1] // GIB}Gi to VMs",
                "make the nodes smaller and more",
                ("pools", i - 1, "size") if pool else ("controlPlane", "size"),
                source="spec",
            )
            return
    for zone in spec.zones:
        hosts = [host for host in config.hosts if host.zone == zone]
        yield from _shortage(config, f"zone {zone}", hosts, [m for m in wanted if m.zone == zone], 0)
    if config.ha.enabled:
        yield from _shortage(config, "the cluster", list(config.hosts), list(wanted), config.ha.host_failures)


def _shortage(config: Config, where: str, hosts: list[Host], machines: list[Wanted], lost: int) -> Iterator[Problem]:
    """The largest `lost` hosts are taken off: HA must restart their VMs on the rest."""
    offers = sorted((usable(host, config.cpu_overcommit) for host in hosts), key=lambda pair: pair[1])
    offers = offers[: max(0, len(offers) - lost)]
    cpus, memory = sum(m.size.cpus for m in machines), sum(_vm_bytes(m) for m in machines)
    have_cpus, have_memory = sum(o[0] for o in offers), sum(o[1] for o in offers)
    if cpus > have_cpus or memory > have_memory:
        less = f" less {lost} for HA" if lost else ""
        yield Problem(
            f"{where}: {len(machines)} VMs ask {cpus} CPU and {ceil(memory / GIB)}Gi, its {len(hosts)} hosts{less} "
            f"offer {have_cpus} CPU and {have_memory // GIB}Gi",
            "add hosts, or lower pools" + (" or ha.hostFailures" if lost else "") + ", or raise cpuOvercommit for CPU",
            ("hosts",),
            source="target",
        )


def _reasons(spec: Spec, config: Config, wanted: Sequence[Wanted]) -> Iterator[str]:
    offers = [usable(host, config.cpu_overcommit) for host in config.hosts]
    cpus, memory = sum(m.size.cpus for m in wanted), sum(_vm_bytes(m) for m in wanted)
    have_cpus, have_memory = sum(o[0] for o in offers), sum(o[1] for o in offers)
    yield (
        f"{len(wanted)} VMs on {len(config.hosts)} hosts: {cpus} of {have_cpus} CPU and {ceil(memory / GIB)}Gi of "
        f"{have_memory // GIB}Gi in use"
    )
    if config.ha.enabled and config.ha.host_failures:
        lost = config.ha.host_failures
        yield f"vSphere HA restarts the VMs of {lost} lost host(s): the others hold them by sum, not by fit"


def _zone_rule(spec: Spec, config: Config) -> Rule:
    counts = {zone: sum(host.zone == zone for host in config.hosts) for zone in spec.zones}
    hosts = ", ".join(f"{zone}: {count}" for zone, count in counts.items())
    return equal(
        f"host groups and VM-host rules (hosts {hosts})",
        "rules say should: while a zone lacks room, HA or DRS may run a VM in another, and its node's label stays",
    )


def _surge_rule(spec: Spec, config: Config) -> Rule:
    """A further VM of the largest pool must fit beside the rest."""
    if spec.availability.surge == 0:
        return equal("none asked: nodes are upgraded in place")
    largest = max(spec.pools, key=lambda pool: pool.size.memory)
    used = sum(p.nodes * p.size.memory for p in spec.pools) + spec.control_plane.nodes * spec.control_plane.size.memory
    have = sum(usable(host)[1] for host in config.hosts)
    free = int(have - used * (1 + VM_OVERHEAD))
    asked = int(spec.availability.surge * largest.size.memory * (1 + VM_OVERHEAD))
    if asked <= free:
        return equal(f"{spec.availability.surge} further VM of any pool", f"{free // GIB}Gi are free")
    return lambda leaf: _degraded(
        leaf, "nodes are upgraded in place", f"surge asks {asked // GIB}Gi, {free // GIB}Gi are free"
    )


def _degraded(leaf: Leaf, mechanism: str, reason: str) -> Realisation:
    return Realisation(field=leaf.path, grade="degraded", mechanism=mechanism, reason=reason)
