"""Simulation of balance: what demand hosts leave unmet, sample by sample, with and without something that moves load.

Units: CPU in cores, time in seconds, shares and utilisation from 0 to 1.
Validity: CPU alone. A move is done at once, costs nothing and is seen from the next sample on; what a host cannot serve
is lost, not made up for later. Whether requests, memory, affinity or a budget allow a move is not asked. The balancer
"drs" is a proxy of DRS as it was documented before vSphere 7; how DRS decides since is unpublished. Peaks that all
workloads have in the same hour are evened out by no balancer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Cores = npt.NDArray[np.floating[Any]]
Index = npt.NDArray[np.intp]

Balancer = Literal["none", "drs", "descheduler", "descheduler by requests"]
"""Who moves load. drs: node VMs, each with all pods in it. descheduler: pods, by usage, and a load-aware scheduler
places them on the coldest host. descheduler by requests: pods, by usage, and the default scheduler places them again
where the least is asked for, which knows nothing of usage."""

THRESHOLD = 0.2
"""DRS acts above THRESHOLD / sqrt(hosts) of standard deviation of host load: there the priority of a move is 3 or
better. [documented] vbrownbag.com/2010/06/the-math-behind-the-drs-stars, which quotes VMware's knowledge base for VI3:
priority = 6 - ceil(deviation / 0.1 * sqrt(hosts)). That the middle setting acts on 1 to 3 is an [assumption]."""
MOST_MOVES = 20
"""Moves of one run of DRS [assumption]."""
ABOVE_MEAN = 0.10
"""By so much above the mean utilisation a host is hot [assumption]. That the descheduler can look at deviations from
the mean, and asks the scheduler for the new place, is [documented] github.com/kubernetes-sigs/descheduler README."""
WINDOW_SECONDS = 2400
"""Balancers see a mean over so long [assumption]."""
EVERY_SECONDS = 300
"""Seconds between two runs, of DRS [documented] itprotoday.com, "How is a DRS cluster's current host load standard
deviation calculated" (2011); of the descheduler [assumption]."""
DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one run showed."""

    unmet: float
    """Share of all demand that hosts could not serve."""
    unmet_cores: float
    """The same in cores, on average over time."""
    spread: float
    """Standard deviation of utilisation between hosts: the root of its square's mean over time."""
    moves: int
    units: int
    """What can be moved: pods, or node VMs."""
    days: float
    placement: Index
    """The host of each pod at the end."""

    @property
    def moves_per_unit_day(self) -> float:
        return self.moves / (self.units * self.days) if self.units else 0.0


def simulate(
    demand: Cores,
    capacities: Sequence[float] | Cores,
    balancer: Balancer = "none",
    *,
    step: float,
    placement: Index | None = None,
    requests: Sequence[float] | Cores | None = None,
    vms: Index | None = None,
    vcpus: float | None = None,
    seed: int = 0,
) -> Outcome:
    """Serves `demand`, an array [samples, pods] in cores with `step` seconds from one to the next, on hosts of these
    `capacities` in cores.

    `placement`: the host of each pod at the start; by default `placed` spreads them.
    `requests`: cores of each pod, by which the default scheduler places; by default all alike.
    `vms`: the node VM of each pod (see `packed`), which "drs" moves; by default each pod is its own.
    `vcpus`: cores that a node VM uses at most; by default as many as its host has. What its pods want beyond is unmet
    on any host. A descheduler moves pods between nodes: where these are VMs, simulate them as the hosts.
    `seed`: for what the default scheduler leaves to chance.

    Raises ValueError for what cannot be meant: shapes that do not fit, demand that is negative or no number, pods of
    one VM on two hosts.
    """
    loads, cap = np.asarray(demand), np.asarray(capacities, dtype=float)
    _check(loads, cap, step)
    samples, pods = loads.shape
    asked = _millicores(requests, pods)
    at = placed(asked / 1000, cap, seed=seed) if placement is None else np.array(placement, dtype=np.intp)
    if at.shape != (pods,) or (pods and not 0 <= at.min() <= at.max() < len(cap)):
        raise ValueError(f"placement must name one of {len(cap)} hosts for each of {pods} pods")
    if vcpus is not None and (vms is None or balancer.startswith("descheduler")):
        raise ValueError("vcpus are of node VMs, between which no pod moves")
    whole = vms is not None and not balancer.startswith("descheduler")
    unit, host = _units(np.asarray(vms, dtype=np.intp) if whole else np.arange(pods), at)
    window, every = (max(1, round(seconds / step)) for seconds in (WINDOW_SECONDS, EVERY_SECONDS))
    recent: deque[Cores] = deque(maxlen=window)
    rng = np.random.default_rng(seed)
    lost = total = variance = 0.0
    moves = 0
    for t in range(samples):
        wanted = _sums(unit, loads[t], len(host))
        used = wanted if vcpus is None else np.minimum(wanted, vcpus)
        load = _sums(host, used, len(cap))
        lost += float(np.maximum(load - cap, 0.0).sum() + (wanted - used).sum())
        total += float(wanted.sum())
        variance += float((load / cap).var())
        recent.append(used)
        if balancer == "none" or (t + 1) % every:
            continue
        seen = np.mean(recent, axis=0)
        if balancer == "drs":
            moves += _drs(seen, host, cap)
        elif balancer == "descheduler":
            moves += _descheduler(seen, host, cap)
        else:
            moves += _rescheduled(seen, host, cap, asked, rng)
    return Outcome(
        unmet=lost / total if total else 0.0,
        unmet_cores=lost / samples,
        spread=float(np.sqrt(variance / samples)),
        moves=moves,
        units=len(host),
        days=samples * step / DAY_SECONDS,
        placement=host[unit],
    )


