"""A project of its own with one large vSphere stack."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def scratch(folder: Path, machines: int) -> str:
    """A project with a vSphere stack of so many machines."""
    for name in ("Pulumi.yaml", "__main__.py", "components", "policies"):
        (folder / name).symlink_to(ROOT / name)
    stacks = folder / "stacks"
    stacks.mkdir()
    spec = {
        "name": "big",
        "kubernetes": {"version": "1.36.3", "podCidr": "10.128.0.0/12", "serviceCidr": "10.96.0.0/16"},
        "zones": ["a", "b", "c"],
        "controlPlane": {"nodes": 3, "size": {"cpus": 4, "memory": "16Gi", "disk": "80Gi"}},
        "pools": [{"name": "w", "nodes": machines - 3, "size": {"cpus": 4, "memory": "16Gi", "disk": "80Gi"}}],
        "access": {"admins": [f"ssh-ed25519 {'A' * 68} bench"]},
        "storage": {"classes": [{"name": "fast", "default": True, "snapshots": True}]},
    }
    hosts = [{"name": f"h{i}", "zone": "abc"[i % 3], "cpus": 256, "memory": "2Ti"} for i in range(machines // 10 + 6)]
    target = {
        "kind": "vsphere",
        "vcenter": "10.0.0.2",
        "datacenter": "dc",
        "cluster": "c",
        "datastore": "ds",
        "template": "t",
        "hosts": hosts,
        "network": {
            "name": "n",
            "gateway": "10.0.0.1/16",
            "dns": ["10.0.0.53"],
            "addresses": {"control-plane": "10.0.0.11-10.0.0.13", "w": "10.0.1.0-10.0.99.255"},
        },
        "endpoint": "10.0.0.10",
        "loadBalancer": {"provider": "kube-vip", "addresses": "10.0.255.1-10.0.255.99"},
    }
    (stacks / "big.yaml").write_text(json.dumps(spec))
    config = {"config": {"isostack:spec": "big", "isostack:target": target}}
    (stacks / "Pulumi.big.yaml").write_text(json.dumps(config))
    return "big"


def beside(folder: Path) -> str:
    """A further stack of the project's spec: on rented hosts, whose addresses and places nobody need write down."""
    target = {
        "kind": "equinix",
        "metro": "fr",
        "project": "p",
        "operatingSystem": "ubuntu_24_04",
        "billingCycle": "hourly",
        "plans": ["c3.small.x86"],
        "bgpAsn": 65000,
        "storage": {"backend": "ceph", "ceph": {"pool": "w", "deviceFilter": "^sdb$"}},
        "loadBalancer": {"provider": "kube-vip"},
    }
    waiver = {"rule": "life-service-ended", "reason": "a measurement", "until": "2099-12-31"}
    config = {
        "isostack:spec": "big",
        "isostack:target": target,
        "isostack:policies": {"waivers": [waiver]},
    }
    (folder / "stacks" / "Pulumi.big-rented.yaml").write_text(json.dumps({"config": config}))
    return "big-rented"
