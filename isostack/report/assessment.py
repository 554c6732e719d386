"""An assessment as text for terminals and as Markdown: one page first, what is behind it after that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from isostack.assessment import Assessment
from isostack.report import assessed, kept
from isostack.report.console import heading, make_table
from isostack.report.markdown import _cell, folded

OTHER = "Under other settings, the rest as planned"
MOVES = "What moves the difference most, over each input's range"


def text(out: Console, result: Assessment) -> None:
    said = assessed.sentence(assessed.headline(result))
    out.print(f"[bold]{escape(result.spec)}, on VMs or on metal?[/] {escape(said)}")
    out.print(f"[dim]{escape(assessed.sides(result))}; less is better in every row[/]")
    heading(out, "Answers")
    table = make_table(*assessed.head(result))
    for row in assessed.rows(result):
        table.add_row(*map(escape, row))
    out.print(table)
    for title, lines in assessed.sections(result):
        heading(out, title)
        for line in lines:
            out.print(f"  {escape(line)}", soft_wrap=True)
    if result.variants:
        heading(out, OTHER)
        table = make_table(*_variant_head(result))
        for row in _variants(result):
            table.add_row(*map(escape, row))
        out.print(table)
    for title, head, rows in (
        (kept.HERE, kept.here_head(), kept.here(result)),
        (kept.ANY, kept.matrix_head(), kept.matrix()),
    ):
        heading(out, title)
        table = make_table(*head)
        for row in rows:
            table.add_row(*map(escape, row))
        out.print(table)
    out.print(f"[dim]{escape(kept.TOLD.replace('`', ''))}[/]")
    heading(out, MOVES)
    table = make_table("question", "inputs, and by how much in its unit")
    for answer in result.compared:
        if answer.swings:
            table.add_row(escape(answer.question), escape(assessed.matters(answer)))
    out.print(table)
    heading(out, "Inputs")
    table = make_table("input", "value", "what it is", "from")
    for each in result.inputs:
        table.add_row(*map(escape, (each.id, assessed.span(each), each.title, str(each.evidence))))
    out.print(table)


def markdown(result: Assessment) -> str:
    """The page of one spec; what holds for all of them is `snapshots`."""
    return "\n".join(_markdown(result)) + "\n"


def snapshots() -> str:
    """What each kind of snapshot brings back, for any spec, folded."""
    matrix = _table(kept.matrix_head(), kept.matrix())
    reasons = folded(kept.WHY, "\n".join(_table(kept.reasons_head(), kept.reasons()))).rstrip()
    return folded(kept.ANY, "\n".join((*matrix, "", kept.TOLD, "", reasons)))


def _markdown(result: Assessment) -> Iterator[str]:
    yield f"### {_cell(result.spec)}, on VMs or on metal?"
    yield ""
    yield f"**{_cell(assessed.sentence(assessed.headline(result)))}**"
    yield ""
    yield _cell(f"{assessed.sides(result)}; less is better in every row.")
    yield ""
    yield from _table(assessed.head(result), assessed.rows(result))
    for title, lines in assessed.sections(result):
        yield from ("", f"**{title}**", "", *(f"- {_cell(line)}" for line in lines))
    moves = [(answer.question, assessed.matters(answer)) for answer in result.compared if answer.swings]
    inputs = [(each.id, assessed.span(each), each.title, str(each.evidence)) for each in result.inputs]
    for title, table in (
        (OTHER, _table(_variant_head(result), _variants(result)) if result.variants else ()),
        (kept.HERE, _table(kept.here_head(), kept.here(result))),
        (MOVES, _table(("question", "inputs, and by how much in its unit"), moves)),
        (f"{len(inputs)} inputs and their sources", _table(("input", "value", "what it is", "from"), inputs)),
    ):
        if body := "\n".join(table):
            yield from ("", folded(title, body))


def _variant_head(result: Assessment) -> Sequence[str]:
    return ("question", "under", *(side.stack for side in result.sides))


def _variants(result: Assessment) -> Iterator[Sequence[str]]:
    for row in result.variants:
        values = (row.values[side.stack] for side in result.sides)
        yield (row.question, row.variant, *("-" if value is None else assessed.number(value) for value in values))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(map(_cell, head)) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"
