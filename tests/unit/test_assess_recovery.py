"""Recovery after the loss of a host: the worked examples of the model."""

from __future__ import annotations

import pytest

from components.addons import remediation
from isostack.assess import recovery
from tests.specs import spec


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (recovery.detected(), 47.5),
        (recovery.detected(grace=40), 37.5),
        (recovery.detected(grace=20, lease=4, monitor=2), 19.0),
        (recovery.detected(grace=10, lease=8, monitor=8), 16.0),
        (recovery.evicted(15, grace=20, lease=4, monitor=2), 34.0),
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
        (recovery.given_up(60), 600),
        (recovery.given_up(900), 900),
        (recovery.requests_lost(1 / 3), 15.833),
    ],
)
def test_worked_examples(seconds: float, expected: float) -> None:
    assert seconds == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("evict_after", ["60s", "900s"])
def test_a_node_is_given_up_when_its_health_check_says_so(evict_after: str) -> None:
    wanted = spec({"availability": {"evictAfter": evict_after}})
    assert recovery.given_up(wanted.availability.evict_after) == remediation.lost_seconds(wanted)


@pytest.mark.parametrize(
    ("virtual", "hosts", "lost_after", "by", "seconds"),
    [
        (True, 8, None, "HA", 115.125),
        (True, 8, 600, "HA", 115.125),
        (True, None, 600, "a person", 2207.5),  # a dead host's agent powers nothing off
        (True, None, None, "a person", 2207.5),
        (False, None, 600, "fencing", 722.5),
        (False, None, None, "a person", 2207.5),
    ],
)
def test_who_brings_a_volume_back(
    virtual: bool, hosts: int | None, lost_after: float | None, by: str, seconds: float
) -> None:
    back = recovery.volume_back(virtual=virtual, hosts=hosts, lost_after=lost_after, toleration=300, person=1800)
    assert back.by == by
    assert back.seconds == pytest.approx(seconds)


def test_from_which_boot_time_on_evicting_is_faster_than_restarting() -> None:
    assert recovery.volume_by_restart(8, boot=44.375) == pytest.approx(recovery.stateless_back(30))


@pytest.mark.parametrize(
    ("nodes", "lost", "rate"),
    [(6, 2, 0.1), (6, 4, 0), (5, 3, 0), (60, 34, 0.01), (12, 4, 0.1), (12, 12, 0.1), (4, 2, 0.1), (60, 33, 0.01)],
)
def test_how_fast_nodes_of_a_zone_are_tainted(nodes: int, lost: int, rate: float) -> None:
    assert recovery.taints_per_second(nodes, lost) == rate


def test_no_node_is_tainted_once_no_zone_has_one_left() -> None:
    assert [recovery.taints_per_second(6, lost, elsewhere=False) for lost in (2, 4, 6)] == [0.1, 0, 0]


def test_evictions_slow_down_at_55_per_cent_and_not_before() -> None:
    assert [recovery.taints_per_second(20, lost) for lost in (10, 11)] == [0.1, 0]
