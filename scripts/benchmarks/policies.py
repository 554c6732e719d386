"""The table of what the policy packs add to the embedded preview."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from scripts.benchmarks.commands import whole
from scripts.benchmarks.project import scratch


def table(runs: int, sizes: Sequence[int]) -> None:
    """`isostack check` against `isostack preview` of the same stack, in turn: all packs, from their start to the last
    finding. Wall time alone: packs are forks of a server that nobody waits for, so no account has their CPU."""
    print("| machines | preview wall s | check wall s | added wall s | added ms a machine |")
    print("|---|---|---|---|---|")
    for machines in sizes:
        with tempfile.TemporaryDirectory() as folder:
            stack = scratch(Path(folder), machines)
            tool = [sys.executable, "-P", "-m", "isostack"]
            commands = (["preview", stack], ["check", stack, "--fail-on", "never"])
            pairs = [[whole(Path(folder), *tool, *command) for command in commands] for _ in range(runs)]
        preview, check = (median(pair[i].wall for pair in pairs) for i in (0, 1))
        wall = median(check.wall - preview.wall for preview, check in pairs)
        cells = (f"{preview:.2f}", f"{check:.2f}", f"{wall:.2f}", f"{wall / machines * 1000:.1f}")
        print(f"| {machines} | {' | '.join(cells)} |", flush=True)
