"""Recovery: how long it is until what ran on a lost host runs again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from components.rules import Evidence
from isostack.assess import recovery as model
from isostack.assess.capacity import most_replicas
from isostack.assess.case import Case
from isostack.assess.inputs import Input
from isostack.assess.lost import Loss, losses
from isostack.assess.question import Numbers, Question, Values
from isostack.assess.waits import BOOT, PERSON, POST, REPAIR, START, restarting, whole

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


def stateless(case: Case, values: Values) -> Numbers:
    """Of the host whose loss is worst: eviction moves the pods, or HA brings their node back before it does."""
    return reduce(np.maximum, (_seconds(_ways(case, loss, values)) for loss in losses(case, "none")))


def stateless_phases(case: Case, values: Values) -> model.Phases:
    """At values that are one each: of the worst host, on the way that is faster. Raises NoAnswer."""
    fastest = [min(_ways(case, loss, values), key=model.total) for loss in losses(case, "none")]
    return max(fastest, key=model.total)


def _seconds(ways: Sequence[model.Phases]) -> Numbers:
    return reduce(np.minimum, map(model.total, ways))


def _ways(case: Case, loss: Loss, values: Values) -> list[model.Phases]:
    """By which pods without a volume run again: at least one."""
    hosts, boot, start = restarting(case), values[BOOT.id], values[START.id]
    found = [model.by_restart(hosts, boot, start=start)] if hosts else []
    if loss.moves:
        found.append(model.by_eviction(case.spec.availability.evict_after, loss.nodes, start=start))
    return found or [_stuck(case, values)]


def _stuck(case: Case, values: Values) -> model.Phases:
    """Nothing moves the pods: a person starts the VMs on another host; or the host must be back, or a spare for it."""
    if case.virtual and case.host_count > 1:
        return model.by_hand(values[PERSON.id], values[BOOT.id], start=values[START.id])
    return model.by_repair(whole(case, values) * 3600, start=values[START.id])


def volume(case: Case, values: Values) -> Numbers:
    return reduce(np.maximum, (back.seconds for back in _backs(case, values)))


def volume_back(case: Case, values: Values) -> model.Back:
    """At values that are one each, of the worst host: who brings the volume back, and by which phases. Raises
    NoAnswer."""
    return max(_backs(case, values), key=lambda back: back.seconds)


def _backs(case: Case, values: Values) -> list[model.Back]:
    hosts, evict = restarting(case), case.spec.availability.evict_after
    moved = model.volume_back(
        virtual=case.virtual,
        hosts=hosts,
        lost_after=model.given_up(evict) if case.fences else None,
        toleration=evict,
        person=values[PERSON.id],
        boot=values[BOOT.id],
        fence=values[FENCE.id],
        attach=values[ATTACH.id],
        start=values[START.id],
    )
    stuck = not hosts and not all(loss.moves for loss in losses(case, "volume"))
    return [moved, model.Back("a person", _stuck(case, values))] if stuck else [moved]


def errors(case: Case, values: Values) -> Numbers:
    """Of the workload that is hit worst: until its lost replicas get no more requests, or are back."""
    found = []
    for loss in losses(case):
        share = case.share_on(dict(loss.on))
        noticed = loss.noticed and share < 1
        found.append(model.requests_lost(share) if noticed else share * _seconds(_ways(case, loss, values)))
    return reduce(np.maximum, found)


QUESTIONS = (
    Question(
        id="recovery.stateless",
        title="Lost host: a stateless pod runs again after",
        unit="s",
        why="Eviction creates the pod elsewhere once the node is unreachable for availability.evictAfter; vSphere HA "
        "may bring the node itself back before. Of several nodes on one host the last is meant: lost nodes are tainted "
        "one every 10 s. Where the API is lost with the host, the zone with most of its nodes, or the pool with its "
        "room, nothing is moved: then a person starts the VMs elsewhere, or the host must be replaced. Requests stop "
        "failing earlier, when the node is NotReady: see recovery.errors. The host dies cleanly; partitions are worse "
        "on every target.",
        inputs=(BOOT, START, PERSON, POST, REPAIR),
        model=stateless,
        functions=(model.stateless_back, model.volume_by_restart, model.by_hand, model.by_repair, losses, whole),
    ),
    Question(
        id="recovery.volume",
        title="Lost host: a pod with a volume runs again after",
        unit="s",
        why="A ReadWriteOnce volume stays attached to a dead node. vSphere HA restarts the VM with it; on metal "
        "fencing frees it where every host has a BMC and availability.remediation is wished; otherwise a person does. "
        "Where nothing can be moved, as in recovery.stateless.",
        inputs=(BOOT, START, ATTACH, FENCE, PERSON, POST, REPAIR),
        model=volume,
        functions=(
            model.volume_back,
            model.volume_by_restart,
            model.volume_by_fencing,
            model.volume_by_person,
            model.by_hand,
            model.by_repair,
            losses,
            whole,
        ),
    ),
    Question(
        id="recovery.errors",
        title="Lost host: requests that fail, in seconds' worth of all",
        unit="s",
        why="Until the node is NotReady its share of the replicas gets requests and answers none. Neither HA nor a "
        "shorter evictAfter changes that. Where the API is lost with the host, nobody notices, and they fail until the "
        "node is back. Of the workload that is hit worst; a workload of one replica answers nothing until it is back. "
        "Replicas are spread evenly over nodes, and nodes of one pool may share a host of VMs.",
        inputs=(BOOT, START, PERSON, POST, REPAIR),
        model=errors,
        functions=(model.requests_lost, model.detected, most_replicas, losses),
    ),
)
