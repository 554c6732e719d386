"""Kubernetes objects of several stacks side by side: what differs as text, and what is each target's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final

import yaml

from isostack.documented import Documented
from isostack.flat import CLEAR, MISSING, among, bare, by_name, texts_of
from isostack.neutral import Object, addons, objects
from isostack.preview.model import HIDDEN, Preview, Secret

CONTEXT: Final = 3
"""Lines of an object around what differs."""
_WIDTH: Final = 10_000
"""Columns: a value is never folded, so that a line that differs is a value that does."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Texts of several lines as such."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


@dataclass(frozen=True, slots=True)
class Text(Documented):
    """How an object differs on some stacks from what it is on the first that has it."""

    stacks: tuple[int, ...]
    """Their places in the document's list of stacks."""
    against: int
    """Place of the stack that it is held against."""
    diff: str | None
    """Unified, of the two as YAML with sorted keys; what is a secret anywhere is in none. Null: it is absent there."""


@dataclass(frozen=True, slots=True)
class Choice(Documented):
    """What a target may choose inside an object, and what each has chosen. No difference."""

    path: str
    """Dotted; items of lists by their names."""
    values: tuple[str, ...]
    """As text, one for each stack."""

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class ObjectSides(Documented):
    """An object that every target must have, and have alike."""

    name: str
    """Kind and the resource's name."""
    addon: str
    """The add-on that it belongs to."""
    texts: tuple[Text, ...]
    """Where it differs; none: it is equal on all."""
    choices: tuple[Choice, ...]
    """What targets may choose in it."""


@dataclass(frozen=True, slots=True)
class Mechanism(Documented):
    """An add-on that is the mechanism of some targets for what the spec asks. Its objects are not compared."""

    addon: str
    """Its name."""
    serves: tuple[str, ...]
    """Fields of the spec that it makes true, as patterns."""
    objects: tuple[Mapping[str, int] | None, ...]
    """Number of its objects by kind, for each stack; null: the stack does not have it."""

    @property
    def differs(self) -> bool:
        return any(each != self.objects[0] for each in self.objects)


def object_sides(previews: Sequence[Preview]) -> tuple[ObjectSides, ...]:
    stacks = [objects(preview) for preview in previews]
    return tuple(
        _sides(name, [stack.get(name) for stack in stacks])
        for name in {name: None for stack in stacks for name in stack}
    )


def mechanisms(previews: Sequence[Preview]) -> tuple[Mechanism, ...]:
    found: dict[str, tuple[dict[str, None], list[dict[str, int] | None]]] = {}
    for i, preview in enumerate(previews):
        for component, addon in addons(preview):
            if addon.common:
                continue
            served, there = found.setdefault(addon.name, ({}, [None] * len(previews)))
            served.update(dict.fromkeys(addon.serves))
            kinds = Counter(child.type.rpartition(":")[2] for child in preview.children(component.urn))
            there[i] = dict(sorted(kinds.items()))
    return tuple(Mechanism(name, tuple(served), tuple(there)) for name, (served, there) in found.items())


def _sides(name: str, sides: Sequence[Object | None]) -> ObjectSides:
    there = [side for side in sides if side is not None]
    return ObjectSides(name, there[0].addon, tuple(_texts(sides)), tuple(_choices(sides)))


def _texts(sides: Sequence[Object | None]) -> Iterator[Text]:
    """One for all stacks that differ alike."""
    values = [MISSING if side is None else side.value for side in sides]
    first = next(i for i, value in enumerate(values) if value is not MISSING)
    differing = [i for i, value in enumerate(values) if any(among((values[first], value)))]
    if not differing:
        return
    written = [_written(value) for value in _masked(values)]
    found: dict[str | None, list[int]] = {}
    for i in differing:
        found.setdefault(None if values[i] is MISSING else _difference(written[first], written[i]), []).append(i)
    for diff, stacks in found.items():
        yield Text(tuple(stacks), first, diff)


def _difference(one: str, other: str) -> str:
    lines = unified_diff(one.splitlines(), other.splitlines(), lineterm="", n=CONTEXT)
    return "\n".join(list(lines)[2:])


def _written(value: Any) -> str:
    return "" if value is MISSING else yaml.dump(value, Dumper=_Dumper, width=_WIDTH, allow_unicode=True)


def _masked(sides: Sequence[Any]) -> list[Any]:
    """Plain values for YAML. What is a secret on one side is shown on none; unnamed items of lists of different lengths
    are at no place in common, so of these lists all is hidden where anything is."""
    if any(isinstance(side, Secret) for side in sides):
        return [side if side is MISSING else HIDDEN if isinstance(side, Secret) else CLEAR for side in sides]
    there = [side for side in sides if side is not MISSING]
    if all(isinstance(side, Mapping) for side in there):
        keys = sorted({str(key): key for side in there for key in side}.items())
        inner = {key: _masked([_at(side, key) for side in sides]) for _, key in keys}
        return [
            side if side is MISSING else {key: inner[key][i] for key in inner if key in side}
            for i, side in enumerate(sides)
        ]
    if all(isinstance(side, list | tuple) for side in there):
        return _masked_lists(sides, there)
    # Of different kinds: what is inside of one is nowhere in the other.
    return [side if side is MISSING else bare(side) for side in sides]


def _masked_lists(sides: Sequence[Any], there: Sequence[Sequence[Any]]) -> list[Any]:
    named = [None if side is MISSING else by_name(side) for side in sides]
    if all(each is not None or side is MISSING for each, side in zip(named, sides, strict=True)):
        names = {name: None for each in named for name in each or ()}
        inner = {
            name: _masked([MISSING if each is None else each.get(name, MISSING) for each in named]) for name in names
        }
        return [MISSING if each is None else [inner[name][i] for name in each] for i, each in enumerate(named)]
    if len({len(side) for side in there}) == 1:
        items = [_masked([_at(side, i) for side in sides]) for i in range(len(there[0]))]
        return [side if side is MISSING else [item[i] for item in items] for i, side in enumerate(sides)]
    plain = [side if side is MISSING else bare(side) for side in sides]
    if any(HIDDEN in str(side) for side in plain):
        return [side if side is MISSING or HIDDEN in str(side) else CLEAR for side in plain]
    return plain


def _at(side: Any, key: Any) -> Any:
    if side is MISSING:
        return MISSING
    return side.get(key, MISSING) if isinstance(side, Mapping) else side[key]


def _choices(sides: Sequence[Object | None]) -> Iterator[Choice]:
    for path in {path: None for side in sides if side for path in side.chosen}:
        yield Choice(path, texts_of([MISSING if side is None else side.chosen.get(path, MISSING) for side in sides]))
