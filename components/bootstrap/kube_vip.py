"""kube-vip as a static pod: it gives the API its one address, by ARP or by BGP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.bootstrap import platform
from components.bootstrap.document import dump
from components.bootstrap.kubeadm import PKI
from components.bootstrap.node import CONFIG, KUBERNETES, File, Node
from components.bootstrap.versions import KUBE_VIP
from components.plan import API_PORT

MANIFEST = f"{CONFIG}/kube-vip.yaml"
KUBECONFIG = "@KUBECONFIG@"
"""Filled in by bootstrap.sh: which kubeconfig serves depends on how far the node is."""
_ADMIN = f"{KUBERNETES}/admin.conf"
_CA = f"{PKI}/ca.crt"
# As cluster-api-provider-vsphere sets them [documented]; shorter ones flap when etcd is slow [documented] kube-vip#282.
_LEASE = {
    "vip_leasename": "plndr-cp-lock",
    "vip_leaseduration": "15",
    "vip_renewdeadline": "10",
    "vip_retryperiod": "2",
}
METRICS = ":2113"
"""Not kube-vip's own :2112, which a second kube-vip for Services would take on the same node."""


def files(node: Node) -> Iterator[File]:
    """A template: bootstrap.sh makes it a static pod when its time has come."""
    if node.control_plane:
        yield File(MANIFEST, dump(_pod(node)), "0600")


def _pod(node: Node) -> dict[str, Any]:
    mounts = {"kubeconfig": (KUBECONFIG, _ADMIN), "ca": (_CA, _CA)}
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
    """The same variables on every platform, with values by ARP or by BGP. Names [documented]
    github.com/kube-vip/kube-vip v1.2.3 pkg/kubevip/config_envvar.go."""
    values = {
        "address": node.late.endpoint,
        "port": str(API_PORT),
        "vip_subnet": "32",
        "cp_enable": "true",
        "cp_namespace": "kube-system",
        "prometheus_server": METRICS,
        "vip_arp": platform.VIP_ARP,
        "vip_leaderelection": platform.VIP_ELECTION,
        "vip_interface": platform.VIP_INTERFACE,
        **_LEASE,
        "bgp_enable": platform.BGP,
        "bgp_routerid": platform.BGP_ADDRESS,
        "bgp_sourceip": platform.BGP_ADDRESS,
        "bgp_as": platform.BGP_AS,
        "bgp_peers": platform.BGP_PEERS,
        "control_plane_health_check_address": platform.BGP_HEALTH,
        "control_plane_health_check_ca_path": _CA,
    }
    name = {"name": "vip_nodename", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    return [name, *({"name": key, "value": value} for key, value in sorted(values.items()))]
