"""Storage backend powerflex: volumes of a Dell PowerFlex system, over NVMe/TCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import cilium
from components.addons.backend import Backend, Offer, Provision
from components.addons.placement import ANY_NODE, SHARED_NODES
from components.plan import Addon, Manifest, Ref, Release, Template
from components.spec import Spec, StorageClass

DRIVER = "csi-vxflexos.dellemc.com"
NAME = "vxflexos"
"""Release and namespace: the driver looks for its Secret under the release's name."""
# NVMe/TCP and not the SDC kernel module: that one is bound to kernel versions and needs the addresses of the MDMs.
_SYSTEM = """- username: "{user}"
  password: "{password}"
  systemID: "%(system_id)s"
  endpoint: "%(endpoint)s"
  isDefault: true
  skipCertificateValidation: true
  blockProtocol: NVMeTCP
"""


def _provision(storage_class: StorageClass, target: Any) -> Provision:
    powerflex = target.storage.powerflex
    return Provision(DRIVER, {"storagepool": powerflex.storage_pool, "systemID": powerflex.system_id})


def _addons(spec: Spec, target: Any, classes: tuple[StorageClass, ...]) -> Iterator[Addon]:
    powerflex = target.storage.powerflex
    system = _SYSTEM % {"system_id": powerflex.system_id, "endpoint": powerflex.endpoint}
    config = Template(system, {"user": Ref("powerflex:user"), "password": Ref("powerflex:password")})
    secret = {"type": "Opaque", "stringData": {"config": config}}
    yield Addon(
        name=f"{NAME}-system",
        serves=("storage.classes.*.accessModes",),
        objects=(Manifest("v1", "Namespace", NAME, {}), Manifest("v1", "Secret", f"{NAME}-config", secret, NAME)),
        common=False,
        after=(cilium.NAME,),
    )
    yield Addon(
        name=NAME,
        serves=("storage.classes.*.snapshots", "storage.classes.*.expansion", "storage.classes.*.accessModes"),
        objects=(_release(spec, classes),),
        common=False,
        after=(f"{NAME}-system",),
    )


def _release(spec: Spec, classes: tuple[StorageClass, ...]) -> Release:
    return Release(
        name=NAME,
        namespace=NAME,
        chart="csi-vxflexos",
        # [documented] github.com/dell/helm-charts, 2026-07-22
        version="2.18.0",
        repo="https://dell.github.io/helm-charts",
        values={
            "controller": {
                "controllerCount": min(2, spec.control_plane.nodes + sum(pool.nodes for pool in spec.pools)),
                "snapshot": {"enabled": any(c.snapshots for c in classes)},
                "resizer": {"enabled": any(c.expansion for c in classes)},
                "tolerations": SHARED_NODES,
            },
            "node": {"sdc": {"enabled": False}, "tolerations": ANY_NODE},
        },
    )


BACKEND = Backend(
    name="powerflex",
    snapshots=Offer("equal", "Dell CSI for PowerFlex"),
    expansion=Offer("equal", "Dell CSI for PowerFlex"),
    access_modes=("ReadWriteOnce",),
    constraints="one node mounts a volume; nodes need nvme-cli, the module nvme-tcp and the storage network",
    source="[documented] github.com/dell/csi-powerflex samples, github.com/dell/helm-charts csi-vxflexos 2.18.0",
    newest="1.37",  # the chart asks for 1.25 or later and names no end
    provision=_provision,
    addons=_addons,
)
