"""Hosts of a real control plane that die, and when it notices: nodes of KWOK whose leases are no longer renewed."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.request import Request, urlopen

from isostack.assess.recovery import GRACE, LEASE, MONITOR
from tests.cluster import kwok
from tests.cluster.issuer import Issuer
from tests.cluster.made import EDGE, made
from tests.cluster.pods import pod
from tests.cluster.root import HOST, Root, Scene, free_ports
from tests.cluster.running import Cluster, log, program, running, until
from tests.cluster.watching import watch

LOST, KEPT = "lost", "kept"
"""By whose heart a node lives."""
ZONE = "topology.kubernetes.io/zone"
HOSTS, APP = 24, "app"
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


@dataclass(frozen=True)
class Setting:
    timers: Timers
    toleration: int
    """Seconds, of the pods."""


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


@contextmanager
def adding(cluster: Cluster) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """What makes a node at once: kubectl takes part of a second to start, more where all cores are busy."""
    (port,) = free_ports(1)
    proxy = [*cluster.command(), "proxy", f"--port={port}"]

    def add(node: Mapping[str, Any]) -> None:
        url, headers = f"http://{HOST}:{port}/api/v1/nodes", {"Content-Type": "application/json"}
        with urlopen(Request(url, json.dumps(node).encode(), headers), timeout=60):
            pass

    def answers() -> bool:
        with suppress(OSError), socket.create_connection((HOST, port), 10):
            return True
        return False

    with program(cluster.root, "kubectl-proxy", proxy, os.environ):
        until(answers, "kubectl proxies")
        yield add


def ready(cluster: Cluster, beat: str, number: int) -> None:
    def all_are() -> bool:
        nodes = cluster.object("nodes", f"--selector={kwok.BEAT}={beat}")["items"]
        return len(nodes) == number and all(map(is_ready, nodes)) and not any(map(_held, nodes))

    until(all_are, f"{number} nodes are ready", lambda: log(cluster.root, f"kwok-{beat}"))


def _held(node: Any) -> bool:
    """By the node controller, which taints what is new or lost."""
    return any(taint["key"].startswith("node.kubernetes.io/") for taint in node["spec"].get("taints", []))


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


def losses(tool: str, issuer: Issuer, scene: Scene, folder: Path, setting: Setting) -> Mapping[str, float]:
    """Mean seconds from the death of hosts, each of which stands in a zone with one that lives on, so that no loss
    waits for another."""
    timers, numbers = setting.timers, range(HOSTS)
    with ExitStack() as kept:
        cluster = kept.enter_context(control_plane(scene, issuer, folder, timers, *UNTHROTTLED))
        dying = kept.enter_context(kwok.heart(cluster, tool, LOST, timers.lease))
        kept.enter_context(kwok.heart(cluster, tool, KEPT, timers.lease))
        # Leases begin with the node: so the hosts die at all distances from their last one.
        with adding(cluster) as add:
            spread(HOSTS, timers.lease, lambda i: add(node(f"lost-{i}", f"zone-{i}", LOST)))
        ready(cluster, LOST, HOSTS)
        create(cluster, *(_replicated(i, setting.toleration) for i in numbers))
        pods = kept.enter_context(watch(cluster, "/api/v1/namespaces/default/pods"))
        until(lambda: all(pods.first(_runs(i, LOST)) for i in numbers), "a pod runs on each")
        create(cluster, *(node(f"kept-{i}", f"zone-{i}", KEPT) for i in numbers))
        ready(cluster, KEPT, HOSTS)
        nodes = kept.enter_context(watch(cluster, "/api/v1/nodes"))
        time.sleep(max(timers.lease, timers.monitor))  # until all that is alive has been looked at
        dying.kill()
        died = time.monotonic()
        patience = 60 + 2 * (setting.timers.grace + setting.toleration)
        until(lambda: all(pods.first(_runs(i, KEPT)) for i in numbers), "all pods are replaced", seconds=patience)
        assert not nodes.first(lambda each: is_lost(each) and each["metadata"]["labels"][kwok.BEAT] == KEPT)
        phases: Mapping[str, Callable[[int], float | None]] = {
            "noticed": lambda i: nodes.first(named(f"lost-{i}", is_lost)),
            "evicted": lambda i: pods.first(_ends(i)),
            "placed": lambda i: pods.first(_runs(i, KEPT)),
        }
        return {phase: fmean((at(i) or 0) - died for i in numbers) for phase, at in phases.items()}


def _replicated(i: int, toleration: int) -> Mapping[str, Any]:
    """One pod, in its zone."""
    tolerates = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": toleration}
        for key in (UNREACHABLE, "node.kubernetes.io/not-ready")
    ]
    wanted = pod({"nodeSelector": {ZONE: f"zone-{i}"}, "tolerations": tolerates}, "default")["spec"]
    template = {"metadata": {"labels": {APP: str(i)}}, "spec": wanted}
    spec = {"replicas": 1, "selector": {"matchLabels": {APP: str(i)}}, "template": template}
    metadata = {"name": f"app-{i}", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def _runs(i: int, beat: str) -> Callable[[Any], bool]:
    return lambda each: _is(i, each) and each["spec"].get("nodeName") == f"{beat}-{i}" and _phase(each) == "Running"


def _ends(i: int) -> Callable[[Any], bool]:
    return lambda each: _is(i, each) and "deletionTimestamp" in each["metadata"]


def _is(i: int, pod: Any) -> bool:
    return bool(pod["metadata"]["labels"].get(APP) == str(i))


def _phase(pod: Any) -> str:
    return str(pod.get("status", {}).get("phase"))
