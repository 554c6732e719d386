"""Decoding: for any data, every fault is told or the data are decoded."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.decode import decode
from components.problems import InvalidInput
from components.source import load_yaml
from components.wording import did_you_mean
from tests.decode_models import Config, messages, semantic

GOOD = {
    "version": "1.36",
    "even": 4,
    "fastMode": True,
    "colour": "blue",
    "store": {"kind": "remote", "url": "https://x"},
    "pools": [
        {"name": name, "nodes": 2, "size": {"cpus": 2, "memory": "16M"}, "labels": {"a": "b"}, "zones": ["aa", "bb"]}
        for name in ("aa", "bb", "cc")
    ],
}
BAD_VALUES: dict[str, list[Any]] = {
    "version": [1.5, "x", None],
    "even": [3, "x", [], None],
    "fastMode": ["maybe", {}],
    "colour": ["rad", "green", 3],
    "store": [{}, {"kind": "x"}, 3, {"kidn": "local"}],
    "name": ["A", 5, None, {}],
    "nodes": [0, "x", 1.5],
    "cpus": [0, 65, None],
    "memory": ["4M", "1M"],
    "labels": [{"B": "a"}, {"a": "B"}, 3],
    "zones": [["A"], ["a", 7], "a"],
}


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(data, list):
        for i, value in enumerate(data):
            yield from leaves(value, (*path, i))
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from [(*path, key)] if key in BAD_VALUES else leaves(value, (*path, key))


def plant(data: Any, path: tuple[Any, ...], how: str, value: Any) -> tuple[Any, ...]:
    """Plants a fault; gives the path at which it must be told."""
    for part in path[:-1]:
        data = data[part]
    if how == "value":
        data[path[-1]] = value
        return path
    key = f"{path[-1]}x" if how == "misspell" else f"zz{path[-1]}zz"
    # The misspelt key takes its value along, the unknown one stands beside.
    data[key] = data.pop(path[-1]) if how == "misspell" else 1
    return (*path[:-1], key)


@given(st.data())
def test_every_planted_fault_is_told(draw: st.DataObject) -> None:
    data = copy.deepcopy(GOOD)
    paths = draw.draw(st.lists(st.sampled_from(list(leaves(GOOD))), min_size=1, unique=True))
    planted = []
    for path in paths:
        how = draw.draw(st.sampled_from(["value", "misspell", "beside"]))
        value = draw.draw(st.sampled_from(BAD_VALUES[path[-1]]))
        planted.append(plant(data, path, how, value))
    with pytest.raises(InvalidInput) as caught:
        decode(Config, data, document=None, semantic=semantic)
    told = {problem.path for problem in caught.value.problems}
    missed = [path for path in planted if not any(path == found[: len(path)] for found in told)]
    assert not missed
    # A zone names a pool here: where a pool has lost its name, so has the zone.
    lost = any(path[-1] == "name" for path in planted)
    blamed = [found for found in told if not any(path == found[: len(path)] for path in planted)]
    assert not [found for found in blamed if not (lost and "zones" in found)]


ANY_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["local", "1.36"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*BAD_VALUES, "pools", "size", "kind", "url", "replicas", "[key]", "?"]), inner
        )
    ),
    max_leaves=20,
)
JARGON = ("Input should", "valid ", "function-", "literal[", "tagged", "pydantic", "Field required", "Extra inputs")


@given(ANY_DATA)
def test_any_data_are_decoded_or_refused_in_plain_words(data: Any) -> None:
    before = copy.deepcopy(data)
    try:
        decode(Config, data, document=None, semantic=semantic)
        text = ""
    except InvalidInput as error:
        text = str(error)
        assert text
    assert repr(data) == repr(before)
    assert not [word for word in JARGON if word in text.replace("valid keys", "")]


@given(st.binary() | st.text().map(str.encode) | st.lists(st.sampled_from(["pools:", "\n", "- ", "name: ", "a"])).map(
    lambda parts: "".join(parts).encode()
))  # fmt: skip
def test_any_file_is_decoded_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "decode.yaml"
    path.write_bytes(raw)
    try:
        document = load_yaml(path)
        decode(Config, document.data, document=document, semantic=semantic)
    except InvalidInput as error:
        told = str(error)
        assert told.startswith(str(path))


@pytest.mark.parametrize(
    "text",
    [
        f"pools: [{'1,' * 90_000}]",
        "".join(f"k{i}: 1\n" for i in range(45_000)),
        "pools:\n" + "- {name: 1, nodes: x, size: {cpus: a}, foo: b}\n" * 9_000,
        "pools:\n- name: a\n  labels:\n" + "".join(f"    _{i}: _\n" for i in range(40_000)),
        f"version: {'A' * 1_000_000}",
    ],
)
def test_many_and_long_faults_are_cut(text: str) -> None:
    found = messages(text, semantic=semantic)
    assert 1 <= len(found) <= 1002
    assert max(map(len, found)) < 700


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("podCidrs", "podCidr"),
        ("pod_cidr", "podCidr"),
        ("PODCIDR", "podCidr"),
        ("service-cidr", "serviceCidr"),
        ("zebra", None),
        ("", None),
        ("podCidr" * 1000, None),
    ],
)
def test_did_you_mean(word: str, meant: str | None) -> None:
    assert did_you_mean(word, ["podCidr", "serviceCidr", "name"]) == meant
