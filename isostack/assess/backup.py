"""Backups: how much a loss takes with it, and how far back what is kept reaches. Times in seconds."""

from __future__ import annotations


def lost(every: float, copy: float) -> tuple[float, float]:
    """Changes lost on average and at worst, in seconds of work: half the interval or all of it, and the time until a
    copy is away. Every hour with a minute to copy: 1860 and 3660."""
    return every / 2 + copy, every + copy


def reach(every: float, keep: int) -> float:
    """Age of the oldest of `keep` copies when it is youngest: just after a new one was made and one removed."""
    return every * (keep - 1)
