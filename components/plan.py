"""The plan: every machine named, sized and placed, and how each wish of the spec comes true. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from components.facts import Place, Realisation, SiteFacts, Wanted
from components.problems import listed
from components.spec import Spec
from components.waivers import AS_DECLARED, PolicySettings

API_PORT = 6443
POOL, TENANT = "isostack.io/pool", "isostack.io/tenant"
"""Node labels; TENANT is also the taint of a tenant's own pools."""
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
"""Label and taint of control-plane nodes [documented] https://kubernetes.io/docs/reference/labels-annotations-taints/"""
RELEASE = "isostack.io/kubernetes"
"""Node label of the Kubernetes release that a node was born with or upgraded to; what is no node's yet is upgraded."""
ZONE = "topology.kubernetes.io/zone"
"""Node label of the zone [documented] https://kubernetes.io/docs/reference/labels-annotations-taints/"""


@dataclass(frozen=True, slots=True)
class NodePlatform:
    """All that a node's user data may differ in between targets, but for what its place has and for values known only
    at creation."""

    cloud_provider: bool
    """A cloud controller manager initialises the node; otherwise the kubelet names its own provider id."""
    provider_id: str
    """Provider id that the kubelet registers; empty where the cloud controller manager sets it."""
    vip_mode: str
    """How kube-vip announces the API address: `arp` or `bgp`."""
    vip_interface: str
    """Interface that carries the API address; empty: that of the default route, or with BGP the loopback."""
    bgp_peers: str = ""
    """kube-vip's peer list, `address:AS:password:multihop`; empty with ARP, and where `script` finds it."""
    bgp_as: int = 0
    """The node's own AS number in BGP mode."""
    script: str = ""
    """Bash that control-plane nodes run once they know their address, for what only the running machine can find out:
    it may set BGP_PEERS, BGP_AS and BGP_SOURCE, and call the functions of bootstrap.sh."""


@dataclass(frozen=True, slots=True)
class Outside:
    """How machines reach the world outside: what their place has, whatever the target."""

    mirrors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By registry, the URLs of its mirrors in the order in which they are asked, and then the registry itself."""
    authority: str = ""
    """PEM of the CA that mirrors have beside those that the world knows."""
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: tuple[str, ...] = ()
    """What is reached without a proxy, beside the cluster's own."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A value known only at creation: `endpoint`, a machine's id, a name that the site knows, or a key of the Pulumi
    config such as `vsphere:password`."""

    name: str
    secret: bool = True
    """Of a key of the config: its value must be encrypted."""

    @property
    def is_config(self) -> bool:
        return ":" in self.name

    @classmethod
    def to_machine(cls, name: str) -> Ref:
        """Its id at the platform."""
        return cls(f"machine/{name}", secret=False)


@dataclass(frozen=True, slots=True)
class Template:
    """Text with `{name}` fields that are filled at creation."""

    text: str
    refs: Mapping[str, Ref]


@dataclass(frozen=True, slots=True)
class Pem:
    """Half of a key pair whose certificate signs itself, made at creation: for a server that starts with none, and that
    nobody calls."""

    name: str
    part: Literal["key", "certificate"]


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release."""

    name: str
    namespace: str
    chart: str
    version: str
    repo: str
    """URL of the repository; empty where `chart` is an OCI reference."""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A Kubernetes object; `body` is everything below apiVersion, kind and metadata name and namespace."""

    api_version: str
    kind: str
    name: str
    body: Mapping[str, Any]
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Addon:
    """What is installed inside the cluster for one purpose. Values may hold Ref, Template, Pem and SecretStr."""

    name: str
    serves: tuple[str, ...]
    """Fields of the spec, as patterns: `storage.classes.*.snapshots`."""
    objects: tuple[Release | Manifest, ...]
    common: bool = True
    """Every target has it, with the same objects but for `mechanism`; otherwise it is this target's own mechanism."""
    mechanism: tuple[str, ...] = ()
    """Paths that a target may choose: `<kind>/<object name>:<dotted path>`."""
    after: tuple[str, ...] = ()
    """Add-ons that must be there before."""


@dataclass(frozen=True, slots=True)
class MachinePlan:
    """One machine: what the spec asks of it and where it stands."""

    wanted: Wanted
    place: Place
    platform: NodePlatform

    @property
    def name(self) -> str:
        return self.wanted.name


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a target answers when asked to place machines: one place and platform for each, in order."""

    places: tuple[Place, ...]
    platforms: tuple[NodePlatform, ...]
    endpoint: str | None
    """Address of the API; None: assigned at creation."""
    site: SiteFacts
    reasons: tuple[str, ...] = ()
    """Why so many machines or hosts, one sentence each: capacity, reserve, what was over-provided."""
    unpinned: tuple[str, ...] = ()
    """Machines that nothing holds on their hosts: another plan may put them on others, so an `up` is refused."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one stack will be."""

    spec: Spec
    target: Any
    """The target's config; only the target's own folder looks inside."""
    machines: tuple[MachinePlan, ...]
    endpoint: str | None
    realisations: tuple[Realisation, ...]
    sites: tuple[SiteFacts, ...]
    addons: tuple[Addon, ...]
    reasons: tuple[str, ...]
    unpinned: tuple[str, ...] = ()
    outside: Outside = Outside()
    policies: PolicySettings = AS_DECLARED
    """How the stack's config has it judged."""

    @property
    def kind(self) -> str:
        return str(self.target.kind)

    @property
    def settings(self) -> dict[str, Any]:
        """The target's config as it is written, with defaults and without what is empty."""
        return dict(self.target.model_dump(mode="json", by_alias=True, exclude_none=True))

    @property
    def loose(self) -> str:
        """The machines that are not pinned, in words; empty: there are none."""
        if not self.unpinned:
            return ""
        are = "is not pinned to its host" if len(self.unpinned) == 1 else "are not pinned to their hosts"
        return f"{len(self.unpinned)} of {len(self.machines)} machines {are} ({listed(self.unpinned)})"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf field of a spec: its path by names, the pattern that all such leaves share, its value, its holder."""

    path: str
    pattern: str
    value: Any
    holders: tuple[BaseModel, ...]
    """The models on the way to the leaf, outermost first: (spec, pool, size) for pools.web.size.cpus."""


Rule = Callable[[Leaf], Realisation]
"""How a field comes true, for one leaf."""


def equal(mechanism: str, reason: str = "") -> Rule:
    """The rule of a field that comes true in the same way whatever its value."""
    return lambda leaf: Realisation(field=leaf.path, grade="equal", mechanism=mechanism, reason=reason)


def degraded(mechanism: str, reason: str) -> Rule:
    """The rule of a field that comes true in part, whatever its value."""
    return lambda leaf: Realisation(field=leaf.path, grade="degraded", mechanism=mechanism, reason=reason)


def if_asked(rule: Rule) -> Rule:
    """The rule where the wish is made; one that is not, comes true anywhere."""
    return lambda leaf: rule(leaf) if leaf.value else equal("none asked")(leaf)


class Planner(Protocol):
    """What `components/<target>/plan.py` holds. Both functions are pure; impossible demands raise InvalidInput."""

    def assign(self, spec: Spec, config: Any, wanted: Sequence[Wanted]) -> Assignment:
        """Place every machine. A machine stays where it is when its pool grows."""

    def rules(self, spec: Spec, config: Any, assignment: Assignment) -> Mapping[str, Rule]:
        """How each field that the target decides comes true, by pattern; see components.realise."""
