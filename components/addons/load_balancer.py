"""Load balancers of Services: which there are, and what they make of the wish. A target's own add-ons call in here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.addons import avi, kube_vip, metallb
from components.addons.announcement import Bgp
from components.facts import Realisation
from components.plan import Addon, Leaf, Rule, if_asked
from components.spec import Spec

NONE = "none"


@dataclass(frozen=True, slots=True)
class Provider:
    """A load balancer that a target config may name."""

    mechanism: str
    addons: Callable[[Spec, Any, Bgp | None], Iterator[Addon]]
    allocates: bool = False
    """It has addresses of its own; otherwise they come from `loadBalancer.addresses` or from the cloud provider."""


PROVIDERS: Mapping[str, Provider] = {
    "kube-vip": Provider("kube-vip on the workers", kube_vip.addons),
    "metallb": Provider("MetalLB on the workers", metallb.addons),
    "nsx": Provider("Avi Load Balancer through its operator", avi.addons, allocates=True),
}


def addons(spec: Spec, target: Any, *, bgp: Bgp | None = None, allocator: str = "") -> Iterator[Addon]:
    """`allocator` names what gives addresses where the config lists none."""
    if spec.services.load_balancer and not _hindrance(target, allocator):
        yield from PROVIDERS[target.load_balancer.provider].addons(spec, target, bgp)


def load_balancer_rules(target: Any, allocator: str = "") -> Mapping[str, Rule]:
    """How the wish for Services of type LoadBalancer comes true on this target."""

    def rule(leaf: Leaf) -> Realisation:
        if hindrance := _hindrance(target, allocator):
            return Realisation(field=leaf.path, grade="impossible", mechanism=NONE, reason=hindrance)
        provider, given = PROVIDERS[target.load_balancer.provider], target.load_balancer.addresses
        source = "" if provider.allocates else f", addresses {given or f'from {allocator}'}"
        return Realisation(field=leaf.path, grade="equal", mechanism=f"{provider.mechanism}{source}")

    return {"services.loadBalancer": if_asked(rule)}


def _hindrance(target: Any, allocator: str) -> str:
    config = target.load_balancer
    if config.provider == NONE:
        return "loadBalancer.provider is none: Services of type LoadBalancer stay pending"
    if config.addresses is None and not allocator and not PROVIDERS[config.provider].allocates:
        return f"loadBalancer.addresses is not given: {config.provider} has no address to give to a Service"
    return ""
