"""git, as the commands about changes ask it: what it says, and a revision's files beside the working tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.problems import InvalidInput, Problem
from isostack.interrupts import interrupts_held, on_interrupt

_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""What git sets for its hooks, and would lead elsewhere."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line of what it complains of."""
        return (self.err.strip().splitlines() or ["it says nothing"])[-1].removeprefix("fatal: ")


def git(folder: Path, *arguments: str) -> Done:
    """In a folder. Raises InvalidInput where there is no git."""
    # In a container the clone is often another user's. The program in it is run all the same, so there is nothing that
    # git's refusal would protect. A hook may do anything, and nobody asked for a checkout.
    command = ["git", "-C", str(folder), "-c", "safe.directory=*", "-c", f"core.hooksPath={os.devnull}", *arguments]
    environment = {key: value for key, value in os.environ.items() if key not in _OF_HOOKS}
    try:
        done = subprocess.run(command, env={**environment, "LC_ALL": "C"}, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InvalidInput([Problem("git is not on PATH", "what is compared with a revision needs it")]) from None
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def worktree(top: Path, commit: str, ref: str, last: Callable[[], object] = lambda: None) -> Iterator[Path]:
    """All files of a commit in a folder that goes at the end, also on an interrupt; `last` is done before that. `ref`:
    the commit's name for people.

    Raises InvalidInput where git cannot check it out.
    """
    folder = Path(tempfile.mkdtemp(prefix="isostack-base-")).resolve()
    tree = folder / "tree"

    def remove() -> None:
        last()
        git(top, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(folder, ignore_errors=True)

    with on_interrupt(remove):
        try:
            with interrupts_held():  # half a worktree could not be removed
                made = git(top, "worktree", "add", "--detach", str(tree), commit)
            if made.code:
                raise InvalidInput([Problem(f"git cannot check out {ref}: {made.last}")])
            yield tree
        finally:
            remove()
