"""Neighbours: whose pods may share a kernel, and whose nodes share a physical host, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from isostack.assess.case import Case, Machine, NoAnswer

Shared = Literal["kernel", "host"]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Tenants that share something, and where."""

    stack: str
    shared: Shared
    tenants: tuple[str, ...]
    """By name; one is alone."""
    places: tuple[str, ...]
    """Nodes, or physical hosts."""


def tenants(case: Case, machines: Iterable[Machine]) -> frozenset[str]:
    """Whose pods may run there: of a pool that nobody owns, those of all who have no pool of their own. A cluster
    without tenants has one owner, without a name."""
    owners = {pool.tenant for pool in case.spec.pools if pool.tenant}
    rest = frozenset(tenant.name for tenant in case.spec.tenants) - owners or {""}
    found: set[str] = set()
    for machine in machines:
        if machine.wanted.role == "worker":
            found |= {machine.wanted.tenant} if machine.wanted.tenant else rest
    return frozenset(found)


def neighbours(case: Case) -> list[Neighbours]:
    """The most crowded first; none of a cluster without tenants, and no hosts where they are chosen later."""
    if not case.spec.tenants:
        return []
    found = _grouped(case, "kernel", {machine.wanted.name: [machine] for machine in case.workers})
    try:
        return found + _grouped(case, "host", case.on_hosts)
    except NoAnswer:
        return found


def _grouped(case: Case, shared: Shared, places: Mapping[str, Sequence[Machine]]) -> list[Neighbours]:
    groups: dict[frozenset[str], list[str]] = {}
    for place, machines in places.items():
        groups.setdefault(tenants(case, machines), []).append(place)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[0]), sorted(group[0])))
    return [Neighbours(case.stack, shared, tuple(sorted(who)), tuple(sorted(at))) for who, at in ordered if who]
