"""Hardware and Workflows: how they carry user data, and what they show of a machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.plan import ZONE, MachinePlan, Plan
from components.quantity import parse_bytes
from components.raw import Resource, Shown, at, known, of_kind
from components.tinkerbell.config import CLASS

SHOWS = frozenset({"host", "host_class", "address", "cpus", "memory"})
HARDWARE, WORKFLOW = (f"kubernetes:tinkerbell.org/v1alpha1:{kind}" for kind in ("Hardware", "Workflow"))


def encode(plan: Plan, machine: MachinePlan, text: str) -> str:
    return text


def decode(carried: str) -> str:
    return carried


def machines(resources: Sequence[Resource]) -> Iterator[tuple[str, Shown]]:
    """A Hardware is a machine once a Workflow images it: spares have none."""
    imaged = [at(workflow.inputs, "spec", "hardwareRef") for workflow in of_kind(resources, WORKFLOW)]
    for hardware in of_kind(resources, HARDWARE):
        host = known(at(hardware.inputs, "metadata", "name"), str)
        if host in imaged:
            name = at(hardware.inputs, "spec", "metadata", "instance", "hostname")
            yield known(name, str) or "", _shown(hardware, host)


def _shown(hardware: Resource, host: str | None) -> Shown:
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
