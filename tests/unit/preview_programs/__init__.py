"""Runs small Pulumi programs, given as text, through the embedded preview."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from isostack.preview import Preview, Resource, preview
from isostack.stacks import StackFile

PRELUDE = """
import pulumi
from pulumi import ComponentResource, CustomResource, Output, ResourceOptions

class Thing(CustomResource):
    def __init__(self, name, props=None, opts=None, computed=()):
        super().__init__("test:index:Thing", name, {**dict.fromkeys(computed), **(props or {})}, opts)

class Group(ComponentResource):
    def __init__(self, name, props=None, opts=None):
        super().__init__("test:index:Group", name, props, opts)
"""


def write_program(directory: Path, program: str) -> Path:
    """A project whose program is the prelude and `program`. It begins on line 2 of `program.py`."""
    (directory / "__main__.py").write_text("import prelude, program\n", encoding="utf-8")
    (directory / "prelude.py").write_text(PRELUDE, encoding="utf-8")
    text = "from prelude import *; import pulumi\n" + textwrap.dedent(program).lstrip("\n")
    (directory / "program.py").write_text(text, encoding="utf-8")
    return directory


def stack_file(
    name: str = "dev", config: Mapping[str, str] | None = None, secret_keys: Iterable[str] = ()
) -> StackFile:
    return StackFile(name, Path(f"Pulumi.{name}.yaml"), "shop", config or {}, frozenset(secret_keys))


def preview_of(
    directory: Path,
    program: str,
    *,
    config: Mapping[str, str] | None = None,
    secret_keys: Iterable[str] = (),
    timeout: float = 60,
) -> Preview:
    root = write_program(directory, program)
    return preview(root, [stack_file(config=config, secret_keys=secret_keys)], timeout=timeout)[0]


def named(result: Preview, name: str) -> Resource:
    return next(resource for resource in result.resources if resource.name == name)
