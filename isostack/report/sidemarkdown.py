"""Stacks side by side as one comment: the verdict, what is unequal or falls short; the rest folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

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
    parts = [part for part in Part if only in (None, part)]
    blocks = [*_differences(result, parts), *(block for part in parts for block in _part(result, part, unchanged))]
    note = "more parts: `isostack diff` with --format json has all"
    return within("\n".join(head), blocks, lambda left: f"\n{left} {note}\n")


def _differences(result: SideBySide, parts: Sequence[Part]) -> Iterator[str]:
    causes = wording.causes(sides.told_apart(result, parts))
    rows = [((wording.named(kind, names), field), [short(v) for v in values]) for kind, field, values, names in causes]
    if rows:
        yield _table(result, sides.Table("Differences", ("where", "field"), rows), opened=True)


def _part(result: SideBySide, part: Part, unchanged: bool) -> Iterator[str]:
    if part is Part.FIELD:
        yield from _fields(result, sides.field_table(result, unchanged=unchanged))
    elif part is Part.KUBERNETES:
        yield from _kubernetes(result, unchanged)
    elif part is Part.MACHINES:
        yield _table(result, sides.machine_table(result, unchanged=unchanged))
    else:
        yield _table(result, sides.kind_table(result, unchanged=unchanged))


def _fields(result: SideBySide, table: sides.Table) -> Iterator[str]:
    """What falls short is open, the rest folded."""
    full = "in full, by unlike ways" if table.more else "in full"
    for is_short, title in ((True, "in part, or not at all"), (False, full)):
        rows = [row for row in table.rows if (row[0][0] != "equal") is is_short]
        if rows:
            fields = sum(len(lead[1].splitlines()) for lead, _ in rows)
            title = f"{count(fields, 'field')} of the spec that come true {title}"
            more = "" if is_short else table.more
            yield _table(result, sides.Table(title, table.leads, rows, more), opened=is_short)


def _kubernetes(result: SideBySide, unchanged: bool) -> Iterator[str]:
    yield f"\n**Kubernetes objects:** {sides.equal_objects(result, unchanged=unchanged)}\n\n"
    for each in result.objects:
        if each.texts:
            yield _object(result, each)
    equal = [f"- {_prose(each.name)} ({_prose(each.addon)})" for each in result.objects if not each.texts]
    if unchanged and equal:
        yield folded(f"{count(len(equal), 'object')} equal on all", _limited(equal, "- and {} more"))
    for table in sides.object_tables(result, unchanged=unchanged):
        if table.rows:
            yield _table(result, table)


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


def _table(result: SideBySide, table: sides.Table, *, opened: bool = False) -> str:
    leads = [i for i, lead in enumerate(table.leads) if lead or any(row[i] for row, _ in table.rows)]
    columns = [*(table.leads[i] for i in leads), *result.parity.stacks]
    head = [f"| {' | '.join(map(_cell, columns))} |", "|" + "---|" * len(columns)]
    lines = [
        f"| {' | '.join('<br>'.join(map(_cell, text.splitlines())) for text in row)} |"
        for row in ([*(lead[i] for i in leads), *sides.once(cells)] for lead, cells in table.rows)
    ]
    body = "\n".join([*head, _limited(lines, "| and {} more |" + " |" * (len(columns) - 1))])
    return folded(table.title, f"{body}\n\n{table.more}" if table.more else body, opened=opened)


def _limited(lines: Iterable[str], more: str) -> str:
    shown, left = fitting(lines, _ROOM)
    return "\n".join([*shown, *([more.format(left)] if left else [])])
