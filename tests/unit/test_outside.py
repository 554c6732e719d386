"""How machines reach the world outside: what a config may say of it, and the files that come of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import bootstrap, targets
from components.bootstrap.host import files as host_files
from components.bootstrap.late import Late
from components.bootstrap.node import Node
from components.bootstrap.outside import APT_PROXY, AUTHORITY, CONTAINERD_PROXY, MIRRORS, PROXY
from components.bootstrap.render import render
from components.load import load_target
from components.plan import Plan
from components.planning import make_plan
from components.problems import InvalidInput
from components.spec import Spec
from tests import configs
from tests.configs import PLACES, config_data
from tests.specs import spec

PLACE = PLACES["vsphere"]
FILES = {f"{MIRRORS}/{registry}/hosts.toml" for registry in PLACE["registryMirrors"]} | {
    *(AUTHORITY, PROXY, CONTAINERD_PROXY, APT_PROXY)
}
KEY = configs.AUTHORITY.replace("CERTIFICATE", "PRIVATE KEY")
MIRROR = "https://mirror.example.com"


def plan(kind: str, folder: Path, place: dict[str, Any], a_spec: Spec | None = None) -> Plan:
    a_spec = a_spec or spec()
    folder.mkdir(exist_ok=True)
    plain = {key: value for key, value in config_data(kind, a_spec, folder).items() if key not in PLACE}
    return make_plan(a_spec, load_target({**plain, **place}, folder, None, a_spec))


def files(a_plan: Plan) -> list[dict[str, str]]:
    """By machine and path: what is written."""
    texts = (render(a_plan, machine, Late.placeholder()) for machine in a_plan.machines)
    return [{file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]} for text in texts]


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ({"registryMirrors": {"https://docker.io": [MIRROR]}}, "'https://docker.io' is not the name of a registry"),
        ({"registryMirrors": {"../x": [MIRROR]}}, "'../x' is not the name of a registry"),
        ({"registryMirrors": {"docker.io": ["http://mirror.example.com"]}}, "use https; a CA of your own"),
        ({"registryMirrors": {"docker.io": ["mirror.example.com"]}}, "is not the URL of a mirror"),
        ({"registryMirrors": {"docker.io": [f"{MIRROR}/a'b"]}}, "is not the URL of a mirror"),
        ({"registryMirrors": {"docker.io": [f"{MIRROR}/v2/"]}}, "is not the URL of a mirror"),
        ({"registryMirrors": {"docker.io": ["https://me:CANARY@mirror.example.com"]}}, "credentials in a URL"),
        ({"registryMirrors": {"docker.io": [MIRROR, MIRROR]}}, f"'{MIRROR}' stands twice"),
        ({"registryMirrors": {"docker.io": []}}, "registryMirrors"),
        ({"registryMirrors": {"docker.io": [MIRROR]}, "registryCa": "mirror.crt"}, "not a certificate in PEM"),
        ({"registryMirrors": {"docker.io": [MIRROR]}, "registryCa": KEY}, "a private key stands in it"),
        (
            {"registryMirrors": {"docker.io": [MIRROR]}, "registryCa": configs.AUTHORITY.replace("MII", "AAA")},
            "no certificate can be read in it",
        ),
        ({"registryCa": configs.AUTHORITY}, "registryCa: no mirror has this CA"),
        ({"proxy": {}}, "proxy: no proxy is named"),
        ({"proxy": {"noProxy": ["example.com"]}}, "proxy: no proxy is named"),
        ({"proxy": {"http": "http://me:CANARY@proxy.example.com:3128"}}, "proxy.http: credentials in a URL"),
        ({"proxy": {"http": "http://proxy.example.com"}}, "names no port"),
        ({"proxy": {"https": "socks5://proxy.example.com:1080"}}, "is not the URL of a proxy"),
        ({"proxy": {"https": "http://proxy.example.com:3128/$(id)"}}, "is not the URL of a proxy"),
        ({"proxy": {"http": "http://p:1", "noProxy": ["*"]}}, "proxy.noProxy[0]: '*' is nothing that can be reached"),
        ({"proxy": {"http": "http://p:1", "noProxy": ["10.20.0.1/16"]}}, "is neither an address nor a network"),
        ({"proxy": {"http": "http://p:1", "noProxy": ["a,b"]}}, "is nothing that can be reached"),
        ({"proxy": {"http": "http://10.244.0.9:3128"}}, "proxy.http: the http proxy 10.244.0.9 is inside the spec's"),
        (
            {"registryMirrors": {"docker.io": [MIRROR, "https://10.96.0.9"]}},
            "registryMirrors.docker.io[1]: the mirror of docker.io 10.96.0.9 is inside the spec's",
        ),
    ],
)
@pytest.mark.parametrize("kind", targets.kinds())
def test_what_cannot_be_is_said(tmp_path: Path, kind: str, place: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(kind, tmp_path, place)
    (problem,) = caught.value.problems
    assert fault in str(problem)
    assert problem.right
    assert "CANARY" not in str(problem)


def test_every_target_s_machines_reach_it_in_the_same_way(tmp_path: Path) -> None:
    found = [files(plan(kind, tmp_path / kind, PLACE)) for kind in targets.kinds()]
    for machines in zip(*found, strict=True):
        own = [{path: text for path, text in machine.items() if path in FILES} for machine in machines]
        assert own[0].keys() == FILES
        assert all(each == own[0] for each in own)


@pytest.mark.parametrize("kind", targets.kinds())
def test_nothing_else_changes_and_what_targets_must_agree_on_does_not(tmp_path: Path, kind: str) -> None:
    bare, placed = (plan(kind, tmp_path / name, place) for name, place in (("bare", {}), ("placed", PLACE)))
    for without, having in zip(files(bare), files(placed), strict=True):
        assert {path: text for path, text in having.items() if path not in FILES} == without
    for machine, other in zip(bare.machines, placed.machines, strict=True):
        ours, theirs = (
            bootstrap.facts(a_plan, each, targets.raw(kind)) for a_plan, each in ((bare, machine), (placed, other))
        )
        assert ours.files == theirs.files
        assert ours.digest != theirs.digest


def test_containerd_reads_mirrors_in_their_order(tmp_path: Path) -> None:
    a_plan = plan("vsphere", tmp_path, PLACE)
    (written, *_) = files(a_plan)
    docker = tomllib.loads(written[f"{MIRRORS}/docker.io/hosts.toml"])
    pulls = {"capabilities": ["pull", "resolve"], "ca": AUTHORITY}
    assert list(docker["host"].items()) == [
        ("https://mirror.example.com/v2/dockerhub", {**pulls, "override_path": True}),
        ("https://second.example.com", pulls),
    ]
    assert docker.keys() == {"host"}  # so the registry itself comes last
    assert written[AUTHORITY] == configs.AUTHORITY
    node = Node.of(a_plan, a_plan.machines[0], Late.placeholder())
    (config,) = (tomllib.loads(f.content) for f in host_files(node) if f.path == "/etc/containerd/config.toml")
    assert config["plugins"]["io.containerd.cri.v1.images"]["registry"]["config_path"] == MIRRORS


def test_a_mirror_whose_ca_the_world_knows_needs_none(tmp_path: Path) -> None:
    (written, *_) = files(plan("vsphere", tmp_path, {"registryMirrors": {"quay.io": [MIRROR]}}))
    assert "ca =" not in written[f"{MIRRORS}/quay.io/hosts.toml"]
    assert not {AUTHORITY, PROXY, CONTAINERD_PROXY, APT_PROXY} & written.keys()


def test_the_cluster_s_own_networks_are_reached_without_the_proxy(tmp_path: Path) -> None:
    (written, *_) = files(plan("vsphere", tmp_path, PLACE))
    lines = dict(line.split("=", 1) for line in written[PROXY].splitlines())
    direct = lines.pop("no_proxy").split(",")
    assert lines == {"http_proxy": PLACE["proxy"]["http"], "https_proxy": PLACE["proxy"]["https"]}
    cluster = spec().kubernetes
    own = ["localhost", "127.0.0.1", ".svc", ".cluster.local", cluster.pod_cidr, cluster.service_cidr]
    assert direct == [*own, *PLACE["proxy"]["noProxy"]]
    assert f"EnvironmentFile={PROXY}" in written[CONTAINERD_PROXY]


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="needs apt")
def test_apt_reads_its_proxy(tmp_path: Path) -> None:
    """One scheme alone has a proxy; the other must not take it."""
    proxy = {"https": "http://proxy.example.com:3128", "noProxy": ["a.example.com", ".example.org", "10.9.0.0/16"]}
    (written, *_) = files(plan("vsphere", tmp_path, {"proxy": proxy}))
    (tmp_path / "apt.conf").write_text(written[APT_PROXY])
    command = ["apt-config", "dump", "--config-file", "apt.conf", "--format", '["%F", "%v"]%n', "Acquire"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    read = dict(json.loads(line) for line in done.stdout.splitlines() if "::Proxy" in line)
    assert {
        name: value for name, value in read.items() if name.startswith(("Acquire::http::", "Acquire::https::"))
    } == {
        "Acquire::http::Proxy": "DIRECT",
        "Acquire::http::Proxy::a.example.com": "DIRECT",
        "Acquire::https::Proxy": "http://proxy.example.com:3128",
        "Acquire::https::Proxy::a.example.com": "DIRECT",
    }
