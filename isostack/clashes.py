"""Stacks of one project that cannot run beside each other: they would have the same hosts or addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from components.plan import Plan
from components.problems import Problem, listed


def clashes(plans: Sequence[tuple[str, Path, Plan]]) -> Iterator[Problem]:
    """Of stacks by name, file and plan. Private addresses may be in use at many sites, so that only those count which
    stacks with a host in common have."""
    known = [(name, file, _hosts(plan), _taken(plan)) for name, file, plan in plans]
    for (first, _, hosts, taken), (second, file, others, wanted) in combinations(known, 2):
        if not hosts.isdisjoint(others) and (both := [each for each in wanted if each in taken]):
            what = f"{first} and {second} would both have {listed(both)}"
            right = "at one site clusters need their own; of variants of one cluster bring up one alone"
            yield Problem(what, right, file=str(file))


def _hosts(plan: Plan) -> set[str]:
    return {host.name for site in plan.sites for host in site.hosts}


def _taken(plan: Plan) -> dict[str, None]:
    """What a cluster has for itself, in order: whole hosts, and addresses."""
    whole = {site.name for site in plan.sites if site.machine == "host"}
    places = [machine.place for machine in plan.machines]
    hosts = [place.host for place in places if place.site in whole]
    return {each: None for each in (*hosts, plan.endpoint, *(place.address for place in places)) if each}
