"""The spec: what a cluster must be, whatever it runs on. Wishes only, never a mechanism."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints
from pydantic.alias_generators import to_camel

from components.networks import Network
from components.problems import Fault
from components.quantity import Bytes, Millicpus, Seconds, show_bytes

CONTROL_PLANE = "control-plane"
# The minors that kubeadm v1beta4 alone serves and that are in or near support:
# [documented] https://kubernetes.io/releases/version-skew-policy/ and kubeadm's API reference.
MINORS = range(34, 38)
MAX_NODES = 5000  # [documented] https://kubernetes.io/docs/setup/best-practices/cluster-large/
MAX_PODS = 110  # per node, kubelet default [documented] same page
MAX_NODE_NAME = 63
"""It is the value of the label kubernetes.io/hostname [documented]
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set"""


def _version(text: str) -> str:
    if int(text.split(".")[1]) not in MINORS:
        raise Fault(
            f"Kubernetes {text} is outside the minors that isostack builds",
            f"choose 1.{MINORS[0]}.x to 1.{MINORS[-1]}.x",
        )
    return text


def _label_key(text: str) -> str:
    prefix, _, name = text.rpartition("/")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", name) or (
        prefix and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", prefix)
    ):
        raise Fault(f"{text!r} is not a label key", "for example tier or example.com/tier")
    return text


def _ssh_key(text: str) -> str:
    if not re.fullmatch(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp[0-9]{3}|sk-\S+) [A-Za-z0-9+/=]{40,}( .*)?", text):
        raise Fault("not an OpenSSH public key", "paste one line of an id_ed25519.pub file")
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$")]
"""A DNS label of at most 30 characters: two of them leave room for an index in the name of a node."""
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
LabelKey = Annotated[str, AfterValidator(_label_key)]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")]
Count = Annotated[int, Strict()]
"""A whole number: neither 3.0 nor true."""
Flag = Annotated[bool, Strict()]
"""true or false, and no other word for them."""


class Model(BaseModel):
    """Base of every spec and config model: frozen, closed, camelCase in YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, allow_inf_nan=False)


class Size(Model):
    """What one node offers to Kubernetes."""

    cpus: Count = Field(description="Logical CPUs of a node.", ge=1, le=1024, examples=[4])
    memory: Bytes = Field(description="Memory of a node.", ge=2 * 1024**3, examples=["16Gi"])
    disk: Bytes = Field(description="Root disk of a node.", ge=20 * 1024**3, examples=["80Gi"])

    def covers(self, other: Size) -> bool:
        return self.cpus >= other.cpus and self.memory >= other.memory and self.disk >= other.disk

    def __str__(self) -> str:
        return f"{self.cpus} CPU, {show_bytes(self.memory)}, {show_bytes(self.disk)} disk"


class Upgrades(Model):
    """Running nodes follow the Kubernetes release of the spec, drained one after the other."""

    concurrency: Count = Field(
        1, description="Workers upgraded at once, once the control plane is; its nodes go one at a time.", ge=1, le=100
    )


class Kubernetes(Model):
    """The Kubernetes release and its cluster networks."""

    version: Annotated[str, StringConstraints(pattern=r"^1\.[0-9]{1,3}\.[0-9]{1,3}$"), AfterValidator(_version)] = (
        Field(description="Kubernetes release, major.minor.patch.", examples=["1.36.3"])
    )
    upgrades: Upgrades | None = Field(
        None,
        description="Running nodes follow the release, a minor at a time; none: it counts at a node's birth alone.",
    )
    cni: Literal["cilium"] = Field("cilium", description="Network plugin.")
    pod_cidr: Network = Field("10.244.0.0/16", description="Network of the pods; one /24 a node.")
    service_cidr: Network = Field("10.96.0.0/16", description="Network of the services.")


class ControlPlane(Model):
    """The nodes that run the API server and etcd."""

    nodes: Count = Field(description="Number of nodes: odd, since etcd needs a majority.", ge=1, le=7, examples=[3])
    size: Size = Field(description="Size of each node.")


class Taint(Model):
    """A taint that every node of a pool is born with."""

    key: LabelKey = Field(description="Taint key.", examples=["dedicated"])
    value: LabelValue = Field("", description="Taint value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(
        "NoSchedule", description="What happens to pods that do not tolerate the taint."
    )


