"""Which nodes a real API server finds for the Plans of an upgrade, and what their jobs may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.addons import upgrades
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
_TERMS = {"Exists": "{key}", "DoesNotExist": "!{key}", "NotIn": "{key} notin ({values})"}


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Iterator[Cluster]:
    """With the rights of the add-on, really made, and nodes of each kind that no kubelet runs."""
    rights = ("ClusterRole", "ClusterRoleBinding", "Namespace", "Role", "RoleBinding", "ServiceAccount")
    (addon,) = (addon for addon in cluster.stack.plan.addons if addon.name == upgrades.NAME)
    names = {(thing.kind, thing.name) for thing in addon.objects if isinstance(thing, Manifest)}
    objects = [
        each
        for each in cluster.stack.objects
        if each["kind"] in rights and (each["kind"], each["metadata"]["name"]) in names
    ]
    assert cluster.apply(objects, "--force-conflicts") == ""
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
    account = f"--as=system:serviceaccount:{upgrades.NAMESPACE}:{upgrades.JOB}"
    left = selected(installed, f"{CONTROL_PLANE_LABEL},{RELEASE}!={VERSION}", account)
    assert left == {"control-old", "control-bare"}


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
