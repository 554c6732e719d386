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
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from functools import cache
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from components.problems import Fault, FieldPath, InvalidInput, Problem
from components.source import Document

M = TypeVar("M", bound=BaseModel)
Detail = Mapping[str, Any]  # one error of pydantic

MAX_ROUNDS = 16
MAX_FAULTS = 1000
_MISSING: Any = object()
_DEFAULT: Any = object()  # stands in by leaving the key out
_AUTHORED = ("value_error", "assertion_error")
# What was expected, by the beginning of pydantic's error type.
_EXPECTED = {
    "string_type": "text",
    "int_": "a whole number",
    ("float_", "finite_number", "decimal_"): "a number",
    "bool_": "true or false",
    ("list_", "tuple_", "set_", "frozen_set_", "iterable_"): "a list",
    ("dict_", "mapping_", "model_", "frozen_dict_"): "a mapping",
    "datetime_": "a time such as 2026-12-31T10:00:00Z",
    "date_": "a date such as 2026-12-31",
    "ip_v4_network": "an IPv4 network",
    "ip_v4_address": "an IPv4 address",
    "ip_": "an IP address or network",
    "url_": "a URL",
}
_LIMITS = {
    "greater_than": ("{given} is too small", "more than {gt}"),
    "greater_than_equal": ("{given} is too small", "at least {ge}"),
    "less_than": ("{given} is too large", "less than {lt}"),
    "less_than_equal": ("{given} is too large", "at most {le}"),
    "multiple_of": ("{given} does not fit", "a multiple of {multiple_of}"),
    "too_short": ("too few entries: {actual_length}", "at least {min_length}"),
    "too_long": ("too many entries: {actual_length}", "at most {max_length}"),
    "string_too_short": ("{given} is too short", "at least {min_length} characters"),
    "string_too_long": ("{given} is too long", "at most {max_length} characters"),
}
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
    """Around the reading of another file in a validator: what is wrong there is raised with the faults of the data."""
    try:
        yield
    except InvalidInput as error:
        raise _Elsewhere(error.problems) from error


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was meant by `word`, if one is near enough."""
    if len(word) > 64:
        return None
    names = {_fold(name): name for name in candidates}
    return next((names[near] for near in get_close_matches(_fold(word), names, 1, 0.65)), None)


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


# ---- places: where in the model and in the file an error belongs


@dataclass(frozen=True)
class _Spot:
    """A place in a model: the path that leads there in the YAML, and what is declared about it."""

    path: FieldPath
    kind: Any  # the type, without Annotated and Optional; None where nothing is declared
    metadata: tuple[Any, ...] = ()
    field: FieldInfo | None = None
    parent: _Spot | None = None
    branch: tuple[FieldPath, Any] | None = None  # the outermost union above: its path, and the label of the branch
    is_key: bool = False  # the key of a mapping, not its value

    def declared(self, name: str) -> Any:
        return next(iter(self.all_declared(name)), None)

    def all_declared(self, name: str) -> list[Any]:
        infos = (m for m in (self.field, *self.metadata) if isinstance(m, FieldInfo))
        return [value for info in infos if (value := getattr(info, name))]

    @property
    def hint(self) -> str:
        """What the field is, and an example."""
        text = (self.declared("description") or "").split(". ")[0].rstrip(".")
        return f"{text} ({self.example})" if text and self.example else text or self.example

    @property
    def example(self) -> str:
        examples = self.declared("examples")
        return f"for example {_written(examples[0])}" if examples else ""


def _spot_of(model: type[BaseModel], loc: tuple[str | int, ...]) -> _Spot:
    """The place that pydantic's `loc` means, without the labels of unions that pydantic mixes into it."""
    spot = _Spot((), model)
    for i, part in enumerate(loc):
        members, child = _members(spot.kind), _child(spot.kind, part)
        if len(members) > 1:
            keys = spot.all_declared("discriminator")
            tagged = [m for m in members if any(str(part) in _tags(m, key) for key in keys)]
            fits = tagged or [m for m in members if _named(m, str(part))] or members
            entered = [m for m in fits if i + 1 < len(loc) and _child(_bare(m)[0], loc[i + 1])]
            kind, metadata = _bare((entered or fits)[0])
            spot = replace(spot, kind=kind, metadata=metadata, branch=spot.branch or (spot.path, part))
        elif part == "[key]" and child is None and spot.parent and _is_a(spot.parent.kind, Mapping):
            kind, metadata = _bare(get_args(spot.parent.kind)[0])
            spot = replace(spot, kind=kind, metadata=metadata, field=None, is_key=True)
        else:
            annotation, field = child or (None, None)
            kind, metadata = _bare(annotation)
            metadata = (*metadata, *(field.metadata if field else ()))
            spot = _Spot((*spot.path, part), kind, metadata, field, spot, spot.branch)
    return spot


