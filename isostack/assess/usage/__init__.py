"""Measured use of CPU: read from a file, matched with the spec's workloads, and what the models take of it."""

from isostack.assess.usage.model import (
    Matched,
    Usage,
    filled,
    matched,
    means,
    of_requests,
    peak_to_mean,
    per_replica,
    total_peak_to_mean,
    variation,
)
from isostack.assess.usage.reading import read_usage

__all__ = [
    "Matched",
    "Usage",
    "filled",
    "matched",
    "means",
    "of_requests",
    "peak_to_mean",
    "per_replica",
    "read_usage",
    "total_peak_to_mean",
    "variation",
]
