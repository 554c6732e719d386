"""Changes as text for terminals and pipes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from isostack.changes import Kind
from isostack.report import changed
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
            out.print(
                f"  {escape(difference.subject)} {escape(difference.field)}: {escape(', '.join(difference.values))}"
            )
        for word, shortfalls in (("new trade-off", each.appeared), ("trade-off gone", each.went)):
            for fields, where, why in changed.tradeoffs(shortfalls):
                out.print(f"  {word}: {escape(changed.named(fields))} on {', '.join(where)}: {escape(why)}")
    _counts(out, review)
    _causes(out, review)
    rows = changed.machines(review)
    if not rows and any(each.kind for each in review.stacks):
        out.print("no machine is touched")
    if rows:
        heading(out, "Machines")
        for stacks, row in rows:
            machines = changed.count(len(row.names), "machine")
            head = f"{_SIGNS[row.kind]} {machines}: {escape(changed.named(row.names))}"
            out.print(f"{head}: {escape(row.meaning)}{_where(review, stacks)}")
        for stacks, cause in changed.of_machines(review):
            values = f"{escape(cause.field)} {escape(cause.before)} -> {escape(cause.after)}"
            of = f"of {len(cause.names)}: {escape(changed.named(cause.names))}: {escape(cause.meaning)}"
            out.print(f"  {values} {of}{_where(review, stacks)}")
    _resources(out, review)
    for stacks, file in changed.files(review):
        heading(out, f"User data {escape(file.file)}")
        machines = changed.count(len(file.names), "machine")
        told = f"{file.kind}, of {machines}: {escape(changed.named(file.names))}: {file.meaning}"
        out.print(f"{told}{_where(review, stacks)}")
        out.print(escape(file.text) or "its text cannot be told", soft_wrap=True)


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
        name = cause.field if cause.subject == "spec" else f"{cause.subject}: {cause.field}".removesuffix(": ")
        told = "\n".join(f"{meaning}{_where(review, stacks)}" for meaning, stacks in meanings.items())
        table.add_row(escape(name), escape(cause.before), escape(cause.after), told)
    out.print(table)


def _resources(out: Console, review: Review) -> None:
    rows = changed.resources(review)
    if not rows:
        return
    heading(out, "Resources")
    for stacks, row in rows:
        was = f" (was {changed.named(row.was)})" if row.was else ""
        meaning = f": {row.meaning}" if row.meaning else ""
        count = f"{len(row.names)} " if len(row.names) > 1 else ""
        text = f"{count}{changed.kind(row.type)} {changed.named(row.names)}{was}{meaning}"
        out.print(f"{_SIGNS[row.kind]} {escape(text)}{_where(review, stacks)}", soft_wrap=True)
        for each in row.properties:
            later = ", at its next birth" if each.ignored else ""
            out.print(f"    {escape(each.path)}: {escape(each.before)} -> {escape(each.after)}{later}", soft_wrap=True)
    out.print(f"[dim]{escape(changed.NOTE)}[/]")


def _where(review: Review, stacks: Sequence[str]) -> str:
    return "" if changed.everywhere(review, stacks) else f" ({escape(', '.join(stacks))})"
