"""The previews of the example stacks, made once for a test process."""

from __future__ import annotations

from functools import cache

from isostack.inputs import stacks_of
from isostack.preview import Preview, preview
from isostack.stacks import find_project
from tests.specs import ROOT


@cache
def previews(spec: str) -> tuple[Preview, ...]:
    """All stacks of an example spec, by name: shop has three, edge two."""
    project = find_project(ROOT)
    return tuple(preview(project.root, stacks_of(project, spec)[0]))
