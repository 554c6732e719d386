"""Stacks side by side as text for terminals and pipes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from components.facts import Realisation
from isostack.objects import Text
from isostack.part import Part
from isostack.report import sides, wording
from isostack.report.console import STYLE, heading, make_table
from isostack.report.text import differences
from isostack.sidebyside import SideBySide

LEAST: Final = 26
"""Columns of a table's cell; where there is no room for that, what is said of each stack has a line of its own."""
_LONGEST: Final = 120
"""Characters of a value that a target has chosen; the JSON document has all."""
_SIGNS: Final = {"+": "green", "-": "red", "@": "cyan"}
Row = tuple[Sequence[str], Sequence[str]]
"""What a row is about, and what it says of each stack; both as markup."""


def side_by_side(out: Console, result: SideBySide, only: Part | None, *, unchanged: bool = False) -> None:
    """`unchanged`: also what is equal, and each machine."""
    style = STYLE[result.parity.verdict]
    out.print(f"[bold]{escape(sides.title(result))}[/]: [{style}]{escape(sides.verdict_line(result))}[/]")
    out.print(f"[dim]{wording.compared(result.parity)}[/]")
    parts = [part for part in Part if only in (None, part)]
    # Those of objects are told by what they say.
    found = [each for part in parts for each in result.differences(part) if not result.is_object(each)]
    differences(out, result.parity.stacks, found)
    told = {Part.FIELD: _fields, Part.KUBERNETES: _kubernetes, Part.MACHINES: _machines, Part.RAW: _resources}
    for part in parts:
        told[part](out, result, unchanged)


def _fields(out: Console, result: SideBySide, unchanged: bool) -> None:
    heading(out, "How the fields of the spec come true")
    rows = [
        (
            (_styled(wish.grade), escape("\n".join(field.path for field in wish.fields))),
            [_way(way) for way in wish.ways],
        )
        for wish in result.fields
        if unchanged or wish.differs
    ]
    _grid(out, ("grade", "field"), result.parity.stacks, rows)
    _left_out(out, sides.equal_fields(result), unchanged)


def _way(way: Realisation | None) -> str:
    text = escape(sides.way(way))
    return text if way is None or way.grade == "equal" else f"{_styled(way.grade)}: {text}"


def _styled(grade: str) -> str:
    return f"[{STYLE[grade]}]{grade}[/]"


def _kubernetes(out: Console, result: SideBySide, unchanged: bool) -> None:
    stacks = result.parity.stacks
    differ = [each for each in result.objects if each.texts]
    heading(out, "Kubernetes objects")
    for each in differ:
        out.print(f"[bold]{escape(each.name)}[/] of the add-on {escape(each.addon)}", soft_wrap=True)
        for text in each.texts:
            _text(out, stacks, text)
    equal = [each for each in result.objects if not each.texts]
    out.print(sides.equal_objects(result, unchanged=unchanged))
    if unchanged:
        for addon in {each.addon: None for each in equal}:
            names = ", ".join(each.name for each in equal if each.addon == addon)
            out.print(Padding(f"{escape(addon)}: {escape(names)}", (0, 0, 0, 2), expand=False))
    chosen = [(each, choice) for each in result.objects for choice in each.choices if unchanged or choice.differs]
    if chosen:
        heading(out, "What a target may choose in them: no difference")
        rows = [
            ((escape(each.name), escape(choice.path)), [escape(_short(value)) for value in choice.values])
            for each, choice in chosen
        ]
        _grid(out, ("object", "path"), stacks, rows)
    if own := [each for each in result.mechanisms if unchanged or each.differs]:
        heading(out, "Add-ons of a target's own, its mechanism for what is asked: no difference")
        rows = [
            ((escape(each.addon), escape("\n".join(each.serves))), [escape(text) for text in sides.mechanism(each)])
            for each in own
        ]
        _grid(out, ("add-on", "serves"), stacks, rows)


def _text(out: Console, stacks: Sequence[str], text: Text) -> None:
    where = ", ".join(stacks[i] for i in text.stacks)
    if text.diff is None:
        out.print(f"  [red]absent[/] on {escape(where)}", soft_wrap=True)
        return
    out.print(f"  [red]--- {escape(stacks[text.against])}[/]", soft_wrap=True)
    out.print(f"  [green]+++ {escape(where)}[/]", soft_wrap=True)
    for line in text.diff.splitlines():
        out.print(f"  [{_SIGNS.get(line[:1], 'default')}]{escape(line)}[/]", soft_wrap=True)


def _machines(out: Console, result: SideBySide, unchanged: bool) -> None:
    heading(out, "Machines")
    rows = [
        ((f"[bold]{escape(pool)}[/]" if pool else "", escape(about)), [escape(text) for text in told])
        for pool, about, told in sides.machine_rows(result, each_machine=unchanged)
    ]
    _grid(out, ("pool", ""), result.parity.stacks, rows)


def _resources(out: Console, result: SideBySide, unchanged: bool) -> None:
    heading(out, "Raw resources")
    stacks = result.parity.stacks
    table = make_table("kind", *stacks, numbers=len(stacks))
    for each in result.resources:
        if unchanged or each.differs:
            table.add_row(escape(each.kind), *(str(number or "-") for number in each.counts))
    table.add_section()
    table.add_row("all", *(str(sum(each.counts[i] for each in result.resources)) for i in range(len(stacks))))
    out.print(table)
    _left_out(out, sides.equal_kinds(result), unchanged)


def _left_out(out: Console, text: str, unchanged: bool) -> None:
    if text and not unchanged:
        out.print(f"[dim]{escape(text)}[/]")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _grid(out: Console, leads: Sequence[str], stacks: Sequence[str], rows: Iterable[Row]) -> None:
    """A table, or a list where the console is too narrow for one."""
    listed = list(rows)
    if not listed:
        return
    if out.width >= LEAST * (len(stacks) + 1):
        table = make_table(*leads, *stacks)
        for lead, cells in listed:
            table.add_row(*lead, *cells)
        out.print(table)
        return
    for lead, cells in listed:
        out.print("  ".join(", ".join(each.splitlines()) for each in lead if each))
        for stack, cell in zip(stacks, cells, strict=True):
            text = "; ".join(cell.splitlines())
            out.print(Padding(f"[dim]{escape(stack)}:[/] {text}", (0, 0, 0, 2), expand=False))
