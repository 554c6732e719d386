"""Previews of stacks without Pulumi CLI, login, credentials or network: the real program, run in child processes.

Importing this package imports nothing of Pulumi, which only the children need. Nor does it import `components`: a
child imports this package before its program, and the program may be another checkout with its own `components`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from isostack.preview.model import UNKNOWN, Message, Preview, Resource, Secret, Unknown
from isostack.preview.pool import run_all, start_server
from isostack.preview.protocol import Job, PreviewFailed, PreviewsFailed

if TYPE_CHECKING:
    from isostack.stacks import StackFile

__all__ = [
    "UNKNOWN",
    "Message",
    "Preview",
    "PreviewFailed",
    "PreviewsFailed",
    "Resource",
    "Secret",
    "Unknown",
    "preview",
    "preview_each",
    "start_server",
]

TIMEOUT: Final = 300.0
"""Seconds for one stack. A program of 4,000 resources needs about 11 [measured]."""


def preview(
    project_root: Path, stacks: Sequence[StackFile], *, jobs: int | None = None, timeout: float = TIMEOUT
) -> list[Preview]:
    """The previews of `stacks`, in their order.

    `jobs` is how many run side by side, by default one for each processor. Raises PreviewFailed when one stack fails
    and PreviewsFailed when several do; InvalidInput, with all problems once, when it is the input alone.
    """
    results: list[Preview | Exception] = [PreviewFailed(stack.name, "not started") for stack in stacks]
    for number, result in _run(project_root, stacks, jobs, timeout):
        results[number] = result
    failures = [(s.name, result) for s, result in zip(stacks, results, strict=True) if isinstance(result, Exception)]
    if failures:
        raise _joined(failures)
    return [result for result in results if isinstance(result, Preview)]


def preview_each(
    project_root: Path, stacks: Sequence[StackFile], *, jobs: int | None = None, timeout: float = TIMEOUT
) -> Iterator[tuple[StackFile, Preview | Exception]]:
    """Like `preview`, each stack with its preview or its failure as soon as there is one."""
    for number, result in _run(project_root, stacks, jobs, timeout):
        yield stacks[number], result


def _run(
    project_root: Path, stacks: Sequence[StackFile], jobs: int | None, timeout: float
) -> Iterator[tuple[int, Preview | Exception]]:
    # Config from the environment would come before that of the stack: the SDK looks there for what the CLI has set.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_CONFIG")}
    work = [
        Job(
            root=str(project_root.resolve()),
            project=stack.project,
            stack=stack.name,
            config=dict(stack.config),
            secret_keys=stack.secret_keys,
            environment=environment,
        )
        for stack in stacks
    ]
    return run_all(work, processes=jobs or os.cpu_count() or 1, timeout=timeout)


def _joined(failures: Sequence[tuple[str, Exception]]) -> Exception:
    from components.problems import InvalidInput

    if len(failures) == 1:
        return failures[0][1]
    inputs = [error for _, error in failures if isinstance(error, InvalidInput)]
    if len(inputs) == len(failures):
        # Stacks of one spec share its faults.
        return InvalidInput(dict.fromkeys(problem for error in inputs for problem in error.problems))
    return PreviewsFailed(failures)
