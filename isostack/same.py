"""Two previews of one stack held against each other, resource by resource: what is deployed, and what the files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from isostack.flat import MISSING, differing
from isostack.preview.model import Preview, Resource
from isostack.sound import short

# What a state does not keep, or keeps of what was; and where in the program it is made.
_UNTOLD: Final = frozenset(
    {"urn", "type", "name", "id", "inputs", "outputs", "dependencies", "delete_before_replace"}
    | {"aliases", "custom_timeouts", "version", "source"}
)
_OPTIONS: Final = tuple(field.name for field in fields(Resource) if field.name not in _UNTOLD)

Found = tuple[str, str, Any, Any]
"""Resource, path, and what stands there on each side; MISSING: nothing."""


def differences(a: Preview, b: Preview) -> Iterator[Found]:
    """All that is another on the other side: resources, their inputs and options. What one side does not know may be
    anything; a secret is only held against what is none."""
    for urn in {**a.by_urn, **b.by_urn}:
        here, there = a.by_urn.get(urn), b.by_urn.get(urn)
        if here is None or there is None:
            yield short(urn), "", "present" if here else MISSING, "present" if there else MISSING
            continue
        for path, one, other in _values(here, there):
            if not (one in (None, MISSING) and other in (None, MISSING)):  # a state does not keep what is null
                yield short(urn), path, one, other


def _values(here: Resource, there: Resource) -> Iterator[tuple[str, Any, Any]]:
    yield from differing(here.inputs, there.inputs, guess=True)
    for option in _OPTIONS:
        one, other = (_plain(getattr(resource, option)) for resource in (here, there))
        yield from differing(one, other, f"({option})", guess=True)


def _plain(option: Any) -> Any:
    """Lists of names and URNs have no order."""
    if isinstance(option, Mapping):
        return {key: _plain(value) for key, value in option.items()}
    return sorted(option) if isinstance(option, tuple) else option
