"""Fields that are written with names, as paths in a file."""

from __future__ import annotations

from typing import Any

from components.problems import FieldPath


def path_of(data: Any, field: str) -> FieldPath:
    """The path in the file of a field that is written with names: pools.web.size is pools[0].size. What the file does
    not have, since it is a default, ends the path that `Document.locate` follows."""
    path: list[str | int] = []
    for part in field.split("."):
        step: str | int = part
        if isinstance(data, list):
            names = [item.get("name") if isinstance(item, dict) else item for item in data]
            if part not in names:
                break
            step = names.index(part)
        path.append(step)
        try:
            data = data[step]
        except (KeyError, TypeError, IndexError):
            data = None
    return tuple(path)
