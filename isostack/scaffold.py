"""`isostack new`: a commented spec and stack files from the examples that each target keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from components import targets
from components.problems import InvalidInput, Problem
from components.spec import Name
from components.wording import did_you_mean
from isostack.stacks import shown

EXAMPLE = "example"
"""The cluster's name in the examples: in file names and in texts."""


def scaffold(folder: Path, name: str, kinds: Sequence[str]) -> list[Path]:
    """Write the files of a new cluster; returns their paths. Raises InvalidInput, and writes nothing, if one exists."""
    faults = [*_name_faults(name), *_kind_faults(kinds)]
    if faults:
        raise InvalidInput(faults)
    sources = [Path(__file__).parent / "examples" / f"{EXAMPLE}.yaml"]
    for kind in dict.fromkeys(kinds):
        sources.extend(sorted((targets.folder(kind) / "examples").iterdir()))
    files = {folder / source.name.replace(EXAMPLE, name): source.read_text("utf-8") for source in sources}
    existing = [path for path in files if path.exists()]
    if existing:
        raise InvalidInput(
            [Problem("exists already", "choose another name", file=str(shown(path))) for path in existing]
        )
    for path, text in files.items():
        # Not the domain example.com: nobody's, while another name with .com is somebody's.
        path.write_text(re.sub(rf"\b{EXAMPLE}\b(?!\.com)", name, text), "utf-8")
    return list(files)


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
