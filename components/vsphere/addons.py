"""Add-ons of a vSphere target: the cloud provider, which names nodes and their VMs, and the load balancer."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from ipaddress import IPv4Address, summarize_address_range
from typing import Any

from components.addons import load_balancer
from components.addons.placement import ANY_NODE
from components.addons.remediation import Fencing, password
from components.bootstrap.document import dump
from components.bootstrap.versions import minor
from components.networks import addresses
from components.plan import Addon, MachinePlan, Manifest, Ref, Release
from components.spec import Spec
from components.vsphere import csi
from components.vsphere.config import Config

BACKENDS = (csi.BACKEND,)
FENCE_AGENT, FILE = "fence_vmware_soap", "vcenter-password"
"""It takes a VM by its UUID; fence_vmware_rest by its name alone, and takes the first of those in vCenter that have it
[seen] ClusterLabs/fence-agents 4.17.0 agents/vmware_soap and agents/vmware_rest. Names are unique within a folder."""
_NAMESPACE, _SECRET = "kube-system", "vsphere-cloud-secret"
_CONFIG = "cloud-config"
"""What the chart mounts where it makes no config itself [seen] charts/vsphere-cpi 1.36.0 templates/daemonset.yaml."""
_TAGS = {34: "v1.34.0", 35: "v1.35.1", 36: "v1.36.0", 37: "v1.36.0"}
"""Image of the cloud provider by Kubernetes minor: each is promised for its own minor alone [documented]
github.com/kubernetes/cloud-provider-vsphere README; of 1.37 there was a candidate and no release in 2026-08 [seen] its
tags. The chart's templates are the same from 1.34.0 to 1.36.0."""


def addons(spec: Spec, config: Config) -> tuple[Addon, ...]:
    return _cloud_provider(spec, config), *load_balancer.addons(spec, config)


def fencing(config: Config, machines: Sequence[MachinePlan]) -> Fencing:
    """vCenter powers VMs off and on. One is proven: all have the same login, and each proof reads all of its VMs."""
    return Fencing(
        agent=FENCE_AGENT,
        # As the cloud provider reaches it: the certificate is not looked at.
        shared={"--ip": config.vcenter, "--ssl-insecure": "", "--username": Ref("vsphere:user"), **password(FILE)},
        nodes={machine.name: {"--plug": Ref.to_machine(machine.name)} for machine in machines},
        passwords={FILE: Ref("vsphere:password")},
        proven=1,
    )


def _cloud_provider(spec: Spec, config: Config) -> Addon:
    """Before all that needs an initialised node. No field of the spec is its own: storage needs it."""
    server, text = config.vcenter, dump(_config(config))
    secret = {f"{server}.username": Ref("vsphere:user"), f"{server}.password": Ref("vsphere:password")}
    release = Release(
        name="vsphere-cpi",
        namespace=_NAMESPACE,
        chart="vsphere-cpi",
        # [documented] github.com/kubernetes/cloud-provider-vsphere charts/vsphere-cpi, 2026-08
        version="1.36.0",
        repo="https://kubernetes.github.io/cloud-provider-vsphere",
        values={
            "daemonset": {
                "tag": _TAGS[minor(spec.kubernetes.version)],
                "tolerations": ANY_NODE,
                # The host's DNS: the cluster's own does not run yet when vCenter's name is looked up.
                "dnsPolicy": "Default",
                # It reads its config once, at its start: a changed one must start it anew.
                "podAnnotations": {"checksum/config": sha256(text.encode()).hexdigest()},
            }
        },
    )
    objects = (
        Manifest("v1", "Secret", _SECRET, {"type": "Opaque", "stringData": secret}, _NAMESPACE),
        Manifest("v1", "ConfigMap", _CONFIG, {"data": {"vsphere.conf": text}}, _NAMESPACE),
        release,
    )
    return Addon(name="vsphere-cpi", serves=(), objects=objects, common=False)


def _config(config: Config) -> dict[str, Any]:
    """Written here, since the chart's own has no word for `nodes`. It names no category for regions and zones: the
    kubelet sets the zone. Names [seen] cloud-provider-vsphere v1.36.0 pkg/common/config/types_yaml.go and
    pkg/cloudprovider/vsphere/config/types_yaml.go."""
    # kube-vip puts the API's address and those of Services on nodes beside their own; none must become a node's.
    kept = addresses(config.load_balancer.addresses) if config.load_balancer.addresses else range(0)
    services = summarize_address_range(IPv4Address(kept[0]), IPv4Address(kept[-1])) if kept else ()
    not_a_node = ",".join((f"{config.endpoint}/32", *map(str, services)))
    return {
        "global": {"insecureFlag": True, "secretName": _SECRET, "secretNamespace": _NAMESPACE},
        "vcenter": {config.vcenter: {"server": config.vcenter, "datacenters": [config.datacenter]}},
        "nodes": {
            "excludeInternalNetworkSubnetCidr": not_a_node,
            "excludeExternalNetworkSubnetCidr": not_a_node,
        },
    }
