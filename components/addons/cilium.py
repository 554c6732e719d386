"""Network plugin: Cilium, which stands in for kube-proxy too."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan import API_PORT, Addon, Manifest, Ref, Release
from components.spec import Spec
from components.target import TargetConfig

NAME, WALL = "cilium", "metadata-wall"
_SOCKETS = {"socketLB": {"hostNamespaceOnly": True}}
"""Services are found by packet, not by socket: the sockets of a pod in a sandbox are in another kernel, where Cilium is
not, and such a pod would reach no Service [documented]
https://docs.cilium.io/en/stable/network/kubernetes/kata/"""


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    release = Release(
        name=NAME,
        namespace="kube-system",
        chart="cilium",
        # [documented] github.com/cilium/charts, 2026-08-03
        version="1.20.0",
        repo="https://helm.cilium.io",
        values={
            # There is no kube-proxy: until Cilium runs, the API has no service address and is dialled directly.
            "kubeProxyReplacement": True,
            "k8sServiceHost": Ref("endpoint"),
            "k8sServicePort": API_PORT,
            # The controller manager gives each node its part of podCidr, a /24.
            "ipam": {"mode": "kubernetes"},
            # Geneve on every target: vmxnet3 drops VXLAN [documented] Cilium's page on Broadcom VMware ESXi/NSX, and
            # native routing needs one network of all nodes.
            "routingMode": "tunnel",
            "tunnelProtocol": "geneve",
            # Service addresses come from the target's load balancer; two would fight over them.
            "enableLBIPAM": False,
            **(_SOCKETS if any(tenant.sandbox for tenant in spec.tenants) else {}),
            "defaultLBServiceIPAM": "none",
            # Its certificates are made anew by every render, and nothing here reads its flows.
            "hubble": {"enabled": False},
        },
    )
    yield Addon(
        name=NAME, serves=("kubernetes.cni",), objects=(release,), mechanism=(f"Release/{NAME}:values.k8sServiceHost",)
    )
    if services := target.metadata_services():
        # Apart from the release, which brings the kind.
        yield Addon(name=WALL, serves=(), objects=(_wall(services),), common=False, after=(NAME,))


def _wall(services: tuple[str, ...]) -> Manifest:
    """Keeps pods from the platform's metadata service: what a pod asks comes from its node, and the user data of a
    control-plane node holds the keys of the cluster's CAs. Pods on the host network are no pods to Cilium, and are not
    kept; a tenant may have none.

    Whole addresses: Tootles is served over TLS at a port of its own as well [seen] tinkerbell v0.25.0
    docs/technical/TLS_TERMINATION.md. Without enableDefaultDeny a denial would close every other way out, too [seen]
    cilium v1.20.0 pkg/k8s/apis/cilium.io/client/crds/v2/ciliumclusterwidenetworkpolicies.yaml; no policy that allows
    can open what it closes, as that file says of egressDeny.
    """
    spec = {
        "description": "Pods have no business with the service that gives their node its user data.",
        "endpointSelector": {},
        "enableDefaultDeny": {"egress": False},
        "egressDeny": [{"toCIDR": [f"{address}/32" for address in services]}],
    }
    return Manifest("cilium.io/v2", "CiliumClusterwideNetworkPolicy", WALL, {"spec": spec})
