"""The simulation of balance: against the closed form, against a plain loop, and what must hold of any demand."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isostack.assess.balance import LEFT_BY_BALANCING, Load, spread, unmet
from isostack.assess.demand import Shape, replicated, scaled, synthetic
from isostack.assess.simulation import DAY_SECONDS, THRESHOLD, Balancer, Cores, Index, Outcome, packed, placed, simulate
from tests import plain_balance

STEP = 300.0
BALANCERS: tuple[Balancer, ...] = get_args(Balancer)
MOVING = tuple(each for each in BALANCERS if each != "none")
VARIATION = 1.38
"""As PlanetLab's VMs differ."""


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of a small run: hosts of one size or several, requests, node VMs."""
    hosts, pods, samples = draw(st.integers(1, 5)), draw(st.integers(1, 20)), draw(st.integers(1, 12))
    capacities = draw(st.lists(st.sampled_from([2.0, 4.0, 8.0]), min_size=hosts, max_size=hosts))
    requests = draw(st.lists(st.sampled_from([0.1, 0.5, 2.0]), min_size=pods, max_size=pods))
    series = st.lists(st.floats(0, 4, width=32), min_size=pods, max_size=pods)
    demand = np.array(draw(st.lists(series, min_size=samples, max_size=samples)))
    at = placed(requests, capacities)
    return {
        "demand": demand,
        "capacities": capacities,
        "step": draw(st.sampled_from([60.0, 300.0, 3600.0])),
        "placement": at,
        "requests": requests,
        "vms": packed(at, draw(st.integers(1, 4))),
        "seed": draw(st.integers(0, 9)),
    }


def singles(per_host: int, utilisation: float, seed: int, *, samples: int = 288, hosts: int = 8) -> Cores:
    """Workloads of one replica for hosts of 1 core."""
    return scaled(synthetic(hosts * per_host, samples, step=STEP, seed=seed), hosts, utilisation)


def drawn(workloads: int, samples: int = 3000) -> Cores:
    """Gamma-distributed demand of mean 1, every sample drawn anew: as many cases of the closed form as samples."""
    return np.random.default_rng(3).gamma(VARIATION**-2, VARIATION**2, (samples, workloads))


# ---- Against the closed form


@pytest.mark.parametrize(("per_host", "utilisation"), [(10, 0.7), (20, 0.7), (50, 0.7), (10, 0.5), (20, 0.8)])
def test_singles_spread_and_starve_as_the_closed_form_says(per_host: int, utilisation: float) -> None:
    demand = drawn(8 * per_host)
    level = demand / demand.mean(axis=1, keepdims=True) * utilisation / per_host
    outcome = simulate(level, [1.0] * 8, step=STEP)
    told = spread([Load("each", 1, 1)] * 8 * per_host, 8, utilisation, VARIATION)
    assert outcome.spread == pytest.approx(told, rel=0.05)
    assert unmet(utilisation, told) / 1.5 < outcome.unmet < unmet(utilisation, told) * 1.5


@pytest.mark.parametrize(("per_host", "utilisation"), [(10, 0.7), (20, 0.7), (10, 0.5), (20, 0.8), (10, 1.1)])
def test_hosts_of_gamma_distributed_load_starve_exactly_as_the_closed_form_says(
    per_host: int, utilisation: float
) -> None:
    """Where the total is left to chance as well, each host's load is gamma-distributed."""
    outcome = simulate(drawn(8 * per_host) * utilisation / per_host, [1.0] * 8, step=STEP)
    told = unmet(utilisation, utilisation * VARIATION / per_host**0.5)
    assert outcome.unmet == pytest.approx(told, rel=0.05)


@pytest.mark.parametrize("replicas", [1, 2, 3, 4, 6, 8])
def test_replicas_spread_as_the_closed_form_says(replicas: int) -> None:
    workloads = 48 * 8 // replicas
    pods, own = replicated(drawn(workloads, 1000) * 0.7 / 48, np.full(workloads, replicas))
    outcome = simulate(pods, [1.0] * 8, step=STEP, placement=placed([1.0] * len(own), [1.0] * 8, own))
    told = spread([Load("each", replicas, 1)] * workloads, 8, 0.7, VARIATION)
    assert outcome.spread == pytest.approx(told, rel=0.05, abs=1e-9)


