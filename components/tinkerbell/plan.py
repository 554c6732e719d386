"""Plan of a Tinkerbell target: what is impossible on its hosts, and what the chosen ones make of the wishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from components import facts
from components.addons import load_balancer_rules, remediation_rules, sandbox_rules, storage_rules, unfenced_rules
from components.facts import Place, Realisation, SiteFacts, Wanted
from components.plan import Assignment, Leaf, NodePlatform, Rule, degraded, equal
from components.problems import FieldPath, InvalidInput, Problem, listed
from components.spec import CONTROL_PLANE, Spec
from components.target import arp_problems
from components.tinkerbell.addons import FENCE_AGENTS
from components.tinkerbell.choice import Chosen, carries_endpoint, choose, misfit, spares
from components.tinkerbell.config import CLASS, Config, Vip
from components.tinkerbell.inventory import Hardware

GIB = 1024**3


def assign(spec: Spec, config: Config, wanted: Sequence[Wanted]) -> Assignment:
    """Choose a host for each machine, as `choose` says. Raises InvalidInput with every pool that lacks hosts."""
    chosen = choose(config, wanted)
    if any(machine.pool == CONTROL_PLANE and machine.name not in chosen for machine in wanted):
        # Are hosts lacking, or does the API's address keep them out? Without it, each fault shows by itself.
        chosen = choose(config.model_copy(update={"vip": Vip(mode="bgp")}), wanted)
    faults = [*_pins(config, wanted, chosen), *_shortages(spec, config, wanted, chosen)]
    faults += _endpoint(config, wanted, chosen)
    if config.vip.mode == "arp":
        workers = (chosen[m.name].network for m in wanted if m.pool != CONTROL_PLANE and m.name in chosen)
        faults += arp_problems(config, spec, workers)
    if faults:
        raise InvalidInput(faults)
    hosts = [chosen[machine.name] for machine in wanted]
    return Assignment(
        places=tuple(_place(config, machine, host) for machine, host in zip(wanted, hosts, strict=True)),
        platforms=tuple(_platform(config, host) for host in hosts),
        endpoint=config.endpoint,
        site=_site(spec, config, hosts),
        reasons=tuple(_reasons(spec, config, wanted, chosen)),
        unpinned=tuple(machine.name for machine in wanted if machine.name not in config.assignments),
    )


# ---- what is impossible


def _pins(config: Config, wanted: Sequence[Wanted], chosen: Chosen) -> Iterator[Problem]:
    for machine in wanted:
        host = chosen.get(machine.name) if machine.name in config.assignments else None
        if host is not None and (why := misfit(config, host, machine)) is not None:
            right = "change that back; or take the line away: the machine is then made anew, empty, on another host"
            yield Problem(f"{host.name} {why}", right, ("assignments", machine.name), source="target")


def _shortages(spec: Spec, config: Config, wanted: Sequence[Wanted], chosen: Chosen) -> Iterator[Problem]:
    """One problem for each pool that lacks hosts: asked, there, and where they are missing."""
    owners = {host.name: _taker(config, name) for name, host in chosen.items()}
    gone = set(config.assignments) - {machine.name for machine in wanted}
    owners |= {config.assignments[name]: f"waits for {name}, which the spec has no longer" for name in gone}
    for i, pool in enumerate((None, *spec.pools)):
        name, size = (pool.name, pool.size) if pool else (CONTROL_PLANE, spec.control_plane.size)
        where: FieldPath = ("pools", i - 1) if pool else ("controlPlane",)
        machines = [machine for machine in wanted if machine.pool == name]
        if all(machine.name in chosen for machine in machines):
            continue
        title = f"pool {name}" if pool else "the control plane"
        if not any(config.size(host).covers(size) for host in config.hosts):
            largest = max((config.size(host) for host in config.hosts), key=lambda s: (s.memory, s.cpus, s.disk))
            what = f"{title} wants hosts of at least {size}; the largest of the inventory has {largest}"
            yield Problem(what, "add larger hosts, or make the nodes smaller", (*where, "size"), source="spec")
            continue
        zones = spec.zones_of(name)
        there = sum(
            misfit(config, host, machine) is None for machine in _one_per_zone(machines) for host in config.hosts
        )
        own = {chosen[machine.name].name for machine in machines if machine.name in chosen}
        others = {host: owner for host, owner in owners.items() if host not in own}
        lacks = "; ".join(_lack(config, zone, machines, others) for zone in zones)
        yield Problem(
            f"{title} wants {len(machines)} hosts of at least {size} in zones {', '.join(zones)}; "
            f"the inventory has {there}: {lacks}",
            f"add hosts to {config.inventory.path}, or lower nodes",
            (*where, "nodes"),
            source="spec",
        )


def _taker(config: Config, machine: str) -> str:
    return f"is {'pinned to' if machine in config.assignments else 'taken by'} {machine}"


def _one_per_zone(machines: Sequence[Wanted]) -> list[Wanted]:
    return list({machine.zone: machine for machine in machines}.values())


def _lack(config: Config, zone: str, machines: Sequence[Wanted], others: Mapping[str, str]) -> str:
    """What one zone has of the hosts that a pool wants there, and what became of those that it does not have."""
    here = [machine for machine in machines if machine.zone == zone]
    if not here:
        return f"zone {zone} wants none"
    fit = [host.name for host in config.hosts if misfit(config, host, here[0]) is None]
    gone = [f"{host} {others[host]}" for host in fit if host in others]
    return ", ".join((f"zone {zone} wants {len(here)} and has {len(fit)}", *([listed(gone)] if gone else [])))


def _endpoint(config: Config, wanted: Sequence[Wanted], chosen: Chosen) -> Iterator[Problem]:
    hosts = [chosen[m.name] for m in wanted if m.pool == CONTROL_PLANE and m.name in chosen]
    outside = [host for host in hosts if not carries_endpoint(config, host)]
    if outside:
        networks = ", ".join(dict.fromkeys(str(host.network) for host in outside))
        what = (
            f"{config.endpoint} is no host address of {networks}, where {outside[0].name} of the control plane stands"
        )
        right = "choose an address of the subnet that all control-plane hosts share, or announce it by vip.mode: bgp"
        yield Problem(what, right, ("endpoint",), source="target")


# ---- what comes out


def _place(config: Config, machine: Wanted, host: Hardware) -> Place:
    return Place(
        host=host.name,
        host_class=host.labels[CLASS],
        size=config.size(host),
        address=host.address,
        generation=config.generations.get(machine.name, 1),
    )


def _platform(config: Config, host: Hardware) -> NodePlatform:
    return NodePlatform(
        cloud_provider=False,
        # As cluster-api-provider-tinkerbell writes it [seen] v0.7.0, controller/machine/scope.go.
        provider_id=f"tinkerbell://{config.namespace}/{host.name}",
        vip_mode=config.vip.mode,
        vip_interface="",
        bgp_peers=",".join(f"{p.address}:{p.asn}::{str(p.multihop).lower()}" for p in config.vip.peers),
        bgp_as=config.vip.asn or 0,
    )


def _site(spec: Spec, config: Config, used: Sequence[Hardware]) -> SiteFacts:
    return SiteFacts(
        name="main",
        kind=config.kind,
        machine="host",
        hosts=tuple(
            facts.Host(
                name=h.name,
                zone=config.zone(h),
                cpus=size.cpus,
                memory=size.memory,
                usable_cpus=size.cpus,
                usable_memory=size.memory,
            )
            for h in config.hosts
            for size in (config.size(h),)
        ),
        reserve_hosts=0,
        spare_hosts=len(spares(spec, config, {host.name for host in used})),
        balancing=None,
        restarts_machines=False,
        power_control=all(host.bmc for host in used),
        machine_snapshots=False,
        networks=tuple(sorted({str(host.network) for host in used})),
        controllers=tuple(host.bmc.address for host in config.hosts if host.bmc),
    )


def _reasons(spec: Spec, config: Config, wanted: Sequence[Wanted], chosen: Chosen) -> Iterator[str]:
    for pool in (CONTROL_PLANE, *(pool.name for pool in spec.pools)):
        asked = [machine.size for machine in wanted if machine.pool == pool]
        have = [config.size(chosen[machine.name]) for machine in wanted if machine.pool == pool]
        cpus, memory = sum(s.cpus for s in asked), sum(s.memory for s in asked)
        have_cpus, have_memory = sum(s.cpus for s in have), sum(s.memory for s in have)
        hosts = "1 host" if len(have) == 1 else f"{len(have)} hosts"
        yield (
            f"{pool}: {cpus} CPU and {memory // GIB}Gi asked, {have_cpus} CPU and {have_memory // GIB}Gi there on "
            f"{hosts}: {have_cpus / cpus:.1f} and {have_memory / memory:.1f} times as much"
        )
    used = {host.name for host in chosen.values()}
    idle, pinned = spares(spec, config, used), {host: machine for machine, host in config.assignments.items()}
    for host in config.hosts:
        if host.name not in used:
            if host.name in pinned:
                serves = (
                    f"waits for {pinned[host.name]}, which the spec has no longer: it runs its node until somebody "
                    f"powers it off; then take assignments.{pinned[host.name]} away to free it"
                )
            else:
                serves = (
                    f"spare for {', '.join(idle[host.name])}" if host.name in idle else "fits no machine of the spec"
                )
            yield f"{host.name} (class {host.labels[CLASS]}, zone {config.zone(host)}): {serves}"
    if open_ := sum(host.bmc is not None and host.bmc.password is not None for host in config.hosts):
        yield f"{open_} hosts have their BMC's password in clear in {config.inventory.path}, for all who can read it"


# ---- what becomes of the wishes


def rules(spec: Spec, config: Config, assignment: Assignment) -> Mapping[str, Rule]:
    counts = {zone: sum(config.zone(host) == zone for host in config.hosts) for zone in spec.zones}
    stand = ", ".join(f"{zone}: {count}" for zone, count in counts.items())
    zones = equal(f"inventory label {config.zone_label} (hosts {stand})")
    size = _size_rule(spec, assignment)
    return {
        "zones": zones,
        "pools.*.zones": zones,
        **{
            f"{holder}.size.{part}": size
            for holder in ("controlPlane", "pools.*")
            for part in ("cpus", "memory", "disk")
        },
        "availability.surge": _surge_rule(spec, config, assignment),
        **_fenced(config, assignment),
        **sandbox_rules(),
        **storage_rules(config),
        **load_balancer_rules(config),
    }


def _size_rule(spec: Spec, assignment: Assignment) -> Rule:
    """A host covers what is asked, or it would not have been chosen; what it has beyond is no one else's."""
    places = iter(assignment.places)
    counts = {CONTROL_PLANE: spec.control_plane.nodes} | {pool.name: pool.nodes for pool in spec.pools}
    of_pool = {pool: tuple(islice(places, count)) for pool, count in counts.items()}

    def rule(leaf: Leaf) -> Realisation:
        there = of_pool[getattr(leaf.holders[1], "name", CONTROL_PLANE)]
        classes = ", ".join(dict.fromkeys(place.host_class for place in there))
        part = leaf.pattern.rpartition(".")[2]
        least = min(getattr(place.size, part) for place in there)
        times = f"{least / leaf.value:.1f} times what is asked" if least > leaf.value else ""
        return equal(f"whole hosts of class {classes}", times)(leaf)

    return rule


