"""Where each rule speaks and where it is silent: a module of CASES for each pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from components.rules import Rule, Stack
from policies import catalogue


@dataclass(frozen=True)
class Case:
    """A stack, and what a rule says of it: each message as it is printed; none where all is well."""

    rule: str
    """Id."""
    stack: Stack
    says: tuple[str, ...] = ()
    params: Mapping[str, float] = field(default_factory=dict)
    undecided: str = ""
    """What cannot be known at preview, as the rule says it."""

    @property
    def declared(self) -> Rule:
        return catalogue.rules()[self.rule]


def cases() -> Iterator[tuple[str, Case]]:
    """All, each with a name."""
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        for i, case in enumerate(import_module(f"{__name__}.{path.stem}").CASES):
            yield f"{path.stem}-{i}-{case.rule}", case
