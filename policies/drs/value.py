"""DRS: what moving VMs between hosts is worth to the workloads of the spec, and what is left to do without it.

A pod runs short of CPU on its node first. A node VM has no more CPUs than the spec asks, as a host has no more than it
has: that shortage is the same on VMs and on metal, and moving VMs does not end it. DRS helps where hosts are short:
where the VMs' virtual CPUs outnumber the threads that the hypervisor leaves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.facts import SiteFacts
from components.rules import Evidence, Param, Params, Rule, Stack, Undecided, Violation, percent
from isostack.assess.balance import LEFT_BY_BALANCING, SIMULATED_PER_HOST, Load, spread, unevenness, unmet


@dataclass(frozen=True, slots=True)
class Short:
    """A pool some of whose nodes run short of CPU while others have it to spare."""

    pool: str
    pods: int
    nodes: int
    unmet: float
    worst: str
    """The workload that does most of it."""

    @property
    def balancing_helps(self) -> bool:
        return self.pods // self.nodes in SIMULATED_PER_HOST


def check(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation: what DRS does for each site of VMs, then the pools that run short, which hold on every site."""
    if not stack.cluster.wanted.workloads:
        raise Undecided("no workloads are named: whether nodes run short depends on them")
    drs = [line for site in stack.sites if site.machine == "vm" for line in _drs(stack, site, params)]
    short = sorted(_short_pools(stack, params), key=lambda pool: pool.unmet, reverse=True)
    if drs or short:
        reason = (
            _nodes(short, _reach(stack, bool(drs)), params)
            if short
            else [f"nodes do not run short of CPU {_assumed(params)}"]
        )
        yield Violation("workloads", "\n".join([*drs, *reason]))


def _reach(stack: Stack, drs: bool) -> str:
    """What moves load, and so does not help here."""
    if drs:
        return "where DRS does not reach"
    if stack.cluster.wanted.availability.rebalance:
        return "and the descheduler sees what pods ask for, not what they use"
    return "and nothing moves load between hosts"


def _drs(stack: Stack, site: SiteFacts, params: Params) -> Iterator[str]:
    level = site.balancing.workers if site.balancing else "disabled"
    if not site.hosts:
        yield f"what DRS ({level}) changes is not decidable at preview: the hosts of site {site.name} are not known"
        return
    machines = [machine for machine in stack.machines if machine.place.site == site.name]
    virtual, threads = sum(m.place.size.cpus for m in machines), sum(host.usable_cpus for host in site.hosts)
    if enough := _enough(stack, site, virtual):
        if level != "disabled":  # nobody counts on what is off
            yield f"DRS ({level}) changes nothing measurable: this cluster cannot make a host short of CPU, {enough}"
        return
    pools = {machine.wanted.pool for machine in machines}
    loads = _loads(stack, pools)
    used = params["utilisation"] * virtual / threads
    share = unmet(used, spread(loads, len(site.hosts), used, params["variation"])) if loads else 0.0
    if share * 100 <= params["tolerancePercent"]:
        if level == "disabled":
            return
        verdict = f"DRS ({level}) changes nothing measurable: without it hosts leave {percent(share)} of demand unmet"
    else:
        per_host = sum(load.replicas for load in loads) // len(site.hosts)
        known = per_host in SIMULATED_PER_HOST
        rest = f"at most {percent(share * LEFT_BY_BALANCING)}" if known else "less, not known how much"
        verdict = f"DRS ({level}) matters: without it hosts leave {percent(share)} of demand unmet, with it {rest}"
    yield f"{verdict}, {virtual} vCPU on {threads} usable threads"


def _enough(stack: Stack, site: SiteFacts, virtual: int) -> str:
    """Why every vCPU always has a thread; empty where it has not, or where hosts are not chosen yet."""
    carried = dict.fromkeys((host.name for host in site.hosts), 0)
    for machine in stack.machines:
        if machine.place.site == site.name:
            if machine.place.host not in carried:
                return ""
            carried[machine.place.host] += machine.place.size.cpus
    left = sum(sorted(host.usable_cpus for host in site.hosts)[: max(0, len(site.hosts) - site.reserve_hosts)])
    if any(carried[host.name] > host.usable_cpus for host in site.hosts) or virtual > left:
        return ""
    busiest = max(site.hosts, key=lambda host: carried[host.name] / max(1, host.usable_cpus))
    lost = f", {virtual} on {left} with {site.reserve_hosts} lost" if site.reserve_hosts else ""
    return f"at most {carried[busiest.name]} vCPU on {busiest.usable_cpus} usable threads{lost}"


