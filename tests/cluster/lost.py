"""Hosts of a real control plane that die, and when it notices: nodes of KWOK whose leases are no longer renewed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isostack.assess.recovery import GRACE, LEASE, MONITOR
from tests.cluster import kwok
from tests.cluster.issuer import Issuer
from tests.cluster.made import EDGE, made
from tests.cluster.root import Root, Scene
from tests.cluster.running import Cluster, log, running, until

LOST, KEPT = "lost", "kept"
"""By whose heart a node lives."""
ZONE = "topology.kubernetes.io/zone"
WITHIN, SLACK = 0.15, 1.0
"""The error of a model, and the seconds by which a busy machine is late."""
UNTHROTTLED = ("--kube-api-qps=200", "--kube-api-burst=200")
"""Each host dies as if alone. With a controller's own 20 requests a second the last of twelve was tainted 3 s after the
first [measured] Kubernetes 1.36.3."""
UNREACHABLE = "node.kubernetes.io/unreachable"


@dataclass(frozen=True)
class Timers:
    """Seconds."""

    grace: int = GRACE
    lease: int = LEASE
    monitor: int = MONITOR

    @property
    def flags(self) -> Sequence[str]:
        return [f"--node-monitor-grace-period={self.grace}s", f"--node-monitor-period={self.monitor}s"]


@contextmanager
def control_plane(scene: Scene, issuer: Issuer, folder: Path, timers: Timers, *more: str) -> Iterator[Cluster]:
    """One that nobody else's nodes disturb, with these timers and what else its controllers are told."""
    flags = {"kube-controller-manager": [*timers.flags, *more]}
    with running(made(EDGE), Root(folder, scene), issuer.ca, flags) as cluster:
        yield cluster


def node(name: str, zone: str, beat: str) -> dict[str, Any]:
    labels = {kwok.BEAT: beat, ZONE: zone, "kubernetes.io/hostname": name}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def create(cluster: Cluster, *objects: Mapping[str, Any]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    cluster.kubectl("create", "--filename=-", text=text)


def ready(cluster: Cluster, beat: str, number: int) -> None:
    def all_are() -> bool:
        nodes = cluster.object("nodes", f"--selector={kwok.BEAT}={beat}")["items"]
        return (
            len(nodes) == number and all(map(is_ready, nodes)) and not any(each["spec"].get("taints") for each in nodes)
        )

    until(all_are, f"{number} nodes are ready", lambda: log(cluster.root, f"kwok-{beat}"))


def is_ready(node: Any) -> bool:
    return _status(node) == "True"


def is_lost(node: Any) -> bool:
    return _status(node) == "Unknown"


def is_tainted(node: Any) -> bool:
    """So that pods are evicted."""
    taints = node["spec"].get("taints", [])
    return any((each["key"], each["effect"]) == (UNREACHABLE, "NoExecute") for each in taints)


def _status(node: Any) -> str:
    conditions = node.get("status", {}).get("conditions", [])
    return next((each["status"] for each in conditions if each["type"] == "Ready"), "")


def named(name: str, holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda each: each["metadata"]["name"] == name and holds(each)


def spread(number: int, seconds: float, act: Callable[[int], None]) -> None:
    """Acts so many times at even distances within so many seconds."""
    start = time.monotonic()
    for i in range(number):
        time.sleep(max(0.0, start + i * seconds / number - time.monotonic()))
        act(i)
