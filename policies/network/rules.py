"""Network: the node that a Service's address hangs on, addresses that nobody gives, and networks that run out."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from components.rules import Evidence, Param, Params, Rule, Stack, Violation, percent
from isostack.assess.network import ARP_MEAN, arp_failover, node_networks
from policies.words import count, named

SERVICE = "kubernetes:core/v1:Service"
RELEASE = "kubernetes:helm.sh/v3:Release"
L2 = "kubernetes:metallb.io/v1beta1:L2Advertisement"
LOAD_BALANCER = "services.loadBalancer"


def check_load_balancer(stack: Stack, params: Params) -> Iterator[Violation]:
    """Services that wait for an address: raw ones, and all of them where the wish cannot come true."""
    pending = [
        service.name
        for service in stack.raw(SERVICE)
        # One with a class of its own is another's business.
        if service.get("spec", "type") == "LoadBalancer" and not service.get("spec", "loadBalancerClass")
    ]
    wait = f"\nso {named(pending)} would wait for an address for ever" if pending else ""
    if stack.cluster.wanted.services.load_balancer:
        for realised in stack.cluster.realisations:
            if realised.field == LOAD_BALANCER and realised.grade == "impossible":
                yield Violation(LOAD_BALANCER, f"wished, and impossible here: {realised.reason}{wait}", tuple(pending))
    elif pending:
        yield Violation(
            LOAD_BALANCER,
            f"false, and {count(len(pending), 'Service')} of type LoadBalancer: {named(pending)}\n"
            "no target brings a load balancer along, so they wait for an address for ever",
            tuple(pending),
        )


def check_pod_cidr(stack: Stack, params: Params) -> Iterator[Violation]:
    """A spec whose nodes do not fit at all is none; this one is about the next nodes."""
    spec = stack.cluster.wanted
    nodes = spec.control_plane.nodes + sum(pool.nodes for pool in spec.pools)
    there, surge = node_networks(spec.kubernetes.pod_cidr), spec.availability.surge * len(spec.pools)
    left, growth = there - nodes - surge, ceil(nodes * params["growthPercent"] / 100)
    if left < growth:
        yield Violation(
            "kubernetes.podCidr",
            f"{spec.kubernetes.pod_cidr} holds {count(there, 'node')}, a /24 each: {nodes} and {surge} of surge "
            f"leave {left}, less than {params['growthPercent']:g} % for growth ({growth})\n"
            "the node after the last has no network for its pods and stays NotReady, and the network of a running "
            "cluster cannot be made larger",
        )


def check_one_node(stack: Stack, params: Params) -> Iterator[Violation]:
    """By ARP an address is one MAC's, so one node's."""
    arp = [
        release.name
        for release in stack.raw(RELEASE)
        if release.get("chart") == "kube-vip" and release.get("values", "env", "vip_arp") == "true"
    ]
    arp += [advertisement.name for advertisement in stack.raw(L2)]
    workers = sum(machine.wanted.role == "worker" for machine in stack.machines)
    if arp and workers >= params["minNodes"]:
        yield Violation(
            "loadBalancer.provider",
            f"{named(arp)} announces by ARP: one of {workers} workers carries all traffic of a Service's address, "
            f"{percent(1 / workers)} of what they carry together\n"
            f"when it dies, the address is away for {ARP_MEAN} s on average [vendor] and up to {arp_failover():g} s",
            tuple(arp),
            of="target",
        )


KUBE_VIP = Evidence(
    "documented",
    "kube-vip's lease: 15 s, looked at every 2 s: github.com/kube-vip/kube-vip "
    "pkg/kubevip/config_generator.go, cmd/kube-vip.go",
)
RULES = (
    Rule(
        id="net-lb-not-included",
        title="Services of type LoadBalancer that nobody gives an address",
        severity="high",
        # A load balancer that somebody installs by other means is not seen here.
        level="advisory",
        claims=(1,),
        remediation=(
            "Set services.loadBalancer to true and loadBalancer in the target config to a provider and its addresses; "
            "or give the Service a loadBalancerClass if another load balancer serves it."
        ),
        evidence=(
            Evidence(
                "documented",
                "https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer: Kubernetes has no load "
                "balancer of its own, one must be provided",
            ),
            Evidence("documented", "https://metallb.io/: without one such Services stay pending for ever"),
        ),
        check=check_load_balancer,
        reads=(SERVICE,),
        why="A load balancer is an add-on on every target: a hypervisor brings none along, as little as a host does. "
        "A Service of type LoadBalancer without one keeps its internal address and stays pending.",
    ),
    Rule(
        id="net-pod-cidr-exhausted",
        title="The pod network has no room for further nodes",
        severity="medium",
        level="advisory",
        claims=(2,),
        remediation="Set kubernetes.podCidr to a larger network, for example a /16, before the cluster is made.",
        evidence=(
            Evidence(
                "documented",
                "a /24 for each node, https://kubernetes.io/docs/reference/command-line-tools-reference/"
                "kube-controller-manager/",
            ),
            Evidence(
                "documented",
                "several networks of pods were withdrawn, github.com/kubernetes/enhancements/pull/4253; a changed one "
                "stops the controller manager, github.com/kubernetes/kubernetes/issues/50305",
            ),
        ),
        check=check_pod_cidr,
        params=(
            Param(
                name="growthPercent",
                default=25,
                minimum=0,
                maximum=1000,
                description="Further nodes that the network must hold, in percent of today's.",
                evidence=Evidence("assumption", "a cluster grows by a quarter before it is built anew"),
            ),
        ),
        why="Each node takes a /24 of kubernetes.podCidr, whatever its size and however few pods it runs. Surge takes "
        "more while an upgrade runs. Kubernetes cannot enlarge the network of a running cluster; that of Services it "
        "can since 1.33, so there is no such rule for kubernetes.serviceCidr.",
    ),
    Rule(
        id="net-lb-one-node",
        title="One node carries all traffic of a Service's address",
        severity="low",
        level="advisory",
        claims=(1, 12),
        remediation=(
            "Announce by BGP where the network's routers can (vip.mode: bgp of a target with hosts of its own), choose "
            "loadBalancer.provider: nsx where there is one, or spread what is busy over several Services."
        ),
        evidence=(
            Evidence(
                "documented",
                "https://metallb.io/concepts/layer2/: in layer 2 mode one node receives all traffic of an address",
            ),
            Evidence("vendor", "https://kube-vip.io/docs/troubleshooting/arp: failover takes 3 s on average"),
            KUBE_VIP,
        ),
        check=check_one_node,
        reads=(RELEASE, L2),
        params=(
            Param(
                name="minNodes",
                kind="whole",
                default=4,
                minimum=1,
                maximum=5000,
                description="Workers from which on it is told: of fewer, one is a large part in any case.",
                evidence=Evidence("assumption", "less than a third of what the workers carry"),
            ),
        ),
        why="By ARP an address belongs to one network card. That is failover, not load balancing: the node spreads "
        "connections over pods, but all packets come in through it. By BGP the routers spread them over nodes. It is "
        "the same on VMs and on metal.",
    ),
)
