"""Synthetic CPU demand of workloads, from a seed: where nothing was measured.

Units: CPU in cores, time in seconds. Assumed, all of it: the mean of a workload is gamma-distributed with a coefficient
of variation between workloads, and does not change over days. Each workload has one peak a day, as a sine; some of them
in the same hour, the others at any. Around that it fluctuates by a log-normal factor of mean 1, whose logarithm forgets
exponentially. Workloads are independent but for the hour that they share. No bursts beyond that, no weekends, no trend,
no limit: a workload may want more than its host has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isostack.assess.simulation import DAY_SECONDS, Cores, Index


@dataclass(frozen=True, slots=True)
class Shape:
    """How demand varies. Every default is an [assumption]."""

    variation: float = 1.0
    """Coefficient of variation of the means of workloads. 1.38 was [measured] on PlanetLab in 2011
    (github.com/Cloudslab/cloudsim), between the days of VMs."""
    daily: float = 0.3
    """Peak of the day above the mean, as a share of it, 0 to 1."""
    together: float = 0.5
    """Share of workloads that peak in the same hour, 0 to 1."""
    noise: float = 0.3
    """Coefficient of variation of a workload around its daily course."""
    memory: float = 3600.0
    """Seconds after which the correlation of that noise has fallen to 1/e; 0: each sample is new."""

    def __post_init__(self) -> None:
        if not min(self.variation, self.noise, self.memory) >= 0:
            raise ValueError("variation, noise and memory must not be negative")
        if not (0 <= self.daily <= 1 and 0 <= self.together <= 1):
            raise ValueError("daily and together are shares from 0 to 1")


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
