"""Two previews of one stack held against each other, resource by resource: what is deployed, and what the files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from isostack.preview.model import UNKNOWN, Preview, Resource, Secret
from isostack.sound import short

# What a state does not keep, or keeps of what was; and where in the program it is made.
_UNTOLD: Final = frozenset(
    {"urn", "type", "name", "id", "inputs", "outputs", "dependencies", "delete_before_replace"}
    | {"aliases", "custom_timeouts", "version", "source"}
)
_OPTIONS: Final = tuple(field.name for field in fields(Resource) if field.name not in _UNTOLD)

Found = tuple[str, str, Any, Any]
"""Resource, path, and what stands there on each side; None: nothing."""


def differences(a: Preview, b: Preview) -> Iterator[Found]:
    """All that is another on the other side: resources, their inputs and options. What one side does not know may be
    anything; a secret is only held against what is none."""
    for urn in {**a.by_urn, **b.by_urn}:
        here, there = a.by_urn.get(urn), b.by_urn.get(urn)
        if here is None or there is None:
            yield short(urn), "", here and "present", there and "present"
            continue
        for path, one, other in _values("", dict(here.inputs), dict(there.inputs)):
            yield short(urn), path, one, other
        for option in _OPTIONS:
            for path, one, other in _values(f"({option})", *(_plain(getattr(r, option)) for r in (here, there))):
                yield short(urn), path, one, other


def _values(path: str, here: Any, there: Any) -> Iterator[tuple[str, Any, Any]]:
    if here is UNKNOWN or there is UNKNOWN or (isinstance(here, Secret) and isinstance(there, Secret)):
        return
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in {**here, **there}:
            yield from _values(f"{path}.{key}" if path else key, here.get(key), there.get(key))
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for i, (one, other) in enumerate(zip(here, there, strict=True)):
            yield from _values(f"{path}[{i}]", one, other)
    elif here != there:
        yield path, here, there


def _plain(option: Any) -> Any:
    """Lists of names and URNs have no order."""
    if isinstance(option, Mapping):
        return {key: _plain(value) for key, value in option.items()}
    return sorted(option) if isinstance(option, tuple) else option
