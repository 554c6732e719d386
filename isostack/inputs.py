"""What stands behind a stack's name: its files read, its plan made, faults and warnings told once for all stacks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components import settings
from components.load import SUFFIXES, Inputs, is_there, load, spec_path
from components.plan import Plan
from components.problems import InvalidInput, Problem
from components.source import load_yaml
from components.wording import did_you_mean
from isostack import rulebook
from isostack.clashes import clashes
from isostack.fields import path_of
from isostack.stacks import Broken, Project, StackFile, shown, stem


@dataclass(frozen=True, slots=True)
class Planned:
    """A stack, what it is made from, and its plan."""

    stack: StackFile
    inputs: Inputs
    plan: Plan


class Faults:
    """The faults of several stacks, each told once; where a target cannot carry its spec, by which stacks."""

    def __init__(self) -> None:
        self._stacks: dict[Problem, list[str]] = {}

    def add(self, problems: Iterable[Problem], stack: str = "") -> None:
        for problem in problems:
            self._stacks.setdefault(problem, []).extend([stack] if stack else [])

    def merge(self, other: Faults) -> None:
        for problem, stacks in other._stacks.items():
            self._stacks.setdefault(problem, []).extend(stacks)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(_named(problem, stacks) for problem, stacks in self._stacks.items())


def read(stack: StackFile) -> Inputs:
    """Raises InvalidInput with every fault of the stack's files."""
    spec, target = _value(stack, settings.SPEC.name), _value(stack, settings.TARGET.name)
    if spec is None or target is None:
        raise InvalidInput(_missing(stack))
    found = load(stack.path.parent, spec, _json(target), stack.path, _json(_value(stack, settings.POLICIES.name)))
    if problems := rulebook.problems(found):
        raise InvalidInput(problems)
    return found


