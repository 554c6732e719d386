"""Policy pack drs: what DRS would change, and the model of balance behind it."""

from __future__ import annotations

import pytest

from components.rules import Undecided, percent
from isostack.assess.balance import Load, gamma_p, spread, unmet
from policies.drs.value import RULES as DRS
from tests.policy_stacks import found, metal, virtual
from tests.specs import rich

NODES = (
    "pool db leaves 1.4 % of demand unmet (most by search: 1 on 3 nodes)\n"
    "too few pods to even out by moving them: replicas in a multiple of the nodes would"
)
ASSUMED = "at 70 % load, variation 1 [assumptions]"


def test_drs_does_nothing_where_hosts_have_a_thread_for_each_vcpu() -> None:
    assert found(DRS, virtual(rich())) == [
        "spec workloads: DRS (fullyAutomated) changes nothing measurable: this cluster cannot make a host short of "
        "CPU, at most 24 vCPU on 128 usable threads, 124 on 640 with 1 lost\n"
        f"nodes run short {ASSUMED}, where DRS does not reach: {NODES}"
    ]


@pytest.mark.parametrize(
    ("rebalance", "reach"),
    [
        (False, "and nothing moves load between hosts"),
        (True, "and the descheduler sees what pods ask for, not what they use"),
    ],
)
def test_the_same_nodes_run_short_on_metal_unless_they_are_larger(rebalance: bool, reach: str) -> None:
    short = f"spec workloads: nodes run short {ASSUMED}, {reach}: {NODES}"
    spec = rich({"availability.rebalance": rebalance})
    assert found(DRS, metal(spec)) == found(DRS, metal(spec, known=False)) == [short]
    assert found(DRS, metal(spec, times=2)) == []


def test_replicas_in_a_multiple_of_the_nodes_leave_nothing_to_balance() -> None:
    even = rich({"workloads.3.replicas": 3})
    assert found(DRS, metal(even)) == []
    (message,) = found(DRS, virtual(even))
    assert message.startswith("spec workloads: DRS (fullyAutomated) changes nothing measurable: ")
    assert message.endswith(f"\nnodes do not run short of CPU {ASSUMED}")
    assert found(DRS, virtual(even, balancing=None)) == []  # nobody counts on it


def test_drs_matters_where_vcpus_outnumber_threads() -> None:
    singles = [
        {"name": f"w{i}", "pool": "web", "replicas": 1, "requests": {"cpu": "500m", "memory": "1Gi"}} for i in range(48)
    ]
    crowded = virtual(rich({"workloads": singles}), hosts=(28,) * 4)
    used, n = 0.7 * 124 / 112, 12
    without = unmet(used, used * ((1 - 1 / 4) / n) ** 0.5)
    (message,) = found(DRS, crowded)
    assert message.splitlines()[0] == (
        f"spec workloads: DRS (fullyAutomated) matters: without it hosts leave {percent(without)} of demand unmet, "
        f"with it at most {percent(0.4 * without)}, 124 vCPU on 112 usable threads"
    )
    assert 0.01 < without < 0.1
    (calm,) = found(DRS, crowded, utilisation=0.2)
    assert "DRS (fullyAutomated) changes nothing measurable: without it hosts leave 0 % of" in calm


def test_a_host_lost_can_make_the_others_short() -> None:
    """124 vCPU, at most 36 of them on one host: four hosts of 42 threads carry them with one lost, of 41 not."""
    calm = "this cluster cannot make a host short of CPU, at most 36 vCPU on"
    assert f"{calm} 42 usable threads, 124 on 126 with 1 lost\n" in found(DRS, virtual(rich(), hosts=(42,) * 4))[0]
    assert calm not in found(DRS, virtual(rich(), hosts=(41,) * 4))[0]
    assert f"{calm} 41 usable threads\n" in found(DRS, virtual(rich(), hosts=(41,) * 4, ha=False))[0]
    assert calm not in found(DRS, virtual(rich(), hosts=(99, 35, 99, 99), ha=False))[0]


