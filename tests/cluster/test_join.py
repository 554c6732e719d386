"""What bootstrap.sh does with kubeadm and kubectl, against a real API server."""

from __future__ import annotations

import base64
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from components.bootstrap.kubeadm import DISCOVERY, JOIN, PKI
from components.bootstrap.node import CONFIG, KUBERNETES
from components.bootstrap.script import SCRIPT
from tests.cluster.made import EDGE, SHOP, Stack, made, one_of_each, plans
from tests.cluster.root import API, DRY, HOST, Root, run
from tests.cluster.running import SUPER, Cluster, put_kubeconfig, until

LEASE = "isostack-control-plane-join"
ADMIN, KUBELET = "/run/isostack/admin.conf", f"{KUBERNETES}/kubelet.conf"
MACHINES = one_of_each(plans()[SHOP])
PEERS = [name for name in MACHINES if "control-plane" in name]


@pytest.fixture(scope="session")
def initialised(cluster: Cluster) -> Cluster:
    """As kubeadm init leaves it: its last phases, on the running server."""
    for phase in (("upload-config", "all"), ("bootstrap-token",)):
        cluster.root.phase(*phase, "--kubeconfig", str(cluster.root.file(SUPER)))
    return cluster


@pytest.mark.parametrize("name", MACHINES)
def test_every_kind_of_machine_joins(initialised: Cluster, name: str, tmp_path: Path) -> None:
    """A dry run: kubeadm finds the cluster by the discovery file, is let in by the token, reads the cluster's
    configuration and makes the node's files. With them the node is registered as its kubelet would."""
    root = initialised.node(name, tmp_path)
    if root.file(PKI).exists():
        shutil.copytree(root.file(PKI), root.file(DRY))  # where a dry run looks for the keys that came with the machine
    options = ("--config", str(root.file(JOIN)), "--dry-run", "--ignore-preflight-errors=all")
    assert "This node has joined the cluster" in root.kubeadm("join", *options)
    (line,) = root.read(f"{DRY}/kubeadm-flags.env").splitlines()
    flags = dict(flag[2:].partition("=")[::2] for flag in shlex.split(line.partition("=")[2])[0].split())
    assert flags["hostname-override"] == name
    node = _node(name, flags)
    _certified(root, name)
    initialised.kubectl("delete", "node", name, "--ignore-not-found")
    kubectl = [f"{root.scene.tools}/kubectl", "--kubeconfig", str(root.file(KUBELET))]
    run([*kubectl, "create", "--validate=strict", "--filename=-"], text=json.dumps(node))
    taken = initialised.object("node", name)
    # What the script then sees, with the node's own certificate.
    worker = "control-plane" not in name
    assert (_says(root, "joined")[0] == 0) is worker
    if not worker:
        initialised.kubectl("label", "node", name, "node-role.kubernetes.io/control-plane=")  # kubeadm's last phase
        assert _says(root, "joined")[0] == 0
    assert node["metadata"]["labels"].items() <= taken["metadata"]["labels"].items()
    assert node["spec"]["taints"] == [
        taint for taint in taken["spec"].get("taints", ()) if "kubernetes.io" not in taint["key"]
    ]


def test_the_script_finds_the_api(initialised: Cluster, tmp_path: Path) -> None:
    for name in (MACHINES[-1], PEERS[1]):
        root = initialised.node(name, tmp_path / name)
        assert _says(root, "api_ready") == (0, "ok")
    assert _says(initialised.root, "local_api_ready") == (0, "ok")
    other = made(EDGE)
    root.write(DISCOVERY, root.read(DISCOVERY).replace(_ca(initialised.stack), _ca(other)))
    assert _says(root, "api_ready")[0] != 0


