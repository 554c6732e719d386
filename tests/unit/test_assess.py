"""Assessments against worked examples: backups, elections of etcd, and the fullest node."""

from __future__ import annotations

import pytest

from isostack.assess.backup import lost, reach, restored
from isostack.assess.balance import fullest
from isostack.assess.etcd import election


@pytest.mark.parametrize(
    ("every", "copy", "mean", "worst"),
    [(3600, 60, 1860, 3660), (21600, 60, 10860, 21660), (86400, 3600, 46800, 90000)],
)
def test_lost(every: int, copy: int, mean: int, worst: int) -> None:
    assert lost(every, copy) == (mean, worst)


def test_restored() -> None:
    assert restored(600, 300, 1, 100, 300) == pytest.approx(1211, abs=0.5)
    assert restored(600, 900, 500, 200, 600) == pytest.approx(4784, abs=0.5)


def test_one_copy_reaches_no_time_back() -> None:
    assert reach(3600, 1) == 0
    assert reach(12 * 3600, 5) == 48 * 3600


@pytest.mark.parametrize(
    ("stun", "members", "p"), [(0.5, 3, 0), (1.2, 3, 0.36), (1.5, 3, 0.75), (1.8, 3, 0.96), (1.2, 5, 0.5904), (9, 3, 1)]
)
def test_election(stun: float, members: int, p: float) -> None:
    assert election(stun, members) == pytest.approx(p)
    assert election(stun, 1) == 0  # nobody else could lead


def test_the_fullest_node_by_hand() -> None:
    assert fullest([(4, 1.0)], 2) == 2.5  # never more than 2 in truth: the bound holds for any sizes
    assert fullest([(1, 3.0), (3, 1.0)], 2) == 4.5
    assert fullest([(2, 1.0)], 1) == 2
    assert fullest([], 3) == 0
