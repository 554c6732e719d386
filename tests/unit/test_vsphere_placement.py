"""Placement of VMs on hosts: what holds for any VMs and hosts, against all arrangements of small cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.load import load_target
from components.planning import make_plan
from components.problems import InvalidInput
from components.vsphere import failover
from components.vsphere.capacity import Hypervisor, Room, Standing, Vm, total
from components.vsphere.failover import outlook, survives
from components.vsphere.limits import shortage
from components.vsphere.placement import Packing, fit, place, spread
from tests.configs import config_data
from tests.specs import ROOT, changed, rich

POOLS = ("control-plane", "web", "db")
thorough = settings(max_examples=400)  # what matters are the nearly full hosts among them
needs = st.builds(Room, st.integers(1, 4), st.integers(1, 6))


@st.composite
def zones(draw: st.DrawFn, most: int = 3) -> tuple[tuple[Vm, ...], tuple[Hypervisor, ...]]:
    """Up to six VMs of three pools, each pool of one size, and up to `most` hosts that hold them, just or not."""
    counts, sizes = [draw(st.integers(0, 3)) for _ in POOLS[1:]], [draw(needs) for _ in POOLS]
    vms = members([draw(st.integers(0, 1)), *counts], sizes)[:6]
    count = draw(st.integers(1, most))
    rooms = [Room(draw(st.integers(-1, 3)), draw(st.integers(-1, 3))) for _ in range(count)]
    for vm in vms:
        # An arrangement that the hosts just hold, or just not: what stands elsewhere must be found.
        host = draw(st.integers(0, count - 1))
        rooms[host] += vm.need
    threads = st.sampled_from([6, 6, 6, 3])
    rooms = [Room(max(0, room.cpus), max(0, room.memory)) for room in rooms]
    return vms, tuple(Hypervisor(f"h{i}", "a", draw(threads), room) for i, room in enumerate(rooms))


def members(counts: Sequence[int], sizes: Sequence[Room]) -> tuple[Vm, ...]:
    """In the order of a plan: pool by pool."""
    return tuple(
        Vm(f"{pool}-{i}", pool, "a", i, i + start, size)
        for start, (pool, count, size) in enumerate(zip(POOLS, counts, sizes, strict=True))
        for i in range(count)
    )


def holds(on: Sequence[Hypervisor], vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> bool:
    return all(
        host.room.holds(total([vm.need for vm, other in zip(vms, on, strict=True) if other == host]))
        and all(vm.need.cpus <= host.threads for vm, other in zip(vms, on, strict=True) if other == host)
        for host in hosts
    )


def can_be_held(vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> bool:
    """By all arrangements there are."""
    return any(holds(on, vms, hosts) for on in product(hosts, repeat=len(vms)))


def is_sound(packing: Packing, vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> bool:
    """Every VM stands on a host or is left over, and no host is overfull."""
    named = {host.name: host for host in hosts}
    there = [vm for vm in vms if vm.name in packing.on]
    everyone = Counter([*packing.on, *(vm.name for vm in packing.left_over)]) == Counter(vm.name for vm in vms)
    return everyone and holds([named[packing.on[vm.name]] for vm in there], there, hosts)


@thorough
@given(zones())
def test_no_host_is_overfull_and_nothing_is_refused_that_fits(
    zone: tuple[tuple[Vm, ...], tuple[Hypervisor, ...]],
) -> None:
    vms, hosts = zone
    for packing in (place(vms, hosts), fit(vms, hosts)):
        assert is_sound(packing, vms, hosts)
        assert packing.exact
        assert (not packing.left_over) == can_be_held(vms, hosts)


@thorough
@given(zones())
def test_a_search_that_gives_up_says_so(zone: tuple[tuple[Vm, ...], tuple[Hypervisor, ...]]) -> None:
    vms, hosts = zone
    packing = fit(vms, hosts, steps=0)
    assert is_sound(packing, vms, hosts)
    if packing.left_over and can_be_held(vms, hosts):
        assert not packing.exact


@thorough
@given(zones(), st.integers(0, 2), st.integers(1, 3))
def test_a_pool_that_grows_moves_nothing_while_no_host_is_full(
    zone: tuple[tuple[Vm, ...], tuple[Hypervisor, ...]], pool: int, more: int
) -> None:
    vms, hosts = zone
    grown = grow(vms, pool, more)
    after = place(grown, hosts)
    if all(after.on.get(vm.name) == hosts[vm.nth % len(hosts)].name for vm in grown):
        before = place(vms, hosts)
        assert all(after.on[vm.name] == before.on[vm.name] for vm in vms)


@thorough
@given(zones(), st.integers(1, 2), st.integers(1, 3))
def test_the_largest_pool_grows_without_moving_others_even_on_full_hosts(
    zone: tuple[tuple[Vm, ...], tuple[Hypervisor, ...]], pool: int, more: int
) -> None:
    vms, hosts = zone
    counts = Counter(vm.pool for vm in vms)
    if all(counts[POOLS[pool]] > counts[other] for other in POOLS[1:] if other != POOLS[pool]):
        before, after = spread(vms, hosts), spread(grow(vms, pool, more), hosts)
        assert before.on == {name: host for name, host in after.on.items() if name in before.on}


def grow(vms: Sequence[Vm], pool: int, more: int) -> tuple[Vm, ...]:
    counts = Counter(vm.pool for vm in vms)
    sizes = {vm.pool: vm.need for vm in vms}
    return members(
        [counts[name] + (more if i == pool else 0) for i, name in enumerate(POOLS)],
        [sizes.get(name, Room(1, 1)) for name in POOLS],
    )


def test_a_full_host_sends_a_vm_to_where_fewest_of_its_pool_stand_then_to_most_memory() -> None:
    def on(*memory: int) -> tuple[Hypervisor, ...]:
        return tuple(Hypervisor(f"h{i}", "a", 99, Room(99, size)) for i, size in enumerate(memory))

    webs = tuple(Vm(f"web-{i}", "web", "a", i, i, Room(1, 2)) for i in range(3))
    assert place(webs[:1], on(1, 2, 3)).on == {"web-0": "h2"}
    assert place(webs, on(9, 1, 2)).on == {"web-0": "h0", "web-1": "h2", "web-2": "h0"}


def test_search_puts_a_pool_on_different_hosts_where_it_can() -> None:
    """By index the first VM takes the room of the large one, and the search starts anew."""
    small = tuple(Vm(f"web-{i}", "web", "a", i, i, Room(1, 2)) for i in range(2))
    hosts = tuple(Hypervisor(f"h{i}", "a", 99, Room(99, size)) for i, size in enumerate((10, 5, 5)))
    packing = place((*small, Vm("db-0", "db", "a", 0, 0, Room(1, 10))), hosts)
    assert not packing.by_index
    assert packing.on["db-0"] == "h0"
    assert {packing.on["web-0"], packing.on["web-1"]} == {"h1", "h2"}


def test_hosts_of_equal_room_differ_by_the_widest_vm_that_they_take() -> None:
    """The large VM, tried first on the wide host, must make way for the wide one."""
    wide, narrow = (Hypervisor(f"h{i}", "a", threads, Room(9, 3)) for i, threads in enumerate((2, 1)))
    vms = (Vm("db-0", "db", "a", 0, 0, Room(1, 3)), Vm("web-0", "web", "a", 0, 1, Room(2, 1)))
    assert place(vms, (wide, narrow)).on == {"db-0": "h1", "web-0": "h0"}


def test_equal_vms_are_not_tried_in_every_order() -> None:
    """Four unlike hosts hold two each of nine: 4^8 ways to put them there, one is tried."""
    vms = tuple(Vm(f"web-{i}", "web", "a", i, i, Room(1, 20)) for i in range(9))
    packing = place(vms, tuple(Hypervisor(f"h{i}", "a", 9, Room(99, 50 + i)) for i in range(4)))
    assert (len(packing.left_over), packing.exact) == (1, True)


@thorough
@given(zones(most=4), st.integers(1, 2))
def test_ha_finds_room_exactly_where_there_is(zone: tuple[tuple[Vm, ...], tuple[Hypervisor, ...]], lost: int) -> None:
    vms, hosts = zone
    packing = place(vms, hosts)
    if packing.left_over or len(hosts) <= lost:
        return
    standing = Standing(hosts, vms, packing.on)
    stranded = []
    for gone in combinations(standing.left(), lost):
        orphans = [vm for vm in vms if standing.on[vm.name] in {host.name for host in gone}]
        if not can_be_held(orphans, [host for host in standing.left() if host not in gone]):
            stranded.append(tuple(host.name for host in gone))
    found = outlook(standing, lost)
    assert [loss.hosts for loss in found.failures] == stranded
    assert survives(standing, lost) == (not stranded)
    assert found.every
    assert all(loss.exact and loss.stranded for loss in found.failures)


@thorough
@given(zones(most=4), st.integers(0, 2))
def test_sums_are_held_against_the_worst_loss(zone: tuple[tuple[Vm, ...], tuple[Hypervisor, ...]], lost: int) -> None:
    vms, hosts = zone
    asked, lost = total([vm.need for vm in vms]), min(lost, len(hosts))
    kept = [total([host.room for host in some]) for some in combinations(hosts, len(hosts) - lost)]
    assert (shortage(hosts, vms, lost) is None) == all(room.holds(asked) for room in kept)


def test_a_loss_that_was_not_searched_through_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """First fit puts 7 on 10, and has no room for the second 5."""
    hosts = tuple(Hypervisor(f"h{i}", "a", 9, Room(9, size)) for i, size in enumerate((17, 10, 7)))
    vms = tuple(Vm(f"web-{i}", "web", "a", i, 0, Room(1, size)) for i, size in enumerate((7, 5, 5)))
    standing = Standing(hosts, vms, dict.fromkeys((vm.name for vm in vms), "h0"))
    assert outlook(standing, 1).failures == ()
    monkeypatch.setattr(failover, "STEPS", 0)
    (loss,) = outlook(standing, 1).failures
    assert (loss.hosts, [vm.need.memory for vm in loss.stranded], loss.most.room.memory) == (("h0",), [5], 3)
    assert not loss.exact


def test_a_large_cluster_is_tried_by_each_host_and_by_its_largest_together() -> None:
    hosts = tuple(Hypervisor(f"h{i}", "a", 99, Room(99, i)) for i in range(22))
    found = outlook(Standing(hosts, (Vm("x", "web", "a", 0, 0, Room(1, 21)),), {"x": "h21"}), 2)
    assert (found.tried, found.every) == (22 + 1, False)
    assert [loss.hosts for loss in found.failures] == [("h21",), ("h20", "h21")]


@given(st.lists(st.integers(60, 300), min_size=6, max_size=6), st.sampled_from([0.5, 1.0, 2.0]))
def test_no_plan_overfills_a_host(gigabytes: list[int], overcommit: float) -> None:
    """The shop's VMs reserve 695Gi with their overhead; the hypervisor keeps 8Gi of each of its six hosts."""
    on = rich()
    hosts = [
        {"name": f"h{i}", "zone": "abc"[i % 3], "cpus": 40, "memory": f"{size}Gi"} for i, size in enumerate(gigabytes)
    ]
    data = changed(
        config_data("vsphere", on, ROOT), {"hosts": hosts, "cpuOvercommit": overcommit, "ha": {"enabled": False}}
    )
    try:
        plan = make_plan(on, load_target(data, ROOT, None, on))
    except InvalidInput:
        return
    for host, size in zip(hosts, gigabytes, strict=True):
        guests = [machine.place.size for machine in plan.machines if machine.place.host == host["name"]]
        assert sum(guest.memory * 1.01 for guest in guests) <= (size - 8) * 1024**3
        assert sum(guest.cpus for guest in guests) <= 38 * overcommit
