"""Target configs for tests: for each kind, one that carries a given spec."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components import targets
from components.load import load_target
from components.planning import wanted_machines
from components.spec import CONTROL_PLANE, Spec
from components.target import TargetConfig
from tests.specs import ROOT


def pools(spec: Spec) -> dict[str, int]:
    return {CONTROL_PLANE: spec.control_plane.nodes} | {pool.name: pool.nodes for pool in spec.pools}


def storage(spec: Spec) -> dict[str, Any]:
    """Rook where a class exists: the backend that every metal target can have, and that offers all access modes."""
    return {"backend": "ceph", "ceph": {"pool": spec.pools[0].name, "deviceFilter": "^sd[b-z]$"}}


def vsphere(spec: Spec, folder: Path) -> dict[str, Any]:
    first = IPv4Address("10.0.1.0")
    ranges, used = {}, 0
    for name, nodes in pools(spec).items():
        ranges[name] = f"{first + used}-{first + used + nodes - 1}"
        used += nodes
    hosts = [
        {"name": f"esx-{zone}-{i}", "zone": zone, "cpus": 256, "memory": "4Ti"} for zone in spec.zones for i in range(3)
    ]
    return {
        "vcenter": "10.0.0.2",
        "datacenter": "dc",
        "cluster": "c",
        "datastore": "ds",
        "template": "t",
        "hosts": hosts,
        "network": {"name": "n", "gateway": "10.0.0.1/16", "dns": ["10.0.0.53"], "addresses": ranges},
        "endpoint": "10.0.0.10",
        "storage": storage(spec),
        "loadBalancer": {"provider": "kube-vip", "addresses": "10.0.255.1-10.0.255.99"},
    }


def equinix(spec: Spec, folder: Path) -> dict[str, Any]:
    return {"metro": "fr", "project": "p", "storage": storage(spec), "loadBalancer": {"provider": "kube-vip"}}


def tinkerbell(spec: Spec, folder: Path) -> dict[str, Any]:
    """An inventory with a host for each machine and a spare in each zone."""
    rows = ["hostname,bmc_ip,mac,ip_address,netmask,gateway,nameservers,labels,disk"]
    numbers = count(1)

    def row(zone: str, pool: str) -> None:
        n = next(numbers)
        labels = f"topology.kubernetes.io/zone={zone}|class=large{f'|pool={pool}' if pool else ''}"
        mac = ":".join(f"{byte:02x}" for byte in (2 << 40 | n).to_bytes(6, "big"))
        address = f"10.0.{1 + n // 250}.{1 + n % 250}"
        rows.append(
            f"h{n:04},10.1.{n // 250}.{1 + n % 250},{mac},{address},255.255.0.0,10.0.0.1,10.0.0.53,{labels},/dev/sda"
        )

    for machine in wanted_machines(spec):
        row(machine.zone, machine.pool)
    for zone in spec.zones:
        row(zone, "")
    (folder / "hosts.csv").write_text("\n".join(rows) + "\n")
    return {
        "inventory": "hosts.csv",
        "classes": {"large": {"cpus": 128, "memory": "1Ti", "disk": "8Ti"}},
        "image": {"url": "http://10.0.0.30/noble.img"},
        "tootles": "http://10.0.0.30:7080",
        "endpoint": "10.0.0.10",
        "storage": storage(spec),
        "loadBalancer": {"provider": "kube-vip", "addresses": "10.0.255.1-10.0.255.99"},
    }


MAKERS: dict[str, Callable[[Spec, Path], dict[str, Any]]] = {
    "vsphere": vsphere,
    "equinix": equinix,
    "tinkerbell": tinkerbell,
}


def config_data(kind: str, spec: Spec, folder: Path) -> dict[str, Any]:
    """What `isostack:target` says in a stack file; files that it names are written to `folder`."""
    return {"kind": kind, **MAKERS[kind](spec, folder)}


def config_for(kind: str, spec: Spec) -> TargetConfig:
    """A config of this kind that carries the spec."""
    with TemporaryDirectory() as folder:
        return load_target(config_data(kind, spec, Path(folder)), Path(folder), None, spec)


@dataclass(frozen=True)
class ScratchProject:
    """A project of its own for a test: the program and its components are this checkout's."""

    root: Path

    @property
    def stacks(self) -> Path:
        return self.root / "stacks"

    def add(self, spec: Spec, kinds: tuple[str, ...] = targets.kinds()) -> list[str]:
        """Write the spec and a stack of it for each kind; returns the stacks' names."""
        (self.stacks / f"{spec.name}.yaml").write_text(json.dumps(spec.model_dump(mode="json", by_alias=True)))
        for kind in kinds:
            config = {"isostack:spec": spec.name, "isostack:target": config_data(kind, spec, self.stacks)}
            (self.stacks / f"Pulumi.{spec.name}-{kind}.yaml").write_text(json.dumps({"config": config}))
        return [f"{spec.name}-{kind}" for kind in kinds]


def scratch(root: Path) -> ScratchProject:
    """A project in `root` that runs this checkout's program."""
    for name in ("Pulumi.yaml", "__main__.py", "components", "policies"):
        (root / name).symlink_to(ROOT / name)
    (root / "stacks").mkdir()
    return ScratchProject(root)
