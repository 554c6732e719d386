"""Inputs of the assessments: each a number with its unit, the range in which it lies, and where both come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from components.rules import Evidence


@dataclass(frozen=True, slots=True)
class Input:
    """A number that a model needs and no spec says."""

    id: str
    """Topic and name: recovery.boot. A file of inputs sets it under this name."""
    title: str
    unit: str
    evidence: Evidence
    value: float | None
    """None: there is no default. Prices have none, and what hangs on one is not answered until it is given."""
    low: float = 0.0
    high: float = 0.0
    """Range in which it lies, as far as anybody knows; of an input without default: nothing."""
    least: float = 0.0
    most: float = 1e12
    """What it can be at all: a file may say no other, and no flip is looked for outside."""

    @property
    def is_price(self) -> bool:
        return self.value is None

    def given(self, value: float, low: float, high: float, by: str) -> Input:
        """As the file `by` says it."""
        return replace(self, value=value, low=low, high=high, evidence=Evidence("assumption", f"given in {by}"))


Inputs = Mapping[str, Input]
"""By id."""
