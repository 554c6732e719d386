"""The HTML page of a change: the verdict, what is destroyed or built anew, then stack by stack; nothing that stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from isostack.changes import FileChange, Kind, Property, Row, StackChange, grouped
from isostack.parity import Verdict
from isostack.report import changed
from isostack.report.apart import told
from isostack.report.html.render import render
from isostack.report.html.tables import VERDICT_TONES, Differences, differences
from isostack.review import Review, SpecVerdict

GROUPS: Final = ((Kind.DELETED, Kind.REPLACED), (Kind.CHANGED,), (Kind.CREATED,), (Kind.RENAMED, Kind.LATER))
"""What stands together under one heading of a stack, the worst first."""
_IN_PLACE: Final = 2
"""How many of them stand before the user data."""
TONES: Final = {
    Kind.DELETED: "bad",
    Kind.REPLACED: "bad",
    Kind.CREATED: "ok",
    Kind.CHANGED: "warn",
    Kind.RENAMED: "note",
    Kind.LATER: "note",
}
"""Class of the colour of each kind."""
ROOM: Final = 1_200_000
"""Characters of all properties and texts that differ, so that a page of many machines stays under 3 MB. Names have no
limit: each of what is destroyed is there."""
_LONGEST: Final = 1_000
"""Characters of a value on one line."""
_MARKUP: Final = 120
"""Characters of the tags around a property, about."""


@dataclass(frozen=True, slots=True)
class Value:
    """A property. `lines`: the difference of a text of several lines, which stands for its two sides."""

    path: str
    before: str
    after: str
    later: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What happens to resources in the same way. `names`: of all, where the sentence does not name them; `left`: how
    many of its properties found no room."""

    kind: Kind
    said: str
    names: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of a stack under one heading."""

    title: str
    lines: tuple[Line, ...]
    after_files: bool
    """Whether it stands behind what changes in place, user data among it."""


@dataclass(frozen=True, slots=True)
class File:
    """A difference of a file of the user data. `said`: of which machines, and all their names where that leaves some
    out; `same`: the stack where the same difference is shown; `left`: lines without room."""

    file: str
    said: tuple[tuple[str, tuple[str, ...]], ...]
    lines: tuple[str, ...]
    same: str
    left: int


@dataclass(frozen=True, slots=True)
class Stack:
    """What changes in a stack. `machines`: their number, before and after."""

    name: str
    kind: Kind
    machines: str
    said: str
    groups: tuple[Group, ...]
    files: tuple[File, ...]
    facts: tuple[str, ...]
    cells: tuple[str, ...]
    """Number of resources of each kind that the page has."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What becomes of the equivalence of a spec's stacks."""

    spec: str
    said: str
    tradeoffs: tuple[tuple[str, str, tuple[str, ...], str], ...]
    """Class of the colour, in a word what becomes of it, fields, and where and why."""
    differences: Differences | None


