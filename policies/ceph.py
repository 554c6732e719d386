"""Ceph on the cluster's own machines: what several packs ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.facts import MachineFacts
from components.rules import Raw, Stack
from isostack.assess.capacity import SIZE

RELEASE = "kubernetes:helm.sh/v3:Release"
CHART = "rook-ceph-cluster"


def clusters(stack: Stack) -> list[Raw]:
    """The Helm releases that make one. A rule that asks declares to read RELEASE."""
    return [release for release in stack.raw(RELEASE) if release.get("chart") == CHART]


def nodes(stack: Stack, release: Raw) -> list[MachineFacts]:
    """The machines that Ceph's pods are bound to by their labels; all workers where by none."""
    affinity = ("values", "cephClusterSpec", "placement", "all", "nodeAffinity")
    path = (*affinity, "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms", 0, "matchExpressions")
    wants = [release.get(*path, i) for i in range(len(release.get(*path) or ()))]
    return [
        machine
        for machine in stack.machines
        if machine.wanted.role == "worker" and all(_holds(machine.wanted.labels, want) for want in wants)
    ]


def _holds(labels: Mapping[str, str], want: Mapping[str, Any]) -> bool:
    return want.get("operator") != "In" or labels.get(want["key"]) in want["values"]


def copies(release: Raw) -> int:
    """Of each object, in the pool of blocks that keeps fewest."""
    sizes = [
        release.get("values", "cephBlockPools", i, "spec", "replicated", "size")
        for i in range(len(release.get("values", "cephBlockPools") or ()))
    ]
    return min((size for size in sizes if size is not None), default=SIZE)
