"""docs/answer.md, which answers for the example specs whether they should run on VMs: `python -m isostack.answerdoc`,
in the folder of the project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isostack.assess.questions import inputs
from isostack.assessment import assess, planned_cases
from isostack.given import given
from isostack.inputs import plan_all, stacks_of
from isostack.report.assessment import markdown, snapshots
from isostack.stacks import find_project

MADE = "<!-- Made by scripts/generate: isostack assess of the example specs. Do not edit. -->"
SPECS = ("shop", "edge")
PRICES = Path("docs/prices.yaml")


def page() -> str:
    return "\n".join(_page()).rstrip()


def _page() -> Iterator[str]:
    project, known = find_project(Path.cwd()), given(PRICES, inputs())
    yield from (MADE, "", "# Should Kubernetes run on VMs?", "")
    yield (
        "It depends, and here is on what, for the two example specs. Each page is what `isostack assess SPEC --inputs "
        "docs/prices.yaml --format markdown` prints, but for what snapshots bring back, which is the same for any spec "
        "and stands at the end; the prices are examples. For your own cluster: write its spec, put your prices into a "
        "file, and run the same."
    )
    yield ""
    yield (
        "Nothing is added up over the questions, since nobody but you knows what a second of outage is worth against a "
        "host. A number without a range comes from the spec and the target's config alone; a range spans nine tenths "
        "of what comes of the inputs' ranges. `isostack explain recovery.volume` traces a number to its function, its "
        "inputs and their sources; `isostack explain recovery.boot` does so for an input."
    )
    for spec in SPECS:
        yield from ("", f"## {spec}", "")
        yield markdown(assess(planned_cases(plan_all(stacks_of(project, spec)[0])), known)).removeprefix("#").rstrip()
    yield from ("", "## Snapshots", "", snapshots().rstrip())


if __name__ == "__main__":
    print(page())
