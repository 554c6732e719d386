"""Which wall stands between tenants that do not trust each other: a kernel, a hypervisor, or hosts of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.facts import MachineFacts, SiteFacts
from components.rules import Evidence, Params, Rule, Stack, Undecided, Violation, figure, percent
from isostack.assess.exposure import GUEST_ESCAPES, KERNEL_ESCALATIONS, exposure, others_met
from policies.isolation.shared import EXPOSURE_DAYS, KEV
from policies.words import count, listed, named


def hostile(stack: Stack) -> list[str]:
    """Tenants whose code must be expected to break out, where others are there to be met. A pod in a sandbox has a
    kernel of its own: what breaks out of that is on a node of its tenant's alone."""
    tenants = stack.cluster.wanted.tenants
    strangers = [tenant.name for tenant in tenants if tenant.trust == "external" and not tenant.sandbox]
    return strangers if len(tenants) > 1 else []


def open_pools(stack: Stack) -> dict[str, int]:
    """Nodes of each pool that the pods of every tenant may land on."""
    return {pool.name: pool.nodes for pool in stack.cluster.wanted.pools if pool.tenant is None}


# ---- kernels


def check_kernel(stack: Stack, params: Params) -> Iterator[Violation]:
    """Pods of every tenant may land in a pool that has no tenant."""
    strangers, shared = hostile(stack), open_pools(stack)
    if not strangers or not shared:
        return
    days = params["exposureDays"]
    trusted = [tenant.name for tenant in stack.cluster.wanted.tenants if tenant.name not in strangers]
    others = [*(["each other"] if len(strangers) > 1 else []), *([listed(trusted)] if trusted else [])]
    yield Violation(
        f"pools.{next(iter(shared))}.tenant",
        f"none: external {listed(strangers)} may share a kernel with {' and with '.join(others)}, "
        f"{_pools(shared)}\n{_met(stack, shared)}\n"
        f"an exploited kernel escalation turns up within {days:g} days with p = "
        f"{percent(exposure(KERNEL_ESCALATIONS, days))}: exposure, not breach",
        subjects=tuple(strangers),
    )


def check_unused(stack: Stack, params: Params) -> Iterator[Violation]:
    """The same between tenants that are trusted: no fault, but what VMs are there for is not had."""
    virtual = {site.name for site in stack.sites if site.machine == "vm"}
    of_vms = {machine.wanted.pool for machine in stack.machines if machine.place.site in virtual}
    shared = {pool: nodes for pool, nodes in open_pools(stack).items() if pool in of_vms}
    tenants = [tenant.name for tenant in stack.cluster.wanted.tenants]
    if not shared or len(tenants) < 2 or hostile(stack):
        return
    yield Violation(
        f"pools.{next(iter(shared))}.tenant",
        f"none: VMs keep node from node here, not {listed(tenants)} from each other, {_pools(shared)}\n"
        f"{_met(stack, shared)}, and the same if each VM were a whole host",
        subjects=tuple(shared),
    )


def _pools(shared: dict[str, int]) -> str:
    return f"on {count(sum(shared.values()), 'node')} of pool {listed(list(shared))}"


def _met(stack: Stack, shared: dict[str, int]) -> str:
    spec = stack.cluster.wanted
    nodes, tenants = sum(shared.values()), len(spec.tenants)
    pods = sum(workload.replicas for workload in spec.workloads if workload.pool in shared)
    if not pods:
        return "how many tenants meet on a node is not decidable: no workload names these pools"
    return (
        f"a pod that breaks out to its node meets {figure(others_met(tenants, pods, nodes))} of the {tenants - 1} "
        f"others on average ({count(pods, 'pod')} split evenly [assumption])"
    )


# ---- hypervisors


def check_hypervisor(stack: Stack, params: Params) -> Iterator[Violation]:
    """Pools of its own, as VMs: they share hosts, and on which no pool decides."""
    if open_pools(stack):
        return
    virtual = {site.name: site for site in stack.sites if site.machine == "vm"}
    vms = [machine for machine in stack.machines if machine.place.site in virtual]
    for tenant in hostile(stack):
        own = [machine for machine in vms if machine.wanted.tenant == tenant]
        where = _where(tenant, own, [machine for machine in vms if machine.wanted.tenant != tenant], virtual)
        if not where:
            continue
        days = params["exposureDays"]
        kernel, escape = exposure(KERNEL_ESCALATIONS, days), exposure(GUEST_ESCAPES, days)
        yield Violation(
            f"tenants.{tenant}.trust",
            f"no kernel shared, but hypervisors: {where}\n"
            "exploited escapes from a kernel and a VM both turn up within "
            f"{days:g} days with p = {percent(kernel * escape)}, {figure(1 / escape)} times rarer than from a shared "
            f"kernel ({percent(kernel)}): exposure, not breach",
            subjects=tuple(machine.wanted.name for machine in own),
        )


