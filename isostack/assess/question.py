"""A question of the assessment: its declaration feeds the answer, its uncertainty, `explain` and the documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isostack.assess.case import Case
from isostack.assess.inputs import Input

Numbers = Any
"""A number, or an array of them: the models are plain arithmetic, and what holds for one holds for each of an array."""
Values = Mapping[str, Any]
"""By the id of an input: its values, all arrays of one length."""
Model = Callable[[Case, Values], Numbers]
"""Answers for all values at once. Raises NoAnswer where the case does not say what it needs."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is better on one target than on the other, as a number: the less, the better."""

    id: str
    """Topic and name: recovery.volume."""
    title: str
    """What the number counts, as a row's head."""
    unit: str
    why: str
    """What it means to the cluster's users, and what the model leaves out, in a few sentences."""
    inputs: tuple[Input, ...]
    model: Model
    functions: tuple[Callable[..., object], ...]
    """What the model is made of: pure functions with their sources."""
    unnoticed: float = 0.0
    """Differences up to this are none, in the question's unit."""

    def answer(self, case: Case, values: Values) -> NDArray[np.float64]:
        """Raises NoAnswer."""
        length = next(iter(values.values())).shape
        return np.broadcast_to(np.asarray(self.model(case, values), dtype=np.float64), length)
