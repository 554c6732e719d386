"""Isolation: which boundary stands between an external tenant and the others, and how often such boundaries fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import expm1

from components.facts import MachineFacts, SiteFacts
from components.rules import Evidence, Param, Params, Rule, Stack, Violation, figure, percent

KEV = Evidence(
    "measured",
    "counted in CISA's Known Exploited Vulnerabilities of 2025-08-25, github.com/cisagov/kev-data: in 3.808 years 8 "
    "Linux kernel privilege escalations (of CVE year 2021 and later) and 1 ESXi guest escape (3 CVEs); a lower bound",
)
YEARS, KERNEL_ESCALATIONS, GUEST_ESCAPES = 3.808, 8, 1
"""See KEV."""
DAYS_PER_YEAR = 365.25
LISTED = 3
"""Hosts that a message names; the others it counts."""


def exposure(events: int, days: float) -> float:
    """Probability that an exploited vulnerability of a class turns up within `days`, at the rate of KEV: exposure, not
    breach. 8 in 30 days is 0.1585."""
    return -expm1(-events / YEARS * days / DAYS_PER_YEAR)


def others_met(tenants: int, pods: int, nodes: int) -> float:
    """Expected number of other tenants with a pod on one node of a pool that all share, pods split evenly between
    tenants and spread evenly over nodes. 2 tenants with 30 pods on 6 nodes: 0.935."""
    missed: float = (1 - 1 / nodes) ** (pods / tenants)
    return (tenants - 1) * (1 - missed)


def check(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    open_to_all = any(pool.tenant is None for pool in spec.pools)
    for tenant in spec.tenants:
        if tenant.trust == "external" and len(spec.tenants) > 1:
            yield from (_kernel if open_to_all else _hypervisor)(stack, tenant.name, params["exposureDays"])


def _kernel(stack: Stack, tenant: str, days: float) -> Iterator[Violation]:
    """Pods of every tenant may land in a pool that has no tenant."""
    spec = stack.cluster.wanted
    shared = {pool.name: pool.nodes for pool in spec.pools if pool.tenant is None}
    nodes, tenants = sum(shared.values()), len(spec.tenants)
    pods = sum(workload.replicas for workload in spec.workloads if workload.pool in shared)
    others = _list([other.name for other in spec.tenants if other.name != tenant])
    yield Violation(
        f"tenants.{tenant}.trust",
        f"a kernel shared with {others}: no tenant has pool {_list(list(shared))} to itself ({_count(nodes, 'node')})\n"
        + (
            f"a pod that breaks out to its node meets {figure(others_met(tenants, pods, nodes))} of the {tenants - 1} "
            f"others on average ({_count(pods, 'pod')} split evenly [assumption])\n"
            if pods
            else "how many tenants meet on a node is not decidable: no workload names these pools\n"
        )
        + f"an exploited kernel escalation turns up within {days:g} days with p = "
        f"{percent(exposure(KERNEL_ESCALATIONS, days))}: exposure, not breach",
    )


def _hypervisor(stack: Stack, tenant: str, days: float) -> Iterator[Violation]:
    """Pools of its own: on hosts of its own that is all; as VMs they share hosts, and on which no pool decides."""
    virtual = {site.name: site for site in stack.sites if site.machine == "vm"}
    vms = [machine for machine in stack.machines if machine.place.site in virtual]
    own = [machine for machine in vms if machine.wanted.tenant == tenant]
    where = _where(own, [machine for machine in vms if machine not in own], virtual)
    if not where:
        return
    kernel, escape = exposure(KERNEL_ESCALATIONS, days), exposure(GUEST_ESCAPES, days)
    yield Violation(
        f"tenants.{tenant}.trust",
        f"no kernel shared, but hypervisors: {where}\n"
        "exploited escapes from a kernel and a VM both turn up within "
        f"{days:g} days with p = {percent(kernel * escape)}, {figure(1 / escape)} times rarer than from a shared "
        f"kernel ({percent(kernel)}): exposure, not breach",
    )


def _where(own: list[MachineFacts], others: list[MachineFacts], sites: dict[str, SiteFacts]) -> str:
    """What its VMs share hosts with; empty where they share none and nothing moves VMs."""
    if not own or not others:
        return ""
    if any(machine.place.host is None for machine in (*own, *others)):
        return f"with whom its {_count(len(own), 'VM')} share them is not decidable at preview, hosts are chosen later"
    hosts = {(machine.place.site, machine.place.host) for machine in own}
    beside = [m for m in others if (m.place.site, m.place.host) in hosts]
    if beside:
        whose = Counter(machine.wanted.tenant or machine.wanted.pool for machine in beside)
        counted = _list([f"{count} of {name}" for name, count in sorted(whose.items())])
        shared = sorted({str(machine.place.host) for machine in beside})
        named = _list(shared if len(shared) <= LISTED else [*shared[:LISTED], f"{len(shared) - LISTED} more"])
        return f"its {_count(len(own), 'VM')} start beside {counted}, on {named}"
    if any(_moves(sites[site]) for site, _ in hosts):
        return f"its {_count(len(own), 'VM')} start on hosts of their own, but DRS or HA may move others beside them"
    return ""


def _moves(site: SiteFacts) -> bool:
    balanced = site.balancing is not None and "Automated" in site.balancing.workers
    return balanced or site.restarts_machines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _list(names: list[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


RULES = (
    Rule(
        id="iso-external-tenant-boundary",
        title="An external tenant shares a kernel or a hypervisor with other tenants",
        severity="high",
        level="advisory",
        claims=(9,),
        remediation=(
            "Shared kernel: give each external tenant pools of its own (pools[].tenant) and leave no pool without a "
            "tenant. Shared hypervisor: accept it and patch fast, or put its pool on hosts of its own."
        ),
        evidence=(
            KEV,
            Evidence(
                "assumption",
                "pods keep to their tenant's pools: who writes their tolerations is trusted, or admission checks them",
            ),
            Evidence("assumption", "escapes from kernel and hypervisor turn up independently of each other"),
        ),
        check=check,
        params=(
            Param(
                name="exposureDays",
                default=30,
                minimum=1,
                maximum=3650,
                description="Days until a published fix runs on every node and host.",
                evidence=Evidence("assumption", "one patch round a month"),
            ),
        ),
    ),
)
