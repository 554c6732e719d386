"""A pull request looked at: the touched stacks checked, what was there before left out, written for people and
programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from components.problems import InvalidInput, Problem
from isostack import asking
from isostack.checking import FailOn, Key, Known, counts, news, read_baseline
from isostack.ci.body import Checked, comment, nothing
from isostack.ci.git import Change
from isostack.ci.touched import Touched, touched
from isostack.inputs import Faults, impossible, plan
from isostack.places import from_top, of_top
from isostack.run import FINE, NOT_EQUIVALENT
from isostack.stacks import SPEC_KEY, StackFile, find_project

if TYPE_CHECKING:
    from isostack.stacks import Project

_HASH: Final = 12
"""Characters of a revision that people and git need."""

LIMIT: Final = 64_000
"""Characters of the comment, its first line included: GitHub takes 65,536, see report.markdown; GitLab 1,000,000
[documented] https://docs.gitlab.com/administration/instance_limits/"""
WHOLE: Final = 900_000
"""Of the same in a job's summary, where GitHub takes 1 MiB [documented] https://docs.github.com/en/actions/reference
/workflows-and-actions/workflow-commands#step-isolation-and-limits; some characters are four bytes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to say of a pull request."""

    comment: str
    """Markdown, at most LIMIT characters, without the line that marks it."""
    whole: str
    """The same, uncut but for WHOLE."""
    files: Mapping[str, str]
    """For programs, and the page of the change for people: text by file name."""
    annotations: str
    """Commands of a GitHub workflow."""
    stacks: tuple[str, ...]
    """Those that are touched, and those whose file is deleted."""
    faulty: bool
    fails: bool


def look(base: str, fail_on: FailOn, room: int) -> Seen:
    """`base`: a revision that the clone has; `room`: characters that the caller puts before the comment.

    Raises InvalidInput where there is no change to look at.
    """
    project = asking.project()
    change = Change.since(project.root, base)
    found = touched(project, change.files())
    told = f"Changes since {change.base[:_HASH]}, the last revision in common with the base."
    if not found.stacks and not found.gone:
        text = nothing(told)
        return Seen(text, text, {}, "", (), False, False)
    names = tuple(found.stacks)
    if faults := [of_top(fault, change.top) for fault in _faults(project, names)]:
        return _seen(found, faults, "", None, told, room, {}, "\n".join(map(_annotation, faults)))
    checked, files, annotations = Checked.none(fail_on.value), dict[str, str](), ""
    try:
        if names:
            asking.load_pulumi(names)
            checked, files, annotations = _check(project, change, found, fail_on)
    except Exception as error:
        from isostack.run import problems

        if (told_of := problems(error)) is None:
            raise
        said = [of_top(problem, change.top) for problem in told_of]
        return _seen(found, said, "", None, told, room, {}, "\n".join(map(_annotation, said)))
    specs = _specs(project, change, found.gone)
    diff, unequal, page = _diff(change, (*_with_siblings(project, names, specs), *found.gone))
    return _seen(found, (), diff, replace(checked, unequal=unequal), told, room, {**files, **page}, annotations)


def _seen(
    found: Touched,
    faults: Sequence[Problem],
    diff: str,
    checked: Checked | None,
    told: str,
    room: int,
    files: Mapping[str, str],
    annotations: str,
) -> Seen:
    short, whole = (comment(found, faults, diff, checked, told, limit) for limit in (LIMIT - room, WHOLE))
    fails = checked is not None and checked.fails
    return Seen(short, whole, files, annotations, (*found.stacks, *found.gone), bool(faults), fails)


def _faults(project: Project, names: Sequence[str]) -> tuple[Problem, ...]:
    """What `validate` says of the stacks."""
    faults = Faults()
    for name in names:
        try:
            planned = plan(project.stack(name), faults)
        except InvalidInput as error:
            faults.add(error.problems)
            continue
        if planned:
            faults.add(impossible(planned), name)
    return faults.problems


