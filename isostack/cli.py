"""The command line: names in, results out. Each command is a few lines over the functions that do the work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.problems import InvalidInput, Problem, listed
from isostack import asking, assessing, changing, checking, exporting, pulling
from isostack.htmlfile import HtmlOption, check_html, write_html
from isostack.run import (
    BAD_INPUT,
    FINE,
    NOT_EQUIVALENT,
    Command,
    Format,
    complain,
    output,
    print_json,
    warn,
)
from isostack.sourcenames import SOURCES

if TYPE_CHECKING:
    from isostack.inputs import Faults, Planned
    from isostack.stacks import Project

# Commands import what they need when they run: `--help` answers at once.

FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]
SourceArgument = Annotated[str, typer.Argument(help=f"One of: {SOURCES}.")]
StackArgument = Annotated[str, typer.Argument(help="Stack: its name, or its file stacks/Pulumi.NAME.yaml.")]

app = typer.Typer(
    name="isostack",
    help="One spec, equivalent Kubernetes on vSphere VMs or on bare metal, and what each choice costs.\n\n"
    "Reads the Pulumi project around the current directory; outside of any, the one of its own checkout.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.command(cls=Command)(assessing.assess)
app.command(cls=Command)(checking.check)
app.command(cls=Command)(checking.explain)
app.command(cls=Command)(changing.diff)
app.command("pull-request", cls=Command)(pulling.pull_request)
app.command(cls=Command)(pulling.comment)
export = typer.Typer(name="export", help="Write a stack for other tools.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(export)
export.command("operator", cls=Command)(exporting.operator)


@app.command(cls=Command)
def compare(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help=f"A spec: all its stacks. Several: {SOURCES}.")],
    format: FormatOption = Format.text,
    html: HtmlOption = None,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", metavar="FILE", help="With --html: your own numbers and prices, as for assess."),
    ] = None,
) -> None:
    """Compare all stacks of a spec: machines, equivalence, policies, resources. Exits 1 if they are not equivalent."""
    check_html(html)
    if inputs and not html:
        right = "add --html FILE; isostack assess SPEC --inputs FILE answers in the terminal"
        raise InvalidInput([Problem("--inputs is for the chapter of the HTML report, and there is no --html", right)])
    known = asking.inputs(inputs) if inputs else None
    asking.load_pulumi(names)
    from isostack.inputs import stacks_of
    from isostack.sources import is_saved, sources

    project = asking.project()
    alone = len(names) == 1 and not is_saved(project, names[0])
    found, strays = stacks_of(project, names[0]) if alone else sources(project, names)
    warn(strays)
    result, answer = asking.compared(project, found)
    from isostack.parity import Verdict

    if html:
        from isostack.report.html import page

        write_html(html, page(result, answer.previews, known))
    if format is Format.json:
        print_json("compare", comparison=result)
    else:
        from isostack.report import text

        with output():
            text.comparison(text.console(), result)
    raise typer.Exit(NOT_EQUIVALENT if result.parity.verdict is Verdict.NOT or answer.blocks else FINE)


@app.command(cls=Command)
def preview(stack: SourceArgument, format: FormatOption = Format.text) -> None:
    """Show every resource that `pulumi up` would create for a stack. No Pulumi CLI, no login, no credentials."""
    asking.load_pulumi([stack])
    from isostack.sources import one_source

    project = asking.project()
    found = [one_source(project, stack)]
    asking.planned(found)
    (result,) = asking.previews(project, found)
    if format is Format.json:
        print_json("preview", preview=result.to_json())
    else:
        from isostack.report import text

        with output():
            text.preview(text.console(), result)


@app.command(cls=Command)
def plan(
    stack: StackArgument,
    pin: Annotated[bool, typer.Option("--pin", help="Write each machine's host into the stack file.")] = False,
    format: FormatOption = Format.text,
) -> None:
    """Show the machines of a stack, why so many, and how each wish of the spec comes true."""
    from isostack.inputs import read

    project = asking.project()
    file = project.stack(stack)
    result = read(file).plan()
    if pin:
        from isostack.pin import write_pins

        typer.echo(write_pins(file.path, result), err=True)
        file = project.stack(stack)
        result = read(file).plan()
    from components.bootstrap.budget import budget

    data = budget(result)
    if format is Format.json:
        print_json("plan", stack=file.name, plan=result, user_data=data)
    else:
        from isostack.report import text

        with output():
            text.plan(text.console(), file.name, result, data)


@app.command(cls=Command)
def validate(
    names: Annotated[
        list[str] | None, typer.Argument(help="Stacks or specs; none: every stack of the project.")
    ] = None,
    format: FormatOption = Format.text,
) -> None:
    """Check specs and stack files, and whether each target can carry its spec. Reports every fault at once."""
    from isostack.inputs import Faults, warnings

    project = asking.project()
    faults = Faults()
    checked: dict[str, str] = {}
    planned: list[Planned] = []
    for name in names or asking.all_stacks(project):
        found = Faults()
        planned += filter(None, [_check(project, name, found)])
        checked[name] = "faulty" if found.problems else "ok"
        faults.merge(found)
    told = warnings(planned)
    if format is Format.json:
        print_json("validate", checked=checked, problems=faults.problems, warnings=told)
    else:
        with output():
            for name, state in checked.items():
                typer.echo(f"{name}: {state}")
        warn(told)
        complain(faults.problems)
    raise typer.Exit(BAD_INPUT if faults.problems else FINE)


@export.command("ansible", cls=Command)
def export_ansible(stack: SourceArgument) -> None:
    """Write the machines of a stack as an Ansible inventory, with groups, addresses and facts."""
    import yaml

    from isostack.export import inventory, without_address
    from isostack.sources import one_source

    project = asking.project()
    found = [one_source(project, stack)]
    asking.planned(found)
    (result,) = asking.previews(project, found)
    if missing := without_address(result):
        what = f"the address of {listed(missing)} is known once it is there"
        warn([Problem(what, f"pulumi stack export --stack {result.stack} | isostack export ansible -")])
    with output():
        typer.echo(yaml.safe_dump(inventory(result), sort_keys=False, allow_unicode=True), nl=False)


@app.command(cls=Command)
def schema(
    of: Annotated[str, typer.Argument(help="spec, the kind of a target, or diff: what that writes as JSON.")] = "spec",
    format: FormatOption = Format.text,
) -> None:
    """Show the fields of a spec, a target config or a JSON document; with --format json its JSON Schema."""
    from isostack.reference import json_schema, reference

    with output():
        typer.echo(json.dumps(json_schema(of), indent=2) if format is Format.json else reference(of))


@app.command(cls=Command)
def new(
    name: Annotated[str, typer.Argument(help="Name of the cluster; that of a spec which is there adds targets to it.")],
    target: Annotated[list[str], typer.Option("--target", help="Kind of a target; give it once for each.")],
) -> None:
    """Write a commented spec and one stack file for each target, ready to edit and valid as they are."""
    from isostack.scaffold import scaffold
    from isostack.stacks import shown

    made = scaffold(asking.project().stack_dir, name, target)
    with output():
        for path in made.kept:
            typer.echo(f"kept {shown(path)}")
        for path in made.written:
            typer.echo(f"wrote {shown(path)}")
        if made.kept:
            typer.echo(f"next: edit them until they fit what was kept: isostack validate {' '.join(made.stacks)}")
        else:
            typer.echo(f"next: edit them, then: isostack compare {name}")


def _check(project: Project, name: str, faults: Faults) -> Planned | None:
    """Check a stack, or a spec by itself; what is wrong goes to `faults`."""
    from components.load import SUFFIXES, load_spec, spec_path
    from isostack.inputs import impossible
    from isostack.inputs import plan as plan_stack
    from isostack.stacks import shown

    try:
        is_file = name.endswith(SUFFIXES)
        path = Path(name) if is_file else spec_path(project.stack_dir, name)
        if not path.name.startswith("Pulumi.") and (is_file or (name not in project.stacks() and path.is_file())):
            load_spec(shown(path))
            return None
        planned = plan_stack(project.stack(name), faults)
    except InvalidInput as error:
        faults.add(error.problems)
        return None
    if planned:
        faults.add(impossible(planned), planned.stack.name)
    return planned
