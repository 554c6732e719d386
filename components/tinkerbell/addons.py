"""Add-ons of a Tinkerbell target: the load balancer. Nodes name themselves, so there is no cloud provider; what fences
hosts goes through their BMCs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.addons import load_balancer
from components.addons.announcement import Bgp, Peer
from components.addons.backend import Backend
from components.addons.remediation import Fencing, password
from components.plan import Addon, MachinePlan
from components.spec import Spec
from components.tinkerbell.config import BMC_PASSWORD, BMC_USERNAME, Config, Vip
from components.tinkerbell.inventory import Bmc

BACKENDS: tuple[Backend, ...] = ()
FENCE_AGENTS: Mapping[str, str] = {"redfish": "fence_redfish", "ipmi": "fence_ipmilan"}
_FLAGS: Mapping[str, Mapping[str, str]] = {
    # A BMC's certificate is its own. Without a word on it the agent speaks TLS to port 443 and checks it.
    "redfish": {"--ssl-insecure": ""},
    # IPMI 2.0: without it the agent speaks 1.5.
    "ipmi": {"--lanplus": ""},
}
"""[seen] ClusterLabs/fence-agents 4.17.0 agents/redfish/fence_redfish.py and agents/ipmilan/fence_ipmilan.py."""


def addons(spec: Spec, config: Config) -> tuple[Addon, ...]:
    return tuple(load_balancer.addons(spec, config, bgp=_bgp(config.vip)))


def fencing(config: Config, machines: Sequence[MachinePlan]) -> Fencing:
    """Each host's BMC, with its own login or that of the stack's config."""
    bmcs = {host.name: host.bmc for host in config.hosts if host.bmc}
    own = {machine.name: bmcs[host] for machine in machines if (host := machine.place.host) in bmcs}
    return Fencing(
        agent=FENCE_AGENTS[config.bmc_protocol],
        shared=_FLAGS[config.bmc_protocol],
        nodes={machine: _login(machine, bmc) for machine, bmc in own.items()},
        passwords={_file(machine, bmc): bmc.password or BMC_PASSWORD for machine, bmc in own.items()},
    )


def _login(machine: str, bmc: Bmc) -> dict[str, Any]:
    username = bmc.username if bmc.password else BMC_USERNAME
    return {"--ip": bmc.address, "--username": username, **password(_file(machine, bmc))}


def _file(machine: str, bmc: Bmc) -> str:
    return machine if bmc.password else "bmc-password"


def _bgp(vip: Vip) -> Bgp | None:
    """Services become known as the API's address does: where hosts share no network, neither can use ARP."""
    if vip.mode == "arp" or vip.asn is None:
        return None
    return Bgp(vip.asn, tuple(Peer(peer.address, peer.asn, peer.multihop) for peer in vip.peers))
