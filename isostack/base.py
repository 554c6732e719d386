"""A git revision of the project beside the working tree: its stacks, previewed by its own program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from components.problems import InvalidInput, Problem
from isostack.git import Done, git, worktree
from isostack.preview import TIMEOUT, Preview
from isostack.stacks import Broken, Project, StackFile, find_project, stem

_OURS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Base:
    """The project as a revision has it, in a folder that is there for a time. Its faults name `REF:FILE`."""

    ref: str
    commit: str
    root: Path
    prefix: str
    """Folder of the project in its repository, with a slash at its end; empty: the project is all of it."""
    running: set[subprocess.Popen[str]] = field(repr=False)
    """Programs of that revision that are running."""

    @cached_property
    def project(self) -> Project:
        """Raises InvalidInput."""
        return find_project(self.root)

    def stacks(self, names: Sequence[str]) -> list[StackFile]:
        """Those that the names stand for there, which may be none; without names, all. Raises InvalidInput."""
        try:
            return stacks_named(self.project, names)
        except InvalidInput as error:
            raise InvalidInput(map(self._located, error.problems)) from None

    def previews(self, stacks: Sequence[StackFile]) -> list[Preview]:
        """Several side by side. Raises InvalidInput with what that revision's own program says of each."""
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            results = list(pool.map(self._preview, [stack.name for stack in stacks]))
        faults = [problem for result in results if isinstance(result, InvalidInput) for problem in result.problems]
        if faults:
            raise InvalidInput(dict.fromkeys(map(self._located, faults)))
        return [result for result in results if isinstance(result, Preview)]

    def _preview(self, name: str) -> Preview | InvalidInput:
        # Where the project has no tool of its own, ours: it runs the program that is there.
        tool = self.root if (self.root / "isostack/__main__.py").is_file() else _OURS.parent
        done = self._run(["-m", "isostack", "preview", name, "--format", "json"], tool)
        try:
            document: dict[str, Any] = json.loads(done.out)
            if done.code == 0:
                return Preview.from_json(document["preview"])
            return InvalidInput(map(_problem, document["problems"]))
        except (ValueError, KeyError, TypeError) as error:
            last = (done.err.strip().splitlines() or [str(error)])[-1]
            what = f"{name} cannot be previewed by that revision's program: {last}"
            return InvalidInput([Problem(what)])

    def _run(self, arguments: Sequence[str], modules: Path) -> Done:
        """This Python, in the revision's project."""
        process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(modules)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.add(process)
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = "", f"it did not end within {TIMEOUT:g} seconds"
        finally:
            self.running.discard(process)
        return Done(process.returncode or 0, out, err)

    def _located(self, problem: Problem) -> Problem:
        """At a file of the revision, as git names it."""
        file = problem.file
        with suppress(ValueError):
            file = str(Path(file).relative_to(self.root))
        return replace(problem, file=f"{self.ref}:{self.prefix}{file}" if file else self.ref)


@contextmanager
def revision(project: Project, ref: str) -> Iterator[Base]:
    """The project at a revision, in a temporary worktree that goes at the end, also on an interrupt.

    Raises InvalidInput where the project is in no git repository, or there is no such revision.
    """
    commit, top = _commit(project.root, ref)
    prefix = project.root.resolve().relative_to(top)
    running: set[subprocess.Popen[str]] = set()

    def kill() -> None:
        for process in list(running):
            process.kill()

    with worktree(top, commit, ref, kill) as tree:
        base = Base(ref, commit, tree / prefix, "" if prefix == Path() else f"{prefix.as_posix()}/", running)
        if not (base.root / "Pulumi.yaml").is_file():
            raise InvalidInput([Problem("no such file in that revision", file=f"{ref}:{base.prefix}Pulumi.yaml")])
        yield base


def user_data(root: Path, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, str]]]:
    """The texts of machines' user data by stack, machine and file, as the program in this folder renders them with
    placeholders. Empty where it cannot be asked for them."""
    done = subprocess.run(
        [sys.executable, "-P", str(_OURS / "userdata.py")],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(_OURS.parent)))},
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {}
    found: dict[str, dict[str, dict[str, str]]] = json.loads(done.stdout)
    return found


def stacks_named(project: Project, names: Sequence[str]) -> list[StackFile]:
    """The stacks that have one of these names, or a spec of it; without names, all. A name may stand for none.

    Raises InvalidInput where one that seems to be meant cannot be read.
    """
    found: dict[str, StackFile] = {}
    for each in project.read_all():
        if isinstance(each, Broken):
            if not names or any(_stack_name(name) == each.name or each.may_belong_to(name) for name in names):
                raise InvalidInput(each.problems)
        elif not names or any(_stack_name(name) == each.name or each.is_of(name) for name in names):
            found[each.name] = each
    return list(found.values())


def _stack_name(name: str) -> str:
    return stem(name).removeprefix("Pulumi.")


def _commit(root: Path, ref: str) -> tuple[str, Path]:
    """The revision's commit, and the top of the repository."""
    if not ref or ref.startswith("-"):
        raise InvalidInput([Problem(f"--base {ref!r} is no name of a revision", "--base main")])
    top = git(root, "rev-parse", "--show-toplevel")
    if top.code:
        what = f"{root} is in no git repository that can be read: {top.last}"
        raise InvalidInput([Problem(what, "--base compares with a revision; --deployed FILE with a stack export")])
    found = git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if found.code:
        right = "git fetch brings those of a remote; a shallow clone has few"
        raise InvalidInput([Problem(f"no revision {ref!r} in this repository", right)])
    return found.out.strip(), Path(top.out.strip()).resolve()


def _problem(data: Mapping[str, Any]) -> Problem:
    """As `--format json` writes it; of a program's traceback, what it begins and ends with."""
    known = {key: data[key] for key in ("right", "file", "line", "column") if key in data}
    lines = str(data["what"]).strip().splitlines()
    what = lines[0] if len(lines) == 1 else f"{lines[0].removesuffix(':')}: {lines[-1].strip()}"
    return Problem(what, path=tuple(data.get("path", ())), **known)
