"""Capacity of hosts and nodes: the worked examples of the model."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.quantity import parse_bytes
from components.sizing import DAEMON_PODS, allocatable
from components.spec import Requests, Size, Workload
from isostack.assess import capacity, scheduler

GIB = 1024


def size(cpus: int, memory: str) -> Size:
    return Size(cpus=cpus, memory=parse_bytes(memory), disk=parse_bytes("100Gi"))


def pods(replicas: int, millicpus: int, memory: str, state: str = "none") -> Workload:
    requests = Requests.model_validate({"cpu": f"{millicpus}m", "memory": memory})
    return Workload.model_validate(
        {"name": f"w{millicpus}", "pool": "p", "replicas": replicas, "requests": requests, "state": state}
    )


W1 = [pods(400, 500, "2Gi"), pods(20, 6000, "24Gi")]
W2 = [pods(1500, 100, "256Mi")]
W3 = [pods(24, 9000, "20Gi")]


@pytest.mark.parametrize(
    ("vcpus", "mb", "expected"),
    [
        (2, 8 * GIB, 83.14),
        (4, 16 * GIB, 151.9),
        (6, 12 * GIB, 129.8),
        (8, 32 * GIB, 291.0),
        (16, 64 * GIB, 573.7),
        (32, 256 * GIB, 2172),
        (1, 256, 20.29),
    ],
)
def test_memory_that_the_hypervisor_adds(vcpus: int, mb: float, expected: float) -> None:
    assert capacity.vm_overhead(vcpus, mb) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("vcpus", "gib", "expected"),
    [(8, 32, 15), (16, 64, 7), (14, 56, 8), (32, 128, 3), (4, 16, 30)],
)
def test_vms_on_a_host_of_128_threads_and_512_gib(vcpus: int, gib: int, expected: int) -> None:
    assert capacity.vms_on_host(126, 512 * GIB * 0.97, vcpus, gib * GIB) == expected


def test_admission_control_without_reservations() -> None:
    assert capacity.admitted([512 * GIB] * 4, 1, 4, 16 * GIB) == 10352
    assert capacity.admitted([512 * GIB] * 8, 1, 16, 64 * GIB) == 6397
    assert capacity.admitted([512 * GIB] * 4, 1, 4, 16 * GIB, 16 * GIB) == 95
    # The largest is the one that is lost.
    assert capacity.admitted([512 * GIB] * 3 + [4096 * GIB], 1, 4, 16 * GIB) == 10352


@pytest.mark.parametrize(
    ("workloads", "metal", "more_pods", "vms"),
    [(W1, 5, 3, 23), (W2, 15, 7, 15), (W3, 2, 2, 24)],
    ids=["large and small", "many tiny", "nine CPUs"],
)
def test_nodes_needed(workloads: list[Workload], metal: int, more_pods: int, vms: int) -> None:
    host, vm = size(128, "512Gi"), size(16, "64Gi")
    assert [capacity.needed(host, workloads), capacity.needed(host, workloads, 250)] == [metal, more_pods]
    assert capacity.needed(vm, workloads) == vms


def test_what_fits_no_node() -> None:
    assert capacity.needed(size(8, "32Gi"), W3) is None


SMALL, LARGE = pods(12, 1000, "1Gi"), pods(2, 7000, "20Gi")
MEASURED = [
    # [measured] the real scheduler, Kubernetes 1.36.3: nodes, and the replicas that it left pending.
    ("8x32", [SMALL, LARGE], {3: 2, 4: 2, 7: 2}),
    ("8x32", [LARGE, SMALL], {4: 0}),
    ("8x32", [pods(2, 3500, "1Gi"), pods(2, 2500, "1Gi"), pods(1, 1500, "1Gi")], {1: 3, 2: 1, 3: 0}),
    ("8x32", [pods(20, 500, "1Gi"), pods(5, 2000, "8Gi")], {2: 3, 3: 1, 4: 0}),
    ("8x32", [pods(250, 10, "16Mi")], {2: 50, 3: 0}),
    ("16x64", [pods(100, 500, "2Gi"), pods(5, 6000, "24Gi")], {5: 5, 6: 3, 7: 0}),
    ("16x64", [pods(5, 6000, "24Gi"), pods(100, 500, "2Gi")], {5: 20, 6: 0}),
]


@pytest.mark.parametrize(("shape", "workloads", "pending"), MEASURED)
def test_what_the_scheduler_leaves_pending(shape: str, workloads: list[Workload], pending: dict[int, int]) -> None:
    cpus, gib = shape.split("x")
    node = size(int(cpus), f"{gib}Gi")
    assert {nodes: scheduler.unplaced([node] * nodes, workloads) for nodes in pending} == pending


def test_pods_that_a_kubelet_takes_bound_what_is_placed() -> None:
    node = size(8, "32Gi")
    assert [scheduler.unplaced([node] * 1, [pods(300, 10, "16Mi")], most) for most in (110, 250)] == [200, 60]
    assert scheduler.unplaced([node] * 0, [SMALL]) == SMALL.replicas


MEMORY = ("16Mi", "700Mi", "3Gi", "20Gi")
PODS = st.builds(pods, st.integers(1, 30), st.integers(1, 9000), st.sampled_from(MEMORY))
NODES = st.builds(size, st.sampled_from([2, 8, 16]), st.sampled_from(["4Gi", "32Gi", "64Gi"]))


@given(st.lists(NODES, max_size=6), st.lists(PODS, max_size=4), st.sampled_from([11, 20, 110]))
def test_each_pod_goes_on_the_node_that_has_most_left(sizes: list[Size], workloads: list[Workload], most: int) -> None:
    """One pod after the other, all nodes looked at each time."""
    rooms = [allocatable(each) for each in sizes]
    used, counts, left = [(0, 0) for _ in sizes], [0 for _ in sizes], []
    for workload in workloads:
        waiting = 0
        for _ in range(workload.replicas):
            asked, best = (workload.requests.cpu, workload.requests.memory), (-1, 0)
            for i, room in enumerate(rooms):
                free = [room[k] - used[i][k] - asked[k] for k in (0, 1)]
                score = sum(100 * free[k] // max(room[k], 1) for k in (0, 1)) // 2
                if min(free) >= 0 and counts[i] < most - DAEMON_PODS and score > best[0]:
                    best = (score, i)
            if best[0] < 0:
                waiting += 1
            else:
                used[best[1]] = (used[best[1]][0] + asked[0], used[best[1]][1] + asked[1])
                counts[best[1]] += 1
        left.append(waiting)
    assert scheduler.pending(sizes, workloads, most) == left


def test_memory_counts_as_much_as_cpu() -> None:
    """By CPU alone, the last pod would find no node with so much memory left."""
    workloads = [pods(1, 4000, "12Gi"), pods(3, 2000, "4Gi"), pods(2, 1000, "12Gi")]
    assert scheduler.pending([size(8, "32Gi")] * 2, workloads) == [0, 0, 0]


def test_what_would_place_all() -> None:
    node, workloads = size(8, "32Gi"), [SMALL, LARGE]
    sizes = [node] * 4
    assert scheduler.orders(node, workloads) == ([LARGE, SMALL], [SMALL, LARGE])
    assert scheduler.pending(sizes, [SMALL, LARGE]) == [0, 2]
    assert scheduler.more(sizes, node, workloads) == 10
    assert scheduler.unplaced([node] * 13, workloads) > 0 == scheduler.unplaced([node] * 14, workloads)
    assert scheduler.lower(sizes, node, workloads, [LARGE.name]) == 40
    less = [SMALL, pods(2, 4200, "12Gi")], [SMALL, pods(2, 4550, "13Gi")]
    assert [scheduler.unplaced([node] * 4, each) > 0 for each in less] == [False, True]
    # Two larger ones do as well as ten of the same.
    assert scheduler.more(sizes, size(16, "64Gi"), workloads) == 2
    with pytest.raises(ValueError, match="a replica fits no node of 4 CPU"):
        scheduler.more(sizes, size(4, "32Gi"), workloads)


def test_lower_requests_do_not_help_where_pods_are_too_many() -> None:
    many = [pods(250, 10, "16Mi")]
    assert scheduler.lower([size(8, "32Gi")] * 2, size(8, "32Gi"), many, [many[0].name]) is None


@given(
    st.lists(NODES, min_size=1, max_size=4), NODES, st.lists(PODS, min_size=1, max_size=3, unique_by=lambda w: w.name)
)
def test_one_node_fewer_is_too_few(sizes: list[Size], node: Size, workloads: list[Workload]) -> None:
    def placed(nodes: list[Size]) -> bool:
        return not any(sum(scheduler.pending(nodes, order)) for order in scheduler.orders(node, workloads))

    cpu, memory = allocatable(node)
    assume(not placed(sizes) and all(w.requests.cpu <= cpu and w.requests.memory <= memory for w in workloads))
    more = scheduler.more(sizes, node, workloads)
    assert placed([*sizes, *[node] * more])
    assert more == 1 or not placed([*sizes, *[node] * (more - 1)])


def test_what_binds() -> None:
    host = size(128, "512Gi")
    assert [capacity.binding(host, w) for w in (W1, W2, W3)] == ["the number of pods", "the number of pods", "CPU"]
    assert capacity.binding(host, W1, 250) == "memory"


def test_what_must_run_with_a_node_lost() -> None:
    kept = capacity.without([pods(3, 1, "1Gi", "replicated"), pods(1, 2, "1Gi", "replicated"), pods(3, 3, "1Gi")], 1)
    assert [w.replicas for w in kept] == [2, 1, 3]


def test_hosts_of_a_mandatory_rule() -> None:
    assert [capacity.hosts_apart(3, 1, 1), capacity.hosts_apart(3, 0, 2), capacity.hosts_apart(3, 0, 0)] == [4, 5, 3]


@pytest.mark.parametrize(
    ("on_hosts", "replicas", "expected"),
    [
        ([4] * 4, 3, 0.5429),
        ([7] * 8, 3, 0.3071),
        ([7] * 8, 2, 0.1091),
        ([1] * 8, 3, 0),
        ([2, 1], 3, 1),
        ([4, 2, 1], 2, 1 / 3),
        ([1] * 3 + [2], 1, 0),
    ],
)
def test_replicas_on_one_host(on_hosts: list[int], replicas: int, expected: float) -> None:
    assert capacity.together(on_hosts, replicas) == pytest.approx(expected, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize(("hosts", "expected"), [(3, 0.2593), (4, 0.15625), (8, 0.04297), (1, 1)])
def test_majority_lost_with_a_host(hosts: int, expected: float) -> None:
    assert capacity.quorum_lost(3, hosts) == pytest.approx(expected, rel=1e-3)


def test_members_whose_loss_is_fatal() -> None:
    assert [capacity.fatal_members(members) for members in (1, 3, 5, 7)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("on_host", "nodes", "replicas", "expected"), [(1, 3, 3, 1), (1, 3, 4, 2), (2, 4, 3, 2), (2, 4, 6, 4), (3, 3, 2, 2)]
)
def test_replicas_that_a_host_carries(on_host: int, nodes: int, replicas: int, expected: int) -> None:
    assert capacity.most_replicas(on_host, nodes, replicas) == expected


def test_volumes_on_a_node() -> None:
    assert [capacity.volumes_on_node(118, 3), capacity.volumes_on_node(119, 3), capacity.volumes_on_node(9, 1)] == [
        59,
        60,
        9,
    ]


def test_vms_that_start_on_what_is_free() -> None:
    wide, small = (16, 32768), (4, 16384)
    assert capacity.restartable([40000], [wide, wide]) == [True, False]
    assert capacity.restartable([17000, 40000], [small, wide]) == [True, True]
    assert capacity.restartable([17000, 33000], [small, wide]) == [True, False]  # the hypervisor's share on top
    assert capacity.restartable([], [small]) == [False]
