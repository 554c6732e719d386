"""YAML files as plain data in which every value knows its line and column."""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from components.problems import FieldPath, InvalidInput, Problem

# An honest spec is far below these; what is above would only cost memory and time, or overflow the stack.
MAX_BYTES = 2**20
MAX_VALUES = 100_000  # counted after aliases are expanded
MAX_DEPTH = 64
MAX_KEY = 512
# A label key, the longest key that a file here needs, has at most 317 characters [documented]
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set

# Plain scalars are read by the YAML 1.2 core schema [documented] https://yaml.org/spec/1.2.2/#103-core-schema:
# yes, on, 12:30 and 2026-12-31 are text. Kept as text beyond it: numbers with leading zeros (serial numbers, octal in
# YAML 1.1), numbers of more than 40 characters, .inf and .nan (no size of a cluster).
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)\.[0-9]*|(0|[1-9][0-9]*)(?=[eE]))([eE][-+]?[0-9]+)?")
_MAX_DIGITS = 40
# What YAML allows, less the line ends that editors do not count as such (NEL, LS, PS): positions would be wrong.
_BAD_CHARACTER = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Node:
    """One value: what it is, where it begins (counted from 1) and, for a scalar, how it is written.

    `children` are by key or index, `keys` holds the positions of a mapping's keys; `size` counts the values in it,
    `height` the levels.
    """

    data: Any
    line: int
    column: int
    text: str | None = None
    children: Mapping[str | int, Node] = field(default_factory=dict)
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1
    height: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, always a mapping. `path` is as the user gave it."""

    path: str
    root: Node

    @property
    def data(self) -> dict[str, Any]:
        """The document as dict, list, str, int, float, bool and None. Aliases share one object: do not change it."""
        data: dict[str, Any] = self.root.data
        return data

    def locate(self, path: FieldPath, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path`, or of its key; of the nearest parent where there is none."""
        *parents, last = path or ("",)
        node = self.root
        for part in parents:
            if part not in node.children:
                return node.line, node.column
            node = node.children[part]
        if key and isinstance(last, str) and last in node.keys:
            return node.keys[last]
        node = node.children.get(last, node) if path else node
        return node.line, node.column

    def text(self, path: FieldPath) -> str | None:
        """The scalar at `path` as the file has it: `1.30` where the data say 1.3."""
        node: Node | None = self.root
        for part in path:
            node = node.children.get(part) if node else None
        return node.text if node else None


def load_yaml(path: Path) -> Document:
    """The YAML file at `path`. Raises InvalidInput with what is wrong with it."""
    file = str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            _refuse(file, "is a directory", "name a YAML file")
        if not stat.S_ISREG(status.st_mode):
            # Reading a pipe or a device may never end.
            _refuse(file, "is not a regular file", "name a YAML file")
        _check_size(file, status.st_size)
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        _refuse(file, "no such file")
    except OSError as error:
        _refuse(file, f"cannot be read: {(error.strerror or type(error).__name__).lower()}")
    except ValueError:
        _refuse(repr(file), "is not a file name")
    _check_size(file, len(raw))
    return parse_yaml(_text(raw, file), file)


def _text(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        what = f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}"
        _refuse(file, what, "save the file as UTF-8", *_position(before, len(before)))


def parse_yaml(text: str, file: str) -> Document:
    """The YAML in `text`; `file` is the name that messages give it. Raises InvalidInput."""
    _check_size(file, len(text.encode("utf-8", "surrogatepass")))
    if bad := _BAD_CHARACTER.search(text):
        what = f"character U+{ord(bad[0]):04X} is not allowed in YAML"
        _refuse(file, what, "remove it, or write it as an escape in double quotes", *_position(text, bad.start()))
    try:
        composer = _Composer(file, yaml.parse(text, Loader=yaml.CSafeLoader))
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        raise InvalidInput([_syntax(text, error).at(file, *_mark(error, text))]) from None
    if composer.problems:
        raise InvalidInput(composer.problems)
    return Document(file, root)


def _refuse(file: str, what: str, right: str = "", line: int = 0, column: int = 0) -> NoReturn:
    raise InvalidInput([Problem(what, right, (), file, line, column)])


def _check_size(file: str, size: int) -> None:
    if size > MAX_BYTES:
        _refuse(file, f"has {size:,} bytes", f"at most {MAX_BYTES:,} (1 MiB) are read")


def _position(text: str, offset: int) -> tuple[int, int]:
    lines = re.split(r"\r\n?|\n", text[:offset])
    return len(lines), len(lines[-1]) + 1


