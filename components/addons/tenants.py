"""Tenants: a namespace each, with its Pod Security level and a network that is closed until somebody opens it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.plan import TENANT, Addon, Manifest
from components.spec import Spec, Tenant
from components.target import TargetConfig

LEVELS = {"internal": "baseline", "external": "restricted"}
"""Pod Security level by trust. baseline stops known ways onto the node; restricted is the hardest there is [documented]
https://kubernetes.io/docs/concepts/security/pod-security-standards/"""
_DNS_PORTS = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    if spec.tenants:
        objects = tuple(manifest for tenant in spec.tenants for manifest in _objects(tenant))
        yield Addon(name="tenants", serves=("tenants.*.name", "tenants.*.trust"), objects=objects)


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


def _policy(tenant: Tenant, name: str, rules: dict[str, Any]) -> Manifest:
    """For every pod of the namespace."""
    body = {"spec": {"podSelector": {}, **rules}}
    return Manifest("networking.k8s.io/v1", "NetworkPolicy", name, body, tenant.name)


def _dns() -> dict[str, Any]:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
