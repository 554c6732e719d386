"""The words of what snapshots and backups bring back: for any spec, and for the stacks of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from isostack.assess.snapshots import KINDS, Figure, Loss
from isostack.assessment import Assessment
from isostack.report.assessed import Table, cell

ANY = "What each kind of snapshot brings back, after which loss"
WHY = "Why, and by which source"
HERE = "Snapshots and backups of these stacks"
TOLD = (
    "RPO: what is lost at most. RTO: until it is there again. `isostack explain snapshot.etcd` traces a kind to its "
    "sources."
)


def matrix() -> Table:
    """The same for every spec: a kind a row."""
    rows = [(kind.title, *(kind.against[loss].verdict for loss in Loss)) for kind in KINDS]
    return Table(ANY, ("kind", *Loss), rows)


def reasons() -> Table:
    """What is behind the matrix, each with its source."""
    return Table(WHY, ("kind", "what", "verdict or number", "why", "from"), list(_reasons()))


def _reasons() -> Iterator[Sequence[str]]:
    for kind in KINDS:
        yield (kind.title, "holds", "", kind.holds, "; ".join(map(str, kind.evidence)))
        for loss in Loss:
            each = kind.against[loss]
            yield (kind.title, loss, each.verdict, each.why, str(each.evidence))
        for name, figure in (("RPO", kind.rpo), ("RTO", kind.rto)):
            yield (kind.title, name, figure.question, figure.text, str(figure.evidence))


def here(result: Assessment) -> Table:
    """Of one spec: a row for all stacks of which the same is to be said."""
    return Table(HERE, ("kind", "stacks", "there", "RPO", "RTO"), list(_here(result)))


def _here(result: Assessment) -> Iterator[Sequence[str]]:
    for each in result.snapshots:
        rows: dict[tuple[str, str, str], list[str]] = {}
        for stack, found in each.stacks.items():
            there = f"{found.there}: {found.why}"
            figures = [("-" if found.there == "no" else _figure(result, stack, of)) for of in (each.rpo, each.rto)]
            rows.setdefault((there, figures[0], figures[1]), []).append(stack)
        for (there, rpo, rto), stacks in rows.items():
            yield (each.title, ", ".join(stacks), there, rpo, rto)


def _figure(result: Assessment, stack: str, figure: Figure) -> str:
    """`on new machines: 21.2 min (14.8 to 76.3)`."""
    if not figure.question:
        return figure.text
    answer = next(each for each in result.answers if each.question == figure.question)
    said = cell(answer, stack)
    return figure.text if said == "-" else f"{figure.text}: {_with_unit(said, answer.unit)}"


def _with_unit(said: str, unit: str) -> str:
    """The unit behind the number, before its range."""
    number, _, span = said.partition(" ")
    return " ".join(filter(None, (number, unit, span)))
