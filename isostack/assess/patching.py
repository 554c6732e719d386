"""Patching: how long a round of restarts takes, and into how many weeks its hours fall.

Units: seconds, weeks. Elapsed time, not labour.
Validity: one batch after the other, budgets that let `PARALLEL` pods go at a time, no drain that fails.
"""

from __future__ import annotations

from math import ceil

PARALLEL, START, LEAST, SETTLE = 5, 20, 30, 30
"""Pods evicted at a time, seconds until one runs elsewhere, the shortest drain, seconds after it [assumption]."""
JOIN = 60
"""Seconds from the booted system to Ready [assumption]."""


def drain_seconds(pods: int) -> float:
    """Seconds until a node of so many pods is empty. 30: 150, 120: 510."""
    return max(LEAST, ceil(pods / PARALLEL) * START) + SETTLE


def weeks(nodes: int, each: float, days: int, window: float) -> int:
    """Weeks of a round, one node at a time: on each of `days` days a week nodes begin for `window` seconds, the last
    one at its very end. 14 nodes of 651 s, 2 days of 3 h: 1."""
    return ceil(nodes / (days * ceil(window / each)))
