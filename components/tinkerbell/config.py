"""Config of a Tinkerbell target: the hosts of an inventory, how they are imaged, and what serves the spec there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

from components.decode import elsewhere
from components.networks import Address, Taken, server
from components.plan import ZONE, Ref
from components.problems import Fault, FieldPath, Problem, listed
from components.spec import CONTROL_PLANE, LabelKey, Model, Size, Spec
from components.target import MetalLoadBalancer, MetalStorage, TargetConfig, machine_problems
from components.tinkerbell.inventory import Hardware, Inventory, read_inventory
from components.wording import did_you_mean

KUBECONFIG = Ref("kubernetes:kubeconfig")
"""Of the cluster that runs Tinkerbell."""
BMC_USERNAME, BMC_PASSWORD = Ref("isostack:bmcUsername"), Ref("isostack:bmcPassword")
"""Of the BMCs that have none in the inventory."""
CLASS, POOL = "class", "pool"
"""Inventory labels: what a host is made of, and the one pool that it serves."""
MAX_WORKFLOW_NAME = 55
"""A Workflow's Job is named netboot-<workflow>, and the name is a label value of its Tasks, at most 63 characters
[seen] tinkerbell v0.25, rufio/internal/controller/job.go."""


def _inventory(given: object, info: ValidationInfo) -> Inventory:
    """Reads the file that is named, below the folder of the stack files: what comes after does no I/O."""
    if isinstance(given, Inventory):
        return given
    if not isinstance(given, str) or not given:
        raise Fault("not the name of an inventory file", "for example shop-inventory.csv")
    if PurePath(given).is_absolute() or ".." in PurePath(given).parts:
        raise Fault(f"{given!r} leaves the folder of the stack files", "put the inventory there and name it from there")
    with elsewhere():
        return read_inventory(_folder(info) / given)


def _folder(info: ValidationInfo) -> Path:
    """Without a folder there is no place to look in: not the one that happens to be the current one."""
    assert info.context is not None
    return Path(info.context["folder"])


InventoryFile = Annotated[
    Inventory,
    BeforeValidator(_inventory),
    PlainSerializer(lambda inventory: inventory.path, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["shop-inventory.csv"]}),
]
ClassName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/\"'{}\\]+(/[^\s\"'{}\\]*)?$")]
"""Without what would end a text in the Workflow's template."""


def _tootles(url: str) -> str:
    if not any(server(url, "", ())):
        right = "write its address, for example http://10.20.0.30:7080"
        raise Fault(f"{url!r} names no address, and what keeps pods from the keys in user data knows no names", right)
    return url


class Image(Model):
    """The disk image that a host gets: Ubuntu 24.04 with cloud-init, as a file on a web server."""

    url: Url = Field(
        description="URL of the image, without credentials: it shows in the Workflow.",
        examples=["http://10.20.0.30:8080/noble-server-cloudimg-amd64.img"],
    )
    format: Literal["qcow2", "raw"] = Field(
        "qcow2", description="qcow2: written by the action qemuimg2disk. raw, also compressed: by image2disk."
    )
    root_partition: int = Field(
        1, description="Number of the root partition in the image: 1 in Ubuntu's cloud images.", ge=1, le=128
    )

    @property
    def compressed(self) -> bool:
        """By the endings that image2disk knows [seen] tinkerbell/actions ae3e51d, image2disk/image/image.go."""
        return self.url.endswith((".gz", ".bz2", ".xz", ".zst", ".zs"))


class BgpPeer(Model):
    """A router that takes the API's address."""

    address: Address = Field(description="Address of the router.", examples=["10.20.40.2"])
    asn: int = Field(description="AS number of the router.", ge=1, le=2**32 - 1, examples=[65000])
    multihop: bool = Field(False, description="The router is more than one hop away.")


class Vip(Model):
    """How kube-vip announces the API's address."""

    mode: Literal["arp", "bgp"] = Field(
        "arp", description="arp: control-plane hosts share a subnet. bgp: they may stand in subnets of their own."
    )
    asn: int | None = Field(None, description="AS number of the nodes, for bgp.", ge=1, le=2**32 - 1)
    peers: tuple[BgpPeer, ...] = Field((), description="Routers that the nodes peer with, for bgp.")


