"""Stacks side by side as one comment: the verdict, what is unequal or falls short; the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from components.facts import Realisation
from isostack.objects import ObjectSides
from isostack.part import Part
from isostack.report import sides, wording
from isostack.report.changed import count
from isostack.report.markdown import VERDICTS, _cell, _prose, fenced, fitting, folded, short, within
from isostack.sidebyside import SideBySide

_ROOM: Final = 12_000
"""Characters of one table or list, so that none takes the room of all others."""
_LINES: Final = 80
"""Of one object's difference; the JSON document has all."""
_TITLE: Final = 1_000
"""Characters of the stacks' names, which may be paths of files."""


def comment(result: SideBySide, only: Part | None, *, unchanged: bool = False) -> str:
    """Within the platform's limit: what does not fit is counted, and the command that shows it named."""
    title = _prose(sides.title(result)[:_TITLE])
    head = [
        f"### isostack diff: {VERDICTS[result.parity.verdict]} {title}",
        "",
        f"**{_prose(sides.verdict_line(result))}**",
        "",
        f"{wording.compared(result.parity)}",
        "",
        "",
    ]
    told = {Part.FIELD: _fields, Part.KUBERNETES: _kubernetes, Part.MACHINES: _machines, Part.RAW: _resources}
    parts = [part for part in Part if only in (None, part)]
    blocks = [*_differences(result, parts), *(block for part in parts for block in told[part](result, unchanged))]
    note = "more parts: `isostack diff` with --format json has all"
    return within("\n".join(head), blocks, lambda left: f"\n{left} {note}\n")


def _differences(result: SideBySide, parts: Sequence[Part]) -> Iterator[str]:
    found = [each for part in parts for each in result.differences(part) if not result.is_object(each)]
    if found:
        rows = [(wording.named(kind, names), field, *values) for kind, field, values, names in wording.causes(found)]
        yield _table("Differences", ("where", "field", *result.parity.stacks), rows, opened=True)


def _fields(result: SideBySide, unchanged: bool) -> Iterator[str]:
    for is_short in (True, False):
        wishes = [wish for wish in result.fields if (wish.grade != "equal") is is_short]
        rows = [
            (wish.grade, "\n".join(field.path for field in wish.fields), *map(_way, wish.ways))
            for wish in wishes
            if unchanged or wish.differs
        ]
        fields = sum(len(wish.fields) for wish in wishes if unchanged or wish.differs)
        what = "in part, or not at all" if is_short else "in full, by other ways" if not unchanged else "in full"
        if rows:
            title = f"{count(fields, 'field')} of the spec that come true {what}"
            yield _table(title, ("grade", "field", *result.parity.stacks), rows, opened=is_short, whole=True)
    if not unchanged and (left := sides.equal_fields(result)):
        yield f"\n{left}\n\n"


def _way(way: Realisation | None) -> str:
    return sides.way(way) if way is None or way.grade == "equal" else f"{way.grade}: {sides.way(way)}"


def _kubernetes(result: SideBySide, unchanged: bool) -> Iterator[str]:
    equal = [each for each in result.objects if not each.texts]
    yield f"\n**Kubernetes objects:** {sides.equal_objects(result, unchanged=unchanged)}\n\n"
    for each in result.objects:
        if each.texts:
            yield _object(result, each)
    if unchanged and equal:
        lines = [f"- {_prose(each.name)} ({_prose(each.addon)})" for each in equal]
        yield folded(f"{count(len(equal), 'object')} equal on all", _limited(lines, "- and {} more"))
    stacks = result.parity.stacks
    rows = [
        (each.name, choice.path, *choice.values)
        for each in result.objects
        for choice in each.choices
        if unchanged or choice.differs
    ]
    if rows:
        yield _table("What a target may choose in them: no difference", ("object", "path", *stacks), rows)
    if own := [each for each in result.mechanisms if unchanged or each.differs]:
        rows = [(each.addon, "\n".join(each.serves), *sides.mechanism(each)) for each in own]
        title = "Add-ons of a target's own, its mechanism for what is asked: no difference"
        yield _table(title, ("add-on", "serves", *stacks), rows)


def _object(result: SideBySide, each: ObjectSides) -> str:
    stacks, body = result.parity.stacks, []
    for text in each.texts:
        where = ", ".join(stacks[i] for i in text.stacks)
        if text.diff is None:
            body += [f"Absent on {_prose(where)}.", ""]
            continue
        lines = text.diff.splitlines()
        body += fenced([f"--- {stacks[text.against]}", f"+++ {where}", *lines[:_LINES]], "diff")
        body += [f"and {len(lines) - _LINES} lines more"] * (len(lines) > _LINES) + [""]
    return folded(f"{each.name}, of the add-on {each.addon}", "\n".join(body).rstrip(), opened=True)


def _machines(result: SideBySide, unchanged: bool) -> Iterator[str]:
    rows = [(pool, about, *told) for pool, about, told in sides.machine_rows(result, each_machine=unchanged)]
    yield _table("Machines", ("pool", "", *result.parity.stacks), rows)


def _resources(result: SideBySide, unchanged: bool) -> Iterator[str]:
    stacks = result.parity.stacks
    rows = [
        (each.kind, *(str(number or "-") for number in each.counts))
        for each in result.resources
        if unchanged or each.differs
    ]
    rows.append(("all", *(str(sum(each.counts[i] for each in result.resources)) for i in range(len(stacks)))))
    left = sides.equal_kinds(result)
    yield _table("Raw resources", ("kind", *stacks), rows, more=left if not unchanged else "")


def _table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    opened: bool = False,
    whole: bool = False,
    more: str = "",
) -> str:
    """`whole`: no text of a cell is cut. `more` stands below."""
    head = [f"| {' | '.join(map(_cell, columns))} |", "|" + "---|" * len(columns)]
    lines = [f"| {' | '.join(_lines(cell, whole) for cell in row)} |" for row in rows]
    body = "\n".join([*head, _limited(lines, "| and {} more |" + " |" * (len(columns) - 1))])
    return folded(title, f"{body}\n\n{more}" if more else body, opened=opened)


def _lines(text: str, whole: bool) -> str:
    return "<br>".join(_cell(line if whole else short(line)) for line in text.splitlines())


def _limited(lines: Iterable[str], more: str) -> str:
    shown, left = fitting(lines, _ROOM)
    return "\n".join([*shown, *([more.format(left)] if left else [])])
