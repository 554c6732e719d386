"""What workloads use of CPU, as somebody measured it, and what the models need to know of it.

Units: CPU in cores, time in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from components.spec import Workload

Cores = npt.NDArray[np.floating[Any]]

_RANDOM = "[b-df-hj-np-tv-xz2-9]"
"""Letters of generated names, as near as matters: [seen] k8s.io/apimachinery pkg/util/rand/rand.go."""
_GENERATED = re.compile(rf"-{_RANDOM}{{6,10}}-{_RANDOM}{{5}}|(-[0-9]{{1,10}})?-{_RANDOM}{{5}}|-[0-9]{{1,10}}")
"""What controllers add to a workload's name, for a pod of a Deployment; of a DaemonSet, a Job or a CronJob; of a
StatefulSet."""


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """CPU that pods, or workloads as a whole, used over time."""

    names: tuple[str, ...]
    """Of each column: a pod or a workload, `namespace/name` where the source says which namespace."""
    samples: Cores
    """[time, column] in cores. NaN: not there, or not measured. Read-only."""
    step: float | None
    """Seconds from one sample to the next; None: a single instant."""
    source: str
    """The file, as the user named it."""

    def __post_init__(self) -> None:
        self.samples.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Matched:
    """Which columns belong to which workload of the spec."""

    pods: Mapping[str, tuple[int, ...]]
    """The columns of each workload that has any: each is one replica."""
    totals: Mapping[str, int]
    """The column that is a workload's own, by its name: the sum over its replicas."""
    unmatched: tuple[str, ...]
    """Columns that belong to none."""
    unmeasured: tuple[str, ...]
    """Workloads without a column."""


def matched(usage: Usage, workloads: Sequence[Workload], namespaces: Mapping[str, str] | None = None) -> Matched:
    """A column named like a workload is all of it, unless others are its pods.

    One whose name begins with a workload's, and goes on as controllers name pods, is one of its replicas:
    `checkout-7d9fc48b5-x2x8q` and `checkout-0` are of `checkout`, `checkout-redis-0` is not. Where several fit, the
    longest name counts. `namespaces`: of workloads by name, where only pods of that namespace shall count; a source
    that names no namespace is believed.
    """
    names = sorted((work.name for work in workloads), key=len, reverse=True)
    pods: dict[str, list[int]] = {}
    own: dict[str, int] = {}
    unmatched = []
    for column, full in enumerate(usage.names):
        namespace, _, name = full.rpartition("/")
        fits = [work for work in names if not namespace or (namespaces or {}).get(work, namespace) == namespace]
        if name in fits and name not in own:
            own[name] = column
        elif of := next((work for work in fits if _is_pod(name, work)), None):
            pods.setdefault(of, []).append(column)
        else:
            unmatched.append(full)
    for name in own.keys() & pods.keys():  # a pod that somebody made by hand, beside others
        pods[name].append(own.pop(name))
    return Matched(
        pods={name: tuple(columns) for name, columns in pods.items()},
        totals=own,
        unmatched=tuple(unmatched),
        unmeasured=tuple(work.name for work in workloads if work.name not in pods and work.name not in own),
    )


def _is_pod(name: str, workload: str) -> bool:
    return name.startswith(workload) and _GENERATED.fullmatch(name, len(workload)) is not None


# ---- What the models take


def per_replica(usage: Usage, of: Matched, workloads: Sequence[Workload]) -> Usage:
    """A column for each measured workload, in the order of the spec: what one of its replicas uses, on average over
    those that are there. Of a workload that was measured as a whole, an equal part for each replica of the spec."""
    measured = [work for work in workloads if work.name in of.totals or work.name in of.pods]
    columns = [
        usage.samples[:, of.totals[work.name]] / work.replicas
        if work.name in of.totals
        else _mean(usage.samples[:, list(of.pods[work.name])], 1)
        for work in measured
    ]
    samples = np.stack(columns, axis=1) if columns else np.empty((len(usage.samples), 0))
    return replace(usage, names=tuple(work.name for work in measured), samples=samples)


def means(usage: Usage) -> Cores:
    """Mean of each column in cores, over the samples that are there."""
    return _mean(usage.samples, 0)


def peak_to_mean(usage: Usage) -> Cores:
    """Highest sample of each column, as a multiple of its mean; 1 where there is one sample, or no use at all."""
    mean = means(usage)
    peak = np.max(usage.samples, axis=0, initial=0.0, where=~np.isnan(usage.samples))
    ratio: Cores = np.divide(peak, mean, out=np.ones_like(mean), where=mean > 0)
    return ratio


def total_peak_to_mean(usage: Usage) -> float:
    """The same of all columns together: what is missing counts as no use."""
    total = filled(usage).sum(axis=1)
    return float(total.max() / total.mean()) if total.any() else 1.0


def of_requests(usage: Usage, workloads: Sequence[Workload]) -> Cores:
    """Mean use of one replica as a share of its request, for each column of what `per_replica` gives."""
    asked = {work.name: work.requests.cpu / 1000 for work in workloads}
    shares: Cores = means(usage) / np.array([asked[name] for name in usage.names])
    return shares


def variation(values: Sequence[float] | Cores) -> float:
    """Coefficient of variation: standard deviation, as a share of the mean. 0 where all are alike, or there is none.
    Of what `of_requests` gives it is what `balance.spread` calls variation. 1, 1, 4: 0.707."""
    found = np.asarray(values, dtype=float)
    mean = found.mean() if found.size else 0.0
    return float(found.std() / mean) if mean > 0 else 0.0


def filled(usage: Usage) -> Cores:
    """Samples with no use where nothing was there, as `simulation.simulate` wants them."""
    return np.nan_to_num(usage.samples)


def _mean(samples: Cores, axis: int) -> Cores:
    """Of what is there; NaN where nothing is."""
    there = ~np.isnan(samples)
    count = there.sum(axis=axis)
    total = np.sum(samples, axis=axis, where=there)
    mean: Cores = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    return mean
