"""The vSphere target: faults of its config, limits of its hosts, its wishes, and the resources it makes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from components.load import load_target
from components.planning import make_plan
from components.problems import InvalidInput
from components.spec import Spec
from components.vsphere.capacity import taken
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


def crowd(nodes: int, memory: str, changes: dict[str, Any] | None = None, cpus: int = 2) -> Spec:
    """A control-plane node of 2 CPU and 4Gi, and a pool of so many nodes."""
    size = {"cpus": cpus, "memory": memory, "disk": "40Gi"}
    return spec({"pools.0.nodes": nodes, "pools.0.size": size, **(changes or {})})


def two_hosts(*memory: str) -> dict[str, Any]:
    """Hosts of zone a without HA; the hypervisor keeps 8Gi of each."""
    hosts = [{"name": f"h{i}", "zone": "a", "cpus": 64, "memory": size} for i, size in enumerate(memory)]
    return {"hosts": hosts, "ha": {"enabled": False}}


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
            "loadBalancer.addresses: 10.9.0.1-10.9.0.9 is not inside the workers' network 10.0.0.0/16; "
            "kube-vip announces it by ARP from any worker: they must share a network that holds it",
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
        (
            {"hosts.2.name": "esx\u202e1"},
            "hosts[2].name: 'esx\\u202e1' is no name; write it as vCenter shows it, without blanks around it",
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
        "hosts: zone a: 5 VMs ask 44 CPU and 243Gi, its 1 host offers 30 CPU and 184Gi; "
        "add hosts, or lower pools, or raise cpuOvercommit"
    ) in found
    assert (
        "hosts: the cluster: 14 VMs ask 124 CPU and 695Gi, its 3 hosts less 1 for HA offer 60 CPU and 368Gi; "
        "add hosts, or lower pools or ha.hostFailures, or raise cpuOvercommit"
    ) in found
    assert not [text for text in faults(rich(), {"hosts": hosts, "cpuOvercommit": 3}) if "cpuOvercommit" in text]


def test_nodes_larger_than_any_host_are_named_and_the_rest_is_held_against_the_hosts() -> None:
    hosts = [{"name": f"h{zone}", "zone": zone, "cpus": 128, "memory": "25Gi"} for zone in "abc"]
    large = (
        "size: a VM of this size takes {} of its host, overhead included; of no host can one VM have that: "
        "ha offers 126 CPU and 17Gi; make the nodes smaller and more"
    )
    assert faults(rich(), {"hosts": hosts}) == [
        "pools[0]." + large.format("8 CPU and 33Gi"),
        "pools[1]." + large.format("16 CPU and 130Gi"),
        "pools[2]." + large.format("8 CPU and 33Gi"),
        "hosts: the cluster without web, db, partner: 3 VMs ask 12 CPU and 49Gi, its 3 hosts less 1 for HA offer 252 "
        "CPU and 34Gi; add hosts, or lower pools or ha.hostFailures",
    ]


def test_a_node_that_no_host_can_have_whole_is_held_against_the_widest_and_the_largest() -> None:
    hosts = [
        {"name": name, "zone": "a", "cpus": c, "memory": m} for name, c, m in (("h", 10, "1Ti"), ("w", 34, "20Gi"))
    ]
    assert faults(crowd(2, "16Gi", cpus=12), {"hosts": hosts}) == [
        "pools[0].size: a VM of this size takes 12 CPU and 17Gi of its host, overhead included; of no host can one VM "
        "have that: h offers 8 CPU and 993Gi, w offers 32 CPU and 12Gi; make the nodes smaller and more"
    ]


def test_no_overcommit_gives_a_vm_more_cpus_than_its_host_has_threads() -> None:
    def on(cpus: int) -> dict[str, Any]:
        return {"hosts": [{"name": "h", "zone": "a", "cpus": cpus, "memory": "1Ti"}], "ha": {"enabled": False}}

    make_plan(crowd(1, "16Gi", cpus=20), config(crowd(1, "16Gi", cpus=20), {**on(20), "cpuOvercommit": 4}))
    assert "h offers 19 CPU and 993Gi" in faults(crowd(1, "16Gi", cpus=20), {**on(19), "cpuOvercommit": 4})[0]


def test_what_fits_by_sum_but_on_no_host_is_refused_with_what_each_host_has_left() -> None:
    assert faults(crowd(3, "60Gi"), two_hosts("102Gi", "102Gi")) == [
        "hosts: zone a: tiny-apps-2 (2 CPU and 61Gi) finds room on no host, however its 4 VMs are arranged: "
        "h1 has 60 CPU and 33Gi left, h0 has 58 CPU and 29Gi left; add hosts there, or make nodes smaller"
    ]


def test_a_host_that_leaves_nothing_to_vms_is_a_fault_of_its_own() -> None:
    found = faults(rich(), {"hosts.1.memory": "8Gi", "hosts.4.cpus": 2})
    keeps = "beside what the hypervisor keeps; it keeps 2 CPU and at least 8Gi: leave the host out"
    assert found[:2] == [
        f"hosts[1]: 256 CPU and 8Gi leave nothing to VMs {keeps}",
        f"hosts[4]: 2 CPU and 4Ti leave nothing to VMs {keeps}",
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


def realised(on: Spec, changes: dict[str, Any], field: str) -> tuple[str, str, str]:
    (found,) = (r for r in make_plan(on, config(on, changes)).realisations if r.field == field)
    return found.grade, found.mechanism, found.reason


def surge(on: Spec, changes: dict[str, Any]) -> tuple[str, str, str]:
    return realised(on, changes, "availability.surge")


ROOMY = {"network.addresses.apps": "10.0.2.0-10.0.2.9"}


def test_surge_that_finds_room_and_address() -> None:
    assert surge(crowd(2, "60Gi"), {**two_hosts("140Gi", "140Gi"), **ROOMY}) == (
        "equal",
        "1 further VM of any pool",
        "each pool finds hosts with room, and addresses",
    )
    assert surge(crowd(2, "60Gi"), {**two_hosts("210Gi", "210Gi"), **ROOMY, "ha": {"enabled": True}}) == (
        "equal",
        "1 further VM of any pool",
        "each pool finds hosts with room beside the HA reserve of 1 host (by fit of the losses tried), and addresses",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (two_hosts("140Gi", "140Gi"), "its 2 nodes leave 0 of 2 addresses in its range free"),
        (
            {**two_hosts("120Gi", "120Gi"), **ROOMY},
            "tiny-apps-2 would take 2 CPU and 61Gi, of the hosts of its zones h1 has most left: 60 CPU and 51Gi",
        ),
        (
            {**two_hosts("180Gi", "180Gi"), **ROOMY, "ha": {"enabled": True}},
            "all VMs would ask 8 CPU and 186Gi, the hosts less 1 for HA offer 62 CPU and 172Gi",
        ),
    ],
)
def test_surge_without_room_or_address_says_which(changes: dict[str, Any], reason: str) -> None:
    grade, mechanism, why = surge(crowd(2, "60Gi"), changes)
    assert (grade, mechanism) == ("degraded", "nodes are upgraded in place")
    assert why == f"no room for 1 further VM: apps: {reason}"


def test_surge_counts_cpus_and_names_the_pools_that_lack_them() -> None:
    hosts = [{"name": f"h{i}", "zone": "a", "cpus": 12, "memory": "1Ti"} for i in range(2)]
    size = {"memory": "16Gi", "disk": "40Gi"}
    pools = [{"name": f"p{c}", "nodes": 1, "size": {"cpus": c, **size}} for c in (2, 9)]
    on = spec({"pools": pools})
    room = {"network.addresses.p2": "10.0.2.0-10.0.2.9", "network.addresses.p9": "10.0.3.0-10.0.3.9"}
    grade, mechanism, why = surge(on, {"hosts": hosts, "ha": {"enabled": False}, **room})
    assert (grade, mechanism) == ("degraded", "nodes of p9 are upgraded in place")
    assert why.startswith("no room for 1 further VM: p9: tiny-p9-1 would take 9 CPU and 17Gi, ")


def test_surge_looks_only_at_the_zones_of_the_pool() -> None:
    hosts = [{"name": f"h{zone}", "zone": zone, "cpus": 64, "memory": m} for zone, m in (("a", "90Gi"), ("b", "1Ti"))]
    changes = {"hosts": hosts, "ha": {"enabled": False}, **ROOMY}
    assert surge(crowd(1, "60Gi", {"zones": ["a", "b"]}), changes)[0] == "equal"
    assert surge(crowd(1, "60Gi", {"zones": ["a", "b"], "pools.0.zones": ["a"]}), changes)[0] == "degraded"


def test_surge_of_several_needs_room_for_each() -> None:
    """Each host has room for one further VM."""
    for asked, grade in ((2, "equal"), (3, "degraded")):
        on = crowd(2, "60Gi", {"availability": {"surge": asked}})
        assert surge(on, {**two_hosts("140Gi", "140Gi"), **ROOMY})[0] == grade


def test_surge_keeps_what_ha_can_restart_by_fit() -> None:
    """By sum the reserve holds the further VM; but with two of 41Gi on one host, the others have room for one only."""
    hosts = [{"name": f"h{i}", "zone": "a", "cpus": 64, "memory": "79Gi"} for i in range(4)]
    on = crowd(2, "40Gi")
    assert surge(on, {"hosts": hosts, **ROOMY})[0] == "equal"
    grade, _, why = surge(crowd(3, "40Gi"), {"hosts": hosts, **ROOMY})
    assert (grade, why) == (
        "degraded",
        "no room for 1 further VM: apps: beside tiny-apps-3 (2 CPU and 41Gi) not every VM of 1 host lost would find "
        "room",
    )


def ha(on: Spec, changes: dict[str, Any]) -> str:
    (found,) = (text for text in make_plan(on, config(on, changes)).reasons if text.startswith("vSphere HA "))
    return found


def test_ha_says_how_its_reserve_was_proven() -> None:
    reserve = {"ha": {"enabled": True}}
    assert ha(crowd(2, "40Gi"), {**two_hosts("140Gi", "140Gi"), **reserve}) == (
        "vSphere HA restarts the VMs of 1 host lost: the others hold them by fit of CPU and memory, whichever is lost; "
        "not counted: that it may leave a VM off rather than beside another of its pool"
    )
    three = two_hosts("79Gi", "79Gi", "79Gi")
    assert ha(crowd(3, "40Gi"), {**three, **reserve}) == (
        "vSphere HA has its reserve of 1 host by sum, not by fit: with h0 lost, tiny-apps-2 (2 CPU and 41Gi) finds no "
        "room on the others, where h2 has most left: 60 CPU and 30Gi; so in 3 of 3 losses"
    )


def test_ha_tries_every_loss_of_several_hosts_where_they_are_few() -> None:
    few, many = ([f"{size}Gi" for size in range(100, 100 + count)] for count in (6, 30))
    two_lost = {"ha": {"enabled": True, "hostFailures": 2}}
    assert ha(crowd(3, "20Gi"), {**two_hosts(*few), **two_lost}).partition(";")[0].endswith("memory, whichever is lost")
    assert (
        ha(crowd(3, "20Gi"), {**two_hosts(*many), **two_lost})
        .partition("; not")[0]
        .endswith("each one, and the 2 largest together; others by sum")
    )


def test_a_host_that_holds_the_quorum_degrades_the_control_plane() -> None:
    hosts = two_hosts("140Gi", "140Gi")
    several = crowd(1, "8Gi", {"controlPlane.nodes": 3})
    assert realised(several, hosts, "controlPlane.nodes") == (
        "degraded",
        "3 VMs on 2 hosts, joined with kubeadm",
        "h0 holds 2 of them and etcd needs 2: its loss stops the API until the host is back",
    )
    restarted = realised(several, {**hosts, "ha": {"enabled": True}}, "controlPlane.nodes")
    assert restarted[2].endswith("until HA has restarted enough of them")
    five = crowd(1, "8Gi", {"controlPlane.nodes": 5})
    assert realised(five, two_hosts(*["140Gi"] * 3), "controlPlane.nodes")[0] == "equal"
    assert realised(crowd(1, "8Gi"), hosts, "controlPlane.nodes")[0] == "equal"


def test_sizes_are_those_that_a_vm_really_has() -> None:
    odd = crowd(1, str(6 * 1024**3 + 1), {"pools.0.size.disk": "50G"})
    plan = make_plan(odd, config(odd))
    real = plan.machines[1].place.size
    assert (real.memory, real.disk) == (6 * 1024**3 + 4 * 1024**2, 47 * 1024**3)
    assert taken(odd.pools[0].size) == taken(real)
    assert realised(odd, {}, "pools.apps.size.memory")[2] == "rounded up to 6148Mi, in steps of 4Mi"
    assert realised(odd, {}, "pools.apps.size.disk")[2] == "rounded up to 47Gi, in steps of 1Gi"
    assert realised(odd, {}, "pools.apps.size.cpus") == ("equal", "virtual hardware of the VM", "")


def test_hosts_say_what_the_hypervisor_leaves() -> None:
    tiny = spec()
    (host, *_) = make_plan(tiny, config(tiny, {"cpuOvercommit": 4})).sites[0].hosts
    assert (host.cpus, host.usable_cpus) == (256, 254)
    assert host.usable_memory == int(0.97 * 4 * 1024**2) * 1024**2


def test_full_hosts_are_told_with_what_follows() -> None:
    reasons = make_plan(crowd(3, "40Gi"), config(crowd(3, "40Gi"), two_hosts("100Gi", "60Gi"))).reasons
    assert reasons == (
        "4 VMs on 2 hosts: 8 of 124 CPU and 126Gi of 144Gi in use",
        "tiny-apps-2 stands where there was room: the host that the index names has too little for it",
    )
    reasons = make_plan(crowd(2, "40Gi"), config(crowd(2, "40Gi"), two_hosts("49Gi", "56Gi"))).reasons
    assert reasons[1:] == (
        "zone a: so full that the VMs are packed by size, not by index: a change of any pool can name other hosts for "
        "them, which counts at a VM's birth only",
    )


def test_zones_say_how_full_each_is() -> None:
    """A pool of one node takes the first of its zones."""
    hosts = [{"name": f"h{zone}", "zone": zone, "cpus": 64, "memory": "108Gi"} for zone in "ab"]
    on = crowd(1, "40Gi", {"zones": ["a", "b"]})
    (first, *_) = make_plan(on, config(on, {"hosts": hosts, "ha": {"enabled": False}})).reasons
    assert first.endswith("in use; of the memory in zone a 44 %, b 0 %")


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
