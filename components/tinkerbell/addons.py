"""Add-ons of a Tinkerbell target: the load balancer alone. Nodes name themselves, so there is no cloud provider."""

from __future__ import annotations

from components.addons import load_balancer
from components.addons.announcement import Bgp, Peer
from components.addons.backend import Backend
from components.plan import Addon
from components.spec import Spec
from components.tinkerbell.config import Config, Vip

BACKENDS: tuple[Backend, ...] = ()


def addons(spec: Spec, config: Config) -> tuple[Addon, ...]:
    return tuple(load_balancer.addons(spec, config, bgp=_bgp(config.vip)))


def _bgp(vip: Vip) -> Bgp | None:
    """Services become known as the API's address does: where hosts share no network, neither can use ARP."""
    if vip.mode == "arp" or vip.asn is None:
        return None
    return Bgp(vip.asn, tuple(Peer(peer.address, peer.asn, peer.multihop) for peer in vip.peers))
