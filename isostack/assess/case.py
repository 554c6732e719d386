"""A case to assess: one stack's plan, and what the questions ask of it. Pure data; units are the spec's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from components.facts import ClusterFacts, MachineFacts, Place, Realisation, SiteFacts, Wanted
from components.plan import Plan
from components.spec import Spec, Workload
from isostack.assess.capacity import most_replicas

Kind = Literal["VMs", "metal"]


class NoAnswer(Exception):
    """A question cannot be answered of a stack. Its text says what is missing."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: what is asked of it, and where it stands."""

    wanted: Wanted
    place: Place


def workers_cpus(machines: Iterable[Machine]) -> int:
    """CPUs that the spec asks for in workers."""
    return sum(machine.wanted.size.cpus for machine in machines if machine.wanted.role == "worker")


@dataclass(frozen=True, slots=True)
class Case:
    """One stack."""

    stack: str
    spec: Spec
    sites: tuple[SiteFacts, ...]
    machines: tuple[Machine, ...]
    realisations: tuple[Realisation, ...]
    derived: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What modules have derived from it, by their names: a case does not change, and is asked a thousand times."""

    @classmethod
    def of(cls, stack: str, plan: Plan) -> Case:
        machines = tuple(Machine(each.wanted, each.place) for each in plan.machines)
        return cls(stack, plan.spec, plan.sites, machines, plan.realisations)

    @classmethod
    def of_facts(
        cls, stack: str, cluster: ClusterFacts, sites: Iterable[SiteFacts], machines: Iterable[MachineFacts]
    ) -> Case:
        """The same of what a preview says of itself. Raises NoAnswer where that does not fit its spec: a plan is sound,
        but a file of a preview may say anything."""
        made = tuple(Machine(each.wanted, each.place) for each in machines)
        case = cls(stack, cluster.wanted, tuple(sites), made, cluster.realisations)
        for pool in case.spec.pools:
            if not case.of_pool(pool.name):
                raise NoAnswer(f"{stack} shows no machine of pool {pool.name}")
        if any(min(each.cpus, each.usable_cpus, each.usable_memory) <= 0 for each in case.site.hosts):
            raise NoAnswer(f"{stack} has a host without CPUs or memory")
        return case

    @property
    def site(self) -> SiteFacts:
        """Raises NoAnswer where it has several: a cluster of mixed machines is no side of this question."""
        if len(self.sites) != 1:
            raise NoAnswer(f"{self.stack} has {len(self.sites)} sites")
        return self.sites[0]

    @property
    def virtual(self) -> bool:
        return self.site.machine == "vm"

    @property
    def ended(self) -> bool:
        """Nobody can have it any more."""
        return any(site.service_ended for site in self.sites)

    @property
    def label(self) -> Kind:
        return "VMs" if self.virtual else "metal"

    @property
    def on_hosts(self) -> Mapping[str, tuple[Machine, ...]]:
        """The machines of each physical host that carries one. Raises NoAnswer for a VM whose host is chosen later."""
        found: dict[str, list[Machine]] = {}
        for machine in self.machines:
            host = machine.place.host or (None if self.virtual else machine.wanted.name)
            if host is None:
                raise NoAnswer(f"the hosts of {self.stack}'s VMs are chosen later")
            found.setdefault(host, []).append(machine)
        return {host: tuple(machines) for host, machines in found.items()}

    @property
    def host_count(self) -> int:
        """Physical hosts that are there for this cluster: all of a site of VMs; else one a machine, and the spares."""
        if not self.virtual:
            return len(self.machines) + self.site.spare_hosts
        if not self.site.hosts:
            raise NoAnswer(f"the hosts of {self.stack} are not known")
        return len(self.site.hosts)

    @property
    def mean_host(self) -> tuple[float, float]:
        """Threads and bytes of memory of one of these hosts, on average; what a spare has, the plan does not say."""
        if self.virtual and not self.site.hosts:
            raise NoAnswer(f"the hosts of {self.stack} are not known")
        sizes = self.site.hosts if self.virtual else [machine.place.size for machine in self.machines]
        return sum(each.cpus for each in sizes) / len(sizes), sum(each.memory for each in sizes) / len(sizes)

    @property
    def workers(self) -> tuple[Machine, ...]:
        return tuple(machine for machine in self.machines if machine.wanted.role == "worker")

    @property
    def workers_cpus(self) -> int:
        return workers_cpus(self.machines)

    def of_pool(self, pool: str) -> tuple[Machine, ...]:
        return tuple(machine for machine in self.machines if machine.wanted.pool == pool)

    def workloads(self, pool: str) -> list[Workload]:
        return [workload for workload in self.spec.workloads if workload.pool == pool]

    def realisation(self, field: str) -> Realisation | None:
        """How a wish comes true here; None: the plan does not say."""
        return next((each for each in self.realisations if each.field == field), None)

    def grade(self, field: str) -> str:
        found = self.realisation(field)
        return found.grade if found else "impossible"

    @property
    def fences(self) -> bool:
        """Whether every node that is lost is powered off and taken out, as the spec wishes."""
        return self.spec.availability.remediation and self.grade("availability.remediation") == "equal"

    def lost_share(self) -> float:
        """Part of one workload's replicas that one lost host takes, of the workload that is hit worst; those with one
        replica left out. Raises NoAnswer where all have one."""
        hosts = {tuple(sorted(Counter(m.wanted.pool for m in each).items())) for each in self.on_hosts.values()}
        return max(self.share_on(dict(on)) for on in hosts)

    def share_on(self, nodes: Mapping[str, int]) -> float:
        """The same of a host that carries so many nodes of these pools."""
        several = [workload for workload in self.spec.workloads if workload.replicas > 1]
        if not several:
            raise NoAnswer("the spec names no workload with several replicas")
        every = Counter(machine.wanted.pool for machine in self.machines)
        return max(
            most_replicas(nodes.get(each.pool, 0), every[each.pool], each.replicas) / each.replicas for each in several
        )

    @property
    def pods_on(self) -> Mapping[str, int]:
        """By pool, pods of the spec's workloads on one of its nodes, spread evenly, rounded up."""
        nodes = Counter(each.wanted.pool for each in self.machines)
        return {pool: -(-sum(each.replicas for each in self.workloads(pool)) // count) for pool, count in nodes.items()}
