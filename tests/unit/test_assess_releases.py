"""Releases: days of minors, and the day on which somebody asks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from components.spec import MINORS as BUILT
from isostack.assess.releases import MINORS, day, minor


def test_every_minor_that_is_built_has_its_days() -> None:
    assert set(MINORS) == set(BUILT)


def test_a_minor_has_fixes_for_fourteen_months() -> None:
    for each in MINORS.values():
        assert timedelta(days=420) <= each.end - each.released <= timedelta(days=440)


def test_the_minor_of_a_version() -> None:
    assert minor("1.36.3") == 36


def test_a_day_as_a_number() -> None:
    assert day(20270630.0) == date(2027, 6, 30)
    with pytest.raises(ValueError, match="20271345 names no day"):
        day(20271345)


def test_no_number_is_today() -> None:
    before = datetime.now(UTC).date()
    assert before <= day(0) <= datetime.now(UTC).date()
