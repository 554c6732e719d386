"""What an ESXi host offers to VMs and what a VM takes of it. Pure data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from components.facts import Place, Wanted
from components.spec import CONTROL_PLANE, Size, Spec
from components.vsphere.config import Config, Host

MIB, GIB = 1024**2, 1024**3
# Threads and memory that the hypervisor keeps of each host [assumption]: Broadcom publishes no formula.
HYPERVISOR_CPUS, HYPERVISOR_BYTES, HYPERVISOR_SHARE = 2, 8 * GIB, 0.03
# Memory that the hypervisor adds to each VM [documented for 6.7, extrapolated above 8 vCPU]: between 0.5 % and 1.8 %
# of a node-sized VM in the vSphere Resource Management guide; 1 % is the plan's figure.
VM_OVERHEAD = 0.01
# "The memory size must be a multiple of 4 MB." [documented] vSphere 7.0, Change the Memory Configuration,
# https://docs.vmware.com/en/VMware-vSphere/7.0/com.vmware.vsphere.vm_admin.doc/GUID-81E25CBB-16D9-416B-AD6F-5A96D7CD0A2D.html
# The provider takes a disk's size as a whole number of GB [seen] pulumi-vsphere 4.18, VirtualMachineDiskArgs.size.
STEPS = {"cpus": 1, "memory": 4 * MIB, "disk": GIB}
"""The steps in which a VM's size comes, by field of Size."""


@dataclass(frozen=True, slots=True)
class Room:
    """Virtual CPUs and bytes: what a VM takes of a host, what a host offers, what is left of it."""

    cpus: int
    memory: int

    def __add__(self, other: Room) -> Room:
        return Room(self.cpus + other.cpus, self.memory + other.memory)

    def __sub__(self, other: Room) -> Room:
        return Room(self.cpus - other.cpus, self.memory - other.memory)

    def holds(self, need: Room) -> bool:
        return need.cpus <= self.cpus and need.memory <= self.memory

    @property
    def asked(self) -> str:
        """For messages: rounded up, as `there` is rounded down, so that too much never looks like just enough."""
        return f"{self.cpus} CPU and {ceil(self.memory / GIB)}Gi"

    @property
    def there(self) -> str:
        return f"{self.cpus} CPU and {self.memory // GIB}Gi"


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM that needs a host."""

    name: str
    pool: str
    zone: str
    index: int
    nth: int
    """Which host of its zone it starts on, counted on and round again, where there is room."""
    need: Room


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A host with the room that is left on it."""

    name: str
    zone: str
    # "A virtual machine cannot have more virtual CPUs than the number of logical cores on the host" [documented]
    # https://docs.vmware.com/en/VMware-vSphere/6.7/com.vmware.vsphere.vm_admin.doc/GUID-13AD347E-3B77-4A67-B3F4-4AC2230E4509.html
    threads: int
    """The most virtual CPUs that one VM can have here, whatever the overcommit."""
    room: Room

    def takes(self, need: Room, left: Room) -> bool:
        """Whether a VM fits here, when so much is left."""
        return need.cpus <= self.threads and left.holds(need)


@dataclass(frozen=True, slots=True)
class Standing:
    """VMs on hosts."""

    hosts: tuple[Hypervisor, ...]
    """All that they offer, also what the VMs have of it."""
    vms: tuple[Vm, ...]
    on: Mapping[str, str]
    """Name of the host by name of the VM."""

    def left(self) -> tuple[Hypervisor, ...]:
        """The hosts with what the VMs leave of them."""
        used = dict.fromkeys((host.name for host in self.hosts), Room(0, 0))
        for vm in self.vms:
            used[self.on[vm.name]] += vm.need
        return tuple(replace(host, room=host.room - used[host.name]) for host in self.hosts)

    def plus(self, vm: Vm, host: str) -> Standing:
        return Standing(self.hosts, (*self.vms, vm), {**self.on, vm.name: host})


def total(rooms: Collection[Room]) -> Room:
    return sum(rooms, Room(0, 0))


def real(part: str, value: int) -> int:
    """What a VM really has of a part of its size: the next step upwards."""
    return -(-value // STEPS[part]) * STEPS[part]


def real_size(size: Size) -> Size:
    return Size.model_validate({part: real(part, getattr(size, part)) for part in STEPS})


def taken(size: Size) -> Room:
    """What a VM of this size takes of its host. All its memory is reserved: without room for it, it does not start."""
    memory = real("memory", size.memory)
    return Room(size.cpus, memory + ceil(memory * VM_OVERHEAD))


def usable(host: Host, overcommit: float = 1.0) -> Room:
    """What a host offers to VMs, in whole MiB."""
    kept = max(HYPERVISOR_BYTES, int(host.memory * HYPERVISOR_SHARE))
    return Room(int(max(0, host.cpus - HYPERVISOR_CPUS) * overcommit), max(0, host.memory - kept) // MIB * MIB)


def hypervisors(config: Config) -> tuple[Hypervisor, ...]:
    return tuple(Hypervisor(h.name, h.zone, h.cpus, usable(h, config.cpu_overcommit)) for h in config.hosts)


def vms(spec: Spec, wanted: Sequence[Wanted]) -> tuple[Vm, ...]:
    # Pools start on different hosts: otherwise index 0 of every pool would share one.
    order = {name: i for i, name in enumerate((CONTROL_PLANE, *(pool.name for pool in spec.pools)))}
    return tuple(
        Vm(
            name=m.name,
            pool=m.pool,
            zone=m.zone,
            index=m.index,
            nth=m.index // len(spec.zones_of(m.pool)) + order[m.pool],
            need=taken(m.size),
        )
        for m in wanted
    )


def standing(spec: Spec, config: Config, wanted: Sequence[Wanted], places: Sequence[Place]) -> Standing:
    """The VMs of a plan on their hosts."""
    on = {machine.name: str(place.host) for machine, place in zip(wanted, places, strict=True)}
    return Standing(hypervisors(config), vms(spec, wanted), on)
