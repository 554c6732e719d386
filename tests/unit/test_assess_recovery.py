"""Recovery after the loss of a host: the worked examples of the model."""

from __future__ import annotations

import pytest

from isostack.assess import recovery


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (recovery.detected(), 47.5),
        (recovery.detected(grace=40), 37.5),
        (recovery.detected(grace=20, lease=4, monitor=2), 19.0),
        (recovery.restarted(8), 95.125),
        (recovery.restarted(4), 97.25),
        (recovery.patience(8), 47.625),
        (recovery.evicted(300), 347.5),
        (recovery.evicted(300, nth=7), 407.5),
        (recovery.stateless_back(300), 369.5),
        (recovery.stateless_back(300, nth=7), 429.5),
        (recovery.stateless_back(30), 99.5),
        (recovery.volume_by_restart(8), 115.125),
        (recovery.volume_by_person(300, 1800), 2207.5),
        (recovery.volume_by_person(300, 1800, taint=False), 2547.5),
        (recovery.volume_by_fencing(), 422.5),
        (recovery.volume_by_fencing(taint=False), 762.5),
        (recovery.volume_by_fencing(30), 152.5),
        (recovery.requests_lost(1 / 3), 15.833),
    ],
)
def test_worked_examples(seconds: float, expected: float) -> None:
    assert seconds == pytest.approx(expected, rel=1e-4)


def test_from_which_boot_time_on_evicting_is_faster_than_restarting() -> None:
    assert recovery.volume_by_restart(8, boot=44.375) == pytest.approx(recovery.stateless_back(30))


@pytest.mark.parametrize(
    ("nodes", "lost", "rate"),
    [(6, 2, 0.1), (6, 4, 0), (5, 3, 0), (60, 34, 0.01), (12, 4, 0.1), (12, 12, 0.1), (4, 2, 0.1), (60, 33, 0.01)],
)
def test_how_fast_nodes_of_a_zone_are_tainted(nodes: int, lost: int, rate: float) -> None:
    assert recovery.taints_per_second(nodes, lost) == rate


def test_evictions_slow_down_at_55_per_cent_and_not_before() -> None:
    assert [recovery.taints_per_second(20, lost) for lost in (10, 11)] == [0.1, 0]
