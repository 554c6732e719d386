"""Hosts below VMs: what Kubernetes does not see of them when it spreads replicas and counts lost nodes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from components.facts import MachineFacts
from components.rules import Evidence, Params, Rule, Stack, Violation, percent
from isostack.assess.capacity import hosts_apart, together
from isostack.assess.recovery import TAINTED_PER_SECOND, taints_per_second
from policies.placed import hosts, most, of_pool
from policies.words import count, named

ANTI_AFFINITY = "vsphere:index/computeClusterVmAntiAffinityRule:ComputeClusterVmAntiAffinityRule"
EVICTION = Evidence(
    "documented",
    "kubernetes.io/docs/concepts/architecture/nodes, Rate limits on eviction: from 55 % of a zone's nodes on none are "
    "evicted where it has at most 50",
)


def check_hostname(stack: Stack, params: Params) -> Iterator[Violation]:
    """Of workloads that hosts could keep apart: with more replicas than hosts, some share one whatever is done."""
    for pool in stack.cluster.wanted.pools:
        spread = [w for w in stack.cluster.wanted.workloads if w.pool == pool.name and w.replicas > 1]
        if not spread:
            continue
        on = hosts(stack, of_pool(stack, pool.name))
        host, nodes = most(on)
        apart = sorted((w for w in spread if w.replicas <= len(on)), key=lambda w: (-w.replicas, w.name))
        if nodes > 1 and apart:
            worst = apart[0]
            shared = together(list(on.values()), worst.replicas)
            others = f", those of {named([w.name for w in apart[1:]])} at most as often" if apart[1:] else ""
            yield Violation(
                f"pools.{pool.name}.nodes",
                f"its {count(pool.nodes, 'node')} stand on {count(len(on), 'host')}, {nodes} of them on {host}: spread "
                "by node is not spread by host\n"
                f"on different nodes the {worst.replicas} replicas of {worst.name} share a host with p = "
                f"{percent(shared)}{others}",
                tuple(w.name for w in apart),
            )


def check_deadlock(stack: Stack, params: Params) -> Iterator[Violation]:
    there = sum(len(site.hosts) for site in stack.sites)
    surge = stack.cluster.wanted.availability.surge
    reserve = max((site.reserve_hosts for site in stack.sites if site.restarts_machines), default=0)
    for rule in stack.raw(ANTI_AFFINITY) if there else ():
        if rule.get("enabled") is False or not rule.get("mandatory"):
            continue
        members = len(rule.get("virtualMachineIds") or ())
        needs = hosts_apart(members, surge, reserve)
        if needs <= there:
            continue
        blocked = []
        if members > there:
            blocked.append(f"{count(members - there, 'VM')} of them cannot be powered on at all")
        if surge and members + surge > there:
            blocked.append(f"an upgrade with surge {surge} needs {members + surge} and blocks")
        if reserve and members + reserve > there:
            blocked.append(
                f"with {count(reserve, 'host')} lost HA leaves {count(members + reserve - there, 'VM')} off where it "
                "respects such rules"
            )
        yield Violation(
            rule.name,
            f"mandatory, for {count(members, 'VM')} on {count(there, 'host')}: {needs} are needed\n"
            f"{'; '.join(blocked)}",
            of="resource",
        )


def check_evictions(stack: Stack, params: Params) -> Iterator[Violation]:
    """Silent where HA has a host's worth of capacity in reserve: the nodes are back before it matters."""
    sites = [s for s in stack.sites if s.machine == "vm" and not (s.restarts_machines and s.reserve_hosts)]
    names = {site.name for site in sites}
    by_zone: dict[str, list[MachineFacts]] = defaultdict(list)
    for machine in stack.machines:
        if machine.place.site in names:
            by_zone[machine.wanted.zone].append(machine)
    worst: dict[str, tuple[float, str]] = {}
    for zone, machines in by_zone.items():
        for host, lost in hosts(stack, machines).items():
            rate = taints_per_second(len(machines), lost)
            if rate < TAINTED_PER_SECOND:
                how = f"evicts those of one node in {1 / rate:.0f} s" if rate else "evicts the pods of none"
                share = lost / len(machines)
                said = f"{lost} of {len(machines)} nodes of zone {zone} ({percent(share)}), and Kubernetes {how}"
                worst[host] = max(worst.get(host, (0.0, "")), (share, said))
    if worst:
        first = max(sorted(worst), key=lambda host: worst[host])
        also = [host for host in sorted(worst) if host != first]
        yield Violation(
            "hosts",
            f"the loss of {first} makes NotReady {worst[first][1]}{f'; so or alike {named(also)}' if also else ''}\n"
            "what is not evicted runs nowhere until the host is back, also without a volume: no VM is restarted",
            (first, *also),
            of="target",
        )


