"""Config of a vSphere target: where the VMs run, and the mechanisms that serve the spec's wishes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from components.networks import Address, AddressRange, Taken, addresses, ordinary, server
from components.plan import Ref
from components.problems import Fault, Problem
from components.quantity import Bytes
from components.spec import CONTROL_PLANE, Count, Flag, Model, Name, Spec
from components.target import Announcer, Level, LoadBalancerConfig, StorageConfig, TargetConfig, arp_problems


def _gateway(text: str) -> str:
    try:
        interface = IPv4Interface(text)
    except ValueError:
        raise Fault(f"{text!r} is not an address with prefix", "for example 10.20.40.1/23") from None
    if interface.network.prefixlen > 30 or interface.ip in (
        interface.network.network_address,
        interface.network.broadcast_address,
    ):
        raise Fault(f"{text!r} is no host address of a network", "for example 10.20.40.1/23")
    ordinary(str(interface.network))
    return text


def _named(text: str) -> str:
    if text != text.strip() or not text.isprintable():
        raise Fault(f"{text!r} is no name", "write it as vCenter shows it, without blanks around it")
    return text


Named = Annotated[str, StringConstraints(min_length=1), AfterValidator(_named)]
"""The name of something in vCenter."""


class Host(Model):
    """An ESXi host of the compute cluster."""

    name: Named = Field(description="Name in vCenter.", examples=["esx01.example.com"])
    zone: Name = Field(description="Zone of the spec that the host stands in.", examples=["a"])
    cpus: Count = Field(description="Logical CPUs: hardware threads.", ge=1, le=4096, examples=[64])
    memory: Bytes = Field(description="Memory.", ge=1024**3, examples=["512Gi"])


class Network(Model):
    """The port group of the nodes. Addresses are static: a node keeps its own for life."""

    name: Named = Field(description="Name of the port group.", examples=["k8s-nodes"])
    gateway: Annotated[str, AfterValidator(_gateway)] = Field(
        description="Address and prefix length of the gateway.", examples=["10.20.40.1/23"]
    )
    dns: tuple[Address, ...] = Field(description="Name servers.", min_length=1, examples=[["10.20.0.53"]])
    addresses: dict[Name, AddressRange] = Field(
        description="Address range of the control plane (control-plane) and of each pool, by name.",
        examples=[{"control-plane": "10.20.40.11-10.20.40.13"}],
    )

    @property
    def prefix(self) -> int:
        return IPv4Interface(self.gateway).network.prefixlen

    @property
    def network(self) -> IPv4Network:
        return IPv4Interface(self.gateway).network


class Drs(Model):
    """Distributed Resource Scheduler: who moves VMs between hosts under load."""

    workers: Level = Field("fullyAutomated", description="Automation level of worker VMs.")
    control_plane: Level = Field(
        "manual",
        description="Automation level of control-plane VMs. Sources disagree whether etcd bears being moved: an input.",
    )


class Ha(Model):
    """vSphere HA of the compute cluster: restarts VMs of a lost host."""

    enabled: Flag = Field(True, description="HA is on for the compute cluster.")
    host_failures: Count = Field(1, description="Host losses whose capacity is kept free.", ge=0, le=8)


class Storage(StorageConfig):
    """Backends that VMs can have."""

    backend: Literal["vsphere-csi", "ceph", "nfs", "powerflex"] = Field(
        "vsphere-csi", description="Backend of every class not named in `classes`."
    )
    classes: dict[Name, Literal["vsphere-csi", "ceph", "nfs", "powerflex"]] = Field(
        {}, description="Backend by storage class, where it is not `backend`."
    )


class LoadBalancer(LoadBalancerConfig):
    """Load balancers that a vSphere network can have."""

    provider: Literal[Announcer, "nsx", "none"] = Field("kube-vip", description="Add-on that serves them.")


LOOKED_UP: Final = "looked up by its name: what becomes of what is there, the provider decides by what it finds"
LOOKED_UP_AT_BIRTH: Final = "looked up by its name: what it finds counts at the next birth of machines"
MADE_WITH: Final = "in what machines are made with: counts at the next birth"


class Config(TargetConfig):
    """A compute cluster in vCenter."""

    settings = (Ref("vsphere:vsphereServer", secret=False), Ref("vsphere:user"), Ref("vsphere:password"))
    hidden: ClassVar[Mapping[str, str]] = {
        "datacenter": LOOKED_UP,
        "cluster": LOOKED_UP,
        "network.name": LOOKED_UP,
        **dict.fromkeys(("datastore", "storagePolicy", "template"), LOOKED_UP_AT_BIRTH),
        # In guestinfo.metadata, a secret as a whole: raw.py.
        **dict.fromkeys(("network.gateway", "network.dns"), MADE_WITH),
        "vsphere:vsphereServer": "the provider looks there for all that is: nothing here knows what it finds",
    }
    kind: Literal["vsphere"] = Field("vsphere", description="VMs on vSphere.")
    vcenter: Named = Field(
        description="Address of vCenter as the cluster's own add-ons reach it; an IP needs no DNS in the cluster.",
        min_length=1,
        examples=["10.20.0.10"],
    )
    datacenter: Named = Field(description="Datacenter.", examples=["fra1"])
    cluster: Named = Field(description="Compute cluster.", examples=["k8s"])
    datastore: Named = Field(description="Datastore of the VMs' disks.", examples=["vsan-k8s"])
    storage_policy: Named | None = Field(
        None, description="Storage policy of the VMs' disks; none: the datastore's own."
    )
    template: Named = Field(
        description="VM template with cloud-init's VMware datasource, open-vm-tools and hardware version 20 or later.",
        min_length=1,
        examples=["ubuntu-2404-k8s"],
    )
    hosts: tuple[Host, ...] = Field(description="The cluster's hosts.", min_length=1)
    network: Network = Field(description="Network of the nodes.")
    endpoint: Address = Field(description="Address of the Kubernetes API (kube-vip, ARP).", examples=["10.20.40.10"])
    drs: Drs = Field(Drs(), description="Load balancing of VMs between hosts.")
    ha: Ha = Field(Ha(), description="Restart of VMs after the loss of a host.")
    cpu_overcommit: float = Field(
        1.0,
        description="Virtual CPUs per hardware thread that the plan allows. 1.0 compares fairly with metal.",
        ge=0.1,
        le=16,
    )
    storage: Storage = Field(Storage(), description="Mechanism of the storage classes.")
    load_balancer: LoadBalancer = Field(LoadBalancer(), description="Mechanism of Services of type LoadBalancer.")

    def networks(self) -> Iterator[Taken]:
        net = self.network
        yield Taken(str(net.network), "the nodes' network", ("network", "gateway"), "network")
        yield Taken(str(IPv4Interface(net.gateway).ip), "the gateway", ("network", "gateway"), "server")
        for i, address in enumerate(net.dns):
            yield Taken(address, "the name server", ("network", "dns", i), "server")
        yield from server(self.vcenter, "vCenter", ("vcenter",))
        yield Taken(self.endpoint, "the endpoint", ("endpoint",))
        yield from super().networks()
        for name, text in net.addresses.items():
            yield Taken(text, f"the range of {name}", ("network", "addresses", name))

    def metadata_services(self) -> tuple[str, ...]:
        """None: guestinfo comes from the hypervisor. There any process of a machine may ask for it [seen]
        github.com/coreos/ignition issue 1300, so cloud-init takes it away once it is read: `redact` in raw.py."""
        return ()

    def problems(self, spec: Spec) -> Iterator[Problem]:
        yield from super().problems(spec)
        yield from _host_problems(self, spec)
        yield from _range_problems(self, spec)
        yield from arp_problems(self, spec, [self.network.network])


def _host_problems(config: Config, spec: Spec) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for i, host in enumerate(config.hosts):
        if host.name in seen:
            yield Problem(f"{host.name!r} stands twice", f"first at hosts[{seen[host.name]}]", ("hosts", i, "name"))
        seen.setdefault(host.name, i)
        if host.zone not in spec.zones:
            zones = ", ".join(spec.zones)
            yield Problem(f"the spec has no zone {host.zone!r}", f"its zones: {zones}", ("hosts", i, "zone"))
    for zone in spec.zones:
        if zone not in {host.zone for host in config.hosts}:
            yield Problem(f"no host stands in zone {zone!r} of the spec", "add one, or take the zone away", ("hosts",))


def _range_problems(config: Config, spec: Spec) -> Iterator[Problem]:
    """Whether the ranges hold the nodes; that no two overlap is said by `networks`."""
    network, ranges = config.network.network, config.network.addresses
    needed = {CONTROL_PLANE: spec.control_plane.nodes} | {pool.name: pool.nodes for pool in spec.pools}
    if IPv4Address(config.endpoint) not in network:
        yield Problem(
            f"{config.endpoint} is not in the nodes' network {network}", "kube-vip announces it by ARP", ("endpoint",)
        )
    for name, count in needed.items():
        if name not in ranges:
            yield Problem(f"no address range for {name!r}", f"add one of at least {count}", ("network", "addresses"))
    for name, text in ranges.items():
        path = ("network", "addresses", name)
        block = addresses(text)
        if name not in needed:
            yield Problem(f"the spec has no pool {name!r}", f"pools: {', '.join(needed)}", path)
        elif len(block) < needed[name]:
            yield Problem(
                f"{text} holds {len(block)} addresses, {name} has {needed[name]} nodes",
                f"end it at {IPv4Address(block[0] + needed[name] - 1)} or later",
                path,
            )
        if IPv4Address(block[0]) not in network or IPv4Address(block[-1]) not in network:
            yield Problem(f"{text} leaves the nodes' network {network}", "stay inside it", path)
