"""Storage: StorageClasses, their drivers, and what each backend makes of the wishes."""

from __future__ import annotations

from typing import Any

import pytest

from components import addons
from components.addons import ceph, placement
from components.addons.storage import backends
from components.spec import Spec
from tests.addons import (
    NFS,
    equinix,
    objects,
    on,
    rule_of,
    vsphere,
    wishing,
)
from tests.specs import SMALLEST, changed, rich


def test_a_driver_is_installed_once_however_many_classes_use_it() -> None:
    classes = [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    wish = Spec.model_validate({**SMALLEST, "storage": {"classes": classes}})
    config = vsphere({"storage": {"backend": "vsphere-csi", "classes": {"c": "nfs"}, "nfs": NFS}})
    found = addons.common(wish, config)
    assert [addon.name for addon in found if not addon.common] == ["vsphere-csi", "csi-driver-nfs"]
    drivers = {
        name: thing.body["provisioner"] for (kind, name), thing in objects(*found).items() if kind == "StorageClass"
    }
    assert drivers == {"a": "csi.vsphere.vmware.com", "b": "csi.vsphere.vmware.com", "c": "nfs.csi.k8s.io"}


def test_the_storage_policy_of_the_site_makes_the_volumes() -> None:
    found = objects(*addons.common(wishing(), vsphere({"storagePolicy": "gold"})))
    assert found["StorageClass", "data"].body["parameters"] == {"storagepolicyname": "gold"}
    found = objects(*addons.common(wishing(), vsphere({"storagePolicy": None})))
    assert found["StorageClass", "data"].body["parameters"] == {}


@pytest.mark.parametrize(
    ("backend", "wishes", "grade", "says"),
    [
        ("vsphere-csi", {"snapshots": True}, "equal", "3 per volume"),
        ("ceph", {"snapshots": True}, "equal", ""),
        ("nfs", {"snapshots": True}, "degraded", "tar archive"),
        ("powerflex", {"snapshots": True}, "equal", ""),
        ("nfs", {"snapshots": False}, "equal", ""),
    ],
)
def test_snapshots(backend: str, wishes: dict[str, Any], grade: str, says: str) -> None:
    wish = wishing(**wishes)
    found = rule_of("storage.classes.*.snapshots", wish, on(backend, wish))
    assert found[0] == grade
    assert says in found[1]


@pytest.mark.parametrize("backend", [backend.name for backend in backends(vsphere())])
@pytest.mark.parametrize("expansion", [True, False])
def test_every_backend_lets_volumes_grow(backend: str, expansion: bool) -> None:
    wish = changed(SMALLEST, {"pools.0.nodes": 3, "storage": {"classes": [{"name": "data", "expansion": expansion}]}})
    grade, _ = rule_of("storage.classes.*.expansion", Spec.model_validate(wish), on(backend, Spec.model_validate(wish)))
    assert grade == "equal"


@pytest.mark.parametrize(
    ("backend", "modes", "grade", "says"),
    [
        ("vsphere-csi", ["ReadWriteOnce"], "equal", ""),
        ("vsphere-csi", ["ReadWriteOnce", "ReadWriteMany"], "impossible", "no ReadWriteMany: "),
        ("powerflex", ["ReadWriteMany", "ReadOnlyMany"], "impossible", "no ReadWriteMany and no ReadOnlyMany: "),
        ("nfs", ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"], "equal", ""),
        ("ceph", ["ReadWriteMany"], "degraded", "1 of the 3 nodes"),
    ],
)
def test_access_modes(backend: str, modes: list[str], grade: str, says: str) -> None:
    wish = wishing(accessModes=modes)
    found = rule_of("storage.classes.*.accessModes", wish, on(backend, wish))
    assert found[0] == grade
    assert says in found[1]


def test_ceph_with_enough_nodes_keeps_its_promise() -> None:
    wish = rich({"storage": {"classes": [{"name": "shared", "accessModes": ["ReadWriteMany"]}]}})
    assert rule_of("storage.classes.*.accessModes", wish, equinix())[0] == "equal"
    found = objects(*addons.common(wish, equinix()))
    values = found["Release", "rook-ceph-cluster"].values
    assert values["cephBlockPools"][0]["spec"]["replicated"]["size"] == ceph.COPIES
    (files,) = values["cephFileSystems"]
    assert found["StorageClass", "shared"].body["parameters"]["fsName"] == files["name"]


def test_ceph_runs_on_its_pool_in_spite_of_the_pool_s_taints() -> None:
    values = objects(*addons.common(rich(), equinix()))["Release", "rook-ceph-cluster"].values
    everything = values["cephClusterSpec"]["placement"]["all"]
    assert {toleration["key"] for toleration in everything["tolerations"]} == {"isostack.io/tenant", "tier"}
    assert "'db'" in str(everything["nodeAffinity"])


@pytest.mark.parametrize(("snapshots", "policy"), [(True, "volumeSnapshot"), (False, "none")])
def test_ceph_s_drivers_say_themselves_where_they_run_and_whether_they_take_snapshots(
    snapshots: bool, policy: str
) -> None:
    """What only driverSpecDefaults says, the chart's own defaults for each driver cover up."""
    wish = wishing(snapshots=snapshots)
    drivers = objects(*addons.common(wish, on("ceph", wish)))["Release", "ceph-csi-drivers"].values["drivers"]
    running = {name: driver for name, driver in drivers.items() if driver["enabled"]}
    assert set(running) == {"rbd", "cephfs"}
    for driver in running.values():
        assert driver["snapshotPolicy"] == policy
        assert driver["nodePlugin"]["tolerations"] == placement.ANY_NODE
        assert driver["controllerPlugin"]["tolerations"] == placement.SHARED_NODES


@pytest.mark.parametrize("backend", backends(vsphere()), ids=lambda backend: backend.name)
def test_a_backend_says_where_its_claims_come_from(backend: Any) -> None:
    assert backend.source.startswith("[documented]")
    assert backend.constraints


def test_a_driver_that_is_not_documented_for_the_kubernetes_release_is_a_degradation() -> None:
    new = rich({"kubernetes.version": "1.37.0"})
    pattern = "storage.classes.*.accessModes"
    grade, reason = rule_of(pattern, new, vsphere())
    assert (grade, reason) == ("degraded", "the driver is documented up to Kubernetes 1.36, not for 1.37.0")
    assert rule_of(pattern, rich(), vsphere())[0] == "equal"
    assert rule_of(pattern, new, on("nfs", new))[0] == "equal"
