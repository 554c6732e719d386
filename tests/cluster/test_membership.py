"""How a node gets its labels and leaves its cluster, as `pulumi up` does it: real API server, scheduler, controllers,
etcd and kubectl; nodes and pods of KWOK."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from components import membership
from components.addons import medik8s, upgrades
from components.plan import Manifest
from tests.cluster import kwok
from tests.cluster.crds import own
from tests.cluster.root import API, HOST, free_ports, run
from tests.cluster.running import STACK, Cluster, log, program, until
from tests.tools import folder

OLD, NEW, SPACE = "shop-web-7", "shop-web-8", "default"
MASTER, PEER = "shop-control-plane-0", "shop-control-plane-1"
ROLE = "node-role.kubernetes.io/web"
APP = {"app": "drained"}
ETCD_POD = {"component": "etcd", "tier": "control-plane"}


@pytest.fixture(scope="module")
def machines(cluster: Cluster) -> Iterator[Cluster]:
    tool = folder("kwok", "no Go to compile KWOK: the tests of drained nodes are skipped")
    with kwok.kwok(cluster, tool):
        yield cluster


@pytest.fixture
def home(machines: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Two nodes. kubectl is on PATH, and nobody waits for long."""
    monkeypatch.setenv("PATH", f"{machines.root.scene.tools}:{os.environ['PATH']}")
    for name in ("API_SECONDS", "JOIN_SECONDS", "DETACH_SECONDS", "DRAIN_SECONDS"):
        monkeypatch.setattr(membership, name, 10)
    monkeypatch.setattr(membership, "PAUSE_SECONDS", 0.2)
    kwok.join(machines, OLD, NEW, labels={"tier": "web"})
    yield machines
    for name in (OLD, NEW):
        machines.kubectl("delete", "node", name, "--ignore-not-found")


def ask(cluster: Cluster, act: str, node: str = OLD, **environment: Any) -> int:
    given = {"ROLE": "worker", "LABELS": "{}", "ADMIN": cluster.root.read(STACK), **environment}
    return membership.main([act], {"NODE": node, **given})


def labels(cluster: Cluster, node: str) -> Mapping[str, str]:
    found: Mapping[str, str] = cluster.object("node", node)["metadata"]["labels"]
    return found


def names(cluster: Cluster, kind: str, *options: str) -> set[str]:
    return {each["metadata"]["name"] for each in cluster.object(kind, *options)["items"]}


def test_a_node_gets_the_labels_that_its_kubelet_may_not_set(home: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(home, "join", LABELS=json.dumps({ROLE: "", "x.k8s.io/y": "1"})) == 0
    assert labels(home, OLD) == {"tier": "web", ROLE: "", "x.k8s.io/y": "1"}
    before = capsys.readouterr().out
    # Another wish, then none: what the kubelet has set stays.
    assert ask(home, "join", LABELS=json.dumps({ROLE: "other"})) == 0
    assert labels(home, OLD) == {"tier": "web", ROLE: "other"}
    assert ask(home, "join", PULUMI_COMMAND_STDOUT=before) == 0
    assert labels(home, OLD) == {"tier": "web"}


def test_labels_wait_for_their_node(home: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    home.kubectl("delete", "node", OLD)
    assert ask(home, "join", LABELS=json.dumps({ROLE: ""})) == 1
    assert capsys.readouterr().err == f"{OLD} cannot join: it has not registered, after 10 s\n"
    assert OLD not in names(home, "nodes")  # an apply alone would make it
    with ThreadPoolExecutor(1) as threads:
        labelled = threads.submit(ask, home, "join", LABELS=json.dumps({ROLE: ""}))
        kwok.join(home, OLD)
        assert labelled.result() == 0
    assert ROLE in labels(home, OLD)


@contextmanager
def workload(cluster: Cluster, needed: int) -> Iterator[None]:
    """Two pods on OLD, of which so many must stay up, and one of a DaemonSet."""
    template = {
        "metadata": {"labels": APP},
        "spec": {"tolerations": [kwok.TOLERATES], "containers": [{"name": "c", "image": "i"}]},
    }
    daemon = {**template, "metadata": {"labels": {"app": "daemon"}}}
    meta = {"name": "drained", "namespace": SPACE}
    selector = {"matchLabels": APP}
    spec = {"replicas": 2, "selector": selector, "template": template}
    objects = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": meta,
            "spec": {"selector": {"matchLabels": {"app": "daemon"}}, "template": daemon},
        },
        budget(needed),
    ]
    cluster.kubectl("cordon", NEW)
    assert cluster.apply(objects) == ""
    until(lambda: placed(cluster) == [OLD, OLD], "the pods run", partial(log, cluster.root, "kwok"))
    cluster.kubectl("uncordon", NEW)
    healthy = ("poddisruptionbudget", "drained", f"--namespace={SPACE}")
    until(lambda: cluster.object(*healthy)["status"].get("currentHealthy") == 2, "their budget counts them")
    try:
        yield
    finally:
        for kind in ("deployment", "daemonset", "poddisruptionbudget"):
            cluster.kubectl("delete", kind, "drained", f"--namespace={SPACE}", "--wait=false")