def _where(tenant: str, own: list[MachineFacts], others: list[MachineFacts], sites: dict[str, SiteFacts]) -> str:
    """What its VMs share hosts with; empty where they share none and nothing moves VMs."""
    if not own or not others:
        return ""
    if any(machine.place.host is None for machine in (*own, *others)):
        raise Undecided(f"with whom the {count(len(own), 'VM')} of {tenant} share hosts: these are chosen later")
    hosts = {(machine.place.site, machine.place.host) for machine in own}
    beside = [m for m in others if (m.place.site, m.place.host) in hosts]
    if beside:
        whose = Counter(machine.wanted.tenant or machine.wanted.pool for machine in beside)
        counted = listed([f"{count} of {name}" for name, count in sorted(whose.items())])
        shared = sorted({str(machine.place.host) for machine in beside})
        return f"its {count(len(own), 'VM')} start beside {counted}, on {named(shared)}"
    if any(_moves(sites[site]) for site, _ in hosts):
        return f"its {count(len(own), 'VM')} start on hosts of their own, but DRS or HA may move others beside them"
    return ""


def _moves(site: SiteFacts) -> bool:
    balanced = site.balancing is not None and "Automated" in site.balancing.workers
    return balanced or site.restarts_machines


RULES = (
    Rule(
        id="iso-hard-tenants-share-kernel",
        title="An external tenant may share a kernel with other tenants",
        severity="high",
        level="mandatory",
        claims=(9,),
        remediation="Give every pool a tenant (pools[].tenant), each external tenant pools of its own; or trust it.",
        evidence=(
            KEV,
            Evidence(
                "documented",
                "kubernetes.io/docs/concepts/security/multi-tenancy: containers share the kernel of their node; "
                "against untrusted code, nodes or sandboxes of its own",
            ),
            Evidence("assumption", "pods are split evenly between tenants and spread evenly over nodes"),
        ),
        check=check_kernel,
        params=(EXPOSURE_DAYS,),
        why="Whether a pool is open to all tenants while one of them runs code that must be expected to be hostile. "
        "The wall between containers is the kernel of their node, on a VM as on metal, and in the catalogue of "
        "exploited vulnerabilities kernels turn up eight times as often as hypervisors. An own pool for the external "
        "tenant is not enough: as long as one is left open, its pods may land there too.",
    ),
    Rule(
        id="iso-external-tenant-boundary",
        title="An external tenant's VMs share hypervisors with those of others",
        severity="medium",
        level="advisory",
        claims=(9,),
        remediation="Accept it and patch the hypervisors fast; or keep its VMs on hosts of their own by a host group "
        "with a rule that DRS and HA obey; or its pods in sandboxes (tenants[].sandbox); or its pool on whole hosts.",
        evidence=(
            KEV,
            Evidence(
                "assumption",
                "pods keep to their tenant's pools: who writes their tolerations is trusted, or admission checks them",
            ),
            Evidence("assumption", "escapes from kernel and hypervisor turn up independently of each other"),
        ),
        check=check_hypervisor,
        params=(EXPOSURE_DAYS,),
        machines=frozenset({"vm"}),
        why="With pools of its own an external tenant shares no kernel; as VMs its nodes still share hosts. This is "
        "the wall for which VMs are praised, and the numbers agree: two vulnerabilities are needed instead of one. On "
        "whole hosts there is none to break. What stands above all hosts, vCenter, is another rule's matter.",
    ),
    Rule(
        id="iso-vm-boundary-unused",
        title="Tenants share nodes: the wall between VMs is not between tenants",
        severity="low",
        level="advisory",
        claims=(9,),
        remediation="If VMs are here to keep tenants apart: pools[].tenant. If tenants trust each other: nothing, but "
        "isolation is then no reason for VMs.",
        evidence=(
            Evidence("assumption", "model: others_met in isostack/assess/exposure.py"),
            Evidence("assumption", "pods are split evenly between tenants and spread evenly over nodes"),
        ),
        check=check_unused,
        machines=frozenset({"vm"}),
        why="Whether trusted tenants share pools of VMs. A VM walls off what runs in it, here a node with pods of "
        "several tenants, so who breaks out to a node meets as many tenants as on a host with the same pods. Smaller "
        "and more nodes lower that number on every target; only pools of one tenant bring it to none.",
    ),
)
