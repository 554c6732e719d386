"""What several commands do with the names that they are given: find the stacks, plan, preview, ask the packs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from components.problems import InvalidInput, Problem
from isostack.run import progress, warn

if TYPE_CHECKING:
    from isostack.assess.inputs import Input
    from isostack.comparison import Comparison
    from isostack.finding import Declared, Judgement
    from isostack.inputs import Planned
    from isostack.preview import Preview
    from isostack.sources import Source
    from isostack.stacks import Project

# Imports what it needs when that happens: `--help` answers at once.


def project() -> Project:
    """The project around the current directory; outside of any, the checkout that this program belongs to."""
    from isostack.stacks import find_project

    return find_project(Path.cwd(), otherwise=Path(__file__).parents[1])


def inputs(file: Path) -> dict[str, Input]:
    """All inputs of an assessment, those of the file as it says them. Raises InvalidInput."""
    from isostack.assess.questions import inputs as known
    from isostack.given import given

    return given(file, known())


def load_pulumi(names: Sequence[str]) -> None:
    """First of all, where a stack may be among the names: Pulumi loads while the rest of this command does."""
    from isostack.preview import start_server

    if not all(name == "-" or name.endswith(".json") for name in names):
        start_server()


def planned(sources: Sequence[Source]) -> list[Planned]:
    """What cannot be planned is told before anything is previewed."""
    from isostack.inputs import plan_all, warnings
    from isostack.sources import stacks_in

    found = plan_all(stacks_in(sources))
    warn(warnings(found))
    return found


def previews(project: Project, sources: Sequence[Source]) -> list[Preview]:
    """One for each source, in their order."""
    from isostack.preview import preview as run
    from isostack.sources import alarms, stacks_in
    from isostack.stacks import StackFile

    stacks = stacks_in(sources)
    with progress(f"previewing {', '.join(stack.name for stack in stacks)}"):
        made = iter(run(project.root, stacks) if stacks else ())
    warn(alarms(sources))
    return [next(made) if isinstance(source, StackFile) else source for source in sources]


@dataclass(frozen=True, slots=True)
class Answer:
    """Previews, and what the policy packs say of each."""

    previews: list[Preview]
    rules: tuple[Declared, ...]
    judged: dict[str, Judgement]
    """By the preview's label."""

    @property
    def blocks(self) -> bool:
        return any(finding.blocks for each in self.judged.values() for finding in each.findings)


def asked(
    project: Project, sources: Sequence[Source], folders: Sequence[Path], deployed: Sequence[Preview] = ()
) -> Answer:
    """What cannot be planned is told first; packs start while previews are made. `deployed`: what is there now of some
    of the stacks."""
    from isostack.check import Packs
    from isostack.places import located

    found = planned(sources)
    with Packs.start(folders) as running:
        made = [_over(preview, deployed) for preview in previews(project, sources)]
        with progress("asking the policy packs"):
            judged = {preview.label: running.check(preview) for preview in made}
            return Answer(made, running.rules, located(judged, found, made))


def compared(project: Project, sources: Sequence[Source]) -> tuple[Comparison, Answer]:
    """The comparison of the stacks, and what it is made of. Every policy pack of the project is asked."""
    from isostack.comparison import compare

    answer = asked(project, sources, packs(project))
    return compare(answer.previews, answer.rules, answer.judged), answer


def _over(preview: Preview, deployed: Sequence[Preview]) -> Preview:
    """The preview as what would be done to what is there."""
    found = [each for each in deployed if (each.project, each.stack) == (preview.project, preview.stack)]
    return replace(preview, before=found[-1]) if found else preview


def all_stacks(project: Project) -> Sequence[str]:
    from isostack.stacks import shown

    if names := project.stacks():
        return names
    right = "isostack new NAME --target KIND writes a spec and its stack files"
    raise InvalidInput(
        [Problem("no stack file, Pulumi.NAME.yaml, is in it", right, file=str(shown(project.stack_dir)))]
    )


def packs(project: Project) -> list[Path]:
    """Every folder of policies/: one that is no pack is a fault, since a policy that is not asked blocks nothing."""
    from isostack.stacks import shown

    root = project.root / "policies"
    folders = (
        [path for path in sorted(root.iterdir()) if path.is_dir() and path.name[0] not in "._"] if root.exists() else []
    )
    faults = [
        Problem(f"a policy pack has a file {name}", "write it, or take the folder away", file=str(shown(folder)))
        for folder in folders
        for name in ("PulumiPolicy.yaml", "__main__.py")
        if not any(path.name == name for path in folder.iterdir())
    ]
    if faults:
        raise InvalidInput(faults)
    return folders
