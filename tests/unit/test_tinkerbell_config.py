"""Config of target tinkerbell: what is wrong with it for a spec and an inventory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.load import load_target
from components.problems import InvalidInput
from components.source import load_yaml
from components.spec import Spec
from tests.unit.test_tinkerbell import CLASSES, FILE, config, hosts, spec

PEER = [{"address": "10.0.0.1", "asn": 65000}]
CONFIG_FAULTS: list[tuple[list[str], dict[str, Any], list[str]]] = [
    (
        ["w1 a s"],
        {"zoneLabel": "example.com/rack"},
        [
            f"{FILE}:2:1: labels: c1 has no label example.com/rack; add example.com/rack=...",
            f"{FILE}:3:1: labels: w1 has no label example.com/rack; add example.com/rack=...",
            "inventory: no host stands in zone 'a' of the spec; "
            "label one with example.com/rack=a, or take the zone away",
        ],
    ),
    (["w1 b s wep"], {}, [
        f"{FILE}:3:1: labels: the spec has no zone 'b'; the spec has a",
        f"{FILE}:3:1: labels: the spec has no pool 'wep'; did you mean 'web'?",
    ]),
    (["w1 a xl", "w2 a xl"], {}, [
        "classes: class 'xl' of 2 hosts of the inventory (w1, w2) is not described; "
        "add xl: {cpus: ..., memory: ..., disk: ...}"
    ]),
    (["w1 a s"], {"assignments": {"t-wep-0": "w1"}}, [
        "assignments.t-wep-0: no machine 't-wep-0'; machines are named t-<pool>-<index>"
    ]),
    (["w1 a s"], {"assignments": {"t-web-0": "w11"}}, [
        f"assignments.t-web-0: {FILE} has no host 'w11'; put its row back under this name; "
        "without the line the machine is made anew, empty, elsewhere"
    ]),
    (["w1 a s"], {"assignments": {"t-web-0": "w1", "t-web-1": "w1"}}, [
        "assignments.t-web-1: 'w1' is given to 't-web-0' already; a host is one machine"
    ]),
    (["w1 a s"], {"endpoint": "10.0.0.12"}, ["endpoint: 10.0.0.12 is host w1; give every address one owner"]),
    (["w1 a s"], {"endpoint": "10.9.0.12"}, ["endpoint: 10.9.0.12 is the BMC of w1; give every address one owner"]),
    (["w1 a s"], {"endpoint": "10.0.0.1"}, ["endpoint: 10.0.0.1 is the gateway of c1; give every address one owner"]),
    (["w1 a s"], {"loadBalancer": {"addresses": "10.0.0.10-10.0.0.12"}}, [
        "loadBalancer.addresses: 10.0.0.10-10.0.0.12 holds 10.0.0.10, the endpoint, and 2 more; "
        "give every address one owner"
    ]),
    (["w1 a s"], {"loadBalancer": {"addresses": "10.0.0.5-10.0.0.10"}}, [
        "loadBalancer.addresses: 10.0.0.5-10.0.0.10 holds 10.0.0.10, the endpoint; give every address one owner"
    ]),
    (["w1 a s"], {"loadBalancer": {"addresses": "10.1.0.5-10.1.0.10"}, "vip": {"mode": "bgp", "asn": 1, "peers": PEER}},
     []),
    (["w1 a s"], {"loadBalancer": {"provider": "none", "addresses": "10.1.0.5-10.1.0.10"}}, []),
    (["w1 a s"], {"endpoint": "10.0.0.3"}, [
        "endpoint: 10.0.0.3 is the metadata service; give every address one owner"
    ]),
    (["w1 a s"], {"vip": {"mode": "bgp"}}, [
        "vip.asn: bgp needs the AS number of the nodes; for example asn: 65010",
        "vip.peers: bgp needs a router to peer with; peers: [{address: 10.20.40.2, asn: 65000}]",
    ]),
    (["w1 a s"], {"vip": {"peers": PEER}}, [
        "vip.mode: arp has no AS number and no peers; write mode: bgp, or take them away"
    ]),
    (["w1 a s"], {"image": {"url": "http://10.0.0.3/noble.img.xz"}}, [
        "image.url: qemuimg2disk reads no compressed file; unpack it, or use a raw image"
    ]),
    ([f"{'w' * 53} a s"], {}, [
        f"{FILE}:3:1: hostname: Workflow {'w' * 53}-g1 has 56 characters, 55 fit; make the host's name shorter by 1"
    ]),
    ([f"{'w' * 52} a s"], {"generations": {"t-web-0": 10}}, [
        f"{FILE}:3:1: hostname: Workflow {'w' * 52}-g10 has 56 characters, 55 fit; make the host's name shorter by 1"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("more", "changes", "messages"), CONFIG_FAULTS)
def test_what_a_config_gets_wrong(more: list[str], changes: dict[str, Any], messages: list[str]) -> None:
    target = config(hosts("c1 a s", *more), **changes)
    assert [str(problem) for problem in target.problems(spec({"web": 1}))] == messages


def test_a_host_has_not_the_address_of_a_gateway() -> None:
    them = hosts("c1 a s", "w1 a s")
    target = config([them[0], replace(them[1], address="10.0.0.1", gateway="10.0.0.9")])
    assert [str(problem) for problem in target.problems(spec({"web": 1}))] == [
        f"{FILE}:3:1: ip_address: 10.0.0.1 is the gateway of c1; give every address one owner"
    ]


def test_the_networks_of_the_cluster_are_nobody_elses() -> None:
    wanted = spec({"web": 1}).model_dump(mode="json", by_alias=True)
    wanted["kubernetes"] |= {"podCidr": "10.9.0.0/16", "serviceCidr": "10.0.0.0/20"}
    told = config(hosts("c1 a s", "w1 a s")).problems(Spec.model_validate(wanted))
    assert [str(problem).partition(";")[0] for problem in told] == [
        # The BMCs are in 10.9.0.0/16, and neither nodes nor pods speak to them.
        f"{FILE}:2:1: netmask: the hosts' network 10.0.0.0/16 overlaps the spec's kubernetes.serviceCidr 10.0.0.0/20",
    ]


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd", "hosts/../../hosts.csv"])
def test_the_inventory_lies_below_the_folder_of_the_stack_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "hosts").mkdir()
    data = {"kind": "tinkerbell", "inventory": name, "classes": CLASSES, "image": {"url": "http://10.0.0.3/a.img"}}
    with pytest.raises(InvalidInput) as caught:
        load_target({**data, "tootles": "http://10.0.0.3:7080", "endpoint": "10.0.0.10"}, tmp_path, None)
    assert [str(problem) for problem in caught.value.problems] == [
        f"config.isostack:target.inventory: {name!r} leaves the folder of the stack files; "
        "put the inventory there and name it from there"
    ]


def test_the_metadata_service_is_named_by_address(tmp_path: Path) -> None:
    """A policy keeps pods from it, and knows no names."""
    data = config(hosts("c1 a s", "w1 a s")).model_dump(by_alias=True)
    with pytest.raises(InvalidInput) as caught:
        load_target({**data, "tootles": "http://tinkerbell.example.com:7080"}, tmp_path, None)
    said = [problem.right for problem in caught.value.problems if problem.field == "config.isostack:target.tootles"]
    assert said == ["write its address, for example http://10.20.0.30:7080"]


def test_faults_of_the_inventory_come_with_those_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("hostname,mac\nH1,x\n", "utf-8")
    (tmp_path / "Pulumi.t.yaml").write_text(
        "config:\n  isostack:target:\n    kind: tinkerbell\n    inventory: hosts.csv\n    classes: {s: {cpus: 8}}\n"
        "    image: {url: ftp://x}\n    tootles: http://10.0.0.3:7080\n    endpoint: 10.0.0\n",
        "utf-8",
    )
    document = load_yaml(tmp_path / "Pulumi.t.yaml")
    with pytest.raises(InvalidInput) as caught:
        load_target(document.data["config"]["isostack:target"], tmp_path, document, spec({"web": 1}))
    found = {
        (Path(problem.file).name, problem.line, problem.field.rpartition(".")[2]) for problem in caught.value.problems
    }
    assert {
        ("Pulumi.t.yaml", 5, "memory"),
        ("Pulumi.t.yaml", 6, "url"),
        ("Pulumi.t.yaml", 8, "endpoint"),
        ("hosts.csv", 1, "netmask"),
        ("hosts.csv", 2, "hostname"),
        ("hosts.csv", 2, "mac"),
    } <= found
