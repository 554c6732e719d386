"""Tenants: a namespace each, with its Pod Security level, quota, closed network, and no way onto others' nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.plan import TENANT, Addon, Manifest
from components.quantity import format_bytes, format_millicpus
from components.spec import Quota, Spec, Tenant
from components.target import TargetConfig

NAME = "tenants"
LEVELS = {"internal": "baseline", "external": "restricted"}
"""Pod Security level by trust. baseline stops known ways onto the node; restricted is the hardest there is [documented]
https://kubernetes.io/docs/concepts/security/pod-security-standards/"""
DEFAULT_REQUEST = {"cpu": "100m", "memory": "128Mi"}
"""Of a container that asks for nothing, where its tenant has a quota [assumption]."""
_DNS_PORTS = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    if spec.tenants:
        objects = tuple(manifest for tenant in spec.tenants for manifest in _objects(tenant))
        granted = ("tenants.*.quota.cpu", "tenants.*.quota.memory") if any(t.quota for t in spec.tenants) else ()
        serves = ("tenants.*.name", "tenants.*.trust", *granted, "pools.*.tenant")
        yield Addon(name=NAME, serves=serves, objects=(*objects, *_own_nodes()))


def _objects(tenant: Tenant) -> Iterator[Manifest]:
    level = {"pod-security.kubernetes.io/enforce": LEVELS[tenant.trust]}
    yield Manifest("v1", "Namespace", tenant.name, {"metadata": {"labels": {TENANT: tenant.name, **level}}})
    everything: dict[str, Any] = {"podSelector": {}}
    yield _policy(tenant, "default-deny", {"policyTypes": ["Ingress", "Egress"]})
    yield _policy(
        tenant,
        "allow-own-namespace",
        {"policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [everything]}], "egress": [{"to": [everything]}]},
    )
    yield _policy(tenant, "allow-dns", {"policyTypes": ["Egress"], "egress": [{"to": [_dns()], "ports": _DNS_PORTS}]})
    if tenant.quota:
        yield from _granted(tenant, tenant.quota)


def _granted(tenant: Tenant, quota: Quota) -> Iterator[Manifest]:
    """A quota of requests refuses a pod that makes none, so such a pod gets one."""
    hard = {"requests.cpu": format_millicpus(quota.cpu), "requests.memory": format_bytes(quota.memory)}
    limit = {"type": "Container", "defaultRequest": DEFAULT_REQUEST}
    yield Manifest("v1", "ResourceQuota", "quota", {"spec": {"hard": hard}}, tenant.name)
    yield Manifest("v1", "LimitRange", "default-requests", {"spec": {"limits": [limit]}}, tenant.name)


def _policy(tenant: Tenant, name: str, rules: dict[str, Any]) -> Manifest:
    """For every pod of the namespace."""
    body = {"spec": {"podSelector": {}, **rules}}
    return Manifest("networking.k8s.io/v1", "NetworkPolicy", name, body, tenant.name)


def _dns() -> dict[str, Any]:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }


def _own_nodes() -> Iterator[Manifest]:
    """Pods of a tenant's namespace may tolerate that tenant's taint and no other's: the taint alone would be no wall,
    since whoever writes a pod writes its tolerations. A pod that names its node would pass by the scheduler and so by
    NoSchedule. [documented] https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
    """
    api, name = "admissionregistration.k8s.io/v1", "tenant-nodes"
    own = f"has(t.key) && t.key == '{TENANT}' && has(t.value) && t.value == namespaceObject.metadata.labels['{TENANT}']"
    # Neither another tenant's taint nor the control plane's, whose nodes hold the keys of all.
    other = f"has(t.key) && t.key != '' && t.key != '{TENANT}' && !t.key.startsWith('node-role.kubernetes.io/')"
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}
            ]
        },
        "validations": [
            {
                "expression": f"!has(object.spec.tolerations) || object.spec.tolerations.all(t, ({own}) || ({other}))",
                "message": "a tenant's pods tolerate its own nodes' taint, no other tenant's, not the control plane's",
            },
            {
                "expression": "request.operation != 'CREATE' || !has(object.spec.nodeName)",
                "message": "pods of a tenant may not choose their node by name",
            },
        ],
    }
    tenants = {"matchExpressions": [{"key": TENANT, "operator": "Exists"}]}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": tenants}}
    yield Manifest(api, "ValidatingAdmissionPolicy", name, {"spec": policy})
    yield Manifest(api, "ValidatingAdmissionPolicyBinding", name, {"spec": binding})
