"""What the real engine wrote, read by isostack, held against the embedded preview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from isostack.parity import parity
from isostack.preview import UNKNOWN, Preview, Secret
from isostack.saved import read_saved
from tests.engine.findings import Said, of_isostack

OPTIONS = ("parent", "provider", "protect", "ignore_changes", "replace_on_changes", "property_dependencies")


def misread(folder: Path, document: str, ours: Preview, findings: Sequence[Said]) -> Iterator[str]:
    """Every way in which the document is read as another stack than the embedded preview's."""
    file = folder / "document.json"
    file.write_text(document, "utf-8")
    read = read_saved(str(file))
    yield from (f"{d.subject} {d.field}: {d.values}" for d in parity([ours, read]).differences)
    if sorted(of_isostack(read)) != sorted(findings):
        yield "the policies say something else"
    if read.by_urn.keys() != ours.by_urn.keys():
        yield f"other resources: {read.by_urn.keys() ^ ours.by_urn.keys()}"
        return
    for urn, there in read.by_urn.items():
        here = ours.by_urn[urn]
        yield from (f"{urn} {path}" for path in _others("inputs", dict(here.inputs), dict(there.inputs)))
        for option in OPTIONS:
            if _sorted(getattr(here, option)) != _sorted(getattr(there, option)):
                yield f"{urn} {option}: {getattr(here, option)} and {getattr(there, option)}"


def _others(path: str, here: Any, there: Any) -> Iterator[str]:
    """Paths of what is another value. What was not known may be known by now, but to secrets."""
    if isinstance(here, Secret) or isinstance(there, Secret):
        if not (isinstance(here, Secret) and there == Secret(UNKNOWN)):
            yield f"{path}: {here} and {there}"
    elif here is UNKNOWN:
        return
    elif isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in here.keys() | there.keys():
            yield from _others(f"{path}.{key}", here.get(key), there.get(key))
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for i, (one, other) in enumerate(zip(here, there, strict=True)):
            yield from _others(f"{path}[{i}]", one, other)
    elif here != there:
        yield f"{path}: {here} and {there}"


def _sorted(option: Any) -> Any:
    return {key: sorted(urns) for key, urns in option.items()} if isinstance(option, Mapping) else option
