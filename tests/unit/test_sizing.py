"""Sizing: nodes for workloads, pod by pod and all at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from components.sizing import DAEMON_PODS, allocatable, nodes_needed
from components.spec import MAX_PODS, Size, Workload

SIZE = Size.model_validate({"cpus": 8, "memory": "32Gi", "disk": "100Gi"})


def workload(replicas: int, cpu: int, memory: int) -> Workload:
    requests = {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}
    return Workload.model_validate(
        {"name": "w", "pool": "p", "replicas": replicas, "requests": requests, "state": "none"}
    )


def one_by_one(workloads: list[Workload]) -> int | None:
    """First fit decreasing as the books have it."""
    cpu, memory = allocatable(SIZE)
    pods = [w.requests for w in workloads for _ in range(w.replicas)]
    if any(pod.cpu > cpu or pod.memory > memory for pod in pods):
        return None
    nodes: list[list[int]] = []
    for pod in sorted(pods, key=lambda pod: max(pod.cpu / cpu, pod.memory / memory), reverse=True):
        fitting = (n for n in nodes if n[0] >= pod.cpu and n[1] >= pod.memory and n[2])
        if (node := next(fitting, None)) is None:
            nodes.append(node := [cpu, memory, MAX_PODS - DAEMON_PODS])
        node[0], node[1], node[2] = node[0] - pod.cpu, node[1] - pod.memory, node[2] - 1
    return len(nodes)


@settings(deadline=None)
@given(st.lists(st.builds(workload, st.integers(1, 200), st.integers(1, 9000), st.integers(1, 40000)), max_size=5))
def test_pods_packed_all_at_once_need_the_nodes_that_they_need_one_by_one(workloads: list[Workload]) -> None:
    assert nodes_needed(SIZE, workloads) == one_by_one(workloads)


def test_many_replicas_are_packed_by_their_number() -> None:
    cpu, memory = allocatable(SIZE)
    on_each = min(cpu // 300, memory // (64 * 1024**2), MAX_PODS - DAEMON_PODS)
    assert nodes_needed(SIZE, [workload(150_000, 300, 64)]) == -(-150_000 // on_each)