class Config(TargetConfig):
    """Hosts of one's own, imaged by Tinkerbell. The inventory belongs to this stack alone."""

    settings = (KUBECONFIG, BMC_USERNAME, BMC_PASSWORD)
    kind: Literal["tinkerbell"] = Field("tinkerbell", description="Bare metal, imaged by Tinkerbell.")
    inventory: InventoryFile = Field(
        description="File of the hosts, below the folder of the stack files: the CSV of EKS Anywhere, or YAML with the "
        "same fields under hosts. BMC credentials that are not in it come from the secrets isostack:bmcUsername and "
        "isostack:bmcPassword; those that are in it can be read by all who can read the file."
    )
    classes: dict[ClassName, Size] = Field(
        description="What the hosts of each value of the inventory's label `class` are made of: hardware threads, "
        "memory, root disk. The inventory has no columns for it.",
        min_length=1,
        examples=[{"m32": {"cpus": 32, "memory": "128Gi", "disk": "960G"}}],
    )
    zone_label: LabelKey = Field(ZONE, description="Label of the inventory that names a host's zone of the spec.")
    assignments: dict[str, str] = Field(
        {},
        description="Host by machine: `isostack plan --pin` writes it. A pinned machine stays where it is whatever "
        "becomes of the pools and of the order of the inventory. A host under another name is imaged anew.",
    )
    namespace: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] = Field(
        "tinkerbell",
        description="Namespace of Tinkerbell's objects. It must exist. Objects that are there stay in theirs.",
    )
    bmc_protocol: Literal["redfish", "ipmi"] = Field(
        "redfish",
        description="By which hosts are powered off and on when their node is lost; ipmi: IPMI 2.0. Tinkerbell itself "
        "tries Redfish, then IPMI.",
    )
    image: Image = Field(description="What is written to the hosts' disks.")
    tootles: Annotated[Url, AfterValidator(_tootles)] = Field(
        description="URL of Tinkerbell's metadata service as the hosts reach it: port 7080, before v0.23 7172. Pods "
        "cannot reach that address, whatever else is served there.",
        examples=["http://10.20.0.30:7080"],
    )
    endpoint: Address = Field(description="Address of the Kubernetes API (kube-vip).", examples=["10.20.40.10"])
    vip: Vip = Field(Vip(), description="How the API's address is announced.")
    storage: MetalStorage = Field(MetalStorage(), description="Mechanism of the storage classes.")
    load_balancer: MetalLoadBalancer = Field(
        MetalLoadBalancer(), description="Mechanism of Services of type LoadBalancer."
    )

    @property
    def hosts(self) -> tuple[Hardware, ...]:
        return self.inventory.hosts

    def size(self, host: Hardware) -> Size:
        return self.classes[host.labels[CLASS]]

    def zone(self, host: Hardware) -> str:
        return host.labels[self.zone_label]

    def metadata_services(self) -> tuple[str, ...]:
        return tuple(taken.text for taken in server(self.tootles, "the metadata service", ("tootles",)))

    def networks(self) -> Iterator[Taken]:
        """Hosts before endpoint and services: one wrong range is one fault, whatever hosts it covers."""
        yield from _inventory_networks(self.inventory)
        yield from server(self.tootles, "the metadata service", ("tootles",))
        yield from server(self.image.url, "the server of the image", ("image", "url"))
        for i, peer in enumerate(self.vip.peers):
            yield Taken(peer.address, "the router of BGP", ("vip", "peers", i, "address"), "server")
        yield Taken(self.endpoint, "the endpoint", ("endpoint",))
        yield from super().networks()

    def problems(self, spec: Spec) -> Iterator[Problem]:
        yield from super().problems(spec)
        yield from _label_problems(self, spec)
        yield from _pin_problems(self, spec)
        yield from _name_problems(self)
        yield from _vip_problems(self.vip)
        if self.image.format == "qcow2" and self.image.compressed:
            yield Problem("qemuimg2disk reads no compressed file", "unpack it, or use a raw image", ("image", "url"))


