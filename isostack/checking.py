"""The commands about policies: what the packs say of stacks, and what is behind a rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from components.problems import InvalidInput, Problem
from isostack import asking
from isostack.finding import Judgement
from isostack.run import FINE, NOT_EQUIVALENT, output, print_json, warn
from isostack.sourcenames import SOURCES
from policies.words import named

if TYPE_CHECKING:
    from isostack.finding import Finding
    from isostack.preview import Preview
    from isostack.sources import Source

# Commands import what they need when they run: `--help` answers at once.


class CheckFormat(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"
    sarif = "sarif"
    github = "github"
    junit = "junit"


class FailOn(StrEnum):
    advisory = "advisory"
    mandatory = "mandatory"
    never = "never"


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help=f"Specs, and {SOURCES}; none: every stack of the project."),
    ] = None,
    format: Annotated[
        CheckFormat,
        typer.Option(
            "--format", help="text for people, markdown for a comment, github for annotations, the rest for programs."
        ),
    ] = CheckFormat.text,
    fail_on: Annotated[
        FailOn,
        typer.Option("--fail-on", help="Least level that makes it exit 1; what is waived or undecided never does."),
    ] = FailOn.mandatory,
    pack: Annotated[
        list[str] | None, typer.Option("--pack", help="Ask this pack alone; give it once for each.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Show this rule alone; give it once for each.")
    ] = None,
    deployed: Annotated[
        list[str] | None,
        typer.Option(
            "--deployed",
            metavar="FILE",
            help="`pulumi stack export` of a stack: look also at what `up` would do to it.",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="JSON of an earlier `check`: show only what is new since.")
    ] = None,
) -> None:
    """Ask the policy packs about stacks. Exits 1 when a finding is as bad as --fail-on says."""
    asking.load_pulumi(names or [""])
    from isostack.sources import sources

    project = asking.project()
    known = read_baseline(baseline) if baseline else {}
    folders = _chosen(asking.packs(project), pack or ())
    found, strays = sources(project, names or asking.all_stacks(project))
    warn(strays)
    answer = asking.asked(project, found, folders, _deployed(deployed or (), found, project.name))
    rules = {each.rule: each for each in answer.rules}
    _known(f"rule of {_listed(folders)}" if pack else "rule", only or (), rules)
    shown = tuple(rule for rule in answer.rules if not only or rule.rule in only)
    asked = {rule.rule for rule in shown}
    judged = {label: _narrowed(each, asked, known, label) for label, each in answer.judged.items()}
    _print(format, shown, judged, fail_on)
    bad = any(counts(finding, fail_on) for each in judged.values() for finding in each.findings)
    raise typer.Exit(NOT_EQUIVALENT if bad else FINE)


def _deployed(files: Sequence[str], asked: Sequence[Source], project: str) -> list[Preview]:
    """What is there now, of stacks that are asked about. Raises InvalidInput where a file is of another."""
    from isostack.saved import read_saved
    from isostack.sources import stacks_in

    found = [read_saved(file) for file in files]
    names = [stack.name for stack in stacks_in(asked)]
    faults = []
    for i, (file, each) in enumerate(zip(files, found, strict=True)):
        if each.stack not in names:
            right = f"one is wanted of: {', '.join(names)}" if names else "name the stack that it is of beside it"
            faults.append(Problem(f"it is of the stack {each.stack}", right, file=file))
        elif each.project != project:
            faults.append(Problem(f"it is of the project {each.project}", f"this is {project}", file=file))
        elif any(other.stack == each.stack for other in found[:i]):
            faults.append(Problem(f"a second one of the stack {each.stack}", "give one of each", file=file))
    if faults:
        raise InvalidInput(faults)
    return found


def _print(format: CheckFormat, rules: Sequence[Any], judged: Mapping[str, Judgement], fail_on: FailOn) -> None:
    if format is CheckFormat.json:
        print_json("check", rules=rules, stacks=judged)
        return
    if format is CheckFormat.text:
        from isostack.report import console, policies

        with output():
            policies.judged(console.console(), rules, judged)
        return
    from isostack.places import from_top, top_of
    from isostack.report import github, junit, markdown, sarif

    writers: Mapping[CheckFormat, Callable[[Sequence[Any], Mapping[str, Judgement]], str]] = {
        CheckFormat.markdown: markdown.findings,
        CheckFormat.sarif: sarif.findings,
        CheckFormat.github: github.findings,
        CheckFormat.junit: partial(junit.findings, fails=lambda finding: counts(finding, fail_on)),
    }
    written = writers[format](rules, from_top(judged, top_of(Path.cwd())))
    with output():
        typer.echo(written)


def counts(finding: Finding, fail_on: FailOn) -> bool:
    """Whether the finding makes a command fail."""
    if fail_on is FailOn.never or finding.status in ("waived", "undecided"):
        return False
    return fail_on is FailOn.advisory or finding.blocks


def _chosen(folders: Sequence[Path], names: Sequence[str]) -> list[Path]:
    by_name = {folder.name: folder for folder in folders}
    _known("pack", names, by_name)
    return [folder for folder in folders if not names or folder.name in names]


def _listed(folders: Sequence[Path]) -> str:
    return " or ".join(folder.name for folder in folders)


def _known(kind: str, names: Sequence[str], known: Mapping[str, Any]) -> None:
    from components.wording import did_you_mean

    faults = []
    for name in names:
        if name not in known:
            near = did_you_mean(name, list(known))
            right = f"did you mean {near!r}?" if near else "`isostack explain` lists them"
            faults.append(Problem(f"no {kind} {name!r}", right))
    if faults:
        raise InvalidInput(faults)


# ---- baseline

Key = tuple[str, str, str, str]
"""Stack, rule, what its field is of, field."""
Known = tuple[str, str, frozenset[str]]
"""Status, level, all that it held for."""


def read_baseline(path: Path) -> Mapping[Key, Sequence[Known]]:
    """What was found then. Raises InvalidInput where the file is none of `check`."""
    known: dict[Key, list[Known]] = {}
    try:
        document = json.loads(path.read_text("utf-8"))
        for stack, each in document["stacks"].items():
            for f in each["findings"]:
                here = known.setdefault((stack, f["rule"], f["of"], f["field"]), [])
                here.append((f["status"], f["level"], frozenset(f["subjects"])))
    except OSError as error:
        raise InvalidInput([Problem((error.strerror or str(error)).lower(), file=str(path))]) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        right = "write it with: isostack check --format json --fail-on never"
        raise InvalidInput([Problem("no document of `isostack check`", right, file=str(path))]) from None
    return known


def news(findings: Iterable[Finding], label: str, known: Mapping[Key, Sequence[Known]]) -> Iterator[Finding]:
    """Those of this stack that were not found before, were better then, or held for less: these say for what."""
    for finding in findings:
        before = known.get((label, finding.rule, finding.of, finding.field), ())
        all_of = frozenset(finding.subjects)
        alike = [(level, subjects) for status, level, subjects in before if status == finding.status]
        if any(level in (finding.level, "mandatory") and all_of <= subjects for level, subjects in alike):
            continue
        fresh = [each for each in finding.subjects if not any(each in subjects for _, subjects in alike)]
        if 0 < len(fresh) < len(finding.subjects):
            told = f"{finding.message}\nnew: {named(fresh)}; the others were there before"
            yield replace(finding, message=told)
        else:
            yield finding


def _narrowed(
    judgement: Judgement, rules: Collection[str], known: Mapping[Key, Sequence[Known]], label: str
) -> Judgement:
    """What is asked for, and new."""
    return Judgement(
        tuple(news((f for f in judgement.findings if f.rule in rules), label, known)),
        {rule: why for rule, why in judgement.not_applicable.items() if rule in rules},
    )


# ---- explain


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RULE|CLAIM|FIELD|QUESTION|INPUT]",
            help="A rule's id, a claim's number, a field of a spec, a question or an input of `assess`.",
        ),
    ] = None,
) -> None:
    """Say what is behind a rule, a claim, a field or a number, with its evidence; without a name, list all."""
    from isostack.explaining import explanation

    with output():
        typer.echo(explanation(name))
