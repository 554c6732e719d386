"""The Pulumi project and its stacks, as their files have them: names, places and config."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NoReturn

from components.problems import FieldPath, InvalidInput, Problem
from components.source import Document, load_yaml

SPEC_KEY: Final = "isostack:spec"
_PROJECT_FILE: Final = "Pulumi.yaml"


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


@dataclass(frozen=True)
class Project:
    """A Pulumi project. `defaults` is config for stacks that lack the key, `required` the keys that each must have."""

    name: str
    root: Path
    stack_dir: Path
    defaults: Mapping[str, str]
    required: frozenset[str]

    def stacks(self) -> list[str]:
        """The names of all stacks that have a file, sorted."""
        paths = self.stack_dir.glob("Pulumi.*.yaml")
        return sorted(name for path in paths if (name := _stack_name(path)))

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

    def stacks_of_spec(self, spec: str | Path) -> list[StackFile]:
        """All stacks whose `isostack:spec` is this spec, named with or without directory and suffix."""
        files = [self.stack(name) for name in self.stacks()]
        return [file for file in files if SPEC_KEY in file.config and _stem(file.config[SPEC_KEY]) == _stem(spec)]


def find_project(start: Path) -> Project:
    """The project that `start`, a file or directory, is in: the nearest Pulumi.yaml, upwards."""
    absolute = start.absolute()
    for directory in (absolute, *absolute.parents):
        if (directory / _PROJECT_FILE).is_file():
            return _read_project(directory)
    what = f"no {_PROJECT_FILE} in {start} or any directory above it"
    raise InvalidInput([Problem(what, "run the command inside a Pulumi project")])


def _read_project(root: Path) -> Project:
    document = load_yaml(shown(root / _PROJECT_FILE))
    name = document.data.get("name")
    if not isinstance(name, str) or not name:
        _refuse(document, ("name",), "a project needs a name", "name: isostack")
    # `config` with a text is the old name of stackConfigDir.
    config = document.data.get("config") or {}
    directory = document.data.get("stackConfigDir") or (config if isinstance(config, str) else ".")
    defaults: dict[str, str] = {}
    required: set[str] = set()
    for key, declared in config.items() if isinstance(config, dict) else ():
        full_key = _full_key(document, key, name)
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
    if document.data.get("environment"):
        what = "config of a Pulumi ESC environment cannot be read without a login"
        _refuse(document, ("environment",), what, "put what the program needs into `config`")
    config = document.data.get("config") or {}
    if not isinstance(config, dict):
        _refuse(document, ("config",), "must be a mapping of keys to values", "config:\n  isostack:spec: shop")
    values = {_full_key(document, key, project.name): value for key, value in config.items()}
    secret_keys = frozenset(key for key, value in values.items() if _holds_secret(value))
    plain = {key: _text(value) for key, value in values.items() if key not in secret_keys}
    if missing := sorted(project.required - values.keys()):
        _refuse(document, ("config",), f"missing: {', '.join(missing)}", f"{_PROJECT_FILE} requires a value of each")
    defaults = {key: value for key, value in project.defaults.items() if key not in values}
    return StackFile(name, path, project.name, {**defaults, **plain}, secret_keys)


def _full_key(document: Document, key: str, project: str) -> str:
    """`namespace:name`, as the engine reads a key; the project's own may leave out the namespace."""
    match key.split(":"):
        case [name]:
            full_key = f"{project}:{name}"
        case [namespace, name] | [namespace, "config", name]:
            full_key = f"{namespace}:{name}"
        case _:
            _refuse(document, ("config", key), "not a config key", "write `namespace:name`", key=True)
    return full_key


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


def _stem(spec: str | Path) -> str:
    return Path(spec).name.removesuffix(".yaml")


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


def _refuse(document: Document, path: FieldPath, what: str, right: str, *, key: bool = False) -> NoReturn:
    line, column = document.locate(path, key=key)
    raise InvalidInput([Problem(what, right, path, document.path, line, column)])
