"""Add-ons of a vSphere target: the cloud provider, which names nodes and their VMs, and the load balancer."""

from __future__ import annotations

from ipaddress import IPv4Address, summarize_address_range
from typing import Any

from components.addons import load_balancer
from components.addons.placement import ANY_NODE
from components.networks import addresses
from components.plan import Addon, Ref, Release
from components.spec import Spec
from components.vsphere import csi
from components.vsphere.config import Config

BACKENDS = (csi.BACKEND,)


def addons(spec: Spec, config: Config) -> tuple[Addon, ...]:
    return _cloud_provider(config), *load_balancer.addons(spec, config)


def _cloud_provider(config: Config) -> Addon:
    """Before all that needs an initialised node. No field of the spec is its own: storage needs it."""
    release = Release(
        name="vsphere-cpi",
        namespace="kube-system",
        chart="vsphere-cpi",
        # [documented] github.com/kubernetes/cloud-provider-vsphere charts/vsphere-cpi, 2026-08
        version="1.36.0",
        repo="https://kubernetes.github.io/cloud-provider-vsphere",
        # The host's DNS: the cluster's own does not run yet when vCenter's name is looked up.
        values={"config": _config(config), "daemonset": {"tolerations": ANY_NODE, "dnsPolicy": "Default"}},
    )
    return Addon(name="vsphere-cpi", serves=(), objects=(release,), common=False)


def _config(config: Config) -> dict[str, Any]:
    # kube-vip puts the API's address and those of Services on nodes beside their own; none must become a node's.
    kept = addresses(config.load_balancer.addresses) if config.load_balancer.addresses else range(0)
    services = summarize_address_range(IPv4Address(kept[0]), IPv4Address(kept[-1])) if kept else ()
    not_a_node = ",".join((f"{config.endpoint}/32", *map(str, services)))
    return {
        "enabled": True,
        "vcenter": config.vcenter,
        "username": Ref("vsphere:user"),
        "password": Ref("vsphere:password"),
        "datacenter": config.datacenter,
        # Empty: the kubelet sets the zone. With names here the provider asks for tags of such categories.
        "region": "",
        "zone": "",
        "nodes": {
            "excludeInternalNetworkSubnetCidr": not_a_node,
            "excludeExternalNetworkSubnetCidr": not_a_node,
        },
    }
