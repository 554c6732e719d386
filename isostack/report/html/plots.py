"""What a plot is made of: coordinates of lines, bars, curves, marks and texts, and the same numbers as a table. Lengths
are those of the SVG's own coordinates, close to CSS pixels on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import Final

WIDTH: Final = 384
LETTER: Final = 5.4
"""Width of a letter of the 9-unit monospaced text, as in pictures."""
HEAD_LETTER: Final = 6.5
"""Of a heading, 10 units and bold, on average."""
TICKS: Final = 5

Scale = Callable[[float], float]
"""From a number to its coordinate."""


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    text: str
    kind: str = ""
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle. `kind` is its class, `title` what a pointer is told."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    points: tuple[tuple[float, float], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a plot. `shape`: vm, a circle; host, a square."""

    x: float
    y: float
    shape: str
    title: str


@dataclass(frozen=True, slots=True)
class Key:
    """What a kind of bar, curve or mark means; `letter` stands on it, so that it is not told by colour alone."""

    kind: str
    text: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a plot, for who does not see it and who wants them exactly."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot."""

    id: str
    title: str
    lead: str
    """What is to be seen, in a sentence or two."""
    said: str
    """What it shows, in words: its text alternative."""
    height: float
    keys: tuple[Key, ...]
    table: Table
    lines: tuple[Line, ...]
    bars: tuple[Bar, ...]
    curves: tuple[Curve, ...]
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...]


@dataclass(slots=True)
class Sheet:
    """A plot that is being drawn."""

    lines: list[Line] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        self.texts.append(Text(x, y, text, kind, anchor))

    def sides(self, x: float, y: float, left: str, right: str) -> None:
        """What either side of a line means, where there is room: one of them tells the other."""
        if x > 4 + HEAD_LETTER * len(left):
            self.text(x - 4, y, left, "head", "end")
        if WIDTH - x > 4 + HEAD_LETTER * len(right):
            self.text(x + 4, y, right, "head")

    def axis_below(self, at: Iterable[tuple[float, str]], scale: Scale, top: float, bottom: float) -> None:
        """A line up from each number, and its text below."""
        for value, text in at:
            x = scale(value)
            self.lines.append(Line(x, top, x, bottom, "grid"))
            self.text(x, bottom + 14, text, "tick", _inside(x, text))

    def axis_beside(self, at: Iterable[tuple[float, str]], scale: Scale, left: float, right: float) -> None:
        """A line to the right of each number, and its text before it."""
        for value, text in at:
            self.lines.append(Line(left, scale(value), right, scale(value), "grid"))
            self.text(left - 4, scale(value) + 3, text, "tick", "end")

    def plot(self, id: str, title: str, lead: str, said: str, height: float, keys: Sequence[Key], table: Table) -> Plot:
        return Plot(
            id,
            title,
            lead,
            said,
            height,
            tuple(keys),
            table,
            tuple(self.lines),
            tuple(self.bars),
            tuple(self.curves),
            tuple(self.marks),
            tuple(self.texts),
        )


def _inside(x: float, text: str) -> str:
    """Where a text is held, so that it does not leave the plot."""
    half = len(text) * LETTER / 2
    return "start" if x < half else "end" if x > WIDTH - half else "middle"


def linear(low: float, high: float, first: float, last: float) -> Scale:
    """From numbers between `low` and `high` to coordinates between `first` and `last`."""
    return lambda value: first + (value - low) / (high - low) * (last - first)


def ticks(low: float, high: float) -> list[float]:
    """About TICKS round numbers: the first not above `low`, the last not below `high`, two at least."""
    step = _round((high - low) / TICKS if high > low else 1)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [step * i for i in range(first, max(first + 1, last) + 1)]


def _round(step: float) -> float:
    """1, 2 or 5 times a power of ten, not below `step`."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
