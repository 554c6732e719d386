"""A command with all processes that come of it: wall time, CPU seconds by what they are, memory. Needs Linux."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2): who has lost his parent becomes our child, and we are told what he took."""
TICK = os.sysconf("SC_CLK_TCK")
PAUSE = 0.1
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Run:
    """CPU is the kernel's own account of all that ended. The rest comes from looks at the running processes, and is a
    little too low: shares of the CPU; `largest`, the peak of the largest process; `together`, the sum of proportional
    set sizes at its highest. The kernel's own peak of a process begins with the size of ours.
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
    largest: float = 0.0
    together: float = 0.0

    def look(self) -> None:
        while not self.stop.wait(PAUSE):
            sizes = 0.0
            for process in Path("/proc").glob("[0-9]*"):
                number = int(process.name)
                try:
                    # After the name, which may hold spaces and brackets: state, parent, group, session, ...
                    stat = (process / "stat").read_text().rpartition(")")[2].split()
                    if int(stat[3]) != self.session:
                        continue
                    seconds = (int(stat[11]) + int(stat[12])) / TICK
                    line = (process / "cmdline").read_bytes().decode(errors="replace")
                    # A process that has ended, and that nobody has asked for yet, has no command line any more.
                    if line or number in self.seen:
                        self.seen[number] = self.part(line.split("\0")) if line else self.seen[number][0], seconds
                    if self.memory:
                        sizes += _megabytes("Pss:", (process / "smaps_rollup").read_text())
                        self.largest = max(self.largest, _megabytes("VmHWM:", (process / "status").read_text()))
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
    codes: Collection[int] = (0,),
) -> Run:
    """`part` names what a process is by its command line. Looking at memory takes time from a run whose time counts.
    `codes`: exit codes that are no failure."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with open(os.memfd_create("output"), "w+b") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        watch = Watch(process.pid, part, memory)
        thread = threading.Thread(target=watch.look)
        thread.start()
        wall = cpu = 0.0
        try:
            for pid, code, seconds in _ended():
                cpu += seconds
                if pid == process.pid:
                    wall, process.returncode = time.perf_counter() - start, code
        finally:
            watch.stop.set()
            thread.join()
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode not in codes:
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    shares: dict[str, float] = defaultdict(float)
    for name, seconds in watch.seen.values():
        shares[name] += seconds
    return Run(said, wall, cpu, shares, watch.largest, watch.together)


def _ended() -> Iterator[tuple[int, int, float]]:
    """Every child as it ends, until there is none: its exit code and CPU seconds, with what it has waited for."""
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return
        yield pid, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def _megabytes(name: str, text: str) -> float:
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(name)) / 1024
