"""Sizing: what a node leaves to pods, and whether the workloads of the spec fit their pools. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.problems import Problem
from components.quantity import format_bytes, format_millicpus
from components.spec import MAX_PODS, Pool, Requests, Size, Spec, Workload

MIB = 1024**2
EVICTION_BYTES = 100 * MIB
"""evictionHard memory.available [documented] https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"""
DAEMON_MILLICPUS, DAEMON_BYTES, DAEMON_PODS = 500, 1024 * MIB, 10
"""Per node for network, storage and monitoring agents [assumption]."""
SANDBOX_MILLICPUS, SANDBOX_BYTES = 250, 320 * MIB
"""What a sandbox takes beside what its pod asks: the overhead of its RuntimeClass [seen] Kata Containers 4.1.0
tools/packaging/kata-deploy/helm-chart/kata-deploy/templates/runtimeclasses.yaml, qemu-runtime-rs."""


def reserved_millicpus(cpus: int) -> int:
    """CPU kept for the system, in millicores: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 %
    of the rest. The brackets of GKE [documented] https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes
    """
    brackets = ((1, 60.0), (1, 10.0), (2, 5.0), (cpus, 2.5))
    total, left = 0.0, cpus
    for width, rate in brackets:
        total += min(left, width) * rate
        left = max(0, left - width)
    return round(total)


def reserved_bytes(memory: int) -> int:
    """Memory kept for the system: 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112,
    2 % of the rest. The brackets of GKE [documented], as above.
    """
    total, left = 0.0, memory
    for gib, share in ((4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06), (float("inf"), 0.02)):
        total += min(left, gib * 1024**3) * share
        left = int(max(0, left - gib * 1024**3))
    return int(total)


def allocatable(size: Size) -> tuple[int, int]:
    """Millicores and bytes that a node of this size leaves to pods, node agents already taken off."""
    cpu = size.cpus * 1000 - reserved_millicpus(size.cpus) - DAEMON_MILLICPUS
    memory = size.memory - reserved_bytes(size.memory) - EVICTION_BYTES - DAEMON_BYTES
    return max(cpu, 0), max(memory, 0)


@dataclass(slots=True)
class _Nodes:
    """Nodes that have the same left: millicores, bytes, pods."""

    cpu: int
    memory: int
    pods: int
    count: int

    def room(self, pod: Requests) -> int:
        """How many such pods go on each of them."""
        fits = [self.pods]
        fits += [self.cpu // pod.cpu] if pod.cpu else []
        fits += [self.memory // pod.memory] if pod.memory else []
        return min(fits)

    def less(self, pod: Requests, each: int, count: int) -> _Nodes:
        """So many of them, with so many pods more on each."""
        return _Nodes(self.cpu - each * pod.cpu, self.memory - each * pod.memory, self.pods - each, count)


def largest_first(size: Size, workloads: Iterable[Workload]) -> list[Workload]:
    """By what one replica takes of a node: of its CPU or its memory, whichever is more."""
    cpu, memory = allocatable(size)

    def share(workload: Workload) -> float:
        return max(workload.requests.cpu / max(cpu, 1), workload.requests.memory / max(memory, 1))

    return sorted(workloads, key=share, reverse=True)


def nodes_needed(size: Size, workloads: list[Workload], pods: int = MAX_PODS) -> int | None:
    """Nodes of this size that hold the workloads' replicas, first fit decreasing; None: one replica fits no node.
    `pods` is how many the kubelet takes.

    So many are needed, and suffice where large pods come first. The scheduler packs nothing: it puts each pod on the
    emptiest node, and small pods that came before may leave no room for a large one [measured]
    tests/cluster/test_sizing.py. What it leaves then is isostack.assess.scheduler.unplaced.

    Equal pods go on equal nodes all at once: the cost grows with the workloads, not with their replicas.
    """
    cpu, memory = allocatable(size)
    if any(w.requests.cpu > cpu or w.requests.memory > memory for w in workloads):
        return None

    groups: list[_Nodes] = []
    for workload in largest_first(size, workloads):
        pod, left, after = workload.requests, workload.replicas, list[_Nodes]()
        fresh = _Nodes(cpu, memory, pods - DAEMON_PODS, left)
        for group in (*groups, fresh):
            each = group.room(pod) if left else 0
            full, rest = min(group.count, left // each) if each else 0, 0
            if each and full < group.count:
                rest = left - full * each
            left -= full * each + rest
            untouched = group.count - full - (1 if rest else 0)
            after += [group.less(pod, each, full)] if full else []
            after += [group.less(pod, rest, 1)] if rest else []
            if untouched and group is not fresh:
                after.append(group.less(pod, 0, untouched))
        groups = after
    return sum(group.count for group in groups)


def problems(spec: Spec) -> Iterator[Problem]:
    """Workloads that their pool cannot hold. Paths are those of the spec's YAML."""
    for i, pool in enumerate(spec.pools):
        workloads = of_pool(spec, pool)
        needed = nodes_needed(pool.size, workloads)
        if needed is None:
            yield from _too_large(spec, pool)
        elif needed > pool.nodes:
            names = ", ".join(f"{w.replicas} x {w.name}" for w in workloads)
            yield Problem(
                f"{pool.nodes} nodes do not hold its workloads ({names}): they need {needed} of this size",
                f"raise nodes to {needed}, or the size",
                ("pools", i, "nodes"),
            )


def of_pool(spec: Spec, pool: Pool) -> list[Workload]:
    """A pool's workloads, as its nodes carry them: each pod with what its sandbox takes."""
    return [_whole(spec, pool, workload) for workload in spec.workloads if workload.pool == pool.name]


def _whole(spec: Spec, pool: Pool, workload: Workload) -> Workload:
    """With what its pods' sandboxes take."""
    if not spec.sandboxed(pool.tenant):
        return workload
    asked = workload.requests
    more = {"cpu": asked.cpu + SANDBOX_MILLICPUS, "memory": asked.memory + SANDBOX_BYTES}
    return workload.model_copy(update={"requests": asked.model_copy(update=more)})


def _too_large(spec: Spec, pool: Pool) -> Iterator[Problem]:
    cpu, memory = allocatable(pool.size)
    room = f"{format_millicpus(cpu)} CPU and {format_bytes(memory // MIB * MIB)}"
    for i, workload in enumerate(spec.workloads):
        requests = _whole(spec, pool, workload).requests
        if workload.pool == pool.name and (requests.cpu > cpu or requests.memory > memory):
            asked = f"{format_millicpus(requests.cpu)} CPU and {format_bytes(requests.memory)}"
            asked += " with its sandbox" if spec.sandboxed(pool.tenant) else ""
            yield Problem(
                f"one replica asks {asked}, but a node of pool {pool.name} ({pool.size}) leaves {room} to pods",
                "lower the requests, or give the pool larger nodes",
                ("workloads", i, "requests"),
            )
