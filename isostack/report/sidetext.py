"""Stacks side by side as text for terminals and pipes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from isostack.objects import Text
from isostack.part import Part
from isostack.report import sides, wording
from isostack.report.console import STYLE, heading, make_table
from isostack.report.text import differences
from isostack.sidebyside import SideBySide
from isostack.wishes import GRADES

LEAST: Final = 26
"""Columns of a table's cell; where there is no room for that, what is said of each stack has a line of its own."""
_SIGNS: Final = {"+": "green", "-": "red", "@": "cyan"}


def side_by_side(out: Console, result: SideBySide, only: Part | None, *, unchanged: bool = False) -> None:
    """`unchanged`: also what is equal, and each machine."""
    style = STYLE[result.parity.verdict]
    out.print(f"[bold]{escape(sides.title(result))}[/]: [{style}]{escape(sides.verdict_line(result))}[/]")
    out.print(f"[dim]{wording.compared(result.parity)}[/]")
    parts = [part for part in Part if only in (None, part)]
    differences(out, result.parity.stacks, sides.told_apart(result, parts))
    stacks = result.parity.stacks
    for part in parts:
        if part is Part.FIELD:
            _table(out, stacks, sides.field_table(result, unchanged=unchanged))
        elif part is Part.KUBERNETES:
            _kubernetes(out, result, unchanged)
        elif part is Part.MACHINES:
            _table(out, stacks, sides.machine_table(result, unchanged=unchanged))
        else:
            _table(out, stacks, sides.kind_table(result, unchanged=unchanged), numbers=len(stacks))


def _kubernetes(out: Console, result: SideBySide, unchanged: bool) -> None:
    stacks = result.parity.stacks
    heading(out, "Kubernetes objects")
    for each in result.objects:
        if each.texts:
            out.print(f"[bold]{escape(each.name)}[/] of the add-on {escape(each.addon)}", soft_wrap=True)
        for text in each.texts:
            _text(out, stacks, text)
    out.print(sides.equal_objects(result, unchanged=unchanged))
    if unchanged:
        equal = [each for each in result.objects if not each.texts]
        for addon in {each.addon: None for each in equal}:
            names = ", ".join(each.name for each in equal if each.addon == addon)
            out.print(Padding(f"{escape(addon)}: {escape(names)}", (0, 0, 0, 2), expand=False))
    for table in sides.object_tables(result, unchanged=unchanged):
        _table(out, stacks, table)


def _text(out: Console, stacks: Sequence[str], text: Text) -> None:
    where = ", ".join(stacks[i] for i in text.stacks)
    if text.diff is None:
        out.print(f"  [red]absent[/] on {escape(where)}", soft_wrap=True)
        return
    out.print(f"  [red]--- {escape(stacks[text.against])}[/]", soft_wrap=True)
    out.print(f"  [green]+++ {escape(where)}[/]", soft_wrap=True)
    for line in text.diff.splitlines():
        out.print(f"  [{_SIGNS.get(line[:1], 'default')}]{escape(line)}[/]", soft_wrap=True)


def _table(out: Console, stacks: Sequence[str], table: sides.Table, numbers: int = 0) -> None:
    """As a list where the console is too narrow."""
    if not table.rows:
        return
    heading(out, escape(table.title))
    leads = [i for i, lead in enumerate(table.leads) if lead or any(row[i] for row, _ in table.rows)]
    if numbers or out.width >= LEAST * (len(stacks) + 1):
        made = make_table(*(table.leads[i] for i in leads), *stacks, numbers=numbers)
        for lead, cells in table.rows:
            made.add_row(*(_graded(lead[i]) for i in leads), *map(_graded, sides.once(cells)))
        out.print(made)
    else:
        for lead, cells in table.rows:
            out.print("  ".join(_graded(", ".join(lead[i].splitlines())) for i in leads if lead[i]))
            alike = len(stacks) > 1 and len(set(cells)) == 1
            for stack, cell in [("all", cells[0])] if alike else zip(stacks, cells, strict=True):
                text = "; ".join(cell.splitlines())
                out.print(Padding(f"[dim]{escape(stack)}:[/] {_graded(text)}", (0, 0, 0, 2), expand=False))
    if table.more:
        out.print(f"[dim]{escape(table.more)}[/]")


def _graded(text: str) -> str:
    """As markup, a grade at its beginning in its colour."""
    grade, colon, rest = text.partition(":")
    return f"[{STYLE[grade]}]{grade}[/]{colon}{escape(rest)}" if grade in GRADES else escape(text)
