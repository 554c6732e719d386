"""Templates as pages: one file each, which needs nothing else, neither a network nor a server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from isostack import VERSION

FOLDER: Final = Path(__file__).parent
_UNSEEN: Final = dict.fromkeys(code for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n")
"""Control characters, which HTML does not allow."""
_TURNING: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\N{REPLACEMENT CHARACTER}")
"""What shows the text around it in another order than it has [documented] https://trojansource.codes (CVE-2021-42574):
whoever reviews by the page must see what is there."""


def render(template: str, *, styles: Sequence[str] = (), scripts: Sequence[str] = (), **values: Any) -> str:
    """The whole page. `styles` and `scripts` are files of this folder beside those that every page has; `values` are
    what base.html and the template name."""
    style, script = _files("base.css", *styles), _files("base.js", *scripts)
    # Nothing but what stands here can be loaded or run, whatever a name in a spec says.
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    found = _templates().get_template(template)
    text = found.render(style=style, script=script, policy=policy, version=VERSION, **values)
    return text.translate(_UNSEEN | _TURNING)


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


def _files(*names: str) -> Markup:
    return Markup("".join((FOLDER / name).read_text("utf-8") for name in names))


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
