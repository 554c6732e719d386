"""Values told so that what differs is seen: cut around it, and texts of several lines by the lines that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, takewhile
from typing import Final

from isostack.flat import NOTHING
from isostack.report.markdown import short
from isostack.review import difference

LONGEST: Final = 160
"""Characters of a value, or of a line of its difference, in text and Markdown; the JSON document has all."""
_AROUND: Final = 20
"""Characters that stay around what differs, at least."""
_IN_A_CELL: Final = 6
"""Lines of a value in a cell of a table."""


@dataclass(frozen=True, slots=True)
class Told:
    """A value before and after. `lines`: the difference of a text of several lines, which stands for both."""

    before: str
    after: str
    lines: tuple[str, ...] = ()

    def cells(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Lines for two cells of a table: what goes, and what comes."""
        if not self.lines:
            return (self.before,), (self.after,)
        one, other = (
            tuple(line[1:] for line in cut(self.lines) if line.startswith(sign)) or (side,)
            for sign, side in (("-", self.before), ("+", self.after))
        )
        return _few(one), _few(other)


def told(before: str, after: str, most: int = LONGEST) -> Told:
    """`most`: characters of each side where they stand on a line."""
    sides = ["" if side == NOTHING else side for side in (before, after)]
    if any("\n" in side.strip() for side in sides) and (text := difference(*sides)):
        whole = [NOTHING if side == NOTHING else "" for side in (before, after)]
        return Told(whole[0], whole[1], tuple(text.splitlines()))
    one, other = lined((before, after), most)
    return Told(one, other)


def lined(values: Sequence[str], most: int = LONGEST) -> list[str]:
    """Each on one line of at most `most` characters: where one is longer, what all begin and end with gives way."""
    bare = [value.strip("\r\n") for value in values]
    kept = bare if len(set(bare)) == len(set(values)) else values
    return _around([value.replace("\r", "\\r").replace("\n", "\\n") for value in kept], most)


def cut(lines: Sequence[str], most: int = LONGEST) -> list[str]:
    """Lines of a difference: a line that stands in another's place is cut around what differs."""
    found = [short(line, most) for line in lines]
    runs = [(sign, list(run)) for sign, run in groupby(lines, lambda line: line[:1])]
    at = 0
    for (sign, gone), (following, come) in pairwise([*runs, ("", [])]):
        if (sign, following) == ("-", "+"):
            for number, (one, other) in enumerate(zip(gone, come, strict=False)):
                sides = _around((one[1:], other[1:]), most - 1)
                found[at + number], found[at + len(gone) + number] = f"-{sides[0]}", f"+{sides[1]}"
        at += len(gone)
    return found


def _around(values: Sequence[str], most: int) -> list[str]:
    if all(len(value) <= most for value in values) or len(set(values)) == 1:
        return [short(value, most) for value in values]
    begin = _alike(values)
    end = _alike([value[begin:][::-1] for value in values])
    longest = max(map(len, values)) - begin - end
    around = max(_AROUND, (most - 2 - longest) // 2)
    first, last = max(0, begin - around), max(0, end - around)
    return [short(f"{'…' * bool(first)}{value[first : len(value) - last]}{'…' * bool(last)}", most) for value in values]


def _alike(values: Sequence[str]) -> int:
    """With how many characters in common they begin."""
    alike = takewhile(lambda each: len(set(each)) == 1, zip(*values, strict=False))
    return sum(1 for _ in alike)


def _few(lines: tuple[str, ...]) -> tuple[str, ...]:
    left = len(lines) - _IN_A_CELL
    return lines if left <= 0 else (*lines[:_IN_A_CELL], f"and {left} more line{'' if left == 1 else 's'}")
