"""Data into models: all faults of the data at once, told in the words of the file they stand in.

The data are validated, the faults told and mended, and the mended data validated again: so a fault hides neither the
faults inside it nor those that only a whole model shows. There are two ways to mend:

- a correction is what the message tells the user to write (the key or the word that was meant, a number in quotes):
  what is found on it counts;
- a stand-in is a value that nobody meant (an example or the default of the field, the value of a sibling): it lets the
  rest be checked, and what touches it is not told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, Generic, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from components.problems import Fault, FieldPath, InvalidInput, Problem
from components.source import Document
from components.wording import (
    AUTHORED,
    MISSING,
    Detail,
    Spot,
    allowed_values,
    bare_type,
    child_of,
    did_you_mean,
    explain,
    is_a,
    keys_of,
    members_of,
    one_branch,
    short,
    shown,
    spot_of,
    tags_of,
)

M = TypeVar("M", bound=BaseModel)

MAX_ROUNDS = 16
MAX_FAULTS = 1000
_DEFAULT: Any = object()  # stands in by leaving the key out
_STAND_INS = {str: "x", int: 1, float: 1.0, bool: False, list: [], tuple: [], set: [], frozenset: [], dict: {}}


def decode(
    model: type[M],
    data: Any,
    *,
    document: Document | None,
    at: FieldPath = (),
    context: dict[str, Any] | None = None,
    semantic: Callable[[M], Iterable[Problem]] | None = None,
) -> M:
    """`data`, found at the path `at` of `document`, as a `model`.

    `semantic` yields what single fields cannot see, with paths from the model down in the names of the YAML.
    Raises InvalidInput with every fault, in the order of the file. A semantic fault is left out where it would be
    about a stand-in: its path overlaps one, or the value at its path names one.
    """
    mending = _Mending(model, data, document, at)
    value = mending.validate(context)
    problems = mending.problems
    if value is not None and semantic is not None:
        try:
            for problem in semantic(value):
                if problem.file or not mending.touches(problem.path):
                    problems.append(mending.locate(problem))
        except InvalidInput as error:
            problems += error.problems
    if value is None or problems:
        here = document.path if document else ""
        raise InvalidInput(sorted(dict.fromkeys(problems), key=lambda p: (p.file != here, p.file, p.line, p.column)))
    return value


class _Elsewhere(ValueError):
    """The problems of another file that a validator has read."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems))


@contextmanager
def elsewhere() -> Iterator[None]:
    """Around the reading of another file in a validator: what is wrong there is raised with the faults of the data.

    A file that cannot be read at all has no place of its own: that is a fault of the field that names it.
    """
    try:
        yield
    except InvalidInput as error:
        match error.problems:
            case [Problem(line=0) as whole]:
                raise Fault(f"{whole.file}: {whole.what}", whole.right) from error
        raise _Elsewhere(error.problems) from error


