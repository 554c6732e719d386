"""Which labels and taints a kubelet can give its own node, and which of them are ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.plan import CONTROL_PLANE_LABEL, POOL, RELEASE, TENANT, ZONE
from components.problems import FieldPath, Problem
from components.spec import Pool, Spec

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


def problems(spec: Spec) -> Iterator[Problem]:
    """Labels and taints that nodes cannot be born with. Paths are those of the spec's YAML."""
    for i, pool in enumerate(spec.pools):
        yield from _label_problems(pool, ("pools", i, "labels"))
        yield from _taint_problems(pool, ("pools", i, "taints"))


def _label_problems(pool: Pool, path: FieldPath) -> Iterator[Problem]:
    for key in pool.labels:
        if key in (POOL, RELEASE, TENANT, ZONE):
            yield Problem(
                f"isostack sets {key} itself",
                "the pool's name, tenant and zones and the Kubernetes version say it",
                (*path, key),
            )
        elif key == CONTROL_PLANE_LABEL:
            right = "leave it out: no pool's node is one"
            yield Problem(f"{key} tells the control plane's nodes apart", right, (*path, key))


def _taint_problems(pool: Pool, path: FieldPath) -> Iterator[Problem]:
    seen = {(TENANT, "NoSchedule")} if pool.tenant else set()
    for i, taint in enumerate(pool.taints):
        if (taint.key, taint.effect) in seen:
            what = f"the taint {taint.key}:{taint.effect} stands twice on each node"
            yield Problem(what, "key and effect together name a taint: keep one", (*path, i))
        seen.add((taint.key, taint.effect))


def forbidden_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that a kubelet refuses to start with, as node-role.kubernetes.io/worker: the admin sets them, see
    components/membership.py."""
    return {key: value for key, value in labels.items() if not _allowed(key)}


def node_labels(labels: Mapping[str, str]) -> str:
    """The kubelet's --node-labels: the others, sorted."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()) if _allowed(key))


def _allowed(key: str) -> bool:
    domain = key.rpartition("/")[0]
    return key in _ALLOWED or _within(domain, _ALLOWED_DOMAINS) or not _within(domain, _RESERVED_DOMAINS)


def _within(domain: str, parents: tuple[str, ...]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)
