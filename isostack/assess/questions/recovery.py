"""Recovery: how long it is until what ran on a lost host runs again."""

from __future__ import annotations

from functools import reduce

import numpy as np

from components.rules import Evidence
from isostack.assess import recovery as model
from isostack.assess.capacity import most_replicas
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Question, Values

BOOT_MEASURED = (
    "engineers' knowledge; VMware measured 7 min 40 s for vCenter itself, blogs.vmware.com/performance/2015/03"
)
BOOT = Input(
    "recovery.boot",
    "A VM's boot until its node is Ready",
    "s",
    Evidence("assumption", BOOT_MEASURED),
    60,
    30,
    180,
    1,
    3600,
)
START = Input(
    "recovery.start",
    "Start of a pod once it is scheduled",
    "s",
    Evidence("assumption", "image there, readiness probe passed"),
    20,
    5,
    60,
    0,
    3600,
)
ATTACH = Input(
    "recovery.attach",
    "Attaching a volume to another node",
    "s",
    Evidence("assumption", "engineers' knowledge"),
    20,
    5,
    60,
    0,
    3600,
)
FENCE = Input(
    "recovery.fence",
    "Powering a lost host off through its BMC",
    "s",
    Evidence("assumption", "one power cycle; medik8s retries for up to 320 s, its fence agent's defaults [documented]"),
    15,
    5,
    320,
    0,
    3600,
)
PERSON = Input(
    "recovery.person",
    "Until a person has seen a loss and acts",
    "s",
    Evidence("assumption", "on call, woken by an alert"),
    1800,
    600,
    14400,
    0,
    864_000,
)


def _restarting(case: Case) -> int | None:
    """Hosts among which HA restarts VMs; None: nothing does."""
    if not case.site.restarts_machines:
        return None
    if not case.site.hosts:
        raise NoAnswer(f"the hosts of {case.stack} are not known")
    return len(case.site.hosts)


def stateless(case: Case, values: Values) -> Numbers:
    """Eviction moves the pods, or HA brings their node back before it does."""
    return reduce(np.minimum, map(model.total, _stateless_ways(case, values)))


def stateless_phases(case: Case, values: Values) -> model.Phases:
    """Of the way that is faster at these values, which are one each. Raises NoAnswer."""
    return min(_stateless_ways(case, values), key=model.total)


def _stateless_ways(case: Case, values: Values) -> list[model.Phases]:
    most = max(len(machines) for machines in case.on_hosts.values())
    start = values[START.id]
    moved = model.by_eviction(case.spec.availability.evict_after, most, start=start)
    hosts = _restarting(case)
    return [moved] if hosts is None else [moved, model.by_restart(hosts, values[BOOT.id], start=start)]


def volume(case: Case, values: Values) -> Numbers:
    return volume_back(case, values).seconds


def volume_back(case: Case, values: Values) -> model.Back:
    """Who brings the volume back, and by which phases. Raises NoAnswer."""
    evict = case.spec.availability.evict_after
    return model.volume_back(
        virtual=case.virtual,
        hosts=_restarting(case),
        lost_after=model.given_up(evict) if case.fences else None,
        toleration=evict,
        person=values[PERSON.id],
        boot=values[BOOT.id],
        fence=values[FENCE.id],
        attach=values[ATTACH.id],
        start=values[START.id],
    )


def errors(case: Case, values: Values) -> float:
    """Of the workload that is hit worst."""
    return model.requests_lost(case.lost_share())


QUESTIONS = (
    Question(
        id="recovery.stateless",
        title="Lost host: a stateless pod runs again after",
        unit="s",
        why="Eviction creates the pod elsewhere once the node is unreachable for availability.evictAfter; vSphere HA "
        "may bring the node itself back before. Of several nodes on one host the last is meant: lost nodes are tainted "
        "one every 10 s. Requests stop failing earlier, when the node is NotReady: see recovery.errors. The host dies "
        "cleanly; partitions are worse on every target.",
        inputs=(BOOT, START),
        model=stateless,
        functions=(model.stateless_back, model.volume_by_restart),
    ),
    Question(
        id="recovery.volume",
        title="Lost host: a pod with a volume runs again after",
        unit="s",
        why="A ReadWriteOnce volume stays attached to a dead node. vSphere HA restarts the VM with it; on metal "
        "fencing frees it where every host has a BMC and availability.remediation is wished; otherwise a person does.",
        inputs=(BOOT, START, ATTACH, FENCE, PERSON),
        model=volume,
        functions=(model.volume_back, model.volume_by_restart, model.volume_by_fencing, model.volume_by_person),
    ),
    Question(
        id="recovery.errors",
        title="Lost host: requests that fail, in seconds' worth of all",
        unit="s",
        why="Until the node is NotReady its share of the replicas gets requests and answers none. Neither HA nor a "
        "shorter evictAfter changes that. Of the workload that is hit worst; a workload of one replica answers "
        "nothing until it is back. Replicas are spread evenly over nodes, and nodes of one pool may share a "
        "host of VMs.",
        inputs=(),
        model=errors,
        functions=(model.requests_lost, model.detected, most_replicas),
    ),
)
