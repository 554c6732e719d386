"""The assessment of a spec: every question asked of all its stacks, and what that comes to. Adds nothing up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from isostack.assess.answers import Answer, answer
from isostack.assess.assumed import SAID, with_workloads
from isostack.assess.case import Case, Kind
from isostack.assess.inputs import Input
from isostack.assess.neighbours import Neighbours, neighbours
from isostack.assess.questions import questions
from isostack.assess.snapshots import Kept, kept
from isostack.assess.variants import Row, variants
from isostack.inputs import Planned


class Overall(StrEnum):
    """Which kind of machine the answers speak for, without weights."""

    VMS = "VMs are ahead"
    METAL = "metal is ahead"
    NEITHER = "neither is ahead in all"
    EQUAL = "equal in all"
    ALONE = "nothing to hold against each other"


@dataclass(frozen=True, slots=True)
class Side:
    """One stack."""

    stack: str
    kind: Kind
    ended: str
    """ISO date on which its provider ended its service; empty: it runs."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """All questions of all stacks of a spec."""

    spec: str
    sides: tuple[Side, ...]
    assumed: str
    """What stands for workloads that the spec does not name; empty: it names them."""
    overall: Overall
    answers: tuple[Answer, ...]
    variants: tuple[Row, ...]
    """What answers would be under other settings."""
    neighbours: tuple[Neighbours, ...]
    """Whose pods and nodes share what, by name."""
    inputs: tuple[Input, ...]
    """What was assumed or given, as far as a question uses it."""
    snapshots: tuple[Kept, ...]
    """What each kind of snapshot is worth here."""

    @property
    def compared(self) -> tuple[Answer, ...]:
        """Those in which VMs and metal were held against each other."""
        return tuple(each for each in self.answers if each.stacks)


def assess(cases: Sequence[Case], inputs: Mapping[str, Input]) -> Assessment:
    """Of stacks of one spec, planned or previewed. Where it names no workloads, some are assumed."""
    assumed = "" if cases[0].spec.workloads else SAID
    cases = [with_workloads(case) for case in cases]
    answers = tuple(answer(question, cases, inputs) for question in questions().values())
    return Assessment(
        spec=cases[0].spec.name,
        sides=tuple(_side(case) for case in cases),
        assumed=assumed,
        overall=_overall(answers),
        answers=answers,
        variants=tuple(variants(questions(), cases, inputs)),
        neighbours=tuple(each for case in cases for each in neighbours(case)),
        inputs=tuple(inputs.values()),
        snapshots=tuple(kept(cases)),
    )


def planned_cases(planned: Sequence[Planned]) -> list[Case]:
    return [Case.of(each.stack.name, each.plan) for each in planned]


def _side(case: Case) -> Side:
    return Side(case.stack, case.label, next((site.service_ended for site in case.sites if site.service_ended), ""))


def _overall(answers: Sequence[Answer]) -> Overall:
    """One that is ahead somewhere and behind nowhere dominates."""
    if not any(each.stacks for each in answers):
        return Overall.ALONE
    ahead = {each.ahead for each in answers if each.ahead}
    if len(ahead) == 2:
        return Overall.NEITHER
    return {"VMs": Overall.VMS, "metal": Overall.METAL}[ahead.pop()] if ahead else Overall.EQUAL
