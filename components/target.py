"""What every target config says: the base class and the choices that all targets share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints

from components.plan import Ref
from components.problems import Fault, Problem
from components.spec import CONTROL_PLANE, Model, Name, Spec

Level = Literal["fullyAutomated", "partiallyAutomated", "manual", "disabled"]


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise Fault(f"{text!r} is not an IPv4 address", "for example 10.20.40.10") from None


def _range(text: str) -> str:
    first, dash, last = text.partition("-")
    try:
        low, high = IPv4Address(first.strip()), IPv4Address(last.strip() if dash else first.strip())
    except ValueError:
        raise Fault(f"{text!r} is not an address range", "for example 10.20.40.32-10.20.40.63") from None
    if high < low:
        raise Fault(f"{text!r} ends before it starts", f"write {high}-{low}")
    return f"{low}-{high}"


Address = Annotated[str, AfterValidator(_address)]
AddressRange = Annotated[str, AfterValidator(_range)]
"""IPv4 addresses from first to last, both included: `10.20.40.32-10.20.40.63`."""


def addresses(text: str) -> range:
    """The addresses of an AddressRange as integers, for IPv4Address()."""
    first, _, last = text.partition("-")
    return range(int(IPv4Address(first)), int(IPv4Address(last or first)) + 1)


class Nfs(Model):
    """An NFS server for volumes."""

    server: str = Field(description="Host name or address of the server.", min_length=1, examples=["10.20.0.40"])
    share: Annotated[str, StringConstraints(pattern=r"^/\S*$")] = Field(description="Exported path.", examples=["/k8s"])


class Ceph(Model):
    """Rook-Ceph on disks of the cluster's own nodes."""

    pool: Name = Field(description="Pool of the spec whose nodes carry the disks.", examples=["db"])
    device_filter: str = Field(
        description="Regular expression of the block devices that Ceph takes, for example ^nvme[1-9]n1$.",
        min_length=1,
        examples=["^nvme[1-9]n1$"],
    )


class PowerFlex(Model):
    """A Dell PowerFlex (once ScaleIO) system."""

    system_id: str = Field(description="Id of the storage system.", min_length=1, examples=["4f8b6b6a5f0d2c10"])
    endpoint: Annotated[str, StringConstraints(pattern=r"^https://\S+$")] = Field(
        description="URL of the PowerFlex gateway.", examples=["https://powerflex.example.com"]
    )
    storage_pool: str = Field(description="Storage pool of the volumes.", min_length=1, examples=["pool1"])


class StorageConfig(Model):
    """Which backend serves which storage class. A target narrows `backend` to those that it can have."""

    backend: str = Field(description="Backend of every class not named in `classes`.")
    classes: Mapping[Name, str] = Field({}, description="Backend by storage class, where it is not `backend`.")
    nfs: Nfs | None = Field(None, description="Needed when a class uses nfs.")
    ceph: Ceph | None = Field(None, description="Needed when a class uses ceph.")
    powerflex: PowerFlex | None = Field(None, description="Needed when a class uses powerflex.")

    def backend_of(self, storage_class: str) -> str:
        return self.classes.get(storage_class, self.backend)


class LoadBalancerConfig(Model):
    """What gives Services of type LoadBalancer their address. A target narrows `provider` to those it can have."""

    provider: str = Field(description="Add-on that serves them.")
    addresses: AddressRange | None = Field(None, description="Addresses that services may get.")


class MetalStorage(StorageConfig):
    """Backends of machines that have no hypervisor below them."""

    backend: Literal["ceph", "nfs", "powerflex"] = Field(
        "ceph", description="Backend of every class not named in `classes`."
    )
    classes: dict[Name, Literal["ceph", "nfs", "powerflex"]] = Field(
        {}, description="Backend by storage class, where it is not `backend`."
    )


class MetalLoadBalancer(LoadBalancerConfig):
    """Load balancers that need nothing of the platform."""

    provider: Literal["kube-vip", "metallb", "none"] = Field("kube-vip", description="Add-on that serves them.")


class TargetConfig(Model):
    """Base of every target config: `kind` chooses the target."""

    settings: ClassVar[tuple[Ref, ...]] = ()
    """Keys of the Pulumi config that the target's site and providers read; those of add-ons stand in the add-ons."""

    kind: str = Field(description="Kind of the target.")
    storage: Any = Field(description="Mechanism of the storage classes.")
    load_balancer: Any = Field(description="Mechanism of Services of type LoadBalancer.")
    generations: dict[str, Annotated[int, Field(ge=1)]] = Field(
        {}, description="Machines to re-image, by name: raise the number and the machine is built anew. Default 1."
    )

    def problems(self, spec: Spec) -> Iterator[Problem]:
        """What is wrong with this config for this spec, beyond single fields. Targets add their own."""
        yield from _storage_problems(self.storage, spec)
        names = {f"{spec.name}-{pool}-" for pool in (CONTROL_PLANE, *(p.name for p in spec.pools))}
        for name in self.generations:
            if not any(name.startswith(prefix) and name[len(prefix) :].isdigit() for prefix in names):
                yield Problem(
                    f"no machine {name!r}", f"machines are named {spec.name}-<pool>-<index>", ("generations", name)
                )


def _storage_problems(storage: StorageConfig, spec: Spec) -> Iterator[Problem]:
    known = [c.name for c in spec.storage.classes]
    for name in storage.classes:
        if name not in known:
            yield Problem(
                f"the spec has no storage class {name!r}",
                f"its classes: {', '.join(known)}" if known else "it has none",
                ("storage", "classes", name),
            )
    used = {storage.backend_of(name) for name in known}
    for backend in sorted(used & {"nfs", "ceph", "powerflex"}):
        if getattr(storage, backend) is None:
            yield Problem(f"backend {backend} is used but not described", f"add {backend}:", ("storage", backend))
    if storage.ceph is not None and storage.ceph.pool not in [p.name for p in spec.pools]:
        yield Problem(
            f"the spec has no pool {storage.ceph.pool!r}", "name one of its pools", ("storage", "ceph", "pool")
        )
