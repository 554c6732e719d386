"""A picture of each stack: its zones as boxes, hosts inside them, machines inside the hosts. Lengths are those of the
SVG's own coordinates, close to CSS pixels on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.facts import Host, MachineFacts
from components.quantity import show_bytes
from isostack.evidence import cluster_facts, machine_facts
from isostack.preview.model import Preview
from isostack.report.html import tables

WIDTH: Final = 384
_PAD: Final = 8
_GAP: Final = 5
_HEAD: Final = 20
"""Height of a zone's name."""
_NAME: Final = 13
"""Height of a host's name."""
_LETTER: Final = 5.4
"""Width of a letter of the 9-unit monospaced text, rounded up: 0.6 em is that of common monospaced fonts."""
_TILE, _NAMED_TILE, _TILE_GAP = 15, 53, 3
"""Least width of a machine, of one with its name, and what is between two."""
_COLUMNS_BARE: Final = 20
_NAMED: Final = 60
"""Machines up to which each has its name in the picture; beyond, squares alone."""
_NAMED_HOSTS: Final = 96
_COLOURS: Final = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """A machine; `number` is its place in the table of machines."""

    x: float
    y: float
    width: float
    height: float
    label: str
    number: int
    name: str
    """All of it, for who does not see the picture."""
    colour: int


@dataclass(frozen=True, slots=True)
class Box:
    """A host. `filled`: part of its memory that machines have, from 0; None: it is one machine."""

    x: float
    y: float
    width: float
    height: float
    label: str
    note: str
    title: str
    kind: str
    """used, idle, chosen by the provider: unknown, or bare: its machine is all that is drawn of it."""
    filled: float | None
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    name: str
    y: float
    height: float
    note: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    stack: str
    target: str
    height: float
    zones: tuple[Zone, ...]
    pools: tuple[tuple[str, str, int], ...]
    """Name, short name and colour of each."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What is drawn as one box."""

    host: Host | None
    name: str
    machines: tuple[MachineFacts, ...]


def pictures(previews: Sequence[Preview]) -> list[Picture]:
    numbers = {machine.name: number for number, machine in enumerate(tables.machines(previews))}
    return [_Drawing(preview, numbers).picture() for preview in previews]


