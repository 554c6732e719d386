"""The model of recovery, isostack/assess/recovery.py, held against the timers of real control planes.

What is asserted are Kubernetes' own timers, not how fast a program is. The shortest is 8 s, what is compared is the
mean over nodes whose leases are spread over the lease's period, and a busy machine may only add SLACK.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import pytest

from isostack.assess import recovery
from tests.cluster.conftest import scene_of
from tests.cluster.issuer import Issuer
from tests.cluster.lost import Setting, Timers, losses
from tests.cluster.made import EDGE, made
from tests.cluster.root import run
from tests.cluster.zones import TIMERS, WITHIN, ZONES, Disruption, Zone, disruption

SETTINGS = {
    # So that each of the three counts; and the grace is no whole number of the controller's looks.
    "short and coarse": Setting(Timers(grace=10, lease=8, monitor=8), 10),
    # [documented] kubespray docs/advanced/kubernetes-reliability.md, but for its toleration of 30 s.
    "kubespray's fast reaction": Setting(Timers(grace=20, lease=4, monitor=2), 15),
    "the defaults": Setting(Timers(), 20),
}
SLACK = 1.0
"""Seconds by which a busy machine is late."""


@pytest.fixture(scope="module")
def measuring(
    tools: str, kwok_tool: str, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mapping[str, Future[Mapping[str, float]]], Future[Disruption]]]:
    """All at once: control planes wait more than they work."""
    made(EDGE)  # once, and not in every thread
    new = (scene_of(tools, issuer) for _ in count())
    folders = (tmp_path_factory.mktemp("lost") for _ in count())
    with ThreadPoolExecutor(1 + len(SETTINGS)) as threads:
        zones = threads.submit(disruption, kwok_tool, issuer, next(new), next(folders))
        times = {
            name: threads.submit(losses, kwok_tool, issuer, next(new), next(folders), setting)
            for name, setting in SETTINGS.items()
        }
        yield times, zones


@pytest.fixture
def zones(measuring: tuple[object, Future[Disruption]]) -> Disruption:
    return measuring[1].result()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_lost_node_is_noticed_evicted_and_replaced_when_the_model_says(
    measuring: tuple[Mapping[str, Future[Mapping[str, float]]], object], name: str
) -> None:
    timers, toleration = SETTINGS[name].timers, SETTINGS[name].toleration
    evicted = recovery.evicted(toleration, grace=timers.grace, lease=timers.lease, monitor=timers.monitor)
    says = {
        "noticed": recovery.detected(timers.grace, timers.lease, timers.monitor),
        "evicted": evicted,
        "placed": evicted + recovery.SCHEDULE,
    }
    measured = measuring[0][name].result()
    print(measured)  # what the docs say was measured
    assert [phase for phase in says if not _agree(says[phase], measured[phase])] == [], f"{measured}, not {says}"


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_lost_nodes_are_tainted_one_after_the_other_or_not_at_all(zones: Disruption, zone: Zone) -> None:
    tainted = zones.tainted[zone]
    assert len(tainted) >= zone.due
    for i, after in enumerate(tainted[1:], 1):
        assert zone.rate, f"{len(tainted)} are tainted"
        # One may be tainted before the controller notices the others, and then the wait begins anew with the zone's
        # state. And one turn may be lost: the queue of a zone takes it before it looks whether there is a node to
        # taint, or for one whose taint it does not see yet
        # [seen] kubernetes pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go, Try.
        later = SLACK + TIMERS.lease + TIMERS.monitor + 1 / zone.rate
        assert _agree(i / zone.rate, after, SLACK, later), f"number {i + 1} is tainted after {after:.1f} s"


def test_once_all_zones_are_lost_no_more_nodes_are_tainted(zones: Disruption) -> None:
    assert {recovery.taints_per_second(zone.nodes, zone.nodes, elsewhere=False) for zone in ZONES} == {0}
    assert zones.added == 0
    # Taints are taken off, but for those that were put on at that very moment.
    assert zones.kept < sum(map(len, zones.tainted.values())) / 2


def _agree(says: float, measured: float, earlier: float = 0, later: float = SLACK) -> bool:
    return says * (1 - WITHIN) - earlier <= measured <= says * (1 + WITHIN) + later


def test_the_constants_are_the_program_s_own_defaults(tools: str) -> None:
    flags = run([f"{tools}/kube-controller-manager", "--help"])

    def default(flag: str) -> str:
        (value,) = re.findall(rf"^ +--{flag} .*\(default (\S+)\)$", flags, re.MULTILINE)
        return str(value)

    assert default("node-monitor-grace-period") == f"{recovery.GRACE}s"
    assert default("node-monitor-period") == f"{recovery.MONITOR}s"
    assert default("node-eviction-rate") == str(recovery.TAINTED_PER_SECOND)
    assert default("secondary-node-eviction-rate") == str(recovery.SLOW)
    assert default("unhealthy-zone-threshold") == str(recovery.UNHEALTHY)
    assert default("large-cluster-size-threshold") == str(recovery.LARGE)
