"""What a real API server says of its objects while it changes, and at which moment of this machine's clock."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import IO, Any

from tests.cluster.running import Cluster


@dataclass(frozen=True, slots=True)
class Watch:
    """All that was said so far."""

    said: list[tuple[float, Any]] = field(default_factory=list)
    """Seconds, and the object as it then was."""

    def first(self, holds: Callable[[Any], bool]) -> float | None:
        """When it was first true of one of them; None: not yet."""
        return next((at for at, each in tuple(self.said) if holds(each)), None)

    def now(self) -> Mapping[str, Any]:
        """By name: each of them as it was last seen."""
        return {each["metadata"]["name"]: each for _, each in tuple(self.said)}

    def _listen(self, lines: IO[bytes]) -> None:
        for line in lines:
            self.said.append((time.monotonic(), json.loads(line)["object"]))


@contextmanager
def watch(cluster: Cluster, path: str) -> Iterator[Watch]:
    """Of all objects under this path of the API, as long as this."""
    command = [*cluster.command(), "get", "--raw", f"{path}?watch=true"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        watch = Watch()
        listener = Thread(target=watch._listen, args=(process.stdout,), daemon=True)
        listener.start()
        try:
            yield watch
        finally:
            process.kill()
            listener.join()
