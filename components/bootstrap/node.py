"""What a machine's user data depends on, and the files it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from components.bootstrap.late import Late
from components.plan import MachinePlan, Plan
from components.spec import Access, Kubernetes, Size, Taint

NODE_NAME, NODE_LABELS = "@@NODE_NAME@@", "@@NODE_LABELS@@"
"""Stand in the files for what is each machine's own, so that machines of one pool share everything else."""
NODE_IP = "@NODE_IP@"
"""Stands in the files for the node's address, which bootstrap.sh reads off the default route at boot."""

CONFIG = "/etc/isostack"
KUBERNETES = "/etc/kubernetes"


@dataclass(frozen=True, slots=True)
class File:
    """A file that cloud-init writes, owned by root."""

    path: str
    content: str
    mode: str = "0644"


@dataclass(frozen=True, slots=True)
class Node:
    """All that the files of a machine depend on, but for its own values and its platform's, for which marks stand in
    them. So no file can ask which platform it is for. Hashable: equal nodes share their files."""

    cluster: str
    kubernetes: Kubernetes
    access: Access
    evict_after: int
    metrics: bool
    control_plane: bool
    first: bool
    """The control-plane node that makes a new cluster."""
    size: Size
    """What the spec asks for, on every target: a larger host must not reserve more."""
    taints: tuple[Taint, ...]
    late: Late

    @classmethod
    def of(cls, plan: Plan, machine: MachinePlan, late: Late) -> Node:
        spec, wanted = plan.spec, machine.wanted
        return cls(
            cluster=spec.name,
            kubernetes=spec.kubernetes,
            access=spec.access,
            evict_after=spec.availability.evict_after,
            metrics=spec.monitoring.node_metrics,
            control_plane=wanted.role == "control-plane",
            # Built anew beside others it only ever joins: a second cluster with the same keys must not come about.
            first=wanted.role == "control-plane"
            and wanted.index == 0
            and (machine.place.generation == 1 or spec.control_plane.nodes == 1),
            size=wanted.size,
            taints=wanted.taints,
            late=late,
        )
