"""Load balancer MetalLB: workers announce the addresses of Services, by ARP or by BGP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import cilium
from components.addons.announcement import Bgp
from components.addons.placement import ANY_NODE, OFF_CONTROL_PLANE, SHARED_NODES
from components.plan import Addon, Manifest, Release
from components.spec import Spec

NAMESPACE, POOL = "metallb-system", "services"
_SERVES = ("services.loadBalancer",)


def addons(spec: Spec, target: Any, bgp: Bgp | None) -> Iterator[Addon]:
    yield Addon(name="load-balancer", serves=_SERVES, objects=(_release(),), common=False, after=(cilium.NAME,))
    if target.load_balancer.addresses is not None:
        pool = _object("IPAddressPool", {"addresses": [target.load_balancer.addresses]})
        # Apart from the release: its custom resources and their webhook must be there.
        yield Addon(
            name="load-balancer-addresses",
            serves=_SERVES,
            objects=(pool, *_announce(bgp)),
            common=False,
            after=("load-balancer",),
        )


def _release() -> Release:
    return Release(
        name="metallb",
        namespace=NAMESPACE,
        chart="metallb",
        # [documented] release notes of metallb.io, 2026-07
        version="0.16.1",
        repo="https://metallb.github.io/metallb",
        values={
            "controller": {"tolerations": SHARED_NODES},
            # Off the control plane: kube-vip's session to the same router stands there.
            "speaker": {"tolerations": ANY_NODE, "affinity": OFF_CONTROL_PLANE, "frr": {"enabled": False}},
            # The built-in BGP does all that is asked here, without a routing daemon on every node.
            "frrk8s": {"enabled": False},
        },
    )


def _announce(bgp: Bgp | None) -> Iterator[Manifest]:
    if bgp is None:
        yield _object("L2Advertisement", {"ipAddressPools": [POOL]})
        return
    for index, peer in enumerate(bgp.peers):
        spec = {"myASN": bgp.asn, "peerASN": peer.asn, "peerAddress": peer.address, "ebgpMultiHop": peer.multihop}
        yield _object("BGPPeer", spec, f"router-{index}", "metallb.io/v1beta2")
    yield _object("BGPAdvertisement", {"ipAddressPools": [POOL]})


def _object(kind: str, spec: dict[str, Any], name: str = POOL, api: str = "metallb.io/v1beta1") -> Manifest:
    return Manifest(api, kind, name, {"spec": spec}, NAMESPACE)
