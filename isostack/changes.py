"""Changes: what an `up` does to a stack, told resource by resource from two previews of it, and what each means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from components import facts
from isostack import nodeupgrades
from isostack.flat import UNTOLD, differing, texts
from isostack.preview.model import UNKNOWN, Preview, Resource, Secret
from isostack.sound import short
from isostack.update import COMMAND

_OPTIONS = ("protect", "retain_on_delete")
UNDESCRIBED = "no longer described: it stays until `pulumi destroy`, which needs the stack's file"
"""What becomes of a whole stack without its file: no `up` speaks of it any more."""
_MAYBE = "in place, unless the provider must build it anew"


class Kind(StrEnum):
    CREATED = "created"
    REPLACED = "built anew"
    CHANGED = "changed"
    LATER = "at the next birth"
    RENAMED = "renamed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Property:
    """What stands elsewhere after. `ignored`: the resource keeps what it has until it is built anew."""

    path: str
    before: str
    after: str
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What happens in the same way, with the same meaning, to resources of one type."""

    kind: Kind
    type: str
    names: tuple[str, ...]
    meaning: str
    properties: tuple[Property, ...] = ()
    was: tuple[str, ...] = ()
    """The names before, where they were others."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A changed fact, told once for all that it is a fact of."""

    subject: str
    """What it is a fact of: spec, config, site, machines, add-on NAME."""
    field: str
    before: str
    after: str
    meaning: str = ""
    names: tuple[str, ...] = ()
    """Of machines: those that it holds for."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of the user data, and the machines in whose user data it differs."""

    file: str
    kind: Kind
    names: tuple[str, ...]
    meaning: str
    gone: tuple[str, ...] = ()
    """Words of its text that are not there any more, sorted; `come`: those that are new."""
    come: tuple[str, ...] = ()
    text: str = field(default="", compare=False)
    """The difference of its texts, of one machine and with its name as NODE; empty where they cannot be told."""


