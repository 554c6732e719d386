"""Rows of an inventory file, CSV or YAML, as texts that know their line and column."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from components.problems import FieldPath, InvalidInput, Problem
from components.source import Document, load_yaml
from components.wording import did_you_mean

MAX_BYTES = 5 * 1024**2
"""A row has some 200 bytes: this holds 25,000 hosts."""
REQUIRED = ("hostname", "mac", "ip_address", "netmask", "gateway", "nameservers", "labels", "disk")
COLUMNS = (*REQUIRED, "bmc_ip", "bmc_username", "bmc_password", "vlan_id")


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of the file and where it begins, counted from 1."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Row:
    """One host: its cells by column."""

    line: int
    cells: Mapping[str, Cell]

    def cell(self, column: str) -> Cell:
        """An empty one where the file has no such column."""
        return self.cells.get(column, Cell("", self.line, 1))


def read_rows(path: Path, faults: list[Problem]) -> list[Row]:
    """The rows of the file. What is wrong with its form goes to `faults`; InvalidInput: nothing can be read."""
    if path.suffix in (".yaml", ".yml"):
        return list(_yaml_rows(load_yaml(path), faults))
    return list(_csv_rows(_text(path), str(path), faults))


# ---- CSV


def _text(path: Path) -> str:
    file = str(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # Reading a pipe or a device may never end.
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            _refuse(file, f"is {kind}", "name a CSV or YAML file")
        if status.st_size > MAX_BYTES:
            _refuse(file, f"has {status.st_size:,} bytes", f"at most {MAX_BYTES:,} (5 MiB) are read")
        raw = path.read_bytes()
    except FileNotFoundError:
        _refuse(file, "no such file", "paths are relative to the folder of the stack files")
    except OSError as error:
        _refuse(file, f"cannot be read: {(error.strerror or type(error).__name__).lower()}")
    except ValueError:
        _refuse(repr(file), "is not a file name")
    try:
        return raw.decode("utf-8-sig")  # spreadsheets put a byte order mark in front
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace").splitlines() or [""]
        what = f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}"
        raise InvalidInput(
            [Problem(what, "save the file as UTF-8", (), file, len(before), len(before[-1]) + 1)]
        ) from None


def _refuse(file: str, what: str, right: str = "") -> NoReturn:
    raise InvalidInput([Problem(what, right, file=file)])


def _csv_rows(text: str, file: str, faults: list[Problem]) -> Iterator[Row]:
    records = _records(text, file, faults)
    header = next(records, None)
    if header is None:
        if not faults:
            faults.append(Problem("is empty", f"the first line names the columns: {','.join(COLUMNS)}", (), file, 1, 1))
        return
    columns = _header(header, file, faults)
    rows = 0
    for record in records:
        rows += 1
        line = record[0].line
        if len(record) != len(header):
            # The cells are not repeated: one may be a password.
            what = f"{len(record)} cells where the header has {len(header)}"
            right = "keep the commas of empty cells, and quote cells that hold one"
            faults.append(Problem(what, right, (), file, line, 1))
            continue
        if columns:
            yield Row(line, {name: cell for name, cell in zip(columns, record, strict=True) if name})
    if not rows and not faults:
        faults.append(Problem("has a header and no host", "add a row for each host", (), file, header[0].line, 1))


def _records(text: str, file: str, faults: list[Problem]) -> Iterator[list[Cell]]:
    """The records of the file, blank lines aside. The csv module tells lines, but not where in them a cell begins."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    while True:
        start = reader.line_num
        try:
            texts = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.append(Problem(f"not valid CSV: {error}", "look at the quotes of this row", (), file, start + 1, 1))
            continue
        if texts:
            places = _places("".join(lines[start : reader.line_num]), start + 1)
            yield [Cell(text, *place) for text, place in zip(texts, places, strict=False)]


def _places(raw: str, line: int) -> Iterator[tuple[int, int]]:
    """Line and column at which each cell of one record begins."""
    column, begins, opened, quoted = 1, True, False, False
    for i, character in enumerate(raw):
        if begins:
            yield line, column
            begins, opened = False, character == '"'
            quoted = opened
        elif character == '"' and opened:
            quoted = not quoted  # a doubled quote inside turns it twice
        if character == "," and not quoted:
            begins = True
        if character == "\n" or (character == "\r" and raw[i + 1 : i + 2] != "\n"):
            line, column = line + 1, 1
        else:
            column += 1
    if begins:
        yield line, column


