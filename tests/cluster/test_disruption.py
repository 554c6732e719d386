"""How fast lost nodes are tainted: the model, isostack/assess/recovery.py, held against a real controller in zones that
lose some of their nodes, all of them, and all at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from isostack.assess import recovery
from isostack.assess.recovery import taints_per_second
from tests.cluster import kwok
from tests.cluster.issuer import Issuer
from tests.cluster.lost import (
    KEPT,
    LOST,
    SLACK,
    UNTHROTTLED,
    WITHIN,
    Timers,
    control_plane,
    create,
    is_lost,
    is_tainted,
    named,
    node,
    ready,
)
from tests.cluster.root import Scene
from tests.cluster.running import until
from tests.cluster.watching import Watch, watch

TIMERS = Timers(grace=8, lease=2, monitor=1)
SLOWER = 0.05
"""Stands for the rate of a large zone that has lost most of its nodes, 0.01: nobody waits for 100 s."""
AT_MOST = 4
"""Taints of a zone that are waited for."""


@dataclass(frozen=True)
class Zone:
    nodes: int
    lost: int

    @property
    def name(self) -> str:
        return f"zone-{self.nodes}-{self.lost}"

    def node(self, i: int) -> str:
        return f"{self.name}-{i}"

    @property
    def rate(self) -> float:
        return taints_per_second(self.nodes, self.lost)

    @property
    def awaited(self) -> int:
        """How many are tainted within 30 s."""
        return min(self.lost, AT_MOST, 1 + int(31 * self.rate)) if self.rate else 0


ZONES = tuple(
    Zone(*each) for each in ((6, 2), (6, 3), (6, 4), (6, 6), (3, 2), (5, 3), (20, 10), (20, 11), (50, 28), (51, 29))
)
NODES = sum(zone.nodes for zone in ZONES)


def test_lost_nodes_are_tainted_one_after_the_other_or_not_at_all(
    scene: Scene, kwok_tool: str, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "SLOW", SLOWER)
    slower = f"--secondary-node-eviction-rate={SLOWER}"
    with ExitStack() as kept:
        cluster = kept.enter_context(control_plane(scene, issuer, tmp_path, TIMERS, slower, *UNTHROTTLED))
        hearts = [kept.enter_context(kwok.heart(cluster, kwok_tool, beat, TIMERS.lease)) for beat in (LOST, KEPT)]
        wanted = [(zone, i) for zone in ZONES for i in range(zone.nodes)]
        create(cluster, *(node(zone.node(i), zone.name, LOST if i < zone.lost else KEPT) for zone, i in wanted))
        for beat, number in ((LOST, sum(zone.lost for zone in ZONES)), (KEPT, sum(z.nodes - z.lost for z in ZONES))):
            ready(cluster, beat, number)
        nodes = kept.enter_context(watch(cluster, "/api/v1/nodes"))
        time.sleep(TIMERS.lease)
        hearts[0].kill()
        until(
            lambda: all(len(_tainted(nodes, zone)) >= zone.awaited for zone in ZONES),
            "as many nodes are tainted as the model says",
            lambda: str([(zone, _tainted(nodes, zone)) for zone in ZONES]),
            seconds=120,
        )
        measured = {zone: _tainted(nodes, zone) for zone in ZONES}
        hearts[1].kill()
        until(lambda: all(map(is_lost, nodes.now().values())), "all nodes are lost")
        rates = {taints_per_second(zone.nodes, zone.nodes, elsewhere=False) for zone in ZONES}
        assert rates == {0}
        until(lambda: not any(map(is_tainted, nodes.now().values())), "all taints are taken off")
        time.sleep(1.2 / recovery.TAINTED_PER_SECOND)
        assert len(nodes.now()) == NODES
        assert not any(map(is_tainted, nodes.now().values()))
    for zone, times in measured.items():
        print(zone, [round(each, 1) for each in times])
    assert [line for zone, times in measured.items() for line in _wrong(zone, times)] == []


def _tainted(nodes: Watch, zone: Zone) -> Sequence[float]:
    """Seconds since the first of its zone."""
    found = (nodes.first(named(zone.node(i), is_tainted)) for i in range(zone.nodes))
    times = sorted(each for each in found if each is not None)
    return [each - times[0] for each in times]


def _wrong(zone: Zone, times: Sequence[float]) -> Sequence[str]:
    if not zone.rate:
        # The controller notices one node after the other, and taints the first of them.
        return [f"{zone}: {len(times)} are tainted"] if len(times) > 1 else []
    late = []
    for i, after in enumerate(times):
        says = i / zone.rate
        if not says * (1 - WITHIN) <= after <= says * (1 + WITHIN) + SLACK:
            late.append(f"{zone}: number {i + 1} is tainted after {after:.1f} s, the model says {says:.1f}")
    return late
