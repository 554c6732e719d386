"""Uncertainty: values for inputs that are known as ranges, drawn evenly and always the same, and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from isostack.assess.inputs import Input

Array = NDArray[np.float64]
POINTS, MULTIPLIER = 2039, 1721
"""Of a Korobov lattice, a quasi-Monte Carlo rule: point i is i * MULTIPLIER^j / POINTS, modulo 1, in dimension j. A
prime, so that each coordinate takes every of its values once; one of the four multipliers with the least P2 over all
pairs of 40 dimensions, a fifth of the median's [measured]. With half as many points a further input moved ends of
intervals by a twentieth, by which dimensions it left to the others; with these, over eight seeds, by a fiftieth
[measured]. scipy has better rules and takes two seconds to load [measured]; tests hold the results against its Sobol
sequence."""
SEED = 2020
SHARE = (0.05, 0.95)
"""What an interval spans: all but the twentieth on either side."""


def draw(inputs: Sequence[Input]) -> Mapping[str, Array]:
    """By id, POINTS values of each input over its range. The same for every question and every stack, so that
    differences between stacks are of stacks."""
    at = np.arange(POINTS)
    shifts = np.random.default_rng(SEED).random(len(inputs))
    return {
        each.id: _halves(each, (at * pow(MULTIPLIER, j, POINTS) / POINTS + shifts[j]) % 1.0)
        for j, each in enumerate(inputs)
    }


def usual(inputs: Sequence[Input]) -> dict[str, Array]:
    """Each input at its value, as an array of one."""
    return {each.id: np.array([_value(each)]) for each in inputs}


def interval(answers: Array) -> tuple[float, float]:
    low, high = np.quantile(answers, SHARE)
    return float(low), float(high)


def _halves(each: Input, share: Array) -> Array:
    """Half of the values evenly below the input's value, half evenly above it: so that is their median."""
    value = _value(each)
    below, above = each.low + 2 * share * (value - each.low), value + (2 * share - 1) * (each.high - value)
    return np.where(share < 0.5, below, above)


def _value(each: Input) -> float:
    assert each.value is not None  # a question without one is not asked
    return each.value
