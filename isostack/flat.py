"""Values of several sides held against each other, leaf by leaf, and as texts: secrets masked, unknowns said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, final

from isostack.preview.model import HIDDEN, UNKNOWN, Secret

UNTOLD: Final = "(known after creation)"
CLEAR: Final = "(stands in clear)"
NOTHING: Final = "absent"


@final
class Missing:
    """Nothing stands there. There is one instance, MISSING."""


MISSING: Final = Missing()

Found = tuple[str, Any, Any]
"""Path, and what stands there before and after."""


def differing(before: Any, after: Any, path: str = "", *, guess: bool = False) -> Iterator[Found]:
    """Where two sides differ; see `among`."""
    for at, (one, other) in among((before, after), path, guess=guess):
        yield at, one, other


def among(sides: Sequence[Any], path: str = "", *, guess: bool = False) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Where the sides differ, and what stands there on each. What some have and others have not is one difference,
    however much is in it; items of lists go by their names where they have some. A secret is only held against what is
    none. `guess`: what is unknown on one side may be what stands on the others."""
    if all(isinstance(side, Secret) for side in sides):
        return
    if guess and any(side is UNKNOWN for side in sides):
        return
    if all(isinstance(side, Mapping) for side in sides):
        for key in {key: None for side in sides for key in side}:
            inner = [side.get(key, MISSING) for side in sides]
            yield from among(inner, f"{path}.{key}" if path else key, guess=guess)
    elif all(isinstance(side, list | tuple) for side in sides):
        yield from _of_lists(sides, path, guess)
    elif not all(_same(sides[0], side) for side in sides[1:]):
        yield path, tuple(sides)


def _same(one: Any, other: Any) -> bool:
    """`true` is not 1, though Python has it so."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _of_lists(sides: Sequence[Sequence[Any]], path: str, guess: bool) -> Iterator[tuple[str, tuple[Any, ...]]]:
    named = [by_name(side) for side in sides]
    if keyed := [each for each in named if each is not None] if None not in named else []:
        for name in {name: None for side in keyed for name in side}:
            yield from among([side.get(name, MISSING) for side in keyed], f"{path}[{name}]", guess=guess)
        orders = tuple([name for name in side if all(name in other for other in keyed)] for side in keyed)
        if any(order != orders[0] for order in orders):
            yield f"{path}[]", orders
    elif len({len(side) for side in sides}) == 1:
        for i, items in enumerate(zip(*sides, strict=True)):
            yield from among(items, f"{path}[{i}]", guess=guess)
    else:
        yield path, tuple(sides)


def by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """None where not every item has a name of its own."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    named = {name: item for name, item in zip(names, items, strict=True) if isinstance(name, str)}
    return named if len(named) == len(items) else None


def texts(before: Any, after: Any) -> tuple[str, str]:
    """Two sides as people read them; see `texts_of`."""
    one, other = texts_of((before, after))
    return one, other


def texts_of(sides: Sequence[Any]) -> tuple[str, ...]:
    """All as people read them. What is a secret on one side is not printed for standing in clear on another."""
    told = [shown(side) for side in sides]
    written = [json.dumps(bare(side)) if side is not MISSING else NOTHING for side in sides]
    if len(set(told)) < len(set(written)):  # "1" is not 1
        told = written
    if any(HIDDEN in each for each in told):
        told = [each if HIDDEN in each or each == NOTHING else CLEAR for each in told]
    return tuple(told)


def shown(value: Any) -> str:
    """As text; as JSON where it is none."""
    if value is MISSING:
        return NOTHING
    plain = bare(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def bare(value: Any) -> Any:
    """As JSON, with words for what is secret or unknown."""
    if value is UNKNOWN:
        return UNTOLD
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: bare(item) for key, item in value.items()}
    return [bare(item) for item in value] if isinstance(value, list | tuple) else value
