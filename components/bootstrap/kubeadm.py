"""kubeadm's configuration: the cluster, the first node, joining nodes, and what each node reserves for itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from components.bootstrap import apiserver, platform
from components.bootstrap.document import dump
from components.bootstrap.host import CRI_SOCKET
from components.bootstrap.node import CONFIG, KUBERNETES, NODE_IP, NODE_LABELS, NODE_NAME, File, Node
from components.plan import API_PORT
from components.quantity import format_bytes, format_millicpus
from components.sizing import EVICTION_BYTES, reserved_bytes, reserved_millicpus
from components.spec import MAX_PODS

# The only version that 1.34 to 1.37 share [documented] Kubernetes' release notes of 1.37.
_API = "kubeadm.k8s.io/v1beta4"
_FOLDER = f"{CONFIG}/kubeadm"
CLUSTER, INIT, JOIN, DISCOVERY = (f"{_FOLDER}/{name}.yaml" for name in ("cluster", "init", "join", "discovery"))
PATCHES = f"{KUBERNETES}/patches"
"""Also for `kubeadm upgrade node --patches`: an upgrade without it would take a node's own reservations back."""
PKI = f"{KUBERNETES}/pki"
ETCD_QUOTA = 8 * 1024**3
"""The largest that etcd advises [documented] https://etcd.io/docs/v3.6/dev-guide/limit/. Its default, 2 GiB, is little
for a large cluster, and a full etcd only reads."""
TOKEN_TTL = "0s"
"""The bootstrap token does not expire: a node that a later `up` adds joins with it. It lets a machine ask for a node's
certificate and nothing else; who reads user data has it, so delete the Secret kube-system/bootstrap-token-<id> to close
that door between changes."""
# Generous: a metal host pulls its images over a slow link and its disks wake up slowly [engineers' choice]; defaults
# between 1 and 5 minutes [documented] https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/#Timeouts
_TIMEOUTS = {
    "controlPlaneComponentHealthCheck": "10m0s",
    "kubeletHealthCheck": "5m0s",
    "kubernetesAPICall": "5m0s",
    "etcdAPICall": "5m0s",
    "tlsBootstrap": "10m0s",
    "discovery": "10m0s",
}


def files(node: Node) -> Iterator[File]:
    """Workers get no key of a certificate authority, and its certificate only inside the discovery file: kubeadm join
    refuses a worker that has pki/ca.crt already."""
    yield File(DISCOVERY, dump(_discovery(node)), "0600")
    yield File(JOIN, dump(_join(node)), "0600")
    yield File(f"{PATCHES}/kubeletconfiguration+strategic.yaml", dump(_reserved(node)))
    if node.control_plane:
        yield File(CLUSTER, dump(_cluster(node), _kubelet()), "0600")
        yield from _pki(node)
    if node.first:
        yield File(INIT, dump(_init(node)), "0600")


def _pki(node: Node) -> Iterator[File]:
    """The eight files that kubeadm takes instead of making its own; from them it signs every other certificate."""
    late = node.late
    for name, content in {
        "ca.crt": late.ca_crt,
        "ca.key": late.ca_key,
        "etcd/ca.crt": late.etcd_ca_crt,
        "etcd/ca.key": late.etcd_ca_key,
        "front-proxy-ca.crt": late.front_proxy_ca_crt,
        "front-proxy-ca.key": late.front_proxy_ca_key,
        "sa.pub": late.sa_pub,
        "sa.key": late.sa_key,
    }.items():
        yield File(f"{PKI}/{name}", content if content.endswith("\n") else f"{content}\n", "0600")


def _init(node: Node) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": "InitConfiguration",
        "bootstrapTokens": [
            {"token": node.late.token, "description": "nodes of this cluster joining", "ttl": TOKEN_TTL}
        ],
        "nodeRegistration": _registration(node),
        "localAPIEndpoint": _local_endpoint(),
        "patches": {"directory": PATCHES},
        "timeouts": _TIMEOUTS,
    }


def _join(node: Node) -> dict[str, Any]:
    """Discovery by file: it pins the CA and needs nothing that the API shows to the anonymous."""
    control_plane = {"controlPlane": {"localAPIEndpoint": _local_endpoint()}} if node.control_plane else {}
    return {
        "apiVersion": _API,
        "kind": "JoinConfiguration",
        "discovery": {"file": {"kubeConfigPath": DISCOVERY}, "tlsBootstrapToken": node.late.token},
        "nodeRegistration": _registration(node),
        **control_plane,
        "patches": {"directory": PATCHES},
        "timeouts": _TIMEOUTS,
    }


def _local_endpoint() -> dict[str, Any]:
    return {"advertiseAddress": NODE_IP, "bindPort": API_PORT}


