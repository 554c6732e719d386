"""Benchmarks: whole commands, the embedded preview against Pulumi's own SDK and preview, policies, the simulation.

Each figure is the median of several runs, each in a process of its own; ratios come from runs in turn (A B A B ...), so
that a machine that slows down slows both. `scripts/bench --help`
"""

from __future__ import annotations

import argparse
from importlib import import_module

SIZES: dict[str, list[int]] = {
    "commands": [],
    "embedded": [100, 500, 2000],
    "policies": [100, 500, 2000],
    "balance": [],
    "diffs": [500],
    "engine": [12, 100, 500],
}
"""The tables, in their order, with the sizes of the stacks that they preview."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each measurement; medians are shown")
    parser.add_argument("--only", choices=SIZES, nargs="+", default=SIZES, help="which tables; by default all")
    parser.add_argument(
        "--machines", type=int, nargs="+", help="sizes of previewed stacks; by default each table's own"
    )
    options = parser.parse_args()
    # The kernel counts the memory of a child from the size of the process that starts it, so this one stays small:
    # each table is loaded when its turn comes, and that of the engine, which loads the most, comes last.
    for name in SIZES:
        if name in options.only:
            import_module(f"scripts.benchmarks.{name}").table(options.runs, options.machines or SIZES[name])
            print()


if __name__ == "__main__":
    main()
