"""Where the real scheduler puts pods, on nodes as user data registers them; and what the backup of etcd saves."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.addons.etcd_backup import NAME, NAMESPACE
from components.bootstrap.kubeadm import JOIN
from components.plan import CONTROL_PLANE_LABEL, TENANT
from tests.cluster.made import one_of_each
from tests.cluster.pods import OTHER, SPACE, pod, toleration
from tests.cluster.running import SUPER, Cluster, until

OWN = toleration(key=TENANT, operator="Equal", value=SPACE, effect="NoSchedule")


@pytest.fixture(scope="session")
def nodes(walled: Cluster) -> Cluster:
    """With a node of each pool, ready and empty, as nobody's kubelet says."""
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
    size = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    for name in one_of_each(walled.stack.plan):
        files = walled.stack.files[name]
        assert walled.apply([_node(name, yaml.safe_load(files[JOIN])["nodeRegistration"])], "--force-conflicts") == ""
        status = json.dumps({"status": {"capacity": size, "allocatable": size, "conditions": [ready]}})
        walled.kubectl("patch", "node", name, "--subresource=status", "--type=strategic", f"--patch={status}")
    return walled


@pytest.fixture(scope="session")
def dns(nodes: Cluster) -> Cluster:
    """With kubeadm's CoreDNS."""
    nodes.root.phase("addon", "coredns", "--kubeconfig", str(nodes.root.file(SUPER)))
    return nodes


def test_a_tenant_s_pod_gets_one_of_its_own_nodes(nodes: Cluster) -> None:
    assert nodes.apply([pod(OWN, SPACE, "own")]) == ""
    assert _place(nodes, SPACE, "own") == "shop-partner-0"


def test_no_tenant_s_pod_strays_onto_another_s_node(nodes: Cluster) -> None:
    assert nodes.apply([pod({}, OTHER, "astray")]) == ""
    until(lambda: "PodScheduled" in str(_pod(nodes, OTHER, "astray").get("status")), "the scheduler has looked at it")
    assert "nodeName" not in _pod(nodes, OTHER, "astray")["spec"]


def test_what_every_cluster_needs_finds_a_node(dns: Cluster) -> None:
    """All workers are tainted for tenants."""
    backup = [each for each in dns.stack.objects if each["metadata"]["name"].startswith(NAME)]
    assert dns.apply(backup) == ""
    dns.kubectl("create", "job", "now", f"--from=cronjob/{NAME}", f"--namespace={NAMESPACE}")
    for selector in ("k8s-app=kube-dns", "job-name=now"):
        there = partial(_on_control_plane, dns, selector)
        until(there, f"what has {selector} gets a node")


def test_tenants_may_ask_kubeadm_s_dns(dns: Cluster) -> None:
    rule = dns.object("networkpolicy", "allow-dns", f"--namespace={SPACE}")["spec"]["egress"][0]["to"][0]
    ((key, value),) = rule["podSelector"]["matchLabels"].items()
    ((space_key, space),) = rule["namespaceSelector"]["matchLabels"].items()
    assert dns.object("namespace", NAMESPACE)["metadata"]["labels"][space_key] == space
    template = dns.object("deployment", "coredns", f"--namespace={NAMESPACE}")["spec"]["template"]
    assert template["metadata"]["labels"][key] == value


def test_the_backup_s_commands_save_etcd(cluster: Cluster, tmp_path: Path) -> None:
    """Those of its containers, with the paths of this root."""
    (job,) = (each for each in cluster.stack.objects if each["kind"] == "CronJob")
    for container in job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["initContainers"]:
        program, *words = (
            cluster.root.here(word).replace("/snapshot", str(tmp_path), 1) for word in container["command"]
        )
        environment = {each["name"]: cluster.root.here(each["value"]) for each in container["env"]}
        command = [f"{cluster.root.scene.tools}/{program}", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr if program == "etcdutl" else "") == (0, "")
    assert (tmp_path / "etcd.db").stat().st_size


def _node(name: str, registration: Mapping[str, Any]) -> dict[str, Any]:
    """What kubeadm and the kubelet make of it."""
    flags = {flag["name"]: flag["value"] for flag in registration["kubeletExtraArgs"]}
    labels = dict(label.split("=") for label in flags["node-labels"].split(","))
    taints = registration.get("taints", [])
    if "control-plane" in name:
        labels[CONTROL_PLANE_LABEL] = ""
        taints = [{"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"}]
    metadata = {"name": name, "labels": {**labels, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": taints}}


def _pod(cluster: Cluster, space: str, name: str) -> Any:
    return cluster.object("pod", name, f"--namespace={space}")


def _place(cluster: Cluster, space: str, name: str) -> str:
    until(lambda: "nodeName" in _pod(cluster, space, name)["spec"], f"{name} has a node")
    return str(_pod(cluster, space, name)["spec"]["nodeName"])


def _on_control_plane(cluster: Cluster, selector: str) -> bool:
    pods = cluster.object("pods", f"--namespace={NAMESPACE}", f"--selector={selector}")["items"]
    return any("control-plane" in pod["spec"].get("nodeName", "") for pod in pods)
