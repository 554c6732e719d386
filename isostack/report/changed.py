"""What the reports of changes have in common: what several stacks share is told once, verdicts and counts in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from isostack.changes import Cause, FileChange, Kind, Property, Row, StackChange
from isostack.comparison import kind_name
from isostack.factchanges import CONFIG, hidden
from isostack.parity import Parity, Shortfall, Verdict
from isostack.report import wording
from isostack.report.apart import lined
from isostack.review import Review, SpecVerdict

T = TypeVar("T")
NAMED: Final = 3
"""Machines or resources that a line names; the JSON document names all."""
NOTE: Final = (
    "Whether a provider changes a resource in place or builds it anew for another reason than those told here, "
    "only `pulumi preview` against the real state knows."
)
NO_TEXT: Final = "its text cannot be told: one of the two revisions does not render it"
NO_TEXT_OF_STATE: Final = "its text is not there: a state holds user data as a secret"
NEW_TRADEOFF: Final = "new trade-off"
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


_SUBJECTS: Final = ("spec", CONFIG, "how", "cluster", "site", "add-on", "provider", "sizing")
"""What was asked first; what follows from it, last."""


def untouched(stacks: Iterable[StackChange]) -> str:
    """Where no machine has a row."""
    blind = any(hidden(cause) for each in stacks for cause in each.causes)
    return f"no machine is touched{', as far as is seen here' if blind else ''}"


def no_text(review: Review) -> str:
    """What is said of user data that differs, where its text is not known."""
    return NO_TEXT_OF_STATE if review.deployed else NO_TEXT


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


def headline(review: Review) -> str:
    changing = sum(each.kind is not None for each in review.stacks)
    return f"{changing} of {len(review.stacks)} stacks change" if changing else "no change"


def totals(rows: Iterable[Row]) -> str:
    """How many there are of each kind, the worst first; empty: none."""
    counted = dict.fromkeys(ORDER, 0)
    for row in rows:
        counted[row.kind] += len(row.names)
    return ", ".join(f"{number} {kind}" for kind, number in counted.items() if number)


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


def come_and_gone(each: SpecVerdict) -> list[tuple[str, list[str], list[str], str]]:
    """What becomes of trade-offs in a word, and as `tradeoffs` has them."""
    both = ((NEW_TRADEOFF, each.appeared), ("trade-off gone", each.went))
    return [(word, *found) for word, shortfalls in both for found in tradeoffs(shortfalls)]


def subject(cause: Cause) -> str:
    """What a changed fact is called."""
    return cause.field if cause.subject == "spec" else f"{cause.subject}: {cause.field}".removesuffix(": ")


def machine(row: Row) -> str:
    return f"{count(len(row.names), 'machine')}: {named(row.names)}: {row.meaning}"


def fact(cause: Cause) -> str:
    """A changed fact of machines."""
    of = f"of {len(cause.names)}: {named(cause.names)}: {cause.meaning}"
    return f"{cause.field} {' -> '.join(lined((cause.before, cause.after)))} {of}"


def resource(row: Row) -> str:
    was = f" (was {named(row.was)})" if row.was else ""
    meaning = f": {row.meaning}" if row.meaning else ""
    number = f"{len(row.names)} " if len(row.names) > 1 else ""
    return f"{number}{kind(row.type)} {named(row.names)}{was}{meaning}"


def later(each: Property) -> str:
    """What stands behind a property that does not count yet."""
    return ", at its next birth" if each.ignored else ""


def file(each: FileChange) -> str:
    return f"{each.kind}, of {count(len(each.names), 'machine')}: {named(each.names)}: {each.meaning}"


def where(review: Review, stacks: Sequence[str]) -> str:
    """The stacks that something holds for; empty: all that change."""
    return "" if everywhere(review, stacks) else f" ({', '.join(stacks)})"


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
