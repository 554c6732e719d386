"""Recovery: seconds from the loss of a host until what ran on it runs again, on each way that leads there.

Units: seconds, on average, from the moment the host dies; numbers may be numpy arrays of them. Validity: it dies
cleanly, as by loss of power; partitions and half-dead hosts are worse on every target. What no source gives is an
argument with its default, [assumption].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Literal

from components.facts import SiteFacts

LEASE, MONITOR, GRACE = 10, 5, 50
"""A kubelet renews its lease every 10 s, the controller looks every 5 s and waits 50 s, 40 before 1.32 [documented]
kubernetes.io/docs/concepts/architecture/nodes; github.com/kubernetes/kubernetes pull request 126287."""
TAINTED_PER_SECOND = 0.1
"""Lost nodes of a zone are tainted one after the other [documented] kubernetes.io/docs/concepts/architecture/nodes,
Rate limits on eviction; [measured] tests/cluster/test_recovery.py."""
UNHEALTHY, LARGE = 0.55, 50
"""From this share of a zone's nodes on, nodes are tainted at SLOW, in a zone of at most so many not at all [documented]
same page; [seen] kubernetes/kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go, ComputeZoneState:
only where more than two are lost."""
SLOW = 0.01
DECLARED_DEAD, OF_PRIMARY = 18, 35
"""vSphere HA declares a host dead; where it was HA's primary, another is elected first [documented]
github.com/equelin/vsphere-ha-deepdive restarting_virtual_machines.md (Epping, 2016)."""
PLACE, POWER_ON = 10, 5  # [assumption]
BOOT = 60
"""From power-on to a Ready node [assumption]: the input that decides; vCenter itself took 7 min 40 s [measured]
blogs.vmware.com/performance/2015/03."""
SCHEDULE, START = 2, 20
"""[assumption]. An idle control plane makes and places a pod within 0.1 s [measured] tests/cluster/test_recovery.py."""
ATTACH = 20  # [assumption]
DETACH_WAIT = 360
"""The controller waits so long for a node that does not answer to unmount a volume, unless the node carries the
out-of-service taint [documented] kubernetes.io/docs/concepts/cluster-administration/node-shutdown; KEP 2268."""
COLLECTED = 20
"""With that taint pods are deleted by the next round of the pod garbage collector [documented] KEP 2268; every 20 s."""
FENCE = 15  # a BMC's power cycle [assumption]
HEALTH_CHECK = 300
"""A node is lost for NodeHealthCheck after so long [documented] github.com/medik8s/node-healthcheck-operator
docs/configuration.md."""

GIVEN_UP = 600
"""The project's own health checks give a node up after so long, twice upstream's default: [seen]
components/addons/remediation.py, LOST_SECONDS."""


class Phase(StrEnum):
    """What is waited for, in the order in which it comes; a repair is in the place of all before the start."""

    DETECTION = "the node is NotReady"
    DECLARED = "vSphere HA declares the host dead"
    WAIT = "the pods are evicted, or the node is given up"
    PERSON = "a person acts"
    FENCING = "the host is powered off"
    VOLUME = "the volume is detached and attached"
    BOOT = "the VM is placed and boots"
    START = "the pod is scheduled and starts"
    REPAIR = "the host is repaired, or a spare takes its place"


Phases = tuple[tuple[Phase, float], ...]
"""Seconds of each phase, in their order. They add up to what the functions of the same way say."""


def total(phases: Phases) -> float:
    """Seconds of all phases together."""
    return sum(seconds for _, seconds in phases)


@dataclass(frozen=True, slots=True)
class Back:
    """Who brings the volume of a lost host back, and by which phases after the loss a pod runs with it again."""

    by: Literal["HA", "fencing", "a person"]
    phases: Phases

    @property
    def seconds(self) -> float:
        return total(self.phases)


def restarts(site: SiteFacts) -> bool:
    """Whether machines of a lost host start again on others: vSphere HA is on, keeps a host in reserve, and there is
    another; hosts that are not known are taken as several."""
    return site.restarts_machines and site.reserve_hosts > 0 and len(site.hosts) != 1


def detected(grace: float = GRACE, lease: float = LEASE, monitor: float = MONITOR) -> float:
    """Until the node is NotReady and its pods take no more requests: 47.5.

    The grace counts from the look at which the controller first sees the last lease, and ends at a look: so it lasts a
    whole number of looks [seen] kubernetes 1.36.3 pkg/controller/nodelifecycle/node_lifecycle_controller.go,
    tryUpdateNodeHealth; [measured] tests/cluster/test_recovery.py. Grace 10, looks every 8 s: as if it were 16.
    """
    return ceil(grace / monitor) * monitor - lease / 2 + monitor / 2


def restarted(hosts: int, boot: float = BOOT) -> float:
    """Until a VM of one of so many hosts is a Ready node again on another, by vSphere HA. 8 hosts: 95.1."""
    return total(_restarting(hosts, boot))


def evicted(
    toleration: float, nth: int = 1, *, grace: float = GRACE, lease: float = LEASE, monitor: float = MONITOR
) -> float:
    """Until the pods of the nth of several lost nodes are deleted."""
    return detected(grace, lease, monitor) + (nth - 1) / TAINTED_PER_SECOND + toleration


def stateless_back(toleration: float, nth: int = 1, *, start: float = START) -> float:
    """Until a pod without a volume runs elsewhere. Default toleration, 300: 369.5; with 30: 99.5."""
    return total(by_eviction(toleration, nth, start=start))


def patience(hosts: int, boot: float = BOOT) -> float:
    """The toleration above which vSphere HA brings a node back before its pods are evicted. 8 hosts: 47.6."""
    return restarted(hosts, boot) - detected()


def volume_by_restart(hosts: int, boot: float = BOOT, *, start: float = START) -> float:
    """Until a pod with a volume runs again on its VM, which keeps the volume attached. 8 hosts: 115.1."""
    return total(by_restart(hosts, boot, start=start))


def volume_by_person(
    toleration: float, person: float, *, taint: bool = True, attach: float = ATTACH, start: float = START
) -> float:
    """Until a pod with a volume runs elsewhere after a person has acted: by the out-of-service taint, or by deleting
    the pod. Default toleration, 1800 s: 2207.5 and 2547.5."""
    return total(_by_person(toleration, person, taint=taint, attach=attach, start=start))


def volume_by_fencing(
    lost_after: float = HEALTH_CHECK,
    *,
    taint: bool = True,
    fence: float = FENCE,
    attach: float = ATTACH,
    start: float = START,
) -> float:
    """Until a pod with a volume runs elsewhere after its node was powered off by itself. 300 s: 422.5, without the
    taint 762.5; 30 s: 152.5."""
    return total(_by_fencing(lost_after, taint=taint, fence=fence, attach=attach, start=start))


def given_up(toleration: float) -> float:
    """Seconds for which a node is not Ready before the project's health checks fence it: never before its pods are
    evicted. 60: 600; 900: 900."""
    return max(GIVEN_UP, toleration)


def volume_back(
    *,
    virtual: bool,
    hosts: int | None,
    lost_after: float | None,
    toleration: float,
    person: float,
    boot: float = BOOT,
    fence: float = FENCE,
    attach: float = ATTACH,
    start: float = START,
) -> Back:
    """By HA on one of so many hosts, None where it is off; else by fencing, a node being given up after `lost_after`
    seconds, None where nothing fences; else by a person who acts after `person` seconds.

    Fencing is no way for VMs. It powers a VM off through the agent of its host, and a dead host has none: so without HA
    nothing brings a VM or its volumes back until a person acts or the host returns [assumption] engineers' knowledge,
    not measured.
    """
    if hosts:
        return Back("HA", by_restart(hosts, boot, start=start))
    if lost_after is not None and not virtual:
        return Back("fencing", _by_fencing(lost_after, fence=fence, attach=attach, start=start))
    return Back("a person", _by_person(toleration, person, attach=attach, start=start))


def requests_lost(share: float) -> float:
    """Seconds' worth of all requests that fail until a lost node is NotReady, where it carries this share of the
    replicas. One of three: 15.8."""
    return detected() * share


def taints_per_second(nodes: int, lost: int, *, elsewhere: bool = True) -> float:
    """How fast the lost nodes of a zone are tainted, on which eviction waits. 2 of 6: 0.1; 4 of 6: 0. A zone that is
    lost as a whole counts as healthy, unless no zone has a node left `elsewhere`: then taints are even taken off."""
    if lost >= nodes and not elsewhere:
        return 0.0
    if lost >= nodes or lost <= 2 or lost / nodes < UNHEALTHY:
        return TAINTED_PER_SECOND
    return 0.0 if nodes <= LARGE else SLOW


def by_eviction(toleration: float, nth: int = 1, *, start: float = START) -> Phases:
    """Of a pod without a volume that is made anew on another node: what `stateless_back` adds up."""
    return (*_evicting(toleration, nth), (Phase.START, SCHEDULE + start))


def by_restart(hosts: int, boot: float = BOOT, *, start: float = START) -> Phases:
    """Of a pod whose VM vSphere HA starts on another of so many hosts: what `volume_by_restart` adds up."""
    return (*_restarting(hosts, boot), (Phase.START, start))


def by_hand(person: float, boot: float = BOOT, *, start: float = START) -> Phases:
    """Of a pod whose VM a person starts on another host, since nothing else does: 1800, 60: 1895 s."""
    return ((Phase.PERSON, person), (Phase.BOOT, PLACE + POWER_ON + boot), (Phase.START, start))


def by_repair(away: float, *, start: float = START) -> Phases:
    """Of a pod that waits until there is a node again, for so many seconds."""
    return ((Phase.REPAIR, away), (Phase.START, SCHEDULE + start))


def _restarting(hosts: int, boot: float) -> Phases:
    declared = ((hosts - 1) * DECLARED_DEAD + OF_PRIMARY) / hosts
    return ((Phase.DECLARED, declared), (Phase.BOOT, PLACE + POWER_ON + boot))


def _evicting(toleration: float, nth: int = 1) -> Phases:
    return ((Phase.DETECTION, detected()), (Phase.WAIT, evicted(toleration, nth) - detected()))


def _by_person(
    toleration: float, person: float, *, taint: bool = True, attach: float = ATTACH, start: float = START
) -> Phases:
    acted = (Phase.PERSON, person)
    return (*_evicting(toleration), acted, (Phase.VOLUME, _detached(taint) + attach), (Phase.START, start))


def _by_fencing(
    lost_after: float, *, taint: bool = True, fence: float = FENCE, attach: float = ATTACH, start: float = START
) -> Phases:
    given = (Phase.DETECTION, detected()), (Phase.WAIT, lost_after)
    return (*given, (Phase.FENCING, fence), (Phase.VOLUME, _detached(taint) + attach), (Phase.START, start))


def _detached(taint: bool) -> float:
    return COLLECTED if taint else DETACH_WAIT
