"""A git repository with a project in it, for tests of changes."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cli import COMMAND, ENVIRONMENT
from tests.configs import ScratchProject, scratch
from tests.specs import ROOT

_NOBODY = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "test@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
"""Git without anybody's settings."""
_OF_CI = ("GITHUB_", "GITLAB_", "CI_", "ISOSTACK_")


@dataclass(frozen=True)
class Repository:
    """Its first commit has the tag `base`."""

    root: Path
    project: ScratchProject

    def git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.root, env=_NOBODY, check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The command line in the project, outside of any CI system but for what is given."""
        own = {name: value for name, value in ENVIRONMENT.items() if not name.startswith(_OF_CI)}
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.project.root,
            env={**own, **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return done


def repository(root: Path, *stacks: str, folder: str = ".") -> Repository:
    """With these example stacks, their specs and inventories; `folder`: of the project."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    project = scratch(root / folder)
    for name in stacks:
        spec = name.split("-")[0]
        for file in (f"Pulumi.{name}.yaml", f"{spec}.yaml", f"{spec}-inventory.csv"):
            shutil.copy(ROOT / "stacks" / file, project.stacks)
    made = Repository(root, project)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.commit()
    made.git("tag", "base")
    return made