def _mark(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    last_line, last_column = _position(text.rstrip("\r\n"), len(text))
    if mark is None or mark.line >= last_line:
        # At the end of the file the parser points to a line that is not there.
        return last_line, last_column
    return _place(mark)


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _syntax(text: str, error: yaml.MarkedYAMLError) -> Problem:
    """The parser's complaint in the words of somebody who looks at the file."""
    problem = error.problem or "cannot be parsed"
    line, column = _mark(error, text)
    character = (text.splitlines()[line - 1 : line] or [""])[0][column - 1 : column]
    if "cannot start any token" in problem:
        if character == "\t":
            return Problem("not valid YAML: a tab where YAML expects spaces", "indent with spaces")
        return Problem(f"not valid YAML: a value cannot begin with {character!r}", "put it in quotes")
    if "mapping values are not allowed" in problem:
        what = "not valid YAML: a second ': ' in one line, or a wrong indentation"
        return Problem(what, "quote text that holds ': '")
    if not error.context or not error.context_mark or _place(error.context_mark) == (line, column):
        return Problem(f"not valid YAML: {problem}")
    # The context is, for example, "while parsing a flow sequence".
    part = error.context.split(" ", 3)[-1]
    begin = "{}:{}".format(*_place(error.context_mark))
    return Problem(f"not valid YAML: {problem}", f"look at the {part} that begins at {begin}")


def _value(text: str) -> Any:
    """The value of a plain scalar."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


class _Composer:
    """Makes nodes of the parser's events. Faults that leave the rest readable are collected in `problems`."""

    def __init__(self, file: str, events: Iterator[Any]) -> None:
        self.file, self.events = file, events
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}  # None: its value is not complete yet
        self.values = 0

    def document(self) -> Node:
        next(self.events)  # the stream's start
        if not isinstance(next(self.events), yaml.DocumentStartEvent):
            _refuse(self.file, "is empty", "it must hold a mapping", 1, 1)
        root = self._node(next(self.events), (), 1)
        next(self.events)  # the document's end
        if not isinstance(event := next(self.events), yaml.StreamEndEvent):
            self._stop(event, (), "a second document begins here", "a file holds one document")
        if root.data is None:
            _refuse(self.file, "is empty", "it must hold a mapping", 1, 1)
        if not isinstance(root.data, dict):
            what = "a list" if isinstance(root.data, list) else f"{_short(root.text or '')!r}"
            _refuse(self.file, f"the top level is {what}", "it must be a mapping", root.line, root.column)
        return root

    def _node(self, event: Any, path: FieldPath, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, depth)
        if event.tag is not None:
            self._report(event, path, f"tag {_tag(event.tag)} is not supported", "write the value without it")
        if event.anchor:
            self.anchors[event.anchor] = None
        self._count(event, path, 1)
        line, column = _place(event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(_value(event.value) if event.implicit[0] else event.value, line, column, event.value)
        elif depth > MAX_DEPTH:
            self._too_deep(event, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(line, column, path, depth)
        else:
            node = self._mapping(line, column, path, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _sequence(self, line: int, column: int, path: FieldPath, depth: int) -> Node:
        children: dict[str | int, Node] = {}
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            children[len(children)] = self._node(event, (*path, len(children)), depth + 1)
        return _collection([child.data for child in children.values()], line, column, children, {})

    def _mapping(self, line: int, column: int, path: FieldPath, depth: int) -> Node:
        children: dict[str | int, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            node = self._node(event, path, depth + 1)
            key = self._key(event, node, path)
            child = self._node(next(self.events), (*path, key), depth + 1)
            if key in keys and node.text is not None:
                first = "{}:{}".format(*keys[key])
                self._report(event, (*path, key), f"duplicate key {_short(key)!r}", f"the first one is at {first}")
            else:
                keys[key], children[key] = (node.line, node.column), child
        return _collection({key: child.data for key, child in children.items()}, line, column, children, keys)

    def _key(self, event: Any, node: Node, path: FieldPath) -> str:
        text = _short(node.text or "")
        if node.text is None:
            self._report(event, path, "a list or a mapping cannot be a key", "a key must be text")
        elif not isinstance(node.data, str):
            self._report(event, path, f"key {text or 'null'} is not text", f'quote it: "{text}"')
        elif len(node.text) > MAX_KEY:
            self._report(event, path, f"key {text!r} has {len(node.text)} characters", f"at most {MAX_KEY}")
        elif not node.text.isprintable():
            self._report(event, path, f"key {text!r} holds characters that cannot be seen", "remove them")
        elif node.text == "<<" and not getattr(event, "style", ""):
            self._report(event, path, "merge keys (<<) are not supported", "write the fields out, or use an alias")
        return (node.text or "")[:MAX_KEY]

    def _alias(self, event: Any, path: FieldPath, depth: int) -> Node:
        name = _short(event.anchor)
        if event.anchor not in self.anchors:
            self._stop(event, path, f"alias *{name} has no anchor &{name} before it", "")
        node = self.anchors[event.anchor]
        if node is None:
            self._stop(event, path, f"alias *{name} stands inside its own anchor &{name}", "")
        self._count(event, path, node.size)
        if depth + node.height - 1 > MAX_DEPTH:
            self._too_deep(event, path)
        line, column = _place(event.start_mark)
        return replace(node, line=line, column=column)

    def _count(self, event: Any, path: FieldPath, values: int) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            self._stop(event, path, f"more than {MAX_VALUES:,} values, aliases expanded", "split the file")

    def _too_deep(self, event: Any, path: FieldPath) -> NoReturn:
        self._stop(event, path[:3], f"nested deeper than {MAX_DEPTH} levels", "nothing here needs as many")

    def _report(self, event: Any, path: FieldPath, what: str, right: str) -> None:
        self.problems.append(Problem(what, right, path, self.file, *_place(event.start_mark)))

    def _stop(self, event: Any, path: FieldPath, what: str, right: str) -> NoReturn:
        """For a fault after which the rest cannot be read, or would cost too much."""
        self._report(event, path, what, right)
        raise InvalidInput(self.problems)


def _collection(
    data: Any, line: int, column: int, children: dict[str | int, Node], keys: dict[str, tuple[int, int]]
) -> Node:
    size = 1 + len(keys) + sum(child.size for child in children.values())
    height = 1 + max((child.height for child in children.values()), default=0)
    return Node(data, line, column, None, children, keys, size, height)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _tag(tag: str) -> str:
    return _short(repr(tag.replace("tag:yaml.org,2002:", "!!", 1))[1:-1])
