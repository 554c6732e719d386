"""Patching: the worked examples of drains and rounds, computed by script apart from this code."""

from __future__ import annotations

import pytest

from isostack.assess.patching import JOIN, drain_seconds, upgrade_hours, weeks

HOUR = 3600


@pytest.mark.parametrize(("pods", "seconds"), [(0, 60), (5, 60), (30, 150), (120, 510)])
def test_a_drain_takes_as_long_as_its_pods(pods: int, seconds: float) -> None:
    assert drain_seconds(pods) == seconds


@pytest.mark.parametrize(
    ("nodes", "pods", "made", "hours"),
    [
        (28, 30, 300, 3.967),  # VMs, replaced one by one
        (7, 30, 300, 0.9917),  # the same, four at a time
        (7, 120, 1200, 3.442),  # hosts, replaced
        (7, 120, 531, 2.142),  # hosts, restarted
        (7, 120, 792, 2.648),
    ],
)
def test_a_round_is_its_nodes_one_after_the_other(nodes: int, pods: int, made: float, hours: float) -> None:
    assert nodes * (drain_seconds(pods) + made + JOIN) / HOUR == pytest.approx(hours, rel=1e-3)


@pytest.mark.parametrize(
    ("nodes", "each", "days", "hours", "expected"),
    [(14, 651, 2, 3, 1), (14, 651, 1, 1, 3), (6, 600, 1, 1, 1), (7, 600, 1, 1, 2), (1, 7200, 1, 1, 1)],
)
def test_a_round_in_weeks(nodes: int, each: float, days: int, hours: float, expected: int) -> None:
    """The last node of a day may begin at its very end."""
    assert weeks(nodes, each, days, hours * HOUR) == expected


@pytest.mark.parametrize(("nodes", "at_once", "batches"), [(11, 1, 11), (11, 2, 6), (11, 4, 3), (1, 4, 1)])
def test_a_round_of_kubernetes_goes_in_batches(nodes: int, at_once: int, batches: int) -> None:
    assert upgrade_hours(nodes, 51, 120, at_once) == pytest.approx(batches * 171 / HOUR)
