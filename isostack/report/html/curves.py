"""Plots of curves: unmet demand against workloads on a host, and cost against demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import Final

import numpy as np

from isostack.assess.answers import Answer
from isostack.assess.balance import LEFT_BY_BALANCING, SIMULATED_PER_HOST, Load, spread, unmet
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Question, Values
from isostack.assess.questions.balance import UTILISATION, VARIATION, of_hosts, of_pools
from isostack.assess.questions.sizing import DEMAND
from isostack.assess.uncertainty import Array
from isostack.report.assessed import number
from isostack.report.html.plots import LETTER, WIDTH, Curve, Key, Line, Mark, Plot, Sheet, Table, linear, ticks

PER_HOST: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 65, 80, 100, SIMULATED_PER_HOST[-1])
"""Workloads on a host at which the curve is evaluated."""
LARGEST: Final = 12
"""Hosts of the curve at most: more change nothing that could be seen."""
STEPS: Final = 200
"""Demands at which cost is evaluated: it has steps, since hosts are whole."""
_TOP, _BOTTOM, _HEIGHT = 14, 190, 222
_RIGHT: Final = WIDTH - 8
_SHAPES: Final = (("vm", "a stack of VMs"), ("host", "a stack of metal"))
_NEAR: Final = 9
"""Marks nearer than this are one, with the numbers of all."""


@dataclass(frozen=True, slots=True)
class Point:
    """A pool's nodes, or the hosts of VMs: how many pods each carries, and what share of their demand stays unmet."""

    stack: str
    shape: str
    name: str
    places: int
    per_place: float
    unmet: float


def points(cases: Sequence[Case], values: Values) -> Iterator[Point]:
    """Of stacks whose workloads are known, at these values, one each."""
    for case in cases:
        try:
            pools, hosts = of_pools(case, values), of_hosts(case, values)
        except NoAnswer:
            continue
        for each in [*pools, *([hosts] if hosts else [])]:
            name = f"pool {each.name}" if each.name else "hosts"
            share, shape = float(np.ravel(each.unmet)[0]), "vm" if case.virtual else "host"
            yield Point(case.stack, shape, name, each.places, each.pods / each.places, share)


def curve(hosts: int, utilisation: float, variation: float) -> list[float]:
    """Unmet share of the demand at each of PER_HOST, of equal workloads with one replica each, and nothing moved."""
    loads = ([Load(str(i), 1, 1.0) for i in range(each * hosts)] for each in PER_HOST)
    return [unmet(utilisation, spread(each, hosts, utilisation, variation)) for each in loads]


def balance(cases: Sequence[Case], values: Values) -> Plot | None:
    """None: no stack has workloads."""
    found = list(points(cases, values))
    if not found:
        return None
    used, varied = (float(values[each.id][0]) for each in (UTILISATION, VARIATION))
    hosts = min(LARGEST, max(2, *(point.places for point in found)))
    without = curve(hosts, used, varied)
    per_place = [point.per_place for point in found if point.per_place]
    first, last = log10(min(PER_HOST[0], *per_place)), log10(max(PER_HOST[-1], *per_place))
    at = ticks(0, 100 * max(0.001, *without, *(point.unmet for point in found)))
    left = 34
    across, up = linear(first, last, left, _RIGHT), linear(0, at[-1], _BOTTOM, _TOP)
    sheet = Sheet()
    sheet.axis_beside([(value, f"{number(value)} %") for value in at], up, left, _RIGHT)
    shown = [each for each in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if first <= log10(each) <= last]
    sheet.axis_below([(log10(each), number(each)) for each in shown], across, _TOP, _BOTTOM)
    sheet.text(_RIGHT, _HEIGHT - 4, "workloads on a host, or pods on a node", "note", "end")
    guess = across(log10(SIMULATED_PER_HOST[0]))
    sheet.lines.append(Line(guess, _TOP - 6, guess, _BOTTOM, "now"))
    sheet.text(guess - 4, _TOP - 5, "a guess: not simulated", "note", "end")
    for share, kind in ((1.0, "curve-a"), (LEFT_BY_BALANCING, "curve-b")):
        drawn = zip(PER_HOST, without, strict=True)
        sheet.curves.append(Curve(tuple((across(log10(x)), up(100 * y * share)) for x, y in drawn), kind))
    _mark(sheet, found, [(across(log10(p.per_place)) if p.per_place else left, up(100 * p.unmet)) for p in found])
    listed = [
        (str(i), p.stack, p.name, str(p.places), number(p.per_place), f"{number(100 * p.unmet)} %")
        for i, p in enumerate(found, 1)
    ]
    curved = [
        ("", "without a balancer", f"{each} on a host", str(hosts), str(each), f"{number(100 * share)} %")
        for each, share in zip(PER_HOST, without, strict=True)
        if each in shown
    ]
    return sheet.plot(
        "balance",
        "Demand for CPU that stays unmet, by workloads on a host",
        f"{used:.0%} used on average, demand varies by {number(varied)} between workloads. Curves: equal workloads of "
        f"one replica on {hosts} hosts; marks: these stacks. Pools whose replicas are spread "
        "evenly, or whose nodes are larger than asked, lie below a curve.",
        "; ".join(f"{p.stack}, {p.name}: {number(p.per_place)} a node, {number(100 * p.unmet)} %" for p in found),
        _HEIGHT,
        (
            Key("line curve-a", "nothing moves load"),
            Key("line curve-b", f"a balancer moves it by usage: at most {LEFT_BY_BALANCING} of that is left"),
            *(Key(shape, text) for shape, text in _SHAPES if any(point.shape == shape for point in found)),
        ),
        Table(("mark", "stack", "what", "nodes or hosts", "workloads on each", "unmet"), (*listed, *curved)),
    )


