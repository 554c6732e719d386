"""Storage backend nfs: a directory on an NFS server for each volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import cilium
from components.addons.backend import Backend, Offer, Provision
from components.plan import Addon, Release
from components.spec import Spec, StorageClass

DRIVER = "nfs.csi.k8s.io"


def _provision(storage_class: StorageClass, target: Any) -> Provision:
    return Provision(DRIVER, {"server": target.storage.nfs.server, "share": target.storage.nfs.share})


def _addons(spec: Spec, target: Any, classes: tuple[StorageClass, ...]) -> Iterator[Addon]:
    release = Release(
        name="csi-driver-nfs",
        namespace="kube-system",
        chart="csi-driver-nfs",
        # [documented] github.com/kubernetes-csi/csi-driver-nfs charts/index.yaml, 2026-07-02. Its pods tolerate the
        # control plane (controller) and everything (node) by default.
        version="4.13.4",
        repo="https://raw.githubusercontent.com/kubernetes-csi/csi-driver-nfs/master/charts",
        # A cluster has one snapshot controller; the chart's own stays off.
        values={"controller": {"enableSnapshotter": any(c.snapshots for c in classes)}},
    )
    yield Addon(
        name="csi-driver-nfs",
        serves=("storage.classes.*.snapshots", "storage.classes.*.expansion", "storage.classes.*.accessModes"),
        objects=(release,),
        common=False,
        after=(cilium.NAME,),
    )


BACKEND = Backend(
    name="nfs",
    snapshots=Offer(
        "degraded", "csi-driver-nfs", "a snapshot is a tar archive of the directory: a full copy, and not of one moment"
    ),
    expansion=Offer("equal", "csi-driver-nfs", "sizes are not enforced: a volume may fill the share"),
    access_modes=("ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"),
    constraints="a directory of the share for each volume",
    source="[documented] github.com/kubernetes-csi/csi-driver-nfs deploy/example/snapshot, pkg/nfs/controllerserver.go",
    newest="1.37",  # 1.21 and later
    provision=_provision,
    addons=_addons,
)
