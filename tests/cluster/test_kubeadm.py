"""What kubeadm says of the configurations in user data, and what it makes of them with the stack's keys."""

from __future__ import annotations

import tomllib
from pathlib import Path

from components.addons.etcd_backup import ETCD
from components.bootstrap.kubeadm import CLUSTER, INIT, JOIN
from tests.cluster.made import Stack, one_of_each
from tests.cluster.root import INIT_NOW, Root, Scene

PODS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def test_kubeadm_finds_every_configuration_valid(stack: Stack, scene: Scene, tmp_path: Path) -> None:
    seen = set()
    for name in one_of_each(stack.plan):
        root = Root(tmp_path / name, scene)
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
    images = root.kubeadm("config", "images", "list", "--config", str(root.file(CLUSTER))).split()
    config = tomllib.loads(root.read("/etc/containerd/config.toml"))
    assert config["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] in images
    assert ETCD in images
