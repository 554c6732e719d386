"""CSV of CPU series, in cores, wide or long.

Wide: the first column is `time` (or `timestamp`), every other is a workload or a pod under its name. Long: exactly the
three columns `time`, `workload` (or `pod`) and `cores` (or `cpu`), in this order. Times are ISO 8601, in UTC where they
say no offset, or Unix seconds. An empty cell, or NaN, was not measured. `250m` is 0.25. The order of rows is free.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice

import numpy as np

from isostack.assess.usage.model import Usage
from isostack.assess.usage.series import MAX_CORES, NO_CORES, Axis, Faults, without_empty

_TIME = ("time", "timestamp")
_LONG = (_TIME, ("workload", "pod"), ("cores", "cpu"))
_HEADER = "the first line is time,<workload>,<workload>,... or time,workload,cores"
_MILLICORES = re.compile(r"[0-9]{1,12}m")
_CELL = re.compile(r'("(?:[^"]|"")*"|[^,]*)(?:,|$)')
MAX_COLUMNS = 150_000
"""Pods that a cluster holds [documented] https://kubernetes.io/docs/setup/best-practices/cluster-large/"""
_LATEST = 1e11
"""Unix seconds until the year 5138: what is more is no seconds."""

Row = tuple[int, list[str]]
"""Its line, and its cells."""


class _Text:
    """The lines of the file, for the places of cells."""

    def __init__(self, text: str) -> None:
        self.lines = list(io.StringIO(text, newline=""))

    def column(self, line: int, cell: int) -> int:
        """At which column a cell of a line begins, both counted from 1 and from 0."""
        match = next(islice(_CELL.finditer(self.lines[line - 1]), cell, None), None)
        return match.start() + 1 if match else 1


def read(text: str, source: str, faults: Faults) -> Usage:
    """Raises InvalidInput with what is wrong."""
    file = _Text(text)
    rows = _rows(file, faults)
    header = next(rows, None)
    if header is None:
        faults.refuse("is empty", _HEADER)
    line, names = header[0], [name.strip() for name in header[1]]
    if len(names) == 1 and (mark := next((mark for mark in ";\t" if mark in names[0]), "")):
        apart = "semicolons" if mark == ";" else "tabs"
        faults.refuse(f"the cells are apart by {apart}", "save the file with commas", line)
    if names[0].lower() not in _TIME:
        faults.refuse(f"the first column is {names[0][:40]!r}, not time", _HEADER, line)
    if len(names) == len(_LONG) and all(name.lower() in may for name, may in zip(names, _LONG, strict=True)):
        return _long(file, rows, source, faults)
    if len(names) > MAX_COLUMNS:
        faults.refuse(f"has {len(names):,} columns", f"at most {MAX_COLUMNS:,} are taken", line)
    met: set[str] = set()
    for i, name in enumerate(names[1:], start=1):
        if not name or name in met:
            what = f"column {name!r} stands twice" if name else "a column without a name"
            faults.tell(what, "name each column after its workload or pod", line, file.column(line, i))
        met.add(name)
    if len(names) == 1:
        faults.refuse("has times and no workload", _HEADER, line)
    return _wide(file, rows, names, source, faults)