def test_balancing_by_usage_leaves_no_more_than_the_policy_says_and_by_requests_more() -> None:
    left, moves = dict.fromkeys(BALANCERS, 0.0), dict.fromkeys(BALANCERS, 0.0)
    for seed in range(5):
        demand = singles(12, 0.7, seed)
        for balancer in BALANCERS:
            outcome = simulate(demand, [1.0] * 8, balancer, step=STEP)
            left[balancer] += outcome.unmet / 5
            moves[balancer] += outcome.moves
    assert left["none"] > 0.01
    assert max(left["drs"], left["descheduler"]) < LEFT_BY_BALANCING * left["none"]
    assert left["descheduler"] < left["descheduler by requests"] < left["none"]
    assert moves["descheduler"] * 3 < moves["descheduler by requests"]


# ---- Against a plain loop


def same(case: dict[str, Any], balancer: Balancer) -> Outcome:
    """What both say of a case, held against each other."""
    ours = simulate(**case, balancer=balancer)
    lists = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in case.items()}
    plain = plain_balance.simulate(**lists, balancer=balancer)
    assert (ours.moves, ours.placement.tolist()) == (plain.moves, plain.placement)
    assert ours.unmet == pytest.approx(plain.unmet, abs=1e-12)
    assert ours.spread == pytest.approx(plain.spread, abs=1e-9)
    return ours


@pytest.mark.parametrize(("balancer", "vcpus"), [*((each, None) for each in BALANCERS), ("none", 1.0), ("drs", 1.0)])
@pytest.mark.parametrize("capacities", [[4.0] * 4, [4.0, 4.0, 8.0, 2.0]])
def test_a_plain_loop_gives_the_same(balancer: Balancer, vcpus: float | None, capacities: list[float]) -> None:
    for seed in range(3):
        demand = scaled(synthetic(24, 100, step=STEP, seed=seed), sum(capacities), 0.8)
        requests = np.random.default_rng(seed).choice([0.1, 0.25, 1.0], 24)
        at = placed(requests, capacities)
        case = {
            "demand": demand,
            "capacities": capacities,
            "step": STEP,
            "placement": at,
            "requests": requests,
            "vms": packed(at, 3),
            "vcpus": vcpus,
            "seed": seed,
        }
        outcome = same(case, balancer)
        assert outcome.unmet > 0
        assert (outcome.moves > 0) == (balancer in MOVING)


# ---- What holds of any demand


@given(cases(), st.sampled_from(BALANCERS))
def test_nothing_is_lost_and_shares_are_shares(case: dict[str, Any], balancer: Balancer) -> None:
    before = case["placement"].copy()
    outcome = simulate(**case, balancer=balancer)
    assert 0 <= outcome.unmet <= 1
    assert outcome.spread >= 0
    assert len(outcome.placement) == case["demand"].shape[1]
    assert set(outcome.placement) <= set(range(len(case["capacities"])))
    assert (case["placement"] == before).all()  # what is given stays as it is
    assert outcome.days == pytest.approx(len(case["demand"]) * case["step"] / DAY_SECONDS)
    if balancer == "none":
        assert outcome.moves == outcome.moves_per_unit_day == 0
        assert (outcome.placement == before).all()


@given(cases(), st.sampled_from(BALANCERS))
def test_the_same_seed_gives_the_same(case: dict[str, Any], balancer: Balancer) -> None:
    first, second = (simulate(**case, balancer=balancer) for _ in range(2))
    assert (first.unmet, first.spread, first.moves) == (second.unmet, second.spread, second.moves)
    assert (first.placement == second.placement).all()


@given(cases())
def test_drs_moves_vms_as_a_whole(case: dict[str, Any]) -> None:
    outcome = simulate(**case, balancer="drs")
    pairs = {(vm, host) for vm, host in zip(case["vms"], outcome.placement, strict=True)}
    assert len(pairs) == len(set(case["vms"])) == outcome.units


@given(cases(), st.sampled_from(["none", "drs"]))
def test_drs_gives_no_vm_more_than_it_has(case: dict[str, Any], balancer: Balancer) -> None:
    """What a VM wants beyond its vCPUs is unmet wherever it runs, and where each vCPU has a thread nothing else is."""
    vcpus = min(case["capacities"]) / 4  # at most 4 VMs a host
    outcome = simulate(**case, balancer=balancer, vcpus=vcpus)
    samples = case["demand"]
    wanted = np.array([np.bincount(case["vms"], weights=sample) for sample in samples])
    beyond = np.maximum(wanted - vcpus, 0).sum() / len(samples)
    assert outcome.unmet_cores >= beyond - 1e-9
    if balancer == "none":
        assert outcome.unmet_cores == pytest.approx(beyond, abs=1e-9)


