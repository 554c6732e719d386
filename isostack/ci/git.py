"""What git knows of a change: where it begins, which files it touches, and how they were before."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from components.problems import InvalidInput, Problem


@dataclass(frozen=True, slots=True)
class Change:
    """From the revision where a branch left its base to the files as they are now."""

    top: Path
    """Root of the work tree."""
    base: str
    """Full hash of that revision."""

    @classmethod
    def since(cls, folder: Path, base: str) -> Self:
        """Raises InvalidInput where `folder` is in no clone, or where the clone lacks the revision `base`."""
        try:
            top = _git(folder, "rev-parse", "--show-toplevel").rstrip("\n")
        except _Refused as error:
            raise InvalidInput([Problem(f"not in a git work tree: {error}", "run it in a clone")]) from None
        try:
            commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
            return cls(Path(top), _git(folder, "merge-base", commit, "HEAD").strip())
        except _Refused:
            what = f"this clone does not have the revision {base!r}, or nothing in common with it"
            right = "clone the whole history: fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 of GitLab"
            raise InvalidInput([Problem(what, right)]) from None

    def files(self) -> list[Path]:
        """Absolute paths of all that was changed, added or deleted since, committed or not; ignored files apart."""
        # Of a renamed file both names are touched.
        changed = _git(self.top, "diff", "--name-only", "--no-renames", "-z", self.base)
        new = _git(self.top, "ls-files", "--others", "--exclude-standard", "-z")
        return sorted({self.top / name for name in f"{changed}{new}".split("\0") if name})

    @contextmanager
    def before(self) -> Iterator[Path]:
        """A folder with all files as they were, for as long as the context lasts."""
        with TemporaryDirectory(prefix="isostack-base-") as folder:
            tree = Path(folder).resolve() / "tree"
            _git(self.top, "worktree", "add", "--quiet", "--detach", str(tree), self.base)
            try:
                yield tree
            finally:
                _git(self.top, "worktree", "remove", "--force", str(tree))


class _Refused(Exception):
    """What git says."""


def _git(folder: Path, *arguments: str) -> str:
    # In a container the clone is often another user's. The program in it is run all the same, so there is nothing that
    # git's refusal would protect.
    command = ["git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InvalidInput([Problem("there is no git on PATH", "install it")]) from None
    if done.returncode:
        raise _Refused(done.stderr.strip())
    return done.stdout
