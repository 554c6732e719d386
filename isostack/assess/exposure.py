"""Exposure: how often a wall is found broken somewhere in the world, and how many tenants one broken node reaches.

Counts are of exploited vulnerabilities in CISA's catalogue of 2025-08-25, YEARS after its start. [measured] counted in
github.com/cisagov/kev-data at commit eacf03e. A lower bound: the catalogue lists what was seen to be exploited. Not how
often somebody breaks in here: that takes an attacker as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import expm1

YEARS = 3.808
KERNEL_ESCALATIONS = 8
"""Of the Linux kernel, to root on the machine; of CVE years 2021 and later."""
GUEST_ESCAPES = 1
"""From a VM to ESXi: one event, three CVEs."""
VCENTER, BMC = 10, 1
"""Of what controls machines from outside. The one of a BMC is CVE-2024-54085."""
DAYS_PER_YEAR = 365.25
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def exposure(events: int, days: float) -> float:
    """Probability that an exploited vulnerability of a class turns up within `days`, at the rate of the catalogue:
    exposure, not breach. 8 in 30 days is 0.1585."""
    return -expm1(-events / YEARS * days / DAYS_PER_YEAR)


def others_met(tenants: int, pods: int, nodes: int) -> float:
    """Expected number of other tenants with a pod on one node of a pool that all share, pods split evenly between
    tenants and spread evenly over nodes. 2 tenants with 30 pods on 6 nodes: 0.935."""
    missed: float = (1 - 1 / nodes) ** (pods / tenants)
    return (tenants - 1) * (1 - missed)


def longest_wait(days: Iterable[str]) -> int:
    """Days from one weekday of a list to the next, at most: 7 for one day a week, 6 for Saturday and Sunday."""
    at = sorted(WEEK.index(day) for day in days)
    return max(after - before for before, after in zip(at, [*at[1:], at[0] + len(WEEK)], strict=True))
