"""What a command is asked about, by name: stacks of the project, all stacks of a spec, and previews or exports that
others wrote into files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from components.load import SUFFIXES, is_there
from components.problems import InvalidInput, Problem
from isostack.inputs import stacks_of
from isostack.preview import Preview
from isostack.saved import STDIN, read_saved
from isostack.stacks import Project, StackFile

Source = StackFile | Preview
"""A stack that is still to be previewed, or what stands in a file."""


def sources(project: Project, names: Sequence[str]) -> tuple[list[Source], tuple[Problem, ...]]:
    """What stands behind the names, each once, and what is wrong with files that seem to be none of it.

    Raises InvalidInput with what is wrong with any of them.
    """
    found: dict[str, Source] = {}
    warnings: dict[Problem, None] = {}
    faults: dict[Problem, None] = {}
    for name in names:
        try:
            behind, strays = _behind(project, name)
        except InvalidInput as error:
            faults.update(dict.fromkeys(error.problems))
            continue
        warnings.update(dict.fromkeys(strays))
        for source in behind:
            found.setdefault(label(source), source)
    if faults:
        raise InvalidInput(faults)
    return list(found.values()), tuple(warnings)


def one_source(project: Project, name: str) -> Source:
    """A stack or a file; a spec is neither."""
    return read_saved(name) if is_saved(project, name) else project.stack(name)


def stacks_in(sources: Iterable[Source]) -> list[StackFile]:
    return [source for source in sources if isinstance(source, StackFile)]


def labels(sources: Iterable[Source]) -> list[str]:
    """What people call them, each once."""
    return list(dict.fromkeys(map(label, sources)))


def alarms(sources: Iterable[Source]) -> Iterator[Problem]:
    """What a state says of itself that is not as it should be."""
    for source in sources:
        if isinstance(source, Preview) and source.outputs is not None:
            yield from (Problem(message.text, file=source.origin) for message in source.messages)


def is_saved(project: Project, name: str) -> bool:
    """Whether the name is that of a file which is neither spec nor stack file: JSON, or what a shell makes of
    `<(pulumi stack export)`."""
    path = Path(name)
    if name == STDIN or path.suffix == ".json":
        return True
    if path.suffix in SUFFIXES or not is_there(path) or path.is_dir():
        return False
    return name not in project.stacks() and not _is_spec(project, name)


def _behind(project: Project, name: str) -> tuple[Sequence[Source], tuple[Problem, ...]]:
    if is_saved(project, name):
        return [read_saved(name)], ()
    if Path(name).name.startswith("Pulumi.") or (name in project.stacks() and not _is_spec(project, name)):
        return [project.stack(name)], ()
    return stacks_of(project, name)


def _is_spec(project: Project, name: str) -> bool:
    """Whether a stack is of this spec: a stack and a spec may have one name, and then the spec is meant."""
    return any(isinstance(stack, StackFile) and stack.is_of(name) for stack in project.read_all())


def label(source: Source) -> str:
    return source.name if isinstance(source, StackFile) else source.label
