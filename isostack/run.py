"""How a command runs, whatever happens: where its result goes, how its errors are told, and its exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand

from components.problems import InvalidInput, Problem
from isostack.interrupts import on_interrupt

# Imports what it needs when that happens: `--help` answers at once.

FINE, NOT_EQUIVALENT, BAD_INPUT = 0, 1, 2


class Format(StrEnum):
    text = "text"
    json = "json"


class Unwritable(InvalidInput):
    """The result cannot be written to the standard output."""


class Command(TyperCommand):
    """A command whose errors are told in the format that was asked for."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            told = problems(error)
            if told is None:
                raise
            _tell(told, as_json=ctx.params.get("format") == Format.json and not isinstance(error, Unwritable))
            raise typer.Exit(BAD_INPUT) from None


def run(app: typer.Typer) -> NoReturn:
    """Run the command line and exit. No bad input and nothing that the system refuses shows a traceback."""
    _open_streams()
    code: Any = FINE
    stdout = sys.stdout
    try:
        app(prog_name="isostack")
    except SystemExit as end:
        # Typer puts a wrapper around a pipe that was closed while it wrote help, and exits with 1.
        code = FINE if sys.stdout is not stdout else end.code
    except OSError as error:  # of what Typer itself writes, or of telling an error
        code = BAD_INPUT
        with suppress(OSError):
            print(f"error: {_refused(error)}", file=sys.stderr)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _forget(1)
    sys.exit(code)


def _open_streams() -> None:
    """What the caller has closed goes nowhere. Otherwise the next file opened would be our standard output."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


@contextmanager
def output() -> Iterator[None]:
    """Around what prints a result. A reader who has seen enough, such as `head`, changes nothing: the exit code stays
    that of the result."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich makes a SystemExit of it
        _forget(1)
    except OSError as error:
        _forget(1)
        what = f"the result cannot be written: {(error.strerror or str(error)).lower()}"
        raise Unwritable([Problem(what)]) from error


def complain(problems: Sequence[Problem]) -> None:
    """Tell what is wrong, on the standard error. Nobody need read to its end."""
    from isostack.report import text

    try:
        text.problems(text.console(stderr=True), problems)
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, SystemExit):
        _forget(2)


@contextmanager
def progress(what: str) -> Iterator[None]:
    """A spinner on a terminal, silence elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    with on_interrupt(lambda: console.show_cursor(True)), console.status(what):
        yield


def warn(warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)


def print_json(command: str, **parts: Any) -> None:
    from isostack.report.document import document

    with output():
        typer.echo(json.dumps(document(command, **parts), indent=2, allow_nan=False))


def _tell(problems: Sequence[Problem], *, as_json: bool) -> None:
    if as_json:
        try:
            print_json("error", problems=tuple(problems))
            return
        except Unwritable as error:
            problems = (*problems, *error.problems)
    complain(problems)


def problems(error: Exception) -> tuple[Problem, ...] | None:
    """What to tell of an error; None: it is a fault of ours."""
    if isinstance(error, InvalidInput):
        return error.problems
    if isinstance(error, OSError):
        return (_refused(error),)
    if isinstance(error, typer.Exit | typer.Abort):
        return None
    from isostack.check import PackFailed
    from isostack.preview import PreviewFailed, PreviewsFailed

    if isinstance(error, PreviewsFailed):
        return tuple(problem for _, failure in error.failures for problem in problems(failure) or ())
    return (Problem(str(error)),) if isinstance(error, PackFailed | PreviewFailed) else None


def _refused(error: OSError) -> Problem:
    """What the system would not do."""
    from isostack.stacks import shown

    file = str(shown(Path(os.fsdecode(error.filename)))) if isinstance(error.filename, str | bytes) else ""
    return Problem((error.strerror or str(error) or type(error).__name__).lower(), file=file)


def _forget(stream: int) -> None:
    """What is left in its buffer goes nowhere; else Python would complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream)
    os.close(nowhere)
