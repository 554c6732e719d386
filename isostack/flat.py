"""Values of two sides held against each other, leaf by leaf, and as texts: secrets masked, unknowns said."""

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
    """Where the two differ. What is there on one side alone is one difference, however much is in it; items of lists
    go by their names where they have some. A secret is only held against what is none. `guess`: what is unknown on one
    side may be what stands on the other."""
    if isinstance(before, Secret) and isinstance(after, Secret):
        return
    if guess and (before is UNKNOWN or after is UNKNOWN):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            at = f"{path}.{key}" if path else key
            yield from differing(before.get(key, MISSING), after.get(key, MISSING), at, guess=guess)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _of_lists(before, after, path, guess)
    elif before != after:
        yield path, before, after


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: str, guess: bool) -> Iterator[Found]:
    one, other = _by_name(before), _by_name(after)
    if one is not None and other is not None:
        for name in {**one, **other}:
            yield from differing(one.get(name, MISSING), other.get(name, MISSING), f"{path}[{name}]", guess=guess)
        kept = [name for name in one if name in other]
        if kept != (now := [name for name in other if name in one]):
            yield f"{path}[]", kept, now
    elif len(before) == len(after):
        for i, (a, b) in enumerate(zip(before, after, strict=True)):
            yield from differing(a, b, f"{path}[{i}]", guess=guess)
    else:
        yield path, before, after


def _by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """None where not every item has a name of its own."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    named = {name: item for name, item in zip(names, items, strict=True) if isinstance(name, str)}
    return named if len(named) == len(items) else None


def texts(before: Any, after: Any) -> tuple[str, str]:
    """Both as people read them. What is a secret on one side is not printed for standing in clear on the other."""
    one, other = shown(before), shown(after)
    if one == other:  # "1" is not 1
        one, other = json.dumps(_bare(before)), json.dumps(_bare(after))
    if HIDDEN in one or HIDDEN in other:
        one, other = (each if HIDDEN in each or each == NOTHING else CLEAR for each in (one, other))
    return one, other


def shown(value: Any) -> str:
    """As text; as JSON where it is none."""
    if value is MISSING:
        return NOTHING
    bare = _bare(value)
    return bare if isinstance(bare, str) else json.dumps(bare, ensure_ascii=False)


def _bare(value: Any) -> Any:
    if value is UNKNOWN:
        return UNTOLD
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: _bare(item) for key, item in value.items()}
    return [_bare(item) for item in value] if isinstance(value, list | tuple) else value
