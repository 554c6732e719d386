"""Words of findings: names and counts as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 3
"""Names that a message lists; the others it counts."""


def named(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`."""
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else ""


def counted(number: int, noun: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
