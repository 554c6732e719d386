"""Where the cause of a finding is written: in the spec, in the stack file, or in the program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from components.load import POLICIES, TARGET
from components.problems import FieldPath, Problem
from components.source import Document
from isostack.fields import path_of
from isostack.finding import Finding, Judgement, Place
from isostack.inputs import Planned
from isostack.preview.model import Preview

_Located = TypeVar("_Located", Problem, Place)


def located(
    judged: Mapping[str, Judgement], planned: Iterable[Planned], previews: Iterable[Preview]
) -> dict[str, Judgement]:
    """The same with the place of each finding whose cause is in a file that was read."""
    made = {each.stack.name: each for each in planned}
    seen = {preview.label: preview for preview in previews}
    return {
        label: replace(each, findings=tuple(_located(f, made.get(label), seen[label]) for f in each.findings))
        for label, each in judged.items()
    }


def of_top(thing: _Located, top: Path) -> _Located:
    """The same, with its file named from the root of the repository, as services that show files want it."""
    path = Path(thing.file).resolve()
    return replace(thing, file=path.relative_to(top).as_posix()) if thing.file and path.is_relative_to(top) else thing


def from_top(judged: Mapping[str, Judgement], top: Path | None) -> dict[str, Judgement]:
    """All places named so; without a repository they stay as they are."""

    def named(finding: Finding) -> Finding:
        return replace(finding, place=of_top(finding.place, top)) if finding.place and top else finding

    return {label: replace(each, findings=tuple(map(named, each.findings))) for label, each in judged.items()}


def top_of(folder: Path) -> Path | None:
    """The root of the repository that a folder is in; None: it is in none."""
    here = folder.resolve()
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), None)


def _located(finding: Finding, planned: Planned | None, preview: Preview) -> Finding:
    return replace(finding, place=_place(finding, planned, preview)) if finding.field else finding


def _place(finding: Finding, planned: Planned | None, preview: Preview) -> Place | None:
    if finding.of == "resource":
        return _in_program(finding.field, preview)
    if planned is None:
        return None
    spec, stack = planned.inputs.spec_file, planned.inputs.stack_file
    if finding.of == "spec":
        return _in(spec, path_of(spec.data, finding.field))
    if stack is None:
        return None
    if finding.of == "waiver":
        return _in(stack, (*POLICIES, "waivers", *_index(stack, finding)))
    return _in(stack, (*TARGET, *path_of(_at(stack.data, TARGET), finding.field)))


def _in(document: Document, path: FieldPath) -> Place:
    line, column = document.locate(path)
    return Place(str(document.path), max(line, 1), max(column, 1))


def _in_program(name: str, preview: Preview) -> Place | None:
    for resource in preview.resources:
        if resource.name == name and (match := re.fullmatch(r"(.+):([1-9][0-9]*)", resource.source or "")):
            return Place(match[1], int(match[2]), 1)
    return None


def _index(document: Document, finding: Finding) -> FieldPath:
    """Of the waiver of this rule and subject."""
    waivers = _at(document.data, (*POLICIES, "waivers"))
    found = [(each.get("rule"), each.get("subject", "*")) if isinstance(each, dict) else None for each in waivers or ()]
    wanted = (finding.field, *finding.subjects)
    return (found.index(wanted),) if wanted in found else ()


def _at(data: Any, path: FieldPath) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data
