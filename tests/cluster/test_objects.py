"""Every Kubernetes object that the example stacks declare, held against a real API server. What their Helm charts bring
is not among them."""

from __future__ import annotations

import pytest
import yaml

from tests.cli import Run
from tests.cluster.crds import crds
from tests.cluster.made import Stack
from tests.cluster.running import Cluster
from tests.specs import ROOT


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


def test_the_server_takes_what_the_operator_is_to_run(known: Cluster) -> None:
    """Stack objects with every field that they may have, and the accounts of their workspaces."""
    told = Run(
        ROOT,
        *("export", "operator", "shop", "edge", "--repo", "https://git.example.com/clusters.git"),
        *("--backend", "s3://states", "--org", "acme", "--git-secret", "git", "--env", "AWS_REGION"),
    )
    assert told.code == 0, told.err
    objects = list(yaml.safe_load_all(told.out))
    for each in objects:
        if each["kind"] == "Stack":
            each["spec"]["repoDir"] = "clusters/"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "isostack"}}
    assert known.apply([space]) == ""
    assert known.apply(objects, "--dry-run=server") == ""
    (stack, *_) = (each for each in objects if each["kind"] == "Stack")
    unknown = {**stack, "spec": {**stack["spec"], "program": {}}}
    assert 'unknown field "program"' in known.apply([unknown], "--dry-run=server")
    long = {**stack, "metadata": {**stack["metadata"], "name": "n" * 43}}
    assert "no more than 42 characters" in known.apply([long], "--dry-run=server")
