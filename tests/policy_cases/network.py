"""Cases of the pack network."""

from __future__ import annotations

from components.facts import Realisation
from components.rules import UNKNOWN, Raw, Stack
from policies.network.rules import L2, RELEASE, SERVICE
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, realised, virtual
from tests.specs import rich

NOT_WISHED = {"services.loadBalancer": False}
PENDING = (
    "spec services.loadBalancer: false, and 1 Service of type LoadBalancer: shop\n"
    "no target brings a load balancer along, so they wait for an address for ever"
)
TIGHT = {"kubernetes.podCidr": "10.244.0.0/20", "pools.0.nodes": 5}
FULL = (
    "spec kubernetes.podCidr: 10.244.0.0/20 holds 16 nodes, a /24 each: 13 and 3 of surge leave 0, less than 25 % for "
    "growth (4)\n"
    "the node after the last has no network for its pods and stays NotReady, and the network of a running cluster "
    "cannot be made larger"
)
LAYER_2 = raw(L2, "services", {})


def service(**spec: object) -> Raw:
    return raw(SERVICE, "shop", {"spec": {"type": "LoadBalancer"} | spec})


def impossible(stack: Stack) -> Stack:
    reason = "loadBalancer.provider is none: Services of type LoadBalancer stay pending"
    field = "services.loadBalancer"
    return realised(stack, Realisation(field=field, grade="impossible", mechanism="none", reason=reason))


def kube_vip(arp: object) -> Raw:
    return raw(RELEASE, "kube-vip", {"chart": "kube-vip", "values": {"env": {"vip_arp": arp}}})


def one_node(who: str, workers: int, share: str) -> str:
    return (
        f"target loadBalancer.provider: {who} announces by ARP: one of {workers} workers carries all traffic of a "
        f"Service's address, {share} of what they carry together\n"
        "when it dies, the address is away for 3 s on average [vendor] and up to 17 s"
    )


CASES = (
    Case("net-lb-not-included", adding(virtual(rich(NOT_WISHED)), service()), (PENDING,)),
    Case("net-lb-not-included", adding(metal(rich(NOT_WISHED)), service()), (PENDING,)),
    Case("net-lb-not-included", adding(virtual(rich()), service())),
    Case("net-lb-not-included", adding(metal(rich()), service())),
    Case("net-lb-not-included", adding(metal(rich(NOT_WISHED)), service(type="ClusterIP"))),
    Case("net-lb-not-included", adding(metal(rich(NOT_WISHED)), service(loadBalancerClass="example.com/own"))),
    Case(
        "net-lb-not-included",
        adding(metal(rich(NOT_WISHED)), service(type=UNKNOWN)),
        undecided="spec.type of shop is known only after `pulumi up`",
    ),
    Case(
        "net-lb-not-included",
        impossible(metal(rich())),
        (
            "spec services.loadBalancer: wished, and impossible here: loadBalancer.provider is none: Services of type "
            "LoadBalancer stay pending",
        ),
    ),
    Case(
        "net-lb-not-included",
        impossible(adding(virtual(rich()), service())),
        (
            "spec services.loadBalancer: wished, and impossible here: loadBalancer.provider is none: Services of type "
            "LoadBalancer stay pending\n"
            "so shop would wait for an address for ever",
        ),
    ),
    Case("net-pod-cidr-exhausted", virtual(rich(TIGHT)), (FULL,)),
    Case("net-pod-cidr-exhausted", metal(rich(TIGHT)), (FULL,)),
    Case("net-pod-cidr-exhausted", metal(rich(TIGHT | {"kubernetes.podCidr": "10.244.0.0/19"}))),
    Case("net-pod-cidr-exhausted", virtual(rich(TIGHT)), params={"growthPercent": 0}),
    Case("net-lb-one-node", adding(virtual(rich()), kube_vip("true")), (one_node("kube-vip", 11, "9.1 %"),)),
    Case("net-lb-one-node", adding(metal(rich()), LAYER_2), (one_node("services", 11, "9.1 %"),)),
    Case("net-lb-one-node", adding(virtual(rich()), kube_vip("false"))),
    Case("net-lb-one-node", adding(metal(rich()), kube_vip("true")), params={"minNodes": 12}),
    Case("net-lb-one-node", metal(rich())),
    Case(
        "net-lb-one-node",
        adding(metal(rich()), kube_vip(UNKNOWN)),
        undecided="values.env.vip_arp of kube-vip is known only after `pulumi up`",
    ),
)
