"""The tables that stand behind the page of an assessment, for terminals, comments and pages alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from isostack.assess.neighbours import Shared
from isostack.assessment import Assessment
from isostack.report import assessed, kept
from isostack.report.assessed import Table
from policies.words import count, listed, named


def behind(result: Assessment) -> Iterator[Table]:
    """Of one spec, in order; without tables that are empty."""
    stacks = [side.stack for side in result.sides]
    moves = [(answer.question, assessed.matters(answer)) for answer in result.compared if answer.swings]
    inputs = [(each.id, assessed.span(each), each.title, str(each.evidence)) for each in result.inputs]
    for table in (
        Table("Under other settings, the rest as planned", ("question", "under", *stacks), list(_variants(result))),
        kept.here(result),
        Table("Who shares what with whom", ("what", "tenants", "stack", "where"), list(_neighbours(result))),
        Table(
            "What moves the difference most, over each input's range",
            ("question", "inputs, and by how much in its unit"),
            moves,
        ),
        Table(f"{len(inputs)} inputs and their sources", ("input", "value", "what it is", "from"), inputs),
    ):
        if table.rows:
            yield table


def _variants(result: Assessment) -> Iterator[Sequence[str]]:
    for row in result.variants:
        values = (row.values[side.stack] for side in result.sides)
        yield (row.question, row.variant, *("-" if value is None else assessed.number(value) for value in values))


def _neighbours(result: Assessment) -> Iterator[Sequence[str]]:
    """Stacks on which it is the same share a row."""
    together: dict[tuple[Shared, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for each in result.neighbours:
        together.setdefault((each.shared, each.tenants, each.places), []).append(each.stack)
    for (shared, tenants, places), stacks in together.items():
        who = listed([name or "the cluster's own pods" for name in tenants])
        yield (
            _SHARED[shared],
            f"{who} {'alone' if len(tenants) == 1 else 'together'}",
            ", ".join(stacks),
            f"{count(len(places), _PLACES[shared])}: {named(places)}",
        )


_SHARED: Mapping[Shared, str] = {"kernel": "a kernel", "host": "a physical host"}
_PLACES: Mapping[Shared, str] = {"kernel": "node", "host": "host"}
