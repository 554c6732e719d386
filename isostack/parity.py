"""Parity: whether stacks of one spec are equivalent, and where they are not. Reads previews alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from components.facts import Realisation
from components.realise import leaves
from isostack import same
from isostack.documented import Documented
from isostack.evidence import cluster_facts, doubts
from isostack.flat import MISSING, NOTHING, among, texts, texts_of
from isostack.neutral import Subject, addons, neutral
from isostack.preview.model import Preview


class Verdict(StrEnum):
    """Whether stacks are equivalent."""

    EQUIVALENT = "equivalent"
    DEGRADED = "equivalent with degradations"
    NOT = "not equivalent"
    ALONE = "nothing to compare with"


@dataclass(frozen=True, slots=True)
class Difference(Documented):
    """Something that must be equal and is not."""

    subject: str
    """What differs: spec, a machine, an object in the cluster."""
    field: str
    """Path in it; empty: all of it."""
    values: tuple[str, ...]
    """As text, one for each stack, in their order."""


@dataclass(frozen=True, slots=True)
class Shortfall(Documented):
    """A wish that a stack does not meet in full."""

    stack: str
    """As `stacks` of the comparison name it."""
    realisation: Realisation
    """How the wish comes true there, and why not in full."""


@dataclass(frozen=True, slots=True)
class Parity(Documented):
    """The comparison of two or more stacks of one spec."""

    stacks: tuple[str, ...]
    """Their names; of what is read from a file, with the file's."""
    verdict: Verdict
    """What the differences and shortfalls come to."""
    differences: tuple[Difference, ...]
    """All that must be equal and is not."""
    shortfalls: tuple[Shortfall, ...]
    """Fields of the spec that a stack degrades, or cannot make true."""
    compared: Mapping[str, int]
    """How many things were held against each other, by kind."""


def parity(previews: Sequence[Preview]) -> Parity:
    """Hold the stacks against each other, and each against its own raw resources.

    They are equivalent when their neutral facts and Kubernetes objects are equal but for what each add-on declares to
    be its target's mechanism, when the raw resources of every machine show what its facts say, when what an add-on
    serves on one target is served on each that claims it, and when each wish comes true, or its degradation is listed.
    """
    stacks = [dict(neutral(preview)) for preview in previews]
    own = list(_own(previews))
    untold = {("outputs", "")} if any(preview.outputs is None for preview in previews) else set()
    subjects = [s for s in dict.fromkeys(subject for stack in stacks for subject in stack) if s not in untold]
    one_stack = len({(preview.project, preview.stack) for preview in previews}) == 1 < len(previews)
    # Of one stack alone, all of its resources are held against each other: what is neutral is among them.
    differences = own
    if not one_stack:
        differences += [
            d for subject in subjects for d in _differences(subject, [n.get(subject, MISSING) for n in stacks])
        ]
    differences += [*_unserved(previews), *_unrealised(previews), *_empty(previews)]
    for i, preview in enumerate(previews):
        for machine, field, what in doubts(preview):
            differences.append(Difference(f"machine {machine}", field, _only(i, previews, what)))
    shortfalls = [
        Shortfall(preview.label, realisation)
        for preview in previews
        for realisation in cluster_facts(preview).realisations
        if realisation.grade != "equal"
    ]
    return Parity(
        stacks=tuple(preview.label for preview in previews),
        verdict=_verdict(len(previews), differences, shortfalls),
        differences=tuple(differences),
        shortfalls=tuple(shortfalls),
        compared={"resource": len(previews[0].resources)} if one_stack else _count(subjects),
    )


def _own(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Between what stands for the same stack: the first of it, and each other."""
    first: dict[tuple[str, str], int] = {}
    for i, preview in enumerate(previews):
        a = first.setdefault((preview.project, preview.stack), i)
        if a == i:
            continue
        for subject, path, here, there in same.differences(previews[a], preview):
            values = dict(zip((a, i), texts(here, there), strict=True))
            yield Difference(subject, path, tuple(values.get(j, "") for j in range(len(previews))))


def _verdict(stacks: int, differences: Sequence[Difference], shortfalls: Sequence[Shortfall]) -> Verdict:
    if differences or any(shortfall.realisation.grade == "impossible" for shortfall in shortfalls):
        return Verdict.NOT
    if stacks == 1:
        return Verdict.ALONE
    return Verdict.DEGRADED if shortfalls else Verdict.EQUIVALENT


def _differences(subject: Subject, stacks: Sequence[Any]) -> Iterator[Difference]:
    name = " ".join(part for part in subject if part)
    if any(stack is MISSING for stack in stacks):
        yield Difference(name, "", tuple(NOTHING if stack is MISSING else "present" for stack in stacks))
        return
    for field, values in among(stacks):
        yield Difference(name, field, texts_of(values))


def _unrealised(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Fields of the spec of which a stack does not say how they come true."""
    for i, preview in enumerate(previews):
        cluster = cluster_facts(preview)
        said = {realisation.field for realisation in cluster.realisations}
        for leaf in leaves(cluster.wanted):
            if leaf.path not in said:
                yield Difference("spec", leaf.path, _only(i, previews, "not said how it comes true"))


def _empty(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Add-ons that install nothing."""
    for i, preview in enumerate(previews):
        for component, addon in addons(preview):
            if not preview.children(component.urn):
                yield Difference(f"add-on {addon.name}", "", _only(i, previews, "installs nothing"))


def _only(i: int, previews: Sequence[Preview], what: str) -> tuple[str, ...]:
    return tuple(what if j == i else "" for j in range(len(previews)))


def _unserved(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Fields that an add-on serves on one target, and none on another that claims to make them true all the same."""
    serving = [_serving(preview) for preview in previews]
    for pattern in dict.fromkeys(pattern for stack in serving for pattern in stack):
        values = tuple(
            ", ".join(addons.get(pattern, ())) or ("none" if _claims(preview, pattern) else "")
            for preview, addons in zip(previews, serving, strict=True)
        )
        if "none" in values:
            yield Difference("add-ons", pattern, values)


def _serving(preview: Preview) -> dict[str, list[str]]:
    """Names of the add-ons that serve each field, by its pattern."""
    found: dict[str, list[str]] = {}
    for _, addon in addons(preview):
        for pattern in addon.serves:
            found.setdefault(pattern, []).append(addon.name)
    return found


def _claims(preview: Preview, pattern: str) -> bool:
    """Whether fields of this pattern come true here in full."""
    fields = [r for r in cluster_facts(preview).realisations if fnmatchcase(r.field, pattern)]
    return any(realisation.grade == "equal" for realisation in fields)


def _count(subjects: Sequence[Subject]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind, _ in subjects:
        counts[kind] = counts.get(kind, 0) + 1
    return counts
