"""Storage backend vsphere-csi: a virtual disk on the site's datastores for each volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons.backend import Backend, Offer, Provision
from components.addons.placement import ANY_NODE, ON_CONTROL_PLANE, SHARED_NODES
from components.plan import Addon, Ref, Release
from components.spec import Spec, StorageClass

DRIVER = "csi.vsphere.vmware.com"
# Images of vSphere CSI 3.7.2 [documented] manifests/vanilla/vsphere-csi-driver.yaml of v3.7.2 as the chart lists them.
# Named here, since the chart takes `latest` for a Kubernetes minor that it does not know.
_DRIVER, _LIVENESS, _REGISTRAR = {"tag": "v3.7.2"}, {"tag": "v2.15.0"}, {"tag": "v2.13.0"}
_RESIZER, _SNAPSHOTTER = {"csiResizer": {"tag": "v1.12.0"}}, {"csiSnapshotter": {"tag": "v8.2.0"}}
_SIDECARS = {
    "csiAttacher": {"tag": "v4.9.0"},
    "csiProvisioner": {"tag": "v4.0.1"},
    "livenessProbe": _LIVENESS,
    "vsphereSyncer": _DRIVER,
}


def _provision(storage_class: StorageClass, target: Any) -> Provision:
    """Without a policy the driver takes any datastore that all hosts share."""
    policy = target.storage_policy
    return Provision(DRIVER, {"storagepolicyname": policy} if policy else {})


def _addons(spec: Spec, target: Any, classes: tuple[StorageClass, ...]) -> Iterator[Addon]:
    release = Release(
        name="vsphere-csi",
        # Not upstream's namespace: this one is there before the release and its Secret.
        namespace="kube-system",
        chart="rancher-vsphere-csi",
        # Upstream has a manifest and no chart; this chart follows it [documented] github.com/rancher/rke2-charts
        version="3.7.2-rancher700",
        repo="https://rke2-charts.rancher.io",
        values=_values(spec, target, classes),
    )
    # The driver looks nodes up by the provider id that the cloud provider gives them.
    yield Addon(
        name="vsphere-csi",
        serves=("storage.classes.*.snapshots", "storage.classes.*.expansion", "storage.classes.*.accessModes"),
        objects=(release,),
        common=False,
        after=("vsphere-cpi",),
    )


def _values(spec: Spec, target: Any, classes: tuple[StorageClass, ...]) -> dict[str, Any]:
    grows, snapshots = any(c.expansion for c in classes), any(c.snapshots for c in classes)
    sidecars = {**_SIDECARS, **(_RESIZER if grows else {}), **(_SNAPSHOTTER if snapshots else {})}
    return {
        "vCenter": {
            "host": target.vcenter,
            "datacenters": target.datacenter,
            "username": Ref("vsphere:user"),
            "password": Ref("vsphere:password"),
            # vCenter knows volumes by this id: two clusters with one id delete each other's.
            "clusterId": f"{spec.name}-{target.endpoint}",
        },
        "csiController": {
            "affinity": ON_CONTROL_PLANE,
            "tolerations": SHARED_NODES,
            "csiResizer": {"enabled": grows},
            "image": {**_DRIVER, **sidecars},
        },
        "csiNode": {
            "tolerations": ANY_NODE,
            "image": {**_DRIVER, "nodeDriverRegistrar": _REGISTRAR, "livenessProbe": _LIVENESS},
        },
        "onlineVolumeExtend": {"enabled": grows},
        "blockVolumeSnapshot": {"enabled": snapshots},
        "storageClass": {"enabled": False},
        "versionOverrides": [],
    }


BACKEND = Backend(
    name="vsphere-csi",
    snapshots=Offer(
        "equal", "vSphere CSI", "3 per volume unless the driver's limit is raised; vSphere 7.0 U3 or later"
    ),
    expansion=Offer("equal", "vSphere CSI", "while mounted from vSphere 7.0 U2 on"),
    access_modes=("ReadWriteOnce",),
    constraints="a virtual disk is attached to one VM at a time; shared volumes need vSAN File Services",
    source="[documented] techdocs.broadcom.com, vSphere Container Storage Plug-in 3.x: supported functionality",
    newest="1.36",  # as the chart lists it
    provision=_provision,
    addons=_addons,
)
