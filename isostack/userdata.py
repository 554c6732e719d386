"""The files of machines' user data, with placeholders for secrets; run as a program, those of another revision.

As a program it imports the modules on PYTHONPATH, which may be older than itself, and so asks little of them. It reads
{STACK: [MACHINE, ...]} and prints {STACK: {MACHINE: {FILE: TEXT}}}, both JSON, of the project in the current folder.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.bootstrap import Late, render
from isostack.inputs import read
from isostack.stacks import find_project

REST = "cloud-config"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Texts = dict[str, dict[str, dict[str, str]]]
"""By stack, machine and file."""


def rendered(root: Path, wanted: Mapping[str, Sequence[str]]) -> Texts:
    """Raises InvalidInput where a stack cannot be planned."""
    project = find_project(root)
    found: Texts = {}
    for stack, names in wanted.items():
        plan = read(project.stack(stack)).plan()
        texts = {m.name: render(plan, m, Late.placeholder()) for m in plan.machines if m.name in names}
        found[stack] = {name: _files(text) for name, text in texts.items()}
    return found


def _files(text: str) -> dict[str, str]:
    document: dict[str, Any] = yaml.load(text, _LOADER)
    files = {each["path"]: each["content"] for each in document.pop("write_files")}
    return {REST: yaml.safe_dump(document, sort_keys=False), **files}


if __name__ == "__main__":
    json.dump(rendered(Path.cwd(), json.load(sys.stdin)), sys.stdout)
