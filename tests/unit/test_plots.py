"""Plots of the HTML report: what is drawn is as long, as high and as far as the answers say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from isostack.assess.answers import Result
from isostack.assess.balance import LEFT_BY_BALANCING, unmet
from isostack.assess.inputs import Input
from isostack.assess.questions import questions
from isostack.assess.questions.balance import of_hosts, of_pools
from isostack.assess.recovery import Phase
from isostack.assessment import assess
from isostack.report.assessed import number
from isostack.report.html.bars import CLOSEST, LETTERS, closest, difference, recoveries, recovery, tornado
from isostack.report.html.chapter import chapter
from isostack.report.html.curves import PER_HOST, balance, cost, curve, points
from isostack.report.html.plots import WIDTH, Sheet, linear, ticks
from tests.examples import previews
from tests.unit.test_chapter import PRICED, SPECS, VALUES, answer, cases, plots, result


@pytest.mark.parametrize("spec", SPECS)
def test_phases_add_up_to_the_answers(spec: str) -> None:
    for question, found in recoveries(cases(spec), VALUES).items():
        for one in found:
            there = answer(spec, question).results[one.stack]
            assert isinstance(there, Result)
            assert one.seconds == pytest.approx(there.value)
            assert list(one.phases) == sorted(one.phases, key=list(Phase).index)


def test_phases_by_hand() -> None:
    """Six hosts with HA; fencing; a person. As in the worked examples of the model."""
    found = {(question, one.stack): one for question, each in recoveries(cases("shop"), VALUES).items() for one in each}
    ha = {Phase.DECLARED: (5 * 18 + 35) / 6, Phase.BOOT: 10 + 5 + 60, Phase.START: 20}
    assert found["recovery.stateless", "shop-vsphere"].phases == pytest.approx(ha)
    assert found["recovery.volume", "shop-vsphere"].phases == pytest.approx(ha)
    moved = {Phase.DETECTION: 47.5, Phase.WAIT: 60, Phase.START: 22}
    assert found["recovery.stateless", "shop-tinkerbell"].phases == pytest.approx(moved)
    fenced = {Phase.DETECTION: 47.5, Phase.WAIT: 600, Phase.FENCING: 15, Phase.VOLUME: 40, Phase.START: 20}
    assert found["recovery.volume", "shop-tinkerbell"].phases == pytest.approx(fenced)
    acted = {Phase.DETECTION: 47.5, Phase.WAIT: 60, Phase.PERSON: 1800, Phase.VOLUME: 40, Phase.START: 20}
    assert found["recovery.volume", "shop-equinix"].phases == pytest.approx(acted)
    assert [found["recovery.volume", f"shop-{kind}"].by for kind in ("vsphere", "tinkerbell", "equinix")] == [
        "HA",
        "fencing",
        "a person",
    ]


def test_a_slow_boot_is_overtaken_by_eviction() -> None:
    slow = {**VALUES, "recovery.boot": np.array([180.0])}
    (shop,) = [each for each in cases("shop") if each.virtual]
    (found,) = recoveries([shop], slow)["recovery.stateless"]
    assert Phase.WAIT not in found.phases  # of the nodes of a zone 60 % are lost: none is tainted
    machines = tuple(replace(m, wanted=m.wanted.model_copy(update={"zone": "a"})) for m in shop.machines)
    (found,) = recoveries([replace(shop, machines=machines)], slow)["recovery.stateless"]
    assert Phase.WAIT in found.phases


@pytest.mark.parametrize("spec", SPECS)
def test_bars_are_as_long_as_their_phases(spec: str) -> None:
    plot, bars = recovery(cases(spec), VALUES), iter(recovery(cases(spec), VALUES).bars)
    for found in recoveries(cases(spec), VALUES).values():
        per_second = set()
        for one in found:
            x = 0.0
            for phase, seconds in one.phases.items():
                bar = next(bars)
                assert bar.title == f"{LETTERS[phase]} {phase}: {number(seconds)} s"
                assert bar.x == pytest.approx(x)
                x = bar.x + bar.width
                per_second.add(round(bar.width / seconds, 9))
            assert x <= WIDTH
        assert len(per_second) == 1
    assert next(bars, None) is None
    assert {(key.letter, key.text) for key in plot.keys} >= {
        tuple(bar.title.split(":")[0].split(" ", 1)) for bar in plot.bars
    }


def test_what_is_not_known_has_no_bar() -> None:
    (first, *_) = cases("shop")
    vms = next(case for case in cases("shop") if case.virtual)
    unknown = replace(
        vms, machines=tuple(replace(m, place=m.place.model_copy(update={"host": None})) for m in vms.machines)
    )
    plot = recovery([first, unknown], VALUES)
    assert "the hosts of shop-vsphere's VMs are chosen later" in plot.said
    assert "not known" in [text.text for text in plot.texts]


@pytest.mark.parametrize("spec", SPECS)
def test_marks_of_balance_are_the_parts_of_its_answer(spec: str) -> None:
    marked, plot = list(points(cases(spec), VALUES)), plots(spec)["balance"]
    for case in cases(spec):
        pools, hosts = of_pools(case, VALUES), of_hosts(case, VALUES)
        mean = sum(p.demand * p.unmet for p in pools) / sum(p.demand for p in pools) + (hosts.unmet if hosts else 0)
        there = answer(spec, "balance.unmet").results[case.stack]
        assert isinstance(there, Result)
        assert 100 * mean[0] == pytest.approx(there.value)
        own = [point for point in marked if point.stack == case.stack]
        assert [point.unmet for point in own] == [float(p.unmet[0]) for p in [*pools, *([hosts] if hosts else [])]]
        assert {point.shape for point in own} == {"vm" if case.virtual else "host"}
    top, bottom = min(y for c in plot.curves for _, y in c.points), max(line.y2 for line in plot.lines)
    assert len(plot.marks) == len(marked)
    assert all(top - 200 < mark.y <= bottom for mark in plot.marks)
    for i, (mark, point) in enumerate(zip(plot.marks, marked, strict=True), 1):
        assert mark.title == f"{i} {point.stack}, {point.name}: {number(100 * point.unmet)} %"


def test_the_curve_is_the_closed_form() -> None:
    """Of n equal single workloads a host, as the docstring of `spread` has it."""
    by_hand = [unmet(0.7, 0.7 * 1.2 * sqrt((1 - 1 / 6) / n)) for n in PER_HOST]
    assert curve(6, 0.7, 1.2) == pytest.approx(by_hand)
    plot = balance(cases("shop"), VALUES)
    assert plot
    without, balanced = (each.points for each in plot.curves)
    bottom = max(line.y2 for line in plot.lines)
    for (x, y), (other, less) in zip(without, balanced, strict=True):
        assert x == other
        assert bottom - less == pytest.approx(LEFT_BY_BALANCING * (bottom - y))
    assert all(after[1] > before[1] for before, after in pairwise(without))


def turning() -> dict[str, Input]:
    """Prices at which demand decides."""
    return {**PRICED, "cost.licence": PRICED["cost.licence"].given(120, 120, 120, "a test")}


@pytest.mark.parametrize("spec", SPECS)
def test_costs_are_those_of_the_answer(spec: str) -> None:
    there, plot = answer(spec, "cost.needed"), plots(spec)["cost"]
    (now,) = [row for row in plot.table.rows if row[-1] == "now"]
    results = [there.results[stack] for stack in there.stacks]
    assert now[1:-1] == tuple(number(each.value) for each in results if isinstance(each, Result))
    assert "No demand that was looked at turns it." in plot.lead


def test_the_flip_is_where_the_curves_cross() -> None:
    known = turning()
    found = next(each for each in assess(cases("shop"), known).answers if each.question == "cost.needed")
    (flip,) = [each for each in found.flips if each.input == "sizing.demand"]
    plot = cost(questions()["cost.needed"], found, cases("shop"), known)
    assert plot
    (line,) = [line for line in plot.lines if line.kind == "turns"]
    vms, metal = (each.points for each in plot.curves)
    before = [(a[1], b[1]) for a, b in zip(vms, metal, strict=True) if a[0] < line.x1][-1]
    after = next((a[1], b[1]) for a, b in zip(vms, metal, strict=True) if a[0] > line.x1)
    lower = {"VMs": lambda pair: pair[0] > pair[1], "metal": lambda pair: pair[0] < pair[1]}
    assert lower[flip.below](before)  # further down is cheaper
    assert lower[flip.above](after)
    assert (number(flip.at), "here it turns") in {(row[0], row[-1]) for row in plot.table.rows}
    assert f"It turns at {number(flip.at)}." in plot.lead
    heads = [(text.text, text.x - line.x1, text.anchor) for text in plot.texts if text.kind == "head"]
    assert heads == [(f"{flip.below} ahead", -4, "end"), (f"{flip.above} ahead", 4, "start")]


@pytest.mark.parametrize(("x", "said"), [(2, ["right"]), (200, ["left", "right"]), (WIDTH - 2, ["left"])])
def test_at_an_edge_one_side_is_named(x: float, said: list[str]) -> None:
    sheet = Sheet()
    sheet.sides(x, 10, "left", "right")
    assert [text.text for text in sheet.texts] == said


@pytest.mark.parametrize("spec", SPECS)
def test_tornados_of_the_closest_questions(spec: str) -> None:
    chosen = closest(result(spec).compared)
    assert 2 <= len(chosen) <= CLOSEST
    plausible = [any(flip.plausible for flip in each.flips) for each in chosen]
    assert plausible == sorted(plausible, reverse=True)
    assert any(plausible)
    assert len({each.question.split(".")[0] for each in chosen}) == len(chosen)
    assert [f"tornado-{each.question}" for each in chosen] == [
        name for name in plots(spec) if name.startswith("tornado")
    ]


@pytest.mark.parametrize("spec", SPECS)
def test_bars_of_a_tornado_end_at_the_swings(spec: str) -> None:
    for each in closest(result(spec).compared):
        plot = tornado(each, PRICED)
        swings = each.swings[:8]
        assert [row[0] for row in plot.table.rows] == [swing.input for swing in swings]
        (zero,) = [line.x1 for line in plot.lines if line.kind == "turns"]
        (now,) = [line.x1 for line in plot.lines if line.kind == "now"]
        vms, metal = (each.results[stack] for stack in each.stacks)
        assert isinstance(vms, Result)
        assert isinstance(metal, Result)
        assert difference(each) == vms.value - metal.value
        unit = (now - zero) / difference(each)
        for swing, low, high in zip(swings, plot.bars[::2], plot.bars[1::2], strict=True):
            for bar, end, kind in ((low, swing.low, "low"), (high, swing.high, "high")):
                assert bar.kind == kind
                ends = sorted((now, zero + unit * end))
                assert [bar.x, bar.x + bar.width] == pytest.approx(ends, abs=1e-6)
                assert bar.y < max(line.y2 for line in plot.lines)
        widths = [abs(swing.size * unit) for swing in swings]
        assert widths == sorted(widths, reverse=True)


@drawn(st.floats(-1e6, 1e6), st.floats(1e-3, 1e9))
def test_ticks_are_round_and_span_what_is_shown(low: float, width: float) -> None:
    found = ticks(low, low + width)
    slack = 1e-5 * (found[1] - found[0])
    assert 2 <= len(found) <= 8
    assert found[0] <= low + slack
    assert found[-1] >= low + width - slack
    assert f"{found[1] - found[0]:.0e}"[0] in "125"


def test_prices_of_nothing_and_inputs_that_are_sure() -> None:
    """No plot divides by what does not vary."""
    sure = {name: each.given(each.value or 0, each.value or 0, each.value or 0, "x") for name, each in PRICED.items()}
    free = {
        name: each.given(0, 0, 0, "x") if name.startswith("cost.") and each.least == 0 else each
        for name, each in sure.items()
    }
    for known in (sure, free):
        found = chapter(previews("edge"), known)
        assert {"recovery", "balance", "cost"} <= {plot.id for plot in found.plots}
    assert linear(0, 2, 10, 20)(1) == 15
