"""How messages of rules count and list."""

from __future__ import annotations

from collections.abc import Iterable

LISTED = 3
"""Names that a message gives; the others it counts."""


def count(number: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Iterable[str]) -> str:
    """All of them: `a, b and c`; empty for none."""
    *most, last = [*names] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def named(names: Iterable[str]) -> str:
    """The first few, each once: `a, b, c and 2 more`."""
    each = list(dict.fromkeys(names))
    return listed([*each[:LISTED], *([f"{len(each) - LISTED} more"] if len(each) > LISTED else [])])


def seconds(value: float) -> str:
    """Whole seconds: no model here is better than that."""
    return f"{value:.0f} s"
