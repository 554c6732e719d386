"""The thirteen claims of "Should K8s run on VMs?" (2020), and what the evidence says of each today.

The numbers are those of isostack/assess and of the rules that answer the claim; each rule names its sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["right", "right in part", "wrong", "out of date"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One argument of the debate."""

    number: int
    title: str
    said: str
    """What the post holds, in our words."""
    verdict: Verdict
    today: str
    """What the evidence says, in both directions."""


CLAIMS = (
    Claim(
        number=1,
        title="Cloud provider, storage and network options",
        said="Both need add-ons; VMs have no advantage.",
        verdict="right",
        today=(
            "A cloud provider, a CSI driver and a load balancer are add-ons on every target. An API address "
            "that moves by ARP or BGP needs seconds to tens of seconds on VMs and on metal alike. What is "
            "wrong on both sides is the belief that Services of type LoadBalancer come for free."
        ),
    ),
    Claim(
        number=2,
        title="Fleet management",
        said="Packet offers metal by API; otherwise the vendor is right that VMs are easier.",
        verdict="out of date",
        today=(
            "Packet became Equinix Metal and ended on 2026-06-30. Its provisioner, Tinkerbell, lives on for "
            "hardware of your own, and needs a BMC in every host, a spare, and minutes where a VM needs "
            "seconds."
        ),
    ),
    Claim(
        number=3,
        title="Hardware, firmware and drivers",
        said="VMs make it somebody else's problem, not a smaller one.",
        verdict="right",
        today=(
            "The same hosts fail at the same rate under both. What VMs change is who notices: firmware rounds "
            "pass under running pods by vMotion, while on metal each is a drain, unless it is done together "
            "with the round of the system."
        ),
    ),
    Claim(
        number=4,
        title="Monitoring",
        said="The node exporter is enough on both.",
        verdict="wrong",
        today=(
            "It does not see power supplies, RAID controllers or BMCs on either, and inside a VM even less of "
            "the host. Both need an exporter for the hardware."
        ),
    ),
    Claim(
        number=5,
        title="Procurement and heterogeneous hardware",
        said="It is the same hardware either way.",
        verdict="right in part",
        today=(
            "Right for buying and for failures. The number of hosts differs with the shape of the workload: "
            "many small pods run into the limit of pods a node on metal, and large pods into the size of VMs."
        ),
    ),
    Claim(
        number=6,
        title="Persistent storage",
        said="The point is moot: somebody runs the storage anyway.",
        verdict="right in part",
        today=(
            "Somebody does. But a volume that one node holds is where the targets differ most: vSphere HA "
            "brings its pod back in about two minutes, metal without fencing waits for a person, and with "
            "fencing it depends on two settings."
        ),
    ),
    Claim(
        number=7,
        title="Configuration management",
        said="No difference.",
        verdict="right",
        today=(
            "Both boot from the same user data. The trap is the same, too: what changes later in user data "
            "reaches no running machine."
        ),
    ),
    Claim(
        number=8,
        title="Patching kills workloads",
        said="Workers restart on VMs as well.",
        verdict="right",
        today=(
            "A node's kernel is patched by a drain on both. VMs save the rounds of firmware and hypervisor, "
            "and metal saves most of that when firmware is flashed in the round of the system."
        ),
    ),
    Claim(
        number=9,
        title="Isolation and blast radius",
        said="This is the real reason for VMs.",
        verdict="right in part",
        today=(
            "The boundary is stronger by the record of exploited vulnerabilities. But VMs give it only where "
            "a tenant has nodes of its own; a pool that tenants share is one kernel on VMs and on metal. "
            "Metal has it by hosts, or by a sandbox for each pod. And who reaches vCenter or a BMC is above "
            "any such boundary."
        ),
    ),
    Claim(
        number=10,
        title="DRS",
        said="True, but is it needed? It would be curious to see.",
        verdict="right",
        today=(
            "It can be computed. Where many small pods share a host, or replicas are a multiple of the nodes, "
            "balancing changes nothing measurable; a few heavy singletons on a full host are where it does. "
            "What else it does is to empty a host."
        ),
    ),
    Claim(
        number=11,
        title="Hardware failure recovery",
        said="Five minutes should not matter; that is for the application.",
        verdict="right in part",
        today=(
            "A replicated service sees errors until the node is found to be gone, under a minute, on both. A "
            "single pod waits for the eviction time, which is a setting. A stateful one without fencing waits "
            "for a person."
        ),
    ),
    Claim(
        number=12,
        title="Availability features",
        said="Kubernetes has plenty of its own.",
        verdict="right in part",
        today=(
            "It has, and they count nodes: on VMs two nodes may be one host, so spreading by node name "
            "spreads nothing. Zones that follow hosts, or rules that keep VMs apart, give it back; and rules "
            "that are too strict block an upgrade."
        ),
    ),
    Claim(
        number=13,
        title="Snapshots",
        said="Boot metal from SAN and snapshot that.",
        verdict="wrong",
        today=(
            "On both sides: a snapshot of a node, be it a VM or a LUN, is no backup. To revert a member of "
            "etcd breaks raft, and volumes do not detach from a VM with a snapshot. etcd's own snapshots, "
            "copies of volumes and new machines are."
        ),
    ),
)


def claim(number: int) -> Claim:
    """Raises KeyError where there is none."""
    for each in CLAIMS:
        if each.number == number:
            return each
    raise KeyError(number)
