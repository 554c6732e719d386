"""Versions of what user data installs beside Kubernetes itself."""

from __future__ import annotations

KUBE_VIP = "ghcr.io/kube-vip/kube-vip:v1.2.3"
"""Released 2026-08-10; 1.2 is the first line with a health check for BGP [documented] github.com/kube-vip/kube-vip
CHANGELOG.md."""
PAUSE = {34: "3.10.1", 35: "3.10.1", 36: "3.10.2", 37: "3.10.2"}
"""Tag of the pause image by Kubernetes minor: PauseVersion of that minor's kubeadm [documented]
k8s.io/kubernetes cmd/kubeadm/app/constants/constants.go of v1.34.0, v1.35.0, v1.36.3 and v1.37.2."""
CONTAINERD, CONTAINERD_MINIMUM = "2.3", "2.2.0"
"""Line that is installed where the image has none, and the oldest that an image may bring. 2.3 is the long-term line
until 2028-04; Kubernetes 1.36 needs 2.2 [documented] github.com/containerd/containerd RELEASES.md."""
# etcd and CoreDNS have no entry: each kubeadm release brings the versions it was tested with.


def minor(version: str) -> int:
    """36 of 1.36.3."""
    return int(version.split(".")[1])
