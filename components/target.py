"""What every target config says: the base class and the choices that all targets share."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, StringConstraints

from components import networks, outside
from components.networks import AddressRange, Taken, addresses, server
from components.outside import Authority, Mirrors, Proxy, Registry
from components.plan import Outside, Ref
from components.problems import Problem, listed
from components.spec import CONTROL_PLANE, Model, Name, Spec

Level = Literal["fullyAutomated", "partiallyAutomated", "manual", "disabled"]
Announcer = Literal["kube-vip", "metallb"]
"""Load balancers whose workers announce `loadBalancer.addresses`: by ARP, unless the target has BGP."""


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


_DESCRIBED = [
    name
    for name, field in StorageConfig.model_fields.items()
    if any(isinstance(kind, type) and issubclass(kind, Model) for kind in get_args(field.annotation))
]
"""The backends that need a part of their own."""


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

    provider: Literal[Announcer, "none"] = Field("kube-vip", description="Add-on that serves them.")


class TargetConfig(Model):
    """Base of every target config: `kind` chooses the target."""

    settings: ClassVar[tuple[Ref, ...]] = ()
    """Keys of the Pulumi config that the target's site and providers read; those of add-ons stand in the add-ons."""
    hidden: ClassVar[Mapping[str, str]] = {}
    """Fields, as dotted paths of the stack file, and keys of `settings` that no resource and no fact shows, and what a
    change of each means."""

    kind: str = Field(description="Kind of the target.")
    storage: Any = Field(description="Mechanism of the storage classes.")
    load_balancer: Any = Field(description="Mechanism of Services of type LoadBalancer.")
    registry_mirrors: dict[Registry, Mirrors] = Field(
        {},
        description="Mirrors by image registry: asked in this order, and then the registry itself. One without a path "
        "serves the API at /v2, one with a path serves it there.",
        examples=[{"docker.io": ["https://mirror.example.com/v2/dockerhub"]}],
    )
    registry_ca: Authority | None = Field(
        None, description="PEM of the CA of the mirrors, where it is their own; known CAs stay known."
    )
    proxy: Proxy | None = Field(None, description="Proxy by which machines load packages and images.")
    generations: dict[str, Annotated[int, Field(ge=1)]] = Field(
        {},
        description="Machines to build anew, by name: raise the number, default 1, and the machine is deleted and made "
        "again. Any other number than the last does so: a line that was used must stay, and must never be lowered.",
    )

    def networks(self) -> Iterator[Taken]:
        """The addresses that this config names. Of two that want the same, the first is right: targets add theirs."""
        if self.storage.nfs is not None:
            yield from server(self.storage.nfs.server, "the NFS server", ("storage", "nfs", "server"))
        if self.storage.powerflex is not None:
            path = ("storage", "powerflex", "endpoint")
            yield from server(self.storage.powerflex.endpoint, "the PowerFlex gateway", path)
        if self.load_balancer.addresses is not None:
            what = "the services' range (loadBalancer.addresses)"
            yield Taken(self.load_balancer.addresses, what, ("loadBalancer", "addresses"))
        yield from outside.networks(self.registry_mirrors, self.proxy)

    @abstractmethod
    def metadata_services(self) -> tuple[str, ...]:
        """Addresses in the network that give a machine's user data to whoever asks from it: pods are kept from them."""

    def outside(self) -> Outside:
        proxy = self.proxy or Proxy()
        return Outside(
            mirrors=tuple(self.registry_mirrors.items()),
            authority=self.registry_ca or "",
            http_proxy=proxy.http or "",
            https_proxy=proxy.https or "",
            no_proxy=proxy.no_proxy,
        )

    def problems(self, spec: Spec) -> Iterator[Problem]:
        """What is wrong with this config for this spec, beyond single fields. Targets add their own."""
        yield from _storage_problems(self.storage, spec)
        yield from machine_problems(self.generations, spec, "generations")
        if self.registry_ca is not None and not self.registry_mirrors:
            yield Problem("no mirror has this CA", "name them: registryMirrors", ("registryCa",))
        if self.proxy is not None and not (self.proxy.http or self.proxy.https):
            yield Problem("no proxy is named", "name it under http, https or both", ("proxy",))
        cluster = spec.kubernetes
        own = {"kubernetes.podCidr": cluster.pod_cidr, "kubernetes.serviceCidr": cluster.service_cidr}
        yield from networks.problems(self.networks(), own)


def machine_problems(names: Iterable[str], spec: Spec, field: str, *, grown: bool = True) -> Iterator[Problem]:
    """Names in `field` that are no machine's. `grown`: also of one that its pool has no more, or not yet."""
    nodes = {CONTROL_PLANE: spec.control_plane.nodes} | {pool.name: pool.nodes for pool in spec.pools}
    for name in names:
        pool, _, index = name.removeprefix(f"{spec.name}-").rpartition("-")
        if not name.startswith(f"{spec.name}-") or pool not in nodes or not re.fullmatch("0|[1-9][0-9]{0,8}", index):
            yield Problem(f"no machine {name!r}", f"machines are named {spec.name}-<pool>-<index>", (field, name))
        elif not grown and int(index) >= nodes[pool]:
            last = f"{spec.name}-{pool}-{nodes[pool] - 1}"
            yield Problem(f"the spec asks for no machine {name!r}", f"the last of its pool is {last}", (field, name))


def arp_problems(config: TargetConfig, spec: Spec, workers: Iterable[IPv4Network]) -> Iterator[Problem]:
    """Addresses of services that nobody asks the workers for: ARP stays inside a network, and any worker may be the one
    that announces them."""
    balancer, near = config.load_balancer, [str(network) for network in dict.fromkeys(workers)]
    if not spec.services.load_balancer or balancer.provider not in get_args(Announcer) or balancer.addresses is None:
        return
    block = addresses(balancer.addresses)
    outside = [text for text in near if block[0] not in addresses(text) or block[-1] not in addresses(text)]
    if outside:
        what = f"{balancer.addresses} is not inside the workers' network {listed(outside)}"
        right = f"{balancer.provider} announces it by ARP from any worker: they must share a network that holds it"
        if len(near) > 1:
            right += ", or announce it by BGP"
        yield Problem(what, right, ("loadBalancer", "addresses"), source="target")


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
    for backend in _DESCRIBED:
        if backend in used and getattr(storage, backend) is None:
            yield Problem(f"backend {backend} is used but not described", f"add {backend}:", ("storage", backend))
    if storage.ceph is not None and storage.ceph.pool not in [p.name for p in spec.pools]:
        yield Problem(
            f"the spec has no pool {storage.ceph.pool!r}", "name one of its pools", ("storage", "ceph", "pool")
        )
