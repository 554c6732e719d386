"""Changes as text for terminals and pipes."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from isostack.changes import Kind
from isostack.report import changed
from isostack.report.apart import cut, lined, told
from isostack.report.console import STYLE, heading, make_table
from isostack.review import Review

_SIGNS = {
    Kind.CREATED: "[green]+[/]",
    Kind.REPLACED: "[red]+-[/]",
    Kind.CHANGED: "[yellow]~[/]",
    Kind.LATER: "[dim]~[/]",
    Kind.RENAMED: "[dim]=[/]",
    Kind.DELETED: "[red]-[/]",
}


def changes(out: Console, review: Review) -> None:
    for each in review.verdicts:
        style = STYLE[each.after.verdict] if each.after else "default"
        out.print(f"[bold]{escape(each.spec)}[/]: [{style}]{escape(changed.verdict(each))}[/]")
        for difference in each.after.differences if each.after else ():
            values = ", ".join(lined(difference.values))
            out.print(f"  {escape(difference.subject)} {escape(difference.field)}: {escape(values)}")
        for word, fields, where, why in changed.come_and_gone(each):
            out.print(f"  {word}: {escape(changed.named(fields))} on {', '.join(where)}: {escape(why)}")
    _counts(out, review)
    rows = changed.machines(review)
    if not rows and any(each.kind for each in review.stacks):
        out.print(changed.untouched(review.stacks))
    if rows:
        heading(out, "Machines")
        for stacks, row in rows:
            out.print(f"{_SIGNS[row.kind]} {escape(changed.machine(row) + changed.where(review, stacks))}")
    _causes(out, review)
    _resources(out, review)
    if facts := changed.of_machines(review):
        heading(out, "Facts of machines")
        for stacks, cause in facts:
            out.print(escape(changed.fact(cause) + changed.where(review, stacks)))
    for stacks, file in changed.files(review):
        heading(out, f"User data {escape(file.file)}")
        out.print(escape(changed.file(file) + changed.where(review, stacks)))
        out.print(escape(file.text or changed.no_text(review)), soft_wrap=True)


def _counts(out: Console, review: Review) -> None:
    if not any(each.kind for each in review.stacks):
        out.print(f"no change since {escape(review.since)}")
        return
    kinds = [kind for kind in _SIGNS if any(each.count(kind) for each in review.stacks)]
    table = make_table("resources since " + review.since, "", "machines", *kinds, numbers=len(kinds) + 1)
    for each in review.stacks:
        numbers = (str(each.count(kind) or "-") for kind in kinds)
        table.add_row(escape(each.stack), each.kind or "no change", changed.counts(each), *numbers)
    out.print(table)


def _causes(out: Console, review: Review) -> None:
    found = changed.causes(review)
    if not found:
        return
    heading(out, "What changes")
    table = make_table("what", "before", "after", "how, and when it counts")
    for cause, meanings in found:
        how = "\n".join(f"{meaning}{changed.where(review, stacks)}" for meaning, stacks in meanings.items())
        sides = ("\n".join(cell) for cell in told(cause.before, cause.after).cells())
        table.add_row(*map(escape, (changed.subject(cause), *sides, how)))
    out.print(table)


def _resources(out: Console, review: Review) -> None:
    rows = changed.resources(review)
    if not rows:
        return
    heading(out, "Resources")
    for stacks, row in rows:
        text = changed.resource(row) + changed.where(review, stacks)
        out.print(f"{_SIGNS[row.kind]} {escape(text)}", soft_wrap=True)
        for each in row.properties:
            found = told(each.before, each.after)
            values = "" if found.lines else f" {found.before} -> {found.after}"
            out.print(f"    {escape(f'{each.path}:{values}{changed.later(each)}')}", soft_wrap=True)
            for line in cut(found.lines):
                out.print(f"      {escape(line)}", soft_wrap=True)
    out.print(f"[dim]{escape(changed.NOTE)}[/]")
