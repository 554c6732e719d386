"""The console of all reports for people: its width, its colours, its tables."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from isostack.parity import Verdict

STYLE = {
    Verdict.EQUIVALENT: "green",
    Verdict.DEGRADED: "yellow",
    Verdict.NOT: "red",
    Verdict.ALONE: "default",
    "equal": "green",
    "degraded": "yellow",
    "impossible": "red",
    "mandatory": "red",
    "advisory": "yellow",
}
PIPE_WIDTH = 140  # columns in a pipe or a file: rich's own 80 would fold tables that nobody measures
LEAST_WIDTH = 40  # below it tables have no room for a letter


def console(stderr: bool = False) -> Console:
    """A console with colours only on a terminal; COLUMNS and NO_COLOR are respected."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=False, emoji=False)
    if not made.is_terminal and not made._environ.get("COLUMNS", "").isdigit():
        made.width = PIPE_WIDTH
    made.width = max(made.width, LEAST_WIDTH)
    return made


def heading(out: Console, text: str) -> None:
    out.print()
    out.print(f"[bold underline]{text}[/]")


def make_table(*columns: str, numbers: int = 0) -> Table:
    """A table without a frame; the last `numbers` columns are right-aligned."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for i, column in enumerate(columns):
        table.add_column(escape(column), justify="right" if i >= len(columns) - numbers else "left", overflow="fold")
    return table