def _registration(node: Node) -> dict[str, Any]:
    """Without `taints` kubeadm taints control-plane nodes and leaves workers free; with it they are the only ones."""
    taints = [{"key": t.key, "value": t.value, "effect": t.effect} for t in node.taints]
    return {
        "name": NODE_NAME,
        "criSocket": CRI_SOCKET,
        "kubeletExtraArgs": _arguments(_kubelet_flags()),
        **({"taints": taints} if taints else {}),
    }


def _kubelet_flags() -> dict[str, str]:
    """node-ip always: without it a node that waits for its cloud provider has no address, and the network plugin then
    waits for the cloud provider and it for the network plugin; and the API's own address must never become a node's."""
    return {
        "node-ip": NODE_IP,
        "node-labels": NODE_LABELS,
        "cloud-provider": platform.CLOUD_PROVIDER,
        "provider-id": platform.PROVIDER_ID,
    }


def _cluster(node: Node) -> dict[str, Any]:
    """The proxy is off since Cilium replaces it; off here and not by skipped phases, so that upgrades leave it off too.
    Cilium then needs kubeProxyReplacement and the API's own address as k8sServiceHost and k8sServicePort."""
    endpoint = node.late.endpoint
    return {
        "apiVersion": _API,
        "kind": "ClusterConfiguration",
        "clusterName": node.cluster,
        "kubernetesVersion": f"v{node.kubernetes.version}",
        "controlPlaneEndpoint": f"{endpoint}:{API_PORT}",
        "encryptionAlgorithm": "ECDSA-P256",
        "networking": {
            "dnsDomain": "cluster.local",
            "podSubnet": node.kubernetes.pod_cidr,
            "serviceSubnet": node.kubernetes.service_cidr,
        },
        "apiServer": {
            # The loopback names are for what runs beside the server and checks its certificate.
            "certSANs": [endpoint, "127.0.0.1", "localhost"],
            "extraArgs": _arguments(apiserver.arguments(node)),
            "extraVolumes": apiserver.volumes(node),
        },
        "controllerManager": {"extraArgs": _arguments(_controller_flags(node))},
        "scheduler": {"extraArgs": _arguments(_metrics_flags(node))},
        "etcd": {"local": {"dataDir": "/var/lib/etcd", "extraArgs": _arguments(_etcd_flags(node))}},
        "proxy": {"disabled": True},
    }


def _controller_flags(node: Node) -> dict[str, str]:
    return {**_metrics_flags(node), "cloud-provider": platform.CLOUD_PROVIDER}


def _metrics_flags(node: Node) -> dict[str, str]:
    """Metrics are served on the loopback alone unless somebody is to read them; TLS and a log-in stay required."""
    return {"bind-address": "0.0.0.0"} if node.metrics else {}


def _etcd_flags(node: Node) -> dict[str, str]:
    """Metrics in plain HTTP, read only: counters and times, no keys and no values."""
    metrics = {"listen-metrics-urls": "http://0.0.0.0:2381"} if node.metrics else {}
    return {"quota-backend-bytes": str(ETCD_QUOTA), **metrics}


def _kubelet() -> dict[str, Any]:
    """One for the whole cluster: kubeadm keeps it in a ConfigMap. What nodes differ in stands in a patch.

    serverTLSBootstrap stays off: nothing in Kubernetes signs the requests for serving certificates, and until somebody
    does, logs, exec and metrics of every node fail. Readers of kubelet metrics must not check its certificate.
    """
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
        "maxPods": MAX_PODS,
        "evictionHard": {"memory.available": format_bytes(EVICTION_BYTES)},
        # Or naming one signal would switch the others off.
        "mergeDefaultEvictionSettings": True,
        "serverTLSBootstrap": False,
    }


def _reserved(node: Node) -> dict[str, Any]:
    """What sizing takes off the node's size, so that pods are promised no more than the plan promises. All of it as
    kubeReserved, and enforced on pods alone: a cgroup that is not there stops the kubelet."""
    size = node.size
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "kubeReserved": {
            "cpu": format_millicpus(reserved_millicpus(size.cpus)),
            "memory": format_bytes(reserved_bytes(size.memory)),
        },
    }


def _discovery(node: Node) -> dict[str, Any]:
    """Without credentials, and yet with a name: kubectl asks who has none for one, and fails where nobody answers
    [seen] client-go 0.36.3 tools/clientcmd/client_config.go, canIdentifyUser. A name without a password is no
    credential to kubeadm, and the API server, which knows no passwords, takes it for anonymous."""
    name = node.cluster
    authority = base64.b64encode(node.late.ca_crt.encode()).decode()
    server = f"https://{node.late.endpoint}:{API_PORT}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": "anonymous", "user": {"username": "anonymous"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "anonymous"}}],
        "current-context": name,
    }


def _arguments(flags: Mapping[str, str]) -> list[dict[str, str]]:
    """kubeadm's list of flags, sorted: the order is kept on the command line, and must not vary."""
    return [{"name": name, "value": value} for name, value in sorted(flags.items())]
