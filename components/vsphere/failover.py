"""Whether the VMs of lost hosts find room on the others: what vSphere HA, or an upgrade beside it, can count on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

from components.vsphere.capacity import Hypervisor, Standing, Vm
from components.vsphere.placement import fit

MOST_LOSSES = 200
"""Combinations of lost hosts that are all tried."""
STEPS = 500


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of some hosts after which VMs find no room."""

    hosts: tuple[str, ...]
    stranded: tuple[Vm, ...]
    most: Hypervisor
    """The host with most memory left when the VMs that find room are on it."""
    exact: bool
    """Whether no arrangement could hold them."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What became of the losses that were tried."""

    tried: int
    every: bool
    """Every loss of so many hosts was tried; otherwise each of one host, and that of the largest hosts together."""
    failures: tuple[Loss, ...]


def outlook(standing: Standing, lost: int) -> Outlook:
    tried, every = _losses(standing.hosts, lost)
    return Outlook(len(tried), every, tuple(_failures(standing, tried)))


def survives(standing: Standing, lost: int) -> bool:
    """Whether every loss that `outlook` tries finds room; it stops at the first that does not."""
    return next(_failures(standing, _losses(standing.hosts, lost)[0]), None) is None


def _losses(hosts: tuple[Hypervisor, ...], lost: int) -> tuple[list[tuple[int, ...]], bool]:
    if lost <= 1 or comb(len(hosts), lost) <= MOST_LOSSES:
        return list(combinations(range(len(hosts)), lost)), True
    largest = sorted(range(len(hosts)), key=lambda i: (-hosts[i].room.memory, -hosts[i].room.cpus))
    return [*combinations(range(len(hosts)), 1), tuple(sorted(largest[:lost]))], False


def _failures(standing: Standing, losses: list[tuple[int, ...]]) -> Iterator[Loss]:
    """The rules of zones say should: HA takes any host that has room."""
    left = standing.left()
    guests: dict[str, list[Vm]] = {host.name: [] for host in left}
    for vm in standing.vms:
        guests[standing.on[vm.name]].append(vm)
    for loss in losses:
        others = [host for i, host in enumerate(left) if i not in loss]
        orphans = tuple(vm for i in loss for vm in guests[left[i].name])
        packing = fit(orphans, others, STEPS)
        if packing.left_over:
            restarted = tuple(vm for vm in orphans if vm.name in packing.on)
            still = Standing(tuple(others), restarted, packing.on).left()
            most = max(still, key=lambda host: (host.room.memory, host.room.cpus))
            yield Loss(tuple(left[i].name for i in loss), packing.left_over, most, packing.exact)
