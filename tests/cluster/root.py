"""A folder that stands for a machine's root, and what kubeadm makes of the files that cloud-init writes there."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from components.bootstrap.kubeadm import CLUSTER, INIT
from components.bootstrap.node import KUBERNETES, NODE_IP
from components.plan import API_PORT

HOST, ADDRESS = "127.0.0.1", "192.0.2.1"
"""kubeadm takes no loopback for the node's address: it gets one that is nobody's (RFC 5737), and nothing binds it."""
API, ETCD = API_PORT, 2379
INIT_NOW, DRY = "/run/isostack/init.yaml", "/run/isostack/dry"
"""Where bootstrap.sh puts what it fills in, and where a dry run of kubeadm writes."""
_PORTS = (API, ETCD, 2380, 2381, 10257, 10259)
"""What the programs of a control plane listen on [documented] https://kubernetes.io/docs/reference/networking
/ports-and-protocols/; 2381 are etcd's metrics."""
_FOLDERS = re.compile(
    r"(?<![\w.-])/(?=(etc/kubernetes|etc/isostack|run/isostack|var/lib/(?:etcd|isostack)|var/log/kubernetes)\b)"
)


@dataclass(frozen=True)
class Scene:
    """What the machines of a test share."""

    tools: str
    """Folder of the programs."""
    ports: Mapping[int, int]
    """By the port that a machine has: the free one that stands for it."""
    issuer: Mapping[str, str]
    """By the issuer of log-ins in a spec: the one that stands for it."""


@dataclass(frozen=True)
class Root:
    """All in which the files and commands differ from a machine's stands in `here` and `command`."""

    path: Path
    scene: Scene

    def here(self, text: str) -> str:
        """The text with this root's folders, free ports, the issuer that is there, and the address that bootstrap.sh
        fills in; and the folder of certificates named, which on a machine is kubeadm's own default."""
        kind = "kind: ClusterConfiguration\n"
        text = text.replace(kind, f"{kind}certificatesDir: {KUBERNETES}/pki\n").replace(NODE_IP, ADDRESS)
        for asked, there in self.scene.issuer.items():
            text = text.replace(asked, there)
        for port, free in self.scene.ports.items():
            text = re.sub(rf"(?<=[:= ]){port}\b", str(free), text)
        return _FOLDERS.sub(f"{self.path}/", text)

    def command(self, name: str) -> list[str]:
        """The command line of a static pod, listening on the loopback alone."""
        program, *flags = (self.here(word) for word in self.container(name)["command"])
        local = [flag if flag.startswith("--advertise-address=") else _on_loopback(flag) for flag in flags]
        more = {
            "kube-apiserver": f"--bind-address={HOST}",
            "kube-controller-manager": f"--secure-port={self.at(10257)}",
        }
        more["kube-scheduler"] = f"--secure-port={self.at(10259)}"
        return [f"{self.scene.tools}/{program}", *local, *([more[name]] if name in more else [])]

    def put(self, files: Mapping[str, str]) -> None:
        for path, content in files.items():
            self.write(path, self.here(content))
        if INIT in files:
            self.write(INIT_NOW, "\n---\n".join(self.read(path) for path in (INIT, CLUSTER)))

    def file(self, path: str) -> Path:
        return self.path / path.lstrip("/")

    def read(self, path: str) -> str:
        return self.file(path).read_text("utf-8")

    def write(self, path: str, content: str) -> None:
        self.file(path).parent.mkdir(parents=True, exist_ok=True)
        self.file(path).write_text(content, encoding="utf-8")

    def at(self, port: int) -> int:
        return self.scene.ports[port]

    def kubeadm(self, *arguments: str) -> str:
        self.file(DRY).mkdir(parents=True, exist_ok=True)
        folders = {f"KUBEADM_{verb}_DRYRUN_DIR": str(self.file(DRY)) for verb in ("INIT", "JOIN")}
        return run([f"{self.scene.tools}/kubeadm", *arguments], {**os.environ, **folders})

    def phase(self, *arguments: str) -> str:
        return self.kubeadm("init", "phase", *arguments, "--config", str(self.file(INIT_NOW)))

    @cached_property
    def pods(self) -> Mapping[str, Any]:
        """The static pods that kubeadm makes from this configuration and these keys, by name. The certificates and
        kubeconfigs that it makes beside them are real; the pods come from a dry run, or they would be written to
        /etc/kubernetes/manifests."""
        self.phase("certs", "all")
        self.phase("kubeconfig", "all", "--kubeconfig-dir", str(self.file(KUBERNETES)))
        self.phase("control-plane", "all", "--dry-run")
        self.phase("etcd", "local", "--dry-run")
        files = self.file(DRY).glob("*.yaml")
        return {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in sorted(files)}

    def container(self, name: str) -> Any:
        (container,) = self.pods[name]["spec"]["containers"]
        return container

    def folders(self, name: str) -> list[Path]:
        """What the kubelet makes before it starts the pod."""
        volumes = (volume["hostPath"] for volume in self.pods[name]["spec"]["volumes"])
        return [Path(self.here(each["path"])) for each in volumes if each.get("type") == "DirectoryOrCreate"]


def _on_loopback(flag: str) -> str:
    name, _, values = flag.partition("=")
    words = re.sub(rf"{re.escape(ADDRESS)}|0\.0\.0\.0", HOST, values).split(",")
    return f"{name}={','.join(dict.fromkeys(words))}"


def run(command: list[str], environment: Mapping[str, str] | None = None, text: str = "") -> str:
    """What the program prints; its complaint is the failure."""
    done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def scene_ports() -> dict[int, int]:
    return dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))


def free_ports(number: int) -> list[int]:
    with ExitStack() as kept:
        sockets = [kept.enter_context(socket.create_server((HOST, 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in sockets]
