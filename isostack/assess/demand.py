"""Synthetic CPU demand of workloads, from a seed: where nothing was measured.

Units: CPU in cores, time in seconds. Assumed, all of it: the mean of a workload is gamma-distributed between workloads,
and does not change over days. Each workload has one peak a day, as a sine; some of them in the same hour, the others at
any. Around that it fluctuates by a log-normal factor of mean 1, whose logarithm forgets exponentially. Workloads are
independent but for the hour that they share. No bursts beyond that, no weekends, no trend, no limit: a workload may
want more than its host has.

The default shape is that of the PlanetLab traces of 2011, 11,746 days of VMs, every 5 minutes
(github.com/Cloudslab/cloudsim at commit 476ceef2). [measured] the coefficient of variation of their means is 1.136, at
one moment 1.382, of one VM around its own mean 0.52; most of that is new in the next sample, the correlation is 0.13
after 5 minutes and 0.13 after an hour. Simulated, the shape and the traces leave unmet demand within a factor of 1.5 of
one another where it is 0.1 % or more: tests/unit/test_assess_planetlab.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from isostack.assess.simulation import DAY_SECONDS, Cores, Index


@dataclass(frozen=True, slots=True)
class Shape:
    """How demand varies."""

    variation: float = 1.136
    """Coefficient of variation of the means of workloads."""
    daily: float = 0.25
    """Peak of the day above the mean, as a share of it, 0 to 1. That of PlanetLab is hidden in its noise
    [assumption]."""
    together: float = 0.0
    """Share of workloads that peak in the same hour, 0 to 1. [measured] all of PlanetLab peaks at 8 % above its mean; a
    shop may well have most of its customers at one time."""
    noise: float = 0.48
    """Coefficient of variation of a workload around its daily course."""
    memory: float = 0.0
    """Seconds after which the correlation of that noise has fallen to 1/e; 0: each sample is new. What lasts is what a
    balancer can follow."""

    def __post_init__(self) -> None:
        if not min(self.variation, self.noise, self.memory) >= 0:
            raise ValueError("variation, noise and memory must not be negative")
        if not (0 <= self.daily <= 1 and 0 <= self.together <= 1):
            raise ValueError("daily and together are shares from 0 to 1")

    @property
    def at_once(self) -> float:
        """Coefficient of variation of demand between workloads at one moment, on average over the day: what
        `balance.spread` calls variation. Of the default: 1.38."""
        return sqrt((1 + self.variation**2) * self._over_time - 1)

    @property
    def _over_time(self) -> float:
        return (1 + self.noise**2) * (1 + (1 - self.together) * self.daily**2 / 2)

    def varying(self, at_once: float) -> Shape:
        """The same shape with means of workloads that make it vary so much `at_once`. Where less than its noise and
        course is wanted, means are alike, and noise is all there is. 1.0 of the default: means vary by 0.76."""
        rest = (1 + at_once**2) / self._over_time - 1
        if rest >= 0:
            return replace(self, variation=sqrt(rest))
        return replace(self, variation=0.0, daily=0.0, noise=at_once)


def synthetic(workloads: int, samples: int, *, step: float, seed: int, shape: Shape | None = None) -> Cores:
    """Demand as an array [samples, workloads] with `step` seconds between samples. One workload has a mean of 1 core,
    on average over workloads; `scaled` or a factor for each column makes it what is wanted. The same seed and numbers
    give the same array."""
    shape = shape or Shape()
    rng = np.random.default_rng(seed)
    mean = np.ones(workloads)
    if shape.variation:
        gamma = shape.variation**-2
        mean = rng.gamma(gamma, 1 / gamma, workloads)
    shared = rng.random(workloads) < shape.together
    peak = np.where(shared, 0.5, rng.random(workloads)) * 2 * np.pi  # all of them at noon
    log = np.log1p(shape.noise**2)  # variance of the logarithm
    kept = np.exp(-step / shape.memory) if shape.memory else 0.0
    noise = rng.standard_normal(workloads)
    demand = np.empty((samples, workloads))
    for t in range(samples):
        if t:
            noise = kept * noise + np.sqrt(1 - kept**2) * rng.standard_normal(workloads)
        course = 1 + shape.daily * np.cos(2 * np.pi * t * step / DAY_SECONDS - peak)
        demand[t] = mean * course * np.exp(np.sqrt(log) * noise - log / 2)
    return demand


def scaled(demand: Cores, capacity: float, utilisation: float) -> Cores:
    """The same demand times one factor, so that its mean is this share of `capacity` cores. Raises ValueError where
    there is none to scale."""
    mean = float(demand.sum()) / len(demand) if demand.size else 0.0
    if not mean > 0:
        raise ValueError("there is no demand to scale")
    return demand * (capacity * utilisation / mean)


def replicated(demand: Cores, replicas: Index) -> tuple[Cores, Index]:
    """Demand of pods [samples, pods], and the workload of each pod, where column i of `demand` is what each of the
    `replicas[i]` replicas of workload i uses, all alike."""
    return np.repeat(demand, replicas, axis=1), np.repeat(np.arange(demand.shape[1]), replicas)
