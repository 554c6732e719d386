"""Rules on the example stacks: one thing is broken, and exactly its rules speak."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from components.facts import CLUSTER, SITE
from isostack.check import check
from isostack.preview.model import UNKNOWN, Preview, Resource
from policies.ceph import RELEASE
from policies.recovery.hosts import ANTI_AFFINITY
from policies.recovery.quorum import VM
from policies.storage.disks import HARDWARE
from tests.examples import previews
from tests.specs import ROOT

PACKS = sorted(path.parent for path in (ROOT / "policies").glob("*/PulumiPolicy.yaml"))


def both(new: set[str]) -> Mapping[str, tuple[set[str], set[str]]]:
    return {"tinkerbell": (new, set()), "vsphere": (new, set())}


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


Path = tuple[str | int, ...]
WANTED = "wanted"
FACTS: Mapping[str, tuple[str, Path, Any, Mapping[str, tuple[set[str], set[str]]]]] = {
    "no copy of etcd": (CLUSTER, (WANTED, "backup", "etcd"), None, both({"backup-etcd-missing"})),
    "rare copies of etcd": (CLUSTER, (WANTED, "backup", "etcd", "every"), "24h", both({"backup-etcd-missing"})),
    "no copy of volumes": (CLUSTER, (WANTED, "backup", "volumes"), None, both({"backup-volumes-missing"})),
    "no audit": (CLUSTER, (WANTED, "access", "audit"), "none", both({"ops-audit-missing"})),
    "Secrets in clear": (CLUSTER, (WANTED, "access", "encryptSecrets"), False, both({"iso-secrets-in-clear"})),
    "one certificate for all": (CLUSTER, (WANTED, "access", "oidc"), None, both({"ops-no-oidc"})),
    "no restarts": (CLUSTER, (WANTED, "availability", "reboots"), None, both({"iso-patch-lag"})),
    "no default class": (
        CLUSTER, (WANTED, "storage", "classes", 0, "default"), False, both({"sto-no-default-class"}),
    ),
    "a pool for everybody": (
        CLUSTER, (WANTED, "pools", 0, "tenant"), None, {
            "tinkerbell": ({"iso-hard-tenants-share-kernel"}, set()),
            "vsphere": ({"iso-hard-tenants-share-kernel"}, {"iso-external-tenant-boundary"}),
        },
    ),
    "nothing fences": (
        CLUSTER, (WANTED, "availability", "remediation"), False, {
            "tinkerbell": ({"rec-stateful-no-fencing"}, {"sto-single-copy"}), "vsphere": (set(), set()),
        },
    ),
    "no HA": (
        SITE, ("restartsMachines",), False, {"vsphere": ({"rec-ha-off", "rec-evictions-stop"}, {"sto-single-copy"})},
    ),
    "an ended service": (SITE, ("serviceEnded",), "2026-06-30", both({"life-service-ended"})),
    "a host without BMC": (SITE, ("powerControl",), False, {"tinkerbell": ({"fleet-no-bmc"}, set())}),
    "no spare": (SITE, ("spareHosts",), 0, {"tinkerbell": ({"fleet-no-spare"}, set())}),
    "vCenter among the nodes": (
        SITE, ("controllers",), ["10.20.40.5"], {"vsphere": ({"iso-management-reachable"}, set())},
    ),
}  # fmt: skip
"""One fact of the neutral components is another: which rules then speak, and which no longer do, on each target."""


def changed(stack: Preview, kind: str, path: Path, value: Any) -> Preview:
    resources = []
    for resource in stack.resources:
        if resource.type == kind:
            facts = deepcopy(resource.inputs["facts"])
            at: Any = facts
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
            resource = replace(resource, inputs={"facts": facts}, outputs={**resource.outputs, "facts": facts})
        resources.append(resource)
    return replace(stack, resources=tuple(resources))


def shop(target: str) -> Preview:
    return next(each for each in previews("shop") if each.stack == f"shop-{target}")


def broken(case: str) -> Preview:
    target, kind, name, change = BROKEN[case]
    preview = shop(target)
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
    by_facts = [
        replace(changed(shop(target), kind, path, value), stack=f"{name} on {target}")
        for name, (kind, path, value, expected) in FACTS.items()
        for target in expected
    ]
    findings = check([*previews("shop"), *map(broken, BROKEN), *by_facts], PACKS)
    return {stack: {finding.rule for finding in each.findings} for stack, each in findings.items()}


@pytest.mark.parametrize("case", BROKEN)
def test_exactly_its_rule_speaks(said: Mapping[str, set[str]], case: str) -> None:
    assert said[case] - said[f"shop-{BROKEN[case][0]}"] == {case.split()[0]}


@pytest.mark.parametrize(("case", "target"), [(case, target) for case, row in FACTS.items() for target in row[-1]])
def test_exactly_the_rules_of_a_fact_speak(said: Mapping[str, set[str]], case: str, target: str) -> None:
    before, after = said[f"shop-{target}"], said[f"{case} on {target}"]
    assert (after - before, before - after) == FACTS[case][-1][target]
