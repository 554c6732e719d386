"""Zones of a real control plane that lose some of their nodes or all of them, and when those are tainted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from isostack.assess.recovery import SLOW, TAINTED_PER_SECOND, taints_per_second
from tests.cluster import kwok
from tests.cluster.issuer import Issuer
from tests.cluster.lost import (
    KEPT,
    LOST,
    UNTHROTTLED,
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
WINDOW = 33
"""Seconds after the first taint, and more if a zone's taints are not yet as many as are due then."""
WITHIN = 0.15
"""The error of the model."""


@dataclass(frozen=True)
class Zone:
    nodes: int
    lost: int

    def __str__(self) -> str:
        return f"{self.lost} of {self.nodes}"

    @property
    def name(self) -> str:
        return f"zone-{self.nodes}-{self.lost}"

    def node(self, i: int) -> str:
        return f"{self.name}-{i}"

    @property
    def rate(self) -> float:
        """What the model says."""
        says = taints_per_second(self.nodes, self.lost)
        return SLOWER if says == SLOW else says

    @property
    def due(self) -> int:
        """Nodes that are tainted within WINDOW."""
        return min(self.lost, 1 + int(WINDOW * self.rate * (1 - WITHIN))) if self.rate else 0


_PAIRS = ((6, 2), (6, 3), (6, 4), (6, 6), (3, 2), (5, 3), (20, 10), (20, 11), (50, 28), (51, 29))
ZONES = tuple(Zone(*each) for each in _PAIRS)


@dataclass(frozen=True)
class Disruption:
    tainted: Mapping[Zone, Sequence[float]]
    """Seconds since the first of its zone."""
    kept: int
    """Nodes that are still tainted once all of all zones are lost."""
    added: int
    """Nodes that are tainted from then on."""


def disruption(tool: str, issuer: Issuer, scene: Scene, folder: Path) -> Disruption:
    slower = f"--secondary-node-eviction-rate={SLOWER}"
    with ExitStack() as kept:
        cluster = kept.enter_context(control_plane(scene, issuer, folder, TIMERS, slower, *UNTHROTTLED))
        some, rest = (kept.enter_context(kwok.heart(cluster, tool, beat, TIMERS.lease)) for beat in (LOST, KEPT))
        wanted = [(zone, i) for zone in ZONES for i in range(zone.nodes)]
        create(cluster, *(node(zone.node(i), zone.name, LOST if i < zone.lost else KEPT) for zone, i in wanted))
        lost = sum(zone.lost for zone in ZONES)
        ready(cluster, LOST, lost)
        ready(cluster, KEPT, len(wanted) - lost)
        nodes = kept.enter_context(watch(cluster, "/api/v1/nodes"))
        time.sleep(TIMERS.lease)
        some.kill()
        until(lambda: nodes.first(is_tainted) is not None, "a node is tainted")
        time.sleep(WINDOW)
        until(lambda: all(len(_tainted(nodes, zone)) >= zone.due for zone in ZONES), "the zones' taints are there")
        tainted = {zone: _tainted(nodes, zone) for zone in ZONES}
        rest.kill()
        until(lambda: all(map(is_lost, nodes.now().values())), "all nodes are lost")
        time.sleep(2 * TIMERS.monitor)
        before = _names(nodes)
        time.sleep(1.2 / TAINTED_PER_SECOND)
        return Disruption(tainted, len(before), len(_names(nodes) - before))


def _names(nodes: Watch) -> set[str]:
    return {name for name, each in nodes.now().items() if is_tainted(each)}


def _tainted(nodes: Watch, zone: Zone) -> Sequence[float]:
    found = (nodes.first(named(zone.node(i), is_tainted)) for i in range(zone.nodes))
    times = sorted(each for each in found if each is not None)
    return [each - times[0] for each in times]