def _short_pools(stack: Stack, params: Params) -> Iterator[Short]:
    for pool in stack.cluster.wanted.pools:
        loads = _loads(stack, {pool.name})
        sizes = [machine.place.size.cpus for machine in stack.machines if machine.wanted.pool == pool.name]
        if not loads or not sizes:
            continue
        # The same demand on every target: a share of what was asked, on what is there.
        used = params["utilisation"] * pool.size.cpus * len(sizes) / sum(sizes)
        share = unmet(used, spread(loads, len(sizes), used, params["variation"]))
        if share * 100 > params["tolerancePercent"]:
            pods = sum(load.replicas for load in loads)
            worst = max(loads, key=lambda load: unevenness(load, len(sizes)))
            yield Short(pool.name, pods, len(sizes), share, f"{worst.name}: {worst.replicas} on {len(sizes)}")


def _loads(stack: Stack, pools: set[str]) -> list[Load]:
    workloads = stack.cluster.wanted.workloads
    return [Load(work.name, work.replicas, work.requests.cpu / 1000) for work in workloads if work.pool in pools]


def _nodes(short: Sequence[Short], reach: str, params: Params) -> list[str]:
    """Which nodes run short, and what ends it."""
    named = "; ".join(
        f"pool {pool.pool} leaves {percent(pool.unmet)} of demand unmet (most by {pool.worst} nodes)"
        for pool in short[:2]
    )
    more = f"; {len(short) - 2} more pools" if len(short) > 2 else ""
    helped = any(pool.balancing_helps for pool in short)
    cure = (
        f"a descheduler by usage with a load-aware scheduler leaves at most {percent(LEFT_BY_BALANCING)} of it, "
        "by restarting pods"
        if helped
        else "too few pods to even out by moving them: replicas in a multiple of the nodes would"
    )
    return [f"nodes run short {_assumed(params)}, {reach}: {named}{more}", cure]


def _assumed(params: Params) -> str:
    return f"at {percent(params['utilisation'])} load, variation {params['variation']:g} [assumptions]"


RULES = (
    Rule(
        id="drs-value",
        title="What moving load between hosts is worth here",
        severity="low",
        level="advisory",
        claims=(10,),
        remediation=(
            "Where nodes run short: as many replicas as the pool has nodes, or a multiple; where many pods share a "
            "node, a descheduler by usage with a load-aware scheduler. Where DRS changes nothing: it evacuates hosts."
        ),
        evidence=(
            Evidence("assumption", "model: isostack/assess/balance.py"),
            Evidence("measured", "simulated on PlanetLab traces (github.com/Cloudslab/cloudsim), 8 hosts, 20 seeds"),
            Evidence(
                "documented",
                "the descheduler looks at requests unless told to look at usage: "
                "github.com/kubernetes-sigs/descheduler README; load-aware: kubernetes-sigs/scheduler-plugins Trimaran",
            ),
            Evidence("assumption", "workloads are independent, replicas of one are alike and spread evenly over nodes"),
        ),
        check=check,
        why="Whether nodes, or hosts of VMs, run short of CPU while others have it to spare, from the replicas and "
        "requests of the workloads. That DRS is a reason for VMs holds for few large workloads on hosts with fewer "
        "threads than their VMs have CPUs. With many small pods a host the load evens out by itself, and a pod meets "
        "the limit of its node before that of the host, which moving the VM does not change.",
        params=(
            Param(
                name="utilisation",
                default=0.7,
                minimum=0.01,
                maximum=1,
                description="Mean CPU use of the nodes, as a share of the size asked.",
                evidence=Evidence("assumption", "a cluster that is run full; lower it to what you measure"),
            ),
            Param(
                name="variation",
                default=1.0,
                minimum=0,
                maximum=3,
                description="Coefficient of variation of CPU demand between workloads, relative to their requests.",
                evidence=Evidence("assumption", "1.38 was measured on PlanetLab in 2011; requests follow use in part"),
            ),
            Param(
                name="tolerancePercent",
                default=0.1,
                minimum=0,
                maximum=100,
                description="Unmet share of demand, in percent, that goes unnoticed.",
                evidence=Evidence("assumption", "a thousandth of demand"),
            ),
        ),
    ),
)
