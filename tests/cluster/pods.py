"""Pods of tenants, and what the server says of them."""

from __future__ import annotations

from typing import Any

from tests.cluster.running import Cluster

SPACE, OTHER = "partner", "shop"
"""A tenant whose code others write, and one of the owner's."""


def toleration(**fields: str) -> dict[str, Any]:
    return {"tolerations": [fields]}


def said(cluster: Cluster, spec: dict[str, Any], space: str = SPACE) -> str:
    """What the server says of a pod that it does not take."""
    return cluster.apply([pod(spec, space)], "--dry-run=server")


def pod(spec: dict[str, Any], space: str, name: str = "new") -> dict[str, Any]:
    """One that every Pod Security level takes."""
    locked = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "c", "image": "i", "securityContext": locked}
    secure = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    whole = {"containers": [container], "securityContext": secure, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": space}, "spec": whole}