def _mark(sheet: Sheet, found: Sequence[Point], at: Sequence[tuple[float, float]]) -> None:
    """Numbers beside the marks; marks on the same spot share them."""
    spots: list[tuple[float, float, list[str]]] = []
    for i, (point, (x, y)) in enumerate(zip(found, at, strict=True), 1):
        title = f"{i} {point.stack}, {point.name}: {number(100 * point.unmet)} %"
        sheet.marks.append(Mark(x, y, point.shape, title))
        spot = next((each for each in spots if abs(each[0] - x) < 3 * _NEAR and abs(each[1] - y) < _NEAR), None)
        if spot:
            spot[2].append(str(i))
        else:
            spots.append((x, y, [str(i)]))
    for x, y, numbers in spots:
        text = ",".join(numbers)
        sheet.text(x + 6 if x < WIDTH / 2 else x - 6, y - 5, text, "name", "start" if x < WIDTH / 2 else "end")


def cost(question: Question, answer: Answer, cases: Sequence[Case], inputs: Mapping[str, Input]) -> Plot | None:
    """Of the two stacks that are held against each other; None: there are not both, or prices are missing."""
    if not answer.stacks:
        return None
    demand, now = inputs[DEMAND.id], inputs[DEMAND.id].value or 1.0
    flip = next((each for each in answer.flips if each.input == DEMAND.id), None)
    ends = [demand.low, demand.high, now / 2, 2 * now, *((0.8 * flip.at, 1.25 * flip.at) if flip else ())]
    special = [now, flip.at] if flip else [now]
    shown = [each for each in ticks(min(ends), max(ends)) if min(ends) <= each <= max(ends)]
    at = np.unique([*np.linspace(min(ends), max(ends), STEPS), *shown, *special])
    sides = [next(case for case in cases if case.stack == stack) for stack in answer.stacks]
    costs = [_costs(question, case, inputs, at) for case in sides]
    sheet, marks = Sheet(), ticks(0, max(map(max, costs)))
    left = 10 + LETTER * max(len(number(value)) for value in marks)
    across, up = linear(min(ends), max(ends), left, _RIGHT), linear(0, marks[-1], _BOTTOM, _TOP)
    sheet.axis_beside([(value, number(value)) for value in marks], up, left, _RIGHT)
    sheet.axis_below([(each, number(each)) for each in shown], across, _TOP, _BOTTOM)
    sheet.text(_RIGHT, _HEIGHT - 4, "demand, as a factor on the spec's replicas", "note", "end")
    if flip:
        sheet.lines.append(Line(across(flip.at), _TOP - 6, across(flip.at), _BOTTOM, "turns"))
        sheet.sides(across(flip.at), _TOP - 5, f"{flip.below} ahead", f"{flip.above} ahead")
    for case, money, kind in zip(sides, costs, ("curve-a", "curve-b"), strict=True):
        spots = dict(zip(at.tolist(), ((across(x), up(y)) for x, y in zip(at, money, strict=True)), strict=True))
        sheet.curves.append(Curve(tuple(spots.values()), kind))
        told = f"{case.stack} now: {number(money[at.tolist().index(now)])}"
        sheet.marks.append(Mark(across(now), spots[now][1], "vm" if case.virtual else "host", told))
    rows = [
        (number(x), *map(number, pair), "here it turns" if flip and x == flip.at else "now" if x == now else "")
        for x, *pair in zip(at.tolist(), *costs, strict=True)
        if x in (*shown, *special)
    ]
    turn = f"It turns at {number(flip.at)}." if flip else "No demand that was looked at turns it."
    return sheet.plot(
        "cost",
        "Cost against demand",
        f"{question.title}, with your prices, all other inputs at their values. {turn}",
        f"{turn} " + "; ".join(f"at {row[0]}: VMs {row[1]}, metal {row[2]}" for row in rows),
        _HEIGHT,
        (Key("line curve-a", f"VMs: {answer.stacks[0]}"), Key("line curve-b", f"metal: {answer.stacks[1]}")),
        Table(("demand", *answer.stacks, ""), tuple(rows)),
    )


def _costs(question: Question, case: Case, inputs: Mapping[str, Input], demands: Array) -> list[float]:
    values = {each.id: np.full(len(demands), inputs[each.id].value, float) for each in question.inputs}
    return [float(each) for each in question.answer(case, {**values, DEMAND.id: demands})]
