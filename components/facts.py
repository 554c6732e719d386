"""What the neutral components say of themselves: the facts that previews, policies and comparisons read.

A component registers its facts as the input and the output `facts`, so that any engine, any preview and any
policy pack sees them. They hold no secrets and nothing unknown. In each, `wanted` is what the spec asks and must be
equal on every target; the rest is what this target makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import ConfigDict, Field

from components.quantity import Bytes
from components.spec import Model, Size, Spec, Taint
from components.waivers import AS_DECLARED, PolicySettings

FACTS_VERSION: Final = 1
CLUSTER, SITE, MACHINE, PKI, ADDON = (
    f"isostack:index:{kind}" for kind in ("Cluster", "Site", "Machine", "Pki", "Addon")
)
"""Type tokens of the neutral components."""


class Part(Model):
    """Base of facts and their parts: the program builds them by field name, readers find them in camelCase."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class Facts(Part):
    """Base of all facts."""

    def props(self) -> dict[str, Any]:
        """The facts as component properties: plain JSON values under one key."""
        return {"facts": self.model_dump(mode="json", by_alias=True)}

    @classmethod
    def of(cls, props: Any) -> Self:
        """The facts among a component's properties.

        Raises KeyError when the component carries none, pydantic.ValidationError when they are of another version.
        """
        return cls.model_validate(props["facts"])


class Realisation(Part):
    """How one wish of the spec comes true on a target."""

    field: str = Field(description="Field of the spec; items of lists by their name: pools.web.size.cpus.")
    grade: Literal["equal", "degraded", "impossible"] = Field(description="How much of the wish comes true.")
    mechanism: str = Field(description="What makes it true.")
    reason: str = Field("", description="Why it is not equal, or what else the reader should know.")


class Host(Part):
    """A physical host that the site knows."""

    name: str = Field(description="Name in vSphere or in the inventory.")
    zone: str = Field(description="Zone of the spec.")
    cpus: int = Field(description="Logical CPUs (hardware threads).")
    memory: Bytes = Field(description="Memory.")
    usable_cpus: int = Field(description="Logical CPUs left to machines: all, less what a hypervisor keeps.")
    usable_memory: Bytes = Field(description="Memory left to machines, likewise.")


class Balancing(Part):
    """Who moves machines between hosts under load."""

    workers: Literal["fullyAutomated", "partiallyAutomated", "manual", "disabled"] = Field(description="For workers.")
    control_plane: Literal["fullyAutomated", "partiallyAutomated", "manual", "disabled"] = Field(
        description="For control-plane nodes."
    )


class SiteFacts(Facts):
    """What a site is, in words that hold for VMs and for metal."""

    version: Literal[1] = FACTS_VERSION
    name: str = Field(description="Name of the site.")
    kind: str = Field(description="Kind of the target, for people; no rule may ask for it.")
    machine: Literal["vm", "host"] = Field(description="What a machine is: a VM on a shared host, or a whole host.")
    hosts: tuple[Host, ...] = Field((), description="Hosts known beforehand; empty where the provider chooses.")
    reserve_hosts: int = Field(description="Hosts whose loss the site is sized for.")
    cpu_overcommit: float = Field(1.0, description="Virtual CPUs that machines may have on a thread of their hosts.")
    spare_hosts: int = Field(description="Hosts that stand idle, ready to replace another.")
    balancing: Balancing | None = Field(description="Load balancing of machines between hosts; none: there is none.")
    restarts_machines: bool = Field(description="Machines of a lost host start again on another.")
    power_control: bool = Field(description="Every machine can be powered off from outside (hypervisor or BMC).")
    machine_snapshots: bool = Field(description="The platform can snapshot and revert a whole machine.")
    networks: tuple[str, ...] = Field((), description="IPv4 networks of the nodes that are known beforehand.")
    controllers: tuple[str, ...] = Field(
        (), description="IPv4 addresses of what controls the machines from outside: vCenter, BMCs. Not those of names."
    )
    service_ended: str = Field("", description="ISO date on which the provider ended its service; empty: it runs.")


