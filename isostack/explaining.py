"""What is behind a rule, a claim, a field or a number: the text of `isostack explain` and of docs/policies."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from components.problems import InvalidInput, Problem
from components.rules import BOTH, Param, Rule
from components.wording import did_you_mean
from isostack.reference import fields
from policies import catalogue
from policies.claims import CLAIMS, Claim, claim

WIDTH = 100
KINDS = {"vm": "VMs", "host": "whole hosts"}


def explanation(name: str | None) -> str:
    """Raises InvalidInput where nothing has the name."""
    if name is None:
        return "\n".join(_all())
    if name in catalogue.rules():
        return "\n".join(_rule(catalogue.rules()[name]))
    if match := re.fullmatch(r"(?:claim-?)?([0-9]+)", name):
        number = int(match[1])
        if any(each.number == number for each in CLAIMS):
            return "\n".join(_claim(claim(number)))
    described = fields()
    for path, (takes, meaning) in described.items():
        if re.fullmatch(_pattern(path), name):
            return "\n".join(_field(path.replace("[]", ""), takes, meaning))
    from isostack import tracing  # brings numpy, which rules and fields need not wait for

    if traced := tracing.trace(name):
        return traced
    names = [path.replace("[]", "") for path in described]
    claims = (f"claim-{each.number}" for each in CLAIMS)
    raise InvalidInput([_unknown(name, [*catalogue.rules(), *claims, *names, *tracing.names()])])


def _pattern(path: str) -> str:
    """Of the ways to write a field: an item of a list is `[]`, `[2]`, nothing, or its name, as findings have it."""
    inner = r"(\.[a-z0-9-]+|\[[0-9]*\])?\."
    return re.escape(path).replace(r"\[\]\.", inner).replace(r"\[\]", r"(\[[0-9]*\])?")


def _unknown(name: str, known: Sequence[str]) -> Problem:
    near = did_you_mean(name, known)
    listed = "`isostack explain` lists rules, claims and questions, `isostack schema` fields"
    right = f"did you mean {near!r}?" if near else listed
    return Problem(f"no rule, claim, field, question, input or kind of snapshot {name!r}", right)


def pack_of(rule: Rule) -> str:
    return next(pack for pack, rules in catalogue.packs().items() if rule in rules)


def answers(number: int) -> list[Rule]:
    """The rules that put a claim to the test."""
    return [rule for rule in catalogue.rules().values() if number in rule.claims]


def speaks_of(rule: Rule) -> str:
    if rule.machines == BOTH:
        return "any machine"
    return " and ".join(KINDS[kind] for kind in sorted(rule.machines))


def waiver(rule: Rule) -> str:
    """What to write into a stack file."""
    return (
        "config:\n"
        "  isostack:policies:\n"
        "    waivers:\n"
        f"      - {{rule: {rule.id}, reason: why it is accepted, until: YYYY-MM-DD}}"
    )


def _all() -> Iterator[str]:
    for pack, rules in catalogue.packs().items():
        yield pack
        for rule in rules:
            yield f"  {rule.id:<32} {rule.title}"
        yield ""
    yield "claims"
    for each in CLAIMS:
        yield f"  claim-{each.number:<26} {each.title}: {each.verdict}"
    from isostack import tracing

    yield from ("", "questions of `isostack assess` (their inputs: isostack explain inputs)", *tracing.listed())
    yield from ("", "kinds of snapshot", *tracing.listed_kinds())


def _rule(rule: Rule) -> Iterator[str]:
    yield f"{rule.id}: {rule.title}"
    yield f"pack {pack_of(rule)}, {rule.level}, severity {rule.severity}, speaks of {speaks_of(rule)}"
    if rule.why:
        yield from ("", *wrapped(rule.why))
    if rule.claims:
        yield from ("", "Claims")
        for number in rule.claims:
            yield f"  claim-{number} {claim(number).title}"
    yield from ("", "Way out", *wrapped(rule.remediation, "  "))
    if rule.params:
        yield from ("", "Parameters")
        for param in rule.params:
            yield from wrapped(_param(param), "  ", hanging="    ")
    yield from ("", "Evidence")
    for each in rule.evidence:
        yield from wrapped(str(each), "  ", hanging="    ")
    yield from ("", "To accept it, in the stack file", *(f"  {line}" for line in waiver(rule).splitlines()))
    yield from ("", f"Another level: isostack:policies: {{levels: {{{rule.id}: advisory, mandatory or disabled}}}}")


def _param(param: Param) -> str:
    span = f"{param.default:.12g}, from {param.minimum:.12g} to {param.maximum:.12g}"
    return f"{param.name} ({span}): {param.description} {param.evidence}"


def _claim(each: Claim) -> Iterator[str]:
    yield f"claim-{each.number}: {each.title}"
    yield from ("", f"The post of 2020 holds: {each.said}", f"Today: {each.verdict}.", *wrapped(each.today))
    yield from ("", "Rules that put it to the test")
    for rule in answers(each.number):
        yield f"  {rule.id:<32} {rule.title}"


def _field(field: str, takes: str, meaning: str) -> Iterator[str]:
    yield f"{field}: {takes}"
    yield from ("", *wrapped(meaning))
    rules = [rule for rule in catalogue.rules().values() if _names(rule, field)]
    if rules:
        yield from ("", "Rules whose way out names it")
        for rule in rules:
            yield f"  {rule.id:<32} {rule.title}"


def _names(rule: Rule, field: str) -> bool:
    """A way out is a change to a field: it has the field's name."""
    return bool(re.search(rf"(?<![\w.]){re.escape(field)}(?![\w])", re.sub(r"\[[^\]]*\]", "", rule.remediation)))


def wrapped(text: str, prefix: str = "", hanging: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=prefix,
        subsequent_indent=hanging or prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )
