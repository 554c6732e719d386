"""Reading YAML: values, positions, and the message of every bad file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.problems import InvalidInput
from components.source import MAX_BYTES, MAX_DEPTH, Document, load_yaml, parse_yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30)
)
CHAIN = "a0: &a0 x\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 100))


def messages(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("1", 1),
        ("-12", -12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.36", 1.36),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        # What YAML 1.1 would turn into a bool, a number or a date.
        ("yes", "yes"),
        ("on", "on"),
        ("12:30:00", "12:30:00"),
        ("00:50:56:01:02:03", "00:50:56:01:02:03"),
        ("2026-12-31", "2026-12-31"),
        ("0777", "0777"),
        ("1_000", "1_000"),
        # What would be infinite, not a number, or cost time.
        ("1e999", "1e999"),
        (".nan", ".nan"),
        ("9" * 5000, "9" * 5000),
        ("1.36.3", "1.36.3"),
        ("'1.36'", "1.36"),
        ('"\\u00e9"', "é"),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
    ],
)
def test_values(scalar: str, value: Any) -> None:
    found = parse_yaml(f"key: {scalar}", "f.yaml").data["key"]
    assert found == value
    assert type(found) is type(value)


def test_positions() -> None:
    document = parse_yaml("a:\n  - b: é x\n    c: 1.30\n  - &d {e: f}\n  - *d\nempty:\n", "f.yaml")
    assert document.locate(()) == (1, 1)
    assert document.locate(("a",)) == (2, 3)
    assert document.locate(("a",), key=True) == (1, 1)
    assert document.locate(("a", 0, "b")) == (2, 8)
    assert document.locate(("a", 0, "c"), key=True) == (3, 5)
    assert document.locate(("a", 1, "e")) == (4, 12)
    assert document.locate(("a", 2)) == (5, 5)
    assert document.locate(("empty",)) == (6, 7)
    assert document.text(("a", 0, "c")) == "1.30"
    assert document.text(("a",)) is None
    assert document.text(("a", 7, "c")) is None


@pytest.mark.parametrize("key", [False, True])
def test_position_of_what_is_not_there_is_that_of_its_parent(key: bool) -> None:
    document = parse_yaml("a:\n  - b: x\n", "f.yaml")
    assert document.locate(("a", 0, "none"), key=key) == (2, 5)
    assert document.locate(("a", 9, "b"), key=key) == (2, 3)
    assert document.locate(("none", "b"), key=key) == (1, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f.yaml:1:1: is empty; it must hold a mapping"),
        ("# only a comment\n", "f.yaml:1:1: is empty; it must hold a mapping"),
        ("---\n", "f.yaml:1:1: is empty; it must hold a mapping"),
        ("- a\n", "f.yaml:1:1: the top level is a list; it must be a mapping"),
        ("hello\n", "f.yaml:1:1: the top level is 'hello'; it must be a mapping"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here; a file holds one document"),
        (
            "a: {b: 1\nc: 2",
            "f.yaml:2:2: not valid YAML: did not find expected ',' or '}'; look at the flow mapping that begins at 1:4",
        ),
        (
            "a: b: c\n",
            "f.yaml:1:5: not valid YAML: a second ': ' in one line, or a wrong indentation; quote text that holds ': '",
        ),
        ("a:\n\tb: 1\n", "f.yaml:2:1: not valid YAML: a tab where YAML expects spaces; indent with spaces"),
        ("a: @b\n", "f.yaml:1:4: not valid YAML: a value cannot begin with '@'; put it in quotes"),
        (
            "a: 'it's'\n",
            "f.yaml:1:8: not valid YAML: did not find expected key; look at the block mapping that begins at 1:1",
        ),
        (
            'a: "b\n',
            "f.yaml:1:6: not valid YAML: found unexpected end of stream; look at the quoted scalar that begins at 1:4",
        ),
        ("%YAML 3.0\n---\na: 1\n", "f.yaml:1:1: not valid YAML: found incompatible YAML document"),
        (
            "a: x\x07y\n",
            "f.yaml:1:5: character U+0007 is not allowed in YAML; remove it, or write it as an escape in double quotes",
        ),
        (
            "a: 1\r\nb: \u2028\n",
            "f.yaml:2:4: character U+2028 is not allowed in YAML; remove it, or write it as an escape in double quotes",
        ),
        ("a: *x\n", "f.yaml:1:4: a: alias *x has no anchor &x before it"),
        ("a: &x\n  - *x\n", "f.yaml:2:5: a[0]: alias *x stands inside its own anchor &x"),
        (BOMB, "f.yaml:5:45: a4[7]: more than 100,000 values, aliases expanded; split the file"),
        (CHAIN, "f.yaml:65:12: a64[0]: nested deeper than 64 levels; nothing here needs as many"),
        (f"a: {'[' * 300_000}", "f.yaml:1:67: a[0][0]: nested deeper than 64 levels; nothing here needs as many"),
        (
            f"a: [{'1,' * 200_000}]",
            "f.yaml:1:199999: a[99997]: more than 100,000 values, aliases expanded; split the file",
        ),
        ("x" * (MAX_BYTES + 1), "f.yaml: has 1,048,577 bytes; at most 1,048,576 (1 MiB) are read"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "f.yaml:1:4: a: tag !!python/object/apply:os.system is not supported; write the value without it",
        ),
        ("? [a]\n: b\n", "f.yaml:1:3: a list or a mapping cannot be a key; a key must be text"),
        ("a:\n  1: b\n", 'f.yaml:2:3: a: key 1 is not text; quote it: "1"'),
        ("true: b\n", 'f.yaml:1:1: key true is not text; quote it: "true"'),
        ('"a\\nb": c\n', "f.yaml:1:1: key 'a\\nb' holds characters that cannot be seen; remove them"),
        (f"{'k' * 600}: c\n", f"f.yaml:1:1: key '{'k' * 57}...' has 600 characters; at most 512"),
        (
            "a: &b {c: d}\ne:\n  <<: *b\n",
            "f.yaml:3:3: e: merge keys (<<) are not supported; write the fields out, or use an alias",
        ),
        ("a: 1\nb: 2\n'a': 3\n", "f.yaml:3:1: a: duplicate key 'a'; the first one is at 1:1"),
    ],
)
def test_bad_text(text: str, expected: str) -> None:
    start = time.process_time()
    assert messages(text) == [expected]
    assert time.process_time() - start < 3


def test_faults_that_leave_the_rest_readable_are_told_together() -> None:
    assert messages("a: {b: 1, b: 2}\nc: !t x\nd: {2: x}\na: 3\n") == [
        "f.yaml:1:11: a.b: duplicate key 'b'; the first one is at 1:5",
        "f.yaml:2:4: c: tag !t is not supported; write the value without it",
        'f.yaml:3:5: d: key 2 is not text; quote it: "2"',
        "f.yaml:4:1: a: duplicate key 'a'; the first one is at 1:1",
    ]


def test_keys_that_are_no_text_are_not_duplicates_of_each_other() -> None:
    assert len(messages("? [a]\n: b\n? [c]\n: d\n")) == 2


def test_the_deepest_nesting_and_a_quoted_merge_key_are_allowed() -> None:
    depth = MAX_DEPTH - 1
    assert parse_yaml(f"a: {'[' * depth}{']' * depth}\n'<<': 1\n", "f.yaml").data["<<"] == 1


def file_message(path: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        load_yaml(path)
    return str(caught.value)


def test_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("latin.yaml").write_bytes("a: 1\nb: é\n".encode("latin-1"))
    Path("utf16.yaml").write_bytes("a: 1\n".encode("utf-16"))
    Path("good.yaml").write_text("a: 1\n")
    os.mkfifo("pipe")
    assert file_message(Path("none.yaml")) == "none.yaml: no such file"
    assert file_message(Path("folder")) == "folder: is a directory; name a YAML file"
    assert file_message(Path("pipe")) == "pipe: is not a regular file; name a YAML file"
    assert file_message(Path("good.yaml/x")) == "good.yaml/x: cannot be read: not a directory"
    assert file_message(Path("a\0b")) == "'a\\x00b': is not a file name"
    expected = "latin.yaml:2:4: not UTF-8: byte 0xe9 at offset 8; save the file as UTF-8"
    assert file_message(Path("latin.yaml")) == expected
    expected = "utf16.yaml:1:1: not UTF-8: byte 0xff at offset 0; save the file as UTF-8"
    assert file_message(Path("utf16.yaml")) == expected
    assert load_yaml(Path("good.yaml")).data == {"a": 1}


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("secret.yaml").write_text("a: 1\n")
    Path("secret.yaml").chmod(0)
    was = os.geteuid()
    if was == 0:  # root may read every file: be nobody for a moment
        os.seteuid(65534)
    try:
        assert file_message(Path("secret.yaml")) == "secret.yaml: cannot be read: permission denied"
    finally:
        os.seteuid(was)


def test_a_large_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)
    assert file_message(path) == f"{path}: has 10,737,418,240 bytes; at most 1,048,576 (1 MiB) are read"


TOKENS = [
    "a",
    "b: ",
    "- ",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&x ",
    "*x",
    "!!t ",
    "'",
    '"',
    ">",
    "? ",
    "#",
    "<<: ",
    "%YAML ",
    "1.0",
    "~",
    "\t",
    "é",
    "\x00",
    "\ufeff",
    "\r",
    "@",
    "\\",
    "\n",
    "---\n",
    "...\n",
]
YAMLISH = st.lists(st.sampled_from(TOKENS), max_size=30).map("".join)


def read(load: Callable[[], Document]) -> Document | InvalidInput:
    try:
        return load()
    except InvalidInput as error:
        return error


@given(YAMLISH | st.text())
@example("\ufeffa: \ufeff")
@example("---\n#")
def test_any_text_is_read_or_refused(text: str) -> None:
    found = read(lambda: parse_yaml(text, "f.yaml"))
    if isinstance(found, Document):
        assert isinstance(found.data, dict)
    else:
        lines = text.count("\n") + text.count("\r") + 1
        assert found.problems
        assert all(problem.what and 1 <= problem.line <= lines for problem in found.problems)


@given(st.binary() | YAMLISH.map(str.encode))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(raw)
    found = read(lambda: load_yaml(path))
    assert isinstance(found.data, dict) if isinstance(found, Document) else str(found).startswith(str(path))