def _rows(file: _Text, faults: Faults) -> Iterator[Row]:
    """Blank lines aside."""
    reader = csv.reader(file.lines, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.tell(f"not valid CSV: {error}", "look at the quotes of this row", line)
            continue
        if cells:
            yield line, cells


def _wide(file: _Text, rows: Iterator[Row], names: list[str], source: str, faults: Faults) -> Usage:
    lines: list[int] = []
    times: list[float] = []
    table: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    for line, cells in rows:
        if len(cells) != len(names):
            what = f"{len(cells)} cells where the header has {len(names)}"
            faults.tell(what, "keep the commas of empty cells, and quote cells that hold one", line)
            continue
        lines.append(line)
        times.append(_time(cells[0], _teller(file, faults, line, 0)))
        try:
            values = np.array(list(map(float, cells[1:])))
        except ValueError:
            values = np.array([-1.0])
        if ((values < 0) | (values > MAX_CORES)).any():  # or a cell is empty, or in millicores
            values = np.array([_cores(cell, _teller(file, faults, line, i)) for i, cell in enumerate(cells[1:], 1)])
        table.append(values)
    if not lines:
        faults.end()
        faults.refuse("has a header and no sample", "add a row for each moment", 1)
    faults.end()
    seconds = np.array(times)
    axis = Axis(seconds, len(names) - 1, faults)
    at = axis.rows(seconds)
    for i in _repeated(at):
        faults.tell("a second row for the same moment", "keep one", lines[i])
    faults.end()
    samples = np.full((axis.length, len(names) - 1), np.nan)
    samples[at] = np.array(table)
    kept, samples = without_empty(names[1:], samples, faults)
    return Usage(kept, samples, axis.step, source)


def _long(file: _Text, rows: Iterator[Row], source: str, faults: Faults) -> Usage:
    lines: list[int] = []
    times: list[float] = []
    cores: list[float] = []
    columns: dict[str, int] = {}
    of: list[int] = []
    for line, cells in rows:
        if len(cells) != len(_LONG):
            faults.tell(f"{len(cells)} cells where the header has {len(_LONG)}", "time,workload,cores", line)
            continue
        name = cells[1].strip()
        if not name:
            faults.tell("a sample of nobody", "name its workload or pod", line, file.column(line, 1))
        lines.append(line)
        try:
            time, value = float(cells[0]), float(cells[2])
        except ValueError:
            time = value = -1.0
        if not (0 <= time < _LATEST and 0 <= value <= MAX_CORES):
            time = _time(cells[0], _teller(file, faults, line, 0))
            value = _cores(cells[2], _teller(file, faults, line, 2))
        times.append(time)
        of.append(columns.setdefault(name, len(columns)))
        cores.append(value)
    if not lines:
        faults.end()
        faults.refuse("has a header and no sample", "add a row for each moment and workload", 1)
    faults.end()
    seconds, column = np.array(times), np.array(of, dtype=np.intp)
    axis = Axis(seconds, len(columns), faults)
    row = axis.rows(seconds)
    for i in _repeated(row * len(columns) + column):
        name = list(columns)[of[i]]
        faults.tell(f"a second sample of {name!r} for the same moment", "keep one", lines[i])
    faults.end()
    samples = np.full((axis.length, len(columns)), np.nan)
    samples[row, column] = cores
    names, samples = without_empty(tuple(columns), samples, faults)
    return Usage(names, samples, axis.step, source)


def _repeated(keys: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[int]:
    """Which were there before, in their order."""
    order = np.argsort(keys, kind="stable")
    again = order[1:][np.diff(keys[order]) == 0]
    return [int(i) for i in np.sort(again)]


Teller = Callable[[str, str], None]


def _teller(file: _Text, faults: Faults, line: int, cell: int) -> Teller:
    return lambda what, right: faults.tell(what, right, line, file.column(line, cell))


def _time(cell: str, tell: Teller) -> float:
    """Unix seconds; NaN where it is no time, which is told."""
    text = cell.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            tell(f"{text[:40]!r} is no time", "ISO 8601, for example 2026-11-24T13:05:00Z, or Unix seconds")
            return math.nan
    if not 0 <= seconds < _LATEST:
        right = "Unix time is wanted in seconds, not in milliseconds" if seconds >= _LATEST else "Unix seconds"
        tell(f"{text[:40]!r} is no time", right)
        return math.nan
    return seconds


def _cores(cell: str, tell: Teller) -> float:
    """NaN where nothing was measured, and where it is no amount of CPU, which is told."""
    text = cell.strip()
    if not text:
        return math.nan
    try:
        value = float(text[:-1]) / 1000 if _MILLICORES.fullmatch(text) else float(text)
    except ValueError:
        value = -1.0
    if value < 0 or value > MAX_CORES:
        tell(f"{text[:40]!r} is no amount of CPU of a workload", NO_CORES)
        return math.nan
    return value
