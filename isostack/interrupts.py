"""What Ctrl-C does: it ends the process at once and without a word, by the signal itself; a shell shows 130.

Not Python's KeyboardInterrupt: that may come up in the middle of anything, and others make their own errors of it
(pydantic a SchemaError) or drop it (a callback of the import system).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def end_on_interrupt() -> None:
    """From now on, unless our caller has us ignore it. What was started ends with us: see isostack.preview.pool and
    isostack.check."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """An interrupt waits until the end. Programs that are started inside begin in the same way."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def on_interrupt(last: Callable[[], object]) -> Iterator[None]:
    """An interrupt does this before it ends the process, and then what those around it ask for. In the main thread
    only."""

    def end(number: int, frame: Any) -> None:
        last()
        if callable(before) and before is not signal.default_int_handler:
            before(number, frame)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
        os._exit(128 + signal.SIGINT)  # reached where SIGINT is blocked

    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
