"""Every Kubernetes object that the example stacks declare, held against a real API server. What their Helm charts bring
is not among them."""

from __future__ import annotations

import pytest
import yaml

from tests.cluster.crds import crds
from tests.cluster.made import Stack
from tests.cluster.running import Cluster


@pytest.fixture(scope="session")
def known(cluster: Cluster) -> Cluster:
    """With the kinds that others bring."""
    assert cluster.apply(list(crds())) == ""
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    return cluster


def test_the_server_takes_every_object_and_knows_every_field(known: Cluster, stack: Stack) -> None:
    """Without a warning, too: of a deprecated field or version, of a pod that its namespace's level would refuse."""
    names = sorted({each["metadata"].get("namespace", "default") for each in stack.objects})
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    assert known.apply(spaces) == ""
    assert stack.objects
    assert known.apply(stack.objects, "--dry-run=server", "--force-conflicts") == ""


def test_static_pods_are_pods(known: Cluster, stack: Stack) -> None:
    """kube-vip's is the only one that kubeadm does not make."""
    (text,) = (text for path, text in stack.files[stack.first].items() if path.endswith("kube-vip.yaml"))
    pod = yaml.safe_load(text)
    assert known.apply([pod], "--dry-run=server") == ""
