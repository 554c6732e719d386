"""Catalogue of the Equinix Metal server plans that can carry a node: x86, third generation, sold on demand.

The provider has no data source for plans, so the numbers stand here. Their origin is each plan's product page,
https://deploy.equinix.com/product/servers/<plan>/, gone with the service. Grades: [seen] as public repositories quote
that page; [memory] engineers' knowledge. Memory per core agrees with dlotterman/metal_code_snippets,
marketing/operators_sizing_guide.md [seen]: 2.6 GB for c3.medium, 8 for m3.large, 16 for n3.xlarge and a3.large; it also
says that every core "will likely" run two threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.quantity import format_bytes
from components.spec import Size

GIB, GB = 1024**3, 10**9


@dataclass(frozen=True, slots=True)
class Drives:
    """Equal drives of a server; gigabytes as sold, each 10^9 bytes."""

    count: int
    gigabytes: int
    medium: Literal["SSD", "NVMe", "HDD"]

    @property
    def size(self) -> int:
        """Bytes of one drive, in whole GiB."""
        return self.gigabytes * GB // GIB * GIB

    def __str__(self) -> str:
        return f"{self.count} x {self.gigabytes} GB {self.medium}"


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """A kind of server, whole and to oneself."""

    name: str
    processor: str
    cores: int
    cpus: int
    """Logical CPUs: hardware threads."""
    memory: int
    drives: tuple[Drives, ...]
    """The boot drives first: the operating system is installed on one of them."""

    @property
    def boot(self) -> int:
        return self.drives[0].size

    @property
    def disk(self) -> int:
        """The largest drive that a node may live on. Images, logs and etcd want flash: hard disks do not count."""
        return max(drives.size for drives in self.drives if drives.medium != "HDD")

    @property
    def free_drives(self) -> tuple[str, ...]:
        """Device names of all drives but the one that the system is on [engineers' knowledge: the kernel's names]."""
        flash = sum(drives.count for drives in self.drives if drives.medium == "NVMe")
        disks = sum(drives.count for drives in self.drives) - flash
        names = (*(f"sd{chr(ord('a') + i)}" for i in range(disks)), *(f"nvme{i}n1" for i in range(flash)))
        boot = "nvme0n1" if self.drives[0].medium == "NVMe" else "sda"
        return tuple(name for name in names if name != boot)

    def size_for(self, asked: Size) -> Size:
        """What the plan gives to a node that asks this much: its disk is the boot drive, if that is large enough."""
        disk = self.boot if self.boot >= asked.disk else self.disk
        return Size(cpus=self.cpus, memory=self.memory, disk=disk)

    def __str__(self) -> str:
        drives = ", ".join(map(str, self.drives))
        return f"{self.processor}, {self.cores} cores, {format_bytes(self.memory)}, {drives}"


CATALOGUE = {
    plan.name: plan
    for plan in (
        # Cores, memory, 960 GB in all [seen]; processor [seen]; two drives [memory].
        ServerPlan("c3.small.x86", "1 x Intel Xeon E-2278G", 8, 16, 32 * GIB, (Drives(2, 480, "SSD"),)),
        # Processor, cores, threads, memory, 2 x 480 GB [seen].
        ServerPlan("m3.small.x86", "1 x Intel Xeon E-2378G", 8, 16, 64 * GIB, (Drives(2, 480, "SSD"),)),
        # Processor, cores, memory, 960 GB [seen]; that the boot drives come on top [memory]: the smaller reading.
        ServerPlan(
            "c3.medium.x86", "1 x AMD EPYC 7402P", 24, 48, 64 * GIB, (Drives(2, 240, "SSD"), Drives(2, 480, "SSD"))
        ),
        # Processors, cores, memory, drives [seen]; that the SSDs are the boot drives [memory].
        ServerPlan(
            "s3.xlarge.x86",
            "2 x Intel Xeon Silver 4214",
            24,
            48,
            192 * GIB,
            (Drives(2, 960, "SSD"), Drives(2, 240, "NVMe"), Drives(12, 8000, "HDD")),
        ),
        # All [seen].
        ServerPlan(
            "m3.large.x86", "1 x AMD EPYC 7502P", 32, 64, 256 * GIB, (Drives(2, 240, "SSD"), Drives(2, 3800, "NVMe"))
        ),
        # Processor, threads, memory, 7.6 TB [seen]; boot drives on top [memory].
        ServerPlan(
            "n3.xlarge.x86",
            "1 x Intel Xeon Gold 6314U",
            32,
            64,
            512 * GIB,
            (Drives(2, 240, "SSD"), Drives(2, 3800, "NVMe")),
        ),
        # Processors, threads, memory, 480 GB in all [seen]; two drives [memory].
        ServerPlan("a3.large.x86", "2 x Intel Xeon Gold 6338", 64, 128, 1024 * GIB, (Drives(2, 240, "SSD"),)),
    )
}
"""By name, smallest first: each has at least the CPUs and the memory of the one before it, so no weighing is needed."""
