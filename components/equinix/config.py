"""Config of an Equinix Metal target: where the devices stand, and the mechanisms that serve the spec's wishes there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from components.equinix.plans import CATALOGUE
from components.plan import Ref
from components.problems import Fault, Problem
from components.spec import CONTROL_PLANE, Name, Spec
from components.target import MetalLoadBalancer, MetalStorage, TargetConfig, machine_problems

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NEXT_AVAILABLE = "next-available"
PRIVATE = IPv4Network("10.0.0.0/8")
"""A project gets a /25 of it in a metro, and more as it grows; which, nobody knows before [documented]
https://docs.equinix.com/metal/networking/ip-addresses"""

METADATA = "192.80.8.124"
"""Of metadata.platformequinix.com, once metadata.packet.net, which "should always resolve to" it [seen]
github.com/kinvolk/lokomotive 004a8fc85d80 assets/terraform-modules/packet/flatcar-linux/kubernetes/bootkube.tf; that
the newer name does, too [assumption]: the service ended, and nobody can ask it."""


def _plan(text: str) -> str:
    if text not in CATALOGUE:
        raise Fault(f"no server plan {text!r}", f"choose one of: {', '.join(CATALOGUE)}")
    return text


def _reservation(text: str) -> str:
    if text != NEXT_AVAILABLE and not UUID.fullmatch(text):
        raise Fault(f"{text!r} is not a hardware reservation", f"write its id (a UUID) or {NEXT_AVAILABLE}")
    return text


def _private_asn(number: int) -> int:
    # [documented] RFC 6996; "local" BGP takes private numbers only.
    if not (64512 <= number <= 65534 or 4200000000 <= number <= 4294967294):
        raise Fault(f"{number} is not a private AS number", "choose 64512 to 65534, or 4200000000 to 4294967294")
    return number


PlanName = Annotated[str, AfterValidator(_plan), WithJsonSchema({"type": "string", "enum": list(CATALOGUE)})]
Reservation = Annotated[str, AfterValidator(_reservation)]


class Config(TargetConfig):
    """Devices in one metro of Equinix Metal."""

    settings = (Ref("equinix-metal:authToken"),)
    kind: Literal["equinix"] = Field("equinix", description="Devices at Equinix Metal.")
    metro: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = Field(
        description="Metro of all devices and of the API address.", examples=["fr"]
    )
    project: str = Field(
        description="Name of the project to create, or id (UUID) of an existing one whose local BGP is on.",
        min_length=1,
        examples=["shop"],
    )
    operating_system: str = Field(
        "ubuntu_24_04", description="Operating system slug; it must run cloud-init.", min_length=1
    )
    billing_cycle: Literal["hourly", "monthly"] = Field("hourly", description="How devices on demand are billed.")
    plans: tuple[PlanName, ...] = Field(
        tuple(CATALOGUE), description="Server plans that may be ordered; default: all known.", min_length=1
    )
    pinned: dict[Name, PlanName] = Field(
        {},
        description="Plan of a pool, or of control-plane, where it is not to be the smallest of `plans` that fits.",
        examples=[{"db": "m3.large.x86"}],
    )
    reservations: dict[str, Reservation] = Field(
        {},
        description="Hardware reservation by machine, an id or next-available; other machines are ordered on demand.",
        examples=[{"shop-db-0": NEXT_AVAILABLE}],
    )
    bgp_asn: Annotated[int, AfterValidator(_private_asn)] = Field(
        65000, description="The devices' own AS number in local BGP; an existing project's must be the same."
    )
    storage: MetalStorage = Field(MetalStorage(), description="Mechanism of the storage classes.")
    load_balancer: MetalLoadBalancer = Field(
        MetalLoadBalancer(), description="Mechanism of Services of type LoadBalancer."
    )

    @property
    def existing_project(self) -> bool:
        return UUID.fullmatch(self.project) is not None

    def metadata_services(self) -> tuple[str, ...]:
        return (METADATA,)

    def problems(self, spec: Spec) -> Iterator[Problem]:
        yield from super().problems(spec)
        yield from _pin_problems(self, spec)
        yield from _reservation_problems(self, spec)
        if PRIVATE.subnet_of(IPv4Network(spec.kubernetes.pod_cidr)):
            yield Problem(
                f"the devices' private addresses are of {PRIVATE}, all of it taken by the spec's kubernetes.podCidr",
                "choose a part of it there",
                ("metro",),
            )
        if self.load_balancer.addresses is not None:
            yield Problem(
                "the addresses of services cannot be chosen here",
                "remove them: the cloud controller manager reserves one for each service",
                ("loadBalancer", "addresses"),
            )


def _pin_problems(config: Config, spec: Spec) -> Iterator[Problem]:
    pools = [CONTROL_PLANE, *(pool.name for pool in spec.pools)]
    for name in config.pinned:
        if name not in pools:
            yield Problem(f"the spec has no pool {name!r}", f"pools: {', '.join(pools)}", ("pinned", name))


def _reservation_problems(config: Config, spec: Spec) -> Iterator[Problem]:
    yield from machine_problems(config.reservations, spec, "reservations", grown=False)
    owners: dict[str, str] = {}
    for name, reservation in config.reservations.items():
        if reservation in owners:
            what = f"reservation {reservation} is {owners[reservation]}'s already"
            yield Problem(what, "a reservation is one server", ("reservations", name))
        if reservation != NEXT_AVAILABLE:
            owners[reservation] = name
