"""What a policy says of a stack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of one rule."""

    rule: str
    pack: str
    severity: str
    """low, medium, high, critical; empty where the rule names none."""
    level: str
    """advisory or mandatory."""
    subject: str
    """URN of the resource; empty: the stack as a whole."""
    field: str
    """Field of the spec, by names: tenants.partner.trust; empty where the rule names none."""
    message: str
    remediation: str
    evidence: tuple[str, ...]
    """Sources of the numbers, each with its grade: [measured], [documented], [vendor] or [assumption]."""
