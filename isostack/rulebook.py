"""What a stack's config says of rules, held against the rules that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.load import POLICIES, Inputs
from components.problems import FieldPath, Problem
from components.rules import Param
from components.waivers import PolicySettings
from components.wording import did_you_mean
from isostack.assess.releases import day
from policies import catalogue


def problems(inputs: Inputs) -> list[Problem]:
    """Misspelt rules, packs and parameters would say nothing, for ever; numbers out of range would say nonsense. In
    the order of the file."""
    found = list(_problems(inputs.policies))
    if (document := inputs.stack_file) is None:
        return found
    paths = [(*POLICIES, *problem.path) for problem in found]
    located = [
        Problem(problem.what, problem.right, path).at(document.path, *document.locate(path, key=True))
        for problem, path in zip(found, paths, strict=True)
    ]
    return sorted(located, key=lambda problem: (problem.line, problem.column))


def _problems(settings: PolicySettings) -> Iterator[Problem]:
    rules, packs = catalogue.rules(), catalogue.packs()
    for name in settings.levels:
        if name not in rules and name not in packs:
            yield _unknown(f"no rule or pack {name!r}", name, (*rules, *packs), ("levels", name))
    for i, waiver in enumerate(settings.waivers):
        if waiver.rule in {f"{pack}-waivers" for pack in packs}:
            right = f"set its level under levels: {waiver.rule}: disabled"
            yield Problem(f"{waiver.rule} cannot be waived: it is about waivers", right, ("waivers", i, "rule"))
        elif waiver.rule not in rules:
            yield _unknown(f"no rule {waiver.rule!r}", waiver.rule, rules, ("waivers", i, "rule"))
    for name, values in settings.params.items():
        if name not in rules:
            yield _unknown(f"no rule {name!r}", name, rules, ("params", name))
            continue
        params = {param.name: param for param in rules[name].params}
        for key, value in values.items():
            path: FieldPath = ("params", name, key)
            if key not in params:
                yield _unknown(f"{name} has no parameter {key!r}", key, params, path)
            else:
                yield from _unfit(params[key], value, path)


def _unknown(what: str, name: str, known: Iterable[str], path: FieldPath) -> Problem:
    names = list(known)
    near = did_you_mean(name, names)
    listed = "`isostack explain` lists them" if len(names) > 5 else f"it has {', '.join(names) or 'none'}"
    return Problem(what, f"did you mean {near!r}?" if near else listed, path)


def _unfit(param: Param, value: float, path: FieldPath) -> Iterator[Problem]:
    if not param.minimum <= value <= param.maximum:
        what = f"{value:.12g} is out of range for {param.name}"
        yield Problem(what, f"from {param.minimum:.12g} to {param.maximum:.12g}", path)
    elif param.kind != "number" and value != int(value):
        yield Problem(f"{value:.12g} is no whole number, as {param.name} is", f"for example {value:.0f}", path)
    elif param.kind == "day":
        try:
            day(value)
        except ValueError as error:
            yield Problem(str(error).partition(";")[0], "the year, the month and the day as one: 20270630", path)
