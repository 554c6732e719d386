"""The operating system of a node: kernel modules and settings, container runtime."""

from __future__ import annotations

from collections.abc import Iterator

from components.bootstrap.document import dump
from components.bootstrap.node import File, Node
from components.bootstrap.outside import MIRRORS
from components.bootstrap.versions import PAUSE, minor

CRI_SOCKET = "unix:///run/containerd/containerd.sock"
MODULES = ("overlay", "br_netfilter")
# [documented] https://kubernetes.io/docs/setup/production-environment/container-runtimes/ (forwarding, bridges);
# the rest as the kubernetes-sigs/image-builder role `node` sets it: watches for many pods a node, reboot after a panic,
# and the three values that the kubelet expects of the kernel.
SYSCTLS = {
    "fs.inotify.max_user_instances": 8192,
    "fs.inotify.max_user_watches": 524288,
    "kernel.panic": 10,
    "kernel.panic_on_oops": 1,
    # Off: with two BGP routers, and on Cilium's own devices, an answer may leave another way than the question came.
    "net.ipv4.conf.all.rp_filter": 0,
    "net.ipv4.conf.default.rp_filter": 0,
    "net.bridge.bridge-nf-call-ip6tables": 1,
    "net.bridge.bridge-nf-call-iptables": 1,
    "net.ipv4.ip_forward": 1,
    "vm.overcommit_memory": 1,
}


def files(node: Node) -> Iterator[File]:
    yield File("/etc/modules-load.d/isostack.conf", "".join(f"{module}\n" for module in MODULES))
    yield File("/etc/sysctl.d/99-isostack.conf", "".join(f"{key} = {value}\n" for key, value in SYSCTLS.items()))
    yield File("/etc/containerd/config.toml", _containerd(PAUSE[minor(node.kubernetes.version)]))
    yield File("/etc/crictl.yaml", dump({"runtime-endpoint": CRI_SOCKET, "image-endpoint": CRI_SOCKET}))


def _containerd(pause: str) -> str:
    """The whole file, in the version that containerd 2 writes: edits of a default file silently match nothing there.

    The pause image is kubeadm's own, or the sandbox image is fetched twice and collected as garbage. Registry mirrors
    are in directories below certs.d, which containerd reads anew at each pull.
    Keys: [documented] github.com/containerd/containerd docs/cri/config.md.
    """
    return f"""\
version = 3

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = 'registry.k8s.io/pause:{pause}'

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '{MIRRORS}'

[plugins.'io.containerd.cri.v1.runtime'.containerd]
  default_runtime_name = 'runc'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true
"""
