"""The words of an assessment, for terminals and comments alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isostack.assess.answers import Answer, Flip, Result
from isostack.assess.case import Kind
from isostack.assess.inputs import Input
from isostack.assessment import Assessment, Overall

SURE = 0.95
"""Share of the drawn values from which on nothing is said of the others."""


def number(value: float) -> str:
    """In three significant digits: 0.00213, 12.5, 1,970, 398,000. Next to nothing must not look like something."""
    if value and abs(value) < 1e-4:
        return "under 0.0001" if value > 0 else "-under 0.0001"
    return f"{float(f'{value:.3g}'):,.12g}"


class Table(NamedTuple):
    """One that stands behind the page."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def headline(result: Assessment) -> str:
    """How often which kind is ahead, and what that comes to."""
    if result.overall is Overall.ALONE:
        kinds = {side.kind for side in result.sides if not side.ended}
        there = f"there are stacks on {' and '.join(sorted(kinds))} alone" if kinds else "no stack's service runs"
        return f"nothing to weigh: {there}"
    ahead = Counter(each.ahead for each in result.compared)
    equal = f", equal in {ahead[None]}" if ahead[None] else ""
    counts = f"of {len(result.compared)} questions VMs are ahead in {ahead['VMs']}, metal in {ahead['metal']}{equal}"
    comes_to = {
        Overall.NEITHER: ": neither dominates, what counts for you decides",
        Overall.EQUAL: "",
    }.get(result.overall, f": {result.overall}, and behind in nothing")
    left = len(result.answers) - len(result.compared)
    return f"{counts}{comes_to}{f'; {left} more have no answer' if left else ''}"


def sides(result: Assessment) -> str:
    """`shop-vsphere (VMs), shop-tinkerbell (metal); shop-equinix is only shown: its service ended on 2026-06-30`."""
    here = ", ".join(f"{side.stack} ({side.kind})" for side in result.sides if not side.ended)
    ended = (f"{side.stack} is only shown: its service ended on {side.ended}" for side in result.sides if side.ended)
    return "; ".join(filter(None, (here, *ended)))


def cell(answer: Answer, stack: str) -> str:
    result = answer.results[stack]
    if isinstance(result, str):
        return "-"
    low, high = number(result.low), number(result.high)
    return number(result.value) if low == high else f"{number(result.value)} ({low} to {high})"


def ahead(answer: Answer) -> str:
    """`metal, 2.6 times less`, `equal`, and how sure that is."""
    if not answer.stacks:
        return ""
    sure = f" [{answer.share:.0%} of draws]" if answer.share < SURE else ""
    if answer.ahead is None:
        return f"equal{sure}"
    vms, metal = (_value(answer, stack) for stack in answer.stacks)
    less, more = sorted((vms, metal))
    times = more / less if less > 0 else float("inf")
    how = f", {times:.2g} times less" if times < 100 else f", {number(less)} against {number(more)}"
    return f"{answer.ahead}{how}{sure}"


def _value(answer: Answer, stack: str) -> float:
    result = answer.results[stack]
    assert isinstance(result, Result)
    return result.value


def deciding(result: Assessment) -> Iterator[str]:
    """Flips within what is plausible: what to find out first."""
    for answer in result.compared:
        for flip in answer.flips:
            if flip.plausible:
                yield _turns(answer.question, flip)


def far(result: Assessment) -> Iterator[str]:
    """The nearest flip of each question that nothing plausible turns."""
    for answer in result.compared:
        if answer.flips and not answer.flips[0].plausible:
            yield _turns(answer.question, answer.flips[0])


def _turns(question: str, flip: Flip) -> str:
    unit = f" {flip.unit}" if flip.unit else ""
    first, second = _one(flip.below), _one(flip.above)
    now = f"even at {flip.input} {number(flip.at)}{unit} (now {number(flip.value)})"
    return f"{question}: {now}; below it {first} better, above it {second}"


def _one(kind: Kind) -> str:
    return f"{kind} are" if kind == "VMs" else f"{kind} is"


def unanswered(result: Assessment) -> Iterator[str]:
    """What has no answer at all, or none for a stack, and why: one line for a cause."""
    causes: dict[tuple[str, str], list[str]] = {}
    for answer in result.answers:
        by_text: dict[str, list[str]] = {}
        for stack, found in answer.results.items():
            if isinstance(found, str):
                by_text.setdefault(found, []).append(stack)
        for text, stacks in by_text.items():
            of = "" if len(stacks) == len(answer.results) else f" of {', '.join(stacks)}"
            causes.setdefault((text, of), []).append(answer.question)
    for (text, of), names in causes.items():
        yield f"{', '.join(names)}{of}: {text}"


def span(each: Input) -> str:
    """`60 s (30 to 180)`."""
    if each.value is None:
        return "not given"
    unit = f" {each.unit}" if each.unit else ""
    ranged = f" ({number(each.low)} to {number(each.high)})" if each.low < each.high else ""
    return f"{number(each.value)}{unit}{ranged}"


def matters(answer: Answer) -> str:
    """The inputs that move the difference most, by how much: `recovery.person 3,490, recovery.fence 305`."""
    return ", ".join(f"{swing.input} {number(swing.size)}" for swing in answer.swings[:3])


def sections(result: Assessment) -> Iterator[tuple[str, Sequence[str]]]:
    """What follows the table: each with its lines, without those that have none."""
    for title, lines in (
        ("Decided by what you can find out", deciding(result)),
        ("Turned by nothing plausible; the nearest that would", far(result)),
        ("Not answered", unanswered(result)),
    ):
        if listed := list(lines):
            yield title, listed


def head(result: Assessment) -> Sequence[str]:
    return ("question", "", "unit", *(side.stack for side in result.sides), "ahead")


def rows(result: Assessment) -> Iterator[Sequence[str]]:
    """Of what has an answer somewhere."""
    for answer in result.answers:
        cells = [cell(answer, side.stack) for side in result.sides]
        if any(cell != "-" for cell in cells):
            yield (answer.question, answer.title, answer.unit, *cells, ahead(answer))


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
