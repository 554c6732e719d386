"""Plan of an Equinix Metal target: which server plan carries each machine, and what that makes of the wishes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from components.addons import load_balancer_rules, sandbox_rules, storage_rules, unfenced_rules
from components.equinix.addons import ALLOCATOR
from components.equinix.config import Config
from components.equinix.plans import CATALOGUE, ServerPlan
from components.facts import Place, Realisation, SiteFacts, Wanted
from components.plan import Assignment, Leaf, NodePlatform, Rule, degraded, equal
from components.problems import FieldPath, InvalidInput, Problem
from components.quantity import format_bytes
from components.spec import CONTROL_PLANE, Pool, Size, Spec

BGP = Path(__file__).with_name("bgp.sh").read_text("utf-8")
SERVICE_ENDED = "2026-06-30"  # [documented] https://docs.equinix.com/metal/locations/capacity/, its banner


def assign(spec: Spec, config: Config, wanted: Sequence[Wanted]) -> Assignment:
    """Give each pool its server plan. It depends on the size alone: a grown pool orders more of the same."""
    faults = [fault for pool, size, path in _sizes(spec) for fault in _problems(config, pool, size, path)]
    if faults:
        raise InvalidInput(faults)
    plans = _chosen(spec, config)
    if faults := list(_ceph_problems(spec, config, plans)):
        raise InvalidInput(faults)
    platform = NodePlatform(
        cloud_provider=True,  # CPEM
        provider_id="",  # CPEM sets it
        vip_mode="bgp",  # devices share no layer 2
        vip_interface="lo",
        bgp_as=config.bgp_asn,
        script=BGP,  # only a device knows its routers
    )
    return Assignment(
        places=tuple(_place(config, plans[machine.pool], machine) for machine in wanted),
        platforms=(platform,) * len(wanted),
        endpoint=None,  # a reserved address, known once it is reserved
        site=_site(config),
        reasons=tuple(_reasons(config, plans, wanted)),
    )


def rules(spec: Spec, config: Config, assignment: Assignment) -> Mapping[str, Rule]:
    zones, plans = _zone_rule(spec, config), _chosen(spec, config)
    return {
        "zones": zones,
        "pools.*.zones": zones,
        **{
            f"{holder}.size.{part}": _size_rule(plans, part)
            for holder in ("controlPlane", "pools.*")
            for part in ("cpus", "memory", "disk")
        },
        "availability.surge": equal("a further device is ordered", "stock on demand is not guaranteed"),
        # Nothing restarts a machine elsewhere, and a person orders a new device when the hardware is broken. No agent
        # of that service's API is among ClusterLabs' [seen] ClusterLabs/fence-agents 4.17.0 agents/.
        **unfenced_rules(
            "a person power-cycles the device, or orders another, through the provider's API",
            f"no fence agent speaks that API, which ended on {SERVICE_ENDED}: nothing in the cluster fences a node",
        ),
        **sandbox_rules(),
        **storage_rules(config),
        **load_balancer_rules(config, ALLOCATOR),
    }


def _sizes(spec: Spec) -> Iterator[tuple[str, Size, FieldPath]]:
    """The pools, the control plane first: name, size of a node, where the size stands in the spec."""
    yield CONTROL_PLANE, spec.control_plane.size, ("controlPlane", "size")
    for i, pool in enumerate(spec.pools):
        yield pool.name, pool.size, ("pools", i, "size")


def _chosen(spec: Spec, config: Config) -> Mapping[str, ServerPlan]:
    return {pool: choose(config, pool, size) for pool, size, _ in _sizes(spec)}


def choose(config: Config, pool: str, size: Size) -> ServerPlan:
    """The pinned plan, or the smallest allowed one that fits."""
    return CATALOGUE[config.pinned[pool]] if pool in config.pinned else _fitting(config, size)[0]


def _allowed(config: Config) -> list[ServerPlan]:
    """Smallest first, whatever the order in the config."""
    return [plan for plan in CATALOGUE.values() if plan.name in config.plans]


def _fitting(config: Config, size: Size) -> list[ServerPlan]:
    return [plan for plan in _allowed(config) if plan.size_for(size).covers(size)]


def _problems(config: Config, pool: str, size: Size, path: FieldPath) -> Iterator[Problem]:
    if pool in config.pinned:
        plan = CATALOGUE[config.pinned[pool]]
        if not plan.size_for(size).covers(size):
            yield Problem(
                f"a node of {pool} asks {size}; {plan.name} has {plan.size_for(size)}",
                "pin a larger plan, or make the nodes smaller",
                ("pinned", pool),
                source="target",
            )
    elif not _fitting(config, size):
        yield from _too_large(config, pool, size, path)


def _ceph_problems(spec: Spec, config: Config, plans: Mapping[str, ServerPlan]) -> Iterator[Problem]:
    """Ceph takes drives of its pool's servers: some must be there for it."""
    ceph = config.storage.ceph
    if ceph is None or "ceph" not in {config.storage.backend_of(c.name) for c in spec.storage.classes}:
        return
    plan = plans[ceph.pool]
    if not any(re.search(ceph.device_filter, name) for name in plan.free_drives):
        yield Problem(
            f"{ceph.device_filter} matches no free drive of {plan.name}, which pool {ceph.pool} gets: it has "
            f"{', '.join(plan.free_drives)} beside the system's",
            "match one of them, or pin a plan with more drives",
            ("storage", "ceph", "deviceFilter"),
            source="target",
        )


