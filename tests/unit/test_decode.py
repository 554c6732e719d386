"""Decoding into models: the message of every fault."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import (
    AfterValidator,
    model_validator,
)

from components.decode import decode
from components.problems import Fault, InvalidInput, Problem
from components.source import parse_yaml
from tests.decode_models import Config, Model, messages

FORM = "is not of the right form; A short name (for example web); it must match ^[a-z]+$"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Keys.
        ("fastmode: true", "1:1: fastmode: unknown key 'fastmode'; did you mean 'fastMode'?"),
        ("fast_mode: true", "1:1: fast_mode: unknown key 'fast_mode'; did you mean 'fastMode'?"),
        ("store: {kind: local, x: 1}", "1:22: store.x: unknown key 'x'; valid keys: kind, folder, kin"),
        ("pools:\n- nodes: 1", "2:3: pools[0].name: missing required key 'name'; A short name (for example web)"),
        ("pools:\n- name: a\n  labels: {B: c}", f"3:12: pools[0].labels.B: 'B' {FORM}"),
        # Types.
        ("pools: 3", "1:8: pools: 3 where a list is expected"),
        ("pools: [a]", "1:9: pools[0]: 'a' where a mapping is expected"),
        ("pools:", "1:7: pools: nothing where a list is expected"),
        ("pools: [{name: a, nodes: x}]", "1:26: pools[0].nodes: 'x' where a whole number is expected; for example 3"),
        ("even: 2.5", "1:7: even: 2.5 where a whole number is expected"),
        ("ratio: [1]", "1:8: ratio: a list where a number is expected"),
        ("fastMode: 7", "1:11: fastMode: 7 where true or false is expected"),
        ("version: 1.30", '1:10: version: 1.30 where text is expected; quote it: "1.30"'),
        ("short: true", '1:8: short: true where text is expected; quote it: "true"'),
        ("short: {a: b}", "1:8: short: a mapping where text is expected"),
        # Values.
        ("version: v1", "1:10: version: 'v1' is not of the right form; Version (for example 1.36); it must match "
         r"^\d+\.\d+$"),
        ("pools: [{name: a, zones: [b, C]}]", f"1:30: pools[0].zones[1]: 'C' {FORM}"),
        ("pools: [{name: a, nodes: 0}]", "1:26: pools[0].nodes: 0 is too small; at least 1"),
        ("pools: [{name: a, size: {cpus: 65}}]", "1:32: pools[0].size.cpus: 65 is too large; at most 64"),
        ("pools: [{name: a, size: {cpus: 1, memory: 4M}}]",
         "1:43: pools[0].size.memory: '4M' is too small; at least 8M"),
        ("ratio: 0", "1:8: ratio: 0 is too small; more than 0.0"),
        ("ratio: 1.0", "1:8: ratio: 1.0 is too large; less than 1.0"),
        ("step: 7", "1:7: step: 7 does not fit; a multiple of 5"),
        ("store: {kind: local, folder: /}", "1:30: store.folder: '/' is too short; at least 2 characters"),
        ("store: {kind: local, folder: /123456789}",
         "1:30: store.folder: '/123456789' is too long; at most 8 characters"),
        ("pools: [{name: a}, {name: b}, {name: c}, {name: d}]", "1:8: pools: too many entries: 4; at most 3"),
        ("colour: rad", "1:9: colour: unknown colour 'rad'; did you mean 'red'? allowed: red, blue"),
        ("colour: green", "1:9: colour: unknown colour 'green'; allowed: red, blue"),
        ("colour: 1", "1:9: colour: 1 where 'red' or 'blue' is expected"),
        # Validators.
        ("even: 3", "1:7: even: 3 is odd; choose an even number"),
        ("short: abcdef", "1:8: short: too many letters; at most 5"),
        ("low: 10", "1:1: low is above high; swap them"),
        # Unions.
        ("store: {}", "1:8: store.kind: missing required key 'kind'; allowed: local, remote"),
        ("store: {kin: local}", "1:8: store.kind: missing required key 'kind'; allowed: local, remote"),
        ("stores: [{kind: local}, {kind: x, url: y}]",
         "1:32: stores[1].kind: unknown kind 'x'; allowed: local, remote"),
        ("store: {kind: x, y: 1}", "1:15: store.kind: unknown kind 'x'; allowed: local, remote"),
        ("store: {kind: locl}", "1:15: store.kind: unknown kind 'locl'; did you mean 'local'? allowed: local, remote"),
        ("store: {kidn: local}", "1:9: store.kidn: unknown key 'kidn'; did you mean 'kind'?"),
        ("store: {kind: [local]}", "1:15: store.kind: a list where 'local' or 'remote' is expected"),
        ("store: x", "1:8: store: 'x' where a mapping is expected"),
        ("store: {kind: remote, url: http://x}",
         "1:28: store.url: 'http://x' is not of the right form; it must match ^https://"),
        ("store: {kind: local, folder: 12}", '1:30: store.folder: 12 where text is expected; quote it: "12"'),
        ("replicas: some", "1:11: replicas: 'some' where a whole number or 'auto' is expected"),
        ("size: {cpus: x}", "1:14: size.cpus: 'x' where a whole number is expected; for example 4"),
        ("size: [a]", "1:7: size: a list where a mapping or text is expected"),
        ("size: Web", f"1:7: size: 'Web' {FORM}"),
    ],
)  # fmt: skip
def test_message(text: str, expected: str) -> None:
    assert messages(text) == [f"f.yaml:{expected}"]


def test_nothing_of_the_data_but_a_mapping() -> None:
    with pytest.raises(InvalidInput, match=r"^a list where a mapping is expected$"):
        decode(Config, [], document=None)


def test_good_data() -> None:
    document = parse_yaml("pools: [{name: a, nodes: 2, size: {cpus: 1}}]\nfastMode: true\n", "f.yaml")
    found = decode(Config, document.data, document=document, semantic=lambda config: [])
    assert found == Config.model_validate(document.data)


def test_the_content_under_a_misspelt_key_and_kind_is_checked() -> None:
    text = "poools:\n  - name: a\n    size: {cpus: 0}\nstore:\n  kind: remot\n  url: 5\n"
    assert messages(text) == [
        "f.yaml:1:1: poools: unknown key 'poools'; did you mean 'pools'?",
        "f.yaml:3:18: poools[0].size.cpus: 0 is too small; at least 1",
        "f.yaml:5:9: store.kind: unknown kind 'remot'; did you mean 'remote'? allowed: local, remote",
        'f.yaml:6:8: store.url: 5 where text is expected; quote it: "5"',
        "f.yaml:6:8: store.url: '5' is not of the right form; it must match ^https://",
    ]


def test_a_bad_key_with_a_bad_value() -> None:
    assert messages("pools:\n- name: a\n  labels: {B: C, D: 1}") == [
        f"f.yaml:3:12: pools[0].labels.B: 'B' {FORM}",
        f"f.yaml:3:15: pools[0].labels.B: 'C' {FORM}",
        f"f.yaml:3:18: pools[0].labels.D: 'D' {FORM}",
        'f.yaml:3:21: pools[0].labels.D: 1 where text is expected; quote it: "1"',
    ]


def test_two_keys_cannot_be_meant_as_one() -> None:
    found = messages("store: {kind: local, foldr: /a, foldre: /b}")
    assert found[0] == "f.yaml:1:22: store.foldr: unknown key 'foldr'; did you mean 'folder'?"
    assert found[1] == "f.yaml:1:33: store.foldre: unknown key 'foldre'; valid keys: kind, folder, kin"


def test_problems_of_another_file_come_once_and_after_those_of_this_one() -> None:
    assert messages("inventory: bad.csv\nspares: bad.csv\neven: 3\nstoer: {}\n") == [
        "f.yaml:3:7: even: 3 is odd; choose an even number",
        "f.yaml:4:1: stoer: unknown key 'stoer'; did you mean 'store'?",
        "f.yaml:4:8: stoer.kind: missing required key 'kind'; allowed: local, remote",
        "bad.csv:4:1: rack: no such rack; name one",
        "bad.csv:9:1: rack: no such rack; name one",
    ]


def test_invalid_input_that_a_validator_lets_through_is_told_with_the_rest() -> None:
    def deny(value: int) -> int:
        raise InvalidInput([Problem("cannot be read", file="x.csv")])

    class Bare(Model):
        rows: Annotated[int, AfterValidator(deny)] = 1

    assert messages("rows: 1", Bare) == ["x.csv: cannot be read"]


def test_paths_and_positions_below_a_part_of_the_document() -> None:
    document = parse_yaml("config:\n  isostack:target:\n    even: 3\n    low: x\n    versio: 1.30\n", "Pulumi.yaml")
    at = ("config", "isostack:target")
    with pytest.raises(InvalidInput) as caught:
        decode(Config, document.data["config"]["isostack:target"], document=document, at=at)
    assert [str(problem) for problem in caught.value.problems] == [
        "Pulumi.yaml:3:11: config.isostack:target.even: 3 is odd; choose an even number",
        "Pulumi.yaml:4:10: config.isostack:target.low: 'x' where a whole number is expected",
        "Pulumi.yaml:5:5: config.isostack:target.versio: unknown key 'versio'; did you mean 'version'?",
        'Pulumi.yaml:5:13: config.isostack:target.versio: 1.30 where text is expected; quote it: "1.30"',
    ]


def test_context_reaches_the_validators() -> None:
    class Place(Model):
        name: str

        @model_validator(mode="after")
        def _known(self, info: Any) -> Place:
            if self.name not in info.context["places"]:
                raise Fault(f"no place {self.name!r}")
            return self

    assert decode(Place, {"name": "a"}, document=None, context={"places": ["a"]}).name == "a"
    with pytest.raises(InvalidInput, match="no place 'b'"):
        decode(Place, {"name": "b"}, document=None, context={"places": ["a"]})
