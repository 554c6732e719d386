"""The table of whole commands."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scripts.benchmarks.project import ROOT


@dataclass(frozen=True)
class Cost:
    """What a run took: wall and CPU seconds, peak memory in MB."""

    wall: float
    cpu: float
    peak: float


def table(runs: int, sizes: Sequence[int]) -> None:
    """Of the example stacks, whatever the sizes."""
    print("| command | wall s | CPU s | peak MB |")
    print("|---|---|---|---|")
    tool = [sys.executable, "-P", "-m", "isostack"]
    for command in ("--help", "plan shop-vsphere", "preview shop-vsphere", "compare shop", "assess shop"):
        arguments = command.split()
        costs = [whole(ROOT, *tool, *arguments) for _ in range(runs)]
        wall, cpu, peak = median(c.wall for c in costs), median(c.cpu for c in costs), median(c.peak for c in costs)
        print(f"| isostack {command} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |", flush=True)


def whole(folder: Path, *arguments: str) -> Cost:
    """One run of a command with its children, in this folder; the peak is that of the largest process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"failed: {' '.join(arguments)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
