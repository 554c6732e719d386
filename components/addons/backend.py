"""What a storage backend declares of itself: its driver, what its volumes offer, and what installs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from components.plan import Addon
from components.spec import Spec, StorageClass

AccessMode = Literal["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"]


@dataclass(frozen=True, slots=True)
class Offer:
    """How far a backend fulfils a wish."""

    grade: Literal["equal", "degraded", "impossible"]
    mechanism: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Provision:
    """What makes the volumes of one class, and the snapshots of them."""

    driver: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    snapshot_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backend:
    """A storage backend. `target` is the target's config; its part of it the backend's own module reads."""

    name: str
    snapshots: Offer
    expansion: Offer
    access_modes: tuple[AccessMode, ...]
    constraints: str
    """What must hold for access modes, and why the others are not offered."""
    source: str
    """Where the claims come from, and their grade."""
    newest: str
    """Newest Kubernetes minor that the driver's own documents list."""
    provision: Callable[[StorageClass, Any], Provision]
    addons: Callable[[Spec, Any, tuple[StorageClass, ...]], Iterator[Addon]]
    """The driver's add-ons, for the classes that this backend serves."""
    shortfall: Callable[[Spec, Any], str] = lambda spec, target: ""
    """What of this site makes its volumes worse than the backend promises; empty: nothing."""
