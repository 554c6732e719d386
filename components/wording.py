"""What a fault is called: where in the model and in the file an error of pydantic belongs, and the words for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, PlainSerializer, TypeAdapter
from pydantic.fields import FieldInfo

from components.problems import Fault, FieldPath

Detail = Mapping[str, Any]  # one error of pydantic

MISSING: Any = object()
AUTHORED = ("value_error", "assertion_error")
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
class Spot:
    """A place in a model: the path that leads there in the YAML, and what is declared about it."""

    path: FieldPath
    kind: Any  # the type, without Annotated and Optional; None where nothing is declared
    metadata: tuple[Any, ...] = ()
    field: FieldInfo | None = None
    parent: Spot | None = None
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


def spot_of(model: type[BaseModel], loc: tuple[str | int, ...]) -> Spot:
    """The place that pydantic's `loc` means, without the labels of unions that pydantic mixes into it."""
    spot = Spot((), model)
    for i, part in enumerate(loc):
        members, child = members_of(spot.kind), child_of(spot.kind, part)
        if len(members) > 1:
            keys = spot.all_declared("discriminator")
            tagged = [m for m in members if any(str(part) in tags_of(m, key) for key in keys)]
            fits = tagged or [m for m in members if _named(m, str(part))] or members
            entered = [m for m in fits if i + 1 < len(loc) and child_of(bare_type(m)[0], loc[i + 1])]
            kind, metadata = bare_type((entered or fits)[0])
            spot = replace(spot, kind=kind, metadata=metadata, branch=spot.branch or (spot.path, part))
        elif part == "[key]" and child is None and spot.parent and is_a(spot.parent.kind, Mapping):
            kind, metadata = bare_type(get_args(spot.parent.kind)[0])
            spot = replace(spot, kind=kind, metadata=metadata, field=None, is_key=True)
        else:
            annotation, field = child or (None, None)
            kind, metadata = bare_type(annotation)
            metadata = (*metadata, *(field.metadata if field else ()))
            spot = Spot((*spot.path, part), kind, metadata, field, spot, spot.branch)
    return spot


