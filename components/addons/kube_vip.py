"""Load balancer kube-vip: workers announce the addresses of Services, by ARP or by BGP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import cilium
from components.addons.announcement import Bgp
from components.addons.placement import ANY_NODE, OFF_CONTROL_PLANE, SHARED_NODES
from components.bootstrap.versions import KUBE_VIP
from components.plan import Addon, Release
from components.spec import Spec

_REPO = "https://kube-vip.github.io/helm-charts"  # charts of 2026-05-06 [documented] github.com/kube-vip/helm-charts
_NAMESPACE = "kube-system"


def addons(spec: Spec, target: Any, bgp: Bgp | None) -> Iterator[Addon]:
    releases = [_speaker(bgp)]
    if target.load_balancer.addresses is not None:
        releases.append(_allocator(target.load_balancer.addresses))
    yield Addon(
        name="load-balancer",
        serves=("services.loadBalancer",),
        objects=tuple(releases),
        common=False,
        after=(cilium.NAME,),
    )


def _speaker(bgp: Bgp | None) -> Release:
    """Off the control plane, where another kube-vip holds the API's address: a router takes one session from a node."""
    return Release(
        name="kube-vip",
        namespace=_NAMESPACE,
        chart="kube-vip",
        version="0.9.9",
        repo=_REPO,
        values={
            "image": {"tag": KUBE_VIP.rpartition(":")[2]},
            "env": _bgp(bgp) if bgp else {"vip_arp": "true", "svc_election": "true"},
            "envValueFrom": {"vip_nodename": _field("spec.nodeName"), **(_own_address(bgp) if bgp else {})},
            "affinity": OFF_CONTROL_PLANE,
            "tolerations": ANY_NODE,
        },
    )


def _bgp(bgp: Bgp) -> dict[str, str]:
    """Names [documented] github.com/kube-vip/kube-vip v1.2.3 pkg/kubevip/config_envvar.go."""
    shared = {"vip_arp": "false", "vip_interface": "lo", "bgp_enable": "true"}
    if bgp.annotation:
        return {**shared, "annotation": bgp.annotation}
    peers = (f"{peer.address}:{peer.asn}::{str(peer.multihop).lower()}" for peer in bgp.peers)
    return {**shared, "bgp_as": str(bgp.asn), "bgp_peers": ",".join(peers)}


def _own_address(bgp: Bgp) -> dict[str, Any]:
    if bgp.annotation:
        return {}
    return {"bgp_routerid": _field("status.hostIP"), "bgp_sourceip": _field("status.hostIP")}


def _field(path: str) -> dict[str, Any]:
    return {"fieldRef": {"fieldPath": path}}


def _allocator(addresses: str) -> Release:
    """Gives each Service its address; kube-vip only announces it."""
    return Release(
        name="kube-vip-cloud-provider",
        namespace=_NAMESPACE,
        chart="kube-vip-cloud-provider",
        version="0.2.10",
        repo=_REPO,
        values={"cm": {"data": {"range-global": addresses}}, "tolerations": SHARED_NODES},
    )
