"""Balance: how unevenly workloads load their hosts when nothing moves them, and what demand that leaves unmet.

Units: CPU in cores, utilisation and shares from 0 to 1, all of one host's capacity.
Validity: CPU alone, independent workloads, replicas of one workload alike and spread evenly, demand of a host
gamma-distributed. [measured] against a simulation on PlanetLab traces (8 hosts, 20 seeds): within 10 % at 10 workloads
a host, within a factor of 1.6 where 1 % or more is unmet, up to 5 times too low below 0.2 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import erfc, exp, lgamma, log, pi, sqrt

SIMULATED_PER_HOST = range(10, 113)
"""Workloads on a host in the simulation."""
LEFT_BY_BALANCING = 0.4
"""What balancing by usage leaves of unmet demand, at most and about. [measured] by simulation.py on PlanetLab traces,
at 50 to 80 % load: 0 to 0.41, for a model of DRS as it was before vSphere 7 and for a descheduler with a load-aware
scheduler alike; how DRS decides since is unpublished. A descheduler whose pods the default scheduler places again
leaves 0.38 to 0.69."""
SPREAD_LEFT = 0.62
"""What DRS leaves of the spread, about: 0.58 to 0.63 in the same simulation, as does a descheduler with a load-aware
scheduler [measured]."""
NORMAL = 1e4
"""Shape of a gamma distribution from which on it is taken as normal: its skewness is 0.02, and the series of its
integral would have hundreds of terms."""
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Load:
    """A workload: its replicas, and the mean CPU demand of each relative to the others'."""

    name: str
    replicas: int
    cpu: float


def spread(loads: Sequence[Load], hosts: int, utilisation: float, variation: float) -> float:
    """Standard deviation of utilisation between hosts, when the mean is `utilisation` and nothing is moved.

    `variation` is the coefficient of variation of demand between workloads. Two things spread: demand that is not what
    was requested, variation * sqrt(f (1 - f)) for each workload, f the part of the hosts that carry one replica more
    than the others; and requests that cannot be laid out evenly. So replicas in a multiple of the hosts spread nothing.
    For n equal single workloads a host it is utilisation * variation * sqrt((1 - 1 / hosts) / n).
    """
    demand, requests = terms(loads, hosts)
    return utilisation * sqrt(variation**2 * demand + requests)


def terms(loads: Sequence[Load], hosts: int) -> tuple[float, float]:
    """What spreads at a utilisation of 1: the variance of demand whose coefficient of variation is 1, and that of
    requests. `spread` is utilisation * sqrt(variation^2 * demand + requests)."""
    total = sum(load.replicas * load.cpu for load in loads)
    if total == 0:
        return 0.0, 0.0
    demand = sum(load.cpu**2 * _uneven(load, hosts) for load in loads)
    return demand * (hosts / total) ** 2, _of_requests(tuple(loads), hosts) * (hosts / total) ** 2


def unevenness(load: Load, hosts: int) -> float:
    """How much a workload adds to the spread, to rank workloads; 0: nothing."""
    return load.cpu * sqrt(_uneven(load, hosts))


def unmet(utilisation: float, spread: float) -> float:
    """Share of the demand that hosts cannot serve, for a gamma-distributed host load of this mean and deviation."""
    if spread == 0:
        return max(0.0, utilisation - 1) / utilisation
    shape = (utilisation / spread) ** 2
    if shape > NORMAL:
        z = (1 - utilisation) / spread
        density, above = exp(-z * z / 2) / sqrt(2 * pi), erfc(z / sqrt(2)) / 2
        return max(0.0, spread * density - (1 - utilisation) * above) / utilisation
    limit = shape / utilisation  # a host's capacity in units of the distribution's scale
    above = 1 - gamma_p(shape, limit)
    # E[max(0, load - 1)] / E[load]; Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1) saves the second integral.
    tail = exp(shape * log(limit) - limit - lgamma(shape + 1))
    return max(0.0, above + tail - above / utilisation)


def fullest(pods: Sequence[tuple[int, float]], nodes: int) -> float:
    """The most that a node can be asked for, in the unit of the requests, when each pod goes to the node that is asked
    for least: no more than the mean and one pod above it. `pods`: how many ask for how much each."""
    total = sum(count * request for count, request in pods)
    return total / nodes + max((request for _, request in pods), default=0.0) * (1 - 1 / nodes)


def gamma_p(a: float, x: float) -> float:
    """Regularised lower incomplete gamma function P(a, x), for a > 0 and x >= 0, to about 1e-12.

    Series below a + 1, Lentz's continued fraction above: DLMF 8.7.1 and 8.9.2. The steps grow with sqrt(a). Written out
    because the standard library has none and scipy would take longer to import than a policy pack to start.
    """
    if x == 0:
        return 0.0
    front = exp(a * log(x) - x - lgamma(a + 1))
    if x < a + 1:
        term = total = 1.0
        n = a
        while term > total * 1e-15:
            n += 1
            term *= x / n
            total += term
        return min(1.0, front * total)
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    fraction, i = d, 0
    change = 0.0
    while abs(change - 1) > 1e-15:
        i += 1
        b += 2
        d = 1 / (i * (a - i) * d + b or _TINY)
        c = b + i * (a - i) / c or _TINY
        change = c * d
        fraction *= change
    return max(0.0, 1 - front * a * fraction)


def _uneven(load: Load, hosts: int) -> float:
    """Variance of the number of replicas between hosts."""
    part = load.replicas % hosts / hosts
    return part * (1 - part)


@lru_cache(maxsize=1024)
def _of_requests(loads: tuple[Load, ...], hosts: int) -> float:
    """Variance of what is requested on a host: the same for every utilisation and variation."""
    return _variance(_laid_out(loads, hosts))


def _laid_out(loads: Sequence[Load], hosts: int) -> list[float]:
    """CPU requested on each host beyond what all have alike: largest replicas first, to the hosts with the least."""
    filled = [0.0] * hosts
    for load in sorted(loads, key=lambda load: load.cpu, reverse=True):
        filled.sort()
        for i in range(load.replicas % hosts):
            filled[i] += load.cpu
    return filled


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / len(values)