@given(cases(), st.data())
def test_more_load_never_lowers_unmet_demand(case: dict[str, Any], data: st.DataObject) -> None:
    before = simulate(**case)
    pod = data.draw(st.integers(0, case["demand"].shape[1] - 1))
    more = case["demand"].copy()
    more[:, pod] += data.draw(st.floats(0, 4))
    assert simulate(**{**case, "demand": more}).unmet_cores >= before.unmet_cores - 1e-9
    factor = data.draw(st.floats(1, 5))
    assert simulate(**{**case, "demand": case["demand"] * factor}).unmet >= before.unmet - 1e-9


@given(st.integers(1, 6), st.lists(st.integers(1, 3), min_size=1, max_size=6), st.integers(0, 99))
def test_replicas_in_a_multiple_of_the_hosts_are_balanced_by_themselves(
    hosts: int, times: list[int], seed: int
) -> None:
    series = synthetic(len(times), 6, step=STEP, seed=seed)
    pods, own = replicated(series, np.array(times) * hosts)
    at = placed([1.0] * len(own), [3.0] * hosts, own)
    for balancer in BALANCERS:
        outcome = simulate(pods, [3.0] * hosts, balancer, step=STEP, placement=at)
        assert outcome.spread == pytest.approx(0, abs=1e-9)
        assert outcome.moves == 0


@given(cases())
def test_drs_rests_where_hosts_are_alike_enough(case: dict[str, Any]) -> None:
    hosts = len(case["capacities"])
    level = np.full((6, hosts), 0.5) * np.array(case["capacities"])
    rests = simulate(level, case["capacities"], "drs", step=case["step"], placement=np.arange(hosts))
    assert (rests.moves, rests.spread <= THRESHOLD / hosts**0.5) == (0, True)


# ---- Placement


@pytest.mark.parametrize(
    ("requests", "capacities", "workloads", "filled"),
    [
        ([1, 1, 1, 1], [4, 4], None, [2, 2]),
        ([1, 1, 1, 1, 1, 1], [8, 4], None, [4, 2]),
        ([3, 1, 1, 1], [4, 4], None, [3, 3]),
        ([1, 1, 3, 3], [4, 4], [0, 0, 1, 1], [4, 4]),
        ([5, 1, 1, 1], [8, 8], [0, 0, 1, 1], [2, 6]),
        ([], [4], None, [0]),
    ],
)
def test_pods_are_spread_as_the_scheduler_does(
    requests: list[float], capacities: list[float], workloads: list[int] | None, filled: list[float]
) -> None:
    own = None if workloads is None else np.array(workloads)
    found = [placed(requests, capacities, own, seed=seed) for seed in range(8)]
    loads = {tuple(np.bincount(at, weights=np.array(requests), minlength=len(capacities))) for at in found}
    either = {tuple(filled), tuple(filled[::-1])} if capacities[0] == capacities[-1] else {tuple(filled)}
    assert loads <= either
    assert requests == [] or len({tuple(at) for at in found}) > 1  # who comes first is left to chance


@given(st.lists(st.integers(1, 7), max_size=6), st.integers(1, 5), st.integers(0, 9))
def test_replicas_of_a_workload_are_apart_as_far_as_they_can(replicas: list[int], hosts: int, seed: int) -> None:
    own = np.repeat(np.arange(len(replicas)), replicas)
    at = placed([0.5] * len(own), [2.0] * hosts, own, seed=seed)
    assert (placed([0.5] * len(own), [2.0] * hosts, own, seed=seed) == at).all()
    for workload in range(len(replicas)):
        counts = np.bincount(at[own == workload], minlength=hosts)
        assert counts.max() - counts.min() <= 1


def test_the_pods_of_a_host_go_to_its_vms_in_turn() -> None:
    assert packed(np.array([0, 1, 0, 0, 1, 2]), 2).tolist() == [0, 2, 1, 0, 3, 4]


# ---- Synthetic demand