def _json(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def plan(stack: StackFile, faults: Faults) -> Planned | None:
    """The stack with its plan; None where something is wrong, which goes to `faults`."""
    try:
        found = read(stack)
    except InvalidInput as error:
        faults.add(error.problems)
        return None
    try:
        return Planned(stack, found, found.plan())
    except InvalidInput as error:
        shared = [problem for problem in error.problems if problem.file == found.spec_file.path]
        faults.add(shared, stack.name)
        faults.add(problem for problem in error.problems if problem not in shared)
        return None


def plan_all(stacks: Iterable[StackFile]) -> list[Planned]:
    """Raises InvalidInput with what is wrong with any of the stacks."""
    faults = Faults()
    planned = [plan(stack, faults) for stack in stacks]
    if faults.problems:
        raise InvalidInput(faults.problems)
    return [each for each in planned if each]


def impossible(planned: Planned) -> Iterator[Problem]:
    """The wishes of the spec that cannot come true on the stack's target, at their place in the spec."""
    document = planned.inputs.spec_file
    for wish in planned.plan.realisations:
        if wish.grade == "impossible":
            path = path_of(document.data, wish.field)
            right = "change the wish, or what the target config serves it with"
            yield Problem(f"impossible: {wish.reason}", right, path).at(document.path, *document.locate(path))


def warnings(planned: Iterable[Planned]) -> tuple[Problem, ...]:
    """What is worth saying of sound stacks: credentials in clear text, a spec under another cluster's name, clusters
    that would be in each other's way."""
    planned = tuple(planned)
    found: dict[Problem, None] = {}
    for each in planned:
        if each.inputs.stack_file:
            found.update(dict.fromkeys(settings.in_clear(each.inputs.stack_file, settings.of_plan(each.plan))))
        found.update(dict.fromkeys(_other_name(each.inputs)))
    found.update(dict.fromkeys(clashes([(each.stack.name, each.stack.path, each.plan) for each in planned])))
    return tuple(found)


def stacks_of(project: Project, spec: str) -> tuple[list[StackFile], tuple[Problem, ...]]:
    """The stacks of a spec, and what is wrong with stack files that seem to be none of it: the first fault of each.

    Raises InvalidInput where there is no stack, or where one that cannot be told seems to be of this spec: left out in
    silence, it would make a verdict on the others look like one on all.
    """
    _check_file(project, spec)
    faults: list[Problem] = []
    warnings: list[Problem] = []
    found: list[StackFile] = []
    for stack in project.read_all():
        if isinstance(stack, StackFile) and stack.is_of(spec):
            found.append(stack)
        elif _seems_of(stack, spec):
            faults += _stray(stack)
        else:
            warnings += _stray(stack)[:1]
    if not found and not faults:
        faults = [_no_stack(project, spec)]
    if faults:
        raise InvalidInput(faults)
    return found, tuple(warnings)


def _check_file(project: Project, spec: str) -> None:
    """A spec that is named by its file is that file: stacks name theirs by what it is called, in their own folder."""
    path = Path(spec)
    own = spec_path(project.stack_dir, path.name)
    if path.suffix not in SUFFIXES or (path.parent == Path() and not is_there(path)):
        return
    if not is_there(path):
        raise InvalidInput([Problem("no such file", f"isostack compare {stem(spec)}", file=spec)])
    if not (is_there(own) and path.samefile(own)):
        right = f"a stack file beside it must name it, or: isostack compare {stem(spec)}"
        raise InvalidInput([Problem(f"no stack has this spec: theirs is {shown(own)}", right, file=spec)])


def _stray(stack: StackFile | Broken) -> tuple[Problem, ...]:
    """What is wrong with a stack file that names no spec, or none that is there."""
    if isinstance(stack, Broken):
        return stack.problems
    named = _value(stack, settings.SPEC.name)
    if named is not None and is_there(spec_path(stack.path.parent, named)):
        return ()
    try:
        read(stack)
    except InvalidInput as error:
        return error.problems
    return ()


def _seems_of(stack: StackFile | Broken, spec: str) -> bool:
    if isinstance(stack, Broken):
        return stack.may_belong_to(spec)
    named = _value(stack, settings.SPEC.name)
    if named is None:
        return f"{stack.name}-".startswith(f"{stem(spec)}-")
    return did_you_mean(stem(named), [stem(spec)]) is not None


def _no_stack(project: Project, spec: str) -> Problem:
    """What to say of a spec that no stack has."""
    path, name = spec_path(project.stack_dir, Path(spec).name), stem(spec).removeprefix("Pulumi.")
    if name in project.stacks() and (of := _value(project.stack(name), settings.SPEC.name)):
        return Problem(f"{name} is a stack, not a spec", f"isostack compare {stem(of)}")
    if path.is_file():
        right = f"isostack new {path.stem} --target KIND writes one"
        return Problem("no stack names this spec", right, file=str(shown(path)))
    stacks = [stack for stack in project.read_all() if isinstance(stack, StackFile)]
    used = sorted({stem(named) for stack in stacks if (named := _value(stack, settings.SPEC.name))})
    near = did_you_mean(stem(spec), used)
    right = f"did you mean {near!r}?" if near else f"specs with stacks: {', '.join(used) or 'none'}"
    return Problem(f"no stack has the spec {spec!r}", right)


def _value(stack: StackFile, key: str) -> str | None:
    """A value of the config; `null` is one to Pulumi and none to us."""
    value = stack.config.get(key)
    return None if value == "null" else value


def _missing(stack: StackFile) -> list[Problem]:
    """A stack without spec or target: the misspelt keys first."""
    document = load_yaml(stack.path)
    missing = [key.name for key in (settings.SPEC, settings.TARGET) if _value(stack, key.name) is None]
    problem = Problem(f"missing: {', '.join(missing)}", "a stack names its spec and its target", ("config",))
    located = problem.at(document.path, *document.locate(problem.path))
    return [*settings.unknown_keys(document, None), located]


def _other_name(inputs: Inputs) -> Iterator[Problem]:
    """Not a fault: a variant of a spec, to be held against the original, has its cluster's name and another file."""
    document, name = inputs.spec_file, inputs.spec.name
    file = Path(document.path).stem
    if name != file:
        what = f"the cluster is named {name!r} and the file {file!r}"
        right = (
            f"write {file}, unless this is a variant to compare with: two clusters of one name must not run at one site"
        )
        yield Problem(what, right, ("name",)).at(document.path, *document.locate(("name",)))


def _named(problem: Problem, stacks: list[str]) -> Problem:
    if not stacks:
        return problem
    word = "stack" if len(stacks) == 1 else "stacks"
    return replace(problem, what=f"{problem.what} ({word} {', '.join(stacks)})")
