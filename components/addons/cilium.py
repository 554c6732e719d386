"""Network plugin: Cilium, which stands in for kube-proxy too."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan import API_PORT, Addon, Ref, Release
from components.spec import Spec
from components.target import TargetConfig

NAME = "cilium"


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
            "defaultLBServiceIPAM": "none",
            # Its certificates are made anew by every render, and nothing here reads its flows.
            "hubble": {"enabled": False},
        },
    )
    yield Addon(
        name=NAME, serves=("kubernetes.cni",), objects=(release,), mechanism=(f"Release/{NAME}:values.k8sServiceHost",)
    )
