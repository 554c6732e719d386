"""Answers of the assessment: each question of each example stack, flips that are where they are said to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from scipy.stats import qmc

from isostack.assess.answers import BEYOND, Answer, Result, answer
from isostack.assess.assumed import with_workloads
from isostack.assess.case import Case
from isostack.assess.inputs import Input
from isostack.assess.needed import asked_of_vms
from isostack.assess.neighbours import neighbours
from isostack.assess.question import Question
from isostack.assess.questions import TOPICS, inputs, questions
from isostack.assess.uncertainty import POINTS, draw, interval, usual
from isostack.assessment import assess, planned_cases
from isostack.given import given
from isostack.inputs import plan_all, stacks_of
from isostack.stacks import find_project
from tests.specs import ROOT

PRICED = given(ROOT / "docs/prices.yaml", inputs())
SPECS = ("shop", "edge")
EVERY = list(questions().values())


def cases(spec: str) -> list[Case]:
    return planned_cases(plan_all(stacks_of(find_project(ROOT), spec)[0]))


CASES = {spec: cases(spec) for spec in SPECS}
ANSWERS = {spec: {each.id: answer(each, CASES[spec], PRICED) for each in EVERY} for spec in SPECS}


def case(stack: str) -> Case:
    return next(each for each in CASES[stack.split("-")[0]] if each.stack == stack)


def value(question: str, stack: str, **changed: float) -> float:
    """The answer with these inputs in place of their values; dots are written as `__`."""
    asked = questions()[question]
    values = usual([PRICED[each.id] for each in asked.inputs]) or {"": np.zeros(1)}
    values |= {name.replace("__", "."): np.array([number]) for name, number in changed.items()}
    return float(asked.answer(case(stack), values)[0])


def test_each_topic_has_its_module_and_each_id_its_topic() -> None:
    for topic in TOPICS:
        name = topic.__name__.rpartition(".")[2]
        assert all(question.id.startswith(f"{name}.") for question in topic.QUESTIONS)
    assert len(EVERY) == sum(len(topic.QUESTIONS) for topic in TOPICS)


@pytest.mark.parametrize("each", EVERY, ids=lambda question: question.id)
def test_a_question_is_complete(each: Question) -> None:
    assert each.why.endswith(".")
    assert each.model.__doc__ or each.functions or not each.inputs
    assert all(function.__doc__ for function in each.functions)


@pytest.mark.parametrize("each", inputs().values(), ids=lambda each: each.id)
def test_an_input_is_complete(each: Input) -> None:
    assert each.evidence.source
    if each.value is not None:
        assert each.least <= each.low <= each.value <= each.high <= each.most


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("each", EVERY, ids=lambda question: question.id)
def test_every_question_has_an_answer_or_says_why(spec: str, each: Question) -> None:
    found = ANSWERS[spec][each.id]
    assert list(found.results) == [case.stack for case in CASES[spec]]
    for result in found.results.values():
        if isinstance(result, Result):
            assert result.low <= result.high
            assert min(result.value, result.low) >= 0
        else:
            assert result


def test_what_the_examples_come_to() -> None:
    """By hand: 14 nodes; six ESXi hosts, or a host each and two spares; two of three web nodes of a rack on a host."""
    assert [value("sizing.hosts", f"shop-{kind}") for kind in ("vsphere", "equinix", "tinkerbell")] == [6, 14, 16]
    # Needed at 1: web and partner one m32 each, db two l64 by memory, a further one each; three of the control plane.
    assert value("sizing.needed", "shop-equinix") == 3 + (1 + 1) + (2 + 1) + (1 + 1)
    assert value("recovery.stateless", "shop-tinkerbell") == pytest.approx(47.5 + 60 + 2 + 20)
    assert value("recovery.volume", "shop-tinkerbell") == pytest.approx(47.5 + 600 + 15 + 20 + 20 + 20)
    assert value("recovery.volume", "shop-vsphere") == pytest.approx((5 * 18 + 35) / 6 + 10 + 5 + 60 + 20)
    assert value("recovery.errors", "shop-vsphere") == pytest.approx(47.5 / 2)  # partner has two nodes, a host each
    assert value("blast.replicas", "edge-vsphere") == 50  # two nodes, one on each of two hosts
    assert value("blast.zone", "shop-tinkerbell") == pytest.approx(100 * (8 + 8 + 16 + 8) / 112)
    assert value("blast.hardware", "shop-vsphere") == 2
    assert value("blast.hardware", "shop-tinkerbell") == 1
    assert value("rollback.objects", "edge-vsphere") == pytest.approx(1 + 60 / 3600)
    # The tenant with two nodes loses one; a db node has 16 of 112 CPUs.
    assert value("blast.tenant", "shop-vsphere") == 50
    assert value("blast.node", "shop-vsphere") == value("patching.out", "shop-tinkerbell") == pytest.approx(1600 / 112)
    assert value("patching.out", "shop-vsphere") == 0
    # One search on three db nodes of 64 threads, of which 16 are asked; it adds to demand and to requests alike.
    one = 0.7 * 16 / 64 * 3 / (3 * 8 + 4) * (2 * 4**2 * 2 / 9) ** 0.5
    assert value("balance.spread", "shop-tinkerbell") == pytest.approx(100 * one)
    # 30 s of five pods or none, 30 s to settle, 120 s; a restart 60 s for joining, after 60 or 591 s of boot.
    assert value("patching.kubernetes", "shop-tinkerbell") == pytest.approx(14 * 180 / 3600)
    assert value("patching.lost", "shop-vsphere") == pytest.approx((12 * 180 + 6 * 180) / 3600)
    assert value("patching.lost", "shop-tinkerbell") == pytest.approx((8 * 711 + 4 * (711 + 1560) + 6 * 180) / 3600)
    assert value("patching.restarts", "shop-tinkerbell") == value("patching.restarts", "shop-vsphere") == 12 + 6
    assert value("fleet.whole", "shop-tinkerbell") == pytest.approx((1800 + 1276) / 3600, rel=1e-3)
    assert value("fleet.repairs", "shop-vsphere") == pytest.approx(0.48)


def test_workers_are_upgraded_as_many_at_a_time_as_the_spec_says() -> None:
    shop = case("shop-tinkerbell")
    upgrades = shop.spec.kubernetes.upgrades
    assert upgrades
    for at_once, rounds in ((1, 11), (2, 6), (4, 3)):
        kubernetes = {"upgrades": upgrades.model_copy(update={"concurrency": at_once})}
        spec = shop.spec.model_copy(update={"kubernetes": shop.spec.kubernetes.model_copy(update=kubernetes)})
        asked = questions()["patching.kubernetes"]
        values = usual([PRICED[each.id] for each in asked.inputs])
        found = asked.answer(replace(shop, spec=spec), values)[0]
        assert found == pytest.approx((3 + rounds) * 180 / 3600)


@pytest.mark.parametrize("nodes", [1, 2, 3, 15, 500])
def test_workloads_are_assumed_where_the_spec_names_none(nodes: int) -> None:
    """Ten pods a node that ask for six tenths of it, and some whose replicas are no multiple of the nodes."""
    edge = case("edge-vsphere")
    (pool,) = edge.spec.pools
    pools = (pool.model_copy(update={"nodes": nodes}),)
    bare = replace(edge, spec=edge.spec.model_copy(update={"workloads": (), "pools": pools}))
    found = with_workloads(bare).spec.workloads
    assert sum(work.replicas for work in found) == 10 * nodes
    assert {work.requests.cpu for work in found} == {0.6 * 8000 / 10}
    assert {work.requests.memory for work in found} == {int(0.6 * 32 * 1024**3 / 10)}
    assert len(found) == len({work.name for work in found}) <= 31
    assert nodes == 1 or any(work.replicas % nodes for work in found)
    assert with_workloads(edge) is edge


def test_nothing_stays_open_for_want_of_workloads() -> None:
    bare = [replace(each, spec=each.spec.model_copy(update={"workloads": ()})) for each in CASES["shop"]]
    found = assess(bare, PRICED)
    assert found.assumed.startswith("The spec names no workloads. Assumed of each pool: 10 pods a node, ")
    assert {each.question for each in found.compared} == {each.id for each in EVERY}
    assert assess(CASES["shop"], PRICED).assumed == ""


def test_hosts_are_counted_with_what_sandboxes_take() -> None:
    shop = case("shop-vsphere")
    tenants = tuple(each.model_copy(update={"sandbox": each.name == "partner"}) for each in shop.spec.tenants)
    boxed = replace(shop, spec=shop.spec.model_copy(update={"tenants": tenants}))
    steps = np.arange(1, 20) / 2
    plain, more = (np.array([asked_of_vms(each, step) for step in steps]) for each in (shop, boxed))
    assert (more >= plain).all()
    assert (more[-1] > plain[-1]).all()


def test_whose_pods_and_nodes_share_what() -> None:
    """Tenants with pools of their own share no kernel; hosts of VMs they do, since there are hosts for all."""
    found = {(each.shared, each.tenants): each.places for each in neighbours(case("shop-vsphere"))}
    assert list(found) == [
        ("kernel", ("partner",)),
        ("kernel", ("shop",)),
        ("host", ("partner", "shop")),
        ("host", ("shop",)),
    ]
    assert found["kernel", ("partner",)] == ("shop-partner-0", "shop-partner-1")
    assert found["host", ("partner", "shop")] == ("esx02.fra1.example.com", "esx04.fra1.example.com")
    assert len(found["kernel", ("shop",)]) == 9
    metal = {(each.shared, each.tenants): each.places for each in neighbours(case("shop-tinkerbell"))}
    assert metal["host", ("partner",)] == ("fra1-r07-partner01", "fra1-r08-partner01")
    assert ("host", ("partner", "shop")) not in metal
    assert neighbours(case("edge-vsphere")) == []
    # Once no pool has an owner, all pods may meet everywhere.
    shop = case("shop-vsphere")
    pools = tuple(pool.model_copy(update={"tenant": None}) for pool in shop.spec.pools)
    machines = tuple(replace(m, wanted=m.wanted.model_copy(update={"tenant": None})) for m in shop.machines)
    shared = neighbours(replace(shop, spec=shop.spec.model_copy(update={"pools": pools}), machines=machines))
    assert {(each.shared, each.tenants) for each in shared} == {(s, ("partner", "shop")) for s in ("kernel", "host")}


def test_what_each_kind_of_answer_says() -> None:
    shop = ANSWERS["shop"]
    assert (shop["recovery.volume"].ahead, shop["recovery.volume"].stacks) == (
        "VMs",
        ("shop-vsphere", "shop-tinkerbell"),
    )
    assert shop["blast.hardware"].ahead == "metal"
    assert shop["recovery.errors"].ahead is None
    assert shop["cost.planned"].results["shop-equinix"] == "the hosts of shop-equinix are a provider's, or not known"
    without = answer(questions()["cost.planned"], CASES["shop"], inputs())
    assert set(without.results.values()) == {
        "needs cost.host, cost.thread, cost.gib, cost.licence, cost.kwh, cost.rate, cost.vmHours, cost.metalHours"
    }
    (alone,) = [answer(questions()["sizing.hosts"], CASES["shop"][:1], PRICED)]
    assert (alone.ahead, alone.stacks) == (None, ())
    assert ANSWERS["edge"]["rollback.volumes"].results["edge-vsphere"] == (
        "the spec asks for no backup of volumes: all would be lost"
    )


def test_an_ended_service_is_shown_and_is_no_best_of_anything() -> None:
    """Fewer hosts than the other metal, and yet not the one that is held against VMs."""
    hosts = ANSWERS["shop"]["sizing.hosts"]
    assert hosts.stacks == ("shop-vsphere", "shop-tinkerbell")
    assert value("sizing.hosts", "shop-equinix") < value("sizing.hosts", "shop-tinkerbell")


FLIPS = [(spec, name, flip) for spec, found in ANSWERS.items() for name, each in found.items() for flip in each.flips]


@pytest.mark.parametrize(("spec", "name", "flip"), FLIPS, ids=[f"{s}-{n}-{f.input}" for s, n, f in FLIPS])
def test_a_flip_is_where_it_is_said_to_be(spec: str, name: str, flip: object) -> None:
    """Evaluated on both sides, a thousandth away."""
    from isostack.assess.answers import Flip

    assert isinstance(flip, Flip)
    vms, metal = ANSWERS[spec][name].stacks
    for at, kind in ((flip.at * 0.999, flip.below), (flip.at * 1.001, flip.above)):
        inputs_ = {flip.input.replace(".", "__"): at}
        ahead = value(name, metal, **inputs_) - value(name, vms, **inputs_)
        # Whole hosts may be equal on the side where it has not turned; where it has, the other kind is ahead.
        turned = (at > flip.at) == (flip.at > flip.value)
        assert np.sign(ahead) == (1 if kind == "VMs" else -1) or (ahead == 0 and not turned)
    own = PRICED[flip.input]
    assert flip.plausible == (own.low <= flip.at <= own.high)


def test_the_flips_of_the_examples_are_among_them() -> None:
    """So that the tests above are of something."""
    found = {(spec, name, flip.input) for spec, name, flip in FLIPS}
    assert ("shop", "recovery.stateless", "recovery.boot") in found
    assert ("edge", "cost.planned", "cost.metalHours") in found
    assert len(found) > 10


def test_a_flip_by_hand() -> None:
    """HA is ahead of eviction while (5 * 18 + 35) / 6 + 15 + boot + 20 < 47.5 + 60 + 2 + 20."""
    (flip,) = ANSWERS["shop"]["recovery.stateless"].flips
    assert flip.at == pytest.approx(47.5 + 82 - 125 / 6 - 35, rel=1e-4)
    assert (flip.below, flip.above) == ("VMs", "metal")


def test_nothing_turns_beyond_what_is_looked_at() -> None:
    for _, _, flip in FLIPS:
        own = PRICED[flip.input]
        assert own.value
        assert min(own.low, own.value / BEYOND) <= flip.at <= max(own.high, own.value * BEYOND)


def test_values_are_drawn_over_the_range_half_on_either_side() -> None:
    wanted = [each for each in PRICED.values() if each.low < each.high]
    found, again = draw(wanted), draw(wanted)
    for each in wanted:
        values = found[each.id]
        assert len(values) == POINTS
        assert np.array_equal(values, again[each.id])
        assert each.low <= values.min() <= values.max() <= each.high
        assert each.value is not None
        # Where the value is an end of the range, half of the values are there.
        assert np.mean(values <= each.value) >= 0.499
        assert np.mean(values >= each.value) >= 0.499


@pytest.mark.parametrize("name", ["recovery.volume", "patching.year", "cost.needed", "sizing.needed"])
def test_intervals_are_those_of_a_better_rule(name: str) -> None:
    """Within three hundredths of what 2^13 points of scipy's Sobol sequence give, or one whole host."""
    asked = questions()[name]
    own = [PRICED[each.id] for each in asked.inputs]
    points = qmc.Sobol(len(own), seed=1).random_base2(13)
    values = {each.id: _spread(each, points[:, i]) for i, each in enumerate(own)}
    for found in CASES["shop"]:
        result = ANSWERS["shop"][name].results[found.stack]
        if isinstance(result, Result):
            low, high = interval(asked.answer(found, values))
            assert result.low == pytest.approx(low, rel=0.03, abs=1 if name == "sizing.needed" else 0)
            assert result.high == pytest.approx(high, rel=0.03, abs=1 if name == "sizing.needed" else 0)


