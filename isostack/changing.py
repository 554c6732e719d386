"""The command about differences: of stacks side by side, or what changes since a revision, or of what is deployed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.problems import InvalidInput, Problem
from isostack import asking
from isostack.htmlfile import HtmlOption, check_html, write_html
from isostack.part import Part
from isostack.run import FINE, NOT_EQUIVALENT, output, print_json
from isostack.sourcenames import SOURCES

if TYPE_CHECKING:
    from isostack.review import Review
    from isostack.sidebyside import SideBySide
    from isostack.stacks import Project

# Commands import what they need when they run: `--help` answers at once.


class DiffFormat(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


def diff(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help=f"Two or more: {SOURCES}. With --base: specs, stacks; none: all."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="Git revision: say what changes since it, and how.")
    ] = None,
    deployed: Annotated[
        str | None,
        typer.Option("--deployed", metavar="FILE", help="`pulumi stack export`: say what `up` would change of it."),
    ] = None,
    only: Annotated[Part | None, typer.Option("--only", help="Of stacks side by side: show this part alone.")] = None,
    unchanged: Annotated[
        bool, typer.Option("--unchanged", help="Of stacks side by side: show also what is equal, and each machine.")
    ] = False,
    html: HtmlOption = None,
    format: Annotated[
        DiffFormat,
        typer.Option("--format", help="text for people, json for programs, markdown for a comment."),
    ] = DiffFormat.text,
) -> None:
    """Hold stacks against each other, side by side; or say what changes. Exits 1 when they are not equivalent."""
    check_html(html)
    given = names or []
    asking.load_pulumi(given or [""])
    project = asking.project()
    if base is not None and deployed is not None:
        raise InvalidInput([Problem("--base and --deployed are two questions", "ask one, then the other")])
    if base is None and deployed is None:
        raise typer.Exit(_sides(project, given, View(only, unchanged, format, html)))
    if only or unchanged:
        raise InvalidInput([Problem("--only and --unchanged are of stacks side by side", "isostack diff A B")])
    review = _since(project, base, given) if base is not None else _of_deployed(project, str(deployed), given)
    if html:
        from isostack.report.html.changes import page

        write_html(html, page(review))
    _print(review, format)
    raise typer.Exit(FINE if review.equivalent else NOT_EQUIVALENT)


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of stacks side by side, and how."""

    only: Part | None
    unchanged: bool
    format: DiffFormat
    html: Path | None
    """A file that gets the page of their comparison."""


def _sides(project: Project, names: Sequence[str], view: View) -> int:
    from isostack.sources import label, one_source

    if len(names) < 2:
        right = "isostack diff A B; or what changes: isostack diff --base REF [NAME...]"
        what = f"two or more are held against each other, {'one is' if names else 'none is'} named"
        raise InvalidInput([Problem(what, right)])
    found = [one_source(project, name) for name in names]
    counted = Counter(map(label, found))
    if again := [name for name, times in counted.items() if times > 1]:
        raise InvalidInput([Problem(f"{name} cannot differ from itself", "name two stacks") for name in again])
    if view.html:
        from isostack.report.html import page

        compared, answer = asking.compared(project, found)
        previews = answer.previews
        write_html(view.html, page(compared, previews))
    else:
        asking.planned(found)
        previews = asking.previews(project, found)
    from isostack.parity import Verdict
    from isostack.sidebyside import side_by_side

    result = side_by_side(previews)
    _print_sides(result, view)
    return NOT_EQUIVALENT if result.parity.verdict is Verdict.NOT else FINE


def _print_sides(result: SideBySide, view: View) -> None:
    if view.format is DiffFormat.json:
        print_json("diff", **result.only(view.only))
        return
    from isostack.report import console, sidemarkdown, sidetext

    with output():
        if view.format is DiffFormat.markdown:
            typer.echo(sidemarkdown.comment(result, view.only, unchanged=view.unchanged), nl=False)
        else:
            sidetext.side_by_side(console.console(), result, view.only, unchanged=view.unchanged)


def _since(project: Project, ref: str, names: Sequence[str]) -> Review:
    from isostack.base import revision, stacks_named, user_data
    from isostack.review import review, with_texts
    from isostack.sources import sources
    from isostack.stacks import SPEC_KEY, stem

    with revision(project, ref) as base:
        old, new = base.stacks(names), stacks_named(project, names)
        for name in names:
            if not any(stacks_named(each, [name]) for each in (project, base.project)):
                sources(project, [name])  # says what may have been meant
                raise InvalidInput([Problem(f"{name} is no stack and no spec", "--base takes those, or none for all")])
        asking.planned(new)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(base.previews, old)
            now = asking.previews(project, new)
            before = asked.result()
        specs = {stack.name: stem(stack.config.get(SPEC_KEY, "")) for stack in (*old, *new)}
        result = review(before, now, specs, ref)
        if wanted := result.machines_to_render():
            with ThreadPoolExecutor(2) as pool:
                result = with_texts(result, *pool.map(user_data, (base.root, project.root), (wanted, wanted)))
        return result


def _of_deployed(project: Project, file: str, names: Sequence[str]) -> Review:
    from isostack.review import review
    from isostack.saved import read_saved
    from isostack.stacks import SPEC_KEY, stem

    if len(names) != 1:
        raise InvalidInput([Problem("--deployed is of one stack", f"isostack diff --deployed {file} STACK")])
    stack = project.stack(names[0])
    before = read_saved(file)
    if before.stack != stack.name:
        raise InvalidInput([Problem(f"it is of the stack {before.stack}", f"one is wanted of {stack.name}", file=file)])
    asking.planned([stack])
    now = asking.previews(project, [stack])
    return review([before], now, {stack.name: stem(stack.config.get(SPEC_KEY, ""))}, before.origin)


def _print(review: Review, format: DiffFormat) -> None:
    if format is DiffFormat.json:
        print_json("diff", **review.parts())
        return
    if format is DiffFormat.markdown:
        from isostack.report import changes

        with output():
            typer.echo(changes.comment(review), nl=False)
        return
    from isostack.report import changetext, console

    with output():
        changetext.changes(console.console(), review)
