"""How each wish of a spec comes true: the leaves of a spec, and the rules that hold on every target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel

from components.facts import Realisation
from components.plan import Leaf, Rule, equal
from components.spec import CONTROL_PLANE, Spec

BIRTH = "as of a node's birth: a later change reaches new nodes and new generations"
CREATION = "as of the cluster's creation: nothing carries a later change into it"
"""Of what user data carries, which touches no running machine. kubeadm keeps the configuration of the API server in the
cluster from its creation on, and nodes that join take it from there."""
UPDATES = "which updates are made, and ask for a restart, is up to the image: Ubuntu's has unattended-upgrades"
UPGRADES = (
    "a minor at a time and never back, a node drained for each; what a spec skips fails on the node and says so; "
    "packages that its image does not bring come from pkgs.k8s.io"
)
SHARED: Mapping[str, Rule] = {
    "name": equal("names of machines and nodes: <cluster>-<pool>-<index>"),
    "kubernetes.version": lambda leaf: version(leaf),
    "kubernetes.cni": equal("Helm release cilium"),
    "kubernetes.upgrades.concurrency": equal("Plans of system-upgrade-controller, the control plane first", UPGRADES),
    "kubernetes.podCidr": equal("kubeadm networking.podSubnet", CREATION),
    "kubernetes.serviceCidr": equal("kubeadm networking.serviceSubnet", CREATION),
    "controlPlane.nodes": lambda leaf: control_plane_nodes(leaf),
    "pools.*.name": equal("node label isostack.io/pool"),
    "pools.*.nodes": equal("one machine each, joined with kubeadm"),
    "pools.*.tenant": equal("node label and NoSchedule taint isostack.io/tenant; admission policy tenant-nodes"),
    "pools.*.labels": equal("kubelet node labels at registration", BIRTH),
    "pools.*.taints": equal("kubelet taints at registration", BIRTH),
    "tenants.*.name": equal("namespace with default-deny NetworkPolicy"),
    "tenants.*.quota.cpu": equal(
        "ResourceQuota of the namespace; a LimitRange gives pods that ask for nothing a request"
    ),
    "tenants.*.quota.memory": equal("the same"),
    "tenants.*.trust": equal("Pod Security level of the namespace; policy pack isolation"),
    "access.admins": equal("cloud-init authorized keys", BIRTH),
    "access.oidc.issuer": equal("API server structured authentication", CREATION),
    "access.oidc.clientId": equal("API server structured authentication", CREATION),
    "access.oidc.usernameClaim": equal("API server structured authentication", CREATION),
    "access.oidc.groupsClaim": equal("API server structured authentication", CREATION),
    "access.audit": equal("API server audit policy", CREATION),
    "access.encryptSecrets": equal("API server encryption at rest", CREATION),
    "storage.classes.*.name": equal("StorageClass of that name"),
    "storage.classes.*.default": equal("annotation storageclass.kubernetes.io/is-default-class"),
    "backup.etcd.every": equal("CronJob etcd-backup"),
    "backup.etcd.keep": equal("CronJob etcd-backup"),
    "backup.etcd.to": equal("CronJob etcd-backup"),
    "backup.volumes.every": equal("Velero schedule"),
    "backup.volumes.keep": equal("Velero schedule"),
    "backup.volumes.to": equal("Velero backup storage location"),
    "monitoring.nodeMetrics": equal("Helm release kube-prometheus-stack with node exporter"),
    "availability.evictAfter": equal("API server default-*-toleration-seconds", CREATION),
    "availability.reboots.days": equal("Helm release kured", UPDATES),
    "availability.reboots.start": equal("Helm release kured", UPDATES),
    "availability.reboots.end": equal("Helm release kured", UPDATES),
    "availability.rebalance": lambda leaf: rebalance(leaf),
    "workloads.*.name": equal("sizing"),
    "workloads.*.pool": equal("sizing"),
    "workloads.*.replicas": equal("sizing and policy pack drs"),
    "workloads.*.requests.cpu": equal("sizing and policy pack drs"),
    "workloads.*.requests.memory": equal("sizing"),
    "workloads.*.state": equal("policy pack snapshots"),
}
"""Rules of the fields that no target decides. A target that knows better of one has its own."""


def control_plane_nodes(leaf: Leaf) -> Realisation:
    """The same on every target, and so are the zones that the spec spreads them over."""
    spec = cast(Spec, leaf.holders[0])
    here = max(Counter(spec.zones_of(CONTROL_PLANE)[i % len(spec.zones)] for i in range(leaf.value)).values())
    majority, reason = leaf.value // 2 + 1, ""
    if len(spec.zones) > 1 and leaf.value > 1 and leaf.value - here < majority:
        reason = f"one zone holds {here} of {leaf.value} and etcd needs {majority}: its loss stops the API"
    return equal("one machine each, joined with kubeadm", reason)(leaf)


def version(leaf: Leaf) -> Realisation:
    followed = cast(Spec, leaf.holders[0]).kubernetes.upgrades is not None
    reason = "running nodes follow by kubernetes.upgrades" if followed else BIRTH
    return equal("kubeadm, kubelet and kubectl packages of that release", reason)(leaf)


def rebalance(leaf: Leaf) -> Realisation:
    return equal("Helm release descheduler, by requests" if leaf.value else "nothing moves pods that run")(leaf)


def realise(spec: Spec, target_rules: Mapping[str, Rule]) -> tuple[Realisation, ...]:
    """One realisation for every leaf of the spec. KeyError names a pattern that neither SHARED nor the target knows."""
    rules = {**SHARED, **target_rules}
    return tuple(rules[leaf.pattern](leaf) for leaf in leaves(spec))


def leaves(spec: Spec) -> Iterator[Leaf]:
    """The leaf fields of a spec that hold a wish: absent optional parts have none."""
    yield from _leaves(spec, "", "", ())


def _leaves(model: BaseModel, path: str, pattern: str, holders: tuple[BaseModel, ...]) -> Iterator[Leaf]:
    for name, info in type(model).model_fields.items():
        value, alias = getattr(model, name), info.alias or name
        here, kind, within = f"{path}{alias}", f"{pattern}{alias}", (*holders, model)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{here}.", f"{kind}.", within)
        elif _named_item(info.annotation):
            for element in value:
                yield from _leaves(element, f"{here}.{element.name}.", f"{kind}.*.", within)
        elif value is not None:
            yield Leaf(here, kind, value, within)


def patterns(model: type[BaseModel] = Spec, prefix: str = "") -> Iterator[str]:
    """The patterns of all leaf fields that a spec can have, from the types alone."""
    for name, info in model.model_fields.items():
        here = f"{prefix}{info.alias or name}"
        if (item := _named_item(info.annotation)) is not None:
            yield from patterns(item, f"{here}.*.")
        elif (part := _model_of(info.annotation)) is not None:
            yield from patterns(part, f"{here}.")
        else:
            yield here


def _named_item(annotation: Any) -> type[BaseModel] | None:
    """The model of a list whose items have a name; lists of other things are leaves as a whole."""
    if get_origin(annotation) is tuple:
        item = get_args(annotation)[0]
        if isinstance(item, type) and issubclass(item, BaseModel) and "name" in item.model_fields:
            return item
    return None


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, UnionType):
        annotation = next(arg for arg in get_args(annotation) if arg is not NoneType)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
