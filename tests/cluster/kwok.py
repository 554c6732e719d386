"""Nodes of KWOK: pods on them run, end when they are told to, and `kubectl exec` runs a program of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from components.bootstrap.kubeadm import PKI
from tests.cluster.root import HOST, free_ports
from tests.cluster.running import STACK, Cluster, log, program, until
from tests.specs import ROOT

OURS = "kwok.x-k8s.io/node"
"""Annotation and taint of its nodes: it leaves those alone that a test plays itself, and other tests' pods its own."""
BEAT = "beat"
"""Label of nodes by whose heart they live."""
CONFIG = Path(__file__).with_suffix(".yaml")
TOLERATES = {"key": OURS, "operator": "Exists"}
_ETCDCTL = """#!{python} -P
import os, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from tests.cluster.root import Root, Scene
root = Root(Path({path!r}), Scene({tools!r}, {ports!r}, {{}}))
os.execv(root.scene.tools + "/etcdctl", ["etcdctl", *map(root.here, sys.argv[1:])])
"""
"""Stands for the etcd image: finds the files and ports of the test's machine as the container would its own."""


@contextmanager
def kwok(cluster: Cluster, tool: str) -> Iterator[None]:
    """Its nodes live as long as this. `tool` is the folder of the program."""
    root = cluster.root
    etcdctl = root.file("containers/etcdctl")
    etcdctl.parent.mkdir(exist_ok=True)
    etcdctl.write_text(
        _ETCDCTL.format(
            python=sys.executable,
            repository=str(ROOT),
            path=str(root.path),
            tools=root.scene.tools,
            ports=dict(root.scene.ports),
        )
    )
    etcdctl.chmod(0o755)
    (port,) = free_ports(1)
    certificate = root.file(f"{PKI}/etcd/server")
    command = [
        f"{tool}/kwok",
        f"--kubeconfig={root.file(STACK)}",
        f"--config={CONFIG}",
        f"--manage-nodes-with-annotation-selector={OURS}=fake",
        f"--node-ip={HOST}",
        f"--node-port={port}",
        f"--server-address={HOST}:{port}",
        f"--tls-cert-file={certificate}.crt",
        f"--tls-private-key-file={certificate}.key",
        "--node-lease-duration-seconds=40",
    ]
    environment = {**os.environ, "PATH": f"{etcdctl.parent}:{os.environ['PATH']}"}
    with program(root, "kwok", command, environment):
        yield


@contextmanager
def heart(cluster: Cluster, tool: str, beat: str, lease: float) -> Iterator[subprocess.Popen[bytes]]:
    """Renews the leases of all nodes whose label BEAT has this value, every `lease` seconds, as a kubelet does: with
    the same random 4 % more [seen] kwok v0.8.0 pkg/kwok/controllers/controller.go, initNodeLeaseController. Its end is
    the death of their hosts."""
    command = [
        f"{tool}/kwok",
        f"--kubeconfig={cluster.root.file(STACK)}",
        f"--config={CONFIG}",
        f"--manage-nodes-with-label-selector={BEAT}={beat}",
        f"--node-ip={HOST}",
        f"--node-lease-duration-seconds={lease * 4:.0f}",
    ]
    with program(cluster.root, f"kwok-{beat}", command, os.environ) as process:
        yield process


def join(cluster: Cluster, *names: str, labels: Mapping[str, str] | None = None) -> None:
    """Nodes that are ready, without pods of others. One of that name that is there goes first."""
    for name in names:
        cluster.kubectl("delete", "node", name, "--ignore-not-found")
        metadata = {"name": name, "annotations": {OURS: "fake"}, "labels": dict(labels or {})}
        taint = {"key": OURS, "value": "fake", "effect": "NoSchedule"}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": [taint]}}
        said = cluster.apply([node])
        assert not said, said
    for name in names:
        until(partial(_is_ready, cluster, name), f"{name} is ready", partial(log, cluster.root, "kwok"))


def _is_ready(cluster: Cluster, name: str) -> bool:
    conditions: Any = cluster.object("node", name).get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def static_pod(cluster: Cluster, name: str, node: str, labels: Mapping[str, str]) -> None:
    """As the kubelet mirrors it."""
    metadata = {"name": f"{name}-{node}", "namespace": "kube-system", "labels": dict(labels)}
    metadata_own = {"annotations": {"kubernetes.io/config.mirror": "0", "kubernetes.io/config.source": "file"}}
    spec = {"nodeName": node, "hostNetwork": True, "containers": [{"name": name, "image": name}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, **metadata_own}, "spec": spec}
    cluster.kubectl("create", "--filename=-", text=json.dumps(pod))
