"""The HTML report of a comparison, one file that needs nothing else; see render. Of a change: changes.

The same stacks give the same bytes: no date and no path is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from isostack.assess.inputs import Input
from isostack.comparison import Comparison
from isostack.preview.model import Preview
from isostack.report.html.chapter import chapter
from isostack.report.html.findings import TONES, packs
from isostack.report.html.picture import pictures
from isostack.report.html.render import render
from isostack.report.html.tables import (
    GRADE_TONES,
    VERDICT_TONES,
    differences,
    glance,
    graded,
    kinds,
    machines,
    pools,
    wishes,
)
from isostack.report.wording import blocked, compared, ended, title, verdict


def page(result: Comparison, previews: Sequence[Preview], inputs: Mapping[str, Input] | None = None) -> str:
    """The whole report. `previews` are those that were compared, in their order; `inputs` those of the assessment, all
    of them; None: as the project has them."""
    all_wishes, unequal = wishes(previews), differences(result.parity)
    return render(
        "page.html",
        styles=["page.css"],
        scripts=["page.js"],
        brand="comparison",
        sections=[(id, name) for id, name in _SECTIONS.items() if id != _DIFFERENCES or unequal.rows],
        untouched="created",
        result=result,
        title=title(result),
        verdict=verdict(result.parity),
        verdict_tone=VERDICT_TONES[result.parity.verdict],
        compared=compared(result.parity),
        blocked=blocked(result),
        differences=unequal,
        glance=glance(result, previews),
        pictures=pictures(previews),
        wishes=all_wishes,
        packs=packs(result),
        chapter=chapter(previews, inputs),
        grades=graded(all_wishes),
        short=sum(len(wish.fields) for wish in all_wishes if wish.short),
        grade_tones=GRADE_TONES,
        tones=TONES,
        pools=pools(result, previews),
        machines=machines(previews),
        ended={stack.stack: list(ended(stack)) for stack in result.stacks},
        kinds=kinds(result),
    )


_DIFFERENCES: Final = "differences"
_SECTIONS: Final = {
    "verdict": "Verdict",
    _DIFFERENCES: "Differences",
    "targets": "Targets",
    "wishes": "Parity",
    "findings": "Findings",
    "assessment": "VMs or metal?",
    "machines": "Machines",
    "resources": "Resources",
}
"""Ids, and what the navigation calls them."""
