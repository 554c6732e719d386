"""What a target must offer to become a stack: one page, the only part of a target that creates resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi

from components.plan import MachinePlan, Plan


@dataclass(frozen=True, slots=True)
class MachineOutputs:
    """What the rest of the stack needs from a created machine."""

    id: pulumi.Output[str]
    """Id at the platform: VM UUID, device id, name of the Hardware."""
    address: pulumi.Output[str]
    """IPv4 address of the node."""
    resource: pulumi.CustomResource
    """What must exist before anything that names the machine."""
    body: tuple[pulumi.CustomResource, ...]
    """What the machine lives in, `resource` among it: the node has left its cluster before any of it is deleted."""


class Site(Protocol):
    """One place with machines. Every resource it creates is a child of `parent` or of the machine's component."""

    def __init__(self, plan: Plan, parent: pulumi.Resource) -> None:
        """Create what the machines share: folder, project, network, tags."""

    @property
    def endpoint(self) -> pulumi.Output[str]:
        """Address of the Kubernetes API."""

    @property
    def known(self) -> Mapping[str, pulumi.Output[str]]:
        """What else the target's own add-ons may name in a Ref."""

    def machine(self, machine: MachinePlan, user_data: pulumi.Output[Any], parent: pulumi.Resource) -> MachineOutputs:
        """Create one machine. `user_data` is what the target's raw.encode has made of it, a secret; its later changes
        must not touch a running machine."""

    def finish(self, machines: Mapping[str, MachineOutputs]) -> Mapping[str, Sequence[pulumi.CustomResource]]:
        """Create what names machines: rules, groups, overrides. Returns what is of one machine alone and deleted with
        it, which waits for its node too. Keys are machine names."""
