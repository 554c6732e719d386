"""kube-vip as a static pod: it gives the API its one address, by ARP or by BGP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.bootstrap.document import dump
from components.bootstrap.kubeadm import PKI
from components.bootstrap.node import CONFIG, KUBERNETES, NODE_IP, File, Node
from components.bootstrap.versions import KUBE_VIP
from components.plan import API_PORT, NodePlatform

MANIFEST = f"{CONFIG}/kube-vip.yaml"
KUBECONFIG, PEERS, AS, SOURCE = "@KUBECONFIG@", "@BGP_PEERS@", "@BGP_AS@", "@BGP_SOURCE@"
"""Filled in by bootstrap.sh: which kubeconfig serves depends on how far the node is, and some platforms tell their BGP
routers only to the machine itself."""
_ADMIN = f"{KUBERNETES}/admin.conf"
_CA = f"{PKI}/ca.crt"
# As cluster-api-provider-vsphere sets them [documented]; shorter ones flap when etcd is slow [documented] kube-vip#282.
_LEASE = {"vip_leaseduration": "15", "vip_renewdeadline": "10", "vip_retryperiod": "2"}
METRICS = ":2113"
"""Not kube-vip's own :2112, which a second kube-vip for Services would take on the same node."""


def from_metadata(platform: NodePlatform) -> bool:
    """The machine asks its platform for its BGP routers."""
    return platform.vip_mode == "bgp" and not platform.bgp_peers


def files(node: Node) -> Iterator[File]:
    """A template: bootstrap.sh makes it a static pod when its time has come."""
    if node.control_plane:
        yield File(MANIFEST, dump(_pod(node)), "0600")


def _pod(node: Node) -> dict[str, Any]:
    bgp = node.platform.vip_mode == "bgp"
    mounts = {"kubeconfig": (KUBECONFIG, _ADMIN), **({"ca": (_CA, _CA)} if bgp else {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kube-vip", "namespace": "kube-system"},
        "spec": {
            "hostNetwork": True,
            # kube-vip speaks to the API server beside it, by the one local name that the certificate holds.
            "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["kubernetes"]}],
            "containers": [
                {
                    "name": "kube-vip",
                    "image": KUBE_VIP,
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["manager"],
                    "env": _environment(node),
                    "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}},
                    "volumeMounts": [
                        {"name": name, "mountPath": inside, "readOnly": True} for name, (_, inside) in mounts.items()
                    ],
                }
            ],
            # Of type File: a path that is not there yet would otherwise become a directory and break kubeadm.
            "volumes": [
                {"name": name, "hostPath": {"path": outside, "type": "File"}} for name, (outside, _) in mounts.items()
            ],
        },
    }


def _environment(node: Node) -> list[dict[str, Any]]:
    """Names [documented] github.com/kube-vip/kube-vip v1.2.3 pkg/kubevip/config_envvar.go."""
    platform = node.platform
    values = {
        "address": node.late.endpoint,
        "port": str(API_PORT),
        "vip_subnet": "32",
        "cp_enable": "true",
        "cp_namespace": "kube-system",
        "prometheus_server": METRICS,
        **(_bgp(platform) if platform.vip_mode == "bgp" else _arp(platform)),
    }
    name = {"name": "vip_nodename", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    return [name, *({"name": key, "value": value} for key, value in sorted(values.items()))]


def _arp(platform: NodePlatform) -> dict[str, str]:
    """One leader has the address. No interface named: kube-vip takes that of the default route."""
    interface = {"vip_interface": platform.vip_interface} if platform.vip_interface else {}
    return {"vip_arp": "true", "vip_leaderelection": "true", "vip_leasename": "plndr-cp-lock", **_LEASE, **interface}


def _bgp(platform: NodePlatform) -> dict[str, str]:
    """Every node announces the address at once; the health check withdraws it where the API server is dead."""
    told = from_metadata(platform)
    return {
        "vip_arp": "false",
        # On a shared network every node would claim an address that lies on its network card.
        "vip_interface": platform.vip_interface or "lo",
        "bgp_enable": "true",
        "bgp_routerid": SOURCE if told else NODE_IP,
        "bgp_sourceip": SOURCE if told else NODE_IP,
        "bgp_as": str(platform.bgp_as or AS),
        "bgp_peers": PEERS if told else platform.bgp_peers,
        "control_plane_health_check_address": f"https://kubernetes:{API_PORT}/livez",
        "control_plane_health_check_ca_path": _CA,
    }
