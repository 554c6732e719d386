"""Workloads of a spec that names none: what is assumed in their place, so that no question stays open, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import Final

from components.spec import Pool, Requests, Workload
from isostack.assess.case import Case

PODS, ASKED, REPLICAS, MOST = 10, 0.6, (1, 2, 3), 30
"""Pods a node, the part of its size that they ask for, replicas of one workload after the other, and workloads of a
pool; a larger pool has more replicas of each [assumption]."""
SAID: Final = (
    f"The spec names no workloads. Assumed of each pool: {PODS} pods a node, in workloads of "
    f"{', '.join(map(str, REPLICAS[:-1]))} or {REPLICAS[-1]} replicas, that ask for {ASKED:.0%} of the nodes' CPUs and "
    "memory [assumption]"
)


def with_workloads(case: Case) -> Case:
    """The case, with workloads that are assumed where its spec names none."""
    if case.spec.workloads:
        return case
    made = tuple(work for pool in case.spec.pools for work in _of(pool))
    return replace(case, spec=case.spec.model_copy(update={"workloads": made}))


def _of(pool: Pool) -> Iterator[Workload]:
    wanted = PODS * pool.nodes
    mean = sum(REPLICAS) / len(REPLICAS)
    times = ceil(wanted / (MOST * mean))
    left, number = wanted, 0
    cpu, memory = int(pool.size.cpus * 1000 * ASKED / PODS), int(pool.size.memory * ASKED / PODS)
    while left > 0:
        replicas = min(left, times * REPLICAS[number % len(REPLICAS)])
        # Not validated: a name like this is no user's, and millicores and bytes are written otherwise in a spec.
        yield Workload.model_construct(
            name=f"{pool.name}-{number}",
            pool=pool.name,
            replicas=replicas,
            requests=Requests.model_construct(cpu=cpu, memory=memory),
            state="none",
        )
        left, number = left - replicas, number + 1
