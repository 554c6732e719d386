"""The Pulumi project and its stacks, as their files have them: names, places and config."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from components.problems import FieldPath, InvalidInput, Problem
from components.source import Document, load_yaml

SPEC_KEY: Final = "isostack:spec"
_PROJECT_FILE: Final = "Pulumi.yaml"
_TOP_LEVEL: Final = ("secretsprovider", "encryptedkey", "encryptionsalt", "config", "environment")
"""All keys of a stack file [seen] github.com/pulumi/pulumi 3.260.0, sdk/go/common/workspace/project.go, ProjectStack.
Pulumi ignores others in silence."""
_GLANCE: Final = 2**20
_NAMES_SPEC: Final = re.compile(rf"""^[^#\n]*?{SPEC_KEY}["']?\s*:\s*["']?([^\s"',}}]+)""", re.MULTILINE)


@dataclass(frozen=True)
class StackFile:
    """One stack. `config` holds the values as the engine presents them to a program: text, lists and objects as JSON.

    The keys are `namespace:name`. Encrypted values are not in it, nor anywhere else: only their keys, `secret_keys`.
    """

    name: str
    path: Path
    project: str
    config: Mapping[str, str]
    secret_keys: frozenset[str]

    def is_of(self, spec: str | Path) -> bool:
        return SPEC_KEY in self.config and stem(self.config[SPEC_KEY]) == stem(spec)


@dataclass(frozen=True)
class Broken:
    """A stack file that cannot be used, and why."""

    name: str
    path: Path
    problems: tuple[Problem, ...]

    def may_belong_to(self, spec: str | Path) -> bool:
        """Whether it seems to be a stack of this spec, as far as can be told: by the key's line, else by its name."""
        text = ""
        if self.path.is_file():  # reading anything else may never end
            with suppress(OSError), self.path.open(encoding="utf-8", errors="replace") as file:
                text = file.read(_GLANCE)
        if named := _NAMES_SPEC.search(text):
            return stem(named[1]) == stem(spec)
        return f"{self.name}-".startswith(f"{stem(spec)}-")


@dataclass(frozen=True)
class Project:
    """A Pulumi project. `defaults` is config for stacks that lack the key, `required` the keys that each must have."""

    name: str
    root: Path
    stack_dir: Path
    defaults: Mapping[str, str]
    required: frozenset[str]

    def stacks(self) -> list[str]:
        """The names of all stacks that have a file, sorted. Raises InvalidInput where the folder cannot be read."""
        try:
            names = os.listdir(self.stack_dir)
        except OSError as error:
            what = f"the stacks' folder cannot be read: {(error.strerror or type(error).__name__).lower()}"
            right = f"{_PROJECT_FILE} names it: stackConfigDir"
            raise InvalidInput([Problem(what, right, file=str(shown(self.stack_dir)))]) from error
        return sorted(name for file in names if (name := _stack_name(Path(file))))

    def stack(self, name_or_path: str | Path) -> StackFile:
        """A stack by its name, or by the path of its file."""
        path = Path(name_or_path)
        name = _stack_name(path)
        if name is None:
            name = str(name_or_path)
            if name not in self.stacks():
                raise InvalidInput([_no_such_stack(name, self.stacks())])
            path = self.stack_dir / f"Pulumi.{name}.yaml"
        return _read_stack(self, name, path)

    def read_all(self) -> Iterator[StackFile | Broken]:
        """Every stack of the folder, whatever is wrong with some."""
        for name in self.stacks():
            path = self.stack_dir / f"Pulumi.{name}.yaml"
            try:
                yield _read_stack(self, name, path)
            except InvalidInput as error:
                yield Broken(name, path, error.problems)


def find_project(start: Path, otherwise: Path | None = None) -> Project:
    """The project that `start`, a file or directory, is in: the nearest Pulumi.yaml, upwards.

    `otherwise` is the root of the project to take where there is none.
    """
    absolute = start.absolute()
    for directory in (absolute, *absolute.parents):
        if (directory / _PROJECT_FILE).is_file():
            return _read_project(directory)
    if otherwise and (otherwise / _PROJECT_FILE).is_file():
        return _read_project(otherwise)
    what = f"no {_PROJECT_FILE} in {start} or any directory above it"
    raise InvalidInput([Problem(what, "run the command inside a Pulumi project")])


def _read_project(root: Path) -> Project:
    document = load_yaml(shown(root / _PROJECT_FILE))
    name = document.data.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidInput([_fault(document, ("name",), "a project needs a name", "name: isostack")])
    # `config` with a text is the old name of stackConfigDir.
    config = document.data.get("config") or {}
    directory = document.data.get("stackConfigDir") or (config if isinstance(config, str) else ".")
    if not isinstance(directory, str) or not directory.isprintable():
        raise InvalidInput(
            [_fault(document, ("stackConfigDir",), "not the name of a folder", "stackConfigDir: stacks")]
        )
    defaults: dict[str, str] = {}
    required: set[str] = set()
    for key, declared in config.items() if isinstance(config, dict) else ():
        full_key = _full_key(key, name)
        if full_key is None:
            raise InvalidInput([_not_a_key(document, key)])
        if not isinstance(declared, dict):
            defaults[full_key] = _text(declared)
        elif value := [declared[field] for field in ("default", "value") if declared.get(field) is not None]:
            defaults[full_key] = _text(value[0])
        elif full_key.startswith(f"{name}:"):
            required.add(full_key)
    return Project(name, root, root / directory, defaults, frozenset(required))


def _read_stack(project: Project, name: str, path: Path) -> StackFile:
    path = shown(path)
    document = load_yaml(path)
    faults = list(_unknown_keys(document))
    if document.data.get("environment"):
        what = "config of a Pulumi ESC environment cannot be read without a login"
        faults.append(_fault(document, ("environment",), what, "put what the program needs into `config`"))
    config = document.data.get("config") or {}
    values: dict[str, Any] = {}
    if isinstance(config, dict):
        for key, value in config.items():
            if full_key := _full_key(key, project.name):
                values[full_key] = value
            else:
                faults.append(_not_a_key(document, key))
        if missing := sorted(project.required - values.keys()):
            right = f"{_PROJECT_FILE} requires a value of each"
            faults.append(_fault(document, ("config",), f"missing: {', '.join(missing)}", right))
    else:
        right = "config:\n  isostack:spec: shop"
        faults.append(_fault(document, ("config",), "must be a mapping of keys to values", right))
    if faults:
        raise InvalidInput(faults)
    secret_keys = frozenset(key for key, value in values.items() if _holds_secret(value))
    plain = {key: _text(value) for key, value in values.items() if key not in secret_keys}
    defaults = {key: value for key, value in project.defaults.items() if key not in values}
    return StackFile(name, path, project.name, {**defaults, **plain}, secret_keys)


def _unknown_keys(document: Document) -> Iterator[Problem]:
    for key in (key for key in document.data if key not in _TOP_LEVEL):
        near = get_close_matches(key.lower(), [name for name in _TOP_LEVEL if name not in document.data], 1)
        if ":" in key:
            right = "write it below config:"
        else:
            right = f"did you mean {near[0]!r}?" if near else f"keys of a stack file: {', '.join(_TOP_LEVEL)}"
        yield _fault(document, (key,), f"unknown key {key!r}", right, key=True)


def _full_key(key: str, project: str) -> str | None:
    """`namespace:name`, as the engine reads a key; the project's own may leave out the namespace. None: not a key."""
    match key.split(":"):
        case [name]:
            return f"{project}:{name}"
        case [namespace, name] | [namespace, "config", name]:
            return f"{namespace}:{name}"
    return None


def _not_a_key(document: Document, key: str) -> Problem:
    return _fault(document, ("config", key), "not a config key", "write `namespace:name`", key=True)


def _holds_secret(value: Any) -> bool:
    """Whether there is a `secure:` value at any depth."""
    if isinstance(value, dict):
        return (value.keys() == {"secure"} and isinstance(value["secure"], str)) or _any_secret(value.values())
    return isinstance(value, list) and _any_secret(value)


def _any_secret(values: Iterable[Any]) -> bool:
    return any(_holds_secret(value) for value in values)


def _text(value: Any) -> str:
    """A value as the engine hands it to a program: text as it is, all else as JSON.

    [documented] github.com/pulumi/pulumi v3.259.0, sdk/go/common/resource/config/object.go (MarshalString).
    """
    if isinstance(value, str):
        return value
    return json.dumps(_go_numbers(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _go_numbers(value: Any) -> Any:
    """Go writes 2.0 as 2."""
    if isinstance(value, dict):
        return {key: _go_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_go_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value


def _stack_name(path: Path) -> str | None:
    """The stack of a file `Pulumi.<stack>.yaml`, None for any other name."""
    head, _, rest = path.name.partition(".")
    stack = rest.removesuffix(".yaml")
    return stack if head == "Pulumi" and path.suffix == ".yaml" and stack not in ("", "yaml") else None


def stem(spec: str | Path) -> str:
    return Path(spec).name.removesuffix(".yaml").removesuffix(".yml")


def _no_such_stack(name: str, names: list[str]) -> Problem:
    if nearest := get_close_matches(name, names, 1):
        right = f"did you mean {nearest[0]!r}?"
    else:
        right = f"there are: {', '.join(names)}" if names else "there is no stack file yet"
    return Problem(f"no stack {name!r}", right)


def shown(path: Path) -> Path:
    """The path as messages show it: short where it can be."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _fault(document: Document, path: FieldPath, what: str, right: str, *, key: bool = False) -> Problem:
    line, column = document.locate(path, key=key)
    return Problem(what, right, path, document.path, line, column)
