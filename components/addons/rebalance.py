"""Moving load inside the cluster: the descheduler evicts pods of nodes that are asked for much more than others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import cilium
from components.addons.placement import SHARED_NODES
from components.plan import Addon, Release
from components.spec import Spec
from components.target import TargetConfig

NAME = "descheduler"
SCHEDULE = "*/10 * * * *"
"""[engineers' choice] The chart's every two minutes would move a pod again before what moved first shows."""
_EVICTOR: dict[str, Any] = {
    # A pod that fits nowhere else stays; one with a volume does, too.
    "name": "DefaultEvictor",
    "args": {"nodeFit": True, "podProtections": {"extraEnabled": ["PodsWithPVC"]}},
}
_LOW: dict[str, Any] = {
    # Per cent of what a node can give, by requests: the chart's own values.
    "name": "LowNodeUtilization",
    "args": {
        "thresholds": {"cpu": 20, "memory": 20, "pods": 20},
        "targetThresholds": {"cpu": 50, "memory": 50, "pods": 50},
    },
}
_BALANCE = ("RemoveDuplicates", "RemovePodsViolatingTopologySpreadConstraint", "LowNodeUtilization")


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    if not spec.availability.rebalance:
        return
    profile = {
        "name": "default",
        "pluginConfig": [_EVICTOR, _LOW, *({"name": name} for name in _BALANCE[:-1])],
        "plugins": {"balance": {"enabled": list(_BALANCE)}},
    }
    release = Release(
        name=NAME,
        namespace="kube-system",
        chart=NAME,
        version="0.36.0",  # [seen] github.com/kubernetes-sigs/descheduler charts/descheduler/Chart.yaml, and its values
        repo="https://kubernetes-sigs.github.io/descheduler",
        values={
            "schedule": SCHEDULE,
            "deschedulerPolicyAPIVersion": "descheduler/v1alpha2",
            "deschedulerPolicy": {"profiles": [profile]},
            "tolerations": SHARED_NODES,
        },
    )
    yield Addon(name="rebalance", serves=("availability.rebalance",), objects=(release,), after=(cilium.NAME,))
