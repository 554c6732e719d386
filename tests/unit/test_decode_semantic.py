"""Decoding: checks over several fields come with the structural faults, and no stand-in is blamed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)

from components.problems import Fault, FieldPath, InvalidInput, Problem
from tests.decode_models import Config, Model, Size, messages, semantic


def test_semantic_problems_of_sound_data() -> None:
    assert messages("pools: [{name: a, nodes: 6}, {name: a}]", semantic=semantic) == [
        "f.yaml:1:26: pools[0].nodes: 6 nodes are many; at most 5",
        "f.yaml:1:37: pools[1].name: 'a' stands twice",
    ]


def test_semantic_problems_come_with_the_structural_ones() -> None:
    text = "even: 3\npools:\n  - {nam: a, nodes: 6}\n  - {name: a, nodes: x}\n  - {name: c, nodes: 9, zones: [z]}\n"
    assert messages(text, semantic=semantic) == [
        "f.yaml:1:7: even: 3 is odd; choose an even number",
        "f.yaml:3:6: pools[0].nam: unknown key 'nam'; did you mean 'name'?",
        "f.yaml:3:21: pools[0].nodes: 6 nodes are many; at most 5",
        "f.yaml:4:12: pools[1].name: 'a' stands twice",
        "f.yaml:4:22: pools[1].nodes: 'x' where a whole number is expected; for example 3",
        "f.yaml:5:22: pools[2].nodes: 9 nodes are many; at most 5",
        "f.yaml:5:33: pools[2].zones[0]: no pool 'z'; pools: a, a, c",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "pools: [{name: A}, {name: b, zones: [A]}]",  # the reference is to a name that is replaced; told as a bad form
        "pools: [{name: 7A}, {name: web}]",  # the example that stands in for the first is the name of the second
        "pools: [{nodes: 9}, {name: web}]",
        "pools: [{name: web}, 5, {name: b}]",
    ],
)
def test_what_a_stand_in_causes_is_not_told(text: str) -> None:
    found = messages(text, semantic=semantic)
    assert not [message for message in found if "no pool" in message or "twice" in message]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("pools", 0, "nodes"), False),
        (("pools", 0), False),
        (("pools",), False),
        ((), False),
        (("size",), False),
        (("size", "cpus"), False),
        (("pools", 0, "size"), True),
        (("pools", 1, "labels", "E"), False),
        (("pools", 1, "labels", "c"), True),
        (("pools", 1, "name"), True),
        (("high",), True),
    ],
)
def test_what_touches_a_stand_in_is_not_told(path: FieldPath, told: bool) -> None:
    text = "pools: [{name: a, nodes: x}, {name: b, labels: {c: d, E: F}}]\nsize: [1]\n"
    found = messages(text, semantic=lambda _: iter([Problem("is wrong", path=path)]))
    assert any("is wrong" in message for message in found) == told


def test_a_name_of_the_wrong_form_stands_in_for_itself() -> None:
    assert messages("pools: [{name: Db}, {name: c, zones: [z]}]", semantic=semantic)[1].endswith("pools: db, c")


def test_a_sibling_stands_in_where_there_is_no_example() -> None:
    text = "stores: [{kind: local}, {kind: remote, url: https://a}, {kind: remote}]"
    assert messages(text, semantic=lambda _: iter([Problem("is slow", path=("stores", 1))])) == [
        "f.yaml:1:25: stores[1]: is slow",
        "f.yaml:1:57: stores[2].url: missing required key 'url'",
    ]


def test_entries_with_errors_are_not_called_missing() -> None:
    class Few(Model):
        items: list[Size] = Field(min_length=2)

    assert messages("items: [{cpus: 0}, {cpus: 1}]", Few) == ["f.yaml:1:16: items[0].cpus: 0 is too small; at least 1"]
    assert messages("items: [{cpus: 1}]", Few) == ["f.yaml:1:8: items: too few entries: 1; at least 2"]


def test_a_field_validator_is_not_blamed_for_a_stand_in() -> None:
    class Range(Model):
        low: int = 5
        high: int

        @field_validator("high")
        @classmethod
        def _order(cls, high: int, info: ValidationInfo) -> int:
            if high < info.data.get("low", high):
                raise Fault(f"{high} is below low")
            return high

    assert messages("low: 2\nhigh: 1\n", Range) == ["f.yaml:2:7: high: 1 is below low"]
    assert messages("low: x\nhigh: 1\n", Range) == ["f.yaml:1:6: low: 'x' where a whole number is expected"]


def test_a_model_validator_is_not_blamed_for_a_stand_in() -> None:
    # The default of `low` is 1, above the sound `high`.
    assert messages("low: x\nhigh: 0\n") == ["f.yaml:1:6: low: 'x' where a whole number is expected"]


def test_semantic_checks_may_raise_and_may_name_another_file() -> None:
    def other(config: Config) -> Iterator[Problem]:
        yield Problem("is old", file="rows.csv", line=3, column=1)
        raise InvalidInput([Problem("is gone", file="more.csv")])

    assert messages("even: 3", semantic=other) == [
        "f.yaml:1:7: even: 3 is odd; choose an even number",
        "more.csv: is gone",
        "rows.csv:3:1: is old",
    ]
