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


FLASH = 1560
"""Seconds for which a host writes its BIOS, at most [documented] https://docs.oracle.com X5-4 product notes: 26 min."""
HYPERVISOR = 120
"""Seconds of a host's round beside evacuation and restart [assumption]."""


def drain_seconds(pods: int, start: float = START) -> float:
    """Seconds until a node of so many pods is empty. 30: 150, 120: 510."""
    each = ceil(pods / PARALLEL) * start
    return each + SETTLE + (LEAST - each) * (each < LEAST)


def evacuation_seconds(gib: float, gbit: float) -> float:
    """Seconds until a host's VMs with so much memory are elsewhere, over a line of so many Gbit/s, of which 0.9 is
    used [assumption] and dirty pages leave 0.95: 384 GiB at 25: 154."""
    return gib * 1.073741824 * 8 / (gbit * 0.9) / 0.95


def rolling_hours(nodes: int, drain: float, boot: float, join: float = JOIN) -> float:
    """Hours of a round, one node at a time. 7 of 510 s drain, 531 s boot: 2.14."""
    return nodes * (drain + boot + join) / 3600


def upgrade_hours(nodes: int, drain: float, upgrade: float, at_once: int = 1) -> float:
    """Hours of a round of Kubernetes, so many nodes at a time, at most: the longest drain is each one's. Nothing is
    restarted but the kubelet and its pods. 11 of 51 s drain, 120 s, 2 at a time: 0.285."""
    return ceil(nodes / at_once) * (drain + upgrade) / 3600


def firmware_hours(nodes: int, drain: float, boot: float, flash: float = FLASH) -> float:
    """Hours of a round of firmware over hosts that are nodes, one at a time. 8, 510, 531: 5.91."""
    return rolling_hours(nodes, drain, boot + flash)


def hypervisor_hours(hosts: int, evacuation: float, boot: float) -> float:
    """Hours of a round of hosts whose VMs are moved away first: no pod restarts. 8 hosts of 384 GiB at 25 Gbit/s, 792
    s: 2.37."""
    return hosts * (evacuation + boot + HYPERVISOR) / 3600


def weeks(nodes: int, each: float, days: int, window: float) -> int:
    """Weeks of a round, one node at a time: on each of `days` days a week nodes begin for `window` seconds, the last
    one at its very end. 14 nodes of 651 s, 2 days of 3 h: 1."""
    return ceil(nodes / (days * ceil(window / each)))
