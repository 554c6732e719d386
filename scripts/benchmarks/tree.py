"""A command with all processes that come of it: wall time, CPU seconds by what they are, memory. Needs Linux."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2): who has lost his parent becomes our child, and we are told what he took."""
TICK = os.sysconf("SC_CLK_TCK")
PAUSE = 0.1
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Run:
    """CPU and the largest process are the kernel's own account of all that ended. What hangs on looks at the running
    processes is a little too low: shares, and `together`, the sum of their proportional set sizes at its highest.
    """

    output: str
    wall: float
    cpu: float
    shares: Mapping[str, float]
    largest: float
    together: float


@dataclass
class Watch:
    """Looks at the processes of a session until told to stop."""

    session: int
    part: Callable[[Sequence[str]], str]
    memory: bool
    stop: threading.Event = field(default_factory=threading.Event)
    seen: dict[int, tuple[str, float]] = field(default_factory=dict)
    """What each process is, and its CPU seconds so far."""
    together: float = 0.0

    def look(self) -> None:
        while not self.stop.wait(PAUSE):
            sizes = 0.0
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    # After the name, which may hold spaces and brackets: state, parent, group, session, ...
                    stat = (process / "stat").read_text().rpartition(")")[2].split()
                    if int(stat[3]) != self.session:
                        continue
                    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                    self.seen[int(process.name)] = self.part(words), (int(stat[11]) + int(stat[12])) / TICK
                    if self.memory:
                        sizes += _proportional((process / "smaps_rollup").read_text())
                except (FileNotFoundError, ProcessLookupError):
                    continue  # it has just ended
            self.together = max(self.together, sizes)


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    part: Callable[[Sequence[str]], str],
    *,
    memory: bool = False,
) -> Run:
    """`part` names what a process is by its command line. Looking at memory takes time from a run whose time counts."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with open(os.memfd_create("output"), "w+b") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        watch = Watch(process.pid, part, memory)
        thread = threading.Thread(target=watch.look)
        thread.start()
        wall = cpu = largest = 0.0
        try:
            for pid, code, seconds, size in _ended():
                cpu, largest = cpu + seconds, max(largest, size)
                if pid == process.pid:
                    wall, process.returncode = time.perf_counter() - start, code
        finally:
            watch.stop.set()
            thread.join()
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    shares: dict[str, float] = defaultdict(float)
    for name, seconds in watch.seen.values():
        shares[name] += seconds
    return Run(said, wall, cpu, shares, largest, watch.together)


def _ended() -> Iterator[tuple[int, int, float, float]]:
    """Every child as it ends, until there is none: its exit code, CPU seconds and MB, with what it has waited for."""
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return
        yield pid, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _proportional(rollup: str) -> float:
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
