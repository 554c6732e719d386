"""What the reports of changes have in common: what several stacks share is told once, verdicts and counts in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from isostack.changes import Cause, FileChange, Kind, Row, StackChange
from isostack.comparison import kind_name
from isostack.parity import Parity, Shortfall, Verdict
from isostack.report import wording
from isostack.review import Review, SpecVerdict

T = TypeVar("T")
NAMED: Final = 3
"""Machines or resources that a line names; the JSON document names all."""
NOTE: Final = (
    "Whether a provider changes a resource in place or builds it anew for another reason than those told here, "
    "only `pulumi preview` against the real state knows."
)
Shared = tuple[tuple[str, ...], T]
"""The stacks, and what holds for each of them."""


def shared(stacks: Iterable[StackChange], of: Callable[[StackChange], Iterable[T]]) -> list[Shared[T]]:
    found: dict[T, dict[str, None]] = {}
    for each in stacks:
        for item in of(each):
            found.setdefault(item, {})[each.stack] = None
    return [(tuple(names), item) for item, names in found.items()]


def causes(review: Review) -> list[tuple[Cause, dict[str, tuple[str, ...]]]]:
    """Each change of a fact, with its meanings and the stacks that each holds for."""
    found: dict[tuple[str, str, str, str], tuple[Cause, dict[str, tuple[str, ...]]]] = {}
    for stacks, cause in shared(review.stacks, lambda each: [c for c in each.causes if not c.names]):
        key = (cause.subject, cause.field, cause.before, cause.after)
        _, meanings = found.setdefault(key, (cause, {}))
        meanings[cause.meaning] = (*meanings.get(cause.meaning, ()), *stacks)
    return sorted(found.values(), key=lambda pair: _SUBJECTS.index(pair[0].subject.partition(" ")[0]))


_SUBJECTS: Final = ("spec", "how", "cluster", "site", "add-on", "provider", "sizing")
"""What was asked first; what follows from it, last."""


def of_machines(review: Review) -> list[Shared[Cause]]:
    return shared(review.stacks, lambda each: [c for c in each.causes if c.names])


def machines(review: Review) -> list[Shared[Row]]:
    return sorted(shared(review.stacks, lambda each: each.machines), key=_worst)


def resources(review: Review) -> list[Shared[Row]]:
    return sorted(shared(review.stacks, lambda each: each.resources), key=_worst)


def files(review: Review) -> list[Shared[FileChange]]:
    return shared(review.stacks, lambda each: each.files)


def _worst(item: Shared[Row]) -> int:
    return ORDER.index(item[1].kind)


ORDER: Final = (Kind.DELETED, Kind.REPLACED, Kind.CREATED, Kind.CHANGED, Kind.RENAMED, Kind.LATER)


def verdict(each: SpecVerdict) -> str:
    """In words, with what it was before where that is another."""
    now, was = said(each.after), said(each.before)
    return f"{now}, as before" if now == was else f"{now} (before: {was})"


def said(parity: Parity | None) -> str:
    if parity is None:
        return "no stack that can be judged"
    if parity.verdict is Verdict.ALONE:
        return "one stack alone"
    return str(parity.verdict) if parity.verdict is Verdict.NOT else wording.verdict(parity)


def tradeoffs(shortfalls: Iterable[Shortfall]) -> list[tuple[list[str], list[str], str]]:
    """Fields and stacks of each cause, and the cause."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for each in shortfalls:
        r = each.realisation
        why = f"{r.grade}: {r.mechanism}" + (f"; {r.reason}" if r.reason else "")
        fields, stacks = found.setdefault(why, ({}, {}))
        fields[r.field] = None
        stacks[each.stack] = None
    return [(list(fields), list(stacks), why) for why, (fields, stacks) in found.items()]


def named(names: Sequence[str], most: int = NAMED) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def count(number: int, of: str) -> str:
    return f"{number} {of}{'' if number == 1 else 's'}"


def counts(change: StackChange) -> str:
    """Machines, before and after."""
    before, after = change.counts["before"], change.counts["after"]
    return str(after) if before == after else f"{before} -> {after}"


def kind(token: str) -> str:
    return kind_name(token) if token.count(":") == 2 else token


def everywhere(review: Review, stacks: Sequence[str]) -> bool:
    """Whether these are all stacks that change at all."""
    return {each.stack for each in review.stacks if each.kind} == set(stacks)
