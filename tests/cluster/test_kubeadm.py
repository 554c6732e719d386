"""What kubeadm says of the configurations in user data, and what it makes of them with the stack's keys."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.addons.etcd_backup import ETCD
from components.bootstrap.kubeadm import CLUSTER, INIT, JOIN
from components.bootstrap.versions import minor
from components.spec import MINORS
from tests.cluster.made import EDGE, SHOP, Stack, made_of_version, one_of_each
from tests.cluster.root import INIT_NOW, Root, Scene, run, scene_ports
from tests.specs import ROOT
from tests.tools import folder

PODS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True)
class Release:
    """The kubeadm of a minor."""

    version: str
    scene: Scene


@pytest.fixture(scope="session", params=MINORS, ids=lambda number: f"1.{number}")
def release(request: pytest.FixtureRequest) -> Release:
    """A minor's kubeadm has a folder of its own in tools/, unless it comes with the other programs."""
    own = f"kubeadm-1.{request.param}"
    name = own if (ROOT / "tools" / own).is_dir() else "kubernetes"
    tools = folder(name, f"no Go to compile kubeadm 1.{request.param}: what it says of user data is not known")
    version = run([f"{tools}/kubeadm", "version", "--output=short"]).strip().removeprefix("v")
    assert minor(version) == request.param
    return Release(version, Scene(tools, scene_ports(), {}))


def test_kubeadm_finds_every_configuration_valid(stack: Stack, scene: Scene, tmp_path: Path) -> None:
    validate(stack, scene, tmp_path)


@pytest.mark.parametrize("name", [SHOP, EDGE])
def test_each_minor_s_own_kubeadm_does(name: str, release: Release, tmp_path: Path) -> None:
    validate(made_of_version(name, release.version), release.scene, tmp_path)


def test_each_minor_s_own_kubeadm_finds_what_is_wrong(release: Release, tmp_path: Path) -> None:
    stack = made_of_version(EDGE, release.version)
    root = Root(tmp_path, release.scene)
    root.put(stack.files[stack.first])
    good = root.read(INIT_NOW)
    for right, wrong in (("clusterName:", "clusterNames:"), ("tlsBootstrap: 10m0s", "tlsBootstrap: soon")):
        root.write(INIT_NOW, good.replace(right, wrong))
        with pytest.raises(AssertionError, match=wrong.rpartition(" ")[2].rstrip(":")):
            root.kubeadm("config", "validate", "--config", str(root.file(INIT_NOW)))


def validate(stack: Stack, scene: Scene, folder: Path) -> None:
    """Asks kubeadm of every configuration in the user data of a machine of each kind."""
    seen = set()
    for name in one_of_each(stack.plan):
        root = Root(folder / name, scene)
        root.put(stack.files[name])
        for path in {INIT, JOIN, CLUSTER} & stack.files[name].keys():
            seen.add(path)
            file = root.file(INIT_NOW) if path == INIT else root.file(path)
            root.kubeadm("config", "validate", "--config", str(file))
    assert seen == {INIT, JOIN, CLUSTER}


def test_static_pods_find_every_file_that_they_are_told_of(stack: Stack, scene: Scene, tmp_path: Path) -> None:
    """A server without one of its files never starts: and a file that the pod does not mount is not there."""
    root = Root(tmp_path, scene)
    root.put(stack.files[stack.first])
    assert set(root.pods) == set(PODS)
    for name in PODS:
        container = root.container(name)
        for flag in container["command"][1:]:
            key, _, path = flag.partition("=")
            if not path.startswith("/"):
                continue
            assert [m for m in container["volumeMounts"] if f"{path}/".startswith(f"{m['mountPath']}/")], (name, flag)
            here = Path(root.here(path))
            assert here.is_file() or key in ("--audit-log-path", "--data-dir"), (name, flag)


def test_pause_and_etcd_s_image_are_those_that_kubeadm_pulls(stack: Stack, scene: Scene, tmp_path: Path) -> None:
    root = Root(tmp_path, scene)
    root.put(stack.files[stack.first])
    assert {pause(root), ETCD} <= images(root)


def test_pause_is_that_of_each_minor_s_own_kubeadm(release: Release, tmp_path: Path) -> None:
    stack = made_of_version(EDGE, release.version)
    root = Root(tmp_path, release.scene)
    root.put(stack.files[stack.first])
    assert pause(root) in images(root)


def pause(root: Root) -> str:
    config = tomllib.loads(root.read("/etc/containerd/config.toml"))
    return str(config["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"])


def images(root: Root) -> set[str]:
    return set(root.kubeadm("config", "images", "list", "--config", str(root.file(CLUSTER))).split())