def test_control_plane_nodes_join_one_at_a_time(initialised: Cluster, tmp_path: Path) -> None:
    roots = {name: initialised.node(name, tmp_path / name) for name in PEERS}
    for root in roots.values():
        assert _says(root, "install -d $RUN", "admin_kubeconfig")[0] == 0
        put_kubeconfig(root, ADMIN, yaml.safe_load(root.read(ADMIN)))
    first, second = _race(roots)
    assert _says(roots[first], "try_turn")[0] == 0  # it keeps its turn, also when its script starts anew
    assert _says(roots[second], "try_turn")[0] != 0
    # A turn whose holder died is taken over, and by one alone.
    dead = {"spec": {"holderIdentity": "dead", "renewTime": "2020-01-01T00:00:00.000000Z"}}
    where = ("lease", LEASE, "--namespace=kube-system")
    initialised.kubectl("patch", *where, "--type=merge", f"--patch={json.dumps(dead)}")
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    first, second = _race(roots, _meet(meeting))
    assert initialised.object(*where)["spec"]["holderIdentity"] == first
    assert _says(roots[first], "give_turn")[0] == 0
    assert _says(roots[second], "try_turn")[0] == 0


def _meet(folder: Path) -> str:
    """Before either takes an old turn, both have seen it."""
    return f"""kubectl() {{
        if [[ " $* " == *" replace "* ]]; then
            touch "{folder}/$NODE_NAME"
            for _ in {{1..200}}; do [[ $(ls "{folder}" | wc -l) == 1 ]] || break; sleep 0.05; done
        fi
        command kubectl "$@"
    }}"""


def _race(roots: Mapping[str, Root], *before: str) -> tuple[str, str]:
    """Both ask for the turn at once: who gets it and who does not."""
    asked = {name: _start(root, *before, "try_turn") for name, root in roots.items()}
    got = {name: process.communicate(timeout=60) and process.returncode == 0 for name, process in asked.items()}
    assert sorted(got.values()) == [False, True]
    first, second = sorted(got, key=lambda name: not got[name])
    return first, second


def _ca(stack: Stack) -> str:
    return str(stack.kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"])


def _node(name: str, flags: dict[str, str]) -> dict[str, Any]:
    """The Node that a kubelet with these flags registers."""
    taints = []
    for taint in filter(None, flags.get("register-with-taints", "").split(",")):
        key, value, effect = re.split("[=:]", taint)
        taints.append({"effect": effect, "key": key, "value": value})
    labels = dict(label.split("=") for label in flags["node-labels"].split(","))
    metadata = {"name": name, "labels": {**labels, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": taints}}


def _certified(root: Root, name: str) -> None:
    """Writes the node's kubeconfig: with the certificate that a kubelet gets for the token that it starts with."""
    # A control-plane node asks the API server beside it, at its own address.
    there = f"--server=https://{HOST}:{root.at(API)}"
    bootstrap = root.file(f"{DRY}/bootstrap-kubelet.conf")
    kubectl = [f"{root.scene.tools}/kubectl", there, "--kubeconfig", str(bootstrap)]
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = (NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, f"system:node:{name}")
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    signed = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    spec = {
        "request": base64.b64encode(signed.public_bytes(Encoding.PEM)).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
        "usages": ["digital signature", "client auth"],
    }
    request = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "spec": spec}
    run([*kubectl, "create", "--filename=-"], text=json.dumps({**request, "metadata": {"name": name}}))
    ask = [*kubectl, "get", "csr", name, "--output=jsonpath={.status.certificate}"]
    until(lambda: bool(run(ask)), f"the controller manager signs the certificate of {name}")
    pem = base64.b64encode(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())).decode()
    config = yaml.safe_load(root.read(DISCOVERY))
    (user,) = config["users"]
    user["user"] = {"client-certificate-data": run(ask), "client-key-data": pem}
    root.write(KUBELET, json.dumps(config))


def _start(root: Root, *calls: str) -> subprocess.Popen[str]:
    """Functions of bootstrap.sh: its text up to where it sets out."""
    functions = re.split(r"^trap finish EXIT$", root.read(SCRIPT), maxsplit=1, flags=re.MULTILINE)[0]
    lines = [functions, f". {root.file(CONFIG)}/node.env", f"PATH={root.scene.tools}:$PATH", *calls]
    return subprocess.Popen(["bash", "-c", "\n".join(lines)], stdout=subprocess.PIPE, text=True)


def _says(root: Root, *calls: str) -> tuple[int, str]:
    process = _start(root, *calls)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out.strip()
