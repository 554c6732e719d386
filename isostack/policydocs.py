"""The pages of docs/policies and docs/claims.md, made of what rules and claims declare: `python -m isostack.policydocs
PAGE` prints one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from components.rules import Rule
from isostack.explaining import answers, speaks_of, waiver
from policies import catalogue
from policies.claims import CLAIMS

MADE = "<!-- Made by scripts/generate of what the rules declare. Do not edit. -->"
INDEX, CLAIMS_PAGE = "README", "claims"


def pages() -> list[str]:
    """Names of the pages of docs/policies."""
    return [INDEX, *catalogue.packs()]


def page(name: str) -> str:
    """Raises KeyError where there is none."""
    if name == INDEX:
        return "\n".join(_index())
    if name == CLAIMS_PAGE:
        return "\n".join(_claims())
    return "\n".join(_pack(name, catalogue.packs()[name]))


def _index() -> Iterator[str]:
    number = sum(len(own) - 1 for own in catalogue.packs().values())  # less those of their waivers
    yield from (MADE, "", "# Policies", "")
    yield (
        f"{number} rules in {len(catalogue.packs())} packs. Each is an ordinary Pulumi policy pack "
        "(`pulumi preview --policy-pack policies/drs`); `isostack check` asks all of them. Levels, numbers and waivers "
        "stand in the stack config, under `isostack:policies`, and count in both:"
    )
    yield from ("", "```yaml", "config:", "  isostack:policies:")
    yield "    levels: {drs: advisory, backup-volumes-missing: mandatory} # of a pack, of a rule"
    yield "    params: {backup-etcd-missing: {maxIntervalHours: 24}}"
    yield "    waivers:"
    yield "      - {rule: drs-value, subject: workloads, reason: measured in March, until: 2027-03-31}"
    yield from ("```", "")
    yield (
        "A waiver without a reason or a last day, one that has ended and one that matches nothing waive nothing, and "
        "are findings themselves. A rule that needs what only `pulumi up` can know says so, as advice; one that breaks "
        "is a finding, and hides no other."
    )
    for pack, own in catalogue.packs().items():
        yield from (
            "",
            f"## [{pack}]({pack}.md)",
            "",
            "| rule | level | severity | speaks of | |",
            "|---|---|---|---|---|",
        )
        for rule in own:
            cells = (f"[{rule.id}]({pack}.md#{rule.id})", rule.level, rule.severity, speaks_of(rule), rule.title)
            yield "| " + " | ".join(map(_cell, cells)) + " |"


def _pack(pack: str, rules: tuple[Rule, ...]) -> Iterator[str]:
    yield from (MADE, "", f"# Policy pack {pack}")
    for rule in rules:
        yield from ("", f"## {rule.id}", "", f"**{_text(rule.title)}**")
        yield from ("", f"Level {rule.level}, severity {rule.severity}; speaks of {speaks_of(rule)}.")
        if rule.why:
            yield from ("", _text(rule.why))
        yield from ("", f"Way out: {_text(rule.remediation)}")
        if rule.claims:
            listed = ", ".join(f"[{number}](../claims.md#claim-{number})" for number in rule.claims)
            yield from ("", f"Claims: {listed}")
        if rule.params:
            yield from ("", "| parameter | default | from | to | |", "|---|---:|---:|---:|---|")
            for param in rule.params:
                meaning = f"{param.description} {param.evidence}"
                cells = (param.name, f"{param.default:.12g}", f"{param.minimum:.12g}", f"{param.maximum:.12g}", meaning)
                yield "| " + " | ".join(map(_cell, cells)) + " |"
        yield from ("", "Evidence:", "")
        yield from (f"- {_text(str(each))}" for each in rule.evidence)
        yield from ("", "To accept it:", "", "```yaml", waiver(rule), "```")


def _claims() -> Iterator[str]:
    yield from (MADE, "", "# The thirteen claims", "")
    yield (
        'A post of 2020, "Should K8s run on VMs?", goes through thirteen arguments for VMs. This is what each comes to '
        "today. The positions are in our words; the evidence stands with the rules."
    )
    for each in CLAIMS:
        yield from ("", f"## Claim {each.number}", "", f"**{_text(each.title)}**. The post holds: {_text(each.said)}")
        yield from ("", f"Today: **{each.verdict}**. {_text(each.today)}")
        yield from ("", "| rule | speaks of | |", "|---|---|---|")
        for rule in answers(each.number):
            pack = next(name for name, rules in catalogue.packs().items() if rule in rules)
            cells = (f"[{rule.id}](policies/{pack}.md#{rule.id})", speaks_of(rule), rule.title)
            yield "| " + " | ".join(map(_cell, cells)) + " |"


def _text(text: str) -> str:
    for char in "\\`*_<>|":
        text = text.replace(char, f"\\{char}")
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") if text.startswith("[") else _text(text)


if __name__ == "__main__":
    print(page(sys.argv[1]))