def budget(needed: int) -> dict[str, Any]:
    spec = {"minAvailable": needed, "selector": {"matchLabels": APP}}
    meta = {"name": "drained", "namespace": SPACE}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec}


def placed(cluster: Cluster) -> list[str]:
    """The nodes of the pods that run."""
    pods = cluster.object("pods", f"--namespace={SPACE}", "--selector=app=drained")["items"]
    return sorted(
        pod["spec"].get("nodeName", "")
        for pod in pods
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    )


def test_a_node_is_drained_as_its_budgets_allow(home: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    with workload(home, needed=2):
        assert ask(home, "leave") == 1
        said = capsys.readouterr().err
        assert said.startswith(f"{OLD} cannot leave: ")
        assert "Cannot evict pod as it would violate the pod's disruption budget" in said
        assert f"ISOSTACK_UNDRAINED={OLD} pulumi up" in said
        assert placed(home) == [OLD, OLD]
        assert home.object("node", OLD)["spec"]["unschedulable"]
        assert home.apply([budget(1)], "--force-conflicts") == ""
        assert ask(home, "leave") == 0
        assert OLD not in names(home, "nodes")
        until(lambda: placed(home) == [NEW, NEW], "both pods run elsewhere")
        # And once more: what is done is passed over.
        assert ask(home, "leave") == 0
        assert f"{OLD} is no node of the cluster" in capsys.readouterr().out


def attach(cluster: Cluster, node: str) -> None:
    source = {"persistentVolumeName": "pv-7"}
    spec = {"attacher": "csi.example.com", "nodeName": node, "source": source}
    meta = {"name": "attached"}
    assert (
        cluster.apply([{"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": meta, "spec": spec}])
        == ""
    )


def test_volumes_are_detached_before_the_machine_goes(home: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody here attaches or detaches, so what Kubernetes' own controller wants is played."""
    attach(home, OLD)
    home.kubectl("patch", "volumeattachment", "attached", "--type=merge", '--patch={"metadata":{"finalizers":["x/y"]}}')
    assert ask(home, "leave") == 1
    assert "volumes are attached to it: attached (pv-7), after 10 s" in capsys.readouterr().err
    assert OLD in names(home, "nodes")
    home.kubectl("patch", "volumeattachment", "attached", "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    home.kubectl("delete", "volumeattachment", "attached", "--ignore-not-found")
    assert ask(home, "leave") == 0
    assert OLD not in names(home, "nodes")


def test_a_node_that_does_not_answer_is_given_up(home: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Its budget would hold an eviction for ever: no pod of it can become ready again."""
    with workload(home, needed=2):
        lost = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
        home.kubectl("patch", "node", OLD, "--subresource=status", "--type=strategic", f"--patch={json.dumps(lost)}")
        assert ask(home, "leave") == 0
        assert f"{OLD} does not answer: it is not drained" in capsys.readouterr().out
        assert OLD not in names(home, "nodes")


def fenced(node: str) -> dict[str, Any]:
    """As the health check makes it and the operator takes it up."""
    metadata = {"name": node, "namespace": medik8s.NAMESPACE, "finalizers": ["x/y"]}
    kind = {"apiVersion": f"{medik8s.FENCE}/v1alpha1", "kind": "FenceAgentsRemediation"}
    return {**kind, "metadata": metadata, "spec": {"agent": "fence_redfish"}}


def test_a_node_is_not_fenced_while_it_leaves(
    home: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody here fences, so what the operator does with its finalizer is played."""
    monkeypatch.setattr(membership, "FENCED_SECONDS", 5)
    assert home.apply(list(own())) == ""
    home.kubectl("wait", "--for=condition=Established", "crd", "--all")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": medik8s.NAMESPACE}}
    assert home.apply([space], "--force-conflicts") == ""
    assert home.apply([fenced(OLD), fenced(NEW)]) == ""
    own_space = f"--namespace={medik8s.NAMESPACE}"
    try:
        assert ask(home, "leave") == 1
        assert f"{OLD} cannot leave: it is being fenced, and that does not stop" in capsys.readouterr().err
        assert labels(home, OLD)[membership.EXCLUDE] == "true"
        assert not home.object("node", OLD)["spec"].get("unschedulable")
        deleted = {
            each["metadata"]["name"]: "deletionTimestamp" in each["metadata"]
            for each in home.object(membership.FENCED_KIND, own_space)["items"]
        }
        assert deleted == {OLD: True, NEW: False}
        free(home, OLD)
        assert ask(home, "leave") == 0
        assert OLD not in names(home, "nodes")
    finally:
        for node in names(home, membership.FENCED_KIND, own_space):
            free(home, node)
        home.kubectl("delete", membership.FENCED_KIND, "--all", own_space)


def free(cluster: Cluster, node: str) -> None:
    done = ("--type=merge", '--patch={"metadata":{"finalizers":null}}')
    cluster.kubectl("patch", membership.FENCED_KIND, node, f"--namespace={medik8s.NAMESPACE}", *done)


def test_a_node_that_leaves_is_passed_over_by_upgrades(home: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """The controller is not here: its Plans and a job of it are."""
    (addon,) = (addon for addon in home.stack.plan.addons if addon.name == upgrades.NAME)
    wanted = [(thing.kind, thing.name) for thing in addon.objects if isinstance(thing, Manifest)]
    base = [
        each
        for each in home.stack.objects
        if each["kind"] in ("CustomResourceDefinition", "Namespace")
        and (each["kind"], each["metadata"]["name"]) in wanted
    ]
    assert home.apply(base, "--force-conflicts") == ""
    home.kubectl("wait", "--for=condition=Established", "crd", membership.PLANS)
    plans = [each for each in home.stack.objects if each["kind"] == "Plan"]
    assert home.apply([*plans, *(upgrade(node) for node in (OLD, NEW))], "--force-conflicts") == ""
    space = f"--namespace={upgrades.NAMESPACE}"
    try:
        with workload(home, needed=2):
            assert ask(home, "leave") == 1
            disabled = {f"plan.upgrade.cattle.io/{each['metadata']['name']}": "disabled" for each in plans}
            assert disabled.items() <= labels(home, OLD).items()
            assert len(disabled) == 2
            assert not disabled.items() & labels(home, NEW).items()
            assert names(home, "jobs", space) == {f"apply-on-{NEW}"}
            said = capsys.readouterr().err
            assert all(f" {label}-" in said for label in (membership.EXCLUDE, *disabled))
    finally:
        home.kubectl("delete", "jobs", "--all", space)
        home.kubectl("delete", membership.PLANS, "--all", space)


def upgrade(node: str) -> dict[str, Any]:
    """Its job, suspended as the controller makes it [seen] v0.20.1 pkg/upgrade/job/job.go, as far as it counts here."""
    metadata = {"name": f"apply-on-{node}", "namespace": upgrades.NAMESPACE, "labels": {membership.JOB_OF: node}}
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    spec = {"parallelism": 0, "completions": 1, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


@contextmanager
def second_member(cluster: Cluster) -> Iterator[None]:
    """Of etcd: a real one, with the name that kubeadm would give it, and added as kubeadm does: it learns first."""
    root, data = cluster.root, cluster.root.file("second-etcd")
    first = root.command("etcd")
    client, peer = (f"https://{HOST}:{port}" for port in free_ports(2))
    own = {
        "--name": PEER,
        "--data-dir": str(data),
        "--listen-client-urls": client,
        "--advertise-client-urls": client,
        "--listen-peer-urls": peer,
        "--initial-advertise-peer-urls": peer,
        "--initial-cluster": f"{value(first, '--initial-cluster')},{PEER}={peer}",
        "--initial-cluster-state": "existing",
    }
    rest = [word for word in first if word.partition("=")[0] not in {*own, "--listen-metrics-urls"}]
    etcdctl(cluster, "member", "add", PEER, f"--peer-urls={peer}", "--learner")
    with program(root, "second-etcd", [*rest, *(f"{key}={word}" for key, word in own.items())], os.environ):
        until(lambda: PEER in members(cluster), "the second member is there", partial(log, root, "second-etcd"))
        until(lambda: promoted(cluster), "the second member votes", partial(log, root, "second-etcd"))
        yield


def value(command: list[str], flag: str) -> str:
    return next(word.partition("=")[2] for word in command if word.startswith(f"{flag}="))


def members(cluster: Cluster) -> set[str]:
    return {each.get("name", "") for each in json.loads(etcdctl(cluster, "member", "list", "-w=json"))["members"]}


def promoted(cluster: Cluster) -> bool:
    found = json.loads(etcdctl(cluster, "member", "list", "-w=json"))["members"]
    (learner,) = (each for each in found if each.get("name") == PEER)
    try:
        return bool(etcdctl(cluster, "member", "promote", f"{learner['ID']:x}"))
    except AssertionError:  # not yet in step with the first
        return False


def etcdctl(cluster: Cluster, *words: str) -> str:
    return run([str(cluster.root.file("containers/etcdctl")), *membership.ETCDCTL[1:], *words])


def test_a_control_plane_node_leaves_etcd_too(home: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    kwok.join(home, MASTER, PEER)
    kwok.static_pod(home, "etcd", MASTER, ETCD_POD)
    kwok.static_pod(home, "etcd", PEER, ETCD_POD)
    running = ("pod", f"etcd-{MASTER}", "--namespace=kube-system")
    until(lambda: home.object(*running)["status"]["phase"] == "Running", "etcd's pod runs")
    try:
        with second_member(home):
            assert members(home) == {MASTER, PEER}
            assert ask(home, "leave", PEER, ROLE="control-plane") == 0
            assert members(home) == {MASTER}
            assert PEER not in names(home, "nodes")
            assert "removed from cluster" in capsys.readouterr().out
            assert ask(home, "leave", PEER, ROLE="control-plane") == 0
            assert members(home) == {MASTER}
        # The last one has nobody to ask, and nothing to leave.
        assert ask(home, "leave", MASTER, ROLE="control-plane") == 0
        assert f"that of {MASTER} is the last" in capsys.readouterr().out
        assert members(home) == {MASTER}
    finally:
        for name in (MASTER, PEER):
            home.kubectl("delete", "node", name, "--ignore-not-found")
            home.kubectl(
                "delete", "pod", f"etcd-{name}", "--namespace=kube-system", "--ignore-not-found", "--wait=false"
            )


def test_a_dead_api_stops_it_unless_the_operator_says_otherwise(
    home: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = home.root.read(STACK)
    (port,) = free_ports(1)
    dead = admin.replace(str(home.root.at(API)), str(port))
    assert ask(home, "leave", ADMIN=dead) == 1
    assert "refused" in capsys.readouterr().err
    assert ask(home, "leave", ADMIN=dead, ISOSTACK_UNDRAINED=f"another,{OLD}") == 0
    assert capsys.readouterr() == (f"{OLD} is not drained: ISOSTACK_UNDRAINED names it\n", "")
    assert ask(home, "leave", ADMIN=dead, ISOSTACK_UNDRAINED="another") == 1
    assert OLD in names(home, "nodes")
