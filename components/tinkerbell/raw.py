"""Hardware and Workflows: how they carry user data, and what they show of a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from components.plan import ZONE, MachinePlan, Plan
from components.quantity import parse_bytes
from components.raw import Resource, Shown, at, known, of_kind
from components.tinkerbell.config import CLASS

HARDWARE, WORKFLOW = (f"kubernetes:tinkerbell.org/v1alpha1:{kind}" for kind in ("Hardware", "Workflow"))


def encode(plan: Plan, machine: MachinePlan, text: str) -> str:
    return text


def decode(carried: str) -> str:
    return carried


def machines(resources: Sequence[Resource]) -> Mapping[str, Shown]:
    return dict(_machines(resources))


def _machines(resources: Sequence[Resource]) -> Iterator[tuple[str, Shown]]:
    """A Hardware is a machine once a Workflow images it: spares have none."""
    imaged = {at(workflow.inputs, "spec", "hardwareRef") for workflow in of_kind(resources, WORKFLOW)}
    for hardware in of_kind(resources, HARDWARE):
        host, name = at(hardware.inputs, "metadata", "name"), at(hardware.inputs, "spec", "metadata", "instance")
        if host in imaged:
            yield str(at(name, "hostname")), _shown(hardware, host)


def _shown(hardware: Resource, host: str) -> Shown:
    """The root disk's size does not show: only its device does."""
    spec, labels = hardware.inputs.get("spec"), at(hardware.inputs, "metadata", "labels")
    cpus, memory = (known(at(spec, "resources", part), str) for part in ("cpu", "memory"))
    return Shown(
        zone=known(at(labels, ZONE), str),
        user_data=at(spec, "userData"),
        user_data_from=hardware.property_dependencies.get("spec", ()),
        host=host,
        host_class=known(at(labels, CLASS), str),
        address=known(at(spec, "interfaces", 0, "dhcp", "ip", "address"), str),
        cpus=int(cpus) if cpus else None,
        memory=parse_bytes(memory) if memory else None,
    )
