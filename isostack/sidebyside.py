"""Two or more stacks side by side: the verdict, the spec's fields, Kubernetes objects, machines, raw resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components import facts
from components.facts import MachineFacts
from components.spec import Size
from isostack.comparison import kind_name, raw_kinds
from isostack.documented import Documented
from isostack.neutral import OBJECT, part_of
from isostack.objects import Mechanism, ObjectSides, mechanisms, object_sides
from isostack.parity import Difference, Parity, parity
from isostack.part import Part
from isostack.preview.model import Preview
from isostack.wishes import Wish, wishes


@dataclass(frozen=True, slots=True)
class Standing(Documented):
    """Where a machine stands."""

    name: str
    """Of the machine and of its node."""
    zone: str
    """Zone of the spec."""
    host: str | None
    """Null: the provider chooses."""
    address: str | None
    """IPv4 address of the node; null: assigned at creation."""


@dataclass(frozen=True, slots=True)
class Alike(Documented):
    """Machines of a pool that a stack makes alike."""

    host_class: str
    """What they are: vm, a plan of the provider, a class of the inventory."""
    made_of: Mapping[str, int]
    """Raw resources of each, by kind."""
    asked: Size
    """What the spec asks of each."""
    size: Size
    """What each really has."""
    more: Mapping[str, int]
    """Per cent that they have beyond what is asked, of cpus, memory and disk; what is as asked is left out."""
    machines: tuple[Standing, ...]
    """Each of them."""


@dataclass(frozen=True, slots=True)
class PoolSides(Documented):
    """Machines that a spec asks for together."""

    pool: str
    """Its name, or control-plane."""
    stacks: tuple[tuple[Alike, ...], ...]
    """What each stack makes of them, in the order of the stacks."""


@dataclass(frozen=True, slots=True)
class KindSides(Documented):
    """Raw resources of a kind."""

    kind: str
    """Package or API group, and the kind."""
    counts: tuple[int, ...]
    """For each stack."""

    @property
    def differs(self) -> bool:
        return len(set(self.counts)) > 1


@dataclass(frozen=True, slots=True)
class SideBySide(Documented):
    """The comparison. What is told for each stack is in the order of `parity.stacks`."""

    parity: Parity
    """Whether they are equivalent, and what decides it."""
    fields: tuple[Wish, ...]
    """Every field of the spec, the worst first; those that come true alike are one."""
    objects: tuple[ObjectSides, ...]
    """Every Kubernetes object that targets must have alike."""
    mechanisms: tuple[Mechanism, ...]
    """Add-ons that are a target's own."""
    machines: tuple[PoolSides, ...]
    """Every machine, by pool."""
    resources: tuple[KindSides, ...]
    """What providers create."""

    def differences(self, part: Part) -> list[Difference]:
        """What is unequal in this part."""
        return [each for each in self.parity.differences if part_of(each.subject.partition(" ")[0]) is part]

    def is_object(self, difference: Difference) -> bool:
        """Whether it is told by the texts of the objects as well."""
        return difference.subject.partition(" ")[0] == OBJECT

    def only(self, part: Part | None) -> dict[str, Any]:
        """The parts of the JSON document: all, or the verdict and those of one part."""
        return {"parity": self.parity} | {
            name: getattr(self, name) for each, names in OF_PART.items() if part in (None, each) for name in names
        }


OF_PART: Final = {
    Part.FIELD: ("fields",),
    Part.KUBERNETES: ("objects", "mechanisms"),
    Part.MACHINES: ("machines",),
    Part.RAW: ("resources",),
}


def side_by_side(previews: Sequence[Preview]) -> SideBySide:
    return SideBySide(
        parity(previews),
        tuple(wishes(previews)),
        object_sides(previews),
        mechanisms(previews),
        tuple(_pools(previews)),
        tuple(_kinds(previews)),
    )


def _pools(previews: Sequence[Preview]) -> Iterator[PoolSides]:
    stacks = [_by_pool(preview) for preview in previews]
    for pool in {pool: None for stack in stacks for pool in stack}:
        yield PoolSides(pool, tuple(stack.get(pool, ()) for stack in stacks))


Key = tuple[str, tuple[tuple[str, int], ...], Size, Size]
"""What machines that are made alike have in common: class, raw resources, sizes asked and real."""


def _by_pool(preview: Preview) -> dict[str, tuple[Alike, ...]]:
    bodies = _bodies(preview)
    found: dict[str, dict[Key, list[MachineFacts]]] = {}
    for component in preview.of_type(facts.MACHINE):
        machine = MachineFacts.of(component.inputs)
        made_of = tuple(sorted(Counter(bodies[component.urn]).items()))
        key = (machine.place.host_class, made_of, machine.wanted.size, machine.place.size)
        found.setdefault(machine.wanted.pool, {}).setdefault(key, []).append(machine)
    return {pool: tuple(_alike(key, machines) for key, machines in each.items()) for pool, each in found.items()}


def _alike(key: Key, machines: Sequence[MachineFacts]) -> Alike:
    host_class, made_of, asked, size = key
    there = tuple(Standing(m.wanted.name, m.wanted.zone, m.place.host, m.place.address) for m in machines)
    return Alike(host_class, dict(made_of), asked, size, dict(_more(asked, size)), there)


def _more(asked: Size, size: Size) -> Iterator[tuple[str, int]]:
    for name in type(size).model_fields:
        wants, has = getattr(asked, name), getattr(size, name)
        if has != wants:
            yield name, round((has - wants) / wants * 100)


def _bodies(preview: Preview) -> dict[str, list[str]]:
    """Kinds of the raw resources of each machine, by the URN of its component: its own, and those that stand elsewhere,
    are named as it is and come from one of its own."""
    found: dict[str, list[str]] = {}
    owner: dict[str, str] = {}
    names: dict[str, str] = {}
    for machine in preview.of_type(facts.MACHINE):
        own = [each for each in preview.children(machine.urn) if each.custom]
        found[machine.urn] = [kind_name(each.type) for each in own]
        owner.update((each.urn, machine.urn) for each in own)
        names[machine.urn] = machine.name
    for beside in preview.resources:
        if beside.custom and beside.urn not in owner:
            for urn in {owner[each] for each in beside.dependencies if each in owner}:
                if beside.name == names[urn]:
                    found[urn].append(kind_name(beside.type))
    return found


def _kinds(previews: Sequence[Preview]) -> Iterator[KindSides]:
    stacks = [raw_kinds(preview) for preview in previews]
    for kind in sorted({kind for stack in stacks for kind in stack}):
        yield KindSides(kind, tuple(stack.get(kind, 0) for stack in stacks))
