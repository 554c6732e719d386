"""The boot script and the few values it is told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from components.bootstrap import platform
from components.bootstrap.node import CONFIG, NODE_NAME, File, Node
from components.bootstrap.versions import CONTAINERD, CONTAINERD_MINIMUM, KUBE_VIP, minor
from components.plan import API_PORT

SCRIPT, PLATFORM = "/usr/local/lib/isostack/bootstrap.sh", f"{CONFIG}/platform.sh"


def files(node: Node) -> Iterator[File]:
    yield File(f"{CONFIG}/node.env", _environment(node), "0600")
    yield File(SCRIPT, _script(), "0755")
    if node.control_plane:
        asks = f"# Sourced by bootstrap.sh: what only the running machine can find out.\n{platform.SCRIPT}"
        yield File(PLATFORM, asks, "0600")


def _environment(node: Node) -> str:
    version = node.kubernetes.version
    values = {
        "NODE_NAME": NODE_NAME,
        "ROLE": "control-plane" if node.control_plane else "worker",
        "FIRST": "yes" if node.first else "no",
        "ENDPOINT": node.late.endpoint,
        "API_PORT": str(API_PORT),
        "KUBERNETES_VERSION": version,
        "KUBERNETES_MINOR": f"1.{minor(version)}",
        "CONTAINERD": CONTAINERD,
        "CONTAINERD_MINIMUM": CONTAINERD_MINIMUM,
        "KUBE_VIP_IMAGE": KUBE_VIP,
    }
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())


@cache
def _script() -> str:
    """A file of its own, so that shellcheck can read it."""
    return Path(__file__).with_name("bootstrap.sh").read_text(encoding="utf-8")
