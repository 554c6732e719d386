"""A finding: what a policy has to say about a stack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about one stack."""

    rule: str
    pack: str
    severity: str
    level: str
    subject: str
    """URN that the finding is about."""
    field: str
    """Field of the spec that it comes from, if one."""
    message: str
    remediation: str
    evidence: tuple[str, ...]