class Pool(Model):
    """A group of equal worker nodes."""

    name: Name = Field(description="Name of the pool; part of its nodes' names.", examples=["web"])
    nodes: Count = Field(description="Number of nodes.", ge=1, le=MAX_NODES, examples=[3])
    size: Size = Field(description="Size of each node.")
    tenant: Name | None = Field(None, description="The one tenant whose pods may run here; none: shared by all.")
    zones: tuple[Name, ...] = Field(
        (), description="Zones to spread over, node by node; empty: all of the cluster. They count at a node's birth."
    )
    labels: dict[LabelKey, LabelValue] = Field({}, description="Labels of every node.")
    taints: tuple[Taint, ...] = Field((), description="Taints of every node.")


class Quota(Model):
    """What all pods of a tenant may ask of the scheduler together."""

    cpu: Millicpus = Field(description="Sum of their CPU requests.", ge=100, examples=["12"])
    memory: Bytes = Field(description="Sum of their memory requests.", ge=128 * 1024**2, examples=["48Gi"])


class Tenant(Model):
    """Somebody whose pods run in the cluster."""

    name: Name = Field(description="Name of the tenant; its namespace has the same name.", examples=["shop"])
    trust: Literal["internal", "external"] = Field(
        description="internal: own staff. external: code that must be expected to be hostile.", examples=["internal"]
    )
    sandbox: Flag = Field(False, description="Each of its pods runs on a kernel of its own, in pools of its own.")
    quota: Quota | None = Field(None, description="What its pods may ask together; none: what its nodes have.")


class Oidc(Model):
    """Log-in of people through an OpenID Connect provider."""

    issuer: Annotated[str, StringConstraints(pattern=r"^https://\S+$")] = Field(
        description="Issuer URL.", examples=["https://login.example.com"]
    )
    client_id: str = Field(description="Client id, the audience of the tokens.", min_length=1, examples=["kubernetes"])
    username_claim: str = Field("email", description="Claim that names the user.", min_length=1)
    groups_claim: str = Field("groups", description="Claim that lists the user's groups.", min_length=1)


class Access(Model):
    """Who gets in, and what is written down about it."""

    admins: tuple[Annotated[str, AfterValidator(_ssh_key)], ...] = Field(
        description="SSH public keys of those who may log in to the nodes.",
        min_length=1,
        examples=[
            ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleExam admin@example.com"]
        ],
    )
    oidc: Oidc | None = Field(None, description="OpenID Connect log-in; none: certificates only.")
    audit: Literal["none", "metadata", "request"] = Field(
        "metadata", description="What the API server writes to its audit log."
    )
    encrypt_secrets: Flag = Field(True, description="Encrypt Secrets in etcd.")


class StorageClass(Model):
    """A storage class and what it must offer."""

    name: Name = Field(description="Name of the StorageClass.", examples=["fast"])
    default: Flag = Field(False, description="Used by claims that name no class.")
    snapshots: Flag = Field(False, description="Volumes can be snapshotted.")
    expansion: Flag = Field(True, description="Volumes can grow.")
    access_modes: tuple[Literal["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"], ...] = Field(
        ("ReadWriteOnce",), description="Access modes that volumes must offer.", min_length=1
    )


class Storage(Model):
    """Persistent volumes."""

    classes: tuple[StorageClass, ...] = Field((), description="Storage classes of the cluster.")


class Services(Model):
    """How services are reached from outside."""

    load_balancer: Flag = Field(True, description="Services of type LoadBalancer get an address.")


class EtcdBackup(Model):
    """Snapshots of etcd, taken inside the cluster and kept outside it."""

    every: Seconds = Field(description="Time between two snapshots.", examples=["6h"])
    keep: Count = Field(28, description="Number of snapshots kept.", ge=1, le=10_000)
    to: Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?$")] = Field(
        description="Bucket and path that take the snapshots.", examples=["s3://example-backup/shop"]
    )


class VolumeBackup(Model):
    """Copies of volumes and API objects outside the cluster."""

    every: Seconds = Field(description="Time between two backups.", examples=["24h"])
    keep: Count = Field(14, description="Number of backups kept.", ge=1, le=10_000)
    to: Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?$")] = Field(
        description="Bucket and path that take the backups.", examples=["s3://example-backup/shop"]
    )


