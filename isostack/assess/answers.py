"""Answers: every question asked of every stack, which kind of machine is ahead, how sure that is, what would flip it.

No weights: nothing is added up over questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isostack.assess.case import Case, Kind, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Question, Values
from isostack.assess.uncertainty import Array, draw, interval, usual

SAME = 0.05
"""Answers nearer than this share of the larger are equal: no model here is better [assumption]. So are those that
differ by less than their question names as unnoticed."""
BEYOND = 20.0
"""How many times as much, or as little, as an input's value a flip is looked for."""
GRID, REFINED = 129, 5
NOISE = 1e-9
"""Of a difference: what rounding makes of one that an input does not touch."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a question is answered for one stack."""

    value: float
    low: float
    high: float
    """Interval over the ranges of the inputs."""


@dataclass(frozen=True, slots=True)
class Swing:
    """What one input does to the difference between the kinds, all others at their values."""

    input: str
    low: float
    high: float
    """VMs less metal, in the question's unit, at either end of the input's range."""

    @property
    def size(self) -> float:
        return abs(self.high - self.low)


@dataclass(frozen=True, slots=True)
class Flip:
    """Where an input makes both kinds even, to be turned beyond. Nearer than SAME they count as equal."""

    input: str
    value: float
    """That the input has now."""
    at: float
    below: Kind
    above: Kind
    """Which is better on either side, evaluated there. Answers that are whole hosts may be equal before it turns."""
    unit: str
    plausible: bool
    """It lies in the input's range, and so decides."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question."""

    question: str
    """Id."""
    title: str
    unit: str
    results: Mapping[str, Result | str]
    """By stack; a text: why it has no answer."""
    ahead: Kind | None
    """None: equal, or one of the kinds has no answer."""
    stacks: tuple[str, ...] = ()
    """The best of VMs and the best of metal, which are held against each other; empty: there are not both. A stack of a
    service that has ended is answered, and no best of anything."""
    share: float = 1.0
    """Of the drawn values at which `ahead` is ahead; of equal ones, at which they are equal."""
    swings: tuple[Swing, ...] = ()
    """The largest first; without those that do nothing."""
    flips: tuple[Flip, ...] = ()
    """The nearest to its input's value first."""


def answer(question: Question, cases: Sequence[Case], inputs: Mapping[str, Input]) -> Answer:
    """Of inputs as they are given. Raises nothing: what cannot be answered says why."""
    own = [inputs[each.id] for each in question.inputs]
    if missing := [each.id for each in own if each.value is None]:
        needs = f"needs {', '.join(missing)}"
        return Answer(question.id, question.title, question.unit, {case.stack: needs for case in cases}, None)
    at, drawn = _values(usual(own)), _values(_drawn(own, inputs))
    results: dict[str, Result | str] = {}
    best: dict[str, tuple[float, Case]] = {}
    for case in cases:
        try:
            value = float(question.answer(case, at)[0])
            low, high = interval(question.answer(case, drawn))
            # Where all inputs are given as ranges to one side, the value lies beyond nearly all draws.
            results[case.stack] = Result(value, min(low, value), max(high, value))
            if not case.ended and (case.label not in best or value < best[case.label][0]):
                best[case.label] = (value, case)
        except NoAnswer as error:
            results[case.stack] = str(error)
    if len(best) < 2:
        return Answer(question.id, question.title, question.unit, results, None)
    vms, metal = best["VMs"][1], best["metal"][1]
    ahead = _ahead(question, vms, metal, at)[0]
    stacks = (vms.stack, metal.stack)
    found = Answer(question.id, question.title, question.unit, results, _KINDS[ahead], stacks)
    return replace(
        found,
        share=float(np.mean(_ahead(question, vms, metal, drawn) == ahead)),
        swings=tuple(_swings(question, vms, metal, own)),
        flips=tuple(_flips(question, vms, metal, own)) if ahead else (),
    )


_KINDS: Mapping[int, Kind | None] = {-1: "VMs", 0: None, 1: "metal"}