def test_synthetic_demand_is_as_its_shape_says() -> None:
    day = int(DAY_SECONDS / STEP)
    flat = Shape(variation=0.8, daily=0, noise=0.5, memory=1800)
    demand = synthetic(3000, 2 * day, step=STEP, seed=4, shape=flat)
    means = demand.mean(axis=0)
    assert means.mean() == pytest.approx(1, rel=0.05)
    assert means.std() / means.mean() == pytest.approx(0.8, rel=0.05)
    around = demand / means
    assert around.std(axis=0).mean() == pytest.approx(0.5, rel=0.1)
    log = np.log(demand) - np.log(demand).mean(axis=0)
    assert (log[6:] * log[:-6]).mean() / log.var() == pytest.approx(np.exp(-6 * STEP / 1800), abs=0.05)
    course = synthetic(500, day, step=STEP, seed=4, shape=Shape(daily=0.4, together=1, noise=0)).sum(axis=1)
    assert course.max() / course.mean() == pytest.approx(1.4)
    assert course.argmax() == day // 2


@pytest.mark.parametrize("shape", [Shape(), Shape().varying(1), Shape().varying(0.3), Shape(together=1, noise=0.2)])
def test_demand_varies_at_once_as_its_shape_says(shape: Shape) -> None:
    demand = synthetic(2000, 288, step=STEP, seed=2, shape=shape)
    assert (demand.std(axis=1) / demand.mean(axis=1)).mean() == pytest.approx(shape.at_once, rel=0.05)


def test_what_varies_so_much_at_once_is_found() -> None:
    assert Shape().at_once == pytest.approx(VARIATION, abs=0.005)
    for wanted in (0.0, 0.3, 0.6, 1.0, 2.0):
        assert Shape().varying(wanted).at_once == pytest.approx(wanted)


@given(st.integers(0, 20), st.integers(1, 5), st.integers(0, 99))
def test_the_same_seed_gives_the_same_demand(workloads: int, samples: int, seed: int) -> None:
    first, second = (synthetic(workloads, samples, step=STEP, seed=seed) for _ in range(2))
    assert first.shape == (samples, workloads)
    assert (first == second).all()
    assert (first > 0).all()


# ---- What cannot be meant


ONE: Cores = np.ones((1, 2))
APART: Index = np.array([0, 1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"demand": np.ones(3)}, "demand must be an array"),
        ({"demand": np.ones((0, 2))}, "demand must be an array"),
        ({"demand": -ONE}, "finite and not negative"),
        ({"demand": ONE * np.nan}, "finite and not negative"),
        ({"demand": ONE * np.inf}, "finite and not negative"),
        ({"capacities": []}, "capacities must be"),
        ({"capacities": [1, 0]}, "capacities must be"),
        ({"step": 0}, "step must be"),
        ({"placement": np.array([0, 2])}, "one of 2 hosts"),
        ({"placement": np.array([0])}, "one of 2 hosts"),
        ({"requests": [1]}, "1 requests for 2 pods"),
        ({"vms": np.array([0])}, "of each of 2 pods"),
        ({"vms": np.array([0, 0])}, "on two hosts"),
        ({"vcpus": 1.0}, "vcpus are of node VMs"),
        ({"vcpus": 1.0, "vms": APART, "balancer": "descheduler"}, "vcpus are of node VMs"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any], message: str) -> None:
    right: dict[str, Any] = {"demand": ONE, "capacities": [1, 1], "step": 1, "placement": APART, "balancer": "drs"}
    simulate(**right)
    with pytest.raises(ValueError, match=message):
        simulate(**{**right, **wrong})


def test_shapes_that_cannot_be_meant_are_refused() -> None:
    for wrong in ({"variation": -1}, {"noise": -0.1}, {"memory": -1}, {"daily": 1.5}, {"together": -0.1}):
        with pytest.raises(ValueError, match=r"must not be negative|from 0 to 1"):
            Shape(**wrong)
    with pytest.raises(ValueError, match="no demand"):
        scaled(np.zeros((2, 2)), 8, 0.7)


def test_without_pods_or_demand_nothing_is_unmet() -> None:
    for demand in (np.zeros((2, 0)), np.zeros((2, 3))):
        for balancer in BALANCERS:
            outcome = simulate(demand, [1.0, 2.0], balancer, step=STEP)
            assert (outcome.unmet, outcome.spread, outcome.moves, outcome.moves_per_unit_day) == (0, 0, 0, 0)
