"""Comments of a pull request within the platform's limit: the summary first, the rest folded; and that of findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Final

from isostack.finding import Declared, Finding, Judgement
from isostack.parity import Verdict
from isostack.report.together import counted, together

LIMIT: Final = 64_000
"""Characters: GitHub takes 65,536 in a comment [documented] https://github.com/orgs/community/discussions/27190; the
rest is room for what a pipeline puts around it."""
VERDICTS: Final = {Verdict.EQUIVALENT: "✅", Verdict.DEGRADED: "⚠️", Verdict.NOT: "❌", Verdict.ALONE: "▫️"}
_LONGEST: Final = 160
"""Characters of a value; the JSON document has all."""
_MARKS: Final = {"mandatory": "❌", "advisory": "⚠️", "undecided": "❔", "waived": "☑️"}
_LISTED: Final = 50
"""Machines or resources of one finding that the comment names; the JSON document names all."""


def findings(rules: Sequence[Declared], judged: Mapping[str, Judgement], *, new: bool = False) -> str:
    """`new`: what was there before is not among them."""
    head = "\n".join(_news(judged) if new else _head(rules, judged))
    blocks = [_finding(stacks, finding) for stacks, finding in together(judged)]
    return within(head, blocks, lambda left: f"\n\n{left} more: `isostack check {' '.join(judged)}`\n")


def within(text: str, blocks: Sequence[str], note: Callable[[int], str]) -> str:
    """The text and as many blocks as there is room for; `note` says how many are left out."""
    left = len(blocks)
    for block in blocks:
        if len(text) + len(block) + len(note(left)) > LIMIT:
            return text + note(left)
        text, left = text + block, left - 1
    return text


def folded(title: str, body: str, *, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{escape(title)}</summary>\n\n{body}\n\n</details>\n"


def fenced(lines: Sequence[str], language: str) -> list[str]:
    """As a block of code, whatever backquotes are in it."""
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in _runs(line)), default=0))
    return [f"{fence}{language}", *lines, fence]


def _runs(line: str) -> list[str]:
    """Backquotes in a row."""
    return [run for run in "".join(c if c == "`" else " " for c in line).split() if run]


def short(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def fitting(lines: Iterable[str], room: int) -> tuple[list[str], int]:
    """As many lines as there is room for, in characters, and how many are left."""
    every = list(lines)
    taken, shown = 0, 0
    while shown < len(every) and taken + len(every[shown]) < room:
        taken, shown = taken + len(every[shown]) + 1, shown + 1
    return every[:shown], len(every) - shown


def _counts(judged: Mapping[str, Judgement]) -> str:
    return ", ".join(f"{_MARKS[name]} {count} {name}" for name, count in counted(judged).items())


def _news(judged: Mapping[str, Judgement]) -> list[str]:
    """Nobody asks how many rules found nothing new."""
    found = _counts(judged)
    return [f"### isostack check: {f'new: {found}' if found else '✅ nothing new'}", "", ""]


def _head(rules: Sequence[Declared], judged: Mapping[str, Judgement]) -> list[str]:
    lines = [f"### isostack check: {_counts(judged) or '✅ no finding'}", ""]
    lines += ["| stack | " + " | ".join(_MARKS) + " | no finding | not applicable |", "|---|" + "---:|" * 6]
    for stack, judgement in judged.items():
        own = [finding.verdict for finding in judgement.findings]
        loud = {finding.rule for finding in judgement.findings}
        silent = sum(rule.rule not in loud and rule.rule not in judgement.not_applicable for rule in rules)
        cells = [*(str(own.count(name)) for name in _MARKS), str(silent), str(len(judgement.not_applicable))]
        lines.append(f"| {_cell(stack)} | " + " | ".join(cells) + " |")
    return [*lines, "", ""]


def _finding(stacks: Sequence[str], finding: Finding) -> str:
    mark = _MARKS.get(finding.verdict, "⚠️")
    field = f" <code>{escape(finding.field)}</code>" if finding.field else ""
    opened = " open" if finding.blocks else ""
    place = f" ({escape(finding.place.file)}:{finding.place.line})" if finding.place else ""
    head = f"{mark} <b>{escape(finding.rule)}</b>{field}, {escape(', '.join(stacks))}"
    lines = [f"<details{opened}><summary>{head}</summary>", "", f"{_prose(finding.title)}{place}", ""]
    if finding.waiver:
        lines += [f"Waived until {finding.waiver.until}: {_prose(finding.waiver.reason)}", ""]
    lines += ["<br>".join(map(_prose, finding.message.splitlines())), ""]
    if finding.remediation:
        lines += [f"**Way out:** {_prose(finding.remediation)}", ""]
    if len(finding.subjects) > 1:
        more = f" and {len(finding.subjects) - _LISTED} more" if len(finding.subjects) > _LISTED else ""
        named = ", ".join(map(_prose, finding.subjects[:_LISTED]))
        lines += [
            f"<details><summary>{len(finding.subjects)} of them</summary>",
            "",
            f"{named}{more}",
            "",
            "</details>",
        ]
    if finding.evidence:
        listed = "".join(f"<li>{escape(each)}</li>" for each in finding.evidence)
        lines += [f"<details><summary>evidence</summary><ul>{listed}</ul></details>", ""]
    return "\n".join([*lines, "</details>", ""])


def _prose(text: str) -> str:
    """Text that Markdown takes as it is."""
    for char in "\\`*_[]|~#":
        text = text.replace(char, f"\\{char}")
    return escape(text, quote=False)


def _cell(text: str) -> str:
    return _prose(text).replace("\n", " ")