def _check(project: Project, change: Change, found: Touched, fail_on: FailOn) -> tuple[Checked, dict[str, str], str]:
    from isostack.report import github, junit, markdown, sarif
    from isostack.report.document import document
    from isostack.report.together import counted
    from isostack.sources import sources

    names = list(found.stacks)
    answer = asking.asked(project, sources(project, names)[0], asking.packs(project))
    judged = from_top(answer.judged, change.top)
    known, no_baseline = _baseline(project, change, names)
    new = {label: replace(each, findings=tuple(news(each.findings, label, known))) for label, each in judged.items()}
    keys = {(label, f.rule, f.of, f.field) for label, each in judged.items() for f in each.findings}
    checked = Checked(
        markdown=markdown.findings(answer.rules, new, new=not no_baseline),
        fails=any(counts(f, fail_on) for each in new.values() for f in each.findings),
        fail_on=fail_on.value,
        kept=sum(len(judged[label].findings) - len(each.findings) for label, each in new.items()),
        went=tuple((stack, rule, at) for stack, rule, _, at in known if (stack, rule, _, at) not in keys),
        no_baseline=no_baseline,
        new=counted(new),
    )
    files = {
        # A code-scanning service finds out by itself what is new: what is left out would be closed there.
        "check.sarif": sarif.findings(answer.rules, judged),
        "check.xml": junit.findings(answer.rules, new, fails=lambda finding: counts(finding, fail_on)),
        "check.json": json.dumps(document("check", rules=answer.rules, stacks=judged), indent=2, allow_nan=False),
    }
    return checked, files, github.findings(answer.rules, new)


def _baseline(project: Project, change: Change, names: Sequence[str]) -> tuple[Mapping[Key, Sequence[Known]], str]:
    """What was found before, by program, packs and files of that time; else why it is not known."""
    with change.before() as tree:
        folder = tree / project.root.resolve().relative_to(change.top.resolve())
        try:
            there = [name for name in names if name in find_project(folder).stacks()]
        except InvalidInput as error:
            return {}, f"before, there was no project here: {error.problems[0]}"
        if not there:
            return {}, ""
        done = _isostack(folder, "check", "--format", "json", "--fail-on", "never", *there)
        if done.returncode:
            return {}, f"the files as they were before cannot be checked: {_said(done)}"
        file = tree / ".isostack-baseline.json"
        file.write_text(done.stdout, "utf-8")
        return read_baseline(file), ""


def _specs(project: Project, change: Change, gone: Sequence[str]) -> list[str]:
    """Of stacks whose file is deleted, as far as it could be read before."""
    if not gone:
        return []
    with change.before() as tree:
        try:
            before = find_project(tree / project.root.resolve().relative_to(change.top.resolve()))
            stacks = [each for each in before.read_all() if isinstance(each, StackFile) and each.name in gone]
        except InvalidInput:  # which the difference says
            return []
        return [stack.config.get(SPEC_KEY, "") for stack in stacks]


def _with_siblings(project: Project, names: Sequence[str], specs_gone: Sequence[str]) -> list[str]:
    """And the other stacks of their specs, and of these of stacks that are gone, as far as they are sound: whether
    targets are equivalent takes all."""
    specs = [*(project.stack(name).config.get(SPEC_KEY, "") for name in names), *specs_gone]
    others = [
        each.name
        for each in project.read_all()
        if isinstance(each, StackFile) and each.name not in names and any(each.is_of(spec) for spec in specs if spec)
    ]
    return [*names, *(name for name in others if not _faults(project, [name]))]


def _diff(change: Change, names: Sequence[str]) -> tuple[str, bool, dict[str, str]]:
    """What the change does to each stack; whether the targets are known to differ; and the page of it as a file, by
    name."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "change.html")
        arguments = ("--base", change.base[:_HASH], "--format", "markdown", "--html", str(file))
        done = _isostack(Path.cwd(), "diff", *arguments, *names)
        page = {file.name: file.read_text("utf-8")} if file.is_file() else {}
    if done.returncode not in (FINE, NOT_EQUIVALENT) or not done.stdout.strip():
        return f"_What changes on each target cannot be shown:_ {_said(done)}", False, page
    return done.stdout, done.returncode == NOT_EQUIVALENT, page


def _isostack(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "isostack", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "120"}
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """Its first error: a document of one where JSON was asked for."""
    try:
        first = json.loads(done.stdout)["problems"][0]
        return str(first["what"])
    except (ValueError, KeyError, IndexError, TypeError):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"it exits with {done.returncode}"


def _annotation(problem: Problem) -> str:
    from isostack.report.github import command

    place = {"file": problem.file, "line": str(problem.line), "col": str(problem.column)} if problem.line else {}
    text = "; ".join(
        filter(None, (f"{problem.field}: {problem.what}" if problem.path else problem.what, problem.right))
    )
    return command("error", {**place, "title": "isostack validate"}, text)
