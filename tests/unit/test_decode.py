"""Decoding into models: the message of every fault, and that no fault hides another."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from components.decode import decode, did_you_mean, elsewhere
from components.problems import Fault, FieldPath, InvalidInput, Problem
from components.source import load_yaml, parse_yaml

Name = Annotated[str, Field(pattern=r"^[a-z]+$", description="A short name. More.", examples=["web"])]


def be_even(value: int) -> int:
    if value % 2:
        raise Fault(f"{value} is odd", "choose an even number")
    return value


def be_short(value: str) -> str:
    if len(value) > 5:
        raise ValueError("too many letters; at most 5")
    return value


def megabytes(value: object) -> int:
    digits = str(value).removesuffix("M")
    if not digits.isdecimal():
        raise Fault(f"{value!r} is not a size", "for example 16M")
    return int(digits)


def be_readable(path: str) -> str:
    with elsewhere():
        if path.startswith("bad"):
            raise InvalidInput([Problem("no such rack", "name one", ("rack",), path, line, 1) for line in (9, 4)])
    return path


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Size(Model):
    cpus: int = Field(ge=1, le=64, examples=[4])
    memory: Annotated[int, BeforeValidator(megabytes), PlainSerializer(lambda m: f"{m}M", return_type=str)] = Field(
        16, ge=8
    )


class Pool(Model):
    name: Name
    nodes: int = Field(3, description="Number of nodes.", ge=1, examples=[3])
    size: Size | None = None
    labels: dict[Name, Name] = {}
    zones: tuple[Name, ...] = ()


class Local(Model):
    kind: Literal["local"]
    folder: str = Field("/data", min_length=2, max_length=8)
    kin: str = ""


class Remote(Model):
    kind: Literal["remote"]
    url: str = Field(pattern="^https://")
    mode: Literal["local", "fast"] = "fast"


Store = Annotated[Local | Remote, Field(discriminator="kind")]


class Config(Model):
    version: str = Field("1.0", description="Version.", pattern=r"^\d+\.\d+$", examples=["1.36"])
    pools: list[Pool] = Field([], max_length=3)
    store: Store = Local(kind="local")
    stores: list[Store] = []
    replicas: int | Literal["auto"] = 1
    size: Size | Name = "web"
    ratio: float = Field(0.5, gt=0, lt=1)
    even: Annotated[int, AfterValidator(be_even)] = 2
    short: Annotated[str, AfterValidator(be_short)] = "x"
    step: int = Field(5, multiple_of=5)
    colour: Colour = Colour.RED
    fast_mode: bool = False
    inventory: Annotated[str, AfterValidator(be_readable)] = "good.csv"
    spares: Annotated[str, AfterValidator(be_readable)] = "good.csv"
    low: int = 1
    high: int = 9

    @model_validator(mode="after")
    def _order(self) -> Config:
        if self.low > self.high:
            raise Fault("low is above high", "swap them")
        return self


def messages(
    text: str, model: type[BaseModel] = Config, semantic: Callable[[Any], Iterator[Problem]] | None = None
) -> list[str]:
    document = parse_yaml(text, "f.yaml")
    with pytest.raises(InvalidInput) as caught:
        decode(model, document.data, document=document, semantic=semantic)
    return [str(problem) for problem in caught.value.problems]


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


# ---- semantic checks


def semantic(config: Config) -> Iterator[Problem]:
    names = [pool.name for pool in config.pools]
    for i, pool in enumerate(config.pools):
        if pool.name in names[:i]:
            yield Problem(f"{pool.name!r} stands twice", "", ("pools", i, "name"))
        if pool.nodes > 5:
            yield Problem(f"{pool.nodes} nodes are many", "at most 5", ("pools", i, "nodes"))
        for j, zone in enumerate(pool.zones):
            if zone not in names:
                yield Problem(f"no pool {zone!r}", f"pools: {', '.join(names)}", ("pools", i, "zones", j))


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


# ---- properties

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
def test_many_and_long_faults_end_quickly_and_are_cut(text: str) -> None:
    start = time.process_time()
    found = messages(text, semantic=semantic)
    assert time.process_time() - start < 10
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


def test_loading_and_decoding_is_fast(tmp_path: Path) -> None:
    pools = "".join(f"- name: a{'b' * i}\n  nodes: 1\n  size:\n    cpus: 1\n  zones: [a, b]\n" for i in range(20))
    (tmp_path / "f.yaml").write_text(f"items:\n{pools}")

    class Many(Model):
        items: list[Pool]

    def run() -> float:
        start = time.process_time()
        document = load_yaml(tmp_path / "f.yaml")
        decode(Many, document.data, document=document)
        return time.process_time() - start

    assert min(run() for _ in range(5)) < 0.02
