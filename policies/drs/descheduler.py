"""Whether the descheduler's load balancing ever begins: it goes by what pods ask for, above a threshold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.rules import Evidence, Params, Raw, Rule, Stack, Undecided, Violation, percent
from isostack.assess.balance import fullest

RELEASE = "kubernetes:helm.sh/v3:Release"
CHART, PLUGIN = "descheduler", "LowNodeUtilization"
MAX_PODS = 110
"""Of a node: the kubelet's default."""


def check(stack: Stack, params: Params) -> Iterator[Violation]:
    if not stack.cluster.wanted.availability.rebalance:
        return
    begins = [at for release in stack.raw(RELEASE) if release.get("chart") == CHART for at in _begins(release)]
    if not begins:
        return
    if not stack.cluster.wanted.workloads:
        raise Undecided("what nodes are asked for: the spec names no workload")
    asked = dict(_asked(stack))
    most = {part: max((share[part], pool) for pool, share in asked.items()) for part in ("cpu", "memory", "pods")}
    if any(most[part][0] >= at[part] for at in begins for part in at if part in most):
        return
    part = max(most, key=lambda part: most[part][0])
    share, pool = most[part]
    at = min(level for each in begins for level in each.values())
    yield Violation(
        "availability.rebalance",
        f"{PLUGIN} begins with nodes that are asked for {percent(at)}; here none is asked for more than "
        f"{percent(share)}, {part} of pool {pool} with one node out\n"
        "it looks at requests and not at use, so nodes that run hot stay hot; what is left of it parts duplicates and "
        "mends spread constraints",
    )


def _begins(release: Raw) -> Iterator[Mapping[str, float]]:
    """From which share of a node on its pods are evicted, by resource, for each profile that goes by requests."""
    for profile in release.get("values", "deschedulerPolicy", "profiles") or []:
        for plugin in profile.get("pluginConfig") or []:
            arguments: Mapping[str, Any] = plugin.get("args") or {}
            by_use = arguments.get("metricsUtilization") or arguments.get("useDeviationThresholds")
            if plugin.get("name") == PLUGIN and not by_use:
                yield {part: level / 100 for part, level in (arguments.get("targetThresholds") or {}).items()}


def _asked(stack: Stack) -> Iterator[tuple[str, Mapping[str, float]]]:
    """What the fullest node of each pool can be asked for while one is out, as shares of a node."""
    spec = stack.cluster.wanted
    for pool in spec.pools:
        sizes = [machine.place.size for machine in stack.machines if machine.wanted.pool == pool.name]
        work = [workload for workload in spec.workloads if workload.pool == pool.name]
        if not sizes:
            continue
        cpus, memory = min(size.cpus for size in sizes), min(size.memory for size in sizes)
        left = max(1, len(sizes) - 1)
        yield (
            pool.name,
            {
                "cpu": fullest([(w.replicas, w.requests.cpu / 1000) for w in work], left) / cpus,
                "memory": fullest([(w.replicas, w.requests.memory) for w in work], left) / memory,
                "pods": fullest([(w.replicas, 1) for w in work], left) / MAX_PODS,
            },
        )


RULES = (
    Rule(
        id="drs-desched-by-requests",
        title="Rebalancing never begins: nodes are asked for too little",
        severity="low",
        level="advisory",
        claims=(10,),
        remediation="Fewer or smaller nodes; or give the descheduler usage to go by (metricsUtilization) with a "
        "load-aware scheduler; or availability.rebalance: false.",
        evidence=(
            Evidence(
                "documented",
                "github.com/kubernetes-sigs/descheduler README, LowNodeUtilization: by requests unless told to use "
                "metrics; evicts from nodes above targetThresholds in any resource",
            ),
            Evidence(
                "assumption",
                "model: at most the mean and one more pod on a node: fullest in isostack/assess/balance.py",
            ),
            Evidence(
                "assumption",
                "the workloads of the spec are what asks; add-ons ask for little, and a node has all its size to give",
            ),
        ),
        check=check,
        reads=(RELEASE,),
        why="Whether the descheduler that availability.rebalance installs can ever find a node to take pods from. It "
        "is praised as DRS inside the cluster, but it evens out what pods ask for, which the scheduler has done "
        "already, and only above its threshold. On hosts that are larger than asked the same pods ask for a smaller "
        "share: there the same wish does nothing, on VMs that are cut to size it may.",
    ),
)
