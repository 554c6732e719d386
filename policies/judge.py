"""What the rules of a pack say of a stack: levels, waivers, and what cannot be decided. Pure, but for today's date."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from components.rules import Evidence, Level, Params, Rule, Stack, Undecided, Violation
from components.waivers import PolicySettings, Waiver
from policies.words import named

Status = Literal["violated", "waived", "undecided", "failed"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that a rule says of one cluster."""

    rule: Rule
    level: Level
    status: Status
    violation: Violation | None
    """None where the rule could not decide, or broke."""
    text: str
    urn: str = ""
    """Of the cluster; empty: of the stack as a whole."""
    waiver: Waiver | None = None

    def __str__(self) -> str:
        """As the engine shows it."""
        said = str(self.violation) if self.violation else self.text
        return f"waived until {self.waiver.until}, {self.waiver.reason}: {said}" if self.waiver else said


@dataclass(frozen=True, slots=True)
class Told:
    """What the engine says where the stack's own config says nothing: from the pack's config, or the defaults."""

    levels: Mapping[str, Level]
    params: Mapping[str, Params]


def not_applicable(rule: Rule, stacks: Sequence[Stack]) -> str:
    """Why a rule says nothing of any of these; empty: it was asked."""
    if not stacks:
        return "this stack has no cluster of isostack"
    if rule.of_update and all(stack.update is None for stack in stacks):
        return "what an update does to what is there is seen by `isostack check --deployed FILE` alone"
    kinds = {kind for stack in stacks for kind in stack.kinds}
    if rule.machines & kinds:
        return ""
    return f"it speaks of {_kinds(rule.machines)}; this stack has {_kinds(kinds)}"


def _kinds(kinds: set[str] | frozenset[str]) -> str:
    names = {"vm": "VMs", "host": "whole hosts"}
    return " and ".join(names[kind] for kind in sorted(kinds, reverse=True)) or "no machines"


def silent(pack: str, rule: Rule, stacks: Sequence[Stack], told: Told) -> str:
    """Why a rule says nothing of any of these, whatever is in them; empty: it was asked."""
    if stacks and all(_level(pack, rule, stack.cluster.policies, told) == "disabled" for stack in stacks):
        return "its level is disabled"
    return not_applicable(rule, stacks)


def judge(pack: str, rules: Sequence[Rule], stack: Stack, told: Told, today: date) -> Iterator[Verdict]:
    """What a pack's rules say of one cluster, at the level that holds there; then what is wrong with its waivers."""
    settings = stack.cluster.policies
    waivers = [waiver for waiver in settings.waivers if not _void(waiver, today)]
    found: list[Verdict] = []
    decided: set[str] = set()
    for rule in rules:
        if silent(pack, rule, [stack], told):
            continue
        said = list(_ask(rule, _level(pack, rule, settings, told), stack, _params(rule, settings, told)))
        if not any(verdict.status in ("undecided", "failed") for verdict in said):
            decided.add(rule.id)
        for verdict in said:
            accepted = [waiver for waiver in waivers if waiver.rule == rule.id] if verdict.violation else []
            by = covering(accepted, verdict.violation) if verdict.violation else None
            found.append(
                replace(verdict, level="advisory", status="waived", urn=stack.urn, waiver=by) if by else verdict
            )
    yield from found
    own = waivers_rule(pack)
    level = _level(pack, own, settings, told)
    if level != "disabled":
        for fault in _faults(settings, {rule.id for rule in rules}, decided, found, today):
            yield Verdict(own, level, "violated", fault, fault.text, stack.urn)


def _ask(rule: Rule, level: Level, stack: Stack, params: Params) -> Iterator[Verdict]:
    try:
        for violation in rule.check(stack, params):
            yield Verdict(rule, level, "violated", violation, violation.text, stack.urn)
    except Undecided as error:
        # Advice, whatever the rule's level: a preview must not be blocked by what it cannot know.
        yield Verdict(rule, "advisory", "undecided", None, f"not decidable at preview: {error}", stack.urn)
    except Exception as error:
        yield Verdict(rule, level, "failed", None, failure(error))


