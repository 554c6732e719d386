"""What the hosts cannot carry: VMs larger than any host, zones and the HA reserve by sum, zones host by host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from components.problems import FieldPath, Problem, listed
from components.quantity import format_bytes
from components.spec import CONTROL_PLANE, Size, Spec
from components.vsphere.capacity import (
    HYPERVISOR_BYTES,
    HYPERVISOR_CPUS,
    Hypervisor,
    Room,
    Vm,
    taken,
    total,
)
from components.vsphere.config import Config
from components.vsphere.placement import Packing, place

Lack = tuple[Room, Room]
"""What is asked and what is there."""


def placed(
    spec: Spec, config: Config, vms: Sequence[Vm], hosts: Sequence[Hypervisor]
) -> tuple[Mapping[str, Packing], list[Problem]]:
    """The VMs of each zone on its hosts, and every reason why they, or the HA reserve, find no room."""
    too_large = {CONTROL_PLANE: spec.control_plane.size} | {pool.name: pool.size for pool in spec.pools}
    too_large = {name: size for name, size in too_large.items() if not _some_host_takes(size, hosts)}
    faults = [*_too_small(config, hosts), *(_too_large(spec, hosts, name, size) for name, size in too_large.items())]
    rest = [vm for vm in vms if vm.pool not in too_large]
    without = f" without {listed(too_large)}" if too_large else ""
    packings = {}
    for zone in spec.zones:
        here, there = [vm for vm in rest if vm.zone == zone], [host for host in hosts if host.zone == zone]
        title = f"zone {zone}{without}"
        if (lack := shortage(there, here, 0)) is not None:
            faults.append(_by_sum(title, lack, here, there, 0))
            continue
        packings[zone] = place(here, there)
        if packings[zone].left_over:
            faults.append(_by_fit(title, packings[zone], here, there))
    lost = reserve(config)
    if lost and (lack := shortage(hosts, rest, lost)) is not None:
        faults.append(_by_sum(f"the cluster{without}", lack, rest, hosts, lost))
    return packings, faults


def reserve(config: Config) -> int:
    """Hosts whose loss the cluster must bear."""
    return config.ha.host_failures if config.ha.enabled else 0


def shortage(hosts: Sequence[Hypervisor], vms: Sequence[Vm], lost: int) -> Lack | None:
    """What all VMs ask and what all hosts offer, where that is less; of CPUs and of memory the worst loss is taken."""
    kept = max(0, len(hosts) - lost)
    there = Room(
        sum(sorted(host.room.cpus for host in hosts)[:kept]), sum(sorted(host.room.memory for host in hosts)[:kept])
    )
    asked = total([vm.need for vm in vms])
    return None if there.holds(asked) else (asked, there)


# ---- messages


def hosts_count(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def _some_host_takes(size: Size, hosts: Sequence[Hypervisor]) -> bool:
    need = taken(size)
    return any(host.takes(need, host.room) for host in hosts)


def _too_small(config: Config, hosts: Sequence[Hypervisor]) -> Iterator[Problem]:
    """Hosts that leave nothing to VMs."""
    for i, (host, there) in enumerate(zip(config.hosts, hosts, strict=True)):
        if there.room.cpus <= 0 or there.room.memory <= 0:
            what = (
                f"{host.cpus} CPU and {format_bytes(host.memory)} leave nothing to VMs beside what the hypervisor keeps"
            )
            right = f"it keeps {HYPERVISOR_CPUS} CPU and at least {format_bytes(HYPERVISOR_BYTES)}: leave the host out"
            yield Problem(what, right, ("hosts", i), source="target")


def _too_large(spec: Spec, hosts: Sequence[Hypervisor], name: str, size: Size) -> Problem:
    """A VM has no more CPUs than its host has threads, whatever the overcommit: of two limits the lower is shown."""
    offers = {host.name: Room(min(host.threads, host.room.cpus), host.room.memory) for host in hosts}
    widest = max(offers, key=lambda host: (offers[host].cpus, offers[host].memory))
    largest = max(offers, key=lambda host: (offers[host].memory, offers[host].cpus))
    has = ", ".join(f"{host} offers {offers[host].there}" for host in dict.fromkeys((largest, widest)))
    i = next((i for i, pool in enumerate(spec.pools) if pool.name == name), None)
    path: FieldPath = ("controlPlane", "size") if i is None else ("pools", i, "size")
    return Problem(
        f"a VM of this size takes {taken(size).asked} of its host, overhead included; of no host can one VM have "
        f"that: {has}",
        "make the nodes smaller and more",
        path,
        source="spec",
    )


def _by_sum(title: str, lack: Lack, vms: Sequence[Vm], hosts: Sequence[Hypervisor], lost: int) -> Problem:
    asked, there = lack
    less = f" less {lost} for HA" if lost else ""
    offer = "offers" if len(hosts) == 1 and not lost else "offer"
    return Problem(
        f"{title}: {_vms_count(len(vms))} {asked.asked}, its {hosts_count(len(hosts))}{less} {offer} {there.there}",
        _right("add hosts, or lower pools" + (" or ha.hostFailures" if lost else ""), asked.cpus > there.cpus),
        ("hosts",),
        source="target",
    )


def _by_fit(title: str, packing: Packing, vms: Sequence[Vm], hosts: Sequence[Hypervisor]) -> Problem:
    """Fits by sum, but not host by host."""
    left = {host.name: host.room for host in hosts}
    for vm in vms:
        if vm.name in packing.on:
            left[packing.on[vm.name]] -= vm.need
    wanting = listed([f"{vm.name} ({vm.need.asked})" for vm in packing.left_over])
    most = sorted(left, key=lambda host: (-left[host].memory, -left[host].cpus))
    finds = "finds" if len(packing.left_over) == 1 else "find"
    how = (
        f"however its {len(vms)} VMs are arranged"
        if packing.exact
        else f"in any arrangement of its {len(vms)} VMs that was tried; there may be one"
    )
    by_cpu = any(room.memory >= vm.need.memory for room in left.values() for vm in packing.left_over)
    return Problem(
        f"{title}: {wanting} {finds} room on no host, {how}: "
        + listed([f"{host} has {left[host].there} left" for host in most]),
        _right("add hosts there, or make nodes smaller", by_cpu),
        ("hosts",),
        source="target",
    )


def _vms_count(count: int) -> str:
    return "1 VM asks" if count == 1 else f"{count} VMs ask"


def _right(text: str, cpu_lacks: bool) -> str:
    return f"{text}, or raise cpuOvercommit" if cpu_lacks else text
