"""Which stacks a change touches, and by which of its files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components import settings
from components.load import is_there, spec_path
from isostack.stacks import Broken, Project, StackFile

PROGRAM: Final = ("Pulumi.yaml", "__main__.py", "components", "isostack", "policies", "requirements.txt")
"""What every stack is made or judged by: the program and all that it imports, the packs, what is installed."""


@dataclass(frozen=True, slots=True)
class Touched:
    stacks: Mapping[str, tuple[str, ...]]
    """By stack: the changed files, as the project names them."""
    gone: tuple[str, ...]
    """Stacks whose file was deleted."""


def touched(project: Project, changed: Iterable[Path]) -> Touched:
    """`changed`: absolute paths. Files outside of the project touch nothing."""
    root, folder = project.root.resolve(), project.stack_dir.resolve()
    files = [path for path in changed if path.is_relative_to(root)]
    program = [path for path in files if path.relative_to(root).parts[0] in PROGRAM]
    stacks: dict[str, tuple[str, ...]] = {}
    for stack in project.read_all():
        own = [path for path in files if _reads(stack, path, folder)]
        if found := [*own, *(path for path in program if path not in own)]:
            stacks[stack.name] = tuple(path.relative_to(root).as_posix() for path in found)
    names = (path.name for path in files if path.parent == folder and not is_there(path))
    gone = [name[len("Pulumi.") : -len(".yaml")] for name in names if name.startswith("Pulumi.")]
    return Touched(stacks, tuple(gone))


def _reads(stack: StackFile | Broken, path: Path, folder: Path) -> bool:
    if path == folder / stack.path.name:
        return True
    if isinstance(stack, Broken):
        return path.parent == folder and not path.name.startswith("Pulumi.") and stack.may_belong_to(path)
    return path in set(_named(stack, folder))


def _named(stack: StackFile, folder: Path) -> Iterator[Path]:
    """Files beside the stack's: its spec, and whatever its target config may name."""
    if spec := stack.config.get(settings.SPEC.name):
        yield spec_path(folder, spec)
    try:
        target = json.loads(stack.config.get(settings.TARGET.name, "null"))
    except ValueError:
        return
    for text in _texts(target):
        yield folder / text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
