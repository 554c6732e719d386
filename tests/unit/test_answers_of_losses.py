"""Answers of stacks that are small, full or unlike: what the loss of a host leaves, how many hosts are needed, and the
ends of what can be asked."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from isostack.assess.answers import answer
from isostack.assess.balance import NORMAL, unmet
from isostack.assess.capacity import quorum_hosts
from isostack.assess.case import Case
from isostack.assess.neighbours import neighbours
from isostack.assess.questions import questions
from isostack.assess.uncertainty import usual
from tests.unit.test_answers import CASES, EVERY, PRICED, case


def edge_of(*, hosts: int = 2, reserve: int = 1, ha: bool = True, apps: int = 2, evict: int = 120) -> Case:
    """edge-vsphere on its first hosts, with so many nodes of its one pool on the last of them."""
    edge = case("edge-vsphere")
    (pool,) = edge.spec.pools
    kept = edge.site.hosts[:hosts]
    spec = edge.spec.model_copy(
        update={
            "pools": (pool.model_copy(update={"nodes": apps}),),
            "availability": edge.spec.availability.model_copy(update={"evict_after": evict}),
        }
    )
    names = {host.name for host in kept}
    machines = tuple(
        replace(m, place=m.place.model_copy(update={"host": m.place.host if m.place.host in names else kept[0].name}))
        for m in edge.machines
        if m.wanted.role == "control-plane" or m.wanted.index < apps
    )
    site = edge.site.model_copy(update={"hosts": kept, "reserve_hosts": reserve, "restarts_machines": ha})
    return replace(edge, spec=spec, sites=(site,), machines=machines)


def of(question: str, case: Case) -> float:
    asked = questions()[question]
    values = usual([PRICED[each.id] for each in asked.inputs]) or {"": np.zeros(1)}
    return float(asked.answer(case, values)[0])


HAND, REPAIRED = 1800 + 15 + 60 + 20, 72 * 3600 + 1276 + 22


def test_what_goes_with_the_api_is_not_evicted() -> None:
    """One of edge's hosts carries its only member of etcd, and a worker."""
    back = (18 + 35) / 2 + 15 + 60 + 20
    assert of("recovery.stateless", edge_of(evict=30)) == pytest.approx(back)
    assert of("recovery.errors", edge_of()) == pytest.approx(back / 2)
    assert of("recovery.stateless", edge_of(ha=False)) == pytest.approx(HAND)
    assert of("recovery.volume", edge_of(ha=False)) == pytest.approx(47.5 + 120 + 1800 + 60)


def test_where_there_is_no_other_host_or_no_reserve_ha_restarts_nothing() -> None:
    one = edge_of(hosts=1, reserve=0)
    assert of("recovery.stateless", one) == of("recovery.volume", one) == pytest.approx(REPAIRED)
    assert of("patching.out", one) == 100
    assert of("fleet.whole", one) * 3600 == pytest.approx(REPAIRED - 22)
    full = edge_of(reserve=0)
    assert of("recovery.stateless", full) == pytest.approx(HAND)
    assert of("patching.out", full) == 50
    assert of("fleet.whole", full) * 3600 == pytest.approx(REPAIRED - 22)


def test_where_the_pool_has_no_other_node_the_host_must_be_back() -> None:
    edge = case("edge-tinkerbell")
    (pool,) = edge.spec.pools
    spec = edge.spec.model_copy(update={"pools": (pool.model_copy(update={"nodes": 1}),)})
    machines = tuple(m for m in edge.machines if m.wanted.role == "control-plane" or m.wanted.index == 0)
    alone = replace(edge, spec=spec, machines=machines)
    assert of("recovery.stateless", alone) == of("recovery.volume", alone) == pytest.approx(REPAIRED)
    assert of("recovery.errors", alone) == pytest.approx(REPAIRED)
    spare = replace(alone, sites=(alone.site.model_copy(update={"spare_hosts": 1}),))
    assert of("recovery.stateless", spare) == pytest.approx(1800 + 1276 + 22)


def test_hosts_needed_are_no_more_than_a_sound_plan_has() -> None:
    """Of etcd's members none takes a majority with it, as far as there are hosts; and the config may allow more virtual
    CPUs on a thread."""
    shop = case("shop-vsphere")
    few = replace(shop, sites=(shop.site.model_copy(update={"hosts": shop.site.hosts[::2]}),))
    assert of("sizing.needed", few) == of("sizing.needed", shop) == 3
    small = tuple(h.model_copy(update={"usable_cpus": 10}) for h in shop.site.hosts)
    tight = replace(shop, sites=(shop.site.model_copy(update={"hosts": small}),))
    loose = replace(shop, sites=(shop.site.model_copy(update={"hosts": small, "cpu_overcommit": 4.0}),))
    assert of("sizing.needed", tight) > of("sizing.needed", loose)
    assert [quorum_hosts(members) for members in (1, 2, 3, 5, 7)] == [1, 2, 3, 3, 3]


def test_an_interval_holds_its_value_and_equal_rows_have_no_flip() -> None:
    prices = {name: each.value or 0.0 for name, each in PRICED.items() if each.is_price}
    dear = {name: PRICED[name].given(value, value, 2 * value, "x") for name, value in prices.items()}
    for found in (answer(each, CASES["shop"], PRICED | dear) for each in EVERY):
        for result in found.results.values():
            assert isinstance(result, str) or result.low <= result.value <= result.high
        assert found.ahead or not found.flips


def test_an_input_that_is_nothing_may_flip_too() -> None:
    free = PRICED["cost.licence"].given(0, 0, 0, "x")
    flips = {
        flip.input: flip for flip in answer(questions()["cost.planned"], CASES["shop"], PRICED | {free.id: free}).flips
    }
    assert 0 < flips["cost.licence"].at < 190


def test_hardly_any_spread_is_answered_at_once() -> None:
    """As a normal distribution, whose integral takes no series."""
    for shape in (0.5, 0.99, 1.01, 2):
        s = 0.99 / (NORMAL * shape) ** 0.5
        z = 0.01 / s
        exact = s * np.exp(-z * z / 2) / np.sqrt(2 * np.pi) - 0.01 * (1 - NormalDist().cdf(z))
        assert unmet(0.99, s) == pytest.approx(exact / 0.99, rel=0.02)
    assert unmet(1.0, 1e-9) == pytest.approx(0, abs=1e-9)


def test_tenants_on_a_host_are_those_of_the_spec() -> None:
    """Pods of the cluster itself, in a pool that nobody owns, are none."""
    shop = case("shop-vsphere")
    pools = tuple(each.model_copy(update={"tenant": None}) if each.name == "web" else each for each in shop.spec.pools)
    machines = tuple(
        replace(m, wanted=m.wanted.model_copy(update={"tenant": None})) if m.wanted.pool == "web" else m
        for m in shop.machines
    )
    mixed = replace(shop, spec=shop.spec.model_copy(update={"pools": pools}), machines=machines)
    assert any("" in each.tenants for each in neighbours(mixed))
    assert of("blast.hardware", shop) == 2
    assert of("blast.hardware", mixed) == 1
    assert of("blast.kernel", mixed) == 1
    assert of("blast.kernel", case("edge-vsphere")) == 1
