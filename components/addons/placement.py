"""Where the pods of add-ons may run. All workers may be tainted for tenants: that must not stop an add-on."""

from __future__ import annotations

from typing import Any

from components.plan import CONTROL_PLANE_LABEL

ANY_NODE: list[dict[str, Any]] = [{"operator": "Exists"}]
"""Tolerations of agents that every node needs: network, storage, measuring, file backup. For DaemonSets alone: another
pod would stay bound to a dead node."""
SHARED_NODES: list[dict[str, Any]] = [{"key": CONTROL_PLANE_LABEL, "operator": "Exists", "effect": "NoSchedule"}]
"""Tolerations of everything else: control-plane nodes and untainted workers. A tenant's own nodes stay its own."""
_ROLE = {"nodeSelectorTerms": [{"matchExpressions": [{"key": CONTROL_PLANE_LABEL, "operator": "Exists"}]}]}
_NO_ROLE = {"nodeSelectorTerms": [{"matchExpressions": [{"key": CONTROL_PLANE_LABEL, "operator": "DoesNotExist"}]}]}
ON_CONTROL_PLANE: dict[str, Any] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _ROLE}}
OFF_CONTROL_PLANE: dict[str, Any] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _NO_ROLE}}
