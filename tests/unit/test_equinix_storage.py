"""Ceph on Equinix Metal takes drives that the chosen server plan has."""

from __future__ import annotations

import pytest

from components.equinix.config import Config
from components.equinix.plans import CATALOGUE
from components.planning import make_plan
from components.problems import InvalidInput
from tests.specs import rich


def config(pool: str, drives: str) -> Config:
    storage = {"backend": "ceph", "ceph": {"pool": pool, "deviceFilter": drives}}
    return Config.model_validate({"metro": "fr", "project": "shop", "storage": storage})


def test_free_drives_leave_the_system_its_own() -> None:
    assert CATALOGUE["c3.small.x86"].free_drives == ("sdb",)
    assert CATALOGUE["m3.large.x86"].free_drives == ("sdb", "nvme0n1", "nvme1n1")
    assert all(len(plan.free_drives) == sum(d.count for d in plan.drives) - 1 for plan in CATALOGUE.values())


@pytest.mark.parametrize("drives", ["^sd[b-z]$", "^(sd[a-z]|nvme[0-9]n1)$"])
def test_a_filter_that_matches_a_drive_of_the_plan_is_sound(drives: str) -> None:
    assert make_plan(rich(), config("web", drives))


@pytest.mark.parametrize("drives", ["^nvme[0-9]n1$", "^sda$"])
def test_a_filter_that_matches_none_names_the_plan_and_its_drives(drives: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_plan(rich(), config("web", drives))
    assert list(map(str, caught.value.problems)) == [
        f"storage.ceph.deviceFilter: {drives} matches no free drive of c3.small.x86, which pool web gets: it has sdb "
        "beside the system's; match one of them, or pin a plan with more drives"
    ]
