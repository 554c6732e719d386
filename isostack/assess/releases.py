"""Releases: when each minor of Kubernetes came out and when its fixes end.

[documented] https://kubernetes.io/releases/1.34 and the same page of each minor, as of 2026-09: a minor has fixes for
a year, and for two months more such as cannot wait (maintenance mode).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

CERTIFICATE_DAYS = 365
"""Certificates that kubeadm signs live so long [documented]
https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/."""


@dataclass(frozen=True, slots=True)
class Minor:
    """One minor: first and last day."""

    released: date
    end: date


MINORS: Mapping[int, Minor] = {
    34: Minor(date(2025, 8, 27), date(2026, 10, 27)),
    35: Minor(date(2025, 12, 17), date(2027, 2, 28)),
    36: Minor(date(2026, 4, 22), date(2027, 6, 28)),
    37: Minor(date(2026, 8, 26), date(2027, 10, 28)),
}


def minor(version: str) -> int:
    """1.36.3: 36."""
    return int(version.split(".")[1])


def day(number: float) -> date:
    """The day that a number like 20261128 names; 0: today, in UTC. Raises ValueError where it names none."""
    if not number:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(f"{number:08.0f}")
    except ValueError:
        raise ValueError(f"{number:.0f} names no day; write it as 20270630") from None
