"""medik8s: the operators that find broken nodes and fence them, from manifests of our own.

Upstream they come through the Operator Lifecycle Manager alone, which takes the version of the day, gives each operator
the rights that its bundle asks for in every namespace, and makes certificates for their webhooks [seen]
node-healthcheck-operator v0.12.0 docs/installation.md. Here versions are pinned and rights are what the programs were
seen to use. Their webhooks, which check what people write, are not registered: nobody writes but this stack, and a
failing webhook would keep a node from being fenced. The servers of the webhooks start all the same, and need a
certificate [seen] both, main.go, and controller-runtime pkg/webhook/server.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.addons import cilium
from components.addons.placement import ON_CONTROL_PLANE, SHARED_NODES
from components.plan import Addon, Manifest, Pem
from components.spec import Spec

KINDS, NAME, NAMESPACE = "medik8s-kinds", "medik8s", "medik8s"
HEALTH, FENCE = "remediation.medik8s.io", "fence-agents-remediation.medik8s.io"
"""API groups of what finds broken nodes, and of what fences them."""
HEALTH_IMAGE = "quay.io/medik8s/node-healthcheck-operator:v0.12.0"
FENCE_IMAGE = "quay.io/medik8s/fence-agents-remediation-operator:v0.7.0"
"""[seen] k8s-operatorhub/community-operators operators/<operator>/<version>, the bundles of these releases."""
HEALTH_OPERATOR, FENCE_OPERATOR = "node-healthcheck-controller-manager", "fence-agents-remediation-controller-manager"
"""The first is the name that the operator looks for, of its Deployment and its ServiceAccount [seen]
node-healthcheck-operator v0.12.0 internal/controller/rbac/aggregation.go."""
AGGREGATION = "node-healthcheck-operator-aggregation"
CERTIFICATE, PASSWORDS = "medik8s-webhooks", "fencing-passwords"
FOLDER = "/etc/fencing"
"""Where the fence agents find the passwords."""
_CERTIFICATES = "/apiserver.local.config/certificates"  # [seen] both operators, main.go, WebhookCertDir
_READ, _RBAC = ["get", "list", "watch"], "rbac.authorization.k8s.io"
_USER = 65532  # [seen] both Dockerfiles
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_TEXT, _TEXTS = {"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}
_DURATION = {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$"}


def kinds() -> Addon:
    """The namespace and the kinds, before all that is of them."""
    level = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    remediation = _fenced()
    template = {"type": "object", "required": ["spec"], "properties": {"spec": remediation}}
    sample = {"x-kubernetes-int-or-string": True}
    of_template = {"type": "object", "properties": {"template": template, "statusValidationSample": sample}}
    objects = (
        Manifest("v1", "Namespace", NAMESPACE, level),
        _kind("NodeHealthCheck", HEALTH, "Cluster", _health()),
        _kind("FenceAgentsRemediation", FENCE, "Namespaced", remediation),
        _kind("FenceAgentsRemediationTemplate", FENCE, "Namespaced", {**of_template, "required": ["template"]}),
    )
    return Addon(name=KINDS, serves=(), objects=objects, common=False)


def operators(spec: Spec, passwords: Mapping[str, Any]) -> Addon:
    """`passwords`: of vCenter or of BMCs, by the name of their file."""
    certificate = {"tls.crt": Pem(CERTIFICATE, "certificate"), "tls.key": Pem(CERTIFICATE, "key")}
    secrets = (
        Manifest("v1", "Secret", CERTIFICATE, {"type": "kubernetes.io/tls", "stringData": certificate}, NAMESPACE),
        Manifest("v1", "Secret", PASSWORDS, {"type": "Opaque", "stringData": dict(passwords)}, NAMESPACE),
    )
    # Of two the second takes over when the first is on the node that is lost.
    replicas = min(2, spec.control_plane.nodes)
    objects = (
        *secrets,
        *_access(HEALTH_OPERATOR, _health_rules()),
        *_access(FENCE_OPERATOR, _fence_rules()),
        *_aggregation(),
        # Metrics off: nobody here scrapes them. The other operator has no such flag that it heeds.
        _deployment(HEALTH_OPERATOR, HEALTH_IMAGE, ["--leader-elect", "--metrics-bind-address=0"], replicas),
        _deployment(FENCE_OPERATOR, FENCE_IMAGE, ["--leader-elect"], replicas, PASSWORDS),
    )
    return Addon(name=NAME, serves=(), objects=objects, common=False, after=(cilium.NAME, KINDS))


# ---- kinds, reduced to what this stack writes and what an operator may want to add by hand; status is left open


def _kind(kind: str, group: str, scope: str, spec: Mapping[str, Any]) -> Manifest:
    plural, properties = f"{kind.lower()}s", {"spec": spec, "status": _OPEN}
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
    }
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    body = {"spec": {"group": group, "scope": scope, "names": names, "versions": [version]}}
    return Manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{plural}.{group}", body)


def _health() -> dict[str, Any]:
    """[seen] node-healthcheck-operator v0.12.0 config/crd/bases/remediation.medik8s.io_nodehealthchecks.yaml."""
    condition = {"type": _TEXT, "status": _TEXT, "duration": _DURATION}
    properties = {
        "selector": _OPEN,
        "unhealthyConditions": {
            "type": "array",
            "items": {"type": "object", "required": list(condition), "properties": condition},
        },
        "minHealthy": {"x-kubernetes-int-or-string": True},
        "stormCooldownDuration": _DURATION,
        "remediationTemplate": {
            "type": "object",
            "properties": dict.fromkeys(("apiVersion", "kind", "name", "namespace"), _TEXT),
        },
        "pauseRequests": {"type": "array", "items": _TEXT},
    }
    return {"type": "object", "properties": properties}


def _fenced() -> dict[str, Any]:
    """[seen] fence-agents-remediation v0.7.0 config/crd/bases, with the defaults that make a retry."""
    properties = {
        "agent": {"type": "string", "pattern": "fence_.+"},
        "sharedparameters": _TEXTS,
        "nodeparameters": {"type": "object", "additionalProperties": _TEXTS},
        "remediationStrategy": {"type": "string", "enum": ["ResourceDeletion", "OutOfServiceTaint"]},
        "retrycount": {"type": "integer", "default": 5},
        "retryinterval": {**_DURATION, "default": "5s"},
        "timeout": {**_DURATION, "default": "60s"},
    }
    return {"type": "object", "required": ["agent"], "properties": properties}


# ---- rights


def _rule(group: str, verbs: Sequence[str], *resources: str, names: Sequence[str] = ()) -> dict[str, Any]:
    rule = {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
    return {**rule, "resourceNames": list(names)} if names else rule


def _health_rules() -> list[dict[str, Any]]:
    """What is read comes from caches of whole kinds, so of all namespaces. It updates the role and the binding of
    AGGREGATION at every start, which changes nothing: they are made here. Left out are pods and their budgets, which it
    asks on OpenShift alone, and every kind of OpenShift [seen] node-healthcheck-operator v0.12.0
    internal/controller/rbac/aggregation.go and internal/controller/nodehealthcheck_controller.go.
    """
    return [
        _rule("", _READ, "nodes"),
        _rule("", ["get"], "namespaces", names=[NAMESPACE]),
        _rule("", ["create", "patch"], "events"),
        _rule("apps", _READ, "deployments"),
        _rule("coordination.k8s.io", _READ, "leases"),
        _rule(_RBAC, _READ, "clusterroles", "clusterrolebindings"),
        _rule(_RBAC, ["update"], "clusterroles", "clusterrolebindings", names=[AGGREGATION]),
        _rule(HEALTH, _READ, "nodehealthchecks"),
        _rule(HEALTH, ["get", "patch", "update"], "nodehealthchecks/status"),
        _rule(FENCE, _READ, "fenceagentsremediationtemplates"),
        _rule(FENCE, [*_READ, "create", "update", "patch", "delete"], "fenceagentsremediations"),
    ]


def _fence_rules() -> list[dict[str, Any]]:
    """No Secrets: it would read those of all namespaces. No pods: the taint makes Kubernetes delete them."""
    return [
        _rule("", [*_READ, "update"], "nodes"),
        _rule("", ["create", "patch"], "events"),
        _rule(FENCE, _READ, "fenceagentsremediationtemplates"),
        _rule(FENCE, [*_READ, "update", "patch"], "fenceagentsremediations"),
        _rule(FENCE, ["update"], "fenceagentsremediations/finalizers"),
        _rule(
            FENCE,
            ["get", "patch", "update"],
            "fenceagentsremediations/status",
            "fenceagentsremediationtemplates/status",
        ),
    ]


def _access(name: str, rules: list[dict[str, Any]]) -> Iterator[Manifest]:
    """Leases: of the leader, and of the nodes that are remediated (LEASE_NAMESPACE)."""
    leases = [_rule("coordination.k8s.io", [*_READ, "create", "update", "patch", "delete"], "leases")]
    yield Manifest("v1", "ServiceAccount", name, {}, NAMESPACE)
    yield Manifest(f"{_RBAC}/v1", "ClusterRole", name, {"rules": rules})
    yield Manifest(f"{_RBAC}/v1", "ClusterRoleBinding", name, _binding("ClusterRole", name, name))
    yield Manifest(f"{_RBAC}/v1", "Role", name, {"rules": leases}, NAMESPACE)
    yield Manifest(f"{_RBAC}/v1", "RoleBinding", name, _binding("Role", name, name), NAMESPACE)


def _aggregation() -> Iterator[Manifest]:
    """As the operator would make them. It stops when it may not, and who makes such a role must be let do anything;
    where it is there already, an update that changes nothing is let pass [seen] kubernetes 1.36
    pkg/registry/rbac/clusterrole/policybased/storage.go. No role has the label, so this one stays empty.
    """
    label = {"matchLabels": {"rbac.ext-remediation/aggregate-to-ext-remediation": "true"}}
    yield Manifest(
        f"{_RBAC}/v1", "ClusterRole", AGGREGATION, {"aggregationRule": {"clusterRoleSelectors": [label]}, "rules": []}
    )
    yield Manifest(
        f"{_RBAC}/v1", "ClusterRoleBinding", AGGREGATION, _binding("ClusterRole", AGGREGATION, HEALTH_OPERATOR)
    )


def _binding(kind: str, role: str, account: str) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
    }


# ---- pods


def _deployment(name: str, image: str, args: list[str], replicas: int, passwords: str = "") -> Manifest:
    """On control-plane nodes: what they mount powers every node off. Two never share a node."""
    labels = {"app.kubernetes.io/name": name}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    items = [{"key": f"tls.{end}", "path": f"apiserver.{end}"} for end in ("crt", "key")]
    mounted: dict[str, tuple[str, dict[str, Any]]] = {
        "certificate": (_CERTIFICATES, {"secret": {"secretName": CERTIFICATE, "items": items, "defaultMode": 0o440}}),
        # The agents leave files there; all else is read-only.
        "tmp": ("/tmp", {"emptyDir": {}}),
    }
    if passwords:
        mounted["passwords"] = (FOLDER, {"secret": {"secretName": passwords, "defaultMode": 0o440}})
    pod = {
        "serviceAccountName": name,
        "priorityClassName": "system-cluster-critical",
        # The host's DNS: the cluster's own may be what the lost node ran.
        "dnsPolicy": "Default",
        "affinity": ON_CONTROL_PLANE,
        "tolerations": SHARED_NODES,
        "topologySpreadConstraints": [spread],
        "securityContext": {"runAsNonRoot": True, "fsGroup": _USER, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(image, args, {volume: path for volume, (path, _) in mounted.items()})],
        "volumes": [{"name": volume, **source} for volume, (_, source) in mounted.items()],
    }
    spec = {
        "replicas": replicas,
        # With both in their places, a third would find none.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return Manifest("apps/v1", "Deployment", name, {"spec": spec}, NAMESPACE)


def _container(image: str, args: list[str], mounts: Mapping[str, str]) -> dict[str, Any]:
    """Probes and variables [seen] config/manager/manager.yaml of both, at these tags; LEASE_NAMESPACE
    vendor/github.com/medik8s/common/pkg/lease/manager.go, where it is medik8s-leases unless given."""
    return {
        "name": "manager",
        "image": image,
        "args": args,
        "env": [
            {"name": "DEPLOYMENT_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "LEASE_NAMESPACE", "value": NAMESPACE},
        ],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8081}, "initialDelaySeconds": 15},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8081}},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": volume, "mountPath": path, **({"readOnly": True} if volume != "tmp" else {})}
            for volume, path in mounts.items()
        ],
    }
