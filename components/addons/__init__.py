"""Add-ons: what is installed inside the cluster, as pure data. One module for each; this one collects them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from components.addons import (
    cilium,
    etcd_backup,
    monitoring,
    rebalance,
    reboots,
    sandboxes,
    snapshots,
    storage,
    tenants,
    upgrades,
    velero,
)
from components.addons.backend import Backend
from components.addons.load_balancer import load_balancer_rules
from components.addons.remediation import Fencing, remediation_rules, unfenced_rules
from components.addons.remediation import addons as fenced
from components.addons.sandboxes import sandbox_rules
from components.addons.storage import storage_rules
from components.addons.tenants import NAME as TENANTS
from components.plan import Addon, MachinePlan
from components.spec import Spec
from components.target import TargetConfig

__all__ = [
    "TENANTS",
    "Fencing",
    "TargetAddons",
    "common",
    "fenced",
    "in_order",
    "load_balancer_rules",
    "remediation_rules",
    "sandbox_rules",
    "storage_rules",
    "unfenced_rules",
]

_MODULES: tuple[Callable[[Spec, TargetConfig], Iterator[Addon]], ...] = (
    cilium.addons,
    tenants.addons,
    sandboxes.addons,
    storage.drivers,
    storage.classes,
    snapshots.addons,
    monitoring.addons,
    etcd_backup.addons,
    velero.addons,
    reboots.addons,
    rebalance.addons,
    upgrades.addons,
)
"""Each yields nothing where the spec does not wish it."""


def common(spec: Spec, target: TargetConfig) -> tuple[Addon, ...]:
    """The add-ons that the spec asks for on any target, and the drivers of the storage that this one has."""
    return tuple(addon for addons in _MODULES for addon in addons(spec, target))


def in_order(addons: tuple[Addon, ...]) -> tuple[Addon, ...]:
    """Each after those that it names in `after`, otherwise as they come. KeyError names one that is not there."""
    known = {addon.name: addon for addon in addons}
    placed: dict[str, Addon] = {}

    def place(addon: Addon) -> None:
        for name in addon.after:
            place(known[name])
        placed.setdefault(addon.name, addon)

    for addon in addons:
        place(addon)
    return tuple(placed.values())


class TargetAddons(Protocol):
    """What `components/<target>/addons.py` holds."""

    @property
    def BACKENDS(self) -> tuple[Backend, ...]:
        """Storage backends that only this target can have."""

    def addons(self, spec: Spec, config: Any) -> tuple[Addon, ...]:
        """The target's own mechanisms, such as its cloud controller manager: none of them `common`."""

    def fencing(self, config: Any, machines: Sequence[MachinePlan]) -> Fencing | None:
        """How machines are powered off and on from within the cluster; None: nothing can."""
