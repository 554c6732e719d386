"""An assessment as text for terminals and as Markdown: one page first, what is behind it after that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from isostack.assessment import Assessment
from isostack.report import assessed, kept
from isostack.report.behind import behind
from isostack.report.console import heading, make_table
from isostack.report.markdown import _cell, folded


def text(out: Console, result: Assessment) -> None:
    said = assessed.sentence(assessed.headline(result))
    out.print(f"[bold]{escape(result.spec)}, on VMs or on metal?[/] {escape(said)}")
    out.print(f"[dim]{escape(assessed.sides(result))}; less is better in every row[/]")
    if result.assumed:
        out.print(f"[bold]{escape(result.assumed)}[/]")
    heading(out, "Answers")
    table = make_table(*assessed.head(result))
    for row in assessed.rows(result):
        table.add_row(*map(escape, row))
    out.print(table)
    for title, lines in assessed.sections(result):
        heading(out, title)
        for line in lines:
            out.print(f"  {escape(line)}", soft_wrap=True)
    for title, columns, rows in (*behind(result), kept.matrix()):
        heading(out, title)
        table = make_table(*columns)
        for row in rows:
            table.add_row(*map(escape, row))
        out.print(table)
    out.print(f"[dim]{escape(kept.TOLD.replace('`', ''))}[/]")


def markdown(result: Assessment) -> str:
    """The page of one spec; what holds for all of them is `snapshots`."""
    return "\n".join(_markdown(result)) + "\n"


def snapshots() -> str:
    """What each kind of snapshot brings back, for any spec, folded."""
    matrix, reasons = kept.matrix(), kept.reasons()
    why = folded(reasons.title, "\n".join(_table(reasons.head, reasons.rows))).rstrip()
    return folded(matrix.title, "\n".join((*_table(matrix.head, matrix.rows), "", kept.TOLD, "", why)))


def _markdown(result: Assessment) -> Iterator[str]:
    yield f"### {_cell(result.spec)}, on VMs or on metal?"
    yield ""
    yield f"**{_cell(assessed.sentence(assessed.headline(result)))}**"
    yield ""
    yield _cell(f"{assessed.sides(result)}; less is better in every row.")
    yield ""
    if result.assumed:
        yield from (f"**{_cell(result.assumed)}.**", "")
    yield from _table(assessed.head(result), assessed.rows(result))
    for title, lines in assessed.sections(result):
        yield from ("", f"**{title}**", "", *(f"- {_cell(line)}" for line in lines))
    for title, head, rows in behind(result):
        yield from ("", folded(title, "\n".join(_table(head, rows))))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(map(_cell, head)) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"
