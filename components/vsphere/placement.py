"""Which host each VM starts on: a rule that growth does not disturb, and a search for where the rule finds no room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.spec import CONTROL_PLANE
from components.vsphere.capacity import Hypervisor, Room, Vm, total

STEPS = 5000
"""Moves of a search before it gives up. They go through all arrangements of six VMs on three hosts."""


@dataclass(frozen=True, slots=True)
class Packing:
    """VMs on hosts, as far as they found room."""

    on: Mapping[str, str]
    """Name of the host by name of the VM."""
    left_over: tuple[Vm, ...] = ()
    """VMs that found no room."""
    exact: bool = True
    """Where VMs are left over: whether no other arrangement could hold them all."""
    by_index: bool = True
    """The hosts follow from the VMs' indexes, see `spread`; otherwise from the search."""


def place(vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> Packing:
    """VMs of one zone on its hosts: by `spread`, and where that leaves a VM over, by search.

    With `spread`, a VM's host depends only on VMs of lower index, of its own index in earlier pools, and on the control
    plane: growing the largest pool changes no other VM's host, and where no host is full, growing any pool changes
    none. Where hosts are full, or the search was needed, what is planned for other VMs can change. Never what runs: a
    VM's planned host counts at its birth only.
    """
    packing = spread(vms, hosts)
    return packing if not packing.left_over else _searched(vms, hosts, (_apart, _tight))


def fit(vms: Sequence[Vm], hosts: Sequence[Hypervisor], steps: int = STEPS) -> Packing:
    """VMs on the room that hosts have left, wherever: the first host that has room, the largest VM first, or search."""
    packing = _first_fit(vms, hosts)
    return packing if not packing.left_over else _searched(vms, hosts, (_tight,), steps)


def spread(vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> Packing:
    """Each VM on the host that its index names. Where that is full: among those with room the one that has fewest of
    the VM's own pool, of such the one with most memory left."""
    left, own, on = [host.room for host in hosts], Counter[tuple[int, str]](), {}
    left_over = []
    for vm in sorted(vms, key=lambda vm: (vm.pool != CONTROL_PLANE, vm.index)):
        named = vm.nth % len(hosts) if hosts else 0
        roomy = [i for i, host in enumerate(hosts) if host.takes(vm.need, left[i])]
        if not roomy:
            left_over.append(vm)
            continue
        ranked = sorted(roomy, key=lambda i: (own[i, vm.pool], -left[i].memory, -left[i].cpus))
        chosen = named if named in roomy else ranked[0]
        left[chosen] -= vm.need
        own[chosen, vm.pool] += 1
        on[vm.name] = hosts[chosen].name
    return Packing(on, tuple(left_over), exact=not left_over)


def _first_fit(vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> Packing:
    left = [host.room for host in hosts]
    on, left_over = {}, []
    for vm in _largest_first(vms, hosts):
        chosen = next((i for i, host in enumerate(hosts) if host.takes(vm.need, left[i])), None)
        if chosen is None:
            left_over.append(vm)
        else:
            left[chosen] -= vm.need
            on[vm.name] = hosts[chosen].name
    return Packing(on, tuple(left_over), exact=not left_over, by_index=False)


def _largest_first(vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> list[Vm]:
    """By the larger of the shares that a VM takes of all CPUs and of all memory."""
    have = total([host.room for host in hosts])
    return sorted(
        vms, key=lambda vm: (-max(vm.need.cpus / max(1, have.cpus), vm.need.memory / max(1, have.memory)), vm.pool)
    )


# ---- the search

Order = Callable[[int, Room, Room], tuple[int, ...]]
"""Rank of a host for a VM, the lowest is tried first: how many of the VM's pool it has, its room, the VM's need."""


def _apart(own: int, room: Room, need: Room) -> tuple[int, ...]:
    return own, -room.memory, -room.cpus


def _tight(own: int, room: Room, need: Room) -> tuple[int, ...]:
    return room.memory - need.memory, room.cpus - need.cpus, own


def _searched(vms: Sequence[Vm], hosts: Sequence[Hypervisor], orders: Sequence[Order], steps: int = STEPS) -> Packing:
    exact = False
    for order in orders:
        on, exact = _search(_largest_first(vms, hosts), hosts, order, steps)
        if on is not None:
            return Packing(on, by_index=False)
        if exact:
            break
    best = _first_fit(vms, hosts)
    return Packing(best.on, best.left_over, exact, by_index=False)


def _search(
    vms: Sequence[Vm], hosts: Sequence[Hypervisor], order: Order, steps: int
) -> tuple[Mapping[str, str] | None, bool]:
    """Depth first through the arrangements: one that holds all; or none, and whether that is proven.

    Hosts with the same room are the same; so are VMs with the same need, so that what the last one tried in vain from
    the same state is not tried with the next.
    """
    left = [host.room for host in hosts]
    chosen: list[int] = []
    waiting: list[Iterator[int]] = []
    tried: list[set[tuple[int, Room]]] = []

    def candidates(vm: Vm, skip: set[tuple[int, Room]]) -> Iterator[int]:
        own = Counter(host for host, other in zip(chosen, vms, strict=False) if other.pool == vm.pool)
        states: dict[tuple[int, Room], int] = {}
        for i, host in enumerate(hosts):
            state = (host.threads, left[i])
            if host.takes(vm.need, left[i]) and state not in skip:
                best = states.setdefault(state, i)
                if own[i] < own[best]:
                    states[state] = i
        return iter(sorted(states.values(), key=lambda i: order(own[i], left[i], vm.need)))

    for _ in range(steps + len(vms)):
        depth = len(chosen)
        if depth == len(vms):
            return {vm.name: hosts[i].name for vm, i in zip(vms, chosen, strict=True)}, True
        vm = vms[depth]
        if len(waiting) == depth:
            same = depth > 0 and vms[depth - 1].need == vm.need
            tried.append(set(tried[depth - 1]) if same else set())
            waiting.append(candidates(vm, tried[depth]))
        host = next(waiting[depth], None)
        if host is not None:
            left[host] -= vm.need
            chosen.append(host)
        elif depth == 0:
            return None, True
        else:
            waiting.pop()
            tried.pop()
            host = chosen.pop()
            left[host] += vms[depth - 1].need
            tried[-1].add((hosts[host].threads, left[host]))
    return None, False