class Backup(Model):
    """What is copied away, and how often."""

    etcd: EtcdBackup | None = Field(None, description="etcd snapshots; none: the API objects have no backup.")
    volumes: VolumeBackup | None = Field(None, description="Volume backups; none: volumes have no backup.")


class Monitoring(Model):
    """What is measured."""

    node_metrics: Flag = Field(True, description="Metrics of every node and its pods.")


class Reboots(Model):
    """When nodes may restart that ask for it, as their system does after an update of its kernel."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        description="Days of the week, in UTC.", min_length=1, examples=[["sat", "sun"]]
    )
    start: TimeOfDay = Field(description="Time of day from which nodes restart, in UTC.", examples=["02:00"])
    end: TimeOfDay = Field(
        description="Time of day after which none begins to, in UTC; later than start.", examples=["05:00"]
    )


class Availability(Model):
    """What happens when a node goes away, planned or not."""

    evict_after: Seconds = Field(
        300, description="Time until pods of an unreachable node are evicted.", examples=["300s"]
    )
    surge: Count = Field(1, description="Extra nodes of a pool that an upgrade may use at a time.", ge=0, le=10)
    remediation: Flag = Field(False, description="Broken nodes are fenced and brought back without a person.")
    reboots: Reboots | None = Field(None, description="Restarts for updates, a drained node at a time; none: by hand.")
    rebalance: Flag = Field(
        False, description="Pods on nodes that are asked for much more than others are evicted, to be placed anew."
    )


class Requests(Model):
    """What each replica asks of the scheduler."""

    cpu: Millicpus = Field(description="CPU request of one replica.", examples=["500m"])
    memory: Bytes = Field(description="Memory request of one replica.", examples=["1Gi"])


class Workload(Model):
    """A workload, for sizing and for what the targets mean to it."""

    name: Name = Field(description="Name of the workload.", examples=["checkout"])
    pool: Name = Field(description="Pool that runs it.", examples=["web"])
    replicas: Count = Field(description="Number of replicas.", ge=1, le=150_000, examples=[3])
    requests: Requests = Field(description="Requests of one replica.")
    state: Literal["none", "volume", "replicated"] = Field(
        "none",
        description="none: stateless. volume: one copy of its data on a volume. replicated: it copies its own data.",
    )


class Spec(Model):
    """One cluster, whatever it runs on."""

    name: Name = Field(description="Name of the cluster; part of every machine's name.", examples=["shop"])
    kubernetes: Kubernetes = Field(description="Kubernetes release and networks.")
    zones: tuple[Name, ...] = Field(
        description="Failure domains, for example racks or rooms; what each is, the target says. Nodes take them in "
        "turn: a zone added to a running cluster belongs into the zones of new pools only.",
        min_length=1,
        max_length=26,
        examples=[["a"]],
    )
    control_plane: ControlPlane = Field(description="The control plane.")
    pools: tuple[Pool, ...] = Field(description="The worker pools.", min_length=1)
    tenants: tuple[Tenant, ...] = Field((), description="Tenants; none: the cluster has one owner.")
    access: Access = Field(description="Who gets in.")
    storage: Storage = Field(Storage(), description="Storage classes and what each must offer.")
    services: Services = Field(Services(), description="Access from outside.")
    backup: Backup = Field(Backup(), description="What is copied away.")
    monitoring: Monitoring = Field(Monitoring(), description="Metrics that are collected.")
    availability: Availability = Field(Availability(), description="When a node goes away.")
    workloads: tuple[Workload, ...] = Field((), description="Workloads, for sizing and trade-offs.")

    def pool(self, name: str) -> Pool:
        return next(pool for pool in self.pools if pool.name == name)

    def sandboxed(self, tenant: str | None) -> bool:
        return any(each.sandbox for each in self.tenants if each.name == tenant)

    def zones_of(self, pool: str) -> tuple[str, ...]:
        """The zones that a pool, or the control plane, spreads over."""
        return self.zones if pool == CONTROL_PLANE else self.pool(pool).zones or self.zones
