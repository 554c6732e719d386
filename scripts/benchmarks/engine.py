"""The tables of `isostack preview` against `pulumi preview` of the same stack in the same project."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from scripts.benchmarks.project import ROOT, scratch
from scripts.benchmarks.tree import Run, run
from tests.engine import Engine
from tests.tools import NO_GO

PROGRAM, ENGINE, STANDINS = "program", "engine", "stand-ins"


@dataclass(frozen=True)
class Measured:
    """Runs in turn of one size, and the warm-up of each, in which memory was looked at."""

    machines: int
    resources: int
    ours: Sequence[Run]
    theirs: Sequence[Run]
    our_memory: Run
    their_memory: Run

    def times(self) -> str:
        wall, cpu = _ratio(self, lambda r: r.wall), _ratio(self, lambda r: r.cpu)
        our, their = self.our_memory, self.their_memory
        return (
            f"| {self.machines} | {self.resources} "
            f"| {median(r.wall for r in self.ours):.2f} | {median(r.wall for r in self.theirs):.2f} | {wall:.1f} "
            f"| {median(r.cpu for r in self.ours):.2f} | {median(r.cpu for r in self.theirs):.2f} | {cpu:.1f} "
            f"| {our.largest:.0f} / {our.together:.0f} | {their.largest:.0f} / {their.together:.0f} |"
        )

    def parts(self) -> str:
        shares = [median(r.shares[part] for r in self.theirs) for part in (PROGRAM, ENGINE, STANDINS)]
        wall, cpu = (
            _ratio(self, lambda r: r.wall - r.shares[STANDINS]),
            _ratio(self, lambda r: r.cpu - r.shares[STANDINS]),
        )
        return f"| {self.machines} | {' | '.join(f'{share:.2f}' for share in shares)} | {wall:.1f} | {cpu:.1f} |"


def _ratio(measured: Measured, of: Callable[[Run], float]) -> float:
    """How many times as much the engine takes. Our own runs have no stand-ins to be taken off."""
    return median(of(theirs) / of(ours) for ours, theirs in zip(measured.ours, measured.theirs, strict=True))


def table(runs: int, sizes: Sequence[int]) -> None:
    tools = _tools()
    if not tools:
        print("Neither the Pulumi CLI nor Go to compile it: `pulumi preview` is not measured.")
        return
    print(
        "| machines | resources | isostack wall s | pulumi wall s | ratio | isostack CPU s | pulumi CPU s | ratio "
        "| isostack peak MB | pulumi peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    found = []
    for machines in sizes:
        found.append(_measure(tools, machines, runs))
        print(found[-1].times(), flush=True)
    print()
    print("| machines | program CPU s | engine CPU s | stand-ins CPU s | wall ratio without | CPU ratio without |")
    print("|---|---|---|---|---|---|")
    for measured in found:
        print(measured.parts())


def _tools() -> list[str]:
    done = subprocess.run([ROOT / "scripts" / "tools", "pulumi"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, NO_GO):
        raise SystemExit("scripts/tools failed")
    return done.stdout.splitlines() if done.returncode == 0 else []


def _measure(tools: Sequence[str], machines: int, runs: int) -> Measured:
    with TemporaryDirectory() as name:
        project, home = Path(name) / "project", Path(name) / "engine"
        for folder in (project, home):
            folder.mkdir()
        stack = scratch(project, machines)
        engine = Engine(home, tools, project)
        engine.init(stack)
        python = [sys.executable, "-P", "-m"]

        def ours(*, memory: bool = False) -> Run:
            command = [*python, "isostack", "preview", stack]
            return run(command, project, engine.environment, lambda words: PROGRAM, memory=memory)

        def theirs(*, memory: bool = False) -> Run:
            command = [*python, "scripts.benchmarks.program", str(project), stack]
            return run(command, project, engine.environment, _part, memory=memory)

        first = ours(memory=True), theirs(memory=True)
        pairs = [(ours(), theirs()) for _ in range(runs)]
    return Measured(machines, _count(*first), [o for o, _ in pairs], [t for _, t in pairs], *first)


def _part(words: Sequence[str]) -> str:
    if "tests.standins" in words:
        return STANDINS
    return ENGINE if Path(words[0]).name == "pulumi" else PROGRAM


def _count(ours: Run, theirs: Run) -> int:
    """The resources of the stack. Both must have previewed the same."""
    here = sum(map(int, re.findall(r"\d+", ours.output.splitlines()[0].partition(":")[2])))
    there = re.search(r"\+ (\d+) to create", theirs.output)
    if not there or int(there[1]) != here:
        raise SystemExit(f"{here} resources in isostack's preview, not in the engine's:\n{theirs.output[-2000:]}")
    return here