class Room:
    """What is left of the characters."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def fitting(self, texts: Sequence[str]) -> int:
        """How many of these there is room for, from the first on; they take it."""
        for number, text in enumerate(texts):
            if len(text) > self.left:
                return number
            self.left -= len(text)
        return len(texts)


def page(review: Review) -> str:
    """The whole page. It is of what the review holds: no secret is there."""
    changing = sorted((each for each in review.stacks if each.kind), key=_severity)
    rows = [row for each in changing for row in each.resources]
    kinds = [kind for kind in changed.ORDER if any(row.kind is kind for row in rows)]
    shown: dict[tuple[str, str], str] = {}
    stacks = [_stack(each, kinds, Room(ROOM // len(changing)), shown) for each in changing]
    causes = [
        (
            changed.subject(cause),
            *("\n".join(cell) for cell in told(cause.before, cause.after, _LONGEST).cells()),
            _meanings(review, meanings),
        )
        for cause, meanings in changed.causes(review)
    ]
    sections = [("verdict", "Verdict"), *([("asked", "What changes")] if causes else [])]
    return render(
        "changes.html",
        styles=["changes.css"],
        brand="diff",
        sections=[*sections, *((f"stack-{i}", each.name) for i, each in enumerate(stacks))],
        untouched="changed",
        title=f"{changed.named([each.spec for each in review.verdicts])} since {review.since}",
        verdict=changed.headline(review),
        verdict_tone=_tone(review, rows),
        machines=_machines(changing),
        resources=changed.totals(rows),
        specs=[_spec(each) for each in review.verdicts],
        worst=_worst(review),
        kinds=kinds,
        unchanged=[each.stack for each in review.stacks if not each.kind],
        causes=causes,
        stacks=stacks,
        number={each.name: i for i, each in enumerate(stacks)},
        tones=TONES,
        no_text=changed.no_text(review),
        most=changed.NAMED,
        note=changed.NOTE if rows else "",
    )


def _severity(change: StackChange) -> tuple[bool, int]:
    """The less, the worse: what is deleted as a whole comes first, then by the worst row."""
    rows = (*change.machines, *change.resources)
    return change.kind is not Kind.DELETED, min(
        (changed.ORDER.index(row.kind) for row in rows), default=len(changed.ORDER)
    )


def _tone(review: Review, rows: Sequence[Row]) -> str:
    """Of the worst that the page tells."""
    if not review.equivalent:
        return VERDICT_TONES[Verdict.NOT]
    tones = {TONES[row.kind] for row in rows}
    if "bad" in tones or any(each.appeared for each in review.verdicts):
        return "warn"
    return "note" if any(each.kind for each in review.stacks) else "ok"


def _machines(changing: Sequence[StackChange]) -> str:
    totals = changed.totals(row for each in changing for row in each.machines)
    return f"machines: {totals}" if totals else changed.untouched(changing) if changing else ""


def _worst(review: Review) -> list[Line]:
    """What happens to machines that are there, the worst first."""
    return [
        Line(row.kind, changed.machine(row) + changed.where(review, stacks), _folded(row))
        for stacks, row in changed.machines(review)
        if any(row.kind in together for together in GROUPS[:_IN_PLACE])
    ]


def _meanings(review: Review, meanings: dict[str, tuple[str, ...]]) -> list[str]:
    return [f"{meaning}{changed.where(review, stacks)}".strip() for meaning, stacks in meanings.items()]


def _spec(each: SpecVerdict) -> Spec:
    return Spec(
        each.spec,
        changed.verdict(each),
        tuple(
            ("warn" if word == changed.NEW_TRADEOFF else "ok", word, tuple(fields), f"on {', '.join(stacks)}: {why}")
            for word, fields, stacks, why in changed.come_and_gone(each)
        ),
        differences(each.after) if each.after and each.after.differences else None,
    )


def _stack(change: StackChange, kinds: Iterable[Kind], room: Room, shown: dict[tuple[str, str], str]) -> Stack:
    """`shown`: the stack that shows the difference of a file, by file and text."""
    machines, resources = changed.totals(change.machines), changed.totals(change.resources)
    said = (
        f"machines {changed.counts(change)}: {machines or changed.untouched([change])}",
        resources and f"resources: {resources}",
    )
    groups = tuple(_groups(change, room))
    return Stack(
        change.stack,
        change.kind or Kind.CHANGED,
        changed.counts(change),
        "; ".join(filter(None, said)),
        groups,
        tuple(_files(change, room, shown)),
        tuple(changed.fact(each) for each in change.causes if each.names),
        tuple(str(change.count(kind) or "–") for kind in kinds),
    )


def _groups(change: StackChange, room: Room) -> Iterator[Group]:
    for number, together in enumerate(GROUPS):
        machines = [Line(r.kind, changed.machine(r), _folded(r)) for r in change.machines if r.kind in together]
        rows = [row for row in change.resources if row.kind in together]
        lines = [*machines, *_lines(rows, room)]
        if lines:
            found = [kind for kind in together if any(each.kind is kind for each in lines)]
            yield Group(", ".join(found).capitalize(), tuple(lines), number >= _IN_PLACE)


def _lines(rows: Sequence[Row], room: Room) -> Iterator[Line]:
    """Rows for whose properties there is no room at all stand together."""
    bare: list[Row] = []
    for row in rows:
        values = [_value(each) for each in row.properties]
        fits = room.fitting([_text(each) for each in values])
        if values and not fits:
            bare.append(row)
        else:
            yield Line(row.kind, changed.resource(row), _folded(row), tuple(values[:fits]), len(values) - fits)
    left = {(row.kind, row.type, row.meaning): 0 for row in bare}
    for row in bare:
        left[row.kind, row.type, row.meaning] += len(row.properties) * len(row.names)
    for row in grouped(replace(each, properties=()) for each in bare):
        yield Line(row.kind, changed.resource(row), _folded(row), (), left[row.kind, row.type, row.meaning])


def _value(each: Property) -> Value:
    found = told(each.before, each.after, _LONGEST)
    return Value(each.path, found.before, found.after, changed.later(each), found.lines)


def _text(each: Value) -> str:
    return "\n".join((each.path, each.before, each.after, *each.lines)) + "." * _MARKUP


def _files(change: StackChange, room: Room, shown: dict[tuple[str, str], str]) -> Iterator[File]:
    """Machines whose file differs alike stand together, whenever that counts for each."""
    found: dict[tuple[str, str], list[FileChange]] = {}
    for each in change.files:
        found.setdefault((each.file, each.text), []).append(each)
    for (file, text), alike in found.items():
        said = tuple((changed.file(each), _folded(each)) for each in alike)
        lines = text.splitlines()
        where = shown.setdefault((file, text), change.stack) if lines else change.stack
        if where != change.stack:
            yield File(file, said, (), where, 0)
        else:
            fits = room.fitting(lines)
            yield File(file, said, tuple(lines[:fits]), "", len(lines) - fits)


def _folded(each: Row | FileChange) -> tuple[str, ...]:
    """All names, where a sentence leaves some out."""
    return each.names if len(each.names) > changed.NAMED else ()
