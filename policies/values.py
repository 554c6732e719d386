"""Values that people write into resources: numbers and percentages, and what is neither."""

from __future__ import annotations

import re
from math import ceil

from components.rules import Raw, Violation

_NUMBER, _SHARE = re.compile(r"\d+"), re.compile(r"\d+%")


class Malformed(Exception):
    """A value that is no number where one belongs."""

    def __init__(self, raw: Raw, field: str, value: object, wanted: str) -> None:
        super().__init__(f"{field} is {value!r}, which is {wanted}")
        self.violation = Violation(
            raw.name, f"{self}: nobody can tell how many it means, and the API server refuses it", of="resource"
        )


def part(raw: Raw, total: int, *path: str | int) -> int | None:
    """A number, or a percentage of a total, rounded up as Kubernetes does [documented]
    https://kubernetes.io/docs/tasks/run-application/configure-pdb/; None: left out. Raises Malformed, Undecided."""
    if (value := raw.get(*path)) is None:
        return None
    if _SHARE.fullmatch(text := str(value)):
        return ceil(int(text[:-1]) * total / 100)
    if _NUMBER.fullmatch(text):
        return int(text)
    raise Malformed(raw, str(path[-1]), value, "neither a number nor a percentage")


def number(raw: Raw, *path: str | int) -> int | None:
    """A whole number; None: left out. Raises Malformed, Undecided."""
    value = raw.get(*path)
    if value is None or _NUMBER.fullmatch(str(value)):
        return None if value is None else int(value)
    raise Malformed(raw, str(path[-1]), value, "no whole number")
