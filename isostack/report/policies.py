"""What policies say, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from isostack.finding import Declared, Finding, Judgement
from isostack.report.console import STYLE, make_table
from isostack.report.together import together


def judged(out: Console, rules: Sequence[Declared], found: Mapping[str, Judgement]) -> None:
    """Rules that find something, on every stack; then each finding, once for all stacks that it is the same of."""
    out.print(_table(rules, found))
    for stacks, finding in together(found):
        _finding(out, stacks, finding)


def _table(rules: Sequence[Declared], found: Mapping[str, Judgement]) -> Table:
    table = make_table("rule", *found)
    loud = {finding.rule for each in found.values() for finding in each.findings}
    for rule in rules:
        if rule.rule in loud:
            table.add_row(escape(rule.rule), *(_cell(rule.rule, each) for each in found.values()))
    table.add_section()
    table.add_row(f"no finding, of {len(rules)} rules", *(str(_silent(rules, each)) for each in found.values()))
    table.add_row("not applicable", *(str(len(each.not_applicable)) for each in found.values()))
    return table


def _silent(rules: Sequence[Declared], judgement: Judgement) -> int:
    found = {finding.rule for finding in judgement.findings}
    return sum(rule.rule not in found and rule.rule not in judgement.not_applicable for rule in rules)


def _cell(rule: str, judgement: Judgement) -> str:
    if rule in judgement.not_applicable:
        return "[dim]not applicable[/]"
    said = dict.fromkeys(finding.verdict for finding in judgement.findings if finding.rule == rule)
    return ", ".join(map(_styled, said)) or "no finding"


def _styled(verdict: str) -> str:
    words = {"undecided": "not decidable"}
    return f"[{STYLE.get(verdict, 'default')}]{words.get(verdict, verdict)}[/]"


def _finding(out: Console, stacks: Iterable[str], finding: Finding) -> None:
    of = f" ({finding.field})" if finding.field else ""
    place = f" {finding.place.file}:{finding.place.line}" if finding.place else ""
    head = f"[bold]{escape(', '.join(stacks))}[/]: {_styled(finding.verdict)} {finding.rule}{escape(of)}"
    out.print(f"{head}[dim]{escape(place)}[/]")
    if finding.waiver:
        _indented(out, escape(f"until {finding.waiver.until}: {finding.waiver.reason}"))
        _indented(out, f"[dim]{escape(finding.message.splitlines()[0])}[/]")
        return
    _indented(out, escape(finding.message))
    if finding.remediation and finding.status == "violated":
        _indented(out, f"[dim]{escape(finding.remediation)}[/]")


def _indented(out: Console, text: str) -> None:
    out.print(Padding(text, (0, 0, 0, 4), expand=False))
