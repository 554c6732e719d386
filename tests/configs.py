"""Target configs for tests: for each kind, one that carries a given spec."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from components import targets
from components.load import load_target
from components.planning import wanted_machines
from components.spec import CONTROL_PLANE, Size, Spec
from components.target import TargetConfig
from tests.specs import ROOT

CLASSES: dict[str, dict[str, Any]] = {
    "slim": {"cpus": 16, "memory": "16Gi", "disk": "100Gi"},
    "fat": {"cpus": 4, "memory": "64Gi", "disk": "200Gi"},
    "mid": {"cpus": 8, "memory": "32Gi", "disk": "200Gi"},
    "full": {"cpus": 16, "memory": "64Gi", "disk": "200Gi"},
    "large": {"cpus": 128, "memory": "1Ti", "disk": "8Ti"},
}
"""Of bare-metal hosts: slim and fat do not cover each other, full and large cover every machine of tests.specs."""

AUTHORITY = (ROOT / "tests/unit/data/mirror-ca.crt").read_text("utf-8")
PLACES: dict[str, dict[str, Any]] = {
    "vsphere": {
        "registryMirrors": {
            "docker.io": ["https://mirror.example.com/v2/dockerhub", "https://second.example.com"],
            "registry.k8s.io": ["https://10.20.0.35:5000"],
        },
        "registryCa": AUTHORITY,
        "proxy": {
            "http": "http://proxy.example.com:3128",
            "https": "http://proxy.example.com:3128",
            "noProxy": ["mirror.example.com", ".corp.example.com", "10.20.0.0/16", "10.20.0.35"],
        },
    },
    "tinkerbell": {"proxy": {"https": "http://10.20.0.36:3128"}},
}
"""How machines reach the world outside, by kind: another way on each, and none may make the clusters unlike."""

ACCEPTED: dict[str, dict[str, Any]] = {
    "equinix": {"isostack:policies": {"levels": {"life-service-ended": "advisory"}}},
}
"""What policy packs would block, by kind: its service has ended. By level, since a waiver ends on some day."""


@dataclass(frozen=True)
class Row:
    """One host of an inventory; `pool` is empty where it serves any."""

    number: int
    zone: str
    kind: str
    pool: str

    @property
    def name(self) -> str:
        return f"h{self.number:04}"


def labelled(spec: Spec) -> list[Row]:
    """An inventory with a host for each machine, labelled with its pool, and a spare in each zone."""
    asked = [(machine.zone, machine.pool) for machine in wanted_machines(spec)] + [(zone, "") for zone in spec.zones]
    return [Row(number, zone, "large", pool) for number, (zone, pool) in enumerate(asked, start=1)]


@st.composite
def inventories(draw: st.DrawFn, spec: Spec, first: int = 1) -> list[Row]:
    """Any inventory that can carry the spec: hosts of uneven sizes, more and larger ones than needed, all, some or none
    of them labelled with a pool, in any order. Its hosts are numbered from `first`.
    """
    sizes = {kind: Size.model_validate(size) for kind, size in CLASSES.items()}
    labels = draw(st.sampled_from([[True], [True, False], [False]]))
    asked = [
        (m.zone, draw(st.sampled_from([kind for kind in sizes if sizes[kind].covers(m.size)])), m.pool)
        for m in wanted_machines(spec)
    ]
    kinds, names = st.sampled_from(list(sizes)), st.sampled_from(list(pools(spec)))
    asked += [(zone, draw(kinds), draw(names)) for zone in spec.zones]
    asked += draw(st.lists(st.tuples(st.sampled_from(spec.zones), kinds, names), max_size=6))
    asked = draw(st.permutations(asked))
    return [
        Row(number, zone, kind, pool if draw(st.sampled_from(labels)) else "")
        for number, (zone, kind, pool) in enumerate(asked, start=first)
    ]


def pools(spec: Spec) -> dict[str, int]:
    return {CONTROL_PLANE: spec.control_plane.nodes} | {pool.name: pool.nodes for pool in spec.pools}


def storage(spec: Spec) -> dict[str, Any]:
    """Rook where a class exists: the backend that every metal target can have, and that offers all access modes."""
    return {"backend": "ceph", "ceph": {"pool": spec.pools[0].name, "deviceFilter": "^sd[b-z]$"}}


def vsphere(spec: Spec, folder: Path, hosts: Sequence[Row]) -> dict[str, Any]:
    first = IPv4Address("10.0.1.0")
    ranges, used = {}, 0
    for name, nodes in pools(spec).items():
        ranges[name] = f"{first + used}-{first + used + nodes - 1}"
        used += nodes
    esx = [
        {"name": f"esx-{zone}-{i}", "zone": zone, "cpus": 256, "memory": "4Ti"} for zone in spec.zones for i in range(3)
    ]
    return {
        "vcenter": "10.0.0.2",
        "datacenter": "dc",
        "cluster": "c",
        "datastore": "ds",
        "template": "t",
        "hosts": esx,
        "network": {"name": "n", "gateway": "10.0.0.1/16", "dns": ["10.0.0.53"], "addresses": ranges},
        "endpoint": "10.0.0.10",
        "storage": storage(spec),
        "loadBalancer": {"provider": "kube-vip", "addresses": "10.0.255.1-10.0.255.99"},
    }


def equinix(spec: Spec, folder: Path, hosts: Sequence[Row]) -> dict[str, Any]:
    return {"metro": "fr", "project": "p", "storage": storage(spec), "loadBalancer": {"provider": "kube-vip"}}


def tinkerbell(spec: Spec, folder: Path, hosts: Sequence[Row]) -> dict[str, Any]:
    rows = ["hostname,bmc_ip,mac,ip_address,netmask,gateway,nameservers,labels,disk"]
    for host in hosts:
        n = host.number
        labels = f"topology.kubernetes.io/zone={host.zone}|class={host.kind}{f'|pool={host.pool}' if host.pool else ''}"
        mac = ":".join(f"{byte:02x}" for byte in (2 << 40 | n).to_bytes(6, "big"))
        address, bmc = (f"10.{net}.{1 + n // 250}.{1 + n % 250}" for net in (0, 1))
        rows.append(f"{host.name},{bmc},{mac},{address},255.255.0.0,10.0.0.1,10.0.0.53,{labels},/dev/sda")
    (folder / "hosts.csv").write_text("\n".join(rows) + "\n")
    return {
        "inventory": "hosts.csv",
        "classes": CLASSES,
        "image": {"url": "http://10.0.0.30/noble.img"},
        "tootles": "http://10.0.0.30:7080",
        "endpoint": "10.0.0.10",
        "storage": storage(spec),
        "loadBalancer": {"provider": "kube-vip", "addresses": "10.0.255.1-10.0.255.99"},
    }


MAKERS: dict[str, Callable[[Spec, Path, Sequence[Row]], dict[str, Any]]] = {
    "vsphere": vsphere,
    "equinix": equinix,
    "tinkerbell": tinkerbell,
}


def config_data(kind: str, spec: Spec, folder: Path, hosts: Sequence[Row] | None = None) -> dict[str, Any]:
    """What `isostack:target` says in a stack file; files that it names are written to `folder`. `hosts` are those of a
    target that has an inventory.
    """
    asked = MAKERS[kind](spec, folder, labelled(spec) if hosts is None else hosts)
    return {"kind": kind, **asked, **PLACES.get(kind, {})}


def config_for(kind: str, spec: Spec, hosts: Sequence[Row] | None = None) -> TargetConfig:
    """A config of this kind that carries the spec."""
    with TemporaryDirectory() as folder:
        return load_target(config_data(kind, spec, Path(folder), hosts), Path(folder), None, spec)


@dataclass(frozen=True)
class ScratchProject:
    """A project of its own for a test: the program and its components are this checkout's."""

    root: Path

    @property
    def stacks(self) -> Path:
        return self.root / "stacks"

    def add(
        self, spec: Spec, kinds: tuple[str, ...] = targets.kinds(), hosts: Sequence[Row] | None = None
    ) -> list[str]:
        """Write the spec and a stack of it for each kind; returns the stacks' names."""
        (self.stacks / f"{spec.name}.yaml").write_text(json.dumps(spec.model_dump(mode="json", by_alias=True)))
        for kind in kinds:
            config: dict[str, Any] = {"isostack:spec": spec.name, **ACCEPTED.get(kind, {})}
            config["isostack:target"] = config_data(kind, spec, self.stacks, hosts)
            (self.stacks / f"Pulumi.{spec.name}-{kind}.yaml").write_text(json.dumps({"config": config}))
        return [f"{spec.name}-{kind}" for kind in kinds]


def scratch(root: Path) -> ScratchProject:
    """A project in `root` that runs this checkout's program."""
    for name in ("Pulumi.yaml", "__main__.py", "components", "policies"):
        (root / name).symlink_to(ROOT / name)
    (root / "stacks").mkdir()
    return ScratchProject(root)
