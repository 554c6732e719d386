"""What the reports of stacks side by side say in the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from components.facts import Realisation
from isostack.objects import Mechanism
from isostack.parity import Difference
from isostack.part import Part
from isostack.report.changed import count, named
from isostack.report.markdown import short
from isostack.report.wording import verdict
from isostack.sidebyside import Alike, PoolSides, SideBySide, Standing
from isostack.wishes import GRADES

UNCHANGED: Final = "--unchanged shows them"
"""Of what is left out."""
SAME: Final = "the same"
_MADE_OF: Final = "each made of"
_WORDS: Final = {"cpus": "CPU"}
_RUNS: Final = 2
"""Ranges of addresses that a cell names; the JSON document has each."""


def title(result: SideBySide) -> str:
    *others, last = result.parity.stacks
    return f"{', '.join(others)} and {last}"


def verdict_line(result: SideBySide) -> str:
    """The verdict with the counts that decide it, without the names of the stacks."""
    grades = {grade: sum(len(w.fields) for w in result.fields if w.grade == grade) for grade in reversed(GRADES)}
    fields = ", ".join(f"{number} {grade}" for grade, number in grades.items() if number or grade == "equal")
    differ = sum(bool(each.texts) for each in result.objects)
    objects = f"{len(result.objects) - differ} equal" + (f", {differ} not" if differ else "")
    return f"{verdict(result.parity)}; fields: {fields}; Kubernetes objects: {objects}"


def told_apart(result: SideBySide, parts: Sequence[Part]) -> list[Difference]:
    """The differences of these parts, without those that the objects' texts tell."""
    return [each for part in parts for each in result.differences(part) if not result.is_object(each)]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with what is said of each stack. `more` says what is left out."""

    title: str
    leads: tuple[str, str]
    rows: Sequence[tuple[tuple[str, str], Sequence[str]]]
    more: str = ""


def field_table(result: SideBySide, *, unchanged: bool) -> Table:
    rows = [
        ((str(wish.grade), "\n".join(field.path for field in wish.fields)), [_way(way) for way in wish.ways])
        for wish in result.fields
        if unchanged or wish.differs
    ]
    number = sum(len(wish.fields) for wish in result.fields if not wish.differs)
    more = f"{count(number, 'field')} more come true in full and by the same way: {UNCHANGED}"
    return Table(
        "How the fields of the spec come true", ("grade", "field"), rows, "" if unchanged or not number else more
    )


def _way(realisation: Realisation | None) -> str:
    if realisation is None:
        return "no such field"
    grade = "" if realisation.grade == "equal" else f"{realisation.grade}: "
    return f"{grade}{realisation.mechanism}" + (f"; {realisation.reason}" if realisation.reason else "")


def object_tables(result: SideBySide, *, unchanged: bool) -> Iterator[Table]:
    """What is no difference between objects."""
    yield Table(
        "What a target may choose in them: no difference",
        ("object", "path"),
        [
            ((each.name, choice.path), [short(value) for value in choice.values])
            for each in result.objects
            for choice in each.choices
            if unchanged or choice.differs
        ],
    )
    yield Table(
        "Add-ons of a target's own, its mechanism for what is asked: no difference",
        ("add-on", "serves"),
        [
            ((each.addon, "\n".join(each.serves)), _mechanism(each))
            for each in result.mechanisms
            if unchanged or each.differs
        ],
    )


def equal_objects(result: SideBySide, *, unchanged: bool) -> str:
    equal, every = sum(not each.texts for each in result.objects), len(result.objects)
    number = f"all {every}" if equal == every else f"{equal} of {every}"
    return f"{number} equal" + (f": {UNCHANGED}" if equal and not unchanged else "")


def kind_table(result: SideBySide, *, unchanged: bool) -> Table:
    totals = [sum(each.counts[i] for each in result.resources) for i in range(len(result.parity.stacks))]
    rows = [
        ((each.kind, ""), [str(number or "-") for number in each.counts])
        for each in result.resources
        if unchanged or each.differs
    ]
    number = sum(not each.differs for each in result.resources)
    more = f"{count(number, 'kind')} more in the same number on all: {UNCHANGED}" if number else ""
    rows.append((("all", ""), [str(total) for total in totals]))
    return Table("Raw resources", ("kind", ""), rows, "" if unchanged else more)


def once(cells: Sequence[str]) -> list[str]:
    """What all stacks say alike is told of the first."""
    alike = len(cells) > 1 and len(set(cells)) == 1 and len(cells[0]) > len(SAME)
    return [cells[0], *[SAME] * (len(cells) - 1)] if alike else list(cells)


def _mechanism(each: Mechanism) -> list[str]:
    """Its objects on each stack."""
    return [
        "-" if kinds is None else ", ".join(f"{number} {kind}" for kind, number in kinds.items()) or "nothing"
        for kinds in each.objects
    ]


def machine_table(result: SideBySide, *, unchanged: bool) -> Table:
    rows = [((pool, about), told) for pool, about, told in _machine_rows(result, each_machine=unchanged)]
    return Table("Machines", ("pool", ""), rows)


def _machine_rows(result: SideBySide, *, each_machine: bool) -> Iterator[tuple[str, str, list[str]]]:
    """Pool, what the row is about, and what is to be said of each stack. Machines of a pool that a stack makes unlike
    have lines of their own. What machines are made of is told once where it is the same in every pool."""
    bodies = [[[_made_of(group) for group in groups] for groups in pool.stacks] for pool in result.machines]
    everywhere = len(result.machines) > 1 and all(len(set(cell)) == 1 for body in bodies for cell in body)
    everywhere = everywhere and all([cell[0] for cell in body] == [cell[0] for cell in bodies[0]] for body in bodies)
    if everywhere:
        yield "every pool", _MADE_OF, [cell[0] for cell in bodies[0]]
    for pool in result.machines:
        name = pool.pool
        for about, say in _ROWS.items():
            if not (everywhere and about == _MADE_OF):
                yield name, about, ["\n".join(map(say, groups)) or "-" for groups in pool.stacks]
                name = ""
        if each_machine:
            for machine, told in _each_machine(pool):
                yield "", machine, told


def _each_machine(pool: PoolSides) -> Iterator[tuple[str, list[str]]]:
    stacks = [
        {each.name: _standing(groups, group, each) for group in groups for each in group.machines}
        for groups in pool.stacks
    ]
    for name in {name: None for stack in stacks for name in stack}:
        yield name, [stack.get(name, "-") for stack in stacks]


def _standing(groups: Sequence[Alike], group: Alike, machine: Standing) -> str:
    parts = [f"zone {machine.zone}", machine.host or "host of the provider's choice", machine.address or "at creation"]
    return ", ".join([*([group.host_class] if len(groups) > 1 else []), *parts])


def _made_of(group: Alike) -> str:
    return ", ".join(f"{number} {kind}" if number > 1 else kind for kind, number in group.made_of.items()) or "nothing"


def _more(group: Alike) -> str:
    return ", ".join(f"{_WORDS.get(name, name)} {part:+d} %" for name, part in group.more.items()) or "nothing"


def _zones(group: Alike) -> str:
    zones = [machine.zone for machine in group.machines]
    return ", ".join(f"{zone}: {zones.count(zone)}" for zone in dict.fromkeys(sorted(zones)))


def _hosts(group: Alike) -> str:
    hosts = list(dict.fromkeys(machine.host for machine in group.machines if machine.host))
    return f"{len(hosts)}: {named(sorted(hosts), 2)}" if hosts else "of the provider's choice"


def _addresses(group: Alike) -> str:
    known = [machine.address for machine in group.machines if machine.address]
    ranges = [one if one == other else f"{one}-{other}" for one, other in _ranges(known)]
    late = len(group.machines) - len(known)
    return ", ".join([*([named(ranges, _RUNS)] if ranges else []), *([f"{late} at creation"] if late else [])])


def _ranges(addresses: Sequence[str]) -> list[tuple[str, str]]:
    """First and last of those that follow each other."""
    found: list[tuple[IPv4Address, IPv4Address]] = []
    for address in sorted(map(IPv4Address, addresses)):
        if found and int(address) <= int(found[-1][1]) + 1:
            found[-1] = (found[-1][0], address)
        else:
            found.append((address, address))
    return [(str(first), str(last)) for first, last in found]


_ROWS: Final[dict[str, Callable[[Alike], str]]] = {
    "machines": lambda group: f"{len(group.machines)} x {group.host_class}",
    _MADE_OF: _made_of,
    "asked": lambda group: str(group.asked),
    "has": lambda group: "as asked" if group.asked == group.size else str(group.size),
    "more than asked": _more,
    "zones": _zones,
    "hosts": _hosts,
    "addresses": _addresses,
}
