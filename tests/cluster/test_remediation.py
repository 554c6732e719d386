"""What the operators of medik8s may do with a real API server, held against what their sources do; and what it makes of
the kinds that are reduced."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from typing import Any

import pytest

from components.addons import medik8s, remediation
from tests.cluster.crds import own
from tests.cluster.running import Cluster, until

HEALTH, FENCE = medik8s.HEALTH_OPERATOR, medik8s.FENCE_OPERATOR
NODES, CHECKS = "nodes", f"nodehealthchecks.{medik8s.HEALTH}"
FENCED, TEMPLATES = (f"fenceagentsremediation{end}.{medik8s.FENCE}" for end in ("s", "templates"))
LEASES, ROLES, BINDINGS = (
    "leases.coordination.k8s.io",
    *(f"clusterrole{end}.rbac.authorization.k8s.io" for end in ("s", "bindings")),
)
CACHED = ("get", "list", "watch")
"""What the client of controller-runtime asks for a kind that is read once, of all namespaces."""
OWN, ALL = f"--namespace={medik8s.NAMESPACE}", "--all-namespaces"
DOES: dict[str, list[tuple[tuple[str, ...], str, tuple[str, ...]]]] = {
    # [seen] node-healthcheck-operator v0.12.0
    HEALTH: [
        (CACHED, CHECKS, ()),  # internal/controller/nodehealthcheck_controller.go, SetupWithManager
        (("patch",), CHECKS, ("--subresource=status",)),  # patchStatus
        (CACHED, NODES, ()),
        (CACHED, TEMPLATES, (ALL,)),  # internal/controller/resources/templates.go, watch.go
        (CACHED, FENCED, (ALL,)),
        (("create", "update", "delete"), FENCED, (OWN,)),  # internal/controller/resources/manager.go
        (("get",), f"namespaces/{medik8s.NAMESPACE}", ()),  # vendor/.../common/pkg/lease/manager.go, setupLeaseNs
        (CACHED, LEASES, (ALL,)),  # the same, getLease
        (("create", "update", "delete"), LEASES, (OWN,)),  # the same; and the leader's
        (("create", "patch"), "events", (ALL,)),
        (CACHED, ROLES, ()),  # internal/controller/rbac/aggregation.go
        (CACHED, BINDINGS, ()),
        (("update",), f"clusterroles.rbac.authorization.k8s.io/{medik8s.AGGREGATION}", ()),
        (("update",), f"clusterrolebindings.rbac.authorization.k8s.io/{medik8s.AGGREGATION}", ()),
        (CACHED, "deployments.apps", (ALL,)),  # the same, getOwnerRefs
    ],
    # [seen] fence-agents-remediation v0.7.0
    FENCE: [
        (CACHED, FENCED, (ALL,)),  # controllers/fenceagentsremediation_controller.go
        (("update",), FENCED, (OWN,)),  # its finalizer
        (("update",), FENCED, (OWN, "--subresource=status")),  # updateStatus, and pkg/cli/cliexecuter.go
        (CACHED, TEMPLATES, (ALL,)),  # controllers/fenceagentsremediationtemplate_controller.go
        (("patch",), TEMPLATES, (OWN, "--subresource=status")),
        (CACHED, NODES, ()),  # pkg/utils/nodes.go
        (("update",), NODES, ()),  # pkg/utils/taints.go
        (("create", "patch"), "events", (ALL,)),
        (("get", "create", "update"), LEASES, (OWN,)),  # the leader's
    ],
}
"""By operator: verbs, on what, where."""
NEVER = [
    ("list", "secrets", (ALL,)),
    ("get", "secrets", (OWN,)),
    ("create", "pods", ("--subresource=exec", ALL)),
    ("delete", "pods", (ALL,)),
    ("delete", NODES, ()),
    ("create", "clusterroles.rbac.authorization.k8s.io", ()),
    ("update", "clusterroles.rbac.authorization.k8s.io/cluster-admin", ()),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io", ()),
    ("escalate", "clusterroles.rbac.authorization.k8s.io", ()),
    ("impersonate", "users", ()),
]


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Cluster:
    """Kinds, accounts and rights as the stack has them. Nothing would run a Deployment."""
    assert cluster.apply(list(own())) == ""
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    names = {
        (thing.kind, thing.name)
        for addon in cluster.stack.plan.addons
        if addon.name in (medik8s.KINDS, medik8s.NAME, remediation.NAME)
        for thing in addon.objects
        if thing.kind not in ("Deployment", "CustomResourceDefinition")
    }
    objects = [each for each in cluster.stack.objects if (each["kind"], each["metadata"]["name"]) in names]
    assert len(objects) == len(names)
    objects.sort(key=lambda each: each["kind"] != "Namespace")
    assert cluster.apply(objects, "--force-conflicts") == ""
    until(partial(may, cluster, HEALTH, "list", NODES), "the rights are in force")
    return cluster


def may(cluster: Cluster, operator: str, verb: str, what: str, *where: str) -> bool:
    account = f"--as=system:serviceaccount:{medik8s.NAMESPACE}:{operator}"
    groups = [f"--as-group=system:{group}" for group in ("serviceaccounts", "authenticated")]
    asked = [*cluster.command(), "auth", "can-i", verb, what, *where, account, *groups]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert answer.stdout.split()[:1] in (["yes"], ["no"]), answer.stderr
    return answer.returncode == 0


@pytest.mark.parametrize("operator", DOES)
def test_an_operator_may_do_what_its_source_does(installed: Cluster, operator: str) -> None:
    lacks = [
        (verb, what, where)
        for verbs, what, where in DOES[operator]
        for verb in verbs
        if not may(installed, operator, verb, what, *where)
    ]
    assert lacks == []


@pytest.mark.parametrize("operator", DOES)
def test_an_operator_may_not_read_secrets_or_give_rights(installed: Cluster, operator: str) -> None:
    assert [what for verb, what, where in NEVER if may(installed, operator, verb, what, *where)] == []


def test_an_update_of_the_aggregation_that_changes_nothing_passes(installed: Cluster) -> None:
    """As the operator does it at every start. One that would give itself more does not."""
    account = (f"--as=system:serviceaccount:{medik8s.NAMESPACE}:{HEALTH}", "--as-group=system:authenticated")
    for kind in ("clusterrolebinding", "clusterrole"):
        given = installed.kubectl("get", kind, medik8s.AGGREGATION, "--output=json")
        installed.kubectl("replace", "--filename=-", *account, text=given)
    role = json.loads(given)
    role["metadata"].pop("resourceVersion")
    everything = {"clusterRoleSelectors": [{"matchLabels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}]}
    secrets = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    for more in ({"aggregationRule": everything}, {"rules": secrets}):
        with pytest.raises(AssertionError, match="forbidden"):
            installed.kubectl("replace", "--filename=-", *account, text=json.dumps({**role, **more}))


def test_the_reduced_kinds_keep_what_the_operators_hand_on(installed: Cluster) -> None:
    """The health check copies the template into a remediation, and both write their status."""
    template = installed.object(TEMPLATES, remediation.TEMPLATE, OWN)["spec"]["template"]["spec"]
    status = {"conditions": [{"type": "Processing", "status": "True", "reason": "R", "message": ""}]}
    made: dict[str, Any] = {
        "apiVersion": f"{medik8s.FENCE}/v1alpha1",
        "kind": "FenceAgentsRemediation",
        "metadata": {"name": "shop-web-0", "namespace": medik8s.NAMESPACE},
        "spec": template,
    }
    try:
        assert installed.apply([made]) == ""
        assert installed.apply([{**made, "status": status}], "--subresource=status", "--field-manager=fence") == ""
        found = installed.object(FENCED, "shop-web-0", OWN)
        assert (found["spec"], found["status"]) == (template, status)
    finally:
        installed.kubectl("delete", FENCED, "shop-web-0", OWN, "--ignore-not-found")


def test_what_is_written_by_hand_is_retried_as_upstream_does(installed: Cluster) -> None:
    """Without the defaults it would be tried no times."""
    spec = {"agent": "fence_redfish", "nodeparameters": {"--ip": {"a": "10.0.0.1"}}}
    made = {
        "apiVersion": f"{medik8s.FENCE}/v1alpha1",
        "kind": "FenceAgentsRemediation",
        "metadata": {"name": "a", "namespace": medik8s.NAMESPACE},
        "spec": spec,
    }
    try:
        assert installed.apply([made]) == ""
        assert installed.object(FENCED, "a", OWN)["spec"] == spec | {
            "retrycount": 5,
            "retryinterval": "5s",
            "timeout": "60s",
        }
    finally:
        installed.kubectl("delete", FENCED, "a", OWN, "--ignore-not-found")
