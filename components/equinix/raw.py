"""Devices: how they carry user data, and what they show of a machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.equinix.plans import CATALOGUE
from components.plan import MachinePlan, Plan
from components.raw import Resource, Shown, of_kind

DEVICE = "equinix-metal:index/device:Device"
ZONE_TAG = "zone="


def encode(plan: Plan, machine: MachinePlan, text: str) -> str:
    return text


def decode(carried: str) -> str:
    return carried


def machines(resources: Sequence[Resource]) -> Mapping[str, Shown]:
    return {str(device.inputs.get("hostname")): _shown(device) for device in of_kind(resources, DEVICE)}


def _shown(device: Resource) -> Shown:
    """The drive that a node lives on does not show: the plan has several."""
    slug = str(device.inputs.get("plan"))
    plan = CATALOGUE.get(slug)
    zones = [tag.removeprefix(ZONE_TAG) for tag in device.inputs.get("tags") or () if tag.startswith(ZONE_TAG)]
    return Shown(
        zone=zones[0] if len(zones) == 1 else None,
        user_data=device.inputs.get("userData"),
        user_data_from=device.property_dependencies.get("userData", ()),
        host_class=slug,
        cpus=plan.cpus if plan else None,
        memory=plan.memory if plan else None,
    )