def _drawn(own: Sequence[Input], inputs: Mapping[str, Input]) -> Mapping[str, Array]:
    """From one draw for all questions: an input has the same values in each."""
    every = _every(tuple(each for each in inputs.values() if each.value is not None))
    return {each.id: every[each.id] for each in own}


@lru_cache(maxsize=1)
def _every(inputs: tuple[Input, ...]) -> Mapping[str, Array]:
    return draw(inputs)


def _values(values: Mapping[str, Array]) -> Values:
    """Of a question without inputs one value, so that its answer has a length."""
    return values or {"": np.zeros(1)}


def _ahead(question: Question, vms: Case, metal: Case, values: Values) -> NDArray[np.int_]:
    """-1 where VMs are ahead, 1 where metal is, 0 where they are equal."""
    a, b = question.answer(vms, values), question.answer(metal, values)
    same = np.abs(a - b) <= np.maximum(SAME * np.maximum(np.abs(a), np.abs(b)), question.unnoticed)
    return np.where(same, 0, np.sign(a - b)).astype(int)


def _swings(question: Question, vms: Case, metal: Case, inputs: Sequence[Input]) -> list[Swing]:
    found = []
    for each in inputs:
        values = {**_many(inputs, 2), each.id: np.array([each.low, each.high])}
        low, high = (question.answer(vms, values) - question.answer(metal, values)).tolist()
        if abs(low - high) > NOISE * max(abs(low), abs(high)):
            found.append(Swing(each.id, low, high))
    return sorted(found, key=lambda swing: -swing.size)


def _flips(question: Question, vms: Case, metal: Case, inputs: Sequence[Input]) -> list[Flip]:
    found = []
    for each in inputs:
        flip = _flip(question, vms, metal, inputs, each)
        if flip:
            found.append(flip)
    return sorted(found, key=lambda flip: (not flip.plausible, abs(np.log(max(flip.at, 1e-9) / max(flip.value, 1e-9)))))


def _flip(question: Question, vms: Case, metal: Case, inputs: Sequence[Input], each: Input) -> Flip | None:
    """The nearest value at which the other kind is ahead, the difference being nil between: found on a grid that is
    laid closer and closer, since answers may have steps; then both sides are evaluated."""
    value = each.value or 0.0
    low = max(each.least, min(each.low, value / BEYOND))
    high = min(each.most, max(each.high, value * BEYOND) or each.most)
    grid = np.unique(np.append(_grid(low, high), value))
    signs = _signs(question, vms, metal, inputs, each, grid)
    own = signs[np.searchsorted(grid, value)]
    other = np.flatnonzero(signs == -own) if own else np.empty(0, int)
    if not len(other):
        return None
    nearest = other[np.argmin(np.abs(grid[other] - value))]
    inner = np.flatnonzero(signs == own)
    inner = inner[inner < nearest].max() if grid[nearest] > value else inner[inner > nearest].min()
    a, b = float(grid[inner]), float(grid[nearest])
    for _ in range(REFINED):
        close = np.linspace(a, b, GRID)
        turned = int(np.argmax(_signs(question, vms, metal, inputs, each, close) == -own))
        a, b = float(close[turned - 1]), float(close[turned])
    below, above = (_KINDS[int(own)], _KINDS[-int(own)]) if b > value else (_KINDS[-int(own)], _KINDS[int(own)])
    assert below
    assert above
    return Flip(each.id, value, b, below, above, each.unit, each.low <= b <= each.high)


def _grid(low: float, high: float) -> Array:
    return np.geomspace(low, high, GRID) if low > 0 else np.linspace(low, high, GRID)


def _signs(
    question: Question, vms: Case, metal: Case, inputs: Sequence[Input], each: Input, at: Array
) -> NDArray[np.int_]:
    values = {**_many(inputs, len(at)), each.id: at}
    return np.sign(question.answer(vms, values) - question.answer(metal, values)).astype(int)


def _many(inputs: Sequence[Input], times: int) -> dict[str, Array]:
    return {name: np.repeat(value, times) for name, value in usual(inputs).items()}
