"""Golden files of the example stacks: what a reviewer reads when a plan or a preview changes.

`scripts/test --update-golden` writes them anew.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from components.bootstrap.budget import budget
from isostack.flat import by_name
from isostack.inputs import read
from isostack.preview import UNKNOWN, Preview, Resource, Secret
from isostack.report import text
from isostack.stacks import find_project
from tests.examples import previews
from tests.specs import ROOT

Golden = Callable[[str, str], None]
STACKS = find_project(ROOT).stacks()


@pytest.mark.parametrize("stack", STACKS)
def test_plan(stack: str, golden: Golden) -> None:
    out = Console(file=io.StringIO(), width=160)
    plan = read(find_project(ROOT).stack(stack)).plan()
    # How small user data can be made is up to the zlib of the day.
    data = replace(budget(plan), taken={machine.name: 10 * 1024 for machine in plan.machines})
    text.plan(out, stack, plan, data)
    golden(f"plan/{stack}.txt", _written(out))


@pytest.mark.parametrize("stack", STACKS)
def test_preview(stack: str, golden: Golden) -> None:
    (preview,) = (p for p in previews(stack.split("-")[0]) if p.stack == stack)
    golden(f"preview/{stack}.txt", "\n".join(_preview(preview)) + "\n")


def test_plans_are_the_same_whatever_the_process() -> None:
    """Sets and hashes come in another order in each: nothing may hang on it."""

    def plan(seed: str, stack: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "isostack", "plan", stack, "--format", "json"]
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    for stack in STACKS:
        assert plan("1", stack) == plan("2", stack)


def _written(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines()) + "\n"


def _preview(preview: Preview) -> Iterator[str]:
    """A block for each resource, in the order of names, so that a new one does not move the others."""
    for resource in sorted(preview.resources, key=lambda r: (r.type, r.name)):
        yield from _resource(preview, resource)
    yield "outputs"
    yield from _lines(preview.outputs)


def _resource(preview: Preview, resource: Resource) -> Iterator[str]:
    yield f"{resource.type} {resource.name}"
    if resource.parent:
        yield f"  in {preview.by_urn[resource.parent].name}"
    if resource.dependencies:
        yield f"  after {', '.join(sorted(preview.by_urn[urn].name for urn in resource.dependencies))}"
    options = {
        "protect": resource.protect,
        "deleteBeforeReplace": resource.delete_before_replace,
        "retainOnDelete": resource.retain_on_delete,
        "replacementTrigger": resource.replacement_trigger,
        "ignoreChanges": ", ".join(resource.ignore_changes),
    }
    yield from (f"  {name} {value}" for name, value in options.items() if value)
    yield from _lines(resource.inputs)
    yield ""


def _lines(values: object) -> Iterator[str]:
    yield from (f"    {path} = {value}" for path, value in sorted(_leaves(values)))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Leaves by path, items of lists by their names, with the order of those; strings as JSON where the text alone
    could be of another type."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        named = by_name(value)
        for key, item in zip(named or range(len(value)), value, strict=True):
            yield from _leaves(item, f"{path}[{key}]")
        if named and len(named) > 1:
            yield f"{path}[]", ", ".join(named)
    elif value is UNKNOWN or isinstance(value, Secret):
        yield path, "(known after creation)" if value is UNKNOWN else "[secret]"
    else:
        yield path, value if isinstance(value, str) and not _is_json(value) else json.dumps(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
