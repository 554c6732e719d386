"""Balance: what demand for CPU stays unmet because load is uneven, and what moves load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.rules import Evidence
from isostack.assess import balance as model
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Question, Values

UTILISATION = Input(
    "balance.utilisation",
    "Mean CPU use of the nodes, as a share of the size asked",
    "share",
    Evidence("assumption", "a cluster that is run full; lower it to what you measure"),
    0.7,
    0.4,
    0.85,
    0.01,
    1.0,
)
VARIATION = Input(
    "balance.variation",
    "Coefficient of variation of CPU demand between workloads",
    "",
    Evidence("assumption", "1.38 was measured on PlanetLab in 2011; requests follow use in part"),
    1.0,
    0.5,
    1.38,
    0.0,
    3.0,
)


@dataclass(frozen=True, slots=True)
class Shared:
    """Places that workloads share: the nodes of a pool, or the hosts of VMs."""

    name: str
    """The pool; empty: the hosts."""
    places: int
    pods: int
    demand: Numbers
    """CPU that is wanted there, in cores."""
    spread: Numbers
    """Standard deviation of their utilisation, from 0."""
    unmet: Numbers
    """Share of the demand that the places cannot serve, from 0."""


def unmet(case: Case, values: Values) -> Numbers:
    """Per cent: nodes first, which nothing balances by use; then, of what they let through, hosts of VMs, which DRS
    does."""
    pools = of_pools(case, values)
    demand = sum(pool.demand for pool in pools)
    missed = sum(pool.demand * pool.unmet for pool in pools)
    hosts = of_hosts(case, values)
    met = (1 - missed / demand) * (1 - (hosts.unmet if hosts else 0.0))
    return 100 * (1 - met)


def spread(case: Case, values: Values) -> Numbers:
    """Points of use, 100 a whole host: of VMs their hosts after what balances them, else the pool that is worst."""
    if not case.virtual:
        return 100 * np.maximum.reduce([pool.spread for pool in of_pools(case, values)])
    if not case.site.hosts:
        raise NoAnswer(f"the hosts of {case.stack} are not known")
    return 100 * _hosts(case, values).spread


def of_pools(case: Case, values: Values) -> list[Shared]:
    """Each pool that has workloads. Raises NoAnswer where none has."""
    found = []
    for pool in case.spec.pools:
        loads = _loads(case, {pool.name})
        sizes = [machine.place.size.cpus for machine in case.of_pool(pool.name)]
        if loads:
            demand = values[UTILISATION.id] * pool.size.cpus * len(sizes)
            used = demand / sum(sizes)
            spreads = _spreads(loads, len(sizes), used, values[VARIATION.id])
            found.append(Shared(pool.name, len(sizes), _pods(loads), demand, spreads, _unmet(used, spreads)))
    if not found:
        raise NoAnswer("the spec names no workloads")
    return found


def of_hosts(case: Case, values: Values) -> Shared | None:
    """Hosts of VMs, after what balances them; None: nothing is short there, since every virtual CPU has a thread."""
    site = case.site
    virtual = case.virtual and bool(site.hosts) and _virtual_cpus(case) > sum(host.usable_cpus for host in site.hosts)
    return _hosts(case, values) if virtual else None


def _hosts(case: Case, values: Values) -> Shared:
    """Hosts of VMs that are known."""
    site = case.site
    demand, threads = values[UTILISATION.id] * _virtual_cpus(case), sum(host.usable_cpus for host in site.hosts)
    loads = _loads(case, {pool.name for pool in case.spec.pools})
    if not loads:
        raise NoAnswer("the spec names no workloads")
    spreads = _spreads(loads, len(site.hosts), demand / threads, values[VARIATION.id])
    share = _unmet(demand / threads, spreads)
    if site.balancing is not None and site.balancing.workers == "fullyAutomated":
        spreads, share = spreads * model.SPREAD_LEFT, share * model.LEFT_BY_BALANCING
    return Shared("", len(site.hosts), _pods(loads), demand, spreads, share)


def _virtual_cpus(case: Case) -> int:
    return sum(machine.place.size.cpus for machine in case.machines)


def _pods(loads: list[model.Load]) -> int:
    return sum(load.replicas for load in loads)


def _spreads(loads: list[model.Load], places: int, used: Numbers, variation: Numbers) -> Numbers:
    demand, requests = model.terms(loads, places)
    return used * np.sqrt(variation**2 * demand + requests)


def _unmet(used: Numbers, spreads: Numbers) -> Numbers:
    """Of inputs without a range there is one pair."""
    pairs, at = np.unique(np.stack([used, spreads]), axis=1, return_inverse=True)
    return np.array([model.unmet(u, s) for u, s in pairs.T])[at]


def _loads(case: Case, pools: set[str]) -> list[model.Load]:
    return [model.Load(w.name, w.replicas, w.requests.cpu / 1000) for w in case.spec.workloads if w.pool in pools]


QUESTIONS = (
    Question(
        id="balance.spread",
        title="CPU use of hosts differs by, as a standard deviation",
        unit="points",
        why="How uneven load is, before anything is short: 100 points are a whole host. Of metal the nodes of the pool "
        "that is worst; of VMs their hosts, on which the pods of all pools even out, and of which DRS leaves 0.62 "
        "where it is fully automated. Lightly used hosts differ little on either.",
        inputs=(UTILISATION, VARIATION),
        model=spread,
        functions=(model.spread, model.terms),
        unnoticed=1.0,
    ),
    Question(
        id="balance.unmet",
        title="Demand for CPU that stays unmet, load being uneven",
        unit="%",
        why="A pod meets the limit of its node before that of a host, so small node VMs run short earlier than large "
        "hosts; moving VMs does not end that. Where virtual CPUs outnumber threads, hosts run short as "
        "well, and DRS leaves at most 0.4 of it. Independent workloads, CPU alone; held against a simulation "
        "for 10 to 112 pods a node, and a guess beyond. Differences under 0.1 % count as none.",
        inputs=(UTILISATION, VARIATION),
        model=unmet,
        functions=(model.unmet, model.spread, model.terms),
        unnoticed=0.1,
    ),
)