# ---- Placement


def placed(
    requests: Sequence[float] | Cores,
    capacities: Sequence[float] | Cores,
    workloads: Index | None = None,
    *,
    seed: int = 0,
) -> Index:
    """The host of each pod as the default scheduler spreads them, in their order: where the fewest of its own workload
    are, then where the least of the capacity is asked for, then by chance, which `seed` decides.

    `workloads`: the workload of each pod; None: each is alone. Whether requests fit is not asked.
    """
    cap = np.asarray(capacities, dtype=float)
    asked = _millicores(requests, len(requests))
    own = np.arange(len(asked)) if workloads is None else np.asarray(workloads)
    rng = np.random.default_rng(seed)
    filled = np.zeros(len(cap))
    of_own: dict[int, Index] = {}
    at = np.empty(len(asked), dtype=np.intp)
    for pod, request in enumerate(asked):
        peers = of_own.setdefault(int(own[pod]), np.zeros(len(cap), dtype=np.intp))
        fewest = np.flatnonzero(peers == peers.min())
        host = fewest[_least(filled[fewest] / cap[fewest], rng)]
        at[pod] = host
        peers[host] += 1
        filled[host] += request
    return at


def packed(placement: Index, per_host: int) -> Index:
    """The node VM of each pod, for `per_host` VMs on each host: the pods of a host go to its VMs in turn."""
    at = np.asarray(placement, dtype=np.intp)
    order = np.argsort(at, kind="stable")
    _, first, counts = np.unique(at[order], return_index=True, return_counts=True)
    rank = np.empty(len(at), dtype=np.intp)
    rank[order] = np.arange(len(at)) - np.repeat(first, counts)
    return at * per_host + rank % per_host


# ---- Balancers: each changes `host`, the host of each unit, and says how many it moved


def _drs(seen: Cores, host: Index, cap: Cores) -> int:
    """The best single move, again and again, until hosts are alike enough, nothing helps or the run's moves are made.

    A move changes the sum of squares and the sum of utilisation alone; among hosts of one size the coldest is always
    the best to go to. So there are as many candidates as units and sizes of host, not units and hosts.
    """
    load = _sums(host, seen, len(cap))
    sizes = [np.flatnonzero(cap == size) for size in np.unique(cap)]
    limit = THRESHOLD / np.sqrt(len(cap))
    for moves in range(MOST_MOVES):
        used = load / cap
        now = used.std()
        if now <= limit:
            return moves
        best, who, where = float(used.var()), -1, -1
        freed = (load[host] - seen) / cap[host]
        for size in sizes:
            to = size[np.argmin(load[size])]
            filled = (load[to] + seen) / cap[to]
            squares = (used @ used) - used[host] ** 2 + freed**2 - used[to] ** 2 + filled**2
            mean = (used.sum() - used[host] + freed - used[to] + filled) / len(cap)
            variance = np.where(host == to, np.inf, squares / len(cap) - mean**2)
            unit = int(np.argmin(variance)) if len(variance) else -1
            if unit >= 0 and variance[unit] < best - 1e-12:
                best, who, where = float(variance[unit]), unit, int(to)
        if who < 0:
            return moves
        load[host[who]] -= seen[who]
        load[where] += seen[who]
        host[who] = where
    return MOST_MOVES


