"""A control plane that runs: the programs of kubeadm's static pods on the loopback, and who speaks to them."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import yaml

from components.bootstrap.kubeadm import DISCOVERY, PKI
from components.bootstrap.node import KUBERNETES
from tests.cluster.made import Stack
from tests.cluster.root import API, ETCD, HOST, Root, run

SECONDS = 60
STACK, SUPER = f"{KUBERNETES}/stack.conf", f"{KUBERNETES}/super-admin.conf"
# As kubeadm init makes it by super-admin.conf; alone, its phases do so only for /etc/kubernetes/admin.conf
# [seen] kubernetes 1.36.3 cmd/kubeadm/app/cmd/init.go, Client, and phases/kubeconfig/kubeconfig.go.
_ADMINS = "kubeadm:cluster-admins"
_BIND_ADMINS = ("create", "clusterrolebinding", _ADMINS, "--clusterrole=cluster-admin", f"--group={_ADMINS}")


@dataclass(frozen=True)
class Answer:
    status: int
    body: str


@dataclass(frozen=True)
class Cluster:
    """The first control-plane node of a stack, serving."""

    stack: Stack
    root: Root

    def kubectl(self, *arguments: str, text: str = "", kubeconfig: str = STACK) -> str:
        """By default as the stack's admin: with its keys, and the server's certificate checked for the stack's CA and
        the address that the stack's kubeconfig names."""
        return run([*self.command(kubeconfig), *arguments], text=text)

    def command(self, kubeconfig: str = STACK) -> list[str]:
        cache = str(self.root.file("kubectl"))
        return [
            f"{self.root.scene.tools}/kubectl",
            "--cache-dir",
            cache,
            "--kubeconfig",
            str(self.root.file(kubeconfig)),
        ]

    def object(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "--output=json"))

    def apply(self, objects: Sequence[Mapping[str, Any]], *options: str) -> str:
        """By a server-side apply that refuses fields which the server does not know. What is said of the objects,
        without the lines of those that are taken; so nothing."""
        everything = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        command = [*self.command(), "apply", "--server-side", "--validate=strict", "--filename=-", *options]
        done = subprocess.run(command, input=everything, capture_output=True, text=True, timeout=60, check=False)
        return done.stderr

    def ask(self, path: str, *, ca: str | None = None, token: str = "") -> Answer:
        """What the API answers to who has no certificate and trusts this CA."""
        context = ssl.create_default_context(cadata=ca or self.root.read(f"{PKI}/ca.crt"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's own default from 3.13 on
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return _ask(context, self.root.at(API), endpoint(self.stack.kubeconfig), "GET", path, headers)

    def stored(self, key: str) -> bytes:
        """What etcd holds under this key, asked as the API server asks."""
        files = [str(self.root.file(f"{PKI}/{name}")) for name in ("etcd/ca.crt", "apiserver-etcd-client.crt")]
        context = ssl.create_default_context(cafile=files[0])
        context.load_cert_chain(files[1], files[1].replace(".crt", ".key"))
        body = json.dumps({"key": base64.b64encode(key.encode()).decode()})
        (found,) = json.loads(_ask(context, self.root.at(ETCD), HOST, "POST", "/v3/kv/range", {}, body).body)["kvs"]
        return base64.b64decode(found["value"])

    def node(self, name: str, folder: Path) -> Root:
        """Another machine of the stack, in a folder of its own: its files find this cluster."""
        root = Root(folder, self.root.scene)
        root.put(self.stack.files[name])
        put_kubeconfig(root, DISCOVERY, yaml.safe_load(root.read(DISCOVERY)))
        return root


def put_kubeconfig(root: Root, path: str, config: Mapping[str, Any]) -> None:
    """The same but for where it finds the server, whose certificate must still be that of the address in it."""
    (cluster,) = config["clusters"]
    found = {"server": f"https://{HOST}:{root.at(API)}", "tls-server-name": endpoint(config)}
    local = {**config, "clusters": [{**cluster, "cluster": {**cluster["cluster"], **found}}]}
    root.write(path, json.dumps(local))


def endpoint(kubeconfig: Mapping[str, Any]) -> str:
    (cluster,) = kubeconfig["clusters"]
    return str(urlsplit(cluster["cluster"]["server"]).hostname)


@contextmanager
def running(
    stack: Stack, root: Root, trusted: Path, flags: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Iterator[Cluster]:
    """The cluster of a stack's first node, ready. Nothing of it runs on afterwards, whatever happened. `trusted` holds
    the CAs of the world outside, `flags` what a program is told beside its static pod."""
    root.put(stack.files[stack.first])
    cluster = Cluster(stack, root)
    with ExitStack() as kept:
        kept.enter_context(_static_pod(root, "etcd", trusted))
        server = kept.enter_context(_static_pod(root, "kube-apiserver", trusted))
        until(lambda: _ready(cluster, server), "the API server becomes ready", partial(log, root, "kube-apiserver"))
        put_kubeconfig(root, SUPER, yaml.safe_load(root.read(SUPER)))
        cluster.kubectl(*_BIND_ADMINS, kubeconfig=SUPER)
        put_kubeconfig(root, STACK, stack.kubeconfig)
        for name, port in (("kube-controller-manager", 10257), ("kube-scheduler", 10259)):
            own = f"{KUBERNETES}/{name.removeprefix('kube-')}.conf"
            put_kubeconfig(root, own, yaml.safe_load(root.read(own)))
            kept.enter_context(_static_pod(root, name, trusted, flags.get(name, ())))
            until(partial(_healthy, root.at(port)), f"{name} is well", partial(log, root, name))
        yield cluster


def until(done: Callable[[], bool], what: str, why: Callable[[], str] = str, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"in vain waited until {what}\n{why()}"
        time.sleep(0.1)


def _ready(cluster: Cluster, server: subprocess.Popen[bytes]) -> bool:
    assert server.poll() is None, log(cluster.root, "kube-apiserver")
    try:
        return cluster.ask("/readyz").status == 200
    except OSError:
        return False


def _healthy(port: int) -> bool:
    """Its certificate is its own."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        return _ask(context, port, HOST, "GET", "/healthz", {}).status == 200
    except OSError:
        return False


@contextmanager
def _static_pod(root: Root, name: str, trusted: Path, flags: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    for folder in root.folders(name):
        folder.mkdir(parents=True, exist_ok=True)
    with program(root, name, [*root.command(name), *flags], {**os.environ, "SSL_CERT_FILE": str(trusted)}) as process:
        yield process


@contextmanager
def program(
    root: Root, name: str, command: Sequence[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs as long as this, with its log beside the root's files."""
    with root.file(f"{name}.log").open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=root.path, env=environment)
        # Ends it also when the tests are killed: its input then ends.
        guard = subprocess.Popen(["sh", "-c", 'read -r _; kill -9 "$1"', "sh", str(process.pid)], stdin=subprocess.PIPE)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            guard.kill()
            guard.communicate()


def log(root: Root, name: str) -> str:
    return root.file(f"{name}.log").read_text("utf-8", "replace")[-4000:]


def _ask(
    context: ssl.SSLContext,
    port: int,
    name: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: str | None = None,
) -> Answer:
    """`name` is what the certificate must be of."""
    with socket.create_connection((HOST, port), 10) as plain, context.wrap_socket(plain, server_hostname=name) as tls:
        connection = http.client.HTTPConnection(name)
        connection.sock = tls
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode("utf-8", "replace"))
