"""Nodes: whether those that a loss or an upgrade leaves of a pool hold its workloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.facts import MachineFacts, SiteFacts
from components.rules import Evidence, Param, Params, Rule, Stack, Undecided, Violation
from isostack.assess.capacity import binding, carried, needed, restartable, vm_overhead, without
from policies.placed import hosts, most, of_pool, restarting
from policies.words import count, named

MIB = 1024**2
PACKED = Evidence(
    "documented",
    "first fit decreasing over requests, with what a node keeps for the system (GKE's brackets) and for agents "
    "[assumption]: components/sizing.py",
)
WAITS = Evidence("assumption", "a workload that copies its own data may lack one replica for each lost node")


def check_host(stack: Stack, params: Params) -> Iterator[Violation]:
    """Where HA has a host in reserve, every node is back soon: the plan itself checks that they fit."""
    if _comes_back(stack):
        return
    spare = sum(site.spare_hosts for site in stack.sites)
    until = (
        f"until a spare host joins, of {spare} that there are" if spare else "until the host is repaired or replaced"
    )
    for pool in stack.cluster.wanted.pools:
        machines = of_pool(stack, pool.name)
        if machines and _used(stack, pool.name):
            host, lost = most(hosts(stack, machines))
            yield from _short(stack, pool.name, machines, lost, f"the loss of {host}", until)


def check_zone(stack: Stack, params: Params) -> Iterator[Violation]:
    """Of pools that spread over zones; one that the loss of a host already breaks is told of once."""
    broken, site = {violation.field for violation in check_host(stack, params)}, restarting(stack)
    for pool in stack.cluster.wanted.pools:
        machines = of_pool(stack, pool.name)
        zones = Counter(machine.wanted.zone for machine in machines)
        if len(zones) > 1 and _used(stack, pool.name) and f"pools.{pool.name}.nodes" not in broken:
            off = zones if site is None else Counter({zone: _off(stack, site, zone)[pool.name] for zone in zones})
            zone, lost = most(off)
            all_of_it = count(zones[zone], "VM")
            yield from _short(
                stack,
                pool.name,
                machines,
                lost,
                f"the loss of zone {zone}",
                "until the zone is back, or pods are fewer",
                f", {zones[zone] - lost} of its {all_of_it} restarted by HA in other zones" if site else "",
            )


def _off(stack: Stack, site: SiteFacts, zone: str) -> Counter[str]:
    """How many VMs of each pool stay off when a zone is lost: for those HA finds no memory on hosts of other zones."""
    if not site.hosts:
        raise Undecided(f"the hosts of site {site.name} are not known")
    free = {host.name: host.usable_memory / MIB for host in site.hosts if host.zone != zone}
    lost = [machine for machine in stack.machines if machine.wanted.zone == zone]
    for machine in stack.machines:
        if machine.place.host is None:
            raise Undecided(f"the host of {machine.wanted.name} is chosen later")
        if machine not in lost and machine.place.host in free:
            cpus, memory = _size(machine)
            free[machine.place.host] -= memory + vm_overhead(cpus, memory)
    starts = restartable(list(free.values()), [_size(machine) for machine in lost])
    return Counter(machine.wanted.pool for machine, start in zip(lost, starts, strict=True) if not start)


def _size(machine: MachineFacts) -> tuple[int, float]:
    return machine.place.size.cpus, machine.place.size.memory / MIB


def _comes_back(stack: Stack) -> bool:
    site = restarting(stack)
    return site is not None and site.reserve_hosts > 0


def _used(stack: Stack, pool: str) -> bool:
    return any(workload.pool == pool for workload in stack.cluster.wanted.workloads)


def _short(
    stack: Stack, pool: str, machines: list[MachineFacts], lost: int, what: str, until: str, back: str = ""
) -> Iterator[Violation]:
    """Where the nodes that are left do not hold what must run."""
    workloads = without(carried(stack.cluster.wanted, pool), lost)
    size = min((machine.place.size for machine in machines), key=lambda size: (size.memory, size.cpus))
    left, needs = len(machines) - lost, needed(size, workloads)
    if needs is not None and needs > left:
        by = binding(size, workloads)
        yield Violation(
            f"pools.{pool}.nodes",
            f"{what} leaves {left} of {count(len(machines), 'node')}{back}; pods of "
            f"{named([w.name for w in workloads])} take {count(needs, 'node')}, by {by}\nwhat finds no room "
            f"stays Pending {until}",
            tuple(w.name for w in workloads),
        )


def check_pods(stack: Stack, params: Params) -> Iterator[Violation]:
    more = int(params["podsPerNode"])
    for pool in stack.cluster.wanted.pools:
        machines = of_pool(stack, pool.name)
        workloads = carried(stack.cluster.wanted, pool.name)
        if not machines or not workloads:
            continue
        size = machines[0].place.size
        now, then = needed(size, workloads), needed(size, workloads, more)
        if now is not None and then is not None and now > then:
            pods = sum(w.replicas for w in workloads)
            yield Violation(
                f"pools.{pool.name}.size",
                f"{pods} pods fill {count(now, 'host')} of {size.cpus} CPU at 110 pods a node, the kubelet's default; "
                f"with {more} it would be {then}\nthe same CPU and memory in smaller hosts, or in VMs, have room for "
                "more pods",
                tuple(w.name for w in workloads),
            )


def check_surge(stack: Stack, params: Params) -> Iterator[Violation]:
    asked = stack.cluster.wanted.availability.surge
    found = next((each for each in stack.cluster.realisations if each.field == "availability.surge"), None)
    if asked and found is not None and found.grade != "equal":
        yield Violation(
            "availability.surge",
            f"{asked} asked, {found.grade}: {found.mechanism}: {found.reason}\n"
            "an upgrade takes nodes away before others join, and their pods must fit on the rest",
        )


RULES = (
    Rule(
        id="cap-n-plus-k",
        title="With one host lost a pool does not hold its workloads",
        severity="high",
        # That the pool must bear a loss is no wish of the spec.
        level="advisory",
        claims=(11, 5),
        remediation="Raise pools[].nodes, or lower requests; on VMs let vSphere HA keep a host free (ha.hostFailures: "
        "1).",
        evidence=(PACKED, WAITS),
        check=check_host,
        why="The same question on every target: are the pods of a lost host anywhere else to run? On metal a host is a "
        "node of one pool. On VMs it may carry several, but where vSphere HA keeps a host free they are back within "
        "minutes, and this rule is silent. Requests are packed, not use.",
    ),
    Rule(
        id="cap-zone-loss",
        title="With one zone lost a pool does not hold its workloads",
        severity="medium",
        level="advisory",
        claims=(11, 12),
        remediation="Raise pools[].nodes until the zones that are left hold the workloads, or lower requests; where "
        "vSphere HA is on, hosts of other zones with memory to spare do as well (hosts of the target config).",
        evidence=(
            PACKED,
            WAITS,
            Evidence(
                "documented",
                "rules of zones are should-rules: docs.vmware.com vSphere 8.0 Resource Management, GUID-793013E2, DRS "
                "and HA may violate preferential ones; vSphere 6.5 Availability, GUID-E137A9F8, HA tries to keep them",
            ),
            Evidence(
                "assumption",
                "model: HA starts the largest VM first, each where its memory fits: isostack/assess/capacity.py",
            ),
        ),
        check=check_zone,
        why="A pool that spreads over zones is meant to outlive one of them. It does so where the nodes of the others "
        "hold its pods. With two zones that takes twice the nodes, with three one and a half times. vSphere HA may "
        "restart the VMs of a lost zone on hosts of others, where those have the memory free: only what stays off then "
        "counts as lost. Without HA, and on metal, a zone takes all of its nodes along.",
    ),
    Rule(
        id="cap-max-pods-binds",
        title="The number of pods a node, not its size, decides how many hosts there are",
        severity="low",
        level="advisory",
        claims=(5,),
        remediation="Choose smaller hosts for the pool, or VMs: 110 pods a node is the kubelet's default, which is "
        "kept.",
        evidence=(
            Evidence(
                "documented", "kubernetes.io/docs/setup/best-practices/cluster-large: no more than 110 pods per node"
            ),
            PACKED,
        ),
        check=check_pods,
        params=(
            Param(
                name="podsPerNode",
                kind="whole",
                default=250,
                minimum=110,
                maximum=500,
                description="Pods a node to compare with.",
                evidence=Evidence("assumption", "about what a /24 holds, the pod addresses of a node"),
            ),
        ),
        why="That metal is denser holds for large pods. Many small ones fill a large host by their number long before "
        "its CPU: 1500 pods of 0.1 CPU take 15 hosts of 128 threads, and 3 with VMs of 16.",
        machines=frozenset({"host"}),
    ),
    Rule(
        id="cap-no-surge",
        title="An upgrade finds no room for its further nodes",
        severity="medium",
        level="advisory",
        claims=(8, 2),
        remediation=(
            "Add what the message says is missing: hosts or addresses for VMs, a spare host of the pool's class on "
            "metal; or set availability.surge: 0 and say so."
        ),
        evidence=(
            Evidence(
                "documented",
                "github.com/aws/eks-anywhere docs, Upgrade Bare Metal cluster: at least one spare host for the control "
                "plane and for each group of workers",
            ),
        ),
        check=check_surge,
        why="A further node joins before an old one leaves. A VM needs room on a host for it, metal a whole spare "
        "server of the right kind. Where there is none nodes are upgraded in place, one fewer at a time.",
    ),
)
