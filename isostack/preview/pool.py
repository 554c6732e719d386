"""Child processes for previews: one for each stack, several side by side, none of which can hang or outlive us."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, forkserver, resource_tracker
from multiprocessing.context import ForkServerProcess
from types import ModuleType
from typing import Any

from isostack.interrupts import interrupts_held
from isostack.preview.model import Preview
from isostack.preview.protocol import Job, PreviewFailed

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["isostack.preview.preload"])


@dataclass(frozen=True, eq=False)
class _Child:
    """A running process. `number` is the place of its job among the jobs."""

    number: int
    job: Job
    process: ForkServerProcess
    pipe: connection.Connection
    deadline: float

    def result(self) -> Preview | Exception:
        """To be asked once the pipe or the process has reported."""
        try:
            if not self.pipe.poll():
                raise EOFError
            result: Preview | Exception = pickle.loads(self.pipe.recv_bytes())
        except EOFError:
            self.process.join()
            return PreviewFailed(self.job.stack, _death(self.process.exitcode or 0))
        except Exception as error:
            return PreviewFailed(self.job.stack, f"what the program raised cannot be read here: {error}")
        return result

    def end(self) -> None:
        """Kills the process and those it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        self.pipe.close()


def start_server() -> None:
    """Starts the process that loads Pulumi, unless it runs. Returns at once: it loads while we read files."""
    resource_tracker.ensure_running()  # it unblocks SIGINT
    # Held also in the server's first moment: a Python that Ctrl-C meets early would print a traceback.
    with _blank_main(), _import_path(), interrupts_held():
        forkserver.ensure_running()


def run_all(jobs: Sequence[Job], *, processes: int, timeout: float) -> Iterator[tuple[int, Preview | Exception]]:
    """The result of each job with its place among the jobs, as they come in. `timeout` in seconds for each."""
    waiting = deque(enumerate(jobs))
    running: list[_Child] = []
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                running.append(_start(*waiting.popleft(), timeout))
            for child, result in _wait(running, timeout):
                running.remove(child)
                child.end()
                yield child.number, result
    finally:
        # Reached early on Ctrl-C, or when the caller has seen enough.
        for child in running:
            child.end()


def pipe() -> tuple[connection.Connection, connection.Connection]:
    """What comes out, and the end to give to a child."""
    return _CONTEXT.Pipe(duplex=False)


def spawn(target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """A child that has Pulumi loaded, and calls this."""
    start_server()
    process = _CONTEXT.Process(target=target, args=arguments, daemon=True)
    with _blank_main():
        process.start()
    return process


def _start(number: int, job: Job, timeout: float) -> _Child:
    receiver, sender = pipe()
    process = spawn(_main, sender, job)
    sender.close()
    return _Child(number, job, process, receiver, time.monotonic() + timeout)


def _wait(running: Sequence[_Child], timeout: float) -> list[tuple[_Child, Preview | Exception]]:
    """Waits for the first children to end, or to be late."""
    next_deadline = min(child.deadline for child in running)
    awaited = [reporter for child in running for reporter in (child.pipe, child.process.sentinel)]
    ready = connection.wait(awaited, max(0.0, next_deadline - time.monotonic()))
    ended = [(child, child.result()) for child in running if child.pipe in ready or child.process.sentinel in ready]
    now = time.monotonic()
    late: list[tuple[_Child, Preview | Exception]] = [
        (child, PreviewFailed(child.job.stack, f"the program did not end within {timeout:g} seconds"))
        for child in running
        if not ready and child.deadline <= now
    ]
    return ended + late


def _death(exit_code: int) -> str:
    if exit_code >= 0:
        return f"the process ended with exit code {exit_code} in the middle of the program"
    name = signal.Signals(-exit_code).name
    hint = "; was there enough memory?" if name == "SIGKILL" else ""
    return f"the process was ended by {name} in the middle of the program{hint}"


@contextmanager
def _blank_main() -> Iterator[None]:
    """Hides our main module: multiprocessing would import it again in each child, whatever it is and costs."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _import_path() -> Iterator[None]:
    """Lets the fork server import what we can: Python 3.11 does not tell it our sys.path, and it ignores failures."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    try:
        yield
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def _main(pipe: connection.Connection, job: Job) -> None:
    """The whole life of a child."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=end_with_parent, daemon=True).start()
    # The fork server's own environment may be older than the command's.
    os.environ.clear()
    os.environ.update(job.environment)
    result: Preview | Exception
    try:
        from isostack.preview.child import run

        result = run(job)
    except BaseException:
        result = PreviewFailed(job.stack, f"internal error:\n{traceback.format_exc()}")
    try:
        message = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    except Exception:
        message = pickle.dumps(PreviewFailed(job.stack, str(result)))
    pipe.send_bytes(message)


def end_with_parent() -> None:
    """For a thread of a child that leads a process group."""
    if parent := multiprocessing.parent_process():
        parent.join()
    os.killpg(0, signal.SIGKILL)
