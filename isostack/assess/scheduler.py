"""The scheduler: which pods stay pending on so many nodes, since it spreads pods and packs none. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush

from components.sizing import DAEMON_PODS, allocatable, largest_first
from components.spec import MAX_PODS, Requests, Size, Workload

STEP, MOST = 5, 95
"""Per cent by which requests are lowered until all pods find a node: in such steps, up to so much."""


def unplaced(sizes: Sequence[Size], workloads: Sequence[Workload], pods: int = MAX_PODS) -> int:
    """All replicas that `pending` tells of each workload."""
    return sum(pending(sizes, workloads, pods))


def pending(sizes: Sequence[Size], workloads: Sequence[Workload], pods: int = MAX_PODS) -> list[int]:
    """Replicas of each workload that the scheduler leaves pending on nodes of these sizes, workloads in the order in
    which they come.

    It packs nothing: of the nodes with room it takes the one that has most left, the mean of CPU and memory in whole
    per cent [seen] kubernetes 1.36.3 pkg/scheduler/framework/plugins/noderesources/least_allocated.go, its default.
    Replicas that it would rather have apart or resources in balance are left out: of 37 pools with 5 to 250 pods all
    were told right without [measured] tests/cluster/test_sizing.py. Nodes of one zone, nothing else on them; those that
    were measured were alike.
    """
    nodes = [_Node(*allocatable(size), pods - DAEMON_PODS) for size in sizes]
    return [_left(nodes, workload.requests, workload.replicas) for workload in workloads]


class _Node:
    """Of one node, what it leaves to pods at all, and what of that is left: millicores, bytes, pods."""

    __slots__ = ("cpu", "free_cpu", "free_memory", "memory", "pods")

    def __init__(self, cpu: int, memory: int, pods: int) -> None:
        self.cpu = self.free_cpu = cpu
        self.memory = self.free_memory = memory
        self.pods = pods

    def score(self, pod: Requests) -> int | None:
        """With one such pod more; None: it has no room for it."""
        cpu, memory = self.free_cpu - pod.cpu, self.free_memory - pod.memory
        if cpu < 0 or memory < 0 or self.pods < 1:
            return None
        return (cpu * 100 // max(self.cpu, 1) + memory * 100 // max(self.memory, 1)) // 2

    def take(self, pod: Requests) -> None:
        self.free_cpu -= pod.cpu
        self.free_memory -= pod.memory
        self.pods -= 1


def _left(nodes: Sequence[_Node], pod: Requests, replicas: int) -> int:
    """Of so many equal pods, those without a node. Of several nodes that score alike the first takes the pod."""
    best = [(-score, i) for i, node in enumerate(nodes) if (score := node.score(pod)) is not None]
    heapify(best)
    while replicas and best:
        _, i = heappop(best)
        nodes[i].take(pod)
        replicas -= 1
        if (score := nodes[i].score(pod)) is not None:
            heappush(best, (-score, i))
    return replicas


def orders(size: Size, workloads: Sequence[Workload]) -> tuple[list[Workload], list[Workload]]:
    """Orders in which they may come: the largest first, which packs best, and the smallest first."""
    largest = largest_first(size, workloads)
    return largest, largest[::-1]


def more(sizes: Sequence[Size], size: Size, workloads: Sequence[Workload]) -> int:
    """Further nodes of a size with which all find a place in either order, one fewer being too few. Raises ValueError
    where a pod fits none of that size: no number would do."""
    cpu, memory = allocatable(size)
    if any(each.requests.cpu > cpu or each.requests.memory > memory for each in workloads):
        raise ValueError(f"a replica fits no node of {size}")
    few, enough = 0, 1
    # It ends: with a node for each pod there is always an empty one.
    while not _all_placed([*sizes, *[size] * enough], size, workloads):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        half = (few + enough) // 2
        placed = _all_placed([*sizes, *[size] * half], size, workloads)
        few, enough = (few, half) if placed else (half, enough)
    return enough


def lower(sizes: Sequence[Size], size: Size, workloads: Sequence[Workload], names: Collection[str]) -> int | None:
    """Per cent by which the requests of the named workloads must be lower for all to find a place in either order.

    None: that does not help.
    """
    for percent in range(STEP, MOST + 1, STEP):
        if _all_placed(sizes, size, [_lowered(w, percent) if w.name in names else w for w in workloads]):
            return percent
    return None


def _lowered(workload: Workload, percent: int) -> Workload:
    asked = workload.requests
    less = {"cpu": asked.cpu * (100 - percent) // 100, "memory": asked.memory * (100 - percent) // 100}
    return workload.model_copy(update={"requests": asked.model_copy(update=less)})


def _all_placed(sizes: Sequence[Size], size: Size, workloads: Sequence[Workload]) -> bool:
    return not any(unplaced(sizes, order) for order in orders(size, workloads))
