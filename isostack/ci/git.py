"""What git knows of a change: where it begins, which files it touches, and how they were before."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.problems import InvalidInput, Problem
from isostack.git import git, worktree


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
        top = git(folder, "rev-parse", "--show-toplevel")
        if top.code:
            raise InvalidInput([Problem(f"not in a git work tree: {top.last}", "run it in a clone")])
        commit = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
        left = git(folder, "merge-base", commit.out.strip(), "HEAD")
        if commit.code or left.code:
            what = f"this clone does not have the revision {base!r}, or nothing in common with it"
            right = "clone the whole history: fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 of GitLab"
            raise InvalidInput([Problem(what, right)])
        return cls(Path(top.out.rstrip("\n")), left.out.strip())

    def files(self) -> list[Path]:
        """Absolute paths of all that was changed, added or deleted since, committed or not; ignored files apart.

        Raises InvalidInput where git cannot tell."""
        # Of a renamed file both names are touched.
        changed = git(self.top, "diff", "--name-only", "--no-renames", "-z", self.base)
        new = git(self.top, "ls-files", "--others", "--exclude-standard", "-z")
        if faults := [
            Problem(f"git cannot tell what was changed: {each.last}") for each in (changed, new) if each.code
        ]:
            raise InvalidInput(faults)
        return sorted({self.top / name for name in f"{changed.out}{new.out}".split("\0") if name})

    def before(self) -> AbstractContextManager[Path]:
        """A folder with all files as they were, for as long as the context lasts. Raises InvalidInput."""
        return worktree(self.top, self.base, self.base)
