"""Restarts of nodes that ask for it: kured drains one at a time, within the spec's hours."""

from __future__ import annotations

from collections.abc import Iterator

from components.addons import cilium, upgrades
from components.addons.placement import ANY_NODE
from components.addons.remediation import EXCLUDE
from components.plan import Addon, Release
from components.spec import Spec
from components.target import TargetConfig

NAME, NAMESPACE, SENTINEL = "kured", "kube-system", "/var/run/reboot-required"
PERIOD = "10m"
"""Between two looks at a node [engineers' choice]: the default of an hour would use up most of a short window."""

_EXCLUDED = {"preRebootNodeLabels": [f"{EXCLUDE}=true"], "postRebootNodeLabels": [f"{EXCLUDE}=false"]}
"""A node that restarts is not lost: metal takes 4 to 13 min [documented] gitlab.com/testing-farm/infrastructure MR
1526, medians of metal at AWS, and a host may not bear to lose its power while firmware is written. One that does not
come back stays excluded, and keeps kured's lock, so no other restarts: a person looks. Values [seen] kubereboot/charts
kured-6.1.0 charts/kured/templates/daemonset.yaml."""


_KUBECTL = "kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout 10s"
_API = "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT"
_PLANS = f"get plans.{upgrades.GROUP} --all-namespaces --output jsonpath={{.items[*].status.applying}}"
# The chart does not quote it: no colon before a space.
_UNLESS_UPGRADED = f"""sh -c '[ -e {SENTINEL} ] || exit 1; \
applying=$({_KUBECTL} --server {_API} {_PLANS}) || exit 3; \
[ -z "$applying" ]'"""
"""No node asks for its restart as long as a Plan applies to any, nor when that cannot be told: kured logs any status
but 1. Run on the host, in the network of kured's pod [seen] kubereboot/kured 1.23.0 pkg/checkers/checker.go.

Jobs do not take kured's lock: it has one holder and they may be many, nothing of a job is sure to run at its end, and a
lock that names a node makes kured uncordon that node when its pod starts [seen] cmd/kured/main.go. A Plan may begin
between kured's look and its lock, which take a moment: upgrade.sh looks for the lock, and later than that.
"""

_WAITING = {"rebootSentinelCommand": _UNLESS_UPGRADED, "useRebootSentinelHostPath": False}
"""[seen] kubereboot/charts kured-6.1.0 charts/kured/templates/daemonset.yaml: the command counts without the path."""


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    window = spec.availability.reboots
    if window is None:
        return
    release = Release(
        name=NAME,
        namespace=NAMESPACE,
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
                # No node restarts in the middle of its upgrade: it looks at pods of its own node alone.
                "blockingPodSelector": [upgrades.JOBS],
                **(_WAITING if spec.kubernetes.upgrades else {}),
                **(_EXCLUDED if spec.availability.remediation else {}),
            },
            "tolerations": ANY_NODE,
        },
    )
    serves = tuple(f"availability.reboots.{field}" for field in ("days", "start", "end"))
    looks = tuple(upgrades.nodes_may_look()) if spec.kubernetes.upgrades else ()
    yield Addon(name="reboots", serves=serves, objects=(*looks, release), after=(cilium.NAME,))
