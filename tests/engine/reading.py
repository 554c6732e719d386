"""What the real engine wrote, read by isostack, held against the embedded preview."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from isostack.parity import parity
from isostack.preview import Preview
from isostack.saved import read_saved
from tests.engine.findings import Said, of_isostack


def misread(folder: Path, document: str, ours: Preview, findings: Sequence[Said]) -> Iterator[str]:
    """Every way in which the document is read as another stack than the embedded preview's."""
    file = folder / "document.json"
    file.write_text(document, "utf-8")
    read = read_saved(str(file))
    yield from (f"{d.subject} {d.field}: {d.values}" for d in parity([ours, read]).differences)
    if sorted(of_isostack(read)) != sorted(findings):
        yield "the policies say something else"