class _Mending(Generic[M]):
    """Data under validation: `data` is mended, `problems` are told."""

    def __init__(self, model: type[M], data: Any, document: Document | None, at: FieldPath) -> None:
        self.model, self.data, self.document, self.at = model, data, document, at
        self.problems: list[Problem] = []
        self.candidates: dict[FieldPath, Iterator[Any]] = {}  # what else may stand in, by the path of a stand-in
        self.named: set[str] = set()  # texts of the replaced values and of their stand-ins
        self.renamed: dict[FieldPath, str] = {}  # the key in the file, by the path with the key that was meant

    def validate(self, context: dict[str, Any] | None) -> M | None:
        """The model of the mended data; None where nothing could be mended any more."""
        for _ in range(MAX_ROUNDS):
            try:
                return self.model.model_validate(self.data, context=context)
            except InvalidInput as error:
                self.problems += error.problems
                return None
            except ValidationError as error:
                if not self._mend(error.errors(include_url=False, include_input=False)):
                    return None
        return None

    def touches(self, path: FieldPath) -> bool:
        """Whether what is said about `path` may be due to a stand-in."""
        value = _get(self.data, path)
        overlaps = any(path[: len(p)] == p[: len(path)] for p in self.candidates)
        return overlaps or (isinstance(value, str) and value in self.named)

    def locate(self, problem: Problem, *, key: bool = False) -> Problem:
        """The problem with its path and position in the file; one of another file stays as it is."""
        if problem.file:
            return problem
        problem = replace(problem, path=self._in_file(problem.path))
        if self.document is None:
            return problem
        return problem.at(self.document.path, *self.document.locate(problem.path, key=key))

    def _mend(self, details: list[Any]) -> bool:
        """Tells the errors, then mends what they are about. False: it cannot be mended."""
        found = [(detail, spot_of(self.model, detail["loc"])) for detail in details[:MAX_FAULTS]]
        found = [self._discriminated(*each) for each in one_branch(found)]
        found.sort(key=lambda each: each[0]["type"] != "extra_forbidden")  # a misspelt key may be the missing one
        meant = [self._tell(*each) for each in found]
        if len(details) > MAX_FAULTS:
            what = f"more than {MAX_FAULTS:,} faults: only the first ones are listed"
            self.problems.append(self.locate(Problem(what)))
            return False
        self.data = _copy(self.data)
        moved: set[FieldPath] = set()
        return all(self._repair(*each, value, moved) for each, value in zip(found, meant, strict=True))

    def _discriminated(self, detail: Detail, spot: Spot) -> tuple[Detail, Spot]:
        """A missing or unknown tag of a discriminated union is an error of the key that holds the tag."""
        discriminator = detail.get("ctx", {}).get("discriminator", "")
        if not discriminator.startswith("'"):
            return detail, spot
        key, union = discriminator.strip("'"), _get(self.data, spot.path)
        tag = Spot((*spot.path, key), None, parent=spot, branch=spot.branch)
        if key in union:
            return {"type": "literal_error", "ctx": {"allowed": tags_of(spot.kind, key)}}, tag
        members = [bare_type(member)[0] for member in members_of(spot.kind)]
        if near := did_you_mean(key, [name for name in union if not any(child_of(m, name) for m in members)]):
            return {"type": "extra_forbidden", "ctx": {"keys": [key]}}, replace(tag, path=(*spot.path, near))
        return {"type": "missing", "ctx": {"allowed": tags_of(spot.kind, key)}}, tag

    def _tell(self, detail: Detail, spot: Spot) -> Any:
        """Tells one error, unless a stand-in may be its cause. Gives the value or the key that was meant."""
        path, kind = spot.path, detail["type"]
        if self._above(spot) or (kind == "missing" and path in self.renamed):
            return MISSING
        if kind == "extra_forbidden":
            return self._tell_key(detail, spot)
        value = path[-1] if spot.is_key else _get(self.data, path)
        text = self.document.text(self._in_file(path)) if self.document else None
        what, right, meant = explain(detail, spot, value, text)
        # A model sees its fields, and a validator may see the fields before its own.
        near = len(path) - 1 if kind in AUTHORED else len(path)
        if not any(p[:near] == path[:near] for p in self.candidates):
            other = getattr(detail.get("ctx", {}).get("error"), "problems", ())
            self.problems += other or [self.locate(Problem(short(what, 300), right, path), key=spot.is_key)]
        return meant

    def _tell_key(self, detail: Detail, spot: Spot) -> Any:
        """Tells an unknown key. Gives the key that was meant."""
        *container, key = spot.path
        valid = detail.get("ctx", {}).get("keys") or list(keys_of(spot.parent.kind) if spot.parent else ())
        taken = _get(self.data, tuple(container))
        free = [name for name in valid if name not in taken and (*container, name) not in self.renamed]
        near = did_you_mean(str(key), free)
        right = f"did you mean {near!r}?" if near else f"valid keys: {', '.join(valid)}"
        self.problems.append(self.locate(Problem(f"unknown key {shown(key)}", right, spot.path), key=True))
        if near is None:
            return MISSING
        self.renamed[(*container, near)] = str(key)
        return near

    def _repair(self, detail: Detail, spot: Spot, meant: Any, moved: set[FieldPath]) -> bool:
        path, kind = spot.path, detail["type"]
        container = _get(self.data, path[:-1])
        if above := self._above(spot):
            return self._stand_in(above, detail, moved)
        if spot.is_key:
            container.pop(path[-1], None)
            self.candidates[path] = iter(())
            self.named.add(str(path[-1]))
            moved.add(path)
            return True
        if kind == "extra_forbidden":
            value = container.pop(path[-1])
            if meant is not MISSING:
                container[meant] = value
            return True
        if kind == "missing" and path in self.renamed:
            return True
        if meant is not MISSING:
            container[path[-1]] = meant
            return True
        # Without its tag nothing is known about a member of a union.
        union = spot.parent if "allowed" in detail.get("ctx", {}) else None
        return self._stand_in(union or spot, detail, moved)

    def _stand_in(self, spot: Spot, detail: Detail, moved: set[FieldPath]) -> bool:
        """Puts the next candidate in the place of the value; when there is none, in the place of what holds it."""
        path = spot.path
        if spot.parent is None or path in moved:
            return path in moved
        self.candidates.setdefault(path, self._candidates(spot, detail))
        self.named.update(_texts(_get(self.data, path)))
        value = next(self.candidates[path], MISSING)
        if value is MISSING:
            return self._stand_in(spot.parent, detail, moved)
        self.named.update(_texts(value))
        moved.add(path)
        container = _get(self.data, path[:-1])
        if value is _DEFAULT:
            container.pop(path[-1], None)
        else:
            container[path[-1]] = _copy(value)
        return True

    def _candidates(self, spot: Spot, detail: Detail) -> Iterator[Any]:
        if detail["type"] == "string_pattern_mismatch":
            # A name made regular is still unlike its siblings, as an example may not be.
            yield re.sub(r"[^a-z0-9]+", "-", str(_get(self.data, spot.path)).lower()).strip("-")
        yield from spot.declared("examples") or ()
        if spot.field is not None and not spot.field.is_required():
            yield _DEFAULT
        yield from self._siblings(spot)
        yield from (bound for name, bound in detail.get("ctx", {}).items() if name in ("ge", "le"))
        yield from allowed_values(spot.kind)[:1]
        yield from (value for kind, value in _STAND_INS.items() if (get_origin(spot.kind) or spot.kind) is kind)

    def _siblings(self, spot: Spot) -> Iterator[Any]:
        """The values at the same place in the other entries of the lists and mappings above."""
        below: FieldPath = ()
        while spot.parent is not None:
            *above, part = spot.path
            entries = _get(self.data, tuple(above))
            if isinstance(part, int):
                others: Iterable[str | int] = range(max(0, part - 4), part + 5)
            else:
                others = list(islice(entries, 9)) if is_a(spot.parent.kind, Mapping) else ()
            values = (_get(self.data, (*above, other, *below)) for other in others if other != part)
            yield from (value for value in values if value is not MISSING)
            spot, below = spot.parent, (part, *below)

    def _above(self, spot: Spot) -> Spot | None:
        """The outermost place at or above this one that holds a stand-in."""
        found = spot if spot.path in self.candidates else None
        above = self._above(spot.parent) if spot.parent else None
        return above or found

    def _in_file(self, path: FieldPath) -> FieldPath:
        """The path in the document, with the keys as the file has them."""
        return (*self.at, *(self.renamed.get(path[: i + 1], part) for i, part in enumerate(path)))


def _get(data: Any, path: FieldPath) -> Any:
    for part in path:
        try:
            data = data[part]
        except (LookupError, TypeError):
            return MISSING
    return data


def _copy(data: Any) -> Any:
    """A copy in which no two places share an object, as they do in a document with aliases."""
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in data.items()}
    return [_copy(value) for value in data] if isinstance(data, list) else data


def _texts(data: Any) -> set[str]:
    """The texts by which other places may refer to this one: itself, or the values of its keys."""
    values = data.values() if isinstance(data, dict) else [data]
    return {value for value in values if isinstance(value, str)}
