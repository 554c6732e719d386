"""Pods of a lost host: when they are given up, and what their users see until then."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from components.rules import Evidence, Param, Params, Rule, Stack, Violation, percent
from isostack.assess.capacity import most_replicas
from isostack.assess.recovery import detected, evicted, patience, requests_lost, restarted, stateless_back
from policies.placed import hosts, most, of_pool, restarting
from policies.words import named, seconds

TIMES = Evidence("assumption", "model: times in isostack/assess/recovery.py")
STUCK = Evidence(
    "documented",
    "kubernetes.io/docs/concepts/cluster-administration/node-shutdown, Non-graceful node shutdown: pods of a dead node "
    "stay Terminating, a StatefulSet makes no other, the volume stays attached",
)
TUNED = 30
"""A toleration, in seconds, to compare with."""


def check_below_ha(stack: Stack, params: Params) -> Iterator[Violation]:
    spec, site = stack.cluster.wanted, restarting(stack)
    kept = [w.name for w in spec.workloads if w.state == "volume"]
    if site is None or not kept:
        return
    hosts_there, after = len(site.hosts), spec.availability.evict_after
    if hosts_there and after < patience(hosts_there):
        yield Violation(
            "availability.evictAfter",
            f"{seconds(after)}: pods of a lost host are given up after {seconds(evicted(after))}, and HA has its VMs "
            f"back after {seconds(restarted(hosts_there))}\n"
            f"pods of {named(kept)} cannot leave a node that does not answer: they wait for the VM, and start anew "
            f"then; from {ceil(patience(hosts_there))} s on they just go on",
            tuple(kept),
        )


def check_single(stack: Stack, params: Params) -> Iterator[Violation]:
    """Where HA restarts the VM, the pod is back with it."""
    spec = stack.cluster.wanted
    single = [w.name for w in spec.workloads if w.state == "none" and w.replicas == 1]
    back = stateless_back(spec.availability.evict_after)
    if single and restarting(stack) is None and back > params["outageSeconds"]:
        yield Violation(
            "availability.evictAfter",
            f"{seconds(spec.availability.evict_after)}: the only replica of {named(single)} is back "
            f"{seconds(back)} after the loss of its host, with {TUNED} s after {seconds(stateless_back(TUNED))}; with "
            f"two replicas half of the requests fail for {seconds(detected())}",
            tuple(single),
        )


def check_errors(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    for pool in spec.pools:
        spread = [w for w in spec.workloads if w.pool == pool.name and w.replicas > 1]
        if not spread:
            continue
        machines = of_pool(stack, pool.name)
        _, nodes = most(hosts(stack, machines))
        shares = {w.name: most_replicas(nodes, len(machines), w.replicas) / w.replicas for w in spread}
        over = [name for name, share in shares.items() if requests_lost(share) > params["budgetSeconds"]]
        if over:
            worst = max(over, key=lambda name: shares[name])
            yield Violation(
                f"pools.{pool.name}.nodes",
                f"a lost host takes {percent(shares[worst])} of the replicas of {worst}: until its nodes are NotReady, "
                f"for {seconds(detected())}, so many requests fail, worth {seconds(requests_lost(shares[worst]))} of "
                f"all\nmore than the {seconds(params['budgetSeconds'])} allowed for {named(over)}; neither vSphere HA "
                "nor evictAfter shortens it",
                tuple(over),
            )


RULES = (
    Rule(
        id="rec-toleration-below-ha",
        title="Pods are given up before HA brings their node back",
        severity="medium",
        level="advisory",
        claims=(11,),
        remediation=(
            "Raise availability.evictAfter above the time in the message, with what your guests need to boot. "
            "Stateless pods wait longer then: more than one replica costs less than that."
        ),
        evidence=(STUCK, TIMES),
        check=check_below_ha,
        why="vSphere HA restarts a VM under the same name, and its volumes are still attached: a pod that was left "
        "alone goes on. A pod that was given up before that is deleted as soon as the node answers, and is started "
        "anew: two restarts instead of one, and no time won. The boot time of the guest decides, 60 s here "
        "[assumption].",
        machines=frozenset({"vm"}),
    ),
    Rule(
        id="rec-default-toleration",
        title="A single replica waits longer than it must",
        severity="low",
        level="advisory",
        claims=(11,),
        remediation="Lower availability.evictAfter, to 30s for example, or give the workload a second replica.",
        evidence=(
            Evidence(
                "documented",
                "kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration: pods tolerate an unreachable "
                "node for 300 s by default",
            ),
            TIMES,
        ),
        check=check_single,
        params=(
            Param(
                name="outageSeconds",
                default=300,
                minimum=0,
                maximum=86400,
                description="Outage of a single replica that goes unnoticed.",
                evidence=Evidence("assumption", "what Kubernetes itself waits by default"),
            ),
        ),
        why="The five minutes that Kubernetes is blamed for are a default, and concern pods that have no other "
        "replica. With 30 s a pod without a volume is back on metal as fast as vSphere HA restarts a VM. A short time "
        "has a price: a node that is only cut off for a while loses its pods.",
    ),
    Rule(
        id="rec-error-window",
        title="The loss of a host fails more requests than are allowed",
        severity="low",
        level="advisory",
        claims=(11, 12),
        remediation=(
            "More replicas on more hosts (pools[].nodes, workloads[].replicas); retries and health checks in the "
            "clients end errors sooner than Kubernetes does."
        ),
        evidence=(
            Evidence(
                "documented",
                "kubernetes/kubernetes pkg/controller/nodelifecycle: pods of a node are marked not ready when it is "
                "NotReady, and leave the endpoints of their services",
            ),
            TIMES,
        ),
        check=check_errors,
        params=(
            Param(
                name="budgetSeconds",
                default=30,
                minimum=0,
                maximum=3600,
                description="Error budget of one lost host, in seconds' worth of all requests to a workload.",
                evidence=Evidence("assumption", "no objective stands in the spec: set it to yours"),
            ),
        ),
        why="A replicated service fails with the share of its replicas that stood on the lost host, until their node "
        "is NotReady. That is 47.5 s on average on every target: detection is Kubernetes' own. What differs is the "
        "share: several node VMs on one host are lost together.",
    ),
)
