"""Hardware and Workflows: how they carry user data, and what they show of a machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from components.plan import ZONE, MachinePlan, Plan
from components.quantity import parse_bytes
from components.raw import Channel, Resource, Shown, at, known, of_kind
from components.tinkerbell.config import CLASS

SHOWS = frozenset({"host", "host_class", "address", "cpus", "memory"})
HARDWARE, TEMPLATE, WORKFLOW = (
    f"kubernetes:tinkerbell.org/v1alpha1:{kind}" for kind in ("Hardware", "Template", "Workflow")
)
T = TypeVar("T")


CHANNEL = Channel(
    "userData of a Hardware",
    1024 * 1024,
    "[documented] https://etcd.io/docs/v3.6/dev-guide/limit/: 1.5 MiB for a request, of which the object has more",
)


def encode(plan: Plan, machine: MachinePlan, text: str) -> str:
    return text


def measure(carried: str) -> int:
    return len(carried.encode())


def decode(carried: str) -> str:
    return carried


def machines(resources: Sequence[Resource]) -> Iterator[tuple[str, Shown]]:
    """A Hardware is a machine once a Workflow images it: spares have none. A Workflow that images what is no machine of
    the stack goes by its host: it may be in use."""
    hardware = {at(each.inputs, "metadata", "name"): each for each in of_kind(resources, HARDWARE)}
    templates = [at(each.inputs, "metadata", "name") for each in of_kind(resources, TEMPLATE)]
    for workflow in of_kind(resources, WORKFLOW):
        spec = workflow.inputs.get("spec")
        host = known(at(spec, "hardwareRef"), str) or ""
        taken = hardware.get(host)
        name = at(taken.inputs, "spec", "metadata", "instance", "hostname") if taken else None
        # Its actions write to the machine that has this address.
        mac = at(taken.inputs, "spec", "interfaces", 0, "dhcp", "mac") if taken else None
        if taken and at(spec, "templateRef") in templates and at(spec, "hardwareMap", "mac") == mac:
            yield known(name, str) or host, _shown(taken, host, at(spec, "hardwareMap", "netplan"))
        else:
            yield host, Shown(None, None, ())


def _shown(hardware: Resource, host: str, netplan: Any) -> Shown:
    """The root disk's size does not show: only its device does. A node's address is that of its netplan."""
    spec, labels = hardware.inputs.get("spec"), at(hardware.inputs, "metadata", "labels")
    network = _parsed(json.loads, netplan)
    address = known(at(network, "network", "ethernets", "nodes", "addresses", 0), str)
    return Shown(
        zone=known(at(labels, ZONE), str),
        user_data=at(spec, "userData"),
        user_data_from=hardware.property_dependencies.get("spec", ()),
        host=host,
        host_class=known(at(labels, CLASS), str),
        address=address.partition("/")[0] if address else None,
        cpus=_parsed(int, at(spec, "resources", "cpu")),
        memory=_parsed(parse_bytes, at(spec, "resources", "memory")),
    )


def _parsed(parse: Callable[[str], T], text: Any) -> T | None:
    """What the text says; None where it is not known, or says nothing of the kind."""
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
