"""Sizing: how many hosts each target takes for the spec, and how full they are."""

from __future__ import annotations

import numpy as np

from components.rules import Evidence
from components.sizing import allocatable
from isostack.assess.capacity import needed, quorum_hosts, vm_overhead
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.needed import asked_of_vms, of_metal, of_vms, step
from isostack.assess.question import Numbers, Question, Values

DEMAND = Input(
    "sizing.demand",
    "Replicas, as a factor on those of the spec",
    "",
    Evidence("assumption", "the spec's own numbers, and half or twice as many"),
    1.0,
    0.5,
    2.0,
    0.1,
    20.0,
)
OVERCOMMIT = Input(
    "sizing.overcommit",
    "Virtual CPUs on a thread of the hosts, or what the target's config allows where that is more",
    "",
    Evidence(
        "assumption",
        "1: a thread each, as on metal; VMware names no common ratio, blogs.vmware.com/cloud-foundation 2025-06-04 "
        "[vendor]",
    ),
    1.0,
    1.0,
    2.0,
    0.25,
    8.0,
)


def hosts(case: Case, values: Values) -> float:
    return float(case.host_count)


def unused(case: Case, values: Values) -> float:
    """Per cent of the threads of all hosts, the reserve's and the spares' too."""
    if not case.spec.workloads:
        raise NoAnswer("the spec names no workloads")
    asked = sum(each.replicas * each.requests.cpu for each in case.spec.workloads) / 1000
    threads, _ = case.mean_host
    return 100 * (1 - asked / (threads * case.host_count))


def fewest(case: Case, values: Values) -> Numbers:
    if not case.spec.workloads:
        raise NoAnswer("the spec names no workloads")
    size = step(case)
    steps, at = np.unique(np.round(values[DEMAND.id] / size), return_inverse=True)
    if not case.virtual:
        return np.array([of_metal(case, number * size) for number in steps])[at]
    cpus, mib = np.array([asked_of_vms(case, number * size) for number in steps])[at].T
    return of_vms(case, cpus, mib, values[OVERCOMMIT.id])


QUESTIONS = (
    Question(
        id="sizing.hosts",
        title="Physical hosts, with reserve and spares",
        unit="hosts",
        why="As the plan has it: of VMs all hosts of the site, which other clusters may use too; of metal one a node, "
        "and the spares of the inventory. A node of the spec that is smaller than a host takes a whole one on metal.",
        inputs=(),
        model=hosts,
        functions=(),
    ),
    Question(
        id="sizing.needed",
        title="Physical hosts that the workloads need",
        unit="hosts",
        why="The fewest of the same hosts that carry the requests of the spec's workloads with a node of each pool, or "
        "a host of VMs, lost. VMs are of the spec's size and share hosts, less what the hypervisor keeps; on metal a "
        "node is a host, so pools may have fewer and larger nodes than the spec says. Where this is far below the "
        "hosts of the plan, the spec's pools are made for the other kind of machine.",
        inputs=(DEMAND, OVERCOMMIT),
        model=fewest,
        functions=(of_vms, asked_of_vms, of_metal, needed, allocatable, vm_overhead, quorum_hosts),
    ),
    Question(
        id="sizing.unused",
        title="CPU of these hosts that no workload asks for",
        unit="%",
        why="Requests of the spec's workloads against the threads of all hosts. On VMs the rest serves other clusters "
        "and virtual machines of the site; on metal it is the cluster's own, to use or to leave. A spare counts as the "
        "mean of the hosts.",
        inputs=(),
        model=unused,
        functions=(),
    ),
)