def _too_large(config: Config, pool: str, size: Size, path: FieldPath) -> Iterator[Problem]:
    """One problem for each part that exceeds every allowed plan; one for the whole if no plan has all parts."""
    plans = _allowed(config)
    right = "make the nodes smaller and more" + ("" if len(plans) == len(CATALOGUE) else ", or allow more plans")
    exceeded = False
    for part in ("cpus", "memory", "disk"):
        asked, largest = getattr(size, part), max(plans, key=lambda plan: int(getattr(plan, part)))
        if asked > getattr(largest, part):
            exceeded = True
            yield Problem(
                f"a node of {pool} asks {_amount(part, asked)}; the most that an allowed plan has is "
                f"{_amount(part, getattr(largest, part))} ({largest.name})",
                right,
                (*path, part),
                source="spec",
            )
    if not exceeded:
        offers = "; ".join(f"{plan.name} has {plan.size_for(size)}" for plan in plans)
        yield Problem(f"a node of {pool} asks {size}; no allowed plan has all: {offers}", right, path, source="spec")


def _place(config: Config, plan: ServerPlan, machine: Wanted) -> Place:
    return Place(
        host=None,  # a reservation fixes the server, but its name is not known
        host_class=plan.name,
        size=plan.size_for(machine.size),
        address=None,
        generation=config.generations.get(machine.name, 1),
    )


def _site(config: Config) -> SiteFacts:
    return SiteFacts(
        name="main",
        kind=config.kind,
        machine="host",
        hosts=(),
        reserve_hosts=0,
        spare_hosts=0,
        balancing=None,
        restarts_machines=False,
        # Power off and on through the API [documented]
        # https://deploy.equinix.com/developers/docs/metal/server-metadata/server-actions
        power_control=True,
        machine_snapshots=False,
        service_ended=SERVICE_ENDED,
    )


def _reasons(config: Config, plans: Mapping[str, ServerPlan], wanted: Sequence[Wanted]) -> Iterator[str]:
    sizes = {machine.pool: machine.size for machine in wanted}
    pools: dict[tuple[ServerPlan, str], list[str]] = {}
    for pool, asked in sizes.items():
        why = "pinned"
        if pool not in config.pinned:
            why = f"the smallest of {len(_fitting(config, asked))} allowed plans that fit"
        pools.setdefault((plans[pool], why), []).append(pool)
    for (plan, why), names in pools.items():
        yield f"{', '.join(names)}: {plan.name}, {why} ({plan})"
    cpus, memory = (sum(getattr(plans[m.pool], part) for m in wanted) for part in ("cpus", "memory"))
    asked_cpus, asked_memory = sum(m.size.cpus for m in wanted), sum(m.size.memory for m in wanted)
    yield (
        f"{len(wanted)} devices: {cpus} CPU for {asked_cpus} asked ({cpus / asked_cpus:.1f} times), "
        f"{format_bytes(memory)} for {format_bytes(asked_memory)} ({memory / asked_memory:.1f} times)"
    )


def _zone_rule(spec: Spec, config: Config) -> Rule:
    """The metro is chosen, the building and the rack in it are not [documented]
    https://metal.equinix.com/developers/docs/resilience-recovery/ and
    https://deploy.equinix.com/developers/docs/metal/locations/metros
    """
    if len(spec.zones) == 1:
        return equal(f"metro {config.metro}", "the one zone is the metro")
    return degraded(
        "node label topology.kubernetes.io/zone",
        f"the zones are labels only: inside metro {config.metro} the provider offers no choice of building, rack or "
        "power domain, and tells a device's switch only after it is deployed: machines of two zones may share one",
    )


def _size_rule(plans: Mapping[str, ServerPlan], part: str) -> Rule:
    def rule(leaf: Leaf) -> Realisation:
        holder = leaf.holders[1]
        plan = plans[holder.name if isinstance(holder, Pool) else CONTROL_PLANE]
        if part == "disk" and leaf.value > plan.boot:
            return degraded(
                f"{plan.name}: a data drive of {format_bytes(plan.disk)}",
                f"the root disk is the boot drive of {format_bytes(plan.boot)}: what needs more must be kept on the "
                "data drive, which the node does not mount by itself",
            )(leaf)
        has, asked = plan.boot if part == "disk" else getattr(plan, part), leaf.value
        reason = "" if has == asked else f"{_amount(part, has)} for {_amount(part, asked)} asked"
        return equal(f"server plan {plan.name}", reason)(leaf)

    return rule


def _amount(part: str, value: int) -> str:
    return f"{value} CPU" if part == "cpus" else format_bytes(value)
