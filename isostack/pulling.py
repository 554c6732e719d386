"""The commands for CI systems: look at a pull request, and tell it there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from components.problems import InvalidInput, Problem
from isostack import asking
from isostack.checking import FailOn
from isostack.run import BAD_INPUT, FINE, NOT_EQUIVALENT, output

if TYPE_CHECKING:
    from isostack.ci.comment import Place

# Commands import what they need when they run: `--help` answers at once.

QUIET: Final = "<!-- no stack is touched -->"
"""Second line of a comment that is written only where an earlier one must no longer stand."""


def pull_request(
    base: Annotated[
        str, typer.Option("--base", metavar="REF", help="Revision to compare with; none: that of the CI job.")
    ] = "",
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Least level of a new finding that makes it exit 1.")
    ] = FailOn.mandatory,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Write comment.md, report.md, change.html, check.json, check.sarif, check.xml into it.",
        ),
    ] = None,
) -> None:
    """Say what a change means for the stacks that it touches: faults, the change on each target, new findings.

    Runs in GitHub Actions, in GitLab CI and in any clone.
    """
    from isostack.ci.pullrequest import look

    environment = os.environ
    head = [f"<!-- isostack pull-request: {asking.project().name} -->"]
    seen = look(base or _base(environment), fail_on, len(head[0]) + len(QUIET) + 2)
    head += [] if seen.stacks else [QUIET]
    if out:
        out.mkdir(parents=True, exist_ok=True)
        files = {"comment.md": "\n".join([*head, seen.comment]), "report.md": seen.whole, **seen.files}
        for name, text in files.items():
            (out / name).write_text(text, "utf-8")
    if summary := environment.get("GITHUB_STEP_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write(f"{seen.whole}\n")
    with output():
        # What a step prints in GitHub Actions may be a command to it, whoever has written it.
        typer.echo(seen.annotations if environment.get("GITHUB_ACTIONS") == "true" else seen.whole)
    raise typer.Exit(BAD_INPUT if seen.faulty else NOT_EQUIVALENT if seen.fails else FINE)


def comment(
    file: Annotated[Path, typer.Argument(help="comment.md of `isostack pull-request`.")],
    author: Annotated[
        str, typer.Option("--author", help="GitHub: whose the token is, where it is not the job's own.")
    ] = "github-actions[bot]",
) -> None:
    """Write a pull request's comment, or write it anew. This alone needs a token, and runs nothing of the project."""
    from isostack.ci import comment as comments

    marker, _, body = file.read_text("utf-8").partition("\n")
    if not marker.startswith("<!-- isostack "):
        raise InvalidInput([Problem("not a comment of ours", "isostack pull-request --out FOLDER", file=str(file))])
    place = _place(os.environ, author)
    if body.startswith(f"{QUIET}\n") and not comments.there(place, marker):
        done = "not needed"
    else:
        done = comments.post(place, marker, body)
    with output():
        typer.echo(f"comment {done}")


def _base(environment: Mapping[str, str]) -> str:
    found = environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or _event(environment).get("base", {}).get("sha")
    if not found:
        raise InvalidInput([Problem("this job is of no pull request, so it has no base", "--base REF")])
    return str(found)


def _event(environment: Mapping[str, str]) -> dict[str, Any]:
    """The pull request that a GitHub workflow runs for."""
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text("utf-8"))
    except (KeyError, OSError, ValueError):
        return {}
    found = event.get("pull_request") if isinstance(event, dict) else None
    return found if isinstance(found, dict) else {}


def _place(environment: Mapping[str, str], author: str) -> Place:
    from isostack.ci import comment as comments

    def need(name: str, right: str = "run it in a job of a pull request") -> str:
        if value := environment.get(name, "").strip():
            return value
        raise InvalidInput([Problem(f"no comment was written: {name} is not set", right)])

    if environment.get("GITHUB_ACTIONS") == "true":
        number = str(_event(environment).get("number") or "")
        if not number:
            raise InvalidInput([Problem("no comment was written: the event is no pull request's", "on: pull_request")])
        token = need("GITHUB_TOKEN", "env: {GITHUB_TOKEN: ${{ github.token }}}")
        return comments.github(need("GITHUB_API_URL"), need("GITHUB_REPOSITORY"), number, token, author)
    if environment.get("GITLAB_CI") == "true":
        right = "a masked variable with a project access token, scope api; docs/ci.md"
        token, number = need("ISOSTACK_GITLAB_TOKEN", right), need("CI_MERGE_REQUEST_IID")
        return comments.gitlab(need("CI_API_V4_URL"), need("CI_PROJECT_ID"), number, token)
    raise InvalidInput([Problem("no comment was written: this is no job of GitHub or GitLab", "post the file by hand")])
