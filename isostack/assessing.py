"""The command that answers the question: what this cluster would be like on VMs and on metal, in numbers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isostack import asking
from isostack.run import output, print_json, warn

# Commands import what they need when they run: `--help` answers at once.


class AssessFormat(StrEnum):
    text = "text"
    json = "json"
    markdown = "markdown"


def assess(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A spec: all its stacks are asked about.")],
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", metavar="FILE", help="YAML with your own numbers and prices, by the ids of inputs."),
    ] = None,
    usage: Annotated[
        str | None,
        typer.Option(
            "--usage",
            metavar="FILE",
            help="CPU that workloads used: of kubectl top pods, a Prometheus range query in JSON, or CSV; - reads it.",
        ),
    ] = None,
    format: Annotated[
        AssessFormat, typer.Option("--format", help="text for people, markdown for a page, json for programs.")
    ] = AssessFormat.text,
) -> None:
    """Answer in numbers whether a cluster should run on VMs: what is better on which target, and what would flip it."""
    from isostack.assess.questions import inputs as all_inputs
    from isostack.assessment import assess as assess_cases
    from isostack.assessment import planned_cases
    from isostack.inputs import plan_all, stacks_of, warnings

    known = asking.inputs(inputs) if inputs else all_inputs()
    project = asking.project()
    stacks, strays = stacks_of(project, spec)
    warn(strays)
    planned = plan_all(stacks)
    warn(warnings(planned))
    if usage:
        from isostack.assess.usage import read_usage
        from isostack.measured import measured

        said = measured(read_usage(usage), planned[0].plan.spec)
        warn(said.notes)
        known = {**known, **said.inputs}
    result = assess_cases(planned_cases(planned), known)
    if format is AssessFormat.json:
        print_json("assess", assessment=result)
        return
    from isostack.report import assessment, console

    with output():
        if format is AssessFormat.markdown:
            typer.echo(f"{assessment.markdown(result)}\n{assessment.snapshots()}", nl=False)
        else:
            assessment.text(console.console(), result)