def _descheduler(seen: Cores, host: Index, cap: Cores) -> int:
    """One pod of each hot host, the hottest first, to the host that is coldest then: the pod that evens the two."""
    load = _sums(host, seen, len(cap))
    moves = 0
    for hot in _hot(load, cap):
        cold = int(np.argmin(load / cap))
        pod = _evens(seen, host, load, cap, hot, cold)
        if pod is not None:
            load[hot] -= seen[pod]
            load[cold] += seen[pod]
            host[pod] = cold
            moves += 1
    return moves


def _rescheduled(seen: Cores, host: Index, cap: Cores, asked: Cores, rng: np.random.Generator) -> int:
    """The same pods, placed where the least of the capacity is asked for, one of them by chance where several are
    alike. An evicted pod counts on its host until its replacement has a place. What comes back to its host has been
    restarted all the same."""
    load, filled = _sums(host, seen, len(cap)), _sums(host, asked, len(cap))
    moves = 0
    for hot in _hot(load, cap):
        pod = _evens(seen, host, load, cap, hot, int(np.argmin(load / cap)))
        if pod is not None:
            to = _least(filled / cap, rng)
            load[hot] -= seen[pod]
            load[to] += seen[pod]
            filled[hot] -= asked[pod]
            filled[to] += asked[pod]
            host[pod] = to
            moves += 1
    return moves


def _hot(load: Cores, cap: Cores) -> list[int]:
    """Hosts above the mean utilisation, the hottest first."""
    used = load / cap
    hottest = np.argsort(-used, kind="stable")
    return [int(i) for i in hottest[used[hottest] > used.mean() + ABOVE_MEAN]]


def _evens(seen: Cores, host: Index, load: Cores, cap: Cores, hot: int, cold: int) -> int | None:
    """The pod of the hot host whose move to the cold one leaves the two most alike; None where none would help."""
    gap = load[hot] / cap[hot] - load[cold] / cap[cold]
    each = 1 / cap[hot] + 1 / cap[cold]  # by so much a core that is moved closes the gap
    pods = np.flatnonzero((host == hot) & (seen > 0))
    if hot == cold or not len(pods):
        return None
    left = np.abs(gap - seen[pods] * each)
    best = int(np.argmin(left))
    return int(pods[best]) if left[best] < gap else None


# ---- What they share


def _sums(index: Index, weights: Cores, length: int) -> npt.NDArray[np.float64]:
    sums: npt.NDArray[np.float64] = np.bincount(index, weights=weights, minlength=length)  # type: ignore[assignment]
    return sums


def _least(share: Cores, rng: np.random.Generator) -> int:
    """Where the least is asked for; where several are alike, one of them by chance, as the scheduler does."""
    least = np.flatnonzero(share == share.min())
    return int(least[rng.integers(len(least))])


def _millicores(requests: Sequence[float] | Cores | None, pods: int) -> npt.NDArray[np.float64]:
    """Whole numbers, so that sums of equal requests are equal."""
    asked = np.full(pods, 1000.0) if requests is None else np.rint(np.asarray(requests, dtype=float) * 1000)
    if asked.shape != (pods,):
        raise ValueError(f"{asked.size} requests for {pods} pods")
    return asked


def _units(named: Index, at: Index) -> tuple[Index, Index]:
    """The unit of each pod, counted from 0, and the host of each unit."""
    if named.shape != at.shape:
        raise ValueError(f"vms must name the VM of each of {len(at)} pods")
    _, index, unit = np.unique(named, return_index=True, return_inverse=True)
    host = at[index]
    if (host[unit] != at).any():
        raise ValueError("the pods of one VM are on two hosts")
    return unit, host


def _check(demand: Cores, cap: Cores, step: float) -> None:
    if demand.ndim != 2 or not len(demand):
        raise ValueError(f"demand must be an array [samples, pods] of one sample or more, not {demand.shape}")
    if cap.ndim != 1 or not len(cap) or not (cap > 0).all():
        raise ValueError("capacities must be one or more positive numbers of cores")
    if not step > 0:
        raise ValueError(f"step must be a positive number of seconds, not {step}")
    # NaN passes neither: one pass each, without a copy of the array.
    if demand.size and not (demand.min() >= 0 and np.isfinite(demand.max())):
        raise ValueError("demand must be finite and not negative; what is not known is no demand: fill it first")
