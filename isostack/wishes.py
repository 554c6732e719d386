"""How each wish of a spec comes true on several stacks; fields that come true alike are told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from components.facts import Realisation
from isostack.documented import Documented
from isostack.evidence import cluster_facts
from isostack.fields import path_of
from isostack.preview.model import Preview

Grade = Literal["impossible", "degraded", "equal"]
GRADES: Final[tuple[Grade, ...]] = get_args(Grade)
"""The worst first."""
_LONGEST: Final = 60
"""Characters of a wish that a row shows; the spec has the rest."""


@dataclass(frozen=True, slots=True)
class Asked(Documented):
    """A field of the spec."""

    path: str
    """Items of lists by their names: pools.web.size.cpus."""
    asked: str
    """What the spec says there, cut where it is long."""


@dataclass(frozen=True, slots=True)
class Wish(Documented):
    """Fields of the spec that come true alike."""

    grade: Grade
    """The worst of all stacks."""
    fields: tuple[Asked, ...]
    """Each of them."""
    ways: tuple[Realisation | None, ...]
    """How they come true on each stack, in the order of the stacks; null: that spec has no such field."""

    @property
    def differs(self) -> bool:
        """Whether a reader need know: some stack falls short, has no such field, or gets there by another way. That
        one of several says more of the same way is no difference."""
        ways = {(way.grade, way.mechanism) if way else None for way in self.ways}
        return self.grade != "equal" or len(ways) > 1


def wishes(previews: Sequence[Preview]) -> list[Wish]:
    """Every field of the spec, the worst first."""
    clusters = [cluster_facts(preview) for preview in previews]
    by_field: dict[str, list[Realisation | None]] = {}
    for i, cluster in enumerate(clusters):
        for realisation in cluster.realisations:
            by_field.setdefault(realisation.field, [None] * len(clusters))[i] = realisation
    alike: dict[tuple[tuple[str, str, str] | None, ...], list[str]] = {}
    for field, ways in by_field.items():
        alike.setdefault(tuple((r.grade, r.mechanism, r.reason) if r else None for r in ways), []).append(field)
    # What is not one spec is compared too, and not equivalent: a field is of the first stack that has it.
    specs = [cluster.wanted.model_dump(mode="json", by_alias=True) for cluster in clusters]
    found = [
        Wish(
            min((way.grade for way in by_field[fields[0]] if way), key=GRADES.index),
            tuple(Asked(field, _asked(specs, by_field[field])) for field in fields),
            tuple(by_field[fields[0]]),
        )
        for fields in alike.values()
    ]
    return sorted(found, key=lambda wish: GRADES.index(wish.grade))


def _asked(specs: Sequence[Any], realisations: Sequence[Realisation | None]) -> str:
    """What the spec says in the field of these realisations."""
    data, field = next((spec, r.field) for spec, r in zip(specs, realisations, strict=True) if r)
    try:
        for step in path_of(data, field):
            data = data[step]
    except (KeyError, IndexError, TypeError):  # a preview's file of another version: it says more than its spec has
        return ""
    text = _words(data)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_words(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value)
