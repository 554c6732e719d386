"""The API server of a stack's first node: ready, with the stack's keys, and with its files put to use."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from components.bootstrap.apiserver import AUDIT_LOGS
from components.bootstrap.kubeadm import PKI
from tests.cluster.issuer import Issuer
from tests.cluster.made import EDGE, made
from tests.cluster.root import API, HOST, Root, Scene
from tests.cluster.running import Cluster, put_kubeconfig, running, until
from tests.specs import ROOT

OTHER = "/etc/kubernetes/other.conf"
SECRET = "correct horse battery staple"


@pytest.fixture(scope="session")
def stored(cluster: Cluster) -> str:
    """The name of a Secret and of a ConfigMap with the same words."""
    name = "words"
    for kind in (("secret", "generic"), ("configmap",)):
        cluster.kubectl("create", *kind, name, "--namespace=default", f"--from-literal=words={SECRET}")
    return name


def test_the_stack_s_kubeconfig_is_that_of_an_admin(cluster: Cluster) -> None:
    said = json.loads(cluster.kubectl("auth", "whoami", "--output=json"))["status"]["userInfo"]
    assert (said["username"], said["groups"][0]) == ("isostack-admin", "kubeadm:cluster-admins")
    assert cluster.kubectl("auth", "can-i", "*", "*").strip() == "yes"


def test_an_up_goes_on_once_the_api_is_ready(cluster: Cluster) -> None:
    """By the program that `pulumi up` runs."""

    def told(ca: str) -> int:
        environment = {"SERVER": f"https://{HOST}:{cluster.root.at(API)}", "CA": ca, "SECONDS": "0"}
        command = [sys.executable, "-P", str(ROOT / "components/readiness.py")]
        return subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False).returncode

    assert told(cluster.root.read(f"{PKI}/ca.crt")) == 0
    assert told(made(EDGE).files[made(EDGE).first][f"{PKI}/ca.crt"]) == 1


def test_nobody_of_another_cluster_comes_in(cluster: Cluster) -> None:
    other = made(EDGE)
    with pytest.raises(ssl.SSLCertVerificationError):
        cluster.ask("/readyz", ca=other.files[other.first][f"{PKI}/ca.crt"])
    own, (user,) = cluster.stack.kubeconfig, other.kubeconfig["users"]
    config = {**own, "users": [{**user, "name": own["users"][0]["name"]}]}
    put_kubeconfig(cluster.root, OTHER, config)
    with pytest.raises(AssertionError, match="Unauthorized"):
        cluster.kubectl("get", "--raw=/api", kubeconfig=OTHER)


def test_secrets_are_ciphertext_in_etcd(cluster: Cluster, stored: str) -> None:
    kept = cluster.stored(f"/registry/secrets/default/{stored}")
    assert kept.startswith(b"k8s:enc:secretbox:v1:key1:")
    assert SECRET.encode() not in kept
    assert SECRET.encode() in cluster.stored(f"/registry/configmaps/default/{stored}")
    told = cluster.object("secret", stored, "--namespace=default")["data"]["words"]
    assert base64.b64decode(told).decode() == SECRET


def test_the_audit_log_says_who_did_what_and_no_secret(cluster: Cluster, stored: str) -> None:
    log = cluster.root.read(f"{AUDIT_LOGS}/audit.log")
    lines = [json.loads(line) for line in log.splitlines()]
    assert SECRET not in log
    made = [line for line in lines if line.get("objectRef", {}).get("name") == stored and line["verb"] == "create"]
    assert {(line["objectRef"]["resource"], line["user"]["username"]) for line in made} == {
        ("secrets", "isostack-admin"),
        ("configmaps", "isostack-admin"),
    }
    assert {line["level"] for line in lines} == {"Metadata"}
    assert not [line for line in lines if line["requestURI"].startswith(("/readyz", "/livez"))]


@pytest.mark.skipif(sys.platform == "darwin", reason="Go asks the system there for trusted CAs, and no file")
def test_people_log_in_by_the_issuer_and_cannot_call_themselves_masters(cluster: Cluster, issuer: Issuer) -> None:
    def ask(**claims: object) -> int:
        return cluster.ask("/api/v1/nodes", token=issuer.token(**claims)).status

    alice = {"sub": "1", "email": "alice@example.com", "email_verified": True, "aud": "kubernetes"}
    until(lambda: ask(**alice) != 401, "the server knows the issuer")
    assert ask(**alice, groups=["system:masters"]) == 403
    cluster.kubectl("create", "clusterrole", "reader", "--verb=list", "--resource=nodes")
    cluster.kubectl("create", "clusterrolebinding", "people", "--clusterrole=reader", "--group=oidc:people")
    cluster.kubectl("create", "clusterrolebinding", "bob", "--clusterrole=reader", "--user=oidc:bob@example.com")
    until(lambda: ask(**alice, groups=["people"]) == 200, "a group of the issuer's may read nodes")
    until(lambda: ask(**{**alice, "email": "bob@example.com"}) == 200, "a user of the issuer's may read nodes")
    assert ask(**alice) == 403
    assert ask(**{**alice, "aud": "another"}) == 401


def test_it_comes_up_for_the_smaller_spec_too(scene: Scene, issuer: Issuer, tmp_path: Path) -> None:
    with running(made(EDGE), Root(tmp_path, scene), issuer.ca) as edge:
        assert edge.kubectl("get", "--raw=/readyz") == "ok"
