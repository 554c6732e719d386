"""Files by which a machine reaches the world outside: containerd's mirrors, the proxy of containerd, curl and apt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from components.bootstrap.node import CONFIG, File
from components.plan import Outside
from components.spec import Kubernetes

MIRRORS = "/etc/containerd/certs.d"
AUTHORITY = f"{MIRRORS}/isostack-ca.crt"
PROXY = f"{CONFIG}/proxy.env"
CONTAINERD_PROXY = "/etc/systemd/system/containerd.service.d/isostack-proxy.conf"
APT_PROXY = "/etc/apt/apt.conf.d/95isostack-proxy"


def files(outside: Outside, kubernetes: Kubernetes) -> Iterator[File]:
    """None where the place has neither. They are no part of what every target must agree on."""
    for registry, urls in outside.mirrors:
        yield File(f"{MIRRORS}/{registry}/hosts.toml", "\n".join(_mirror(url, outside.authority) for url in urls))
    if outside.authority:
        yield File(AUTHORITY, outside.authority)
    if outside.http_proxy or outside.https_proxy:
        yield File(PROXY, _environment(outside, kubernetes), "0600")
        yield File(CONTAINERD_PROXY, f"[Service]\nEnvironmentFile={PROXY}\n")
        yield File(APT_PROXY, "".join(f"{line};\n" for line in _apt(outside)))


def _mirror(url: str, authority: str) -> str:
    """Without the key `server` containerd asks the registry itself last; to a path it adds /v2 unless told that it is
    whole; a CA comes beside the system's [seen] containerd v2.3, core/remotes/docker/config/hosts.go."""
    lines = [f"[host.'{url}']", "  capabilities = ['pull', 'resolve']"]
    if authority:
        lines.append(f"  ca = '{AUTHORITY}'")
    if urlsplit(url).path:
        lines.append("  override_path = true")
    return "".join(f"{line}\n" for line in lines)


def _environment(outside: Outside, kubernetes: Kubernetes) -> str:
    """Of containerd, which pulls what the kubelet and kubeadm want pulled, and of curl in bootstrap.sh. curl knows
    http_proxy by its small name alone, Go by either.

    Nobody else has it. kubeadm writes each *_proxy that it sees into its static pods [seen] kubernetes 1.37.2
    cmd/kubeadm/app/util/env.go, GetProxyEnvVars; and the kubelet speaks to the API and to containerd alone.
    """
    direct = ["localhost", "127.0.0.1", ".svc", ".cluster.local", kubernetes.pod_cidr, kubernetes.service_cidr]
    values = {
        "http_proxy": outside.http_proxy,
        "https_proxy": outside.https_proxy,
        "no_proxy": ",".join(dict.fromkeys((*direct, *outside.no_proxy))),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items() if value)


def _apt(outside: Outside) -> Iterator[str]:
    """A file, and not the environment, so that whoever runs apt later has it too. DIRECT, since https otherwise takes
    the proxy of http; and by whole hosts, since it knows neither domains nor networks [measured] apt 2.6.1."""
    for scheme, proxy in (("http", outside.http_proxy), ("https", outside.https_proxy)):
        yield f'Acquire::{scheme}::Proxy "{proxy or "DIRECT"}"'
        for host in outside.no_proxy:
            if not re.search(r"^\.|/", host):
                yield f'Acquire::{scheme}::Proxy::{host} "DIRECT"'
