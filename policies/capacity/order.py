"""The order of pods: whether those of a pool all find a node whichever come first, since the scheduler packs none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from components.facts import MachineFacts
from components.rules import Evidence, Params, Rule, Stack, Violation
from isostack.assess.capacity import carried, needed
from isostack.assess.scheduler import lower, more, orders, pending
from policies.placed import of_pool
from policies.words import count, listed

if TYPE_CHECKING:
    from components.spec import Size, Workload


def check_order(stack: Stack, params: Params) -> Iterator[Violation]:
    for pool in stack.cluster.wanted.pools:
        machines, workloads = of_pool(stack, pool.name), carried(stack.cluster.wanted, pool.name)
        if machines and workloads:
            yield from _of_pool(pool.name, machines, workloads)


def _of_pool(pool: str, machines: Sequence[MachineFacts], workloads: Sequence[Workload]) -> Iterator[Violation]:
    sizes = [machine.place.size for machine in machines]
    size = min(sizes, key=lambda each: (each.memory, each.cpus))
    packed = needed(size, workloads)
    if packed is None or packed > len(sizes):
        return  # The plan itself refuses it: no order would do.
    large, small = orders(size, workloads)
    for order, when in ((large, "even where the largest come first"), (small, "where smaller ones come first")):
        left = {w.name: (n, w.replicas) for w, n in zip(order, pending(sizes, order), strict=True) if n}
        if left:
            pods = listed(f"{n} of {count(replicas, 'pod')} of {name}" for name, (n, replicas) in left.items())
            yield Violation(
                f"pools.{pool}.nodes",
                f"no room for {pods} on {count(len(sizes), 'node')} {when}, though packed all take {packed}\n"
                f"the scheduler puts each pod on the node with most room; {_right(sizes, size, workloads, [*left])}"
                f"{'' if order is large else ', or a PriorityClass for the large ones'}",
                tuple(left),
            )
            return


def _right(sizes: Sequence[Size], size: Size, workloads: Sequence[Workload], names: Sequence[str]) -> str:
    """What would do in either order."""
    enough = f"{count(len(sizes) + more(sizes, size, workloads), 'node')} would do"
    percent = lower(sizes, size, workloads, names)
    return enough if percent is None else f"{enough}, or requests of {listed(names)} {percent} % lower"


RULES = (
    Rule(
        id="cap-order-of-pods",
        title="Whether a pool's pods all find a node hangs on the order in which they come",
        severity="medium",
        # Whether it comes to that hangs on an order that no spec says.
        level="advisory",
        claims=(5, 12),
        remediation="Raise pools[].nodes to what the message says, or lower workloads[].requests by as much; or give "
        "the large pods a PriorityClass of their own, which the scheduler takes first.",
        evidence=(
            Evidence(
                "measured",
                "isostack.assess.scheduler against kube-scheduler 1.36.3: tests/cluster/test_sizing.py; nodes alike "
                "and of one zone",
            ),
            Evidence(
                "documented",
                "kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption: the scheduling queue is in "
                "order of priority",
            ),
            Evidence("assumption", "nothing else on the nodes but agents, and their share as components/sizing.py has"),
        ),
        check=check_order,
        why="The plan holds a pool against its workloads as if pods were packed, the largest first. The scheduler "
        "spreads them: small ones that come first take a little of every node, and a large one that comes later, after "
        "a rollout or a drain, may find none with room although the sums fit. Two orders are tried, the largest first "
        "and the smallest first. Requests count, not use; it is the same on VMs and on metal, where hosts that are "
        "larger than asked leave more room.",
    ),
)
