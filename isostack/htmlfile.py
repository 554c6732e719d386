"""The option --html of several commands: what they tell, also as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Imports what it needs when that happens: `--help` answers at once.

HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write it also as one HTML file, for a browser or a printer."),
]


def check_html(html: Path | None) -> None:
    """Before long work for it. Raises InvalidInput where it plainly cannot be written."""
    if html:
        from isostack.writing import check_writable

        check_writable(html)


def write_html(html: Path, page: str) -> None:
    """Raises InvalidInput."""
    from isostack.writing import write

    write(html, page)
    typer.echo(f"wrote {html}", err=True)
