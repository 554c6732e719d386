"""Which labels a kubelet may give its own node."""

from __future__ import annotations

from collections.abc import Mapping

# [documented] k8s.io/kubelet pkg/apis/well_known_labels.go; https://kubernetes.io/docs/reference/access-authn-authz/
# admission-controllers/#noderestriction
_ALLOWED = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_ALLOWED_DOMAINS, _RESERVED_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io"), ("kubernetes.io", "k8s.io")


def forbidden_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that a kubelet refuses to start with, as node-role.kubernetes.io/worker: set them through the API."""
    return {key: value for key, value in labels.items() if not _allowed(key)}


def node_labels(labels: Mapping[str, str]) -> str:
    """The kubelet's --node-labels: the others, sorted."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()) if _allowed(key))


def _allowed(key: str) -> bool:
    domain = key.rpartition("/")[0]
    return key in _ALLOWED or _within(domain, _ALLOWED_DOMAINS) or not _within(domain, _RESERVED_DOMAINS)


def _within(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)