def failure(error: Exception) -> str:
    """Of a rule that broke, or of facts that cannot be read."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    said = (str(error).splitlines() or [""])[0]
    return (
        f"nothing was checked: the rule failed with {type(error).__name__}: {said}\n"
        f"at {Path(frame.filename).name}:{frame.lineno}; this is a fault of the rule or of the facts, not of the spec"
    )


def _level(pack: str, rule: Rule, settings: PolicySettings, told: Told) -> Level:
    by_engine = told.levels.get(rule.id, rule.level)
    return settings.levels.get(rule.id) or settings.levels.get(pack) or by_engine


def _params(rule: Rule, settings: PolicySettings, told: Told) -> Params:
    known = {param.name: param.default for param in rule.params}
    said = {**told.params.get(rule.id, {}), **settings.params.get(rule.id, {})}
    return known | {name: float(value) for name, value in said.items() if name in known}


# ---- waivers


def waivers_rule(pack: str) -> Rule:
    """The rule of a pack that its waivers are in order."""
    return Rule(
        id=f"{pack}-waivers",
        title="A waiver that waives nothing: expired, without reason or end, or of nothing that was found",
        severity="low",
        level="advisory",
        claims=(),
        remediation="Take the waiver out of isostack:policies, or give it a reason and a day in the future.",
        evidence=(Evidence("assumption", "a waiver that nobody needs hides the next finding of its rule"),),
        check=lambda stack, params: iter(()),
        why="A waiver accepts a finding for a reason and for a time. One that has run out, has neither, or matches "
        "nothing that is found is told, so that it does not stay for ever.",
    )


def covering(waivers: Sequence[Waiver], violation: Violation) -> Waiver | None:
    """The first waiver of a violation: of its field, or of some of what it holds for, where several together are of
    all. One machine that nobody accepts is a finding."""
    of_field = [waiver for waiver in waivers if _is_of(waiver, violation.field)]
    some = [waiver for waiver in waivers if any(_is_of(waiver, each) for each in violation.subjects)]
    if of_field:
        return of_field[0]
    everything = violation.subjects and all(any(_is_of(w, each) for w in some) for each in violation.subjects)
    return some[0] if everything else None


def _is_of(waiver: Waiver, name: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in waiver.subject.split("*"))
    return re.fullmatch(pattern, name) is not None


def _void(waiver: Waiver, today: date) -> str:
    """Why it waives nothing, whatever is found; empty: it counts."""
    if not waiver.reason.strip():
        return "gives no reason"
    if waiver.until is None:
        return "names no last day (until)"
    return f"ended on {waiver.until}" if waiver.until < today else ""


def _faults(
    settings: PolicySettings, own: set[str], decided: set[str], found: Sequence[Verdict], today: date
) -> Iterator[Violation]:
    """Of a rule that was not asked, or could not decide, nobody knows whether its waiver is needed."""
    for waiver in settings.waivers:
        if waiver.rule not in own:
            continue
        if why := _void(waiver, today):
            yield _fault(waiver, f"{why}: it waives nothing")
        elif waiver.rule in decided:
            yield from _unused(waiver, [v for v in found if v.rule.id == waiver.rule])


def _unused(waiver: Waiver, found: Sequence[Verdict]) -> Iterator[Violation]:
    violations = [verdict.violation for verdict in found if verdict.violation]
    touched = [v for v in violations if any(_is_of(waiver, name) for name in (v.field, *v.subjects))]
    if not touched:
        yield _fault(waiver, "matches nothing that is found here")
    elif all(verdict.status != "waived" for verdict in found if verdict.violation in touched):
        rest = [each for v in touched for each in v.subjects if not _is_of(waiver, each)]
        yield _fault(waiver, f"leaves out {named(rest)}: it waives nothing")


def _fault(waiver: Waiver, what: str) -> Violation:
    return Violation(waiver.rule, f"the waiver of {waiver.subject} {what}", (waiver.subject,), "waiver")
