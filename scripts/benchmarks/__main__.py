"""Benchmarks: whole commands, the embedded preview against Pulumi's own SDK, and against Pulumi's own preview.

Each figure is the median of several runs, each in a process of its own; ratios come from runs in turn (A B A B ...), so
that a machine that slows down slows both. `scripts/bench --help`
"""

from __future__ import annotations

import argparse

from scripts.benchmarks import commands, embedded, engine

TABLES = ("commands", "embedded", "engine")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each measurement; medians are shown")
    parser.add_argument("--only", choices=TABLES, nargs="+", default=TABLES, help="which tables; by default all")
    parser.add_argument(
        "--machines", type=int, nargs="+", default=[100, 500, 2000], help="sizes of the stacks of `embedded`"
    )
    parser.add_argument(
        "--engine-machines", type=int, nargs="+", default=[12, 100, 500], help="sizes of the stacks of `engine`"
    )
    options = parser.parse_args()
    if "commands" in options.only:
        commands.table(options.runs)
        print()
    if "embedded" in options.only:
        embedded.table(options.runs, options.machines)
        print()
    if "engine" in options.only:
        engine.tables(options.runs, options.engine_machines)


if __name__ == "__main__":
    main()