def test_many_pods_a_node_can_be_evened_out() -> None:
    singles = [
        {"name": f"w{i}", "pool": "web", "replicas": 1, "requests": {"cpu": "500m", "memory": "1Gi"}} for i in range(60)
    ]
    (message,) = found(DRS, metal(rich({"workloads": singles, "availability.rebalance": False})))
    assert message == (
        f"spec workloads: nodes run short {ASSUMED}, and nothing moves load between hosts: pool web leaves "
        f"{percent(unmet(0.7, 0.7 * ((1 - 1 / 6) / 10) ** 0.5))} of demand unmet (most by w0: 1 on 6 nodes)\n"
        "a descheduler by usage with a load-aware scheduler leaves at most 40 % of it, by restarting pods"
    )


def test_balance_is_not_decidable_without_workloads_or_hosts() -> None:
    nobody = rich({"workloads": []})
    for stack in (metal(nobody), virtual(nobody)):
        with pytest.raises(Undecided, match="no workloads are named"):
            found(DRS, stack)
    (message,) = found(DRS, virtual(rich(), hosts=()))
    assert "DRS (fullyAutomated) changes is not decidable at preview: the hosts of site main are not known\n" in message


@pytest.mark.parametrize(
    ("rho", "n", "sigma", "percent_unmet"),
    [
        (0.7, 10, 0.2857, 4.249),
        (0.7, 20, 0.2021, 1.409),
        (0.7, 50, 0.1278, 0.1398),
        (0.7, 110, 0.08616, 0.003930),
        (0.5, 10, 0.2041, 0.5137),
        (0.5, 20, 0.1443, 0.03538),
        (0.8, 110, 0.09847, 0.1523),
    ],
)
def test_balance_model_against_its_worked_examples(rho: float, n: int, sigma: float, percent_unmet: float) -> None:
    """8 hosts with n equal single workloads each, variation 1.38."""
    deviation = spread([Load(str(i), 1, 1.0) for i in range(8 * n)], 8, rho, 1.38)
    assert deviation == pytest.approx(sigma, rel=1e-3)
    assert 100 * unmet(rho, deviation) == pytest.approx(percent_unmet, rel=1e-3)


@pytest.mark.parametrize(
    ("replicas", "sigma"), [(1, 0.1304), (2, 0.1207), (3, 0.1102), (4, 0.09859), (6, 0.06972), (8, 0.0)]
)
def test_spread_of_replicas(replicas: int, sigma: float) -> None:
    """8 hosts with 48 replicas each, 70 % load, variation 1.38; all requests can be laid out evenly."""
    loads = [Load(str(i), replicas, 1.0) for i in range(8 * 48 // replicas)]
    assert spread(loads, 8, 0.7, 1.38) == pytest.approx(sigma, abs=1e-4)


def test_requests_that_cannot_be_laid_out_evenly_spread_too() -> None:
    assert spread([Load("a", 1, 1.0), Load("b", 1, 3.0)], 2, 0.5, 0) == pytest.approx(0.25)  # 0.25 and 0.75
    assert spread([Load("a", 3, 1.0), Load("b", 1, 3.0)], 2, 0.5, 0) == pytest.approx(1 / 6)  # 2 and 4
    assert spread([], 2, 0.5, 1) == 0


def test_unmet_at_the_edges() -> None:
    assert unmet(0.7, 0) == 0
    assert unmet(1.25, 0) == pytest.approx(0.2)
    assert unmet(1.25, 1e-4) == pytest.approx(0.2)
    assert unmet(0.7, 1e-4) == 0


@pytest.mark.parametrize("x", [0.0, 0.1, 1.0, 3.0, 10.0, 40.0])
def test_gamma_against_closed_forms(x: float) -> None:
    from math import erf, exp, sqrt

    assert gamma_p(1, x) == pytest.approx(1 - exp(-x), abs=1e-12)
    assert gamma_p(3, x) == pytest.approx(1 - exp(-x) * (1 + x + x * x / 2), abs=1e-12)
    assert gamma_p(0.5, x) == pytest.approx(erf(sqrt(x)), abs=1e-12)
