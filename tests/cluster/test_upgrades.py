"""Which nodes a real API server finds for the Plans of an upgrade, and what their jobs may do."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.addons import reboots, upgrades
from components.addons.remediation import EXCLUDE
from components.plan import CONTROL_PLANE_LABEL, RELEASE, Manifest
from tests.cluster.made import SHOP, made
from tests.cluster.running import Cluster

VERSION = made(SHOP).plan.spec.kubernetes.version
CONTROL, OTHER = {CONTROL_PLANE_LABEL: ""}, "1.35.7"
NODES: Mapping[str, Mapping[str, str]] = {
    "control-new": {**CONTROL, RELEASE: VERSION},
    "control-old": {**CONTROL, RELEASE: OTHER},
    "control-bare": CONTROL,
    "worker-new": {RELEASE: VERSION},
    "worker-old": {RELEASE: OTHER},
    "worker-bare": {},
}
OURS = "upgrade-test"
KIND = f"plans.{upgrades.GROUP}"
ACCOUNT = f"--as=system:serviceaccount:{upgrades.NAMESPACE}:{upgrades.JOB}"
_TERMS = {"Exists": "{key}", "DoesNotExist": "!{key}", "NotIn": "{key} notin ({values})"}


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Iterator[Cluster]:
    """With the rights of the add-on, really made, and nodes of each kind that no kubelet runs."""
    kinds = ("ClusterRole", "ClusterRoleBinding", "Namespace", "Role", "RoleBinding", "ServiceAccount")
    found = [addon for addon in cluster.stack.plan.addons if addon.name in (upgrades.NAME, "reboots")]
    names = {(thing.kind, thing.name) for addon in found for thing in addon.objects if isinstance(thing, Manifest)}
    objects = [
        each
        for each in cluster.stack.objects
        if each["kind"] in (*kinds, "CustomResourceDefinition") and (each["kind"], each["metadata"]["name"]) in names
    ]
    assert cluster.apply(objects, "--force-conflicts") == ""
    cluster.kubectl("wait", "--for=condition=Established", "crd", KIND)
    nodes = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {**labels, OURS: ""}}}
        for name, labels in NODES.items()
    ]
    assert cluster.apply(nodes) == ""
    yield cluster
    cluster.kubectl("delete", "node", *NODES)


def selected(cluster: Cluster, selector: str, *options: str) -> set[str]:
    told = cluster.kubectl("get", "nodes", f"--selector={OURS},{selector}", "--output=name", *options)
    return {line.removeprefix("node/") for line in told.split()}


def plans(cluster: Cluster) -> dict[str, Any]:
    return {each["metadata"]["name"]: each["spec"] for each in cluster.stack.objects if each["kind"] == "Plan"}


def test_plans_find_the_nodes_of_their_role_that_have_another_release(installed: Cluster) -> None:
    found = {}
    for name, spec in plans(installed).items():
        terms = spec["nodeSelector"]["matchExpressions"]
        selector = ",".join(
            _TERMS[term["operator"]].format(key=term["key"], values=",".join(term.get("values", ()))) for term in terms
        )
        found[name] = selected(installed, selector)
    assert found == {"control-plane": {"control-old", "control-bare"}, "workers": {"worker-old", "worker-bare"}}


def test_a_worker_s_job_finds_what_it_waits_for(installed: Cluster) -> None:
    """With the selector of upgrade.sh, and as the account that its pod has."""
    left = selected(installed, f"{CONTROL_PLANE_LABEL},{RELEASE}!={VERSION}", ACCOUNT)
    assert left == {"control-old", "control-bare"}


def script(cluster: Cluster, name: str, function: str) -> str:
    """What a function of upgrade.sh says on a node, as the account that its pod has."""
    whole = Path(upgrades.__file__).with_name("upgrade.sh").read_text("utf-8")
    parts = (
        f"set -Eeuo pipefail; NODE_NAME={name} EXCLUDE={EXCLUDE} VERSION={VERSION}",
        f'as_pod() {{ {shlex.join(cluster.command())} {ACCOUNT} "$@"; }}',
        *re.findall(r"^readonly (?:STATES|EXCLUDED)=.*$", whole, re.MULTILINE),
        *re.findall(rf"^{function}\(\) {{$.*?^}}$", whole, re.MULTILINE | re.DOTALL),
        function,
    )
    done = subprocess.run(["bash", "-c", "\n".join(parts)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_job_finds_which_nodes_of_the_control_plane_are_away(installed: Cluster) -> None:
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    for name in ("control-new", "control-old"):
        installed.kubectl(
            "patch", "node", name, "--subresource=status", "--type=strategic", f"--patch={json.dumps(ready)}"
        )
    assert "control-new" not in script(installed, "control-old", "away")
    installed.kubectl("cordon", "control-new")
    installed.kubectl("taint", "node", "control-new", "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
    told = [line for line in script(installed, "control-old", "away").splitlines() if line.startswith("control-")]
    assert sorted(told) == ["control-bare is not Ready", "control-new is cordoned", "control-new is out of service"]


def test_a_job_keeps_its_node_from_being_fenced_and_gives_back_what_it_took(installed: Cluster) -> None:
    def given() -> tuple[bool, bool]:
        metadata = installed.object("node", "worker-old")["metadata"]
        return metadata["labels"].get(EXCLUDE) == "true", "isostack.io/excluded-for-upgrade" in metadata["annotations"]

    installed.kubectl("annotate", "node", "worker-old", "x.k8s.io/y=")
    seen = []
    for function in ("exclude", "exclude", "include", "include"):
        script(installed, "worker-old", function)
        seen.append(given())
    assert seen == [(True, True), (True, True), (False, False), (False, False)]
    installed.kubectl("label", "node", "worker-old", f"{EXCLUDE}=true")
    for function in ("exclude", "include"):
        script(installed, "worker-old", function)
        assert given() == (True, False)


def test_a_job_finds_that_kured_holds_its_lock(installed: Cluster) -> None:
    """As kured writes it [seen] kubereboot/kured 1.23.0 pkg/daemonsetlock/daemonsetlock.go."""
    assert script(installed, "worker-old", "restarting") == ""
    labels = {"app": reboots.NAME}
    pod = {"containers": [{"name": "c", "image": "i"}], "nodeSelector": {"nowhere": ""}}
    template = {"metadata": {"labels": labels}, "spec": pod}
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": reboots.NAME, "namespace": reboots.NAMESPACE},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    assert installed.apply([daemons]) == ""
    place = ("daemonset", reboots.NAME, f"--namespace={reboots.NAMESPACE}")
    try:
        assert script(installed, "worker-old", "restarting") == ""
        lock = '{"nodeID":"worker-new","metadata":{"unschedulable":false},"created":"2026-11-28T02:00:00Z","TTL":0}'
        installed.kubectl("annotate", *place, f"weave.works/kured-node-lock={lock}")
        assert script(installed, "worker-old", "restarting") == lock
    finally:
        installed.kubectl("delete", *place)


def test_a_node_finds_whether_a_plan_applies(installed: Cluster, tmp_path: Path) -> None:
    """With the command that kured runs, as a kubelet: its own kubeconfig and the service are played."""
    (release,) = (
        thing
        for addon in installed.stack.plan.addons
        if addon.name == "reboots"
        for thing in addon.objects
        if not isinstance(thing, Manifest)
    )
    (command, flag, text) = shlex.split(release.values["configuration"]["rebootSentinelCommand"])
    text = text.replace("--server https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT", "")
    text = re.sub(
        r"kubectl --kubeconfig \S+",
        f"{shlex.join(installed.command())} --as=system:node:x --as-group=system:nodes",
        text,
    )
    wanted = tmp_path / "required"
    wanted.touch()
    words = [command, flag, text.replace(reboots.SENTINEL, str(wanted))]

    def status() -> int:
        return subprocess.run(words, timeout=60, check=False).returncode

    plan = {"apiVersion": f"{upgrades.GROUP}/v1", "kind": "Plan"}
    two = [{**plan, "metadata": {"name": name, "namespace": upgrades.NAMESPACE}, "spec": {}} for name in ("one", "two")]
    assert status() == 0
    assert installed.apply(two) == ""
    try:
        assert status() == 0
        for applying, expected in ((["worker-old"], 1), (None, 0)):
            patch = json.dumps({"status": {"latestVersion": VERSION, "applying": applying}})
            place = (KIND, "two", f"--namespace={upgrades.NAMESPACE}", "--subresource=status", "--type=merge")
            installed.kubectl("patch", *place, f"--patch={patch}")
            assert status() == expected
    finally:
        installed.kubectl("delete", KIND, "one", "two", f"--namespace={upgrades.NAMESPACE}")


@pytest.mark.parametrize(
    ("account", "asked", "may"),
    [
        (upgrades.JOB, ("create", "pods", "--subresource=eviction"), True),
        (upgrades.JOB, ("patch", "nodes"), True),
        (upgrades.JOB, ("get", "secrets"), False),
        (upgrades.JOB, ("create", "jobs"), False),
        (upgrades.CONTROLLER, ("create", "jobs", f"--namespace={upgrades.NAMESPACE}"), True),
        (upgrades.CONTROLLER, ("create", "jobs", "--namespace=kube-system"), False),
        (upgrades.CONTROLLER, ("get", "secrets", "--namespace=kube-system"), False),
        (upgrades.CONTROLLER, ("update", "nodes"), True),
        (upgrades.CONTROLLER, ("create", "pods", "--subresource=eviction"), False),
    ],
)
def test_accounts_may_do_what_they_are_for(installed: Cluster, account: str, asked: tuple[str, ...], may: bool) -> None:
    user = f"--as=system:serviceaccount:{upgrades.NAMESPACE}:{account}"
    try:
        told = installed.kubectl("auth", "can-i", *asked, user)
    except AssertionError as error:  # so ends an answer of no, too
        told = str(error)
    assert ("yes" if may else "no") in told.splitlines()
