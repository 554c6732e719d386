"""Fleet: how often hosts break, how long their nodes are away, and what hosts of unlike sizes leave unused.

Units: hosts, years for rates, hours and seconds as named.
Validity: constant rates (they grow with age), independent failures (racks, power and firmware are not).
"""

from __future__ import annotations

from math import expm1

FAILURES = 0.08
"""Hosts that need a repair, per host and year [measured] Vishwanath and Nagappan, SoCC 2010, as quoted by others: of
the parts replaced 78 % were disks, so few of these hosts are down. Up to 0.56 were seen in a first year (Google,
2008)."""
HOURS_PER_YEAR = 8760
POST = 531
"""Seconds from power-on to the boot loader [measured] median of servers of 2023, gitlab.com/testing-farm/infrastructure
MR 1526: 218 to 792 by generation."""
BMC, INSTALLER, BOOT = 30, 60, 60
"""Seconds [assumption]: until the BMC has switched, of the installer's start, of the system's."""
LINE = 0.5
"""Part of a line's speed at which an image is written [assumption]."""


def any_broken(hosts: int, rate: float = FAILURES) -> float:
    """Probability that one or more of `hosts` break within a year. 8: 0.473, 20: 0.798."""
    return -expm1(-rate * hosts)


def hours_away(hosts: int, hours: float, rate: float = FAILURES) -> float:
    """Hours a year in which a host is missing, where each loss lasts `hours`: 3 hosts, 72 h: 17."""
    return rate * hosts * hours


def rebuild_seconds(post: float = POST, image_gb: float = 4, gbit: float = 1, posts: int = 2) -> float:
    """Seconds until a host is a new node: powered by its BMC, netbooted, imaged, booted: 1276; by kexec (one POST) 745.

    `image_gb` is the image's size in GB, `gbit` the line's speed in Gbit/s.
    """
    return BMC + posts * post + INSTALLER + image_gb * 8 / (gbit * LINE) + BOOT


def beyond_smallest(sizes: list[int]) -> float:
    """Share of what a pool has that lies beyond its smallest node: what pods sized for any node cannot use there.
    8, 8, 16: 0.25."""
    return 1 - min(sizes) * len(sizes) / sum(sizes)


def stranded(asked: int, there: int) -> float:
    """Share of what is there that was not asked for: 4 of 32: 0.875."""
    return 1 - asked / there
