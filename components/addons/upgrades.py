"""Kubernetes upgrades: system-upgrade-controller runs a job on each node whose release is not the spec's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.addons import cilium
from components.addons.placement import ANY_NODE, ON_CONTROL_PLANE, SHARED_NODES
from components.addons.remediation import EXCLUDE
from components.bootstrap.script import whole
from components.plan import CONTROL_PLANE_LABEL, RELEASE, Addon, Manifest
from components.spec import Spec, Upgrades
from components.target import TargetConfig

NAME, PLANS, NAMESPACE = "upgrades", "upgrade-plans", "system-upgrade"
CONTROLLER, JOB = "system-upgrade-controller", "upgrade"
"""The controller's objects, also its label and its lease, and those of the jobs that it makes."""
GROUP = "upgrade.cattle.io"
JOBS = f"{GROUP}/plan"
"""Label of the jobs' pods."""
IMAGE = f"docker.io/rancher/{CONTROLLER}:v0.20.1"
"""[seen] github.com/rancher/system-upgrade-controller v0.20.1: variables in main.go and pkg/upgrade/job/job.go,
rights in manifests/clusterrole.yaml, Plan in pkg/apis."""
KUBECTL = "registry.k8s.io/kubectl:v1.36.3"
"""Drains; its entrypoint is kubectl [seen] kubernetes v1.36.3 build/server-image/kubectl/Dockerfile. Not the cluster's
release, or a new one would touch the controller in the middle of its work: eviction is the same in all of ours."""
SHELL = "docker.io/library/busybox:1.37.0"
"""Goes over to the host, with nsenter. The tag is pinned by public repositories [seen] 2026-11."""
TRIES = 6
"""With 10, 20, 40, 80 and 160 s between them, so that a mirror or an API that is away for five minutes costs no node
[documented] https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy."""
DRAIN_SECONDS = 1800
"""As for a node that leaves: components/membership.py."""
STUCK_SECONDS = 600
"""A pod that has been asked to end for so long does not hold up its node's upgrade [engineers' choice]: the node stays,
and its volumes with it."""
KEEP_SECONDS = 60
"""How long a job is there once it has ended. As long as one that ended well is there, and once more when its time is
over, the controller uncordons its node, whoever cordoned it [seen] v0.20.1 pkg/upgrade/handle_batch.go; its own default
is 900. One that goes while the controller is away is made again, and finds nothing to do. A node has its log, too."""
_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
# The whole mount namespace of the host rather than a chroot into it: apt, systemctl and kubeadm find all as it is.
_ENTER = f"""text=$SCRIPT TOKEN=$(cat {_TOKEN})
unset SCRIPT
export TOKEN
exec nsenter -t 1 -m -- bash -c "$text" upgrade.sh "$0"
"""


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    upgrades = spec.kubernetes.upgrades
    if upgrades is None:
        return
    objects = (_crd(), *_rights(), _script(spec.availability.remediation), _controller())
    yield Addon(name=NAME, serves=(), objects=objects, after=(cilium.NAME,))
    # Apart from the kind, which has to be there before.
    serves = ("kubernetes.upgrades.concurrency",)
    plans = tuple(_plans(spec.kubernetes.version, upgrades))
    yield Addon(name=PLANS, serves=serves, objects=plans, after=(NAME,))


def _crd() -> Manifest:
    """Only that there is such a kind: the controller writes its own schema over it whenever it starts [seen] wrangler
    pkg/crd/crd.go, ensureCRD."""
    names = {"kind": "Plan", "listKind": "PlanList", "plural": "plans", "singular": "plan"}
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}},
    }
    spec = {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]}
    return Manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"plans.{GROUP}", {"spec": spec})


def _rights() -> Iterator[Manifest]:
    """The jobs have an account of their own: they drain nodes, which the controller does not."""
    label = {"pod-security.kubernetes.io/enforce": "privileged"}
    yield Manifest("v1", "Namespace", NAMESPACE, {"metadata": {"labels": label}})
    looks, writes = ("get", "list", "watch"), ("create", "update", "patch")
    controller = (
        _may("apiextensions.k8s.io", ("customresourcedefinitions",), (*looks, *writes)),
        _may(GROUP, ("plans", "plans/status"), (*looks, *writes, "delete")),
        _may("", ("namespaces",), looks),
        _may("", ("nodes",), (*looks, "update")),
        _may("", ("events",), ("get", *writes)),
        _may("batch", ("jobs",), looks),
    )
    within = (
        _may("batch", ("jobs",), (*looks, *writes, "delete", "deletecollection")),
        _may("coordination.k8s.io", ("leases",), ("get", *writes)),
        _may("", ("secrets",), looks),
    )
    job = (
        _may("", ("nodes",), ("get", "list", "patch")),
        _may("", ("pods",), ("get", "list", "delete")),
        _may("", ("pods/eviction",), ("create",)),
        _may("apps", ("daemonsets", "replicasets", "statefulsets"), ("get", "list")),
    )
    for name, rules in ((CONTROLLER, controller), (JOB, job)):
        yield Manifest("v1", "ServiceAccount", name, {}, NAMESPACE)
        yield Manifest(_RBAC, "ClusterRole", name, {"rules": list(rules)})
        yield Manifest(_RBAC, "ClusterRoleBinding", name, _bound("ClusterRole", name))
    yield Manifest(_RBAC, "Role", CONTROLLER, {"rules": list(within)}, NAMESPACE)
    yield Manifest(_RBAC, "RoleBinding", CONTROLLER, _bound("Role", CONTROLLER), NAMESPACE)


