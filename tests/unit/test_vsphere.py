"""The vSphere target: faults of its config, limits of its hosts, placement, and the resources it makes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from components.load import load_target
from components.planning import make_plan
from components.problems import InvalidInput
from components.spec import Spec
from components.vsphere.config import Config
from isostack.preview import Preview, Resource, Secret
from tests.configs import config_data
from tests.examples import previews
from tests.specs import ROOT, changed, rich, spec


def config(on: Spec, changes: dict[str, Any] | None = None) -> Config:
    data = config_data("vsphere", on, ROOT)
    loaded = load_target(changed(data, changes or {}), ROOT, None, on)
    assert isinstance(loaded, Config)
    return loaded


def faults(on: Spec, changes: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        make_plan(on, config(on, changes))
    return [str(problem).removeprefix("config.isostack:target.") for problem in error.value.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"network.addresses.web": "10.0.9.1-10.0.9.5"},
            "network.addresses.web: 10.0.9.1-10.0.9.5 holds 5 addresses, web has 6 nodes; end it at 10.0.9.6 or later",
        ),
        (
            {"network.addresses.web": "10.9.9.1-10.9.9.9"},
            "network.addresses.web: 10.9.9.1-10.9.9.9 leaves the nodes' network 10.0.0.0/16; stay inside it",
        ),
        (
            {"network.addresses.web": "10.0.0.5-10.0.0.15"},
            "network.addresses.web: 10.0.0.5-10.0.0.15 holds 10.0.0.10, the endpoint; give every address one owner",
        ),
        (
            {"network.addresses.db": "10.0.1.4-10.0.1.9"},
            "network.addresses.db: 10.0.1.4-10.0.1.9 overlaps the range of web; give every address one owner",
        ),
        (
            {"endpoint": "10.9.0.1"},
            "endpoint: 10.9.0.1 is not in the nodes' network 10.0.0.0/16; kube-vip announces it by ARP",
        ),
        (
            {"loadBalancer.addresses": "10.9.0.1-10.9.0.9"},
            "loadBalancer.addresses: 10.9.0.1-10.9.0.9 is not inside a network of the workers (10.0.0.0/16); "
            "choose a range inside one: kube-vip announces it by ARP",
        ),
        (
            {"network.addresses.web": "10.0.0.1-10.0.0.8"},
            "network.addresses.web: 10.0.0.1-10.0.0.8 holds 10.0.0.1, the gateway, and 1 more; "
            "give every address one owner",
        ),
        (
            {"storage": {"backend": "nfs", "nfs": {"server": "10.244.0.4", "share": "/k8s"}}},
            "storage.nfs.server: the NFS server 10.244.0.4 is inside the spec's kubernetes.podCidr 10.244.0.0/16; "
            "choose them apart: nodes and pods could not reach what is in both",
        ),
        (
            {"network.dns": ["10.96.0.53"]},
            "network.dns[0]: the name server 10.96.0.53 is inside the spec's kubernetes.serviceCidr 10.96.0.0/16; "
            "choose them apart: nodes and pods could not reach what is in both",
        ),
        ({"hosts.0.zone": "d"}, "hosts[0].zone: the spec has no zone 'd'; its zones: a, b, c"),
        ({"hosts.1.name": "esx-a-0"}, "hosts[1].name: 'esx-a-0' stands twice; first at hosts[0]"),
        (
            {"network.gateway": "10.0.0.0/16"},
            "network.gateway: '10.0.0.0/16' is no host address of a network; for example 10.20.40.1/23",
        ),
        (
            {"generations": {"shop-wep-0": 2}},
            "generations.shop-wep-0: no machine 'shop-wep-0'; machines are named shop-<pool>-<index>",
        ),
        ({"storage": {"backend": "nfs"}}, "storage.nfs: backend nfs is used but not described; add nfs:"),
        (
            {"storage.classes": {"slow": "nfs"}},
            "storage.classes.slow: the spec has no storage class 'slow'; its classes: fast",
        ),
    ],
)
def test_faults_of_the_config(changes: dict[str, Any], expected: str) -> None:
    assert expected in faults(rich(), changes)


def test_too_few_hosts_say_what_is_asked_and_what_is_there() -> None:
    hosts = [{"name": f"h{zone}", "zone": zone, "cpus": 32, "memory": "192Gi"} for zone in "abc"]
    found = faults(rich(), {"hosts": hosts})
    assert (
        "hosts: zone a: 5 VMs ask 44 CPU and 243Gi, its 1 hosts offer 30 CPU and 184Gi; "
        "add hosts, or lower pools, or raise cpuOvercommit for CPU"
    ) in found
    assert any(
        text.startswith("hosts: the cluster: 14 VMs ask 124 CPU and 695Gi, its 3 hosts less 1 for HA") for text in found
    )


def test_a_node_larger_than_any_host_names_the_pool() -> None:
    hosts = [{"name": f"h{zone}", "zone": zone, "cpus": 128, "memory": "128Gi"} for zone in "abc"]
    assert faults(rich(), {"hosts": hosts}) == [
        "pools[1].size: a node asks 16 CPU and 128Gi, the largest host offers 126 CPU and 120Gi to VMs; "
        "make the nodes smaller and more"
    ]


def test_a_zone_without_hosts() -> None:
    found = faults(rich(), {"hosts": [{"name": "h", "zone": "a", "cpus": 256, "memory": "4Ti"}]})
    assert "hosts: no host stands in zone 'b' of the spec; add one, or take the zone away" in found


def test_pools_spread_over_the_hosts_of_their_zones() -> None:
    plan = make_plan(rich(), config(rich()))
    zones = {host.name: host.zone for host in plan.target.hosts}
    assert all(zones[str(m.place.host)] == m.wanted.zone for m in plan.machines)
    for pool in ("control-plane", "web", "db"):
        hosts = Counter(m.place.host for m in plan.machines if m.wanted.pool == pool)
        assert set(hosts.values()) == {1}


def test_surge_without_room_is_degraded() -> None:
    hosts = [{"name": f"h{z}{i}", "zone": z, "cpus": 128, "memory": "140Gi"} for z in "abc" for i in range(2)]
    plan = make_plan(rich(), config(rich(), {"hosts": hosts, "ha": {"enabled": False}}))
    (surge,) = (r for r in plan.realisations if r.field == "availability.surge")
    assert surge.grade == "degraded"
    assert "surge asks 129Gi" in surge.reason


@pytest.fixture(scope="module")
def shop() -> Preview:
    return next(p for p in previews("shop") if p.stack == "shop-vsphere")


def of(preview: Preview, kind: str, name: str) -> Resource:
    (found,) = (r for r in preview.resources if r.type.endswith(f":{kind}") and r.name == name)
    return found


def test_a_vm(shop: Preview) -> None:
    vm = of(shop, "VirtualMachine", "shop-web-0")
    assert (vm.inputs["numCpus"], vm.inputs["memory"], vm.inputs["memoryReservation"]) == (8, 32768, 32768)
    assert vm.inputs["enableDiskUuid"] is True
    assert isinstance(vm.inputs["extraConfig"], Secret)
    assert set(vm.ignore_changes) >= {"extraConfig", "clone", "hostSystemId", "disks", "numCpus", "memory"}
    assert vm.delete_before_replace
    assert vm.parent == of(shop, "Machine", "shop-web-0").urn


def test_rules_name_every_member(shop: Preview) -> None:
    rule = of(shop, "ComputeClusterVmAntiAffinityRule", "shop-web")
    assert len(rule.property_dependencies["virtualMachineIds"]) == 6
    assert rule.inputs["mandatory"] is False  # 6 hosts, 6 members and 1 surge
    assert of(shop, "ComputeClusterVmAntiAffinityRule", "shop-control-plane").inputs["mandatory"] is True


def test_overrides_by_role_come_last_and_set_both_fields(shop: Preview) -> None:
    control, worker = (of(shop, "DrsVmOverride", name) for name in ("shop-control-plane-0", "shop-web-0"))
    assert (control.inputs["drsEnabled"], control.inputs["drsAutomationLevel"]) == (True, "manual")
    assert (worker.inputs["drsEnabled"], worker.inputs["drsAutomationLevel"]) == (True, "fullyAutomated")
    rules = {r.urn for r in shop.resources if r.type.endswith(("VmAntiAffinityRule", "VmHostRule"))}
    assert rules <= set(control.dependencies)
    assert of(shop, "HaVmOverride", "shop-control-plane-0").inputs["haVmRestartPriority"] == "highest"


def test_without_ha_nothing_overrides_it() -> None:
    tiny = spec()
    assert make_plan(tiny, config(tiny, {"ha": {"enabled": False}})).sites[0].restarts_machines is False