RULES = (
    Rule(
        id="rec-hostname-is-not-host",
        title="Replicas on different nodes may stand on one host",
        severity="high",
        # How replicas are spread stands in their manifests, which the spec does not have.
        level="advisory",
        claims=(12, 11),
        remediation=(
            "Give the pool no more nodes than it has hosts (pools[].nodes, with a larger pools[].size), or add hosts "
            "to the target config; or spread replicas by topology.kubernetes.io/zone, which stands on hosts of its own."
        ),
        evidence=(
            Evidence(
                "documented",
                "kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints: topologies are node "
                "labels; those of a node are kubernetes.io/hostname and topology.kubernetes.io/zone",
            ),
            Evidence("assumption", "model: replicas placed at random on different nodes: isostack/assess/capacity.py"),
        ),
        check=check_hostname,
        why="Kubernetes spreads replicas over nodes and zones. On metal a node is a host. VMs of one pool may share a "
        "host, and no label says so: replicas kept apart by kubernetes.io/hostname then go down together. Charts and "
        "linters ask for exactly that label. Judged is where the VMs are planned to start.",
        machines=frozenset({"vm"}),
    ),
    Rule(
        id="rec-anti-affinity-deadlock",
        title="A mandatory anti-affinity rule has too few hosts to keep",
        severity="high",
        level="mandatory",
        claims=(12,),
        remediation=(
            "Leave the rule's mandatory out or false, which still keeps the VMs apart while there is room, lower "
            "availability.surge to 0, or add hosts to the target config."
        ),
        evidence=(
            Evidence(
                "documented",
                "docs.vmware.com vSphere 6.5 Availability, GUID-E137A9F8: HA told to respect VM anti-affinity does not "
                "fail over a VM if doing so violates a rule",
            ),
            Evidence(
                "documented",
                "pulumi-vsphere ComputeClusterVmAntiAffinityRule.mandatory: prevents any operation that violates the "
                "rule; default false",
            ),
        ),
        check=check_deadlock,
        why="A mandatory rule refuses to power on a VM that would stand beside another member. An upgrade that adds a "
        "node before it takes one away, and a restart by HA, both need a host more than there are members. A rule that "
        "is not mandatory is kept while there is room and costs nothing when there is none.",
        machines=frozenset({"vm"}),
        reads=(ANTI_AFFINITY,),
    ),
    Rule(
        id="rec-evictions-stop",
        title="The loss of one host stops the eviction of its pods",
        severity="high",
        level="advisory",
        claims=(11, 12),
        remediation=(
            "Spread the VMs over more hosts (hosts of the target config), make the nodes fewer and larger, or let "
            "vSphere HA restart them with a host in reserve (ha.enabled, ha.hostFailures)."
        ),
        evidence=(
            EVICTION,
            Evidence(
                "documented",
                "kubernetes/kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go, ComputeZoneState: "
                "only where more than two nodes are lost, and a zone lost as a whole counts as one that works",
            ),
        ),
        check=check_evictions,
        why="Kubernetes takes the loss of most nodes of a zone for a fault of the network, and stops evicting. On "
        "metal a host is one node and does not get there. A host with several VMs does: 5 of 8 nodes are 62 %. Where "
        "HA brings the VMs back it does not matter.",
        machines=frozenset({"vm"}),
    ),
)
