"""Rules of policy packs: their declaration, the cluster as they see it, and the words of what they find. Pure data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.facts import ClusterFacts, MachineFacts, SiteFacts

Level = Literal["advisory", "mandatory", "disabled"]
Severity = Literal["low", "medium", "high", "critical"]
Grade = Literal["measured", "documented", "vendor", "assumption"]
_EVIDENCE = "evidence: "


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a number or a claim comes from, and what that is worth."""

    grade: Grade
    source: str

    def __str__(self) -> str:
        return f"[{self.grade}] {self.source}"


@dataclass(frozen=True, slots=True)
class Param:
    """A number that the user of a pack may set; the message of its rule shows it."""

    name: str
    default: float
    minimum: float
    maximum: float
    description: str
    evidence: Evidence

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema, for the pack's config."""
        return {
            "type": "number",
            "default": self.default,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "description": f"{self.description} {self.evidence}",
        }


@dataclass(frozen=True, slots=True)
class Stack:
    """One cluster and all of it that is neutral. Whatever it holds is known at preview."""

    urn: str
    cluster: ClusterFacts
    sites: tuple[SiteFacts, ...]
    machines: tuple[MachineFacts, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule found: the field of the spec that it is about, and at most three lines of text."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"spec {self.field}: {self.text}"


Params = Mapping[str, float]
Check = Callable[[Stack, Params], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and all that is to be known of it. `check` yields nothing where all is well."""

    id: str
    title: str
    severity: Severity
    level: Level
    claims: tuple[int, ...]
    """Numbers of the claims of "Should K8s run on VMs?" that it puts to the test; see the documentation."""
    remediation: str
    evidence: tuple[Evidence, ...]
    check: Check
    params: tuple[Param, ...] = ()

    @property
    def tags(self) -> list[str]:
        """What Pulumi has no field for."""
        return [*(f"claim-{number}" for number in self.claims), *(f"{_EVIDENCE}{item}" for item in self.evidence)]


def split(message: str) -> tuple[str, str]:
    """The field of the spec and the text of a printed Violation; no field for other messages."""
    match = re.match(r"spec ([A-Za-z0-9_.\[\]-]+): ", message)
    return (match[1], message[match.end() :]) if match else ("", message)


def evidence(tags: list[str]) -> tuple[str, ...]:
    """The evidence among a rule's tags, each with its grade."""
    return tuple(tag.removeprefix(_EVIDENCE) for tag in tags if tag.startswith(_EVIDENCE))


def figure(value: float) -> str:
    """A number in two significant digits, for messages: 0.0339 is `0.034`, 128.4 is `130`."""
    return f"{float(f'{value:.2g}'):.15g}"


def percent(share: float) -> str:
    """A share for messages: 0.158 is `16 %`. What is left out must not look like nothing."""
    return f"{figure(100 * share)} %" if share >= 1e-4 or share == 0 else "under 0.01 %"
