"""Devices: how they carry user data, and what they show of a machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.equinix.plans import CATALOGUE
from components.plan import MachinePlan, Plan
from components.raw import Channel, Resource, Shown, known, of_kind

DEVICE = "equinix-metal:index/device:Device"
ZONE_TAG = "zone="
SHOWS = frozenset({"host_class", "cpus", "memory"})
CHANNEL = Channel("user data of a device", 64 * 1024, "[assumption] no limit is published")


def encode(plan: Plan, machine: MachinePlan, text: str) -> str:
    return text


def measure(carried: str) -> int:
    return len(carried.encode())


def decode(carried: str) -> str:
    return carried


def machines(resources: Sequence[Resource]) -> Iterator[tuple[str, Shown]]:
    for device in of_kind(resources, DEVICE):
        yield known(device.inputs.get("hostname"), str) or "", _shown(device)


def _shown(device: Resource) -> Shown:
    """The drive that a node lives on does not show: the plan has several."""
    slug = known(device.inputs.get("plan"), str)
    plan = CATALOGUE.get(slug or "")
    tags = (known(tag, str) or "" for tag in known(device.inputs.get("tags"), list) or ())
    zones = [tag.removeprefix(ZONE_TAG) for tag in tags if tag.startswith(ZONE_TAG)]
    return Shown(
        zone=zones[0] if len(zones) == 1 else None,
        user_data=device.inputs.get("userData"),
        user_data_from=device.property_dependencies.get("userData", ()),
        host_class=slug,
        cpus=plan.cpus if plan else None,
        memory=plan.memory if plan else None,
    )
