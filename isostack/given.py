"""Inputs of an assessment that its user gives: a YAML file of numbers and ranges, by the inputs' ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.problems import FieldPath, InvalidInput, Problem
from components.source import load_yaml
from components.wording import did_you_mean
from isostack.assess.inputs import Input

PARTS = ("low", "value", "high")


def given(path: Path, known: Mapping[str, Input]) -> dict[str, Input]:
    """All inputs, those of the file as it says them: a number, which is then sure, or low, value and high.

    Raises InvalidInput with every fault of the file.
    """
    document = load_yaml(path)
    faults = [problem.at(document.path, *document.locate(problem.path)) for problem in _faults(document.data, known)]
    if faults:
        raise InvalidInput(faults)
    found = dict(known)
    for id, said in document.data.items():
        low, value, high = (said[part] for part in PARTS) if isinstance(said, dict) else (said, said, said)
        found[id] = known[id].given(float(value), float(low), float(high), document.path)
    return found


def _faults(data: Mapping[str, Any], known: Mapping[str, Input]) -> Iterator[Problem]:
    for id, said in data.items():
        path: FieldPath = (id,)
        if id not in known:
            near = did_you_mean(id, list(known))
            right = f"did you mean {near!r}?" if near else "`isostack explain inputs` lists them"
            yield Problem("no such input", right, path)
        elif isinstance(said, dict):
            yield from _of_range(said, known[id], path)
        elif not _is_number(said):
            yield Problem("neither a number nor a range", f"{id}: 1.5, or {{low: 1, value: 1.5, high: 2}}", path)
        else:
            yield from _out_of(said, known[id], path)


def _of_range(said: Mapping[str, Any], known: Input, path: FieldPath) -> Iterator[Problem]:
    if set(said) != set(PARTS) or not all(map(_is_number, said.values())):
        yield Problem("not a range", "{low: 1, value: 1.5, high: 2}, all of them numbers", path)
        return
    low, value, high = (said[part] for part in PARTS)
    if not low <= value <= high:
        yield Problem(f"{low:g}, {value:g} and {high:g} do not ascend", "low is least, high is most", path)
    for part in PARTS:
        yield from _out_of(said[part], known, (*path, part))


def _out_of(value: float, known: Input, path: FieldPath) -> Iterator[Problem]:
    if not known.least <= value <= known.most:
        yield Problem(
            f"{value:.12g} is out of range", f"from {known.least:g} to {known.most:g} {known.unit}".rstrip(), path
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
