"""Assessments against worked examples: backups, and elections of etcd."""

from __future__ import annotations

import pytest

from isostack.assess.backup import lost, reach
from isostack.assess.etcd import election


@pytest.mark.parametrize(
    ("every", "copy", "mean", "worst"),
    [(3600, 60, 1860, 3660), (21600, 60, 10860, 21660), (86400, 3600, 46800, 90000)],
)
def test_lost(every: int, copy: int, mean: int, worst: int) -> None:
    assert lost(every, copy) == (mean, worst)


def test_one_copy_reaches_no_time_back() -> None:
    assert reach(3600, 1) == 0
    assert reach(12 * 3600, 5) == 48 * 3600


@pytest.mark.parametrize(
    ("stun", "members", "p"), [(0.5, 3, 0), (1.2, 3, 0.36), (1.5, 3, 0.75), (1.8, 3, 0.96), (1.2, 5, 0.5904), (9, 3, 1)]
)
def test_election(stun: float, members: int, p: float) -> None:
    assert election(stun, members) == pytest.approx(p)
    assert election(stun, 1) == 0  # nobody else could lead
