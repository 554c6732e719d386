"""Words that messages of several packs share."""

from __future__ import annotations

from collections.abc import Sequence

LISTED = 3
"""Names that a message lists; the others it counts."""


def named(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - LISTED
    parts = [*names[:LISTED], f"{rest} more"] if rest > 0 else list(names)
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def seconds(value: float) -> str:
    """Whole seconds: no model here is better than that."""
    return f"{value:.0f} s"
