"""Answers under other settings, against the worked examples of recovery."""

from __future__ import annotations

from dataclasses import replace

import pytest

from isostack.assess.balance import SPREAD_LEFT
from isostack.assess.questions import inputs, questions
from isostack.assess.variants import VARIANTS, variants
from tests.unit.test_answers import CASES, value

ROWS = {(row.question, row.variant): row.values for row in variants(questions(), CASES["shop"], inputs())}
PLANNED_SPREAD = value("balance.spread", "shop-vsphere")


def test_every_setting_is_of_a_question() -> None:
    assert VARIANTS.keys() <= questions().keys()


@pytest.mark.parametrize(
    ("question", "variant", "stack", "value"),
    [
        # By hand: detection 47.5, schedule 2, start 20; HA among 6 hosts 125 / 6 + 15 + 60.
        ("recovery.stateless", "availability.evictAfter: 300s, Kubernetes' default", "shop-tinkerbell", 369.5),
        ("recovery.stateless", "availability.evictAfter: 30s", "shop-tinkerbell", 99.5),
        ("recovery.stateless", "vSphere HA off", "shop-tinkerbell", None),
        ("recovery.volume", "vSphere HA off", "shop-vsphere", 47.5 + 60 + 1800 + 20 + 20 + 20),
        ("recovery.volume", "no fencing", "shop-tinkerbell", 47.5 + 60 + 1800 + 20 + 20 + 20),
        # Without DRS, which is on in the example.
        ("balance.spread", "DRS disabled for workers", "shop-vsphere", PLANNED_SPREAD / SPREAD_LEFT),
        ("fleet.whole", "no spare host", "shop-tinkerbell", 72 + 1276.0 / 3600),
        ("fleet.whole", "a spare host", "shop-equinix", (1800 + 1276.0) / 3600),
    ],
)
def test_by_hand(question: str, variant: str, stack: str, value: float | None) -> None:
    found = ROWS[question, variant][stack]
    assert found == (value if value is None else pytest.approx(value, rel=1e-4))


def test_the_last_of_several_nodes_on_a_host_waits_for_the_taints_of_the_others() -> None:
    """Three VMs on the fullest host, tainted one every 10 s; without HA eviction moves the pods. In zones of five that
    is 60 %, and no node of them is tainted: a person starts the VMs elsewhere."""
    assert ROWS["recovery.stateless", "vSphere HA off"]["shop-vsphere"] == pytest.approx(1800 + 15 + 60 + 20)
    shop = next(each for each in CASES["shop"] if each.virtual)
    machines = tuple(replace(m, wanted=m.wanted.model_copy(update={"zone": "a"})) for m in shop.machines)
    rows = variants(questions(), [replace(shop, machines=machines)], inputs())
    (off,) = (
        row.values[shop.stack]
        for row in rows
        if (row.question, row.variant) == ("recovery.stateless", "vSphere HA off")
    )
    assert off == pytest.approx(47.5 + 2 * 10 + 60 + 22)


def test_fencing_is_offered_where_the_target_can() -> None:
    """The service that has ended cannot: what it is wished, and what is planned, are two things."""
    assert not [row for row in ROWS if "fencing by BMC" in row[1]]
    found = variants(questions(), CASES["edge"], inputs())
    (fenced,) = (row.values for row in found if "fencing by BMC" in row.variant)
    assert fenced == {"edge-tinkerbell": pytest.approx(47.5 + 600 + 15 + 60), "edge-vsphere": None}


def test_what_changes_nothing_is_left_out() -> None:
    """HA is on in the example."""
    assert ("recovery.volume", "vSphere HA on") not in ROWS