def _bare(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type inside Annotated, Optional and type aliases, and the metadata found on the way."""
    kind = getattr(kind, "__value__", kind)
    if get_origin(kind) is Annotated:
        bare, metadata = _bare(get_args(kind)[0])
        return bare, (*get_args(kind)[1:], *metadata)
    members = _members(kind)
    return _bare(members[0]) if len(members) == 1 else (kind, ())


def _members(kind: Any) -> list[Any]:
    """The members of a union, None aside."""
    return [m for m in get_args(kind) if m is not type(None)] if get_origin(kind) in (Union, UnionType) else []


def _child(kind: Any, part: str | int) -> tuple[Any, FieldInfo | None] | None:
    """What is declared below `kind` at `part`: its type, and its field where `kind` is a model."""
    args = get_args(kind)
    if _is_a(kind, BaseModel):
        field = _keys(kind).get(str(part))
        return (field.annotation, field) if field else None
    if _is_a(kind, Mapping) and len(args) == 2:
        return args[1], None
    if isinstance(part, int) and args and not _members(kind):
        fixed = _is_a(kind, tuple) and args[-1] is not Ellipsis and part < len(args)
        return args[part if fixed else 0], None
    return None


def _is_a(kind: Any, base: type) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, base)


@cache
def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their key in YAML."""
    fields = model.model_fields.items()
    return {f.validation_alias if isinstance(f.validation_alias, str) else f.alias or n: f for n, f in fields}


def _named(member: Any, label: str) -> bool:
    """Whether pydantic may label this member of a union so: Pool, constrained-str, function-after[even(), int]."""
    bare, _ = _bare(member)
    name = "literal" if get_origin(bare) is Literal else getattr(bare, "__name__", "")
    return name in re.findall(r"\w+", label)


def _allowed(kind: Any) -> list[Any]:
    """The values that a Literal or an Enum allows."""
    bare, _ = _bare(kind)
    if _is_a(bare, Enum):
        return [each.value for each in bare]
    return list(get_args(bare)) if get_origin(bare) is Literal else []


def _tags(kind: Any, key: Any) -> list[str]:
    """The values that `key` may have in the members of a discriminated union."""
    bare, _ = _bare(kind)
    if _is_a(bare, BaseModel):
        return [str(tag) for tag in _allowed(_keys(bare)[key].annotation)] if key in _keys(bare) else []
    return [tag for member in _members(bare) for tag in _tags(member, key)]


def _one_branch(found: list[tuple[Detail, _Spot]]) -> list[tuple[Detail, _Spot]]:
    """pydantic tells the errors of every branch of a union: keep those of the branch that was meant."""
    unions: dict[FieldPath, dict[Any, list[tuple[Detail, _Spot]]]] = {}
    for detail, spot in found:
        path, label = spot.branch or (spot.path, None)
        unions.setdefault(path, {}).setdefault(label, []).append((detail, spot))
    kept: list[tuple[Detail, _Spot]] = []
    for path, branches in unions.items():
        groups = list(branches.values())
        entered = [errors for errors in groups if any(len(spot.path) > len(path) for _, spot in errors)]
        # An error that is not about the type comes from the branch that the value fits.
        fitting = [errors for errors in groups if not any(_expected(*each) for each in errors)]
        if len(groups) > 1 and not entered and not fitting:
            words = " or ".join(_expected(*errors[0]) for errors in groups)
            kept.append(({"type": "union", "ctx": {"expected": words}}, groups[0][0][1]))
        else:
            kept += sorted(entered or fitting or groups, key=len)[0]
    # pydantic does not count an entry that has errors: whether there are too few is to be seen without them.
    inside = {spot.path[:i] for _, spot in kept for i in range(len(spot.path))}
    return [each for each in kept if each[0]["type"] != "too_short" or each[1].path not in inside]


# ---- words


def _explain(detail: Detail, spot: _Spot, value: Any, text: str | None) -> tuple[str, str, Any]:
    """What is wrong, what would be right, and the value that was meant, if that can be told."""
    kind, ctx, given = detail["type"], detail.get("ctx", {}), _shown(value, text)
    if error := ctx.get("error") if kind in _AUTHORED else None:
        what, _, right = str(error).partition("; ")
        return (error.what, error.right, _MISSING) if isinstance(error, Fault) else (what, right, _MISSING)
    if kind == "missing":
        return f"missing required key {spot.path[-1]!r}", spot.hint or _choice(detail, spot), _MISSING
    if kind in ("literal_error", "enum") and isinstance(value, str):
        near = did_you_mean(value, [each for each in _allowed_at(detail, spot) if isinstance(each, str)])
        name = spot.path[-1] if isinstance(spot.path[-1], str) else "value"
        right = f"did you mean {near!r}? {_choice(detail, spot)}" if near else _choice(detail, spot)
        return f"unknown {name} {given}", right, near or _MISSING
    if kind == "string_pattern_mismatch":
        right = f"{spot.hint}; it must match {ctx['pattern']}" if spot.hint else f"it must match {ctx['pattern']}"
        return f"{given} is not of the right form", right, _MISSING
    if kind in _LIMITS:
        words = {name: each if "length" in name else _bound(spot, each) for name, each in ctx.items()}
        what, right = (template.format(given=given, **words) for template in _LIMITS[kind])
        return what, right, _MISSING
    if expected := _expected(detail, spot):
        what = f"{given} where {expected} is expected"
        if expected == "text" and isinstance(value, int | float):
            return what, f'quote it: "{text or given}"', text or given
        return what, spot.example, _MISSING
    return f"{given} is not allowed here", spot.hint, _MISSING


def _expected(detail: Detail, spot: _Spot) -> str:
    """What is expected, where the type or the choice of a value is wrong."""
    if allowed := _allowed_at(detail, spot):
        return " or ".join(map(_shown, allowed))
    found = (words for begin, words in _EXPECTED.items() if detail["type"].startswith(begin))
    return detail["ctx"]["expected"] if detail["type"] == "union" else next(found, "")


def _allowed_at(detail: Detail, spot: _Spot) -> list[Any]:
    return detail.get("ctx", {}).get("allowed") or _allowed(spot.kind)


def _choice(detail: Detail, spot: _Spot) -> str:
    allowed = _allowed_at(detail, spot)
    return f"allowed: {', '.join(map(_written, allowed))}" if allowed else ""


def _bound(spot: _Spot, value: Any) -> Any:
    """A bound as the user would write it: 2147483648 bytes are 2Gi."""
    serializer = next((m for m in spot.metadata if isinstance(m, PlainSerializer)), None)
    return TypeAdapter(Annotated[Any, serializer]).dump_python(value) if serializer else value


def _shown(value: Any, text: str | None = None) -> str:
    """A value in a message."""
    if value is None or value is _MISSING:
        return "nothing"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    return repr(_short(value)) if isinstance(value, str) else text or str(value).lower()


def _written(value: Any) -> str:
    """A value as the user would write it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value).lower() if isinstance(value, bool) else _short(str(value))


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


# ---- mending


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
        found = [(detail, _spot_of(self.model, detail["loc"])) for detail in details[:MAX_FAULTS]]
        found = [self._discriminated(*each) for each in _one_branch(found)]
        found.sort(key=lambda each: each[0]["type"] != "extra_forbidden")  # a misspelt key may be the missing one
        meant = [self._tell(*each) for each in found]
        if len(details) > MAX_FAULTS:
            what = f"more than {MAX_FAULTS:,} faults: only the first ones are listed"
            self.problems.append(self.locate(Problem(what)))
            return False
        self.data = _copy(self.data)
        moved: set[FieldPath] = set()
        return all(self._repair(*each, value, moved) for each, value in zip(found, meant, strict=True))

    def _discriminated(self, detail: Detail, spot: _Spot) -> tuple[Detail, _Spot]:
        """A missing or unknown tag of a discriminated union is an error of the key that holds the tag."""
        discriminator = detail.get("ctx", {}).get("discriminator", "")
        if not discriminator.startswith("'"):
            return detail, spot
        key, union = discriminator.strip("'"), _get(self.data, spot.path)
        tag = _Spot((*spot.path, key), None, parent=spot, branch=spot.branch)
        if key in union:
            return {"type": "literal_error", "ctx": {"allowed": _tags(spot.kind, key)}}, tag
        members = [_bare(member)[0] for member in _members(spot.kind)]
        if near := did_you_mean(key, [name for name in union if not any(_child(m, name) for m in members)]):
            return {"type": "extra_forbidden", "ctx": {"keys": [key]}}, replace(tag, path=(*spot.path, near))
        return {"type": "missing", "ctx": {"allowed": _tags(spot.kind, key)}}, tag

    def _tell(self, detail: Detail, spot: _Spot) -> Any:
        """Tells one error, unless a stand-in may be its cause. Gives the value or the key that was meant."""
        path, kind = spot.path, detail["type"]
        if self._above(spot) or (kind == "missing" and path in self.renamed):
            return _MISSING
        if kind == "extra_forbidden":
            return self._tell_key(detail, spot)
        value = path[-1] if spot.is_key else _get(self.data, path)
        text = self.document.text(self._in_file(path)) if self.document else None
        what, right, meant = _explain(detail, spot, value, text)
        # A model sees its fields, and a validator may see the fields before its own.
        near = len(path) - 1 if kind in _AUTHORED else len(path)
        if not any(p[:near] == path[:near] for p in self.candidates):
            other = getattr(detail.get("ctx", {}).get("error"), "problems", ())
            self.problems += other or [self.locate(Problem(_short(what, 300), right, path), key=spot.is_key)]
        return meant

    def _tell_key(self, detail: Detail, spot: _Spot) -> Any:
        """Tells an unknown key. Gives the key that was meant."""
        *container, key = spot.path
        valid = detail.get("ctx", {}).get("keys") or list(_keys(spot.parent.kind) if spot.parent else ())
        taken = _get(self.data, tuple(container))
        free = [name for name in valid if name not in taken and (*container, name) not in self.renamed]
        near = did_you_mean(str(key), free)
        right = f"did you mean {near!r}?" if near else f"valid keys: {', '.join(valid)}"
        self.problems.append(self.locate(Problem(f"unknown key {_shown(key)}", right, spot.path), key=True))
        if near is None:
            return _MISSING
        self.renamed[(*container, near)] = str(key)
        return near

    def _repair(self, detail: Detail, spot: _Spot, meant: Any, moved: set[FieldPath]) -> bool:
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
            if meant is not _MISSING:
                container[meant] = value
            return True
        if kind == "missing" and path in self.renamed:
            return True
        if meant is not _MISSING:
            container[path[-1]] = meant
            return True
        # Without its tag nothing is known about a member of a union.
        union = spot.parent if "allowed" in detail.get("ctx", {}) else None
        return self._stand_in(union or spot, detail, moved)

    def _stand_in(self, spot: _Spot, detail: Detail, moved: set[FieldPath]) -> bool:
        """Puts the next candidate in the place of the value; when there is none, in the place of what holds it."""
        path = spot.path
        if spot.parent is None or path in moved:
            return path in moved
        self.candidates.setdefault(path, self._candidates(spot, detail))
        self.named.update(_texts(_get(self.data, path)))
        value = next(self.candidates[path], _MISSING)
        if value is _MISSING:
            return self._stand_in(spot.parent, detail, moved)
        self.named.update(_texts(value))
        moved.add(path)
        container = _get(self.data, path[:-1])
        if value is _DEFAULT:
            container.pop(path[-1], None)
        else:
            container[path[-1]] = _copy(value)
        return True

    def _candidates(self, spot: _Spot, detail: Detail) -> Iterator[Any]:
        if detail["type"] == "string_pattern_mismatch":
            # A name made regular is still unlike its siblings, as an example may not be.
            yield re.sub(r"[^a-z0-9]+", "-", str(_get(self.data, spot.path)).lower()).strip("-")
        yield from spot.declared("examples") or ()
        if spot.field is not None and not spot.field.is_required():
            yield _DEFAULT
        yield from self._siblings(spot)
        yield from (bound for name, bound in detail.get("ctx", {}).items() if name in ("ge", "le"))
        yield from _allowed(spot.kind)[:1]
        yield from (value for kind, value in _STAND_INS.items() if (get_origin(spot.kind) or spot.kind) is kind)

    def _siblings(self, spot: _Spot) -> Iterator[Any]:
        """The values at the same place in the other entries of the lists and mappings above."""
        below: FieldPath = ()
        while spot.parent is not None:
            *above, part = spot.path
            entries = _get(self.data, tuple(above))
            if isinstance(part, int):
                others: Iterable[str | int] = range(max(0, part - 4), part + 5)
            else:
                others = list(islice(entries, 9)) if _is_a(spot.parent.kind, Mapping) else ()
            values = (_get(self.data, (*above, other, *below)) for other in others if other != part)
            yield from (value for value in values if value is not _MISSING)
            spot, below = spot.parent, (part, *below)

    def _above(self, spot: _Spot) -> _Spot | None:
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
            return _MISSING
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