def _header(header: Sequence[Cell], file: str, faults: list[Problem]) -> list[str]:
    """The column that each cell of the header means, empty where none. No column at all: it is no header."""
    if len(header) == 1 and ";" in header[0].text:
        _tell(faults, file, header[0], "", "the cells are apart by semicolons", "save the file with commas")
        return []
    names = [cell.text for cell in header]
    meant = [name if name in COLUMNS else did_you_mean(name, COLUMNS) or "" for name in names]
    if not any(meant):
        # Perhaps a row without header above it: its cells are not repeated, one may be a password.
        right = f"the first line names the columns: {','.join(COLUMNS)}"
        _tell(faults, file, header[0], "", "the first line names no column", right)
        return []
    columns: list[str] = []
    for cell, name, near in zip(header, names, meant, strict=True):
        if name in columns:
            _tell(faults, file, cell, name, f"column {name!r} stands twice", "keep one")
        elif name not in COLUMNS:
            near = near if near not in (*names, *columns) else ""
            right = f"did you mean {near!r}?" if near else f"the columns are {', '.join(COLUMNS)}"
            _tell(faults, file, cell, name, f"unknown column {name!r}", right)
        columns.append("" if name in columns else near)
    for name in REQUIRED:
        if name not in columns:
            _tell(faults, file, header[0], name, f"missing column {name!r}", "every inventory has it")
    return columns


def _tell(faults: list[Problem], file: str, cell: Cell, name: str, what: str, right: str) -> None:
    faults.append(Problem(what, right, (name,) if name else (), file, cell.line, cell.column))


# ---- YAML


def _yaml_rows(document: Document, faults: list[Problem]) -> Iterator[Row]:
    """`hosts:`, a list of mappings with the columns as keys; nameservers may be a list, labels a mapping."""

    def tell(path: FieldPath, what: str, right: str, *, key: bool = False) -> None:
        faults.append(Problem(what, right, path, document.path, *document.locate(path, key=key)))

    for key in document.data:
        if key != "hosts":
            tell((key,), f"unknown key {key!r}", "an inventory has one key: hosts", key=True)
    hosts = document.data.get("hosts")
    if not isinstance(hosts, list) or not hosts:
        tell(("hosts",), "has no list of hosts", "hosts: [{hostname: ..., mac: ...}, ...]")
        return
    for i, host in enumerate(hosts):
        path: FieldPath = ("hosts", i)
        if not isinstance(host, dict):
            tell(path, "is not a mapping", "write the fields of one host")
            continue
        cells: dict[str, Cell] = {}
        for key, value in host.items():
            name = key if key in COLUMNS else did_you_mean(key, [c for c in COLUMNS if c not in host])
            if name != key:
                right = f"did you mean {name!r}?" if name else f"the keys are {', '.join(COLUMNS)}"
                tell((*path, key), f"unknown key {key!r}", right, key=True)
            text = _joined(document, (*path, key), value)
            if text is None:
                tell((*path, key), "is not of the right form", "a text; nameservers: a list; labels: a mapping")
            if name:
                cells[name] = Cell(text or "", *document.locate((*path, key)))
        for name in REQUIRED:
            if name not in cells:
                tell((*path, name), f"missing key {name!r}", "every host has it")
        yield Row(document.locate(path)[0], cells)


def _joined(document: Document, path: FieldPath, value: Any) -> str | None:
    """A value as the CSV would have it; None where it is no such value."""
    if value is None:
        return ""
    if path[-1] == "nameservers" and isinstance(value, list):
        parts = [document.text((*path, i)) for i in range(len(value))]
        return None if None in parts else "|".join(part or "" for part in parts)
    if path[-1] == "labels" and isinstance(value, dict):
        values = {key: document.text((*path, key)) for key in value}
        return None if None in values.values() else "|".join(f"{key}={text}" for key, text in values.items())
    return document.text(path)
