"""Storage: which backends there are, what they make of the spec's wishes, the StorageClasses and their drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from components import targets
from components.addons import ceph, nfs, powerflex
from components.addons.backend import Backend, Offer
from components.bootstrap.versions import minor
from components.facts import Realisation
from components.plan import Addon, Leaf, Manifest, Rule, if_asked
from components.spec import Spec, StorageClass
from components.target import TargetConfig

SHARED = (ceph.BACKEND, nfs.BACKEND, powerflex.BACKEND)
"""Backends that any target may name in its config; those that only one can have, its own add-ons declare."""
CLASSES = "storage-classes"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def backends(target: TargetConfig) -> tuple[Backend, ...]:
    return (*targets.addons(target.kind).BACKENDS, *SHARED)


def backend_of(storage_class: StorageClass, target: TargetConfig) -> Backend:
    name = target.storage.backend_of(storage_class.name)
    return next(backend for backend in backends(target) if backend.name == name)


def drivers(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    """The driver of each backend in use, once."""
    for backend in backends(target):
        classes = tuple(c for c in spec.storage.classes if backend_of(c, target) is backend)
        if classes:
            yield from backend.addons(spec, target, classes)


def classes(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    """The StorageClasses: all that a user of the cluster sees of them is the same on every target."""
    if spec.storage.classes:
        yield Addon(
            name=CLASSES,
            serves=("storage.classes.*.name", "storage.classes.*.default", "storage.classes.*.expansion"),
            objects=tuple(_storage_class(c, target) for c in spec.storage.classes),
            mechanism=tuple(
                f"StorageClass/{c.name}:{part}" for c in spec.storage.classes for part in ("provisioner", "parameters")
            ),
        )


def _storage_class(wish: StorageClass, target: TargetConfig) -> Manifest:
    made = backend_of(wish, target).provision(wish, target)
    body = {
        "metadata": {"annotations": {_DEFAULT: "true" if wish.default else "false"}},
        "allowVolumeExpansion": wish.expansion,
        "reclaimPolicy": "Delete",
        # So that the volume is made where the pod can run: the only mode that fits backends with zones.
        "volumeBindingMode": "WaitForFirstConsumer",
        "provisioner": made.driver,
        "parameters": dict(made.parameters),
    }
    return Manifest("storage.k8s.io/v1", "StorageClass", wish.name, body)


def storage_rules(target: TargetConfig) -> Mapping[str, Rule]:
    """How the wishes of the storage classes come true on this target."""
    return {
        "storage.classes.*.snapshots": _rule(target, lambda spec, wish, backend: backend.snapshots),
        "storage.classes.*.expansion": _rule(target, lambda spec, wish, backend: backend.expansion),
        "storage.classes.*.accessModes": _rule(
            target, lambda spec, wish, backend: _access(spec, wish, backend, target)
        ),
    }


def _rule(target: TargetConfig, offered: Callable[[Spec, StorageClass, Backend], Offer]) -> Rule:
    def rule(leaf: Leaf) -> Realisation:
        spec, wish = cast(Spec, leaf.holders[0]), cast(StorageClass, leaf.holders[-1])
        offer = offered(spec, wish, backend_of(wish, target))
        return Realisation(field=leaf.path, grade=offer.grade, mechanism=offer.mechanism, reason=offer.reason)

    return if_asked(rule)


def _access(spec: Spec, wish: StorageClass, backend: Backend, target: TargetConfig) -> Offer:
    """Whether pods reach their volumes. What makes the volumes themselves worse is said here, and here alone."""
    mechanism = f"backend {backend.name}"
    missing = [mode for mode in wish.access_modes if mode not in backend.access_modes]
    if missing:
        return Offer("impossible", mechanism, f"no {' and no '.join(missing)}: {backend.constraints}")
    short = "; ".join(filter(None, (backend.shortfall(spec, target), _unlisted(spec, backend))))
    return Offer("degraded" if short else "equal", mechanism, short or backend.constraints)


def _unlisted(spec: Spec, backend: Backend) -> str:
    version = spec.kubernetes.version
    late = minor(version) > minor(backend.newest)
    return f"the driver is documented up to Kubernetes {backend.newest}, not for {version}" if late else ""
