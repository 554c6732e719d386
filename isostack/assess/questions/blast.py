"""Blast radius: what one host takes with it, and who stands beside whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from isostack.assess.capacity import fatal_members, most_replicas
from isostack.assess.case import Case, Machine, NoAnswer, workers_cpus
from isostack.assess.neighbours import tenants
from isostack.assess.question import Question, Values


def capacity(case: Case, values: Values) -> float:
    """Per cent of the workers' CPUs."""
    return 100 * max(workers_cpus(machines) for machines in case.on_hosts.values()) / case.workers_cpus


def node(case: Case, values: Values) -> float:
    """Per cent of the workers' CPUs."""
    return 100 * max(workers_cpus([machine]) for machine in case.workers) / case.workers_cpus


def tenant(case: Case, values: Values) -> float:
    """Per cent of the CPUs of the nodes on which a tenant's pods may run, of the tenant that is hit worst."""
    if not case.spec.tenants:
        raise NoAnswer("the spec names no tenants")
    shares = []
    for each in case.spec.tenants:
        own = [machine for machine in case.workers if each.name in tenants(case, [machine])]
        here = [[m for m in machines if m in own] for machines in case.on_hosts.values()]
        if own:
            shares.append(max(map(workers_cpus, here)) / workers_cpus(own))
    return 100 * max(shares)


def zone(case: Case, values: Values) -> float:
    """Per cent of the workers' CPUs."""
    zones = Counter[str]()
    for machine in case.workers:
        zones[machine.wanted.zone] += machine.wanted.size.cpus
    return 100 * max(zones.values()) / case.workers_cpus


def replicas(case: Case, values: Values) -> float:
    """Per cent, of the workload that is hit worst."""
    return 100 * case.lost_share()


def quorum(case: Case, values: Values) -> float:
    """Hosts of which the loss stops the API."""
    members = sum(machine.wanted.role == "control-plane" for machine in case.machines)
    return float(
        sum(
            sum(m.wanted.role == "control-plane" for m in machines) >= fatal_members(members)
            for machines in case.on_hosts.values()
        )
    )


def kernel(case: Case, values: Values) -> float:
    """The most tenants whose pods share a kernel: of pools that nobody owns, all that have no pool of their own."""
    return float(max(_tenants(case, [machine]) for machine in case.workers))


def hardware(case: Case, values: Values) -> float:
    return float(max(_tenants(case, machines) for machines in case.on_hosts.values()))


def _tenants(case: Case, machines: Sequence[Machine]) -> int:
    """The cluster's own pods are no tenant, but where there is none."""
    return len(tenants(case, machines) - {""}) if case.spec.tenants else 1


QUESTIONS = (
    Question(
        id="blast.capacity",
        title="Workers' CPU that one lost host takes, at worst",
        unit="%",
        why="Of the CPUs that the spec asks for, so that hosts larger than asked look no better. Until HA or a spare "
        "brings it back, the rest must carry the load.",
        inputs=(),
        model=capacity,
        functions=(),
    ),
    Question(
        id="blast.node",
        title="Workers' CPU that one lost node takes, at worst",
        unit="%",
        why="A kernel that panics or a kubelet that hangs takes its node and no other, on either kind; nodes are as "
        "many and as large on each target.",
        inputs=(),
        model=node,
        functions=(),
    ),
    Question(
        id="blast.zone",
        title="Workers' CPU that one lost zone takes, at worst",
        unit="%",
        why="Nodes take the zones in turn on every target. What a zone is, the target says: a rack of hosts, or a "
        "label alone where the provider offers no choice.",
        inputs=(),
        model=zone,
        functions=(),
    ),
    Question(
        id="blast.replicas",
        title="Replicas of one workload that one lost host takes, at worst",
        unit="%",
        why="Replicas are spread evenly over the nodes of their pool. Of VMs several nodes of a pool may share a host; "
        "anti-affinity rules keep them apart where there are hosts enough. Workloads of one replica are left out.",
        inputs=(),
        model=replicas,
        functions=(most_replicas,),
    ),
    Question(
        id="blast.tenant",
        title="CPU of one tenant that one lost host takes, at worst",
        unit="%",
        why="Of the nodes on which the tenant's pods may run. A tenant with few nodes of its own is hit hardest.",
        inputs=(),
        model=tenant,
        functions=(),
    ),
    Question(
        id="blast.quorum",
        title="Hosts whose loss alone stops the API",
        unit="hosts",
        why="Hosts that carry as many members of etcd as a majority cannot miss. Rules keep them apart on VMs; on "
        "metal each is a host.",
        inputs=(),
        model=quorum,
        functions=(fatal_members,),
    ),
    Question(
        id="blast.kernel",
        title="Tenants on one kernel, at most",
        unit="tenants",
        why="Containers of one node share its kernel. VMs do not part tenants by themselves: pools of their own do, on "
        "either target (pools[].tenant).",
        inputs=(),
        model=kernel,
        functions=(),
    ),
    Question(
        id="blast.hardware",
        title="Tenants on one physical host, at most",
        unit="tenants",
        why="On VMs a hypervisor stands between tenants of different nodes; on metal nothing is shared but the "
        "network. How often either wall is found broken, the rules iso-* say.",
        inputs=(),
        model=hardware,
        functions=(),
    ),
)
