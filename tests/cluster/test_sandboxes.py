"""The sandbox that a tenant asks for: which of its pods a real API server takes, and which it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from components.addons import sandboxes
from components.plan import TENANT, Manifest
from tests.addons import vsphere
from tests.cluster.pods import said
from tests.cluster.running import Cluster, until
from tests.specs import rich

SPACE = "boxed"
"""A tenant of its own: the policy must not stand in the way of other tests."""
WISH = {"tenants.1.name": SPACE, "tenants.1.sandbox": True, "pools.2.tenant": SPACE}
TAKEN = {"runtimeClassName": sandboxes.RUNTIME_CLASS}
MARK = {"katacontainers.io/kata-runtime": "true"}
"""Of the nodes that have Kata [seen] the chart's templates/runtimeclasses.yaml, of tag 4.1.0."""


@pytest.fixture(scope="session")
def boxed(cluster: Cluster) -> Cluster:
    """With the policy in force, and a RuntimeClass as the chart makes it, beside another."""
    (addon,) = sandboxes.addons(rich(WISH), vsphere())
    objects: list[dict[str, Any]] = [
        {"apiVersion": thing.api_version, "kind": thing.kind, "metadata": {"name": thing.name}, **thing.body}
        for thing in addon.objects
        if isinstance(thing, Manifest)
    ]
    objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": {TENANT: SPACE}}})
    for name in (sandboxes.RUNTIME_CLASS, "other"):
        made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": name}
        objects.append({**made, "scheduling": {"nodeSelector": MARK}})
    assert cluster.apply(objects) == ""
    until(lambda: said(cluster, TAKEN, SPACE) == "", "pods can be made")
    until(lambda: said(cluster, {}, SPACE) != "", "the policy is in force")
    return cluster


def test_a_pod_in_a_sandbox_is_taken(boxed: Cluster) -> None:
    assert said(boxed, TAKEN, SPACE) == ""


@pytest.mark.parametrize("spec", [{}, {"runtimeClassName": "other"}], ids=["none", "another runtime"])
def test_one_without_is_told_what_to_write(boxed: Cluster, spec: dict[str, Any]) -> None:
    told = said(boxed, spec, SPACE)
    assert f"ValidatingAdmissionPolicy '{sandboxes.POLICY}'" in told
    assert f"set runtimeClassName: {sandboxes.RUNTIME_CLASS}" in told


def test_others_need_none(boxed: Cluster) -> None:
    assert said(boxed, {}, "default") == ""


def test_the_server_finds_no_fault_in_the_policy(boxed: Cluster) -> None:
    def status() -> Any:
        return boxed.object("validatingadmissionpolicy", sandboxes.POLICY).get("status", {})

    until(lambda: "observedGeneration" in status(), "the policy is checked")
    assert status()["typeChecking"] == {}
