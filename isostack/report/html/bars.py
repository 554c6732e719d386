"""Plots of bars: recovery by its phases, and the inputs that move a difference most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from isostack.assess.answers import Answer, Result, Swing
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Values
from isostack.assess.questions.recovery import stateless_phases, volume_back
from isostack.assess.recovery import Phase
from isostack.report.assessed import number, span
from isostack.report.html.picture import fit
from isostack.report.html.plots import LETTER, WIDTH, Bar, Key, Line, Plot, Sheet, Table, linear, ticks

LETTERS: Final = {phase: "abcdefghi"[i] for i, phase in enumerate(Phase)}
"""Of each phase; its place is also its colour."""
MOST_BARS: Final = 8
"""Inputs of a tornado: the others move next to nothing."""
_BAR: Final = 15
_ROW: Final = 44
_LEAST: Final = 8
"""Width from which on a bar carries its letter."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How one stack recovers: seconds of each phase, or why that is not known."""

    stack: str
    phases: Mapping[Phase, float]
    by: str
    unknown: str = ""

    @property
    def seconds(self) -> float:
        return sum(self.phases.values())


def recoveries(cases: Sequence[Case], values: Values) -> dict[str, list[Recovery]]:
    """By question, of each stack at these values, one each."""
    return {
        "recovery.stateless": [_recovery(case, lambda case: (stateless_phases(case, values), "")) for case in cases],
        "recovery.volume": [_recovery(case, lambda case: _volume(case, values)) for case in cases],
    }


def _volume(case: Case, values: Values) -> tuple[Sequence[tuple[Phase, float]], str]:
    back = volume_back(case, values)
    return back.phases, back.by


def _recovery(case: Case, ask: Callable[[Case], tuple[Sequence[tuple[Phase, float]], str]]) -> Recovery:
    try:
        phases, by = ask(case)
    except NoAnswer as error:
        return Recovery(case.stack, {}, "", str(error))
    return Recovery(case.stack, {phase: float(np.ravel(seconds)[0]) for phase, seconds in phases}, by)


TITLES: Final = {"recovery.stateless": "A pod without a volume", "recovery.volume": "A pod with a volume"}


def recovery(cases: Sequence[Case], values: Values) -> Plot:
    """Bars of seconds for each stack, split by phase."""
    found, sheet, y = recoveries(cases, values), Sheet(), 0.0
    for question, each in found.items():
        y = _group(sheet, TITLES[question], each, y)
    used = [phase for phase in Phase if any(phase in one.phases for each in found.values() for one in each)]
    rows = [
        (TITLES[question], one.stack, *(number(one.phases[p]) if p in one.phases else "-" for p in used), _said(one))
        for question, each in found.items()
        for one in each
    ]
    return sheet.plot(
        "recovery",
        "Seconds from the loss of a host until a pod runs again",
        "Inputs at their values; the two groups have an axis each.",
        "; ".join(
            f"{TITLES[question]} on {one.stack}: {_said(one)}" for question, each in found.items() for one in each
        ),
        y,
        [Key(f"c{list(Phase).index(phase)}", phase, LETTERS[phase]) for phase in used],
        Table(("lost", "stack", *(f"{LETTERS[p]} {p}" for p in used), "s in all"), tuple(rows)),
    )


def _said(one: Recovery) -> str:
    if one.unknown:
        return one.unknown
    return f"{number(one.seconds)} s{f', by {one.by}' if one.by else ''}"


def _group(sheet: Sheet, title: str, found: Sequence[Recovery], top: float) -> float:
    """Returns where the next may begin."""
    at = ticks(0, max((one.seconds for one in found), default=0) or 1)
    scale = linear(0, at[-1], 0, WIDTH - 1)
    sheet.text(0, top + 11, title, "head")
    y = top + 18
    sheet.axis_below([(value, f"{number(value)} s" if value else "0") for value in at], scale, y, y + _ROW * len(found))
    for one in found:
        said = _said(one)
        sheet.text(0, y + 11, fit(one.stack, max(8, int(WIDTH / LETTER) - len(said) - 2)), "name")
        sheet.text(WIDTH, y + 11, said if not one.unknown else "not known", "name", "end")
        x, seconds = 0.0, 0.0
        for phase, length in one.phases.items():
            seconds += length
            end = scale(seconds)
            told = f"{LETTERS[phase]} {phase}: {number(length)} s"
            sheet.bars.append(_bar(x, y + 15, end - x, f"c{list(Phase).index(phase)}", told))
            if end - x >= _LEAST:
                sheet.text((x + end) / 2, y + 26, LETTERS[phase], "on", "middle")
            x = end
        parts = " + ".join(f"{LETTERS[phase]} {number(length)}" for phase, length in one.phases.items())
        sheet.text(0, y + 40, parts, "note")
        y += _ROW
    return y + 26


