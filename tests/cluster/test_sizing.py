"""How many nodes a pool needs, components/sizing.py, held against the real scheduler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import pytest

from components.sizing import DAEMON_PODS, allocatable, largest_first, nodes_needed
from components.spec import MAX_PODS, Size, Workload
from isostack.assess.scheduler import unplaced
from tests.cluster import kwok
from tests.cluster.lost import KEPT, create, node, ready
from tests.cluster.made import plans
from tests.cluster.pods import pod
from tests.cluster.running import Cluster, until

CASE, SPACE = "case", "default"
Pool = tuple[Size, Sequence[Workload]]


def workload(name: str, replicas: int, cpu: str, memory: str) -> Workload:
    requests = {"cpu": cpu, "memory": memory}
    return Workload.model_validate(
        {"name": name, "pool": "p", "replicas": replicas, "requests": requests, "state": "none"}
    )


def of_specs() -> Iterator[tuple[str, Pool]]:
    """Every pool of this checkout's stacks, grown until it needs two nodes: that none holds anything is no news."""
    for spec in (plan.spec for plan in plans().values()):
        for pool in spec.pools:
            workloads = [w for w in spec.workloads if w.pool == pool.name]
            grown = ([w.model_copy(update={"replicas": w.replicas * k}) for w in workloads] for k in count(1))
            if workloads:
                yield f"{spec.name}-{pool.name}", (pool.size, next(g for g in grown if _needed(pool.size, g) > 1))


def _needed(size: Size, workloads: Sequence[Workload]) -> int:
    return nodes_needed(size, list(workloads)) or 0


SMALL = Size.model_validate({"cpus": 8, "memory": "32Gi", "disk": "100Gi"})
LARGE = Size.model_validate({"cpus": 16, "memory": "64Gi", "disk": "100Gi"})
MIXED: Mapping[str, Pool] = {
    # Small pods first, then some that take most of a node.
    "two sizes": (LARGE, [workload("small", 30, "500m", "2Gi"), workload("large", 4, "6", "24Gi")]),
    "nearly whole nodes": (SMALL, [workload("small", 12, "1", "1Gi"), workload("large", 2, "7", "20Gi")]),
    # The largest first, but two nodes suffice only to who puts equal ones together.
    "pairs": (
        SMALL,
        [workload("a", 2, "3500m", "1Gi"), workload("b", 2, "2500m", "1Gi"), workload("c", 1, "1500m", "1Gi")],
    ),
}
POOLS: Mapping[str, Pool] = {
    **dict(of_specs()),
    "many tiny pods": (SMALL, [workload("tiny", 105, "10m", "16Mi")]),
    "large pods": (LARGE, [workload("large", 4, "9", "20Gi")]),
    "two sizes": MIXED["two sizes"],
}


@pytest.fixture(scope="module")
def alive(cluster: Cluster, kwok_tool: str) -> Iterator[Cluster]:
    with kwok.heart(cluster, kwok_tool, KEPT, 10):
        yield cluster


@pytest.mark.parametrize("name", POOLS)
def test_all_find_a_place_on_the_nodes_needed_largest_first_and_not_on_one_fewer(alive: Cluster, name: str) -> None:
    size, workloads = POOLS[name]
    needed, workloads = _needed(size, workloads), largest_first(size, workloads)
    assert pending(alive, size, needed - 1, workloads) == unplaced([size] * (needed - 1), workloads) > 0
    assert pending(alive, size, needed, workloads) == unplaced([size] * needed, workloads) == 0


@pytest.mark.parametrize("name", MIXED)
def test_the_scheduler_packs_nothing(alive: Cluster, name: str) -> None:
    """So small pods that come first may keep large ones out, and the nodes needed do not suffice."""
    size, workloads = MIXED[name]
    needed = _needed(size, workloads)
    assert pending(alive, size, needed, workloads) == unplaced([size] * needed, workloads) > 0
    enough = next(nodes for nodes in count(needed) if not unplaced([size] * nodes, workloads))
    assert pending(alive, size, enough - 1, workloads) == unplaced([size] * (enough - 1), workloads) > 0
    assert pending(alive, size, enough, workloads) == 0


def pending(cluster: Cluster, size: Size, nodes: int, workloads: Sequence[Workload]) -> int:
    """Pods that the scheduler leaves without a node, on so many with what is predicted to be left on each."""
    cpu, memory = allocatable(size)
    left = {"cpu": f"{cpu}m", "memory": str(memory), "pods": str(MAX_PODS - DAEMON_PODS)}
    status = {"allocatable": left, "capacity": left}
    # Pods that other tests have left pending take any node that comes; ours alone tolerate this one's taint.
    spec = {"taints": [{"key": CASE, "effect": "NoSchedule"}]}
    create(cluster, *({**node(f"sized-{i}", "a", KEPT), "spec": spec, "status": status} for i in range(nodes)))
    try:
        ready(cluster, KEPT, nodes)
        create(cluster, *(_service(w) for w in workloads), *(_pod(w, i) for w in workloads for i in range(w.replicas)))
        until(lambda: all("PodScheduled" in str(each.get("status")) for each in _pods(cluster)), "all were looked at")
        found = _pods(cluster)
        assert len(found) == sum(w.replicas for w in workloads)
        assert _others(cluster) == []
        return sum("nodeName" not in each["spec"] for each in found)
    finally:
        for kind in ("pods", "services"):
            cluster.kubectl(
                "delete", "--raw", f"/api/v1/namespaces/{SPACE}/{kind}?labelSelector={CASE}&gracePeriodSeconds=0"
            )
        cluster.kubectl("delete", "--raw", f"/api/v1/nodes?labelSelector={kwok.BEAT}={KEPT}")


def _pods(cluster: Cluster) -> Sequence[Any]:
    found: Sequence[Any] = cluster.object("pods", f"--namespace={SPACE}", f"--selector={CASE}")["items"]
    return found


def _others(cluster: Cluster) -> list[str]:
    """Pods on the nodes that the workloads were to have for themselves."""
    every = cluster.object("pods", "--all-namespaces", f"--selector=!{CASE}")["items"]
    return [each["metadata"]["name"] for each in every if each["spec"].get("nodeName", "").startswith("sized-")]


def _service(workload: Workload) -> Any:
    """With it the scheduler has replicas apart, as those of a Deployment."""
    labels = {CASE: workload.name}
    metadata = {"name": workload.name, "namespace": SPACE, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": [{"port": 80}]},
    }


def _pod(workload: Workload, i: int) -> Any:
    tolerations = [{"key": CASE, "operator": "Exists"}]
    wanted = pod({"nodeSelector": {kwok.BEAT: KEPT}, "tolerations": tolerations}, SPACE, f"{workload.name}-{i}")
    asked = {"cpu": f"{workload.requests.cpu}m", "memory": str(workload.requests.memory)}
    wanted["spec"]["containers"][0]["resources"] = {"requests": asked}
    wanted["metadata"]["labels"] = {CASE: workload.name}
    return wanted
