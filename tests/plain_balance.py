"""The simulation of balance as a plain loop over pods and hosts, to hold isostack.assess.simulation against.

Nothing is taken from there but constants: every host is tried as a destination, and nothing is vectorised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev, pvariance

import numpy as np

from isostack.assess.simulation import ABOVE_MEAN, EVERY_SECONDS, MOST_MOVES, THRESHOLD, WINDOW_SECONDS


@dataclass(frozen=True)
class Plain:
    unmet: float
    spread: float
    moves: int
    placement: list[int]


def simulate(
    demand: Sequence[Sequence[float]],
    capacities: Sequence[float],
    balancer: str,
    step: float,
    placement: Sequence[int],
    requests: Sequence[float],
    vms: Sequence[int],
    vcpus: float | None = None,
    seed: int = 0,
) -> Plain:
    """As simulation.simulate, for lists."""
    hosts, pods = range(len(capacities)), range(len(placement))
    unit_of = list(pods) if balancer.startswith("descheduler") else list(vms)
    host = {unit_of[pod]: placement[pod] for pod in pods}
    window, every = max(1, round(WINDOW_SECONDS / step)), max(1, round(EVERY_SECONDS / step))
    rng = np.random.default_rng(seed)
    lost = total = 0.0
    variances: list[float] = []
    history: list[dict[int, float]] = []
    moves = 0
    for t, sample in enumerate(demand):
        used = dict.fromkeys(host, 0.0)
        for pod in pods:
            used[unit_of[pod]] += sample[pod]
        if vcpus is not None:
            lost += sum(max(0.0, cores - vcpus) for cores in used.values())
            used = {unit: min(cores, vcpus) for unit, cores in used.items()}
        load = loads(used, host, len(capacities))
        lost += sum(max(0.0, load[h] - capacities[h]) for h in hosts)
        total += sum(sample)
        variances.append(pvariance([load[h] / capacities[h] for h in hosts]))
        history.append(used)
        if balancer == "none" or (t + 1) % every:
            continue
        seen = {unit: fmean(before[unit] for before in history[-window:]) for unit in host}
        if balancer == "drs":
            moves += drs(seen, host, capacities)
        else:
            moves += descheduler(seen, host, capacities, requests if balancer != "descheduler" else None, rng)
    return Plain(lost / total if total else 0.0, fmean(variances) ** 0.5, moves, [host[unit_of[pod]] for pod in pods])


def loads(seen: dict[int, float], host: dict[int, int], hosts: int) -> list[float]:
    load = [0.0] * hosts
    for unit, cores in seen.items():
        load[host[unit]] += cores
    return load


def drs(seen: dict[int, float], host: dict[int, int], capacities: Sequence[float]) -> int:
    count = len(capacities)
    for moves in range(MOST_MOVES):
        load = loads(seen, host, count)
        used = [load[h] / capacities[h] for h in range(count)]
        if pstdev(used) <= THRESHOLD / count**0.5:
            return moves
        total, squares = sum(used), sum(each * each for each in used)
        best, move = pstdev(used) ** 2 - 1e-12, None
        for unit, cores in seen.items():
            start = host[unit]
            freed = (load[start] - cores) / capacities[start]
            for to in range(count):
                if to != start:
                    filled = (load[to] + cores) / capacities[to]
                    mean = (total - used[start] + freed - used[to] + filled) / count
                    square = squares - used[start] ** 2 + freed**2 - used[to] ** 2 + filled**2
                    if square / count - mean**2 < best:
                        best, move = square / count - mean**2, (unit, to)
        if move is None:
            return moves
        host[move[0]] = move[1]
    return MOST_MOVES


def descheduler(
    seen: dict[int, float],
    host: dict[int, int],
    capacities: Sequence[float],
    requests: Sequence[float] | None,
    rng: np.random.Generator,
) -> int:
    """By requests where these are given, else by usage."""
    hosts = range(len(capacities))
    load = loads(seen, host, len(capacities))
    used = [load[h] / capacities[h] for h in hosts]
    moves = 0
    for hot in sorted(hosts, key=lambda h: -used[h]):
        if used[hot] <= fmean(used) + ABOVE_MEAN:
            continue
        load = loads(seen, host, len(capacities))
        cold = min(hosts, key=lambda h: load[h] / capacities[h])
        gap = load[hot] / capacities[hot] - load[cold] / capacities[cold]
        best, evicted = gap, None
        for pod, cores in seen.items():
            left = abs(gap - cores / capacities[hot] - cores / capacities[cold])
            if host[pod] == hot and cores > 0 and hot != cold and left < best:
                best, evicted = left, pod
        if evicted is None:
            continue
        moves += 1
        host[evicted] = cold
        if requests is not None:
            host[evicted] = hot  # it counts until its replacement has a place
            asked = [sum(round(requests[pod] * 1000) for pod in seen if host[pod] == h) / capacities[h] for h in hosts]
            least = [h for h in hosts if asked[h] == min(asked)]
            host[evicted] = least[int(rng.integers(len(least)))]
    return moves