class Wanted(Part):
    """What the spec asks of one machine: equal on every target."""

    cluster: str = Field(description="Name of the cluster.")
    name: str = Field(description="Name of the machine and of its node: <cluster>-<pool>-<index>.")
    role: Literal["control-plane", "worker"] = Field(description="Role in the cluster.")
    pool: str = Field(description="Pool, or control-plane.")
    index: int = Field(description="Place in the pool, from 0.")
    zone: str = Field(description="Zone of the spec.")
    tenant: str | None = Field(description="The one tenant whose pods may run here.")
    size: Size = Field(description="Size asked for.")
    labels: dict[str, str] = Field(description="Node labels.")
    taints: tuple[Taint, ...] = Field(description="Node taints.")


class Place(Part):
    """Where a machine stands on its target and what it really has."""

    site: str = Field("main", description="Name of the site.")
    host: str | None = Field(description="Host chosen; none: the provider chooses.")
    host_class: str = Field(description="What it is made of: vm, an Equinix plan, a class of the inventory.")
    size: Size = Field(description="Size it really has.")
    address: str | None = Field(description="IPv4 address of the node; none: assigned at creation.")
    generation: int = Field(1, description="Raised to re-image the machine.")


class UserData(Part):
    """Digests of a machine's user data, rendered with placeholders for secrets."""

    digest: str = Field(description="SHA-256 of the whole text with this target's own values.")
    carried: str = Field(description="SHA-256 of what comes out of the raw resource's input again: the same.")
    files: dict[str, str] = Field(
        description="SHA-256 (first 12 hex digits) of each file with marks for what targets may differ in."
    )


class MachineFacts(Facts):
    """One machine of the plan."""

    version: Literal[1] = FACTS_VERSION
    wanted: Wanted = Field(description="What the spec asks.")
    place: Place = Field(description="What the target makes of it.")
    user_data: UserData = Field(description="Its user data.")


class ClusterFacts(Facts):
    """The cluster: its spec and how each wish comes true here."""

    version: Literal[1] = FACTS_VERSION
    wanted: Spec = Field(description="The spec.")
    target: str = Field(description="Kind of the target.")
    realisations: tuple[Realisation, ...] = Field(description="One for every leaf field of the spec.")
    endpoint: str | None = Field(description="Address of the API; none: assigned at creation.")
    reasons: tuple[str, ...] = Field((), description="Why so many machines and hosts, a sentence each.")
    policies: PolicySettings = Field(AS_DECLARED, description="How the stack's config has it judged.")
    config: dict[str, Any] = Field(
        {},
        description="The target's config, without what is empty; and the stack's other keys, by their names, that are "
        "no secrets.",
    )
    hidden: dict[str, str] = Field(
        {}, description="What of `config` nothing else shows, and what a change of it means."
    )


class PkiFacts(Facts):
    """The keys and certificates that are made once and kept."""

    version: Literal[1] = FACTS_VERSION
    wanted: dict[str, str] = Field(description="What is made, by name: algorithm and lifetime.")


class AddonFacts(Facts):
    """One add-on inside the cluster."""

    version: Literal[1] = FACTS_VERSION
    name: str = Field(description="Name of the add-on.")
    common: bool = Field(description="Every target has it; otherwise it is this target's mechanism for what it serves.")
    serves: tuple[str, ...] = Field(description="Fields of the spec that it makes true.")
    mechanism: tuple[str, ...] = Field(
        (), description="Paths inside its objects that a target may choose: <kind>/<object name>:<dotted path>."
    )


KINDS: Final[Mapping[str, type[Facts]]] = {
    CLUSTER: ClusterFacts,
    SITE: SiteFacts,
    MACHINE: MachineFacts,
    PKI: PkiFacts,
    ADDON: AddonFacts,
}
"""The facts of each neutral component, by its type token."""
