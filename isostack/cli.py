"""The command line: names in, results out. Each command is a few lines over the functions that do the work."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from components.problems import InvalidInput, Problem

if TYPE_CHECKING:
    from isostack.preview import Preview
    from isostack.stacks import Project, StackFile

# Commands import what they need when they run: `--help` answers at once.

FINE, NOT_EQUIVALENT, BAD_INPUT = 0, 1, 2


class Format(StrEnum):
    text = "text"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]
StackArgument = Annotated[str, typer.Argument(help="Stack: its name, or its file stacks/Pulumi.NAME.yaml.")]

app = typer.Typer(
    name="isostack",
    help="One spec, equivalent Kubernetes on vSphere VMs or on bare metal, and what each choice costs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def compare(
    spec: Annotated[str, typer.Argument(help="Spec: its name, or its file stacks/NAME.yaml.")],
    format: FormatOption = Format.text,
) -> None:
    """Compare all stacks of a spec: machines, equivalence, policies, resources. Exits 1 if they are not equivalent."""
    from isostack.check import Packs
    from isostack.comparison import compare as compare_previews
    from isostack.parity import Verdict
    from isostack.preview import start_server

    project = _project()
    stacks = _stacks_of(project, spec)
    start_server()  # it loads Pulumi while the packs start
    with Packs.start(_packs(project)) as packs:
        previews = _previews(project, stacks)
        with _progress("asking the policy packs"):
            findings = {preview.stack: packs.check(preview) for preview in previews}
            result = compare_previews(previews, packs.rules, findings)
    if format is Format.json:
        _print_json("compare", comparison=result)
    else:
        from isostack.report import text

        text.comparison(text.console(), result)
    blocked = any(f.level == "mandatory" for found in findings.values() for f in found)
    raise typer.Exit(NOT_EQUIVALENT if result.parity.verdict is Verdict.NOT or blocked else FINE)


@app.command()
def diff(
    a: StackArgument,
    b: StackArgument,
    format: FormatOption = Format.text,
) -> None:
    """Say whether two stacks of one spec are equivalent, and where they differ. Exits 1 when they are not."""
    from isostack.parity import Verdict, parity

    project = _project()
    result = parity(_previews(project, [project.stack(a), project.stack(b)]))
    if format is Format.json:
        _print_json("diff", parity=result)
    else:
        from isostack.report import text

        text.parity(text.console(), result)
    raise typer.Exit(NOT_EQUIVALENT if result.verdict is Verdict.NOT else FINE)


@app.command()
def preview(stack: StackArgument, format: FormatOption = Format.text) -> None:
    """Show every resource that `pulumi up` would create for a stack. No Pulumi CLI, no login, no credentials."""
    project = _project()
    (result,) = _previews(project, [project.stack(stack)])
    if format is Format.json:
        _print_json("preview", preview=result.to_json())
    else:
        from isostack.report import text

        text.preview(text.console(), result)


@app.command()
def plan(
    stack: StackArgument,
    pin: Annotated[bool, typer.Option("--pin", help="Write each machine's host into the stack file.")] = False,
    format: FormatOption = Format.text,
) -> None:
    """Show the machines of a stack, why so many, and how each wish of the spec comes true."""
    project = _project()
    file = project.stack(stack)
    result = _inputs(file).plan()
    if pin:
        from isostack.pin import write_pins

        typer.echo(write_pins(file.path, result), err=True)
        result = _inputs(project.stack(stack)).plan()
    if format is Format.json:
        _print_json("plan", stack=file.name, plan=result)
    else:
        from isostack.report import text

        text.plan(text.console(), file.name, result)


@app.command()
def validate(
    names: Annotated[
        list[str] | None, typer.Argument(help="Stacks or specs; none: every stack of the project.")
    ] = None,
    format: FormatOption = Format.text,
) -> None:
    """Check specs and stack files, and whether each target can carry its spec. Reports every fault at once."""
    project = _project()
    faults: dict[Problem, None] = {}
    checked: dict[str, str] = {}
    for name, check in _checks(project, names or project.stacks()):
        try:
            check()
            checked[name] = "ok"
        except InvalidInput as error:
            faults.update(dict.fromkeys(error.problems))
            checked[name] = "faulty"
    if format is Format.json:
        _print_json("validate", checked=checked, problems=tuple(faults))
    else:
        from isostack.report import text

        for name, state in checked.items():
            typer.echo(f"{name}: {state}")
        text.problems(text.console(stderr=True), tuple(faults))
    raise typer.Exit(BAD_INPUT if faults else FINE)


@app.command()
def schema(
    of: Annotated[str, typer.Argument(help="spec, or the kind of a target.")] = "spec",
    format: FormatOption = Format.text,
) -> None:
    """Show the fields of a spec or of a target config; with --format json the JSON Schema for an editor."""
    from isostack.reference import json_schema, reference

    typer.echo(json.dumps(json_schema(of), indent=2) if format is Format.json else reference(of))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the cluster.")],
    target: Annotated[list[str], typer.Option("--target", help="Kind of a target; give it once for each.")],
) -> None:
    """Write a commented spec and one stack file for each target, ready to edit and valid as they are."""
    from isostack.scaffold import scaffold
    from isostack.stacks import shown

    for path in scaffold(_project().stack_dir, name, target):
        typer.echo(f"wrote {shown(path)}")
    typer.echo(f"next: edit them, then: isostack compare {name}")


def main() -> NoReturn:
    """Run the command line; bad input is told without a traceback and exits with 2."""
    try:
        app(prog_name="isostack")
    except InvalidInput as error:
        _report(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        sys.stderr.close()
        sys.exit(FINE)
    except Exception as error:
        from isostack.check import PackFailed
        from isostack.preview import PreviewFailed, PreviewsFailed

        if not isinstance(error, PackFailed | PreviewFailed | PreviewsFailed):
            raise
        typer.echo(f"error: {error}", err=True)
    sys.exit(BAD_INPUT)


def _report(error: InvalidInput) -> None:
    if ("json" in sys.argv and "--format" in sys.argv) or "--format=json" in sys.argv:
        _print_json("error", problems=error.problems)
        return
    from isostack.report import text

    text.problems(text.console(stderr=True), error.problems)


def _project() -> Project:
    from isostack.stacks import find_project

    return find_project(Path.cwd())


def _stacks_of(project: Project, spec: str) -> Sequence[StackFile]:
    from components.wording import did_you_mean

    stacks = project.stacks_of_spec(spec)
    if not stacks:
        specs = sorted({Path(project.stack(s).config.get("isostack:spec", s)).stem for s in project.stacks()})
        near = did_you_mean(Path(spec).stem, specs)
        right = f"did you mean {near!r}?" if near else f"specs with stacks: {', '.join(specs) or 'none'}"
        raise InvalidInput([Problem(f"no stack has the spec {spec!r}", right)])
    return stacks


def _inputs(stack: StackFile) -> Any:
    from components.load import load

    target, spec = stack.config.get("isostack:target"), stack.config.get("isostack:spec")
    missing = [key for key, value in (("isostack:spec", spec), ("isostack:target", target)) if value is None]
    if missing or spec is None or target is None:
        what = f"missing: {', '.join(missing)}"
        raise InvalidInput([Problem(what, "a stack names its spec and its target", ("config",), str(stack.path))])
    try:
        value = json.loads(target)
    except ValueError:
        value = target
    return load(stack.path.parent, spec, value, stack.path)


def _checks(project: Project, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """What to call for each name: a stack's plan, or a spec by itself."""
    from components.load import load_spec, spec_path

    for name in names:
        path = Path(name) if name.endswith((".yaml", ".yml")) else spec_path(project.stack_dir, name)
        if name in project.stacks() or path.name.startswith("Pulumi."):
            yield name, lambda name=name: _inputs(project.stack(name)).plan()
        elif path.exists():
            yield name, lambda path=path: load_spec(path)
        else:
            yield name, lambda name=name: project.stack(name)


def _previews(project: Project, stacks: Sequence[StackFile]) -> list[Preview]:
    from isostack.preview import preview as run

    with _progress(f"previewing {', '.join(stack.name for stack in stacks)}"):
        return run(project.root, stacks)


def _packs(project: Project) -> list[Path]:
    return sorted(path.parent for path in (project.root / "policies").glob("*/PulumiPolicy.yaml"))


@contextmanager
def _progress(what: str) -> Iterator[None]:
    """A spinner on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def _print_json(command: str, **parts: Any) -> None:
    from isostack.report.document import document

    typer.echo(json.dumps(document(command, **parts), indent=2))
