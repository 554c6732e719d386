"""Hosts needed: how few would carry the workloads of a spec, on hosts like those of a plan. Pure functions.

Units: hosts; demand is a factor on the replicas of every workload. Validity: requests, not use; VMs by the sums of
their CPUs and memory, not packed one by one; hosts of a target are alike, as its plan has them on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil

import numpy as np

from components.spec import Size, Workload
from isostack.assess.capacity import carried, needed, quorum_hosts, vm_overhead
from isostack.assess.case import Case, NoAnswer
from isostack.assess.question import Numbers

MIB = 1024**2
LEAST, RESERVE = 2, 1
"""Nodes that a pool has at least where the spec wants as many, and nodes of it that may be lost [assumption]."""
STEP, COARSE, MANY = 0.01, 0.05, 500
"""Of demand: finer steps change no whole number of nodes that matters; of more than so many replicas a coarse one."""


def nodes(pool_nodes: int, size: Size, workloads: Sequence[Workload], demand: float) -> int:
    """Nodes of a size for a pool's workloads, with one that may be lost. Raises NoAnswer where a replica fits none."""
    found = _nodes(size, tuple(workloads), demand)
    if found is None:
        raise NoAnswer(f"a replica fits no node of {size}")
    return max(min(LEAST, pool_nodes), found + RESERVE)


@lru_cache(maxsize=100_000)
def _nodes(size: Size, workloads: tuple[Workload, ...], demand: float) -> int | None:
    scaled = [w.model_copy(update={"replicas": ceil(w.replicas * demand - 1e-9)}) for w in workloads]
    return needed(size, scaled) if scaled else 0


def step(case: Case) -> float:
    """Of demand, in which hosts of the case are counted."""
    return COARSE if sum(workload.replicas for workload in case.spec.workloads) > MANY else STEP


def asked_of_vms(case: Case, demand: float) -> tuple[int, float]:
    """Virtual CPUs, and MiB with what a hypervisor adds, of node VMs of the spec's sizes."""
    control = case.spec.control_plane
    sizes = [(control.size, control.nodes)]
    for pool in case.spec.pools:
        sizes.append((pool.size, nodes(pool.nodes, pool.size, carried(case.spec, pool.name), demand)))
    memory = ((size.memory / MIB + vm_overhead(size.cpus, size.memory / MIB)) * count for size, count in sizes)
    return sum(size.cpus * count for size, count in sizes), sum(memory)


def of_vms(case: Case, cpus: Numbers, mib: Numbers, overcommit: Numbers) -> Numbers:
    """Hosts for so much of VMs, with the reserve, and so many that none takes etcd's majority, as far as the plan has
    them. `overcommit`: virtual CPUs on a thread of those that the hypervisor leaves, or what the site allows where that
    is more. Raises NoAnswer where the hosts are not known."""
    hosts = case.site.hosts
    if not hosts:
        raise NoAnswer(f"the hosts of {case.stack} are not known")
    threads = sum(host.usable_cpus for host in hosts) / len(hosts)
    by_cpu = np.ceil(cpus / np.maximum(overcommit, case.site.cpu_overcommit) / threads)
    by_memory = np.ceil(mib / (sum(host.usable_memory / MIB for host in hosts) / len(hosts)))
    reserve = case.site.reserve_hosts
    apart = min(len(hosts), quorum_hosts(case.spec.control_plane.nodes))
    return np.maximum(np.maximum(by_cpu, by_memory) + reserve, apart)


def of_metal(case: Case, demand: float) -> int:
    """Hosts, each a node of the size that the plan gives its pool, and the spares."""
    total = case.spec.control_plane.nodes + case.site.spare_hosts
    for pool in case.spec.pools:
        sizes = [machine.place.size for machine in case.of_pool(pool.name)]
        least = min(sizes, key=lambda size: (size.cpus, size.memory))
        total += nodes(pool.nodes, least, carried(case.spec, pool.name), demand)
    return total
