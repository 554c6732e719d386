"""`isostack new`: a commented spec and stack files from the examples that each target keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from components import targets
from components.problems import InvalidInput, Problem
from components.spec import Name
from components.wording import did_you_mean
from isostack.interrupts import interrupts_held
from isostack.stacks import shown

EXAMPLE = "example"
"""The cluster's name in the examples: in file names and in texts."""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What `new` has done: files that were there are kept as they are."""

    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    stacks: tuple[str, ...]


def scaffold(folder: Path, name: str, kinds: Sequence[str]) -> Scaffold:
    """Write the files of a new cluster, or of more targets for one that is there.

    Raises InvalidInput, and writes nothing, if a stack file exists. All files are written or none.
    """
    faults = [*_name_faults(name), *_kind_faults(kinds)]
    if faults:
        raise InvalidInput(faults)
    sources = [Path(__file__).parent / "examples" / f"{EXAMPLE}.yaml"]
    for kind in dict.fromkeys(kinds):
        sources.extend(sorted((targets.folder(kind) / "examples").iterdir()))
    files = {folder / source.name.replace(EXAMPLE, name): source.read_text("utf-8") for source in sources}
    stacks = {path: path.stem.removeprefix("Pulumi.") for path in files if path.name.startswith("Pulumi.")}
    kept = tuple(path for path in files if path.exists())
    right = "choose another name or target, or edit it"
    if taken := [path for path in kept if path in stacks]:
        raise InvalidInput([Problem("exists already", right, file=str(shown(path))) for path in taken])
    # Not the domain example.com: nobody's, while another name with .com is somebody's.
    texts = {path: re.sub(rf"\b{EXAMPLE}\b(?!\.com)", name, text) for path, text in files.items() if path not in kept}
    with interrupts_held():
        _write(folder, texts)
    return Scaffold(tuple(texts), kept, tuple(stacks.values()))


def _write(folder: Path, texts: Mapping[Path, str]) -> None:
    """All of the files or none: half a cluster could not be made whole by a second try."""
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except BaseException:
        with suppress(OSError):
            for path in written:
                path.unlink()
            for parent in made:
                parent.rmdir()
        raise


def _name_faults(name: str) -> Iterator[Problem]:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        yield Problem(f"{name!r} is not a cluster name", "lower-case letters, digits and dashes, at most 30")


def _kind_faults(kinds: Sequence[str]) -> Iterator[Problem]:
    for kind in kinds:
        if kind not in targets.kinds():
            near = did_you_mean(kind, targets.kinds())
            right = f"did you mean {near!r}?" if near else f"choose from: {', '.join(targets.kinds())}"
            yield Problem(f"no target of kind {kind!r}", right)