def _inventory_networks(inventory: Inventory) -> Iterator[Taken]:
    """What hosts share, once, as the first of them says it; then what each has to itself."""
    file, hosts = inventory.path, inventory.hosts
    shared: dict[tuple[FieldPath, str], Taken] = {}
    for host in hosts:
        network, line = str(host.network), host.line
        found = (
            Taken(network, "the hosts' network", ("netmask",), "network", file, line),
            Taken(host.gateway, f"the gateway of {host.name}", ("gateway",), "server", file, line),
            *(Taken(each, "the name server", ("nameservers",), "server", file, line) for each in host.nameservers),
        )
        for taken in found:
            shared.setdefault((taken.path, taken.text), taken)
    yield from shared.values()
    for host in hosts:
        if host.bmc is not None:
            bmc = f"the BMC of {host.name}"
            yield Taken(host.bmc.address, bmc, ("bmc_ip",), "own", file, host.line, asked=False)
    for host in hosts:
        yield Taken(host.address, f"host {host.name}", ("ip_address",), "own", file, host.line)


def _label_problems(config: Config, spec: Spec) -> Iterator[Problem]:
    """Hosts that no machine can find, and what the config and the spec lack for them."""
    pools = (CONTROL_PLANE, *(pool.name for pool in spec.pools))
    known = {config.zone_label: spec.zones, POOL: pools}
    strangers: dict[str, list[str]] = {}
    for host in config.hosts:
        for label in (config.zone_label, CLASS):
            if label not in host.labels:
                yield config.inventory.problem(host, "labels", f"{host.name} has no label {label}", f"add {label}=...")
        for label, names in known.items():
            if (value := host.labels.get(label)) is not None and value not in names:
                near = did_you_mean(value, names)
                right = f"did you mean {near!r}?" if near else f"the spec has {', '.join(names)}"
                kind = "pool" if label == POOL else "zone"
                yield config.inventory.problem(host, "labels", f"the spec has no {kind} {value!r}", right)
        if (value := host.labels.get(CLASS)) is not None and value not in config.classes:
            strangers.setdefault(value, []).append(host.name)
    for value, carriers in strangers.items():
        what = f"class {value!r} of {len(carriers)} hosts of the inventory ({listed(carriers)}) is not described"
        yield Problem(what, f"add {value}: {{cpus: ..., memory: ..., disk: ...}}", ("classes",))
    for zone in spec.zones:
        if zone not in {host.labels.get(config.zone_label) for host in config.hosts}:
            what = f"no host stands in zone {zone!r} of the spec"
            yield Problem(what, f"label one with {config.zone_label}={zone}, or take the zone away", ("inventory",))


def _pin_problems(config: Config, spec: Spec) -> Iterator[Problem]:
    """Whether a pinned host fits its machine, the plan says."""
    yield from machine_problems(config.assignments, spec, "assignments")
    hosts = {host.name for host in config.hosts}
    seen: dict[str, str] = {}
    for machine, host in config.assignments.items():
        path = ("assignments", machine)
        if host not in hosts:
            # No near name here: another host may be in use, and the same one under another name is imaged over.
            right = "put its row back under this name; without the line the machine is made anew, empty, elsewhere"
            yield Problem(f"{config.inventory.path} has no host {host!r}", right, path)
        if host in seen:
            yield Problem(f"{host!r} is given to {seen[host]!r} already", "a host is one machine", path)
        seen.setdefault(host, machine)


def _name_problems(config: Config) -> Iterator[Problem]:
    for host in config.hosts:
        name = f"{host.name}-g{max(config.generations.values(), default=1)}"
        if (more := len(name) - MAX_WORKFLOW_NAME) > 0:
            what = f"Workflow {name} has {len(name)} characters, {MAX_WORKFLOW_NAME} fit"
            yield config.inventory.problem(host, "hostname", what, f"make the host's name shorter by {more}")


def _vip_problems(vip: Vip) -> Iterator[Problem]:
    if vip.mode == "bgp" and vip.asn is None:
        yield Problem("bgp needs the AS number of the nodes", "for example asn: 65010", ("vip", "asn"))
    if vip.mode == "bgp" and not vip.peers:
        yield Problem("bgp needs a router to peer with", "peers: [{address: 10.20.40.2, asn: 65000}]", ("vip", "peers"))
    if vip.mode == "arp" and (vip.asn is not None or vip.peers):
        yield Problem("arp has no AS number and no peers", "write mode: bgp, or take them away", ("vip", "mode"))
