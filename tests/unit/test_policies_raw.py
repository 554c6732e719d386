"""Rules of raw resources on the example stacks: one thing is broken by hand, and exactly its rule speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from isostack.check import check
from isostack.preview.model import UNKNOWN, Preview, Resource
from policies.recovery.hosts import ANTI_AFFINITY
from policies.recovery.quorum import VM
from policies.storage.disks import HARDWARE, RELEASE
from tests.examples import previews
from tests.specs import ROOT

PACKS = [ROOT / "policies" / name for name in ("recovery", "capacity", "storage")]
Change = Callable[[Resource], Mapping[str, Any] | None]
"""New properties of a resource; None: it is taken out."""


def without(resource: Resource) -> None:
    return None


def having(**props: Any) -> Change:
    return lambda resource: {**resource.inputs, **props}


def two_copies(release: Resource) -> Mapping[str, Any]:
    values = release.inputs["values"]
    (pool,) = values["cephBlockPools"]
    pool = {**pool, "spec": {**pool["spec"], "replicated": {"size": 2}}}
    return {**release.inputs, "values": {**values, "cephBlockPools": [pool]}}


def by_kernel_name(hardware: Resource) -> Mapping[str, Any]:
    return {**hardware.inputs, "spec": {**hardware.inputs["spec"], "disks": [{"device": "/dev/nvme0n1"}]}}


BROKEN: Mapping[str, tuple[str, str, str, Change]] = {
    "rec-cp-anti-affinity": ("vsphere", ANTI_AFFINITY, "shop-control-plane", without),
    "rec-cp-anti-affinity off": ("vsphere", ANTI_AFFINITY, "shop-control-plane", having(enabled=False)),
    "rec-anti-affinity-deadlock": ("vsphere", ANTI_AFFINITY, "shop-web", having(mandatory=True)),
    "cap-ha-blind": ("vsphere", VM, "shop-web-0", having(memoryReservation=0)),
    "sto-disk-uuid": ("vsphere", VM, "shop-db-1", having(enableDiskUuid=False)),
    "sto-cns-on-storage-drs": ("vsphere", VM, "shop-db-1", having(datastoreClusterId=UNKNOWN)),
    "sto-ceph-hosts": ("tinkerbell", RELEASE, "rook-ceph-cluster", two_copies),
    "sto-reimage-hits-data": ("tinkerbell", HARDWARE, "fra1-r07-db01", by_kernel_name),
}


def broken(case: str) -> Preview:
    target, kind, name, change = BROKEN[case]
    preview = next(each for each in previews("shop") if each.stack.endswith(target))
    resources = []
    for resource in preview.resources:
        if (resource.type, resource.name) == (kind, name):
            props = change(resource)
            if props is None:
                continue
            resource = replace(resource, inputs=props, outputs={**resource.outputs, **props})
        resources.append(resource)
    return replace(preview, stack=case, resources=tuple(resources))


@pytest.fixture(scope="module")
def said() -> Mapping[str, set[str]]:
    findings = check([*previews("shop"), *map(broken, BROKEN)], PACKS)
    return {stack: {finding.rule for finding in each.findings} for stack, each in findings.items()}


@pytest.mark.parametrize("case", BROKEN)
def test_exactly_its_rule_speaks(said: Mapping[str, set[str]], case: str) -> None:
    assert said[case] - said[f"shop-{BROKEN[case][0]}"] == {case.split()[0]}
