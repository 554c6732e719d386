"""Fleet: the worked examples of hardware failure and rebuild, computed by script apart from this code."""

from __future__ import annotations

import pytest

from isostack.assess.fleet import any_broken, beyond_smallest, hours_away, rebuild_seconds, stranded


@pytest.mark.parametrize(("hosts", "share"), [(8, 0.4727), (20, 0.7981)])
def test_one_of_many_hosts_breaks_within_a_year(hosts: int, share: float) -> None:
    assert any_broken(hosts) == pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize(("post", "seconds"), [(531, 1276), (218, 650), (792, 1798)])
def test_a_rebuild_is_mostly_the_hosts_own_test_of_itself(post: float, seconds: float) -> None:
    assert rebuild_seconds(post) == pytest.approx(seconds, rel=1e-3)


def test_kexec_saves_one_of_the_two() -> None:
    assert rebuild_seconds(posts=1) == pytest.approx(745, rel=1e-3)


def test_hours_away() -> None:
    assert hours_away(3, 72) == pytest.approx(17.28)


def test_what_is_beyond_the_smallest() -> None:
    assert beyond_smallest([8, 8, 16]) == pytest.approx(0.25)
    assert beyond_smallest([4, 4]) == 0


def test_what_was_not_asked_for() -> None:
    assert stranded(4, 32) == pytest.approx(0.875)
