"""Backups: how much a loss takes with it, and how far back what is kept reaches. Times in seconds."""

from __future__ import annotations

from components.rules import Evidence
from isostack.assess.inputs import Input

COPY_SECONDS, VOLUME_COPY_SECONDS = 60.0, 3600.0
COPY = Input(
    "rollback.copy",
    "Until a snapshot of etcd is in its bucket",
    "s",
    Evidence("assumption", "a minute for the 2 GiB of etcd's default quota"),
    COPY_SECONDS,
    10,
    600,
    0,
    86400,
)
VOLUME_COPY = Input(
    "rollback.volumeCopy",
    "Until a backup of the volumes is in its bucket",
    "s",
    Evidence("assumption", "700 GB at 200 MB/s; hours with much data"),
    VOLUME_COPY_SECONDS,
    600,
    14400,
    0,
    864_000,
)
"""Declared here, since rules take them too, and questions bring numpy."""


def lost(every: float, copy: float) -> tuple[float, float]:
    """Changes lost on average and at worst, in seconds of work: half the interval or all of it, and the time until a
    copy is away. Every hour with a minute to copy: 1860 and 3660."""
    return every / 2 + copy, every + copy


MB, GIB = 1e6, 1024**3


def restored(decide: float, provision: float, gib: float, mb_per_second: float, verify: float) -> float:
    """Seconds from the loss to data that is back and looked at: 600, 300, 1 GiB at 100 MB/s, 300: 1211. What nobody has
    ever tried takes longer."""
    return decide + provision + gib * GIB / (mb_per_second * MB) + verify


def reach(every: float, keep: int) -> float:
    """Age of the oldest of `keep` copies when it is youngest: just after a new one was made and one removed."""
    return every * (keep - 1)
