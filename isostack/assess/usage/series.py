"""What the readers of all formats share: faults that stop at a sensible number, and series on one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from components.problems import FieldPath, InvalidInput, Problem

MAX_CELLS = 2**25
"""Samples times columns, 256 MiB of them. 5,000 pods for 10 days every 5 minutes are less than half."""
MAX_CORES = 1024
"""More than any machine of a spec has: a value above is no number of cores."""
JITTER = 0.1
"""Part of a step by which a sample may come late or early."""
NO_CORES = "values are cores, for example 0.25"
_MOST = 10  # faults that are told: where there are more, they have one cause


class Faults:
    """What is wrong with one file. The last that is told raises InvalidInput, so no file is read for its faults
    alone."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def tell(self, what: str, right: str = "", line: int = 0, column: int = 1, path: FieldPath = ()) -> None:
        self._found.append(Problem(what, right, path, "", line, column if line else 0))
        if len(self._found) == _MOST:
            self.end()

    def refuse(self, what: str, right: str = "", line: int = 0, column: int = 1, path: FieldPath = ()) -> NoReturn:
        """Nothing more can be read."""
        self.tell(what, right, line, column, path)
        raise InvalidInput(self._found)

    def end(self) -> None:
        """Raises InvalidInput where there were any."""
        if self._found:
            raise InvalidInput(self._found)


class Axis:
    """One axis of time for samples taken at these moments, in seconds: evenly spaced, gaps allowed. Raises InvalidInput
    where they are not, or where `columns` columns would be too many."""

    def __init__(self, times: npt.NDArray[np.float64], columns: int, faults: Faults) -> None:
        ordered = np.sort(times)
        self._times = ordered[np.append(True, np.diff(ordered) > 0)] if len(times) else ordered
        gaps = np.diff(self._times)
        self.step: float | None = None
        self._places = np.zeros(len(self._times), dtype=np.intp)
        if len(gaps):
            usual = float(np.sort(gaps)[(len(gaps) - 1) // 2])
            with np.errstate(all="ignore"):  # of times that are none, which are told
                steps = np.rint(gaps / usual)
                wrong = np.flatnonzero((steps < 1) | ~(np.abs(gaps - steps * usual) <= JITTER * usual))
            if len(wrong):
                first = int(wrong[0])
                what = f"samples are {usual:g} s apart, but not those of {_shown(self._times[first])} and the next"
                faults.refuse(f"{what}, which are {gaps[first]:g} s apart", "take samples at even times; gaps may be")
            # A step of a millisecond and a gap of years would be more than an index holds.
            self._check(float(steps.sum()) + 1, columns, faults)
            self._places[1:] = np.cumsum(steps).astype(np.intp)
            self.step = float((self._times[-1] - self._times[0]) / self._places[-1])
        self.length = int(self._places[-1]) + 1 if len(self._places) else 0
        self._check(self.length, columns, faults)

    def _check(self, samples: float, columns: int, faults: Faults) -> None:
        if samples * columns > MAX_CELLS:
            what = f"{samples:,.0f} samples of {columns:,} columns are too many: at most {MAX_CELLS:,} values are taken"
            faults.refuse(what, "a longer step, or a shorter time")

    def rows(self, times: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
        """The row of each of these moments, which are among those of the axis."""
        return self._places[np.searchsorted(self._times, times)]


def without_empty(
    names: Sequence[str], samples: npt.NDArray[np.float64], faults: Faults
) -> tuple[tuple[str, ...], Any]:
    """The columns with a value in them; at least one has."""
    there = np.flatnonzero((~np.isnan(samples)).any(axis=0))
    if not len(there):
        faults.refuse("there is no value in it", NO_CORES)
    if len(there) == len(names):
        return tuple(names), samples
    return tuple(names[int(i)] for i in there), samples[:, there]


def _shown(time: float) -> str:
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{time:g}"
