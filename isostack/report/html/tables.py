"""What the tables of the HTML report hold, what is equal told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components import facts
from components.facts import MachineFacts, Realisation, SiteFacts
from components.quantity import show_bytes
from components.spec import Size
from isostack.comparison import Comparison, Group, StackSummary
from isostack.evidence import cluster_facts, machine_facts
from isostack.parity import Parity, Verdict
from isostack.preview.model import Preview
from isostack.report.html.findings import TONES
from isostack.report.wording import by_pool, causes, hosts, named
from isostack.wishes import GRADES
from isostack.wishes import wishes as all_wishes

GRADE_TONES: Final = {"impossible": "bad", "degraded": "warn", "equal": "ok"}
"""Class of the colour of each grade."""
VERDICT_TONES: Final = {Verdict.EQUIVALENT: "ok", Verdict.DEGRADED: "warn", Verdict.NOT: "bad", Verdict.ALONE: "note"}
MOST: Final = 500
"""Rows of differences: nobody reads more, and where targets differ in everything the file would be megabytes."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with its word, or a few words; `tone` is the class of its colour."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its name, and what it says of each stack."""

    name: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Way:
    """How a wish comes true on some of the stacks."""

    stacks: tuple[int, ...]
    realisation: Realisation


@dataclass(frozen=True, slots=True)
class Wish:
    """Fields of the spec that come true alike: path and what is asked of each."""

    fields: tuple[tuple[str, str], ...]
    ways: tuple[Way, ...]

    @property
    def short(self) -> bool:
        """Whether it comes true in part only, on some stack."""
        return any(way.realisation.grade != "equal" for way in self.ways)


@dataclass(frozen=True, slots=True)
class Made:
    """What a stack makes of the machines of a pool."""

    count: int
    host_class: str
    size: str
    """Empty: as asked."""
    more: str
    """How much more than asked: 4× CPU; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Machines that the spec asks for together. `marks`: their taints and labels."""

    name: str
    asked: str
    zones: str
    tenant: str
    marks: tuple[str, ...]
    made: tuple[tuple[Made, ...], ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine; `there` has for each stack its parts: host, class, size, address. None: the stack has none such."""

    name: str
    pool: str
    zone: str
    there: tuple[tuple[str, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """What must be equal and is not: where, field, value on each stack, names of all that it holds for; and how many
    rows are left out."""

    stacks: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[str, ...], list[str]], ...]
    more: int


def differences(result: Parity) -> Differences:
    """One cause, one row."""
    rows = [(named(kind, names), field, values, names) for kind, field, values, names in causes(result.differences)]
    return Differences(result.stacks, tuple(rows[:MOST]), max(0, len(rows) - MOST))


def glance(result: Comparison, previews: Sequence[Preview]) -> list[Row]:
    """The stacks in numbers."""
    clusters = [cluster_facts(preview) for preview in previews]
    judged = [result.policies[stack.stack] for stack in result.stacks]
    return [
        _row("machines", (f"{_count(stack)} {hosts(stack)}" for stack in result.stacks)),
        _row("in all", (_has(preview) for preview in previews)),
        Row("wishes", tuple(_counted([r.grade for r in each.realisations], GRADE_TONES) for each in clusters)),
        Row("findings", tuple(_counted([f.verdict for f in each.findings], TONES) for each in judged)),
        _row("resources", (str(sum(stack.kinds.values())) for stack in result.stacks)),
    ]


def wishes(previews: Sequence[Preview]) -> list[Wish]:
    """Every field of the spec, the worst first; fields that come true alike are one."""
    return [
        Wish(tuple((each.path, each.asked) for each in wish.fields), tuple(_ways(wish.ways)))
        for wish in all_wishes(previews)
    ]


def graded(all_wishes: Sequence[Wish]) -> dict[str, int]:
    """How many fields have a grade on some stack, the worst first."""
    return {
        grade: sum(len(w.fields) for w in all_wishes if any(way.realisation.grade == grade for way in w.ways))
        for grade in GRADES
    }