def _bar(x: float, y: float, width: float, kind: str, title: str) -> Bar:
    return Bar(x, y, width, _BAR, kind, title)


def tornado(answer: Answer, inputs: Mapping[str, Input]) -> Plot:
    """Bars of the difference VMs less metal, from one end of each input's range to the other. Of an answer that has
    swings."""
    now = difference(answer)
    swings = answer.swings[:MOST_BARS]
    ends = [0.0, now, *(end for swing in swings for end in (swing.low, swing.high))]
    at = ticks(min(ends), max(ends))
    scale, sheet = linear(at[0], at[-1], 1, WIDTH - 1), Sheet()
    top, bottom = 22, 22 + 33 * len(swings) + 4
    sheet.axis_below([(value, number(value)) for value in at], scale, top, bottom)
    zero = scale(0)
    sheet.lines += [Line(zero, top - 6, zero, bottom, "turns"), Line(scale(now), top, scale(now), bottom, "now")]
    sheet.sides(zero, 11, "VMs ahead", "metal ahead")
    for i, swing in enumerate(swings):
        _swing(sheet, swing, inputs[swing.input], scale(now), scale(swing.low), scale(swing.high), top + 33 * i)
    unit = f" {answer.unit}" if answer.unit else ""
    return sheet.plot(
        f"tornado-{answer.question}",
        f"{answer.question}: what moves the difference",
        f"{answer.title}: VMs less metal, in{unit}, at either end of each input's range, the others at their values. "
        "At the thick line the answer turns; the dashed one is where it is now.",
        f"Now {number(now)}{unit}. "
        + "; ".join(f"{swing.input} moves it from {number(swing.low)} to {number(swing.high)}" for swing in swings),
        bottom + 19,
        (Key("low", "towards the low end of the range"), Key("high", "towards the high end")),
        Table(
            ("input", "range", "at its low end", "at its high end"),
            tuple((s.input, span(inputs[s.input]), number(s.low), number(s.high)) for s in swings),
        ),
    )


def _swing(sheet: Sheet, swing: Swing, each: Input, now: float, low: float, high: float, y: float) -> None:
    told = f"{number(each.low)} to {number(each.high)} {each.unit}".rstrip()
    sheet.text(2, y + 11, swing.input, "name")
    sheet.text(WIDTH - 2, y + 11, told, "note", "end")
    for end, value, difference, kind in ((low, each.low, swing.low, "low"), (high, each.high, swing.high, "high")):
        at = f"{swing.input} at {number(value)}: {number(difference)}"
        sheet.bars.append(_bar(min(now, end), y + 15, abs(end - now), kind, at))


def difference(answer: Answer) -> float:
    """VMs less metal, inputs at their values."""
    vms, metal = (answer.results[stack] for stack in answer.stacks)
    assert isinstance(vms, Result)
    assert isinstance(metal, Result)
    return vms.value - metal.value


CLOSEST: Final = 3
"""Questions whose tornado is drawn."""


def closest(answers: Sequence[Answer]) -> list[Answer]:
    """The questions with the closest race: those that something plausible turns, then those that are the least sure; of
    a topic the first alone, since its questions hang on the same inputs."""
    moved = [each for each in answers if each.stacks and each.swings]
    ranked = sorted(moved, key=lambda each: (not any(flip.plausible for flip in each.flips), each.share))
    return list(_first_of_topic(ranked))[:CLOSEST]


def _first_of_topic(answers: Sequence[Answer]) -> Iterator[Answer]:
    seen = set[str]()
    for each in answers:
        topic = each.question.partition(".")[0]
        if topic not in seen:
            seen.add(topic)
            yield each
