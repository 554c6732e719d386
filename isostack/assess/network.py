"""Network: how many nodes a pod network holds, and how long an address is away when its node dies.

Units: seconds, numbers of nodes.
"""

from __future__ import annotations

from ipaddress import IPv4Network

NODE_PREFIX = 24
"""Of each node's part of podCidr: the controller manager's default [documented]
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/"""
LEASE, RETRY = 15, 2
"""Of kube-vip's election here, as cluster-api-provider-vsphere sets it [documented]."""
ARP_MEAN = 3
"""Mean that kube-vip sees [vendor] https://kube-vip.io/docs/troubleshooting/arp."""


def arp_failover(lease: float = LEASE, retry: float = RETRY) -> float:
    """Longest time in seconds until another node announces the address of one that died: its lease must run out, and
    somebody must look. 15 and 2: 17."""
    return lease + retry


def node_networks(pod_cidr: str) -> int:
    """Nodes that a pod network of all nodes holds, one /24 each. 10.244.0.0/16: 256."""
    return int(2 ** max(0, NODE_PREFIX - IPv4Network(pod_cidr).prefixlen))
