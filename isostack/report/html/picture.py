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
    """used, idle, or chosen by the provider: unknown."""
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
        self._named = len(self._machines) <= _NAMED
        self._most = max((len(content.machines) for content in boxes), default=1)
        self._hosts_named = self._named or (self._most > 1 and len(boxes) <= _NAMED_HOSTS)
        self._tile = (0.0, 16.0) if self._named else (12.0, 12.0)
        columns = 2 if self._named and self._most > 1 else 4
        if not self._hosts_named and self._most == 1:
            columns = 19
        self._columns = columns
        self._box = (WIDTH - 4 * _PAD - (columns - 1) * _GAP) / columns + 0.0

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
                boxes.append(self._one(content, 2 * _PAD + column * (self._box + _GAP), y, height))
            y += height + _GAP
        count = sum(len(content.machines) for content in contents)
        idle = sum(not content.machines for content in contents)
        note = f"{count} {'machine' if count == 1 else 'machines'}{f', {idle} idle' if idle else ''}"
        return Zone(name, top, y - _GAP + _PAD - top, note, tuple(boxes))

    def _across(self) -> tuple[int, float]:
        """Tiles in a row of a box, and their width."""
        inner = self._box - 8
        if self._tile[0]:
            across = max(1, int((inner + 3) // (self._tile[0] + 3)))
            return (across, self._tile[0]) if self._most > 1 else (1, inner)
        across = 1 if self._most == 1 else 3
        return across, (inner - 3 * (across - 1)) / across

    def _height(self, content: _Content) -> float:
        rows = -(-max(1, len(content.machines)) // self._across()[0])
        bar = 6 if content.host and self._most > 1 else 0
        return 8 + (_NAME if self._hosts_named else 0) + rows * (self._tile[1] + 3) - 3 + bar

    def _one(self, content: _Content, x: float, y: float, height: float) -> Box:
        across, width = self._across()
        first = y + 4 + (_NAME if self._hosts_named else 0)
        tiles = tuple(
            self._machine(
                machine,
                x + 4 + i % across * (width + 3),
                first + i // across * (self._tile[1] + 3),
                width,
                content.name,
            )
            for i, machine in enumerate(content.machines)
        )
        host, label = content.host, content.name
        if not label:
            label = content.machines[0].place.host_class
        memory = sum(machine.place.size.memory for machine in content.machines)
        filled = memory / host.usable_memory if host and self._most > 1 else None
        size = f", {host.cpus} CPU, {show_bytes(host.memory)}" if host else ""
        note = f"{filled:.0%}" if filled is not None else ""
        room = int((self._box - 8) / _LETTER) - (len(note) + 1 if note else 0)
        used = f", {note} of the usable memory given to machines" if note else ""
        kind = "used" if content.name and content.machines else "idle" if content.name else "unknown"
        return Box(
            x, y, self._box, height,
            _fit(label, room) if self._hosts_named else "",
            note if self._hosts_named else "",
            f"{content.name or 'host of the provider’s choice: ' + label}{size}{used}",
            kind, filled, tiles,
        )  # fmt: skip

    def _machine(self, machine: MachineFacts, x: float, y: float, width: float, host: str) -> Tile:
        wanted = machine.wanted
        short, colour = self._pools[wanted.pool]
        label = _fit(f"{short}-{wanted.index}", int(width / _LETTER)) if self._named else ""
        where = f" on {host}" if host else ""
        return Tile(x, y, width, self._tile[1], label, self._numbers[wanted.name], f"{wanted.name}{where}", colour)


def _short(pool: str) -> str:
    """A pool's name as it fits into a tile: that of several words by their first letters."""
    if len(pool) <= 7:
        return pool
    words = pool.split("-")
    return "".join(word[:1] for word in words) if len(words) > 1 else f"{pool[:6]}…"


def _fit(text: str, letters: int) -> str:
    """A name in a given number of letters: without its domain first, then its end, which tells it from others."""
    if len(text) > letters and not text.replace(".", "").isdigit():
        text = text.partition(".")[0]
    return text if len(text) <= letters else f"…{text[1 - max(letters, 2) :]}"
