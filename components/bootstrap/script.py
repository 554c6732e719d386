"""The boot script and the few values it is told."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from components.bootstrap import platform
from components.bootstrap.node import CONFIG, NODE_NAME, File, Node
from components.bootstrap.versions import CONTAINERD, CONTAINERD_MINIMUM, KUBE_VIP, minor
from components.plan import API_PORT

_COMMON = re.compile(r"^# shellcheck source=\S*common\.sh\n\. common\.sh\n", re.MULTILINE)
SCRIPT, PLATFORM = "/usr/local/lib/isostack/bootstrap.sh", f"{CONFIG}/platform.sh"


def files(node: Node) -> Iterator[File]:
    yield File(f"{CONFIG}/node.env", _environment(node), "0600")
    yield File(SCRIPT, whole(Path(__file__).with_name("bootstrap.sh")), "0755")
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
def whole(path: Path) -> str:
    """A script as it runs on a node, with the text of common.sh in it. Files of their own, so that shellcheck can read
    them; one text, since a node that was born long ago has its own."""
    common = path.parent.parent / "bootstrap" / "common.sh"
    own, there = _COMMON.subn(lambda _: common.read_text(encoding="utf-8"), path.read_text(encoding="utf-8"))
    assert there == 1, path
    return own
