"""What policies say of stacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a finding is accepted, and the last day on which it is."""

    reason: str
    until: str
    """ISO date."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cause of a finding is written; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Declared:
    """A rule, as its pack declares it."""

    rule: str
    pack: str
    title: str
    severity: str
    """low, medium, high, critical; empty where it names none."""
    level: str
    """Its own: advisory, mandatory, disabled."""
    remediation: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of one rule, or that the rule could not decide."""

    rule: str
    pack: str
    title: str
    severity: str
    """low, medium, high, critical; empty where the rule names none."""
    level: str
    """advisory or mandatory."""
    status: str
    """violated, waived (then it is advisory), undecided: not known at preview, failed: the rule broke."""
    urn: str
    """Of the resource that it is about; empty: the stack as a whole."""
    of: str
    """What `field` is: a field of the `spec` or of the `target` config, a `resource`, a `waiver`; empty: nothing."""
    field: str
    """By names: tenants.partner.trust; empty where the rule names none."""
    message: str
    remediation: str
    evidence: tuple[str, ...]
    """Sources of the numbers, each with its grade: [measured], [documented], [vendor] or [assumption]."""
    subjects: tuple[str, ...] = ()
    """Every machine, pool or resource that it holds for; the message names the first few."""
    waiver: Waiver | None = None
    place: Place | None = None
    """None: in no file that was read."""

    @property
    def where(self) -> str:
        return f"{self.of} {self.field}" if self.field else ""

    @property
    def verdict(self) -> str:
        """What it comes to: advisory, mandatory, waived, undecided."""
        return self.status if self.status in ("waived", "undecided") else self.level

    @property
    def blocks(self) -> bool:
        return self.level == "mandatory"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What all packs say of one stack."""

    findings: tuple[Finding, ...] = ()
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    """By rule: why it says nothing of this stack, whatever is in it."""
