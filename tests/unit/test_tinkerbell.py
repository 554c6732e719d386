"""Target tinkerbell: which host becomes which machine, what is impossible, and what becomes of the wishes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.facts import Realisation
from components.load import load_target
from components.plan import Assignment
from components.planning import wanted_machines
from components.problems import InvalidInput, Problem
from components.realise import SHARED, leaves, patterns
from components.source import load_yaml
from components.spec import Spec
from components.tinkerbell.config import Config
from components.tinkerbell.inventory import Bmc, Hardware, Inventory
from components.tinkerbell.plan import assign, rules
from tests.specs import KEY, ROOT, rich

FILE = "stacks/hosts.csv"
CLASSES = {
    "s": {"cpus": 8, "memory": "32Gi", "disk": "200Gi"},
    "m": {"cpus": 16, "memory": "64Gi", "disk": "960G"},
    "l": {"cpus": 64, "memory": "256Gi", "disk": "3840G"},
}
SIZE = {"cpus": 8, "memory": "16Gi", "disk": "100Gi"}


def hosts(*rows: str) -> list[Hardware]:
    """Hosts by `name zone class pool`; the pool may lack. A name with a star has no BMC."""
    made = []
    for i, (name, zone, kind, *pool) in enumerate(map(str.split, rows), start=11):
        labels = {"topology.kubernetes.io/zone": zone, "class": kind, **({"pool": pool[0]} if pool else {})}
        made.append(
            Hardware(
                name=name.strip("*"),
                mac=f"02:00:00:00:{i // 256:02x}:{i % 256:02x}",
                address=f"10.0.{i // 256}.{i % 256}",
                netmask="255.255.0.0",
                gateway="10.0.0.1",
                nameservers=("10.0.0.2",),
                disk="/dev/sda",
                vlan=None,
                labels=labels,
                bmc=None if "*" in name else Bmc(f"10.9.{i // 256}.{i % 256}"),
                line=i - 9,
            )
        )
    return made


def config(them: Sequence[Hardware], **changes: Any) -> Config:
    return Config.model_validate(
        {
            "inventory": Inventory(FILE, tuple(them)),
            "classes": CLASSES,
            "image": {"url": "http://10.0.0.3/noble.img"},
            "tootles": "http://10.0.0.3:7080",
            "endpoint": "10.0.0.10",
            "storage": {"backend": "nfs", "nfs": {"server": "10.0.0.4", "share": "/k8s"}},
            **changes,
        }
    )


def spec(pools: dict[str, int], zones: str = "a", control_plane: int = 1, **availability: Any) -> Spec:
    return Spec.model_validate(
        {
            "name": "t",
            "kubernetes": {"version": "1.36.3"},
            "zones": list(zones),
            "controlPlane": {"nodes": control_plane, "size": SIZE},
            "pools": [{"name": name, "nodes": nodes, "size": SIZE} for name, nodes in pools.items()],
            "access": {"admins": [KEY]},
            "availability": {"surge": 0, **availability},
        }
    )


def placed(wanted: Spec, target: Config) -> dict[str, str]:
    """The host of each machine. Config and plan find no fault."""
    assert list(target.problems(wanted)) == []
    machines = wanted_machines(wanted)
    places = assign(wanted, target, machines).places
    return {machine.name: str(place.host) for machine, place in zip(machines, places, strict=True)}


def refused(wanted: Spec, target: Config) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        assign(wanted, target, wanted_machines(wanted))
    return list(caught.value.problems)


def realised(wanted: Spec, target: Config) -> dict[str, Realisation]:
    assignment = assign(wanted, target, wanted_machines(wanted))
    found = rules(wanted, target, assignment)
    return {leaf.path: found[leaf.pattern](leaf) for leaf in leaves(wanted) if leaf.pattern in found}


# Addresses of services


def test_services_are_announced_in_the_one_network_of_the_chosen_workers() -> None:
    control, one, two, spare = hosts("c1 a s control-plane", "w1 a s web", "w2 a s web", "x1 a s")
    control = replace(control, address="10.8.0.11", gateway="10.8.0.1")
    spare = replace(spare, address="10.7.0.11", gateway="10.7.0.1")
    near = {"endpoint": "10.8.0.10", "loadBalancer": {"addresses": "10.0.0.200-10.0.0.210"}}
    assert len(placed(spec({"web": 2}), config([control, one, two, spare], **near))) == 3
    far = {**near, "loadBalancer": {"addresses": "10.8.0.200-10.8.0.210"}}
    right = "kube-vip announces it by ARP from any worker: they must share a network that holds it"
    assert list(map(str, refused(spec({"web": 2}), config([control, one, two, spare], **far)))) == [
        f"loadBalancer.addresses: 10.8.0.200-10.8.0.210 is not inside the workers' network 10.0.0.0/16; {right}"
    ]
    two = replace(two, address="10.8.0.12", gateway="10.8.0.1")
    assert list(map(str, refused(spec({"web": 2}), config([control, one, two, spare], **near)))) == [
        f"loadBalancer.addresses: 10.0.0.200-10.0.0.210 is not inside the workers' network 10.8.0.0/16; {right}, "
        "or announce it by BGP"
    ]


# Choice of the host


def test_a_labelled_host_serves_its_pool_and_others_serve_any() -> None:
    them = hosts("h1 a s", "h2 a m web", "h3 a s control-plane", "h4 a l")
    assert placed(spec({"web": 2}), config(them)) == {"t-control-plane-0": "h3", "t-web-0": "h2", "t-web-1": "h1"}


def test_unlabelled_hosts_are_taken_by_size_and_then_by_file() -> None:
    them = hosts("big a l", "mid a m", "one a s", "two a s")
    assert placed(spec({"web": 3}), config(them)) == {
        "t-control-plane-0": "one",
        "t-web-0": "two",
        "t-web-1": "mid",
        "t-web-2": "big",
    }


def test_a_machine_gets_a_host_of_its_zone_that_is_large_enough() -> None:
    wanted = Spec.model_validate(
        {
            **spec({"web": 1}, "ab").model_dump(mode="json", by_alias=True),
            "pools": [{"name": "web", "nodes": 2, "size": {**SIZE, "memory": "48Gi"}}],
        }
    )
    them = hosts("c1 a s", "w1 a s", "w2 b s", "w3 b m", "w4 a m")
    assert placed(wanted, config(them)) == {"t-control-plane-0": "c1", "t-web-0": "w4", "t-web-1": "w3"}


def test_pins_come_first_and_keep_their_hosts_from_others() -> None:
    them = hosts("h1 a s", "h2 a s", "h3 a s", "h4 a s")
    pins = {"t-web-1": "h1", "t-web-7": "h2"}
    target = config(them, assignments=pins)
    assert placed(spec({"web": 2}), target) == {"t-control-plane-0": "h3", "t-web-0": "h4", "t-web-1": "h1"}
    plan = assign(spec({"web": 2}), target, wanted_machines(spec({"web": 2})))
    assert plan.reasons[2:] == (
        "h2 (class s, zone a): waits for t-web-7, which the spec has no longer: it runs its node until somebody "
        "powers it off; then take assignments.t-web-7 away to free it",
    )
    assert plan.unpinned == ("t-control-plane-0", "t-web-0")
    assert plan.site.spare_hosts == 0


# What the plan says of itself


def test_places_platforms_and_site() -> None:
    them = hosts("c1 a s control-plane", "w1 a m", "w2* a l", "x1 a l web")
    target = config(
        them,
        namespace="metal",
        generations={"t-web-1": 3},
        vip={"mode": "bgp", "asn": 65010, "peers": [{"address": "10.0.0.1", "asn": 65000}]},
    )
    wanted = spec({"web": 2})
    plan = assign(wanted, target, wanted_machines(wanted))
    assert [(p.host, p.host_class, p.size.cpus, p.address, p.generation) for p in plan.places] == [
        ("c1", "s", 8, "10.0.0.11", 1),
        ("x1", "l", 64, "10.0.0.14", 1),
        ("w1", "m", 16, "10.0.0.12", 3),
    ]
    platform = plan.platforms[2]
    assert (platform.cloud_provider, platform.provider_id) == (False, "tinkerbell://metal/w1")
    assert (platform.vip_mode, platform.bgp_as, platform.bgp_peers) == ("bgp", 65010, "10.0.0.1:65000::false")
    assert plan.endpoint == "10.0.0.10"
    site = plan.site
    assert [(host.name, host.zone, host.cpus) for host in site.hosts] == [
        ("c1", "a", 8),
        ("w1", "a", 16),
        ("w2", "a", 64),
        ("x1", "a", 64),
    ]
    assert (site.machine, site.spare_hosts, site.power_control) == ("host", 1, True)
    assert (site.balancing, site.restarts_machines, site.machine_snapshots) == (None, False, False)
    assert plan.unpinned == ("t-control-plane-0", "t-web-0", "t-web-1")
    assert plan.reasons == (
        "control-plane: 8 CPU and 16Gi asked, 8 CPU and 32Gi there on 1 host: 1.0 and 2.0 times as much",
        "web: 16 CPU and 32Gi asked, 80 CPU and 320Gi there on 2 hosts: 5.0 and 10.0 times as much",
        "w2 (class l, zone a): spare for control-plane, web",
    )


def test_power_control_needs_a_bmc_at_every_host_in_use() -> None:
    def power(*rows: str) -> bool:
        return assign(spec({"web": 1}), config(hosts(*rows)), wanted_machines(spec({"web": 1}))).site.power_control

    assert power("c1 a s", "w1 a s", "x1* a l")
    assert not power("c1 a s", "w1* a s", "x1 a l")


# What is impossible, with numbers


def told(problem: Problem) -> tuple[str, str, str]:
    return f"{problem.what}; {problem.right}", problem.field, problem.source


def test_no_host_is_large_enough() -> None:
    wanted = rich({"pools.1.size.memory": "512Gi"})
    target = config(hosts("h1 a m", "h2 b l", "h3 c s"))
    assert (
        "pool db wants hosts of at least 16 CPU, 512Gi, 1Ti disk; the largest of the inventory has "
        "64 CPU, 256Gi, 3576Gi disk; add larger hosts, or make the nodes smaller",
        "pools[1].size",
        "spec",
    ) in map(told, refused(wanted, target))


def test_every_pool_that_lacks_hosts_is_told_with_its_zones() -> None:
    them = hosts("c1 a s control-plane", "d1 a l db", "d2 b l db", "h1 c s", "w1 a m web")
    faults = refused(spec({"web": 3, "db": 3}, "abc", 3), config(them))
    right = f"add hosts to {FILE}, or lower nodes"
    assert list(map(told, faults)) == [
        (
            "the control plane wants 3 hosts of at least 8 CPU, 16Gi, 100Gi disk in zones a, b, c; the inventory has "
            f"2: zone a wants 1 and has 1; zone b wants 1 and has 0; zone c wants 1 and has 1; {right}",
            "controlPlane.nodes",
            "spec",
        ),
        (
            "pool web wants 3 hosts of at least 8 CPU, 16Gi, 100Gi disk in zones a, b, c; the inventory has 2: zone a "
            "wants 1 and has 1; zone b wants 1 and has 0; zone c wants 1 and has 1, h1 is taken by "
            f"t-control-plane-2; {right}",
            "pools[0].nodes",
            "spec",
        ),
        (
            "pool db wants 3 hosts of at least 8 CPU, 16Gi, 100Gi disk in zones a, b, c; the inventory has 3: zone a "
            "wants 1 and has 1; zone b wants 1 and has 1; zone c wants 1 and has 1, h1 is taken by "
            f"t-control-plane-2; {right}",
            "pools[1].nodes",
            "spec",
        ),
    ]


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("d1", "d1 serves only pool db"),
        ("w2", "w2 stands in zone b, the machine in a"),
        ("w3", "w3 has 2 CPU, 32Gi, 200Gi disk, the machine wants 8 CPU, 16Gi, 100Gi disk"),
    ],
)
def test_a_pinned_host_must_fit(pin: str, why: str) -> None:
    them = hosts("c1 a s", "w1 a s", "d1 a s db", "w2 b s", "w3 a xs")
    classes = {**CLASSES, "xs": {"cpus": 2, "memory": "32Gi", "disk": "200Gi"}}
    wanted = spec({"web": 1, "db": 1}, "ab")
    faults = refused(wanted, config(them, classes=classes, assignments={"t-web-0": pin}))
    right = "change that back; or take the line away: the machine is then made anew, empty, on another host"
    assert told(faults[0]) == (f"{why}; {right}", "assignments.t-web-0", "target")


def test_by_arp_the_endpoint_is_in_the_subnet_of_the_control_plane() -> None:
    them = hosts("c1 a s control-plane", "w1 a s")
    target = config(them, endpoint="10.7.0.1")
    assert list(map(told, refused(spec({"web": 1}), target))) == [
        (
            "10.7.0.1 is no host address of 10.0.0.0/16, where c1 of the control plane stands; choose an address of "
            "the subnet that all control-plane hosts share, or announce it by vip.mode: bgp",
            "endpoint",
            "target",
        )
    ]
    bgp = {"mode": "bgp", "asn": 65010, "peers": [{"address": "10.0.0.1", "asn": 65000}]}
    assert placed(spec({"web": 1}), config(them, endpoint="10.7.0.1", vip=bgp))


# What becomes of the wishes


def test_every_field_has_exactly_one_rule() -> None:
    wanted, target = example("shop")
    assignment = assign(wanted, target, wanted_machines(wanted))
    assert set(rules(wanted, target, assignment)) == set(patterns()) - set(SHARED)


def test_sizes_are_whole_hosts_and_say_what_is_beyond() -> None:
    made = realised(spec({"web": 2}), config(hosts("c1 a s control-plane", "w1 a l web", "w2 a m web")))
    assert {r.grade for path, r in made.items() if ".size." in path} == {"equal"}
    assert made["pools.web.size.cpus"].mechanism == "whole hosts of class l, m"
    assert made["pools.web.size.cpus"].reason == "2.0 times what is asked"
    assert made["controlPlane.size.cpus"].reason == ""


@pytest.mark.parametrize(
    ("more", "surge", "grade", "reason"),
    [
        ([], 0, "equal", ""),
        (["x1 a l"], 1, "equal", "spares that fit: web: 1, db: 1"),
        (["x1 a l web"], 1, "degraded", "surge asks spares for each pool: 1, there are web: 1, db: 0"),
        (["x1 a l"], 2, "degraded", "surge asks spares for each pool: 2, there are web: 1, db: 1"),
    ],
)
def test_surge_needs_a_spare_for_each_pool(more: list[str], surge: int, grade: str, reason: str) -> None:
    them = hosts("c1 a s control-plane", "w1 a s web", "d1 a s db", *more)
    made = realised(spec({"web": 1, "db": 1}, surge=surge), config(them))["availability.surge"]
    assert (made.grade, made.reason) == (grade, reason)


# The examples


def example(name: str, folder: Path = ROOT / "stacks", spec_folder: Path = ROOT / "stacks") -> tuple[Spec, Config]:
    document = load_yaml(folder / f"Pulumi.{name}-tinkerbell.yaml")
    wanted = Spec.model_validate(load_yaml(spec_folder / f"{name}.yaml").data)
    target = load_target(document.data["config"]["isostack:target"], folder, document, wanted)
    assert isinstance(target, Config)
    return wanted, target


def planned(name: str) -> Assignment:
    wanted, target = example(name)
    return assign(wanted, target, wanted_machines(wanted))


def test_the_shop_has_two_spares_one_of_them_for_the_database() -> None:
    plan = planned("shop")
    assert (len(plan.places), plan.site.spare_hosts, plan.site.power_control) == (14, 2, True)
    assert [reason for reason in plan.reasons if "spare for" in reason] == [
        "fra1-r09-spare01 (class m32, zone c): spare for control-plane, web, partner",
        "fra1-r08-spare02 (class l64, zone b): spare for control-plane, web, db, partner",
    ]


def test_the_edge_site_has_none() -> None:
    plan = planned("edge")
    assert (len(plan.places), plan.site.spare_hosts) == (3, 0)


def test_the_example_of_the_scaffold_is_sound() -> None:
    wanted, target = example("example", ROOT / "components/tinkerbell/examples", ROOT / "isostack/examples")
    assert assign(wanted, target, wanted_machines(wanted)).site.spare_hosts == 1


def test_config_and_plan_do_not_pay_for_pulumi() -> None:
    code = (
        "import sys; import components.tinkerbell.plan, components.tinkerbell.template;"
        "sys.exit(any(name.partition('.')[0].startswith('pulumi') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
