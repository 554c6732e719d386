"""How much of a channel the user data of each machine takes, and what is said where it takes more than there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components import targets
from components.bootstrap.late import Late
from components.bootstrap.node import Node
from components.bootstrap.render import render
from components.plan import MachinePlan, Plan
from components.problems import Problem
from components.raw import Channel

_NAMES = 64
"""Bytes by which another name of the same length may be worse to compress [measured: 4]."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What user data takes of the channel that it goes through."""

    channel: Channel
    taken: Mapping[str, int]
    """Bytes of each machine, by its name: at most, since keys are made at creation."""

    @property
    def largest(self) -> str:
        return max(self.taken, key=lambda name: self.taken[name])


def budget(plan: Plan) -> Budget:
    raw, late = targets.raw(plan.kind), Late.sample()
    alike: dict[Node, list[MachinePlan]] = {}
    for machine in plan.machines:
        alike.setdefault(Node.of(plan, machine, late), []).append(machine)
    found: dict[str, int] = {}
    for machines in alike.values():
        # They differ in their own names alone: the longest stands for all.
        longest = max(machines, key=lambda machine: len(machine.name))
        size = raw.measure(raw.encode(plan, longest, render(plan, longest, late))) + _NAMES
        found |= {machine.name: size for machine in machines}
    return Budget(raw.CHANNEL, {machine.name: found[machine.name] for machine in plan.machines})


def problems(plan: Plan) -> Iterator[Problem]:
    """User data that no channel carries would be cut off, or refused in the middle of an `up`."""
    found = budget(plan)
    channel, takes = found.channel, found.taken[found.largest]
    if takes > channel.limit:
        keys = sum(len(key) for key in plan.spec.access.admins)
        what = f"the user data of {found.largest} takes {takes:,} bytes: {channel.name} carries {channel.limit:,}"
        right = f"fewer or shorter keys: {len(plan.spec.access.admins)} with {keys:,} bytes are in it {channel.source}"
        yield Problem(what, right, ("access", "admins"), source="spec")
