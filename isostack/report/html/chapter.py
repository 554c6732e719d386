"""The chapter of the HTML report that answers in numbers: on VMs or on metal? From previews, saved ones too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from isostack.assess.assumed import with_workloads
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.questions import inputs as all_inputs
from isostack.assess.questions import questions
from isostack.assess.questions.cost import needed as needed_cost
from isostack.assess.uncertainty import usual
from isostack.assessment import Assessment, assess
from isostack.evidence import cluster_facts, machine_facts
from isostack.preview.model import Preview
from isostack.report import assessed, kept
from isostack.report.assessed import Table
from isostack.report.behind import behind
from isostack.report.html.bars import closest, recovery, tornado
from isostack.report.html.curves import balance, cost
from isostack.report.html.plots import Plot
from isostack.report.html.tables import sites


@dataclass(frozen=True, slots=True)
class Row:
    """A question with an answer somewhere. `cells`: one for each stack."""

    question: str
    title: str
    unit: str
    cells: tuple[str, ...]
    ahead: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """What is shown. `absent`: why it is not there; all else is empty then."""

    absent: str = ""
    headline: str = ""
    sides: str = ""
    assumed: str = ""
    """What stands for workloads that the spec does not name."""
    stacks: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    sections: tuple[tuple[str, Sequence[str]], ...] = ()
    plots: tuple[Plot, ...] = ()
    no_cost: str = ""
    """Why cost is not drawn."""
    behind: tuple[Table, ...] = ()


def chapter(previews: Sequence[Preview], known: Mapping[str, Input] | None = None) -> Chapter:
    """With the inputs as they are known; None: as the project has them."""
    known = all_inputs() if known is None else known
    clusters = [cluster_facts(preview) for preview in previews]
    if any(cluster.wanted != clusters[0].wanted for cluster in clusters):
        return Chapter("the stacks are not of one spec, so their numbers are of different clusters")
    try:
        cases = [
            Case.of_facts(preview.label, cluster, sites(preview), machine_facts(preview))
            for preview, cluster in zip(previews, clusters, strict=True)
        ]
        result = assess(cases, known)
    except NoAnswer as error:
        return Chapter(str(error))
    return Chapter(
        headline=assessed.sentence(assessed.headline(result)),
        sides=assessed.sides(result),
        assumed=result.assumed,
        stacks=tuple(side.stack for side in result.sides),
        rows=tuple(
            Row(id, title, unit, tuple(rest[:-1]), rest[-1]) for id, title, unit, *rest in assessed.rows(result)
        ),
        sections=tuple(assessed.sections(result)),
        plots=tuple(_plots(result, [with_workloads(case) for case in cases], known)),
        no_cost=_no_cost(result),
        behind=(*behind(result), kept.matrix(), kept.reasons()),
    )


def _plots(result: Assessment, cases: Sequence[Case], known: Mapping[str, Input]) -> Iterator[Plot]:
    values = usual([each for each in known.values() if each.value is not None])
    yield recovery(cases, values)
    found = balance(cases, values)
    if found:
        yield found
    by_id = {answer.question: answer for answer in result.answers}
    drawn = cost(questions()[_COST], by_id[_COST], cases, known)
    if drawn:
        yield drawn
    yield from (tornado(answer, known) for answer in closest(result.compared))


_COST = next(question.id for question in questions().values() if question.model is needed_cost)


def _no_cost(result: Assessment) -> str:
    answer = next(each for each in result.answers if each.question == _COST)
    if answer.stacks:
        return ""
    if any(each.is_price for each in result.inputs):
        return (
            "Cost is not drawn: every price is yours. Give them in a file, isostack compare SPEC --html FILE "
            "--inputs PRICES; isostack explain inputs lists them all."
        )
    why = "; ".join(dict.fromkeys(found for found in answer.results.values() if isinstance(found, str)))
    return f"Cost is not drawn: {why or 'there are not stacks on both kinds of machine'}."