@dataclass(frozen=True, slots=True)
class StackChange:
    """All that becomes of a stack. `kind` is None where nothing does."""

    stack: str
    kind: Kind | None
    causes: tuple[Cause, ...] = ()
    machines: tuple[Row, ...] = ()
    resources: tuple[Row, ...] = ()
    files: tuple[FileChange, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Machines before and after."""

    def count(self, kind: Kind, rows: Iterable[Row] | None = None) -> int:
        return sum(len(row.names) for row in (self.resources if rows is None else rows) if row.kind is kind)


def changes(before: Preview | None, after: Preview | None) -> StackChange:
    """What becomes of a stack; None: it is not there. `before` may be what is deployed: what that tells and a preview
    cannot know is no change. Raises ValueError where neither is there."""
    from isostack.factchanges import causes, files
    from isostack.machinechanges import machines as of_machines

    one = after or before
    if one is None:
        raise ValueError("a stack that is nowhere")
    old = before or Preview(one.project, one.stack)
    new = after or Preview(one.project, one.stack)
    held = Held(old, new)
    machines, resources = tuple(grouped(of_machines(held))), tuple(grouped(_resources(held)))
    both = before is not None and after is not None
    told = tuple(causes(held)) if both else ()
    digests = tuple(files(held)) if both else ()
    kind: Kind | None = Kind.CREATED if before is None else Kind.DELETED if after is None else None
    if both and (machines or resources or told or digests):
        kind = Kind.CHANGED
    counts = {"before": len(old.of_type(facts.MACHINE)), "after": len(new.of_type(facts.MACHINE))}
    return StackChange(one.stack, kind, told, machines, resources, digests, counts)


class Held:
    """Two previews of a stack held against each other: who is who, what differs in each, what is built anew."""

    def __init__(self, before: Preview, after: Preview) -> None:
        self.before, self.after = before, after
        self.guess = bool(before.origin)
        self.cluster = of_cluster(before), of_cluster(after)
        """Facts of the cluster, before and after."""
        old, new = self.cluster
        self.moved = bool(old and new) and old.get("endpoint") != new.get("endpoint")
        """Whether the API has another address."""
        self.upgraded = nodeupgrades.follow(old, new)
        """Whether running nodes are upgraded in place."""
        self.undescribed = not after.resources
        """Whether the whole stack is gone."""
        self.was: dict[str, Resource] = {}
        """What was there before, by the URN of today."""
        for resource in after.resources:
            names = (resource.urn, *resource.aliases)
            if there := next((before.by_urn[urn] for urn in names if urn in before.by_urn), None):
                self.was[resource.urn] = there
        self.now = {there.urn: urn for urn, there in self.was.items()}
        self.properties: dict[str, tuple[Property, ...]] = {}
        self.replaced: dict[str, str] = {}
        """Why, by URN."""
        for resource in after.resources:  # what one depends on is registered before it
            there = self.was.get(resource.urn)
            if there is not None and resource.custom:
                self.properties[resource.urn] = found = tuple(self._properties(there, resource))
                if why := self._why_replaced(there, resource, found):
                    self.replaced[resource.urn] = why

    def effective(self, urn: str) -> list[Property]:
        return [each for each in self.properties.get(urn, ()) if not each.ignored]

    def gone(self) -> list[Resource]:
        return [resource for resource in self.before.resources if resource.urn not in self.now]

    def below(self, machine: Resource) -> list[Resource]:
        """The raw resources below a machine of today, its membership among them."""
        return [each for each in self.after.children(machine.urn) if each.custom]

    def membership(self, preview: Preview, machine: Resource) -> Resource | None:
        """What takes the machine's node out of its cluster."""
        return next((each for each in preview.children(machine.urn) if each.type == COMMAND), None)

    def fate(self, machine: Resource) -> Kind | None:
        """What becomes of a machine of today. Its body is what a raised generation builds anew; a body under another
        URN is another machine."""
        if machine.urn not in self.was:
            return Kind.CREATED
        below = self.below(machine)
        body = [each for each in below if each.replacement_trigger is not None]
        if any(each.urn in self.replaced or each.urn not in self.was for each in body):
            return Kind.REPLACED
        if any(self.effective(each.urn) or each.urn in self.replaced for each in below):
            return Kind.CHANGED
        if any(self.properties.get(each.urn) for each in below):
            return Kind.LATER
        same = self.was[machine.urn].inputs == machine.inputs and not self.moved
        return None if same else Kind.LATER

    def born_with_user_data(self, machine: Resource) -> bool:
        """Whether the body ignores changes of what is made from the cluster's keys: that is its user data."""
        keys = {key.urn for pki in self.after.of_type(facts.PKI) for key in self.after.children(pki.urn) if key.protect}
        return any(
            within(ignored, name)
            for each in self.below(machine)
            for name, urns in each.property_dependencies.items()
            if keys.intersection(urns)
            for ignored in each.ignore_changes
        )

    def _properties(self, there: Resource, here: Resource) -> Iterator[Property]:
        names = (*there.property_dependencies, *here.property_dependencies)
        moved = {name: told for name in dict.fromkeys(names) if (told := self._origin(name, there, here))}
        for path, old, new in differing(dict(there.inputs), dict(here.inputs), guess=self.guess):
            top = path.partition(".")[0].partition("[")[0]
            # Values that nobody knows are told by where they come from.
            if not (top in moved and _unknown(old) and _unknown(new)):
                yield Property(path, *texts(old, new), _ignored(path, here))
        for name, (old, new) in moved.items():
            yield Property(name, old, new, _ignored(name, here))
        for option in _OPTIONS:
            old, new = getattr(there, option), getattr(here, option)
            if old != new:
                yield Property(f"({option.replace('_', ' ')})", *texts(old, new))

    def _origin(self, name: str, there: Resource, here: Resource) -> tuple[str, str] | None:
        """What a property's value comes from, before and after, where that has changed."""
        old = {self.now.get(urn, urn) for urn in there.property_dependencies.get(name, ())}
        new = set(here.property_dependencies.get(name, ()))
        again = sorted(new.intersection(self.replaced))
        if old != new:
            here_only, there_only = sorted(new - old), sorted(old - new)
            return f"from {_few(there_only, len(old))}", f"from {_few(here_only, len(new))}"
        return (f"from {_few(again)}", f"from {_few(again)}, built anew") if again else None

    def _why_replaced(self, there: Resource, here: Resource, found: Sequence[Property]) -> str:
        """Empty where nothing says so: what a provider replaces for a reason of its own, nobody knows beforehand."""
        if self.after.replaced is not None:
            return "the engine says so" if here.urn in self.after.replaced else ""
        if there.replacement_trigger != here.replacement_trigger:
            return f"its replacement trigger, {there.replacement_trigger} before, is {here.replacement_trigger}"
        paths = [each.path for each in found if not each.ignored]
        # A command is one for its triggers [documented] https://www.pulumi.com/registry/packages/command/api-docs/local/command/
        again = ("triggers", *here.replace_on_changes) if here.type == COMMAND else here.replace_on_changes
        hit = [path for path in paths if any(within(path, each) for each in again)]
        return f"{hit[0]} is another" if hit else ""


def _resources(held: Held) -> Iterator[Row]:
    triggers = _triggers(held.after)
    bodies = {
        each.urn
        for machine in held.after.of_type(facts.MACHINE)
        for each in held.below(machine)
        if each.replacement_trigger is not None
    }
    for here in held.after.resources:
        if not here.custom:
            continue
        there = held.was.get(here.urn)
        if there is None:
            yield Row(Kind.CREATED, here.type, (here.name,), "")
            continue
        found = held.properties[here.urn]
        was = () if there.urn == here.urn else (_called(there, here),)
        if here.urn in held.replaced:
            runs = "; its delete runs, then its create" if here.type == COMMAND and "delete" in here.inputs else ""
            counting = tuple(replace(each, ignored=False) for each in found)
            yield Row(Kind.REPLACED, here.type, (here.name,), f"{held.replaced[here.urn]}{runs}", counting, was)
        elif held.effective(here.urn):
            meaning = _MAYBE
            if here.urn in bodies:
                meaning = "in place; whether that restarts the machine, its provider knows"
            elif here.urn in triggers:
                meaning = f"{_MAYBE}: then the node would leave its cluster and join again"
            yield Row(Kind.CHANGED, here.type, (here.name,), meaning, found, was)
        elif found:
            yield Row(Kind.LATER, here.type, (here.name,), "keeps what it was made with", found, was)
        elif was:
            yield Row(Kind.RENAMED, here.type, (here.name,), "the same resource: nothing happens to it", (), was)
    gone = held.gone()
    urns = {each.urn for each in gone}
    for there in gone:
        if there.custom:
            meaning = UNDESCRIBED if held.undescribed else _of_deleted(there, urns, held.before)
            yield Row(Kind.DELETED, there.type, (there.name,), meaning)


def of_cluster(preview: Preview) -> Mapping[str, Any]:
    """Its facts; empty where there is none."""
    return next((each.inputs["facts"] for each in preview.of_type(facts.CLUSTER)), {})


def _called(there: Resource, here: Resource) -> str:
    """What it was called; where it is called the same, whose it was."""
    old = short(there.urn)
    return old if old != short(here.urn) or there.parent is None else f"below {short(there.parent)}"


def _of_deleted(resource: Resource, gone: set[str], before: Preview) -> str:
    if resource.protect:
        return "protected: `up` refuses"
    if resource.retain_on_delete:
        return "left as it is, and no longer managed"
    if resource.deleted_with in gone and resource.deleted_with is not None:
        return f"goes with {short(resource.deleted_with)}"
    return ""


def _triggers(preview: Preview) -> frozenset[str]:
    """What a machine's membership hangs on."""
    commands = (c for m in preview.of_type(facts.MACHINE) for c in preview.children(m.urn) if c.type == COMMAND)
    return frozenset(urn for each in commands for urn in each.property_dependencies.get("triggers", ()))


def grouped(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that say the same of resources of one type, as one: the worst first."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.type, row.meaning, row.properties), []).append(row)
    for (kind, type_, meaning, properties), same in sorted(groups.items(), key=lambda item: _ORDER.index(item[0][0])):
        names = tuple(name for row in same for name in row.names)
        yield Row(kind, type_, names, meaning, properties, tuple(name for row in same for name in row.was))


_ORDER = (Kind.DELETED, Kind.REPLACED, Kind.CREATED, Kind.CHANGED, Kind.RENAMED, Kind.LATER)


def _ignored(path: str, resource: Resource) -> bool:
    return any(within(path, each) for each in resource.ignore_changes)


def within(path: str, prefix: str) -> bool:
    """Whether a dotted path is another, or below it."""
    return path == prefix or path.startswith((f"{prefix}.", f"{prefix}["))


def _unknown(value: Any) -> bool:
    """Whether there is nothing in it that anybody knows, or nothing at all."""
    if isinstance(value, Mapping):
        return all(map(_unknown, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_unknown, value))
    return value is UNKNOWN or isinstance(value, Secret) or not isinstance(value, str | int | float | bool)


def _few(urns: Sequence[str], total: int = 0) -> str:
    """Names of what differs, and how many there are in all."""
    names = ", ".join(map(short, urns[:3])) + (f" and {len(urns) - 3} more" if len(urns) > 3 else "")
    if not total:
        return names or "nothing"
    return f"{total}: {names}" if names else str(total)


__all__ = [
    "UNTOLD",
    "Cause",
    "FileChange",
    "Held",
    "Kind",
    "Property",
    "Row",
    "StackChange",
    "changes",
    "grouped",
    "within",
]
