"""Planning: from a spec and a target config to the plan. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from components import addons, targets
from components.facts import Wanted
from components.plan import POOL, RELEASE, TENANT, ZONE, Addon, MachinePlan, Plan
from components.problems import InvalidInput, Problem
from components.realise import realise
from components.spec import CONTROL_PLANE, Pool, Spec, Taint


def wanted_machines(spec: Spec) -> tuple[Wanted, ...]:
    """Every machine that the spec asks for, control plane first. A grown pool only appends: names and zones stay."""
    return tuple(
        _wanted(spec, pool, index)
        for pool in (None, *spec.pools)
        for index in range(pool.nodes if pool else spec.control_plane.nodes)
    )


def _wanted(spec: Spec, pool: Pool | None, index: int) -> Wanted:
    name = pool.name if pool else CONTROL_PLANE
    zones = spec.zones_of(name)
    tenant = pool.tenant if pool else None
    labels = dict(pool.labels) if pool else {}
    taints = pool.taints if pool else ()
    if tenant is not None:
        # A pool of one tenant: its label draws the tenant's pods here, its taint keeps the others away.
        labels[TENANT] = tenant
        taints = (*taints, Taint(key=TENANT, value=tenant, effect="NoSchedule"))
    return Wanted(
        cluster=spec.name,
        name=f"{spec.name}-{name}-{index}",
        role="worker" if pool else "control-plane",
        pool=name,
        index=index,
        zone=zones[index % len(zones)],
        tenant=tenant,
        size=pool.size if pool else spec.control_plane.size,
        labels={POOL: name, RELEASE: spec.kubernetes.version, ZONE: zones[index % len(zones)], **labels},
        taints=taints,
    )


def make_plan(spec: Spec, target: Any) -> Plan:
    """The plan of one stack, for a spec and a target config in which `problems` finds nothing.

    Raises InvalidInput with every impossible demand: what was asked, what is there.
    """
    planner = targets.planner(target.kind)
    wanted = wanted_machines(spec)
    assignment = planner.assign(spec, target, wanted)
    placed = zip(wanted, assignment.places, assignment.platforms, strict=True)
    machines, own = tuple(MachinePlan(*machine) for machine in placed), targets.addons(target.kind)
    # The target's own first: until its cloud provider has been there, a node takes no other pod.
    first, fencing = own.addons(spec, target), own.fencing(target, machines)
    installed = addons.in_order((*first, *addons.common(spec, target), *addons.fenced(spec, fencing, machines)))
    if clashes := list(_namespace_clashes(spec, installed)):
        raise InvalidInput(clashes)
    return Plan(
        spec=spec,
        target=target,
        machines=machines,
        endpoint=assignment.endpoint,
        realisations=realise(spec, planner.rules(spec, target, assignment)),
        sites=(assignment.site,),
        addons=installed,
        reasons=assignment.reasons,
        unpinned=assignment.unpinned,
        outside=target.outside(),
    )


def _namespace_clashes(spec: Spec, installed: Sequence[Addon]) -> Iterator[Problem]:
    """Tenants whose namespace an add-on has: the tenant would be let in there."""
    owners = {
        "default": "Kubernetes",
        "kube-system": "Kubernetes",
        "kube-public": "Kubernetes",
        "kube-node-lease": "Kubernetes",
    }
    for addon in installed:
        if addon.name != addons.TENANTS:
            owners |= {o.namespace: f"add-on {addon.name}" for o in addon.objects if o.namespace not in ("", *owners)}
    for i, tenant in enumerate(spec.tenants):
        if tenant.name in owners:
            what = f"the namespace {tenant.name!r} belongs to {owners[tenant.name]}"
            yield Problem(what, "rename the tenant", ("tenants", i, "name"), source="spec")
