"""The HTML report of a comparison: one file that needs nothing else, neither a network nor a server.

The same stacks give the same bytes: no date and no path is in it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from isostack import VERSION
from isostack.assess.inputs import Input
from isostack.comparison import Comparison
from isostack.preview.model import Preview
from isostack.report.html.chapter import chapter
from isostack.report.html.findings import TONES, packs
from isostack.report.html.picture import pictures
from isostack.report.html.tables import GRADE_TONES, glance, graded, kinds, machines, pools, wishes
from isostack.report.wording import blocked, causes, compared, ended, named, title, verdict

FOLDER: Final = Path(__file__).parent
_MOST: Final = 500
"""Rows of differences: nobody reads more, and where targets differ in everything the file would be megabytes."""
_UNSEEN: Final = dict.fromkeys(code for code in range(32) if chr(code) not in "\t\n")
"""Control characters, which HTML does not allow."""


def page(result: Comparison, previews: Sequence[Preview], inputs: Mapping[str, Input] | None = None) -> str:
    """The whole report. `previews` are those that were compared, in their order; `inputs` those of the assessment, all
    of them; None: as the project has them."""
    style, script = _file("page.css"), _file("page.js")
    all_wishes = wishes(previews)
    text = (
        _templates()
        .get_template("page.html")
        .render(
            style=style,
            script=script,
            # Nothing but what stands here can be loaded or run, whatever a name in a spec says.
            policy=f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}; "
            "base-uri 'none'; form-action 'none'",
            version=VERSION,
            result=result,
            title=title(result),
            verdict=verdict(result.parity),
            compared=compared(result.parity),
            blocked=blocked(result),
            causes=[
                (named(kind, names), field, values, names)
                for kind, field, values, names in causes(result.parity.differences)
            ],
            most=_MOST,
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
    )
    return text.translate(_UNSEEN)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _file(name: str) -> Markup:
    return Markup((FOLDER / name).read_text("utf-8"))


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
