"""Volume snapshots: the cluster's one snapshot controller, and a VolumeSnapshotClass for each class with the wish."""

from __future__ import annotations

from collections.abc import Iterator

from components.addons import cilium
from components.addons.placement import SHARED_NODES
from components.addons.storage import backend_of
from components.plan import Addon, Manifest, Release
from components.spec import Spec, StorageClass
from components.target import TargetConfig

NAME = "snapshot-controller"
CLASSES = "snapshot-classes"


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    wishes = [c for c in spec.storage.classes if c.snapshots]
    if not wishes:
        return
    release = Release(
        name=NAME,
        namespace="kube-system",
        chart=NAME,
        # Upstream has no chart. This one brings the custom resources and the controller 8.6.0 [documented]
        # github.com/piraeusdatastore/helm-charts, 2026-07-21
        version="5.2.0",
        repo="https://piraeus.io/helm-charts",
        values={"controller": {"replicaCount": 2, "tolerations": SHARED_NODES}},
    )
    serves = ("storage.classes.*.snapshots",)
    yield Addon(name=NAME, serves=serves, objects=(release,), after=(cilium.NAME,))
    yield Addon(
        name=CLASSES,
        serves=serves,
        objects=tuple(_snapshot_class(c, target) for c in wishes),
        mechanism=tuple(f"VolumeSnapshotClass/{c.name}:{part}" for c in wishes for part in ("driver", "parameters")),
        after=(NAME,),
    )


def _snapshot_class(wish: StorageClass, target: TargetConfig) -> Manifest:
    """Of the name of its StorageClass: no other says which belong together."""
    made = backend_of(wish, target).provision(wish, target)
    body = {"driver": made.driver, "deletionPolicy": "Delete", "parameters": dict(made.snapshot_parameters)}
    return Manifest("snapshot.storage.k8s.io/v1", "VolumeSnapshotClass", wish.name, body)
