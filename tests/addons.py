"""For tests of add-ons: target configs, and ways to look into what add-ons hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from components import addons, realise, targets
from components.addons import load_balancer
from components.addons.announcement import Bgp, Peer
from components.addons.storage import backends
from components.equinix import addons as equinix_addons
from components.equinix.config import Config as Equinix
from components.plan import Addon, MachinePlan, Manifest, Ref, Release, Template
from components.planning import wanted_machines
from components.spec import Spec
from components.vsphere.config import Config as VSphere
from tests.specs import ROOT, SMALLEST, rich

NFS = {"server": "10.20.0.40", "share": "/k8s"}
CEPH = {"pool": "db", "deviceFilter": "^nvme[1-9]n1$"}
POWERFLEX = {"systemId": "4f8b", "endpoint": "https://powerflex.example.com", "storagePool": "pool1"}
SHOP_ON_VSPHERE = yaml.safe_load((ROOT / "stacks/Pulumi.shop-vsphere.yaml").read_text("utf-8"))["config"][
    "isostack:target"
]
DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
Objects = dict[tuple[str, str], Release | Manifest]


def vsphere(changes: dict[str, Any] | None = None) -> VSphere:
    return VSphere.model_validate({**SHOP_ON_VSPHERE, **(changes or {})})


def equinix(changes: dict[str, Any] | None = None) -> Equinix:
    storage = {"backend": "ceph", "ceph": CEPH}
    return Equinix.model_validate(
        {"kind": "equinix", "metro": "fr", "project": "shop", "storage": storage, **(changes or {})}
    )


def on(backend: str, wish: Spec) -> VSphere:
    """A config whose volumes come from this backend; Ceph takes the disks of the first pool."""
    parts = {"nfs": NFS, "ceph": {**CEPH, "pool": wish.pools[0].name}, "powerflex": POWERFLEX}
    return vsphere({"storage": {"backend": backend, **parts}})


def wishing(**wishes: Any) -> Spec:
    """The smallest spec with one storage class."""
    return Spec.model_validate({**SMALLEST, "storage": {"classes": [{"name": "data", **wishes}]}})


def by_name(found: tuple[Addon, ...]) -> dict[str, Addon]:
    return {addon.name: addon for addon in found}


def objects(*found: Addon) -> Objects:
    """By kind and name; a Helm release's kind is Release."""
    return {(getattr(thing, "kind", "Release"), thing.name): thing for addon in found for thing in addon.objects}


def body(thing: Release | Manifest) -> Mapping[str, Any]:
    return {"values": thing.values, "version": thing.version} if isinstance(thing, Release) else thing.body


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Leaves by path; list items go by their name, where they have one."""
    if isinstance(value, Mapping) and value:
        return {k: v for key, item in value.items() for k, v in flat(item, f"{path}.{key}" if path else key).items()}
    if isinstance(value, list | tuple) and value:
        named = all(isinstance(item, Mapping) and "name" in item for item in value)
        keys = [item["name"] if named else index for index, item in enumerate(value)]
        return {k: v for key, item in zip(keys, value, strict=True) for k, v in flat(item, f"{path}[{key}]").items()}
    return {path: value}


def leaves(found: tuple[Addon, ...]) -> Iterator[tuple[Addon, Release | Manifest, str, Any]]:
    for addon in found:
        for thing in addon.objects:
            for path, value in flat(body(thing)).items():
                yield addon, thing, path, value


def chosen(addon: Addon, thing: Release | Manifest, path: str) -> bool:
    """A target may choose this path."""
    owner = f"{getattr(thing, 'kind', 'Release')}/{thing.name}"
    paths = [p for name, _, p in (entry.partition(":") for entry in addon.mechanism) if name == owner]
    return any(path == p or path.startswith((f"{p}.", f"{p}[")) for p in paths)


def neutral(found: tuple[Addon, ...]) -> dict[tuple[str, str, str], Any]:
    return {
        (addon.name, thing.name, path): value
        for addon, thing, path, value in leaves(tuple(a for a in found if a.common))
        if not chosen(addon, thing, path)
    }


def refs(value: Any) -> set[str]:
    if isinstance(value, Ref):
        return {value.name}
    return {ref.name for ref in value.refs.values()} if isinstance(value, Template) else set()


def rule_of(pattern: str, wish: Spec, config: Any) -> tuple[str, str]:
    """Grade and reason of the one leaf of that pattern."""
    (leaf,) = [leaf for leaf in realise.leaves(wish) if leaf.pattern == pattern]
    found = {**addons.storage_rules(config), **addons.load_balancer_rules(config)}[pattern](leaf)
    assert found.field == leaf.path
    return found.grade, found.reason


def everything(wish: Spec, kind: str = "vsphere") -> tuple[Addon, ...]:
    """All add-ons of a stack, in the order of the plan."""
    config: VSphere | Equinix = vsphere()
    if kind == "equinix":
        config = equinix({"storage": {"backend": "ceph", "ceph": {**CEPH, "pool": wish.pools[0].name}}})
    own = targets.addons(kind)
    remediation = addons.fenced(wish, own.fencing(config, nowhere(wish)), nowhere(wish))
    return addons.in_order((*own.addons(wish, config), *addons.common(wish, config), *remediation))


def nowhere(wish: Spec) -> list[MachinePlan]:
    """Its machines, as if add-ons had to know no place of them."""
    place: Any = None
    return [MachinePlan(machine, place, place) for machine in wanted_machines(wish)]


SANDBOX = {"tenants.1.sandbox": True}
SHARED = {"storage": {"classes": [{"name": "shared", "accessModes": ["ReadWriteMany"], "snapshots": True}]}}
ALL = (
    *everything(rich()),
    *everything(rich(), "equinix"),
    *(addon for backend in backends(vsphere()) for addon in addons.common(rich(), on(backend.name, rich()))),
    *addons.common(rich(SHARED), on("ceph", rich())),
    *addons.common(rich(SANDBOX), vsphere()),
    *(
        addon
        for provider in load_balancer.PROVIDERS.values()
        for bgp in (None, Bgp(65000, (Peer("10.20.40.1", 65001),)), equinix_addons.BGP)
        for addon in provider.addons(rich(), vsphere(), bgp)
    ),
)
"""Every add-on that there is, several times over."""
