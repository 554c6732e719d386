"""What to tell the user of an exception of the program: its traceback from the program's first frame on."""

from __future__ import annotations

import asyncio
import os
import runpy
import traceback
from pathlib import Path
from typing import Final

import pulumi
from pulumi import _types

from isostack.preview.monitor import project_file

_MACHINERY: Final = (
    *(os.path.dirname(file) + os.sep for file in (asyncio.__file__, pulumi.__file__, __file__)),
    runpy.__file__,
    "<frozen runpy>",
    "<frozen importlib",
)


def explain(error: BaseException, root: Path) -> str:
    """The message alone where the user needs no traceback, as the Python language host has it for RunError."""
    if isinstance(error, pulumi.RunError):
        return str(error)
    report = traceback.TracebackException.from_exception(error, compact=True)
    if function := _asked_provider(report):
        place = next(f"{frame.filename}:{frame.lineno}" for frame in reversed(report.stack) if _is_own(frame, root))
        return (
            f"{place}: {function} asks the provider at once, and a preview without the provider cannot answer;"
            f" use {function}_output, whose result may be unknown"
        )
    _trim(report, root)
    return "the program raised an exception:\n" + "".join(report.format()).rstrip()


def _asked_provider(report: traceback.TracebackException) -> str | None:
    """The data source whose plain form has stumbled over an unknown result: the SDK takes fields of None there."""
    frames = report.stack[-2:]
    if len(frames) == 2 and (frames[1].filename, frames[1].name) == (_types.__file__, "get"):
        return frames[0].name
    return None


def _trim(report: traceback.TracebackException, root: Path) -> None:
    """Drops what ran the program: all frames before the first of its own, or, if it has none, all machinery."""
    own = [i for i, frame in enumerate(report.stack) if _is_own(frame, root)]
    other = [i for i, frame in enumerate(report.stack) if not frame.filename.startswith(_MACHINERY)]
    del report.stack[: (own or other or [len(report.stack)])[0]]
    for inner in (report.__cause__, report.__context__):
        if inner:
            _trim(inner, root)


def _is_own(frame: traceback.FrameSummary, root: Path) -> bool:
    # In a checkout the machinery lies inside the project.
    return not frame.filename.startswith(_MACHINERY) and project_file(frame.filename, root) is not None
