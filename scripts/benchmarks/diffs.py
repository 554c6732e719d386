"""The table of what holds stacks against each other: side by side, since a revision, as an HTML report."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from scripts.benchmarks.project import ROOT, beside, scratch
from scripts.benchmarks.tree import Run, run


def table(runs: int, sizes: Sequence[int]) -> None:
    """Memory is of all processes together, looked at in a run of its own. `diff --base` is of the example: three stacks
    of this checkout, against its own HEAD."""
    print("| command | machines | wall s | CPU s | peak MB | output bytes |")
    print("|---|---|---|---|---|---|")
    _row(ROOT, runs, "14", "diff", "--base", "HEAD", "shop", "--format", "markdown")
    for machines in sizes:
        with TemporaryDirectory() as name:
            folder = Path(name)
            stacks = scratch(folder, machines), beside(folder)
            for form in ("text", "json"):
                _row(folder, runs, f"2 x {machines}", "diff", *stacks, "--format", form)
            report = folder / "report.html"
            _row(folder, runs, f"2 x {machines}", "compare", stacks[0], "--html", report.name, output=report)


def _row(folder: Path, runs: int, machines: str, *arguments: str, output: Path | None = None) -> None:
    first, *others = (_once(folder, arguments, memory=i == 0) for i in range(runs + 1))
    size = output.stat().st_size if output else len(first.output.encode())
    wall, cpu = median(each.wall for each in others), median(each.cpu for each in others)
    cells = (
        f"isostack {' '.join(arguments)}",
        machines,
        f"{wall:.2f}",
        f"{cpu:.2f}",
        f"{first.together:.0f}",
        str(size),
    )
    print(f"| {' | '.join(cells)} |", flush=True)


def _once(folder: Path, arguments: Sequence[str], *, memory: bool) -> Run:
    """Exit code 1 is a result: packs block a cluster without backups."""
    command = [sys.executable, "-P", "-m", "isostack", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return run(command, folder, environment, lambda words: "", memory=memory, codes=(0, 1))