def pools(result: Comparison, previews: Sequence[Preview]) -> list[Pool]:
    made = [by_pool(stack.groups) for stack in result.stacks]
    wanted: dict[str, list[MachineFacts]] = {}
    for machine in machine_facts(previews[0]):
        wanted.setdefault(machine.wanted.pool, []).append(machine)
    return [
        Pool(
            name,
            f"{len(machines)} × {machines[0].wanted.size}",
            _spread(machines),
            machines[0].wanted.tenant or "",
            tuple(_marks(machines)),
            tuple(tuple(_made(group) for group in stack.get(name, ())) for stack in made),
        )
        for name, machines in wanted.items()
    ]


def machines(previews: Sequence[Preview]) -> list[Machine]:
    """Every machine of any stack, as the first that has it lists them."""
    stacks = [{machine.wanted.name: machine for machine in machine_facts(preview)} for preview in previews]
    known: dict[str, MachineFacts] = {}
    for stack in reversed(stacks):
        known = {**stack, **{name: known[name] for name in known if name not in stack}}
    return [
        Machine(
            name,
            machine.wanted.pool,
            machine.wanted.zone,
            tuple(_there(stack[name]) if name in stack else None for stack in stacks),
        )
        for name, machine in known.items()
    ]


def kinds(result: Comparison) -> list[Row]:
    """Raw resources by kind."""
    names = sorted({kind for stack in result.stacks for kind in stack.kinds})
    rows = [_row(name, (str(stack.kinds.get(name, "–")) for stack in result.stacks)) for name in names]
    return [*rows, _row("all", (str(sum(stack.kinds.values())) for stack in result.stacks))]


def _row(name: str, texts: Iterable[str]) -> Row:
    return Row(name, tuple((Cell(text),) for text in texts))


def _counted(words: Sequence[str], tones: Mapping[str, str]) -> tuple[Cell, ...]:
    """How often each word is among them, in the order of the tones."""
    found = tuple(Cell(f"{words.count(word)} {word}", tone) for word, tone in tones.items() if word in words)
    return found or (Cell("none", "none"),)


def _count(stack: StackSummary) -> int:
    return sum(group.count for group in stack.groups)


def _has(preview: Preview) -> str:
    """CPUs and memory of all machines together."""
    sizes = [machine.place.size for machine in machine_facts(preview)]
    return f"{sum(size.cpus for size in sizes)} CPU, {show_bytes(sum(size.memory for size in sizes))}"


def _ways(realisations: Sequence[Realisation | None]) -> Iterator[Way]:
    same: dict[tuple[str, str, str], tuple[Realisation, list[int]]] = {}
    for i, r in enumerate(realisations):
        if r is not None:
            same.setdefault((r.grade, r.mechanism, r.reason), (r, []))[1].append(i)
    for realisation, stacks in sorted(same.values(), key=lambda pair: GRADES.index(pair[0].grade)):
        yield Way(tuple(stacks), realisation)


def _made(group: Group) -> Made:
    size = "" if group.size == group.asked else str(group.size)
    return Made(group.count, group.host_class, size, ", ".join(_more(group.size, group.asked)))


def _more(size: Size, asked: Size) -> Iterator[str]:
    for has, wants, what in (
        (size.cpus, asked.cpus, "CPU"),
        (size.memory, asked.memory, "memory"),
        (size.disk, asked.disk, "disk"),
    ):
        if has > wants:
            yield f"{f'{has / wants:.1f}'.removesuffix('.0')}× {what}"


def _spread(machines: Sequence[MachineFacts]) -> str:
    """How many stand in each zone."""
    zones = Counter(machine.wanted.zone for machine in machines)
    return ", ".join(f"{zone}: {count}" for zone, count in sorted(zones.items()))


def _marks(machines: Sequence[MachineFacts]) -> Iterator[str]:
    """Taints and labels that all machines of a pool have."""
    first = machines[0].wanted
    for taint in first.taints:
        yield f"{taint.key}={taint.value}:{taint.effect}"
    for name, value in first.labels.items():
        if all(machine.wanted.labels.get(name) == value for machine in machines):
            yield f"{name}={value}"


def _there(machine: MachineFacts) -> tuple[str, ...]:
    place = machine.place
    size = "as asked" if place.size == machine.wanted.size else str(place.size)
    return (place.host or "host of the provider's choice", place.host_class, size, place.address or "")


def sites(preview: Preview) -> list[SiteFacts]:
    return [SiteFacts.of(site.inputs) for site in preview.of_type(facts.SITE)]
