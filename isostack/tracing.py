"""What is behind a number or a verdict of an assessment: questions, functions, inputs, kinds of snapshot, sources."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

from isostack.assess.inputs import Input
from isostack.assess.question import Question
from isostack.assess.questions import inputs, questions
from isostack.assess.snapshots import KINDS, Kind
from isostack.explaining import wrapped
from isostack.report.assessed import span


def trace(name: str) -> str | None:
    """Of a question, an input or a kind of snapshot; `inputs` and `snapshots` list them. None: it is none of them."""
    kinds = {kind.id: kind for kind in KINDS}
    if name == "snapshots":
        return "\n".join(f"{kind.id:<26} {kind.title}" for kind in KINDS)
    if name in kinds:
        return "\n".join(_kind(kinds[name]))
    if name == "inputs":
        return "\n".join(f"{each.id:<26} {span(each)}: {each.title}" for each in inputs().values())
    if name in questions():
        return "\n".join(_question(questions()[name]))
    if name in inputs():
        return "\n".join(_input(inputs()[name]))
    return None


def names() -> list[str]:
    return [*questions(), *inputs(), *(kind.id for kind in KINDS)]


def listed() -> Iterator[str]:
    for each in questions().values():
        yield f"  {each.id:<32} {each.title}"


def listed_kinds() -> Iterator[str]:
    for kind in KINDS:
        yield f"  {kind.id:<32} {kind.title}"


def _question(question: Question) -> Iterator[str]:
    yield f"{question.id}: {question.title}, in {question.unit}; less is better"
    yield from ("", *wrapped(question.why))
    yield from ("", "Made of")
    for function in (question.model, *question.functions):
        yield f"  {_where(function)}"
        yield from wrapped(_says(function), "    ")
    if question.inputs:
        yield from ("", "Inputs: of what neither the spec nor the target's config says")
        for each in question.inputs:
            text = f"{each.id} {span(each)}: {each.title} {each.evidence}"
            yield from wrapped(text, "  ", hanging="    ")

    kinds = [kind for kind in KINDS if question.id in (kind.rpo.question, kind.rto.question)]
    if kinds:
        yield from ("", "RPO or RTO of")
        for kind in kinds:
            yield f"  {kind.id:<32} {kind.title}"


def _kind(kind: Kind) -> Iterator[str]:
    yield f"{kind.id}: {kind.title}"
    yield from ("", *wrapped(kind.holds))
    yield from ("", "Brings back what is lost by")
    for loss, each in kind.against.items():
        yield from wrapped(f"{loss}: {each.verdict}, {each.why} {each.evidence}", "  ", hanging="    ")
    for name, figure in (("RPO, what is lost at most", kind.rpo), ("RTO, until it is there again", kind.rto)):
        number = f" ({figure.question})" if figure.question else ""
        yield from ("", name, *wrapped(f"{figure.text}{number} {figure.evidence}", "  ", hanging="    "))
    yield from ("", "Evidence of what it holds")
    for evidence in kind.evidence:
        yield from wrapped(str(evidence), "  ", hanging="    ")


def _input(each: Input) -> Iterator[str]:
    yield f"{each.id}: {each.title}"
    yield f"{span(each)}, from {each.least:g} to {each.most:g} at all" if not each.is_price else "no default"
    yield from (
        "",
        "Evidence",
        *wrapped(str(each.evidence), "  ", hanging="    "),
    )
    yield from ("", "Questions that need it")
    for question in questions().values():
        if each in question.inputs:
            yield f"  {question.id:<32} {question.title}"
    example = f"{{low: {each.low:g}, value: {each.value:g}, high: {each.high:g}}}" if each.value is not None else "190"
    yield from ("", "To give your own, in the FILE of isostack assess --inputs FILE", f"  {each.id}: {example}")


def _where(function: Callable[..., object]) -> str:
    """`isostack/assess/recovery.py volume_back`."""
    return f"{function.__module__.replace('.', '/')}.py {function.__qualname__}"


def _says(function: Callable[..., object]) -> str:
    return " ".join((inspect.getdoc(function) or "").split())
