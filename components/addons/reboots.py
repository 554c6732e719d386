"""Restarts of nodes that ask for it: kured drains one at a time, within the spec's hours."""

from __future__ import annotations

from collections.abc import Iterator

from components.addons import cilium, upgrades
from components.addons.placement import ANY_NODE
from components.plan import Addon, Release
from components.spec import Spec
from components.target import TargetConfig

NAME = "kured"
PERIOD = "10m"
"""Between two looks at a node [engineers' choice]: the default of an hour would use up most of a short window."""


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    window = spec.availability.reboots
    if window is None:
        return
    release = Release(
        name=NAME,
        namespace="kube-system",
        chart=NAME,
        version="6.1.0",  # [seen] github.com/kubereboot/charts charts/kured/Chart.yaml; app 1.23.0
        repo="https://kubereboot.github.io/charts",
        values={
            # One lock in the cluster, so one node at a time, of the control plane too. A drain that a
            # PodDisruptionBudget stops waits and forces nothing: these are the chart's defaults.
            "configuration": {
                "rebootDays": list(window.days),
                "startTime": window.start,
                "endTime": window.end,
                "timeZone": "UTC",
                "period": PERIOD,
                # No node restarts in the middle of its upgrade.
                "blockingPodSelector": [upgrades.JOBS],
            },
            "tolerations": ANY_NODE,
        },
    )
    serves = tuple(f"availability.reboots.{field}" for field in ("days", "start", "end"))
    yield Addon(name="reboots", serves=serves, objects=(release,), after=(cilium.NAME,))
