"""JSON Schemas of the commands' documents that have one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from isostack.report.document import VERSION


def diff() -> dict[str, Any]:
    """Of `isostack diff A B --format json`. With --only some parts are left out."""
    from isostack.sidebyside import SideBySide

    schema = TypeAdapter(SideBySide).json_schema(mode="serialization", by_alias=True)
    head = {
        "version": {"const": VERSION, "description": "Of this document: a number for each change that breaks readers."},
        "command": {"const": "diff", "description": "The command that wrote it."},
    }
    return schema | {"properties": head | schema["properties"], "required": ["version", "command", "parity"]}


SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {"diff": diff}
"""By command."""