def nodes_may_look() -> Iterator[Manifest]:
    """Whether a Plan applies, with a kubelet's certificate."""
    name = f"{CONTROLLER}-look"
    yield Manifest(_RBAC, "ClusterRole", name, {"rules": [_may(GROUP, ("plans",), ("get", "list"))]})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    nodes = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}
    yield Manifest(_RBAC, "ClusterRoleBinding", name, {"roleRef": role, "subjects": [nodes]})


_RBAC = "rbac.authorization.k8s.io/v1"


def _may(group: str, resources: tuple[str, ...], verbs: tuple[str, ...]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _bound(kind: str, name: str) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }


def _script(fenced: bool) -> Manifest:
    """Variables of the jobs. The script is among them, since a node that was born long ago has no such file."""
    script = whole(Path(__file__).with_name("upgrade.sh"))
    data = {"RELEASE": RELEASE, "EXCLUDE": EXCLUDE if fenced else "", "TRIES": str(TRIES), "SCRIPT": script}
    return Manifest("v1", "ConfigMap", JOB, {"data": data}, NAMESPACE)


def _controller() -> Manifest:
    labels = {f"{GROUP}/controller": CONTROLLER}  # drains leave the pods that have it
    environment = {
        "SYSTEM_UPGRADE_CONTROLLER_NAME": CONTROLLER,
        "SYSTEM_UPGRADE_CONTROLLER_NAMESPACE": NAMESPACE,
        "SYSTEM_UPGRADE_CONTROLLER_LEADER_ELECT": "true",
        "SYSTEM_UPGRADE_JOB_BACKOFF_LIMIT": str(TRIES - 1),
        "SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE": KUBECTL,
        "SYSTEM_UPGRADE_JOB_TTL_SECONDS_AFTER_FINISH": str(KEEP_SECONDS),
    }
    node = {"name": "SYSTEM_UPGRADE_CONTROLLER_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    container = {
        "name": CONTROLLER,
        "image": IMAGE,
        "env": [*({"name": name, "value": value} for name, value in environment.items()), node],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "runAsGroup": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    pod = {
        "serviceAccountName": CONTROLLER,
        "affinity": ON_CONTROL_PLANE,
        "tolerations": SHARED_NODES,
        "containers": [container],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": labels}, "template": template}
    return Manifest("apps/v1", "Deployment", CONTROLLER, {"spec": spec}, NAMESPACE)


def _plans(version: str, upgrades: Upgrades) -> Iterator[Manifest]:
    """Nodes wait in their `prepare`, which comes before the drain: no order between plans is the controller's, and it
    knows nothing of nodes that restart."""
    for name, role, concurrency in (
        ("control-plane", "Exists", 1),
        ("workers", "DoesNotExist", upgrades.concurrency),
    ):
        yield Manifest(f"{GROUP}/v1", "Plan", name, {"spec": _plan(version, role, concurrency)}, NAMESPACE)


def _plan(version: str, role: str, concurrency: int) -> Mapping[str, Any]:
    """The controller knows nodes that it has upgraded, and no others: it would drain each node of a new cluster, and
    each new one. So nodes are born with the label, and the controller sets it when a job has ended well; a job that set
    it itself would be taken for one out of turn and be deleted, its node cordoned for good [seen] v0.20.1
    pkg/upgrade/handle_batch.go.
    """
    return {
        "version": version,
        "concurrency": concurrency,
        "nodeSelector": {
            "matchExpressions": [
                {"key": CONTROL_PLANE_LABEL, "operator": role},
                {"key": RELEASE, "operator": "NotIn", "values": [version]},
            ]
        },
        "postCompleteLabels": {RELEASE: "$(LATEST_VERSION)"},
        "serviceAccountName": JOB,
        "tolerations": ANY_NODE,  # a job is of one node, which may be a tenant's
        "jobActiveDeadlineSecs": 0,  # none: nodes wait for others; all else is bounded by itself
        "prepare": _container("check"),
        "drain": {
            "force": True,
            "ignoreDaemonSets": True,
            "deleteEmptydirData": True,
            "timeout": f"{DRAIN_SECONDS}s",
            "skipWaitForDeleteTimeout": STUCK_SECONDS,
        },
        "upgrade": _container("upgrade"),
    }


def _container(step: str) -> dict[str, Any]:
    return {
        "image": SHELL,
        "command": ["sh", "-ec", _ENTER, step],
        "envFrom": [{"configMapRef": {"name": JOB}}],
        "securityContext": {"privileged": True},
    }
