"""What a broken node reaches and what a stolen copy tells: controllers, Secrets, and how long a hole stays open."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from components.facts import SiteFacts
from components.rules import Evidence, Param, Params, Rule, Stack, Violation, percent
from isostack.assess.exposure import BMC, KERNEL_ESCALATIONS, VCENTER, exposure, longest_wait
from policies.isolation.shared import EXPOSURE_DAYS, KEV
from policies.isolation.tenants import hostile
from policies.words import count, listed, named

CONTROLLER = {"vm": ("vCenter", "vcenter", VCENTER), "host": ("BMC", "inventory", BMC)}
"""What controls a machine, by what the machine is: its name, the field of the target that holds its address, and its
exploited vulnerabilities."""


def check_management(stack: Stack, params: Params) -> Iterator[Violation]:
    days = params["exposureDays"]
    for site in stack.sites:
        within = dict(_within(stack, site))
        if not within:
            continue
        what, field, events = CONTROLLER[site.machine]
        yield Violation(
            field,
            f"{named(within)} ({what}) in {listed(dict.fromkeys(within.values()))}: neither router nor firewall lies "
            "between\n"
            "who holds one node reaches what powers, images and reads every machine; an exploited vulnerability of a "
            f"{what} turns up within {days:g} days with p = {percent(exposure(events, days))}: exposure, not breach",
            subjects=tuple(within),
            of="target",
        )


def _within(stack: Stack, site: SiteFacts) -> Iterator[tuple[str, str]]:
    """Controllers and the network of the cluster that each stands in."""
    kubernetes = stack.cluster.wanted.kubernetes
    networks = {
        **{network: f"the nodes' network {network}" for network in site.networks},
        kubernetes.pod_cidr: f"the pods' network {kubernetes.pod_cidr}",
        kubernetes.service_cidr: f"the services' network {kubernetes.service_cidr}",
    }
    for controller in site.controllers:
        for network, said in networks.items():
            if IPv4Address(controller) in IPv4Network(network):
                yield controller, said


def check_secrets(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    if spec.access.encrypt_secrets:
        return
    etcd = spec.backup.etcd
    disks, vms = ("disks", "their VMs") if spec.control_plane.nodes > 1 else ("disk", "its VM")
    where = [f"on the {disks} of {count(spec.control_plane.nodes, 'node')}"]
    if any(site.machine_snapshots for site in stack.sites):
        where.append(f"in each copy of {vms}")
    if etcd:
        where.append(f"in {count(etcd.keep, 'snapshot')} at {etcd.to}")
    yield Violation(
        "access.encryptSecrets",
        f"false: every Secret lies as it is in etcd, {listed(where)}\n"
        "who reads one of these has every password and token of the cluster; the API server is not asked",
    )


def check_patches(stack: Stack, params: Params) -> Iterator[Violation]:
    strangers, reboots = hostile(stack), stack.cluster.wanted.availability.reboots
    if not strangers:
        return
    round_, most = params["exposureDays"], params["maxWaitDays"]
    weekly = f"within {most:g} with {percent(exposure(KERNEL_ESCALATIONS, most))}"
    if reboots is None:
        yield Violation(
            "availability.reboots",
            f"none: a fixed kernel waits until a person restarts the nodes that run code of {listed(strangers)}\n"
            f"an exploited kernel escalation turns up within {round_:g} days with p = "
            f"{percent(exposure(KERNEL_ESCALATIONS, round_))}, {weekly}: exposure, not breach",
            subjects=tuple(strangers),
        )
    elif (wait := longest_wait(reboots.days)) > most:
        yield Violation(
            "availability.reboots.days",
            f"a fixed kernel waits up to {count(wait, 'day')} for its restart, under code of {listed(strangers)}\n"
            f"an exploited kernel escalation turns up within {wait} days with p = "
            f"{percent(exposure(KERNEL_ESCALATIONS, wait))}, {weekly}: exposure, not breach",
            subjects=tuple(strangers),
        )


RULES = (
    Rule(
        id="iso-management-reachable",
        title="What controls the machines stands in a network of the cluster",
        severity="high",
        # A switch may keep the ports of one network apart, which no config says.
        level="advisory",
        claims=(3, 9),
        remediation="Move vCenter or the BMCs to a network of their own behind a firewall, and give the target its new "
        "address; let in what needs it: cloud provider and CSI driver, fencing, the provisioner.",
        evidence=(
            Evidence(
                "measured",
                "same count as for kernels: 10 exploited vulnerabilities of vCenter in 3.808 years and 1 of BMCs "
                "(CVE-2024-54085), github.com/cisagov/kev-data",
            ),
            Evidence("documented", "nvd.nist.gov/vuln/detail/CVE-2024-54085: a BMC's log-in is passed over remotely"),
        ),
        check=check_management,
        params=(EXPOSURE_DAYS,),
        why="Whether the address of vCenter, or of a BMC, lies in the network of the nodes, the pods or the services. "
        "The wall of VMs has a door in it that metal has not: one server that rules all of them, and in the "
        "catalogue it turns up ten times as often as an escape from a VM. Metal has a small one on every server. An "
        "address elsewhere may be reachable all the same; one that the config gives by name is not looked up.",
    ),
    Rule(
        id="iso-secrets-in-clear",
        title="Secrets are not encrypted in etcd",
        severity="high",
        level="mandatory",
        claims=(9, 13),
        remediation="Set access.encryptSecrets: true, then write every Secret once more (kubectl get secrets -A -o "
        "json | kubectl replace -f -) and let snapshots from before expire.",
        evidence=(
            Evidence(
                "documented",
                "kubernetes.io/docs/tasks/administer-cluster/encrypt-data: stored as plain text unless told otherwise; "
                "what was written before stays as it was",
            ),
        ),
        check=check_secrets,
        why="Whether the API server encrypts Secrets before it stores them. It guards the snapshots of etcd in their "
        "bucket, which is where most copies lie. It does not guard the disk of a control-plane node, its image or a "
        "snapshot of its VM: the key lies on the same disk, on VMs and on metal alike.",
    ),
    Rule(
        id="iso-patch-lag",
        title="Kernel fixes reach the nodes of external tenants late",
        severity="medium",
        level="advisory",
        claims=(8, 9),
        remediation="Set availability.reboots with the days on which nodes may restart by themselves, drained.",
        evidence=(
            KEV,
            Evidence("assumption", "the image installs fixed kernels by itself, and they ask for a restart"),
        ),
        check=check_patches,
        params=(
            EXPOSURE_DAYS,
            Param(
                name="maxWaitDays",
                default=7,
                minimum=1,
                maximum=7,
                description="Longest time from one window for restarts to the next.",
                evidence=Evidence("assumption", "a window each week"),
            ),
        ),
        why="Whether nodes restart into a fixed kernel by themselves where one tenant's code is hostile. Pools of its "
        "own keep it from others' pods; a kernel with a known hole brings it onto the node all the same. A node is "
        "drained and restarted on VMs and on metal alike: neither spares the pods this restart.",
    ),
)
