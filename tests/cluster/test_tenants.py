"""The wall between tenants: which pods of a tenant a real API server takes, and which it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.plan import CONTROL_PLANE_LABEL, TENANT
from tests.cluster.pods import OTHER, SPACE, pod, said, toleration
from tests.cluster.running import Cluster, until

TAKEN = {
    "plain": {},
    "its own taint": toleration(key=TENANT, operator="Equal", value=SPACE, effect="NoSchedule"),
    "its own taint, whatever the effect": toleration(key=TENANT, value=SPACE),
    "a taint of the pool": toleration(key="tier", operator="Equal", value="data", effect="NoSchedule"),
    "what every DaemonSet tolerates": toleration(key="node.kubernetes.io/not-ready", operator="Exists"),
}
REFUSED = {
    "the other tenant's taint": toleration(key=TENANT, operator="Equal", value=OTHER, effect="NoSchedule"),
    "any tenant's taint": toleration(key=TENANT, operator="Exists"),
    "any taint": toleration(operator="Exists"),
    "the control plane's taint": toleration(key=CONTROL_PLANE_LABEL, operator="Exists"),
    "a node by name": {"nodeName": "shop-db-0"},
    "one good and one bad": {
        "tolerations": [{"key": TENANT, "value": SPACE}, {"key": CONTROL_PLANE_LABEL, "operator": "Exists"}]
    },
}


@pytest.mark.parametrize("spec", TAKEN.values(), ids=TAKEN)
def test_a_tenant_s_pods_run_on_its_nodes(walled: Cluster, spec: dict[str, Any]) -> None:
    assert said(walled, spec) == ""


@pytest.mark.parametrize("spec", REFUSED.values(), ids=REFUSED)
def test_a_tenant_s_pods_come_onto_no_other_node(walled: Cluster, spec: dict[str, Any]) -> None:
    assert "ValidatingAdmissionPolicy 'tenant-nodes'" in said(walled, spec)


def test_the_wall_stands_around_tenants_alone(walled: Cluster) -> None:
    assert said(walled, REFUSED["any taint"], "default") == ""


def test_a_pod_that_runs_is_not_let_out_later(walled: Cluster) -> None:
    assert walled.apply([pod({}, SPACE, "old")]) == ""
    more = json.dumps({"spec": {"tolerations": [{"key": CONTROL_PLANE_LABEL, "operator": "Exists"}]}})
    patch = ("patch", "pod", "old", f"--namespace={SPACE}", "--dry-run=server", "--patch", more)
    with pytest.raises(AssertionError, match="tenant-nodes"):
        walled.kubectl(*patch)


def test_the_server_finds_no_fault_in_the_policy(walled: Cluster) -> None:
    """It checks the types of the expressions, once they are in force."""

    def status() -> Any:
        return walled.object("validatingadmissionpolicy", "tenant-nodes").get("status", {})

    until(lambda: "observedGeneration" in status(), "the policy is checked")
    assert status()["typeChecking"] == {}


def test_other_s_code_is_held_to_the_hardest_level(walled: Cluster) -> None:
    assert "violates PodSecurity" in said(walled, {"hostNetwork": True})