def _spread(
    each: Input, share: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    assert each.value is not None
    return np.interp(share, [0, 0.5, 1], [each.low, each.value, each.high])


def swings(found: Answer) -> Mapping[str, float]:
    return {swing.input: swing.size for swing in found.swings}


def test_what_matters_most_comes_first() -> None:
    for found in (*ANSWERS["shop"].values(), *ANSWERS["edge"].values()):
        sizes = [swing.size for swing in found.swings]
        assert sizes == sorted(sizes, reverse=True)
        assert all(sizes)
    # A person decides on metal without fencing, and nothing does on VMs but the boot.
    assert next(iter(swings(ANSWERS["edge"]["recovery.volume"]))) == "recovery.person"
    assert "recovery.person" not in swings(ANSWERS["shop"]["recovery.volume"])


FEW = st.floats(0.1, 3)


@drawn(FEW, FEW)
def test_more_demand_never_needs_fewer_hosts(a: float, b: float) -> None:
    less, more = sorted((a, b))
    for stack in ("shop-vsphere", "shop-tinkerbell"):
        assert value("sizing.needed", stack, sizing__demand=less) <= value("sizing.needed", stack, sizing__demand=more)


@drawn(st.floats(0.5, 4), st.floats(0.5, 4))
def test_more_overcommit_never_needs_more_hosts(a: float, b: float) -> None:
    less, more = sorted((a, b))
    assert value("sizing.needed", "shop-vsphere", sizing__overcommit=less) >= value(
        "sizing.needed", "shop-vsphere", sizing__overcommit=more
    )
    assert value("sizing.needed", "shop-tinkerbell") == value("sizing.needed", "shop-tinkerbell", sizing__overcommit=a)


@drawn(
    st.sampled_from([each for each in EVERY if each.id.startswith(("recovery", "patching", "fleet", "cost"))]),
    st.data(),
)
def test_more_time_or_money_is_never_better(question: Question, data: st.DataObject) -> None:
    """Every input of these is a duration, a rate of rounds or failures, or a price: none may lower an answer."""
    if not question.inputs:
        return
    each = PRICED[data.draw(st.sampled_from([each.id for each in question.inputs if each.id not in LESS]))]
    low, high = sorted(data.draw(st.tuples(st.floats(each.low, each.high), st.floats(each.low, each.high))))
    for stack in ("shop-vsphere", "shop-tinkerbell"):
        name = each.id.replace(".", "__")
        small, large = (value(question.id, stack, **{name: at}) for at in (low, high))
        assert small <= large * (1 + 1e-9)


LESS = {"patching.line", "patching.firmwareRounds", "sizing.overcommit"}
"""A faster line moves VMs sooner; on metal a round of firmware takes the place of another; more VMs on a thread."""
