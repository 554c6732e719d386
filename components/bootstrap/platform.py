"""All that user data differs in between targets: the values of a few marks, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from components.bootstrap.node import NODE_IP
from components.plan import API_PORT, NodePlatform

PROVIDER_ID, CLOUD_PROVIDER, SCRIPT = "@@PROVIDER_ID@@", "@@CLOUD_PROVIDER@@", "@@PLATFORM_SCRIPT@@"
VIP_ARP, VIP_ELECTION, VIP_INTERFACE = "@@VIP_ARP@@", "@@VIP_ELECTION@@", "@@VIP_INTERFACE@@"
BGP, BGP_ADDRESS, BGP_AS, BGP_PEERS, BGP_HEALTH = (
    f"@@{name}@@" for name in ("BGP", "BGP_ADDRESS", "BGP_AS", "BGP_PEERS", "BGP_HEALTH")
)


def values(platform: NodePlatform) -> Mapping[str, str]:
    """The text for each mark, but for PROVIDER_ID, which is each machine's own.

    Empty is the programs' own default: of the kubelet's and the controller manager's flags, and of kube-vip's variables
    [seen] kube-vip v1.2.3 pkg/kubevip/config_environment.go.
    """
    bgp = platform.vip_mode == "bgp"
    address, number, peers = NODE_IP, str(platform.bgp_as), platform.bgp_peers
    if platform.script:  # bootstrap.sh puts in what it has found
        address, number, peers = "@BGP_SOURCE@", "@BGP_AS@", "@BGP_PEERS@"
    return {
        CLOUD_PROVIDER: "external" if platform.cloud_provider else "",
        SCRIPT: platform.script,
        VIP_ARP: _flag(not bgp),
        # With ARP one leader has the address; with BGP every node announces it at once.
        VIP_ELECTION: _flag(not bgp),
        # On a shared network every node would claim an address that lies on its network card.
        VIP_INTERFACE: platform.vip_interface or ("lo" if bgp else ""),
        BGP: _flag(bgp),
        BGP_ADDRESS: address if bgp else "",
        BGP_AS: number if bgp else "",
        BGP_PEERS: peers if bgp else "",
        # The health check withdraws the address where the API server is dead.
        BGP_HEALTH: f"https://kubernetes:{API_PORT}/livez" if bgp else "",
    }


def _flag(on: bool) -> str:
    return "true" if on else "false"