def _surge_rule(spec: Spec, config: Config, assignment: Assignment) -> Rule:
    """A further node is a further host: each pool must find as many spares as surge asks."""
    asked = spec.availability.surge
    if asked == 0:
        return equal("none asked: nodes are upgraded in place")
    idle = spares(spec, config, {place.host for place in assignment.places if place.host})
    counts = {pool.name: sum(pool.name in pools for pools in idle.values()) for pool in spec.pools}
    listed = ", ".join(f"{pool}: {count}" for pool, count in counts.items())
    if min(counts.values()) >= asked:
        return equal("a spare host joins before another leaves", f"spares that fit: {listed}")
    return degraded("nodes are upgraded in place", f"surge asks spares for each pool: {asked}, there are {listed}")


def _fenced(config: Config, assignment: Assignment) -> Mapping[str, Rule]:
    """Whoever has no BMC is powered off by hand."""
    used = {place.host for place in assignment.places}
    dumb = [host.name for host in config.hosts if host.name in used and host.bmc is None]
    if len(dumb) == len(used):
        return unfenced_rules("a person walks to the host", "no host has a BMC in the inventory")
    lack = f"{len(dumb)} of {len(used)} hosts have no BMC ({listed(dumb)}): a person walks there" if dumb else ""
    return remediation_rules(f"{FENCE_AGENTS[config.bmc_protocol]} by each host's BMC", lack)
