"""Variants: what answers would be under other settings of the spec and of the targets, the rest as planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from components.facts import Balancing
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Question
from isostack.assess.uncertainty import usual

REMEDIATION = "availability.remediation"


@dataclass(frozen=True, slots=True)
class Variant:
    """One setting."""

    name: str
    """As its user would set it."""
    change: Callable[[Case], Case | None]
    """None: the stack has no such setting."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a question is answered under one variant."""

    question: str
    variant: str
    values: Mapping[str, float | None]
    """By stack; None: it has no such setting, or no answer."""


def _evict_after(seconds: int) -> Callable[[Case], Case]:
    def change(case: Case) -> Case:
        availability = case.spec.availability.model_copy(update={"evict_after": seconds})
        return replace(case, spec=case.spec.model_copy(update={"availability": availability}))

    return change


def _ha(on: bool) -> Callable[[Case], Case | None]:
    """On VMs alone; on, a host is kept in reserve."""

    def change(case: Case) -> Case | None:
        if not case.virtual:
            return None
        reserve = max(1, case.site.reserve_hosts) if on else 0
        site = case.site.model_copy(update={"restarts_machines": on, "reserve_hosts": reserve})
        return replace(case, sites=(site,))

    return change


def _drs(level: Literal["fullyAutomated", "disabled"]) -> Callable[[Case], Case | None]:
    """On VMs alone."""

    def change(case: Case) -> Case | None:
        if not case.virtual:
            return None
        balancing = Balancing(workers=level, control_plane="manual")
        return replace(case, sites=(case.site.model_copy(update={"balancing": balancing}),))

    return change


def _fencing(on: bool) -> Callable[[Case], Case | None]:
    """On hosts alone: a VM is powered off through the agent of its host, which is dead. Not where it is wished and the
    target cannot."""

    def change(case: Case) -> Case | None:
        wished = case.spec.availability.remediation
        if case.virtual or (on and wished and not case.fences):
            return None
        availability = case.spec.availability.model_copy(update={"remediation": on})
        grade = "equal" if on else "degraded"
        found = tuple(
            each.model_copy(update={"grade": grade}) if each.field == REMEDIATION else each
            for each in case.realisations
        )
        return replace(case, spec=case.spec.model_copy(update={"availability": availability}), realisations=found)

    return change


def _spares(number: int) -> Callable[[Case], Case | None]:
    def change(case: Case) -> Case | None:
        if case.virtual:
            return None
        return replace(case, sites=(case.site.model_copy(update={"spare_hosts": number}),))

    return change


_BALANCED = (
    Variant("DRS fullyAutomated for workers", _drs("fullyAutomated")),
    Variant("DRS disabled for workers", _drs("disabled")),
)
VARIANTS: Mapping[str, tuple[Variant, ...]] = {
    "recovery.stateless": (
        Variant("availability.evictAfter: 300s, Kubernetes' default", _evict_after(300)),
        Variant("availability.evictAfter: 30s", _evict_after(30)),
        Variant("vSphere HA on", _ha(True)),
        Variant("vSphere HA off", _ha(False)),
    ),
    "recovery.volume": (
        Variant("vSphere HA on", _ha(True)),
        Variant("vSphere HA off", _ha(False)),
        Variant("fencing by BMC, availability.remediation: true", _fencing(True)),
        Variant("no fencing", _fencing(False)),
    ),
    "balance.spread": _BALANCED,
    "balance.unmet": _BALANCED,
    "fleet.whole": (
        Variant("vSphere HA on, a host in reserve", _ha(True)),
        Variant("vSphere HA off", _ha(False)),
        Variant("a spare host", _spares(1)),
        Variant("no spare host", _spares(0)),
    ),
}
"""By question: the settings that matter to it."""


def variants(questions: Mapping[str, Question], cases: Sequence[Case], inputs: Mapping[str, Input]) -> list[Row]:
    """Of inputs at their values; without rows that change nothing on any stack."""
    found = []
    for name, of in VARIANTS.items():
        asked = questions[name]
        values = usual([inputs[each.id] for each in asked.inputs])
        if not any(inputs[each.id].is_price for each in asked.inputs):
            rows = [Row(name, v.name, {c.stack: _value(asked, v.change(c), values) for c in cases}) for v in of]
            planned = {case.stack: _value(asked, case, values) for case in cases}
            found += [row for row in rows if any(v not in (None, planned[s]) for s, v in row.values.items())]
    return found


def _value(asked: Question, case: Case | None, values: Mapping[str, object]) -> float | None:
    try:
        return None if case is None else float(asked.answer(case, values)[0])
    except NoAnswer:
        return None