class _Drawing:
    """What all boxes of a picture have in common."""

    def __init__(self, preview: Preview, numbers: Mapping[str, int]) -> None:
        self._preview, self._numbers = preview, numbers
        self._cluster = cluster_facts(preview)
        self._machines = machine_facts(preview)
        self._sites = tables.sites(preview)
        pools = dict.fromkeys(machine.wanted.pool for machine in self._machines)
        self._pools = {pool: (_short(pool), i % _COLOURS) for i, pool in enumerate(pools)}
        self._contents = {zone: list(self._in_zone(zone)) for zone in self._zones()}
        boxes = [content for contents in self._contents.values() for content in contents]
        self._most = max((len(content.machines) for content in boxes), default=1)
        self._named = len(self._machines) <= _NAMED
        self._hosts_named = self._named or (self._most > 1 and len(boxes) <= _NAMED_HOSTS)
        # Where hosts are many and each is one machine, the machine is drawn as the host.
        self._bare = self._most == 1 and not self._hosts_named
        self._pad = 0 if self._bare else 4
        self._height_of_tile = 16 if self._named else 12
        self._columns = _COLUMNS_BARE if self._bare else self._some_columns()
        self._box = (WIDTH - 2 * _PAD - (self._columns - 1) * _GAP) / self._columns
        inner = self._box - 2 * self._pad
        self._across = max(1, int(inner // (_NAMED_TILE if self._named else _TILE))) if self._most > 1 else 1
        self._tile = (inner - _TILE_GAP * (self._across - 1)) / self._across

    def _some_columns(self) -> int:
        if self._most == 1:
            return 4
        return min(2 if self._named else 4, max(map(len, self._contents.values())))

    def picture(self) -> Picture:
        zones, y = [], 0.0
        for name, contents in self._contents.items():
            zone = self._zone(name, y, contents)
            zones.append(zone)
            y += zone.height + _PAD
        pools = tuple((name, short, colour) for name, (short, colour) in self._pools.items())
        return Picture(self._preview.label, self._cluster.target, max(y - _PAD, 0), tuple(zones), pools)

    def _zones(self) -> list[str]:
        there = [host.zone for site in self._sites for host in site.hosts]
        asked = [machine.wanted.zone for machine in self._machines]
        return list(dict.fromkeys([*self._cluster.wanted.zones, *there, *asked]))

    def _in_zone(self, zone: str) -> Iterator[_Content]:
        """Known hosts in their order, with machines or without; then what stands on hosts that are not known."""
        on: dict[tuple[str, str], list[MachineFacts]] = {}
        unknown = []
        for machine in self._machines:
            if machine.wanted.zone == zone and machine.place.host:
                on.setdefault((machine.place.site, machine.place.host), []).append(machine)
            elif machine.wanted.zone == zone:
                unknown.append(machine)
        for site in self._sites:
            for host in site.hosts:
                if host.zone == zone:
                    yield _Content(host, host.name, tuple(on.pop((site.name, host.name), ())))
        for (_, name), machines in on.items():
            yield _Content(None, name, tuple(machines))
        for machine in unknown:
            yield _Content(None, "", (machine,))

    def _zone(self, name: str, top: float, contents: Sequence[_Content]) -> Zone:
        boxes: list[Box] = []
        y = top + _HEAD
        for start in range(0, len(contents), self._columns):
            row = contents[start : start + self._columns]
            height = max(self._height(content) for content in row)
            for column, content in enumerate(row):
                boxes.append(self._one(content, _PAD + column * (self._box + _GAP), y, height))
            y += height + _GAP
        count = sum(len(content.machines) for content in contents)
        idle = sum(not content.machines for content in contents)
        note = f"{count} {'machine' if count == 1 else 'machines'}{f', {idle} idle' if idle else ''}"
        return Zone(name, top, y - _GAP + _PAD - top, note, tuple(boxes))

    def _height(self, content: _Content) -> float:
        rows = -(-max(1, len(content.machines)) // self._across)
        bar = 6 if content.host and self._most > 1 else 0
        name = _NAME if self._hosts_named else 0
        return 2 * self._pad + name + rows * (self._height_of_tile + _TILE_GAP) - _TILE_GAP + bar

    def _one(self, content: _Content, x: float, y: float, height: float) -> Box:
        left, top = x + self._pad, y + self._pad + (_NAME if self._hosts_named else 0)
        step = self._tile + _TILE_GAP, self._height_of_tile + _TILE_GAP
        tiles = tuple(
            self._machine(machine, left + i % self._across * step[0], top + i // self._across * step[1], content.name)
            for i, machine in enumerate(content.machines)
        )
        host, label = content.host, content.name or content.machines[0].place.host_class
        memory = sum(machine.place.size.memory for machine in content.machines)
        filled = memory / host.usable_memory if host and self._most > 1 else None
        size = f", {host.cpus} CPU, {show_bytes(host.memory)}" if host else ""
        note = f"{filled:.0%}" if filled is not None else ""
        room = int((self._box - 2 * self._pad) / _LETTER) - (len(note) + 1 if note else 0)
        used = f", {note} of the usable memory given to machines" if note else ""
        return Box(
            x=x,
            y=y,
            width=self._box,
            height=height,
            label=fit(label, room) if self._hosts_named else "",
            note=note if self._hosts_named else "",
            title=f"{content.name or f'host of the provider’s choice: {label}'}{size}{used}",
            kind=self._kind(content),
            filled=filled,
            tiles=tiles,
        )

    def _kind(self, content: _Content) -> str:
        if not content.machines:
            return "idle"
        if self._bare:
            return "bare"
        return "used" if content.name else "unknown"

    def _machine(self, machine: MachineFacts, x: float, y: float, host: str) -> Tile:
        wanted = machine.wanted
        short, colour = self._pools[wanted.pool]
        label = fit(f"{short}-{wanted.index}", int(self._tile / _LETTER)) if self._named else ""
        # Whoever tells a program by voice what to click says what can be read.
        called = f"{label}, {wanted.name}" if label not in wanted.name else wanted.name
        return Tile(
            x,
            y,
            self._tile,
            self._height_of_tile,
            label,
            self._numbers[wanted.name],
            f"{called} on {host}" if host else called,
            colour,
        )


def _short(pool: str) -> str:
    """A pool's name as it fits into a tile: that of several words by their first letters."""
    if len(pool) <= 7:
        return pool
    words = pool.split("-")
    return "".join(word[:1] for word in words) if len(words) > 1 else f"{pool[:6]}…"


def fit(text: str, letters: int) -> str:
    """A name in a given number of letters: without its domain first, then its end, which tells it from others."""
    if len(text) > letters and not text.replace(".", "").isdigit():
        text = text.partition(".")[0]
    return text if len(text) <= letters else f"…{text[1 - max(letters, 2) :]}"
