"""Specs for tests: the smallest one, the shop's, and a strategy for any valid one."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from components.spec import CONTROL_PLANE, Spec

ROOT = Path(__file__).parent.parent
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExampleExam admin@example.com"
SMALLEST: dict[str, Any] = {
    "name": "tiny",
    "kubernetes": {"version": "1.36.3"},
    "zones": ["a"],
    "controlPlane": {"nodes": 1, "size": {"cpus": 2, "memory": "4Gi", "disk": "40Gi"}},
    "pools": [{"name": "apps", "nodes": 1, "size": {"cpus": 2, "memory": "4Gi", "disk": "40Gi"}}],
    "access": {"admins": [KEY]},
}
SHOP: dict[str, Any] = yaml.safe_load((ROOT / "stacks/shop.yaml").read_text("utf-8"))


def changed(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with values set by dotted path; a number is a place in a list."""
    data = deepcopy(data)
    for path, value in changes.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        holder: Any = data
        for part in parents:
            holder = holder[part]
        holder[last] = value
    return data


def spec(changes: dict[str, Any] | None = None) -> Spec:
    """The smallest spec, changed."""
    return Spec.model_validate(changed(SMALLEST, changes or {}))


def rich(changes: dict[str, Any] | None = None) -> Spec:
    """The shop's spec, changed."""
    return Spec.model_validate(changed(SHOP, changes or {}))


NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(lambda name: name != CONTROL_PLANE)
LABELS = st.dictionaries(
    st.from_regex(r"(example\.com/)?[a-z]{1,8}", fullmatch=True),
    st.from_regex(r"[a-z0-9]{0,8}", fullmatch=True),
    max_size=2,
)
TAINTS = st.lists(
    st.fixed_dictionaries(
        {"key": st.from_regex(r"[a-z]{1,8}", fullmatch=True), "effect": st.sampled_from(["NoSchedule", "NoExecute"])}
    ),
    max_size=1,
)
DURATIONS = st.sampled_from(["30s", "90s", "1h", "6h", "1d"])
MODES = st.lists(st.sampled_from(["ReadWriteOnce", "ReadWriteMany"]), min_size=1, max_size=2, unique=True)
BUCKET = st.just("s3://example-backup/any")


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, Any]:
    """Sizes that a server of every target can have."""
    return {
        "cpus": draw(st.sampled_from([2, 4, 8, 16])),
        "memory": draw(st.sampled_from(["4Gi", "16Gi", "32Gi", "64Gi"])),
        "disk": draw(st.sampled_from(["40Gi", "100Gi", "200Gi"])),
    }


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    """Any valid spec that a real site of some hundred hosts could carry, with and without each optional part."""
    zones = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    some_zones = st.lists(st.sampled_from(zones), unique=True)
    tenants = draw(st.lists(NAMES, max_size=2, unique=True))
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    classes = draw(st.lists(NAMES, max_size=2, unique=True))
    optional: dict[str, st.SearchStrategy[Any]] = {
        "etcd": st.fixed_dictionaries({"every": DURATIONS, "keep": st.integers(1, 50), "to": BUCKET}),
        "volumes": st.fixed_dictionaries({"every": DURATIONS, "keep": st.integers(1, 50), "to": BUCKET}),
    }
    pools = [
        {
            "name": name,
            "nodes": draw(st.integers(1, 4)),
            "size": draw(sizes()),
            "labels": draw(LABELS),
            "taints": draw(TAINTS),
            "tenant": draw(st.none() | st.sampled_from(tenants)) if tenants else None,
            "zones": draw(some_zones),
        }
        for name in names
    ]
    if set(tenants) - {pool["tenant"] for pool in pools}:
        pools[0]["tenant"] = None  # every tenant's pods have a place
    return Spec.model_validate(
        {
            "name": draw(NAMES),
            "kubernetes": {
                "version": draw(st.sampled_from(["1.34.1", "1.36.3", "1.37.0"])),
                "upgrades": draw(st.sampled_from([None, {}, {"concurrency": 3}])),
            },
            "zones": zones,
            "controlPlane": {"nodes": draw(st.sampled_from([1, 3])), "size": draw(sizes())},
            "pools": pools,
            "tenants": [
                {
                    "name": t,
                    "trust": draw(st.sampled_from(["internal", "external"])),
                    "sandbox": any(pool["tenant"] == t for pool in pools) and draw(st.booleans()),
                }
                for t in tenants
            ],
            "access": {
                "admins": [KEY],
                "audit": draw(st.sampled_from(["none", "metadata", "request"])),
                "encryptSecrets": draw(st.booleans()),
                **({"oidc": {"issuer": "https://login.example.com", "clientId": "k8s"}} if draw(st.booleans()) else {}),
            },
            "storage": {
                "classes": [
                    {
                        "name": name,
                        "default": i == 0,
                        "snapshots": draw(st.booleans()),
                        "expansion": draw(st.booleans()),
                        "accessModes": draw(MODES),
                    }
                    for i, name in enumerate(classes)
                ]
            },
            "services": {"loadBalancer": draw(st.booleans())},
            "backup": draw(st.fixed_dictionaries({}, optional=optional)),
            "monitoring": {"nodeMetrics": draw(st.booleans())},
            "availability": {
                "evictAfter": draw(DURATIONS),
                "surge": draw(st.integers(0, 1)),
                "remediation": draw(st.booleans()),
                "reboots": draw(st.sampled_from([None, {"days": ["sat"], "start": "02:00", "end": "05:00"}])),
                "rebalance": draw(st.booleans()),
            },
            "workloads": [
                {"name": "w", "pool": names[0], "replicas": 1, "requests": {"cpu": "100m", "memory": "64Mi"}}
            ],
        }
    )