def bare_type(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type inside Annotated, Optional and type aliases, and the metadata found on the way."""
    kind = getattr(kind, "__value__", kind)
    if get_origin(kind) is Annotated:
        bare, metadata = bare_type(get_args(kind)[0])
        return bare, (*get_args(kind)[1:], *metadata)
    members = members_of(kind)
    return bare_type(members[0]) if len(members) == 1 else (kind, ())


def members_of(kind: Any) -> list[Any]:
    """The members of a union, None aside."""
    return [m for m in get_args(kind) if m is not type(None)] if get_origin(kind) in (Union, UnionType) else []


def child_of(kind: Any, part: str | int) -> tuple[Any, FieldInfo | None] | None:
    """What is declared below `kind` at `part`: its type, and its field where `kind` is a model."""
    args = get_args(kind)
    if is_a(kind, BaseModel):
        field = keys_of(kind).get(str(part))
        return (field.annotation, field) if field else None
    if is_a(kind, Mapping) and len(args) == 2:
        return args[1], None
    if isinstance(part, int) and args and not members_of(kind):
        fixed = is_a(kind, tuple) and args[-1] is not Ellipsis and part < len(args)
        return args[part if fixed else 0], None
    return None


def is_a(kind: Any, base: type) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, base)


@cache
def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their key in YAML."""
    fields = model.model_fields.items()
    return {f.validation_alias if isinstance(f.validation_alias, str) else f.alias or n: f for n, f in fields}


def _named(member: Any, label: str) -> bool:
    """Whether pydantic may label this member of a union so: Pool, constrained-str, function-after[even(), int]."""
    bare, _ = bare_type(member)
    name = "literal" if get_origin(bare) is Literal else getattr(bare, "__name__", "")
    return name in re.findall(r"\w+", label)


def allowed_values(kind: Any) -> list[Any]:
    """The values that a Literal or an Enum allows."""
    bare, _ = bare_type(kind)
    if is_a(bare, Enum):
        return [each.value for each in bare]
    return list(get_args(bare)) if get_origin(bare) is Literal else []


def tags_of(kind: Any, key: Any) -> list[str]:
    """The values that `key` may have in the members of a discriminated union."""
    bare, _ = bare_type(kind)
    if is_a(bare, BaseModel):
        return [str(tag) for tag in allowed_values(keys_of(bare)[key].annotation)] if key in keys_of(bare) else []
    return [tag for member in members_of(bare) for tag in tags_of(member, key)]


def one_branch(found: list[tuple[Detail, Spot]]) -> list[tuple[Detail, Spot]]:
    """pydantic tells the errors of every branch of a union: keep those of the branch that was meant."""
    unions: dict[FieldPath, dict[Any, list[tuple[Detail, Spot]]]] = {}
    for detail, spot in found:
        path, label = spot.branch or (spot.path, None)
        unions.setdefault(path, {}).setdefault(label, []).append((detail, spot))
    kept: list[tuple[Detail, Spot]] = []
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


def explain(detail: Detail, spot: Spot, value: Any, text: str | None) -> tuple[str, str, Any]:
    """What is wrong, what would be right, and the value that was meant, if that can be told."""
    kind, ctx, given = detail["type"], detail.get("ctx", {}), shown(value, text)
    if error := ctx.get("error") if kind in AUTHORED else None:
        what, _, right = str(error).partition("; ")
        return (error.what, error.right, MISSING) if isinstance(error, Fault) else (what, right, MISSING)
    if kind == "missing":
        return f"missing required key {spot.path[-1]!r}", spot.hint or _choice(detail, spot), MISSING
    if kind in ("literal_error", "enum") and isinstance(value, str):
        near = did_you_mean(value, [each for each in _allowed_at(detail, spot) if isinstance(each, str)])
        name = spot.path[-1] if isinstance(spot.path[-1], str) else "value"
        right = f"did you mean {near!r}? {_choice(detail, spot)}" if near else _choice(detail, spot)
        return f"unknown {name} {given}", right, near or MISSING
    if kind == "string_pattern_mismatch":
        right = f"{spot.hint}; it must match {ctx['pattern']}" if spot.hint else f"it must match {ctx['pattern']}"
        return f"{given} is not of the right form", right, MISSING
    if kind in _LIMITS:
        words = {name: each if "length" in name else _bound(spot, each) for name, each in ctx.items()}
        what, right = (template.format(given=given, **words) for template in _LIMITS[kind])
        return what, right, MISSING
    if expected := _expected(detail, spot):
        what = f"{given} where {expected} is expected"
        if expected == "text" and isinstance(value, int | float):
            return what, f'quote it: "{text or given}"', text or given
        return what, spot.example, MISSING
    return f"{given} is not allowed here", spot.hint, MISSING


def _expected(detail: Detail, spot: Spot) -> str:
    """What is expected, where the type or the choice of a value is wrong."""
    if allowed := _allowed_at(detail, spot):
        return " or ".join(map(shown, allowed))
    found = (words for begin, words in _EXPECTED.items() if detail["type"].startswith(begin))
    return detail["ctx"]["expected"] if detail["type"] == "union" else next(found, "")


def _allowed_at(detail: Detail, spot: Spot) -> list[Any]:
    return detail.get("ctx", {}).get("allowed") or allowed_values(spot.kind)


def _choice(detail: Detail, spot: Spot) -> str:
    allowed = _allowed_at(detail, spot)
    return f"allowed: {', '.join(map(_written, allowed))}" if allowed else ""


def _bound(spot: Spot, value: Any) -> Any:
    """A bound as the user would write it: 2147483648 bytes are 2Gi."""
    serializer = next((m for m in spot.metadata if isinstance(m, PlainSerializer)), None)
    return TypeAdapter(Annotated[Any, serializer]).dump_python(value) if serializer else value


def shown(value: Any, text: str | None = None) -> str:
    """A value in a message."""
    if value is None or value is MISSING:
        return "nothing"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    return repr(short(value)) if isinstance(value, str) else text or str(value).lower()


def _written(value: Any) -> str:
    """A value as the user would write it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value).lower() if isinstance(value, bool) else short(str(value))


def short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
