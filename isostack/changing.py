"""The command about differences: of two stacks, or what changes since a revision, or of what is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from components.problems import InvalidInput, Problem
from isostack import asking
from isostack.run import FINE, NOT_EQUIVALENT, output, print_json
from isostack.sourcenames import SOURCES

if TYPE_CHECKING:
    from isostack.review import Review
    from isostack.stacks import Project

# Commands import what they need when they run: `--help` answers at once.


class DiffFormat(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


def diff(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help=f"Two of: {SOURCES}. With --base: specs and stacks; none: all."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="Git revision: say what changes since it, and how.")
    ] = None,
    deployed: Annotated[
        str | None,
        typer.Option("--deployed", metavar="FILE", help="`pulumi stack export`: say what `up` would change of it."),
    ] = None,
    format: Annotated[
        DiffFormat,
        typer.Option("--format", help="text for people, json for programs, markdown for a comment on changes."),
    ] = DiffFormat.text,
) -> None:
    """Say whether two stacks are equivalent, and where they differ; or what changes. Exits 1 when they are not."""
    given = names or []
    asking.load_pulumi(given or [""])
    project = asking.project()
    if base is not None and deployed is not None:
        raise InvalidInput([Problem("--base and --deployed are two questions", "ask one, then the other")])
    if base is None and deployed is None:
        raise typer.Exit(_two(project, given, format))
    review = _since(project, base, given) if base is not None else _of_deployed(project, str(deployed), given)
    _print(review, format)
    raise typer.Exit(FINE if review.equivalent else NOT_EQUIVALENT)


def _two(project: Project, names: Sequence[str], format: DiffFormat) -> int:
    from isostack.sources import labels, one_source

    if len(names) != 2:
        right = "isostack diff A B; or what changes: isostack diff --base REF [NAME...]"
        raise InvalidInput([Problem(f"two are held against each other, {len(names)} are named", right)])
    if format is DiffFormat.markdown:
        raise InvalidInput([Problem("markdown is written of changes", "--base REF, --deployed FILE")])
    found = [one_source(project, name) for name in dict.fromkeys(names)]
    if len(labels(found)) == 1:
        raise InvalidInput([Problem(f"{labels(found)[0]} cannot differ from itself", "name two stacks")])
    asking.planned(found)
    previews = asking.previews(project, found)
    from isostack.parity import Verdict, parity

    result = parity(previews)
    if format is DiffFormat.json:
        print_json("diff", parity=result)
    else:
        from isostack.report import text

        with output():
            text.parity(text.console(), result)
    return NOT_EQUIVALENT if result.verdict is Verdict.NOT else FINE


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
