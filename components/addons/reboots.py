"""Restarts of nodes that ask for it: kured drains one at a time, within the spec's hours."""

from __future__ import annotations

from collections.abc import Iterator

from components.addons import cilium, upgrades
from components.addons.placement import ANY_NODE
from components.addons.remediation import EXCLUDE
from components.plan import Addon, Release
from components.spec import Spec
from components.target import TargetConfig

NAME = "kured"
PERIOD = "10m"
"""Between two looks at a node [engineers' choice]: the default of an hour would use up most of a short window."""

_EXCLUDED = {"preRebootNodeLabels": [f"{EXCLUDE}=true"], "postRebootNodeLabels": [f"{EXCLUDE}=false"]}
"""A node that restarts is not lost: metal takes 4 to 13 min [documented] gitlab.com/testing-farm/infrastructure MR
1526, medians of metal at AWS, and a host may not bear to lose its power while firmware is written. One that does not
come back stays excluded, and keeps kured's lock, so no other restarts: a person looks. Values [seen] kubereboot/charts
kured-6.1.0 charts/kured/templates/daemonset.yaml."""


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
                **(_EXCLUDED if spec.availability.remediation else {}),
            },
            "tolerations": ANY_NODE,
        },
    )
    serves = tuple(f"availability.reboots.{field}" for field in ("days", "start", "end"))
    yield Addon(name="reboots", serves=serves, objects=(release,), after=(cilium.NAME,))
