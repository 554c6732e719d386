"""Storage backend ceph: Rook-Ceph on disks of one pool's nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import cilium
from components.addons.backend import Backend, Offer, Provision
from components.addons.placement import ANY_NODE, SHARED_NODES
from components.plan import POOL, TENANT, Addon, Release
from components.spec import Pool, Spec, StorageClass

NAMESPACE = "rook-ceph"
COPIES = 3
"""Copies of every object, each on a node of its own: Ceph's default, and the nodes that a pool should have."""
_VERSION = "v1.20.6"  # Rook, of 2026-08
_REPO = "https://charts.rook.io/release"
_BLOCKS, _FILES = "isostack-blocks", "isostack-files"


def _provision(storage_class: StorageClass, target: Any) -> Provision:
    """Parameters [documented] github.com/rook/rook v1.20.6 deploy/examples/csi."""
    shared = _is_shared(storage_class)
    kind = "cephfs" if shared else "rbd"
    place = {"fsName": _FILES, "pool": f"{_FILES}-data0"} if shared else {"pool": _BLOCKS, "imageFeatures": "layering"}
    secrets = {"provisioner": "provisioner", "controller-expand": "provisioner", "controller-publish": "provisioner"}
    return Provision(
        driver=f"{NAMESPACE}.{kind}.csi.ceph.com",
        parameters={"clusterID": NAMESPACE, **place, **_secrets(kind, {**secrets, "node-stage": "node"})},
        snapshot_parameters={"clusterID": NAMESPACE, **_secrets(kind, {"snapshotter": "provisioner"})},
    )


def _is_shared(storage_class: StorageClass) -> bool:
    """A block device has one writer; whatever more nodes share is a file system."""
    return storage_class.access_modes != ("ReadWriteOnce",)


def _secrets(kind: str, users: dict[str, str]) -> dict[str, str]:
    """Rook makes the Secrets; the driver finds them by these parameters."""
    return {
        f"csi.storage.k8s.io/{use}-secret-{part}": f"rook-csi-{kind}-{user}" if part == "name" else NAMESPACE
        for use, user in users.items()
        for part in ("name", "namespace")
    }


def _addons(spec: Spec, target: Any, classes: tuple[StorageClass, ...]) -> Iterator[Addon]:
    csi = {"controllerManager": {"tolerations": SHARED_NODES}}
    operator = {"tolerations": SHARED_NODES, "ceph-csi-operator": csi}
    serves = ("storage.classes.*.snapshots", "storage.classes.*.expansion", "storage.classes.*.accessModes")
    yield Addon(
        name="rook-ceph",
        serves=serves,
        objects=(Release("rook-ceph", NAMESPACE, "rook-ceph", _VERSION, _REPO, operator),),
        common=False,
        after=(cilium.NAME,),
    )
    cluster = Release(
        "rook-ceph-cluster", NAMESPACE, "rook-ceph-cluster", _VERSION, _REPO, _cluster(spec, target, classes)
    )
    yield Addon(
        name="ceph-cluster", serves=serves, objects=(_drivers(classes), cluster), common=False, after=("rook-ceph",)
    )


def _drivers(classes: tuple[StorageClass, ...]) -> Release:
    """From 1.20 on the drivers have a chart of their own, of the version that Rook's own chart depends on."""
    # Said of each driver and not once in driverSpecDefaults: the chart writes its own `none` and `[]` into each, and
    # what a driver says itself wins [seen] ceph-csi-operator v1.0.4 internal/controller/driver_controller.go.
    driver = {
        "enabled": True,
        "snapshotPolicy": "volumeSnapshot" if any(c.snapshots for c in classes) else "none",
        "nodePlugin": {"priorityClassName": "system-node-critical", "tolerations": ANY_NODE},
        "controllerPlugin": {"priorityClassName": "system-cluster-critical", "tolerations": SHARED_NODES},
    }
    return Release(
        name="ceph-csi-drivers",
        namespace=NAMESPACE,
        chart="ceph-csi-drivers",
        version="1.0.4",
        repo="https://ceph.github.io/ceph-csi-operator",
        values={
            # Names and image set [documented] github.com/rook/rook v1.20.6 deploy/charts/ceph-csi-drivers/values.yaml
            "operatorConfig": {
                "namespace": NAMESPACE,
                "driverSpecDefaults": {"imageSet": {"name": "rook-csi-operator-image-set-configmap"}},
            },
            "drivers": {
                "rbd": {**driver, "name": f"{NAMESPACE}.rbd.csi.ceph.com"},
                "cephfs": {**driver, "name": f"{NAMESPACE}.cephfs.csi.ceph.com"},
                "nfs": {"enabled": False},
                "nvmeof": {"enabled": False},
            },
        },
    )


def _cluster(spec: Spec, target: Any, classes: tuple[StorageClass, ...]) -> dict[str, Any]:
    """The cluster and its pools. The StorageClasses are the spec's and stand elsewhere."""
    ceph = target.storage.ceph
    nodes, placement = spec.pool(ceph.pool).nodes, _placement(spec.pool(ceph.pool))
    copies = min(COPIES, nodes)
    replicated = {"size": copies, "requireSafeReplicaSize": copies > 1}
    return {
        "cephClusterSpec": {
            "placement": {"all": placement},
            # A majority of monitors must live: two are worse than one.
            "mon": {"count": 3 if nodes >= 3 else 1},
            "mgr": {"count": min(2, nodes)},
            "dashboard": {"enabled": False},
            "storage": {"useAllNodes": True, "useAllDevices": False, "deviceFilter": ceph.device_filter},
        },
        "cephBlockPools": [
            {
                "name": _BLOCKS,
                "spec": {"failureDomain": "host", "replicated": replicated},
                "storageClass": {"enabled": False},
            }
        ],
        "cephFileSystems": [_file_system(replicated, placement)] if any(map(_is_shared, classes)) else [],
        "cephObjectStores": [],
    }


def _placement(pool: Pool) -> dict[str, Any]:
    """On the pool's nodes, whatever they are tainted with."""
    here = {"nodeSelectorTerms": [{"matchExpressions": [{"key": POOL, "operator": "In", "values": [pool.name]}]}]}
    keys = [*([TENANT] if pool.tenant else []), *(taint.key for taint in pool.taints)]
    return {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": here},
        "tolerations": [{"key": key, "operator": "Exists"} for key in keys],
    }


def _file_system(replicated: dict[str, Any], placement: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": _FILES,
        "spec": {
            "metadataPool": {"replicated": replicated},
            "dataPools": [{"name": "data0", "failureDomain": "host", "replicated": replicated}],
            "metadataServer": {"activeCount": 1, "activeStandby": True, "placement": placement},
        },
        "storageClass": {"enabled": False},
    }


def _shortfall(spec: Spec, target: Any) -> str:
    pool = spec.pool(target.storage.ceph.pool)
    if pool.nodes >= COPIES:
        return ""
    return (
        f"pool {pool.name} has {pool.nodes} of the {COPIES} nodes that Ceph wants: {pool.nodes} copies, and one "
        "monitor, whose loss stops every volume"
    )


BACKEND = Backend(
    name="ceph",
    snapshots=Offer("equal", "Rook-Ceph"),
    expansion=Offer("equal", "Rook-Ceph"),
    access_modes=("ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"),
    constraints="on whole disks, without partitions; shared modes come from a Ceph file system",
    source="[documented] github.com/rook/rook v1.20.6 Documentation: Storage-Configuration, Prerequisites",
    newest="1.36",
    provision=_provision,
    addons=_addons,
    shortfall=_shortfall,
)
