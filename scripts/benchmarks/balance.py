"""The table of the simulation of balance, at full size, and against a plain loop on a small case.

`python -m scripts.benchmarks.balance BALANCER` is one run at full size: demand made, pods placed, 10 days simulated.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any, get_args

from scripts.benchmarks.commands import whole
from scripts.benchmarks.project import ROOT

HOSTS, PODS, SAMPLES = 100, 5000, 2880
SMALL_HOSTS, SMALL_PODS, SMALL_SAMPLES = 20, 400, 72
STEP, THREADS, VMS = 300.0, 64.0, 8


def case(hosts: int, pods: int, samples: int) -> dict[str, Any]:
    """A pool at 70 % load, its pods spread by count and packed into 8 node VMs a host."""
    from isostack.assess.demand import scaled, synthetic
    from isostack.assess.simulation import packed, placed

    requests, capacities = [1.0] * pods, [THREADS] * hosts
    at = placed(requests, capacities)
    return {
        "demand": scaled(synthetic(pods, samples, step=STEP, seed=1), hosts * THREADS, 0.7),
        "capacities": capacities,
        "step": STEP,
        "placement": at,
        "requests": requests,
        "vms": packed(at, VMS),
    }


def table(runs: int, sizes: Sequence[int]) -> None:
    """Of one size, whatever the sizes of stacks."""
    from isostack.assess.simulation import Balancer, simulate
    from tests import plain_balance

    print("| balancer | wall s | CPU s | peak MB | plain loop, small case: s | ours s | ratio |")
    print("|---|---|---|---|---|---|---|")
    small = case(SMALL_HOSTS, SMALL_PODS, SMALL_SAMPLES)
    lists = {key: value if isinstance(value, float | list) else value.tolist() for key, value in small.items()}
    for balancer in get_args(Balancer):
        costs = [whole(ROOT, sys.executable, "-P", "-m", "scripts.benchmarks.balance", balancer) for _ in range(runs)]
        simulate(**small, balancer=balancer)  # warm-up
        pairs = []
        for _ in range(runs):
            start = time.perf_counter()
            plain_balance.simulate(**lists, balancer=balancer)
            between = time.perf_counter()
            simulate(**small, balancer=balancer)
            pairs.append((between - start, time.perf_counter() - between))
        wall, cpu, peak = median(c.wall for c in costs), median(c.cpu for c in costs), median(c.peak for c in costs)
        plain, ours = (median(pair[i] for pair in pairs) for i in (0, 1))
        ratio = median(plain / ours for plain, ours in pairs)
        print(
            f"| {balancer} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {plain:.2f} | {ours:.4f} | {ratio:.0f} |", flush=True
        )


def main(balancer: str) -> None:
    from isostack.assess.simulation import simulate

    simulate(**case(HOSTS, PODS, SAMPLES), balancer=balancer)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])
