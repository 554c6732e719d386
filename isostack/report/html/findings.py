"""What the policy packs say, for the HTML report: by pack and rule, each way out and each source told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from isostack.comparison import Comparison
from isostack.finding import Declared, Finding
from isostack.report.together import together

TONES: Final = {"mandatory": "bad", "advisory": "warn", "undecided": "note", "waived": "note"}
"""Class of the colour, by verdict."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that found something; `found` has the stacks that each finding is one of."""

    rule: str
    title: str
    found: tuple[tuple[tuple[str, ...], Finding], ...]
    remediation: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Silent:
    """Rules that do not apply to some stacks, and why."""

    why: str
    stacks: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """One policy pack. `quiet`: number of its rules that found nothing on any stack."""

    name: str
    asked: int
    quiet: int
    rules: tuple[Rule, ...]
    silent: tuple[Silent, ...]


def packs(result: Comparison) -> list[Pack]:
    """All packs, those with the worst findings first."""
    found: dict[str, dict[str, list[tuple[list[str], Finding]]]] = {}
    for stacks, finding in together(result.policies):
        found.setdefault(finding.pack, {}).setdefault(finding.rule, []).append((stacks, finding))
    declared: dict[str, list[Declared]] = {}
    for rule in result.rules:
        declared.setdefault(rule.pack, []).append(rule)
    return [
        Pack(
            name,
            len(declared.get(name, ())),
            sum(rule.rule not in found.get(name, {}) for rule in declared.get(name, ())),
            tuple(_rule(rule, group) for rule, group in found.get(name, {}).items()),
            tuple(_silent(result, declared.get(name, ()))),
        )
        for name in dict.fromkeys([*found, *declared])
    ]


def _rule(rule: str, found: list[tuple[list[str], Finding]]) -> Rule:
    findings = [finding for _, finding in found]
    violated = [finding.remediation for finding in findings if finding.remediation and finding.status == "violated"]
    return Rule(
        rule,
        findings[0].title,
        tuple((tuple(stacks), finding) for stacks, finding in found),
        tuple(dict.fromkeys(violated)),
        tuple(dict.fromkeys(source for finding in findings for source in finding.evidence)),
    )


def _silent(result: Comparison, rules: Iterable[Declared]) -> Iterator[Silent]:
    stacks_of: dict[tuple[str, str], list[str]] = {}
    for rule in rules:
        for stack, judged in result.policies.items():
            if rule.rule in judged.not_applicable:
                stacks_of.setdefault((judged.not_applicable[rule.rule], rule.rule), []).append(stack)
    same: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (why, name), told in stacks_of.items():
        same.setdefault((why, tuple(told)), []).append(name)
    for (why, stacks), names in same.items():
        yield Silent(why, stacks, tuple(names))
