"""What is wrong with an input: one Problem for each fault, all of them raised together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

FieldPath = tuple[str | int, ...]


def dotted(path: FieldPath) -> str:
    """The path as people write it: ("pools", 2, "tenant") is `pools[2].tenant`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input: where it stands, what is wrong, what would be right.

    `file` is a path as the user gave it, `line` and `column` count from 1 (0: unknown). Until it is located, `source`
    says which input `path` leads into: the spec or the target config.
    """

    what: str
    right: str = ""
    path: FieldPath = ()
    file: str = ""
    line: int = 0
    column: int = 0
    source: Literal["", "spec", "target"] = ""

    @property
    def field(self) -> str:
        return dotted(self.path)

    def at(self, file: str, line: int, column: int) -> Problem:
        return replace(self, file=file, line=line, column=column)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        head = ": ".join(part for part in (place, self.field) if part)
        text = f"{head}: {self.what}" if head else self.what
        return f"{text}; {self.right}" if self.right else text


class InvalidInput(Exception):
    """The input cannot be used. `problems` holds every fault found, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class Fault(ValueError):
    """What a validator of one field raises: what is wrong, and what would be right."""

    def __init__(self, what: str, right: str = "") -> None:
        self.what, self.right = what, right
        super().__init__(f"{what}; {right}" if right else what)


def listed(names: Collection[str], most: int = 4) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(list(names)[:most]) + more
