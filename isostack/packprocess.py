"""The process of a policy pack: forked where Pulumi is loaded already, and otherwise as `pulumi` would start it."""

from __future__ import annotations

import io
import os
import runpy
import signal
import sys
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from isostack.preview.own import give_way
from isostack.preview.pool import end_with_parent, pipe, spawn

_NO_ENGINE: Final = "127.0.0.1:0"
_STDERR_LINES: Final = 20


class PackProcess:
    """A pack that runs. It ends with this process, however that ends."""

    def __init__(self, folder: Path) -> None:
        output, output_of_child = pipe()
        errors, errors_of_child = pipe()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        self._process = spawn(_main, output_of_child, errors_of_child, str(folder), environment)
        output_of_child.close()
        errors_of_child.close()
        self.first_line: Future[bytes] = Future()
        """Of what it prints: its port."""
        threading.Thread(target=_listen, args=(output, self.first_line), daemon=True).start()
        self._errors: deque[bytes] = deque(maxlen=_STDERR_LINES)
        self._reader = threading.Thread(target=_keep, args=(errors, self._errors), daemon=True)
        self._reader.start()

    def exit_code(self) -> int | None:
        """None where it runs; one that is about to end has a second for it."""
        self._process.join(1)
        return self._process.exitcode

    def last_words(self) -> str:
        """The end of what it wrote to its standard error, so far."""
        self._reader.join(0 if self._process.is_alive() else 1)
        return b"".join(self._errors).decode("utf-8", "replace").rstrip()

    def end(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()


def _listen(output: Connection, first_line: Future[bytes]) -> None:
    """The line with the port; then all that rules print, lest the pipe fill up and the pack stop."""
    with open(output.fileno(), "rb", closefd=False) as stream, output:
        first_line.set_result(stream.readline(200))
        while stream.read(65536):
            pass


def _keep(errors: Connection, lines: deque[bytes]) -> None:
    """All of it is read, lest the pipe fill up and the pack stop."""
    with open(errors.fileno(), "rb", closefd=False) as stream, errors:
        while line := stream.readline(4096):
            lines.append(line)


def _main(output: Connection, errors: Connection, folder: str, environment: dict[str, str]) -> None:
    """The whole life of a pack: what `python -u -m pulumi.policy` does, which the language host runs too."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in ((1, output), (2, errors)):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdout, sys.stderr = (_unbuffered(number) for number in (1, 2))
    os.chdir(folder)
    give_way(Path(folder).parents[1])
    sys.argv = ["pulumi.policy", _NO_ENGINE, folder]
    runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)


def _unbuffered(number: int) -> Any:
    return io.TextIOWrapper(io.FileIO(number, "wb", closefd=False), write_through=True)
