"""The commands that write stacks for other tools, where one takes more than a few lines."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Annotated, Final

import typer

from components.problems import InvalidInput, Problem
from isostack import asking
from isostack.run import output, warn

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def operator(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Stacks, or specs: all their stacks.")],
    repo: Annotated[
        str, typer.Option("--repo", metavar="URL", help="Git repository of this project, as the operator reaches it.")
    ],
    branch: Annotated[str, typer.Option("--branch", help="What of it is deployed.")] = "main",
    namespace: Annotated[str, typer.Option("--namespace", help="Of the objects.")] = "isostack",
    backend: Annotated[
        str, typer.Option("--backend", metavar="URL", help="Where states are kept; none: Pulumi Cloud.")
    ] = "",
    org: Annotated[str, typer.Option("--org", help="Organisation of the stacks in Pulumi Cloud.")] = "",
    git_secret: Annotated[
        str, typer.Option("--git-secret", metavar="NAME", help="Secret with `accessToken`, for a private repository.")
    ] = "",
    image: Annotated[str, typer.Option("--image", help="What Pulumi runs in; none: that of a fixed version.")] = "",
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME", help="A further variable that the stacks' Secrets hold; once for each."),
    ] = None,
) -> None:
    """Write stacks as objects of the Pulumi Kubernetes Operator. No secret is in them: they name Secrets to make."""
    import yaml

    from isostack import operator as objects
    from isostack.sources import sources, stacks_in

    project = asking.project()
    faults = [
        Problem(f"no name of an environment variable: {name!r}", "--env AWS_ACCESS_KEY_ID, without a value")
        for name in env or ()
        if not _VARIABLE.fullmatch(name)
    ]
    if "@" in repo and re.match(r"https?://[^/]*@", repo):
        faults.append(Problem("credentials in --repo would stand in the objects", "--git-secret NAME"))
    if faults:
        raise InvalidInput(faults)
    found, strays = sources(project, names)
    warn(strays)
    if len(stacks_in(found)) < len(found):
        raise InvalidInput([Problem("a file with a preview or a state is no stack", "name stacks or specs")])
    planned = asking.planned(found)
    where = objects.Where(
        repo=repo,
        branch=branch,
        namespace=namespace,
        directory=_directory(project.root),
        backend=backend,
        organisation=org,
        git_secret=git_secret,
        image=image or objects.IMAGE,
        environment=tuple(env or ()),
    )
    written = objects.objects(planned, where)
    warn(problem for each in planned for problem in objects.missing(each))
    with output():
        typer.echo(f"# For the Pulumi Kubernetes Operator {objects.OPERATOR}, CRD stacks.pulumi.com/v1.")
        typer.echo(f"# Secrets in the namespace {namespace}, to be made first:")
        for each in planned:
            keys = ", ".join(objects.wanted(each, where)) or "nothing"
            typer.echo(f"#   {objects.secret_of(each.stack.name)}: {keys}")
        if git_secret:
            typer.echo(f"#   {git_secret}: accessToken")
        typer.echo(yaml.safe_dump_all(written, sort_keys=False, allow_unicode=True, explicit_start=True), nl=False)


def _directory(root: Path) -> str:
    """Of the project in its git repository; empty where it is the root of it, or in none."""
    command = ["git", "-c", "safe.directory=*", "rev-parse", "--show-prefix"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
