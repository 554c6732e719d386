"""Loading: from a spec file and a target config to the plan of a stack, with every fault located in its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from components import consistency, settings, sizing, targets
from components.addons import sandboxes
from components.bootstrap import budget, labels
from components.decode import decode
from components.plan import Plan
from components.planning import make_plan
from components.problems import FieldPath, InvalidInput, Problem
from components.source import Document, load_yaml
from components.spec import Spec
from components.target import TargetConfig
from components.waivers import AS_DECLARED, PolicySettings
from components.wording import did_you_mean

TARGET: FieldPath = ("config", settings.TARGET.name)
POLICIES: FieldPath = ("config", settings.POLICIES.name)
"""Where the target config and the policies' settings stand in a stack file."""
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a stack is made from, sound in itself; whether the target can carry the spec, the plan says."""

    spec: Spec
    target: TargetConfig
    spec_file: Document
    stack_file: Document | None
    policies: PolicySettings = AS_DECLARED

    def plan(self) -> Plan:
        """Raises InvalidInput with every demand that the target cannot meet, located in the spec or the stack file."""
        try:
            plan = replace(make_plan(self.spec, self.target), policies=self.policies)
            if problems := list(budget.problems(plan)):
                raise InvalidInput(problems)
            return plan
        except InvalidInput as error:
            raise InvalidInput(self._located(error.problems)) from None

    def _located(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        for problem in problems:
            if problem.source == "spec":
                yield _locate(problem, self.spec_file, ())
            elif problem.source == "target" and self.stack_file is not None:
                yield _locate(problem, self.stack_file, TARGET)
            else:
                yield problem


def load(folder: Path, spec: str, target: Any, stack_file: Path, policies: Any = None) -> Inputs:
    """Read and check the spec and the config of one stack.

    `folder` holds the stacks' files, `spec` is the spec's name or file name, `target` and `policies` are the values of
    `isostack:target` and `isostack:policies`; `stack_file` is where they are written, if it is there. Raises
    InvalidInput with the faults of all.
    """
    faults: list[Problem] = []
    document = load_yaml(stack_file) if stack_file.exists() else None
    loaded_spec, loaded_target = None, None
    if document:
        faults.extend(settings.unknown_keys(document, _kind(target)))
    try:
        _check_named(folder, spec, document)
        loaded_spec = load_spec(spec_path(folder, spec))
    except InvalidInput as error:
        faults.extend(error.problems)
    try:
        loaded_target = load_target(target, folder, document, loaded_spec[0] if loaded_spec else None)
    except InvalidInput as error:
        faults.extend(error.problems)
    judged = AS_DECLARED
    try:
        judged = decode(PolicySettings, {} if policies is None else policies, document=document, at=POLICIES)
    except InvalidInput as error:
        faults.extend(error.problems)
    if loaded_spec is None or loaded_target is None or faults:
        raise InvalidInput(faults)
    return Inputs(loaded_spec[0], loaded_target, loaded_spec[1], document, judged)


def spec_path(folder: Path, spec: str) -> Path:
    return folder / (spec if spec.endswith(SUFFIXES) else f"{spec}.yaml")


def is_there(path: Path) -> bool:
    """Also of a name that no file can have."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def specs_in(folder: Path) -> list[str]:
    """Names that may be those of specs: of all YAML files that are no stack's."""
    files = (path for path in folder.glob("*.y*ml") if path.suffix in SUFFIXES)
    return sorted(path.stem for path in files if not path.name.startswith("Pulumi."))


def _check_named(folder: Path, spec: str, document: Document | None) -> None:
    """A spec that is not there is a fault of the stack file that names it."""
    path = spec_path(folder, spec)
    if document is None or is_there(path):
        return
    near = did_you_mean(path.stem, specs_in(folder))
    problem = Problem(f"{path}: no such file", f"did you mean {near!r}?" if near else "name a spec of this folder")
    raise InvalidInput([_locate(problem, document, settings.place(document, settings.SPEC.name))])


def load_spec(path: Path) -> tuple[Spec, Document]:
    """Raises InvalidInput with every fault of the file."""
    document = load_yaml(path)
    return decode(Spec, document.data, document=document, semantic=_spec_problems), document


def load_target(data: Any, folder: Path, document: Document | None, spec: Spec | None = None) -> TargetConfig:
    """Raises InvalidInput with every fault of the config, for this spec, and of the files it names below `folder`."""
    kind = _kind(data)
    if kind not in targets.kinds():
        kinds = ", ".join(targets.kinds())
        near = did_you_mean(str(kind), targets.kinds())
        right = f"did you mean {near!r}?" if near else f"choose one of: {kinds}"
        what = "the target has no kind" if kind is None else f"no target of kind {kind!r}"
        problem = Problem(what, right, ("kind",))
        raise InvalidInput([_locate(problem, document, TARGET) if document else problem])
    return decode(
        targets.config(kind),
        data,
        document=document,
        at=TARGET,
        context={"folder": folder},
        semantic=(lambda config: config.problems(spec)) if spec else None,
    )


def _kind(data: Any) -> Any:
    return data.get("kind") if isinstance(data, dict) else None


def _spec_problems(spec: Spec) -> Iterator[Problem]:
    return chain(consistency.problems(spec), sizing.problems(spec), labels.problems(spec), sandboxes.problems(spec))


def _locate(problem: Problem, document: Document, at: FieldPath) -> Problem:
    path = (*at, *problem.path)
    return replace(problem, path=path).at(str(document.path), *document.locate(path))
