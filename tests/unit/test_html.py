"""The HTML report as a file: its structure, what it escapes, its size. As a browser shows it: tests/browser."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from isostack.comparison import compare
from isostack.finding import Judgement
from isostack.parity import Difference, Verdict
from isostack.report.html import changes, page
from isostack.report.html.picture import WIDTH, pictures
from isostack.report.html.tables import wishes
from tests import pages, reviews
from tests.examples import previews

VOID = {"meta", "link", "input", "br", "img"}
LARGEST = 3_000_000
"""Bytes of a report of 500 machines."""


@dataclass
class Read(HTMLParser):
    """A document as its elements, with all text but that of scripts and styles."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice: {tag}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(text: str) -> Read:
    document = Read()
    document.feed(text)
    document.close()
    assert document.open == []
    return document


def drawn(document: Read) -> list[dict[str, str]]:
    """The pictures of the stacks."""
    return [attributes for attributes in document.all("svg") if attributes["role"] == "listbox"]


@cache
def shop() -> str:
    return page(*pages.shop())


@cache
def made(name: str) -> str:
    """The pages of all kinds, which have the same bones."""
    return shop() if name == "shop" else changes.page(getattr(reviews, name)())


KINDS = pytest.mark.parametrize("name", ["shop", "changing", "nothing"])


@KINDS
def test_landmarks_headings_and_links(name: str) -> None:
    document = read(made(name))
    counts = Counter(tag for tag, _ in document.elements)
    assert [counts[tag] for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    pointed = [attributes["href"] for attributes in document.all("a")]
    pointed += [f"#{name}" for _, a in document.elements for name in a.get("aria-labelledby", "").split()]
    assert {name.removeprefix("#") for name in pointed} <= set(ids)


def test_the_verdict_comes_first() -> None:
    text = " ".join("".join(read(shop()).words).split())
    order = [
        "equivalent with 6 degradations",
        "is blocked by policy",
        "Targets",
        "Parity",
        "Findings",
        "On VMs or on metal?",
        "Machines",
        "all 14 machines",
        "Resources",
    ]
    places = [text.index(each, text.index("Verdict")) for each in order[:2]]
    places += [text.rindex(f"{each} ") for each in order[2:]]
    assert places == sorted(places)


@KINDS
def test_it_needs_nothing_else(name: str) -> None:
    text = made(name)
    document = read(text)
    loading = [
        value
        for _, attributes in document.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href", "style")
    ]
    assert all(value.startswith("#") or value == "data:," for value in loading)
    assert not re.search(r"url\(|@import|@font-face", text)
    assert "<script>" in text
    assert "<style>" in text


@KINDS
def test_its_policy_allows_its_own_style_and_script_alone(name: str) -> None:
    text = made(name)
    (policy,) = [a["content"] for a in read(text).all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_the_same_stacks_give_the_same_file() -> None:
    assert page(*pages.shop()) == shop()


def test_hostile_names_stay_text() -> None:
    text = page(*pages.hostile())
    document, sound = read(text), read(shop())
    # Its machines are of no pool of the spec, so it has no plots; tests/unit/test_chapter.py has hostile ones.
    assert {tag for tag, _ in document.elements} <= {tag for tag, _ in sound.elements}
    assert {name for _, a in document.elements for name in a} <= {name for _, a in sound.elements for name in a}
    assert len(document.all("script")) == len(document.all("style")) == 1
    assert "49" not in "".join(document.words)[:2000]
    assert "{{ 7*7 }}" in "".join(document.words)
    assert not set(map(chr, range(32))) - {"\n", "\t"} & set(text)


def test_every_field_of_the_spec_is_there_once() -> None:
    stacks = previews("shop")
    listed = Counter(name for wish in wishes(stacks) for name, _ in wish.fields)
    document = read(shop())
    assert set(listed.values()) == {1}
    assert sum(int(a["data-fields"]) for a in document.all("tbody") if "data-fields" in a) == len(listed)


def test_what_several_stacks_are_told_stands_once() -> None:
    text = shop()
    assert text.count("title of capacity-advisory") == 1
    assert text.count('id="rule-capacity-advisory"') == 1
    assert "Waived until 2999-01-01: it is known" in text


def test_one_stack_alone() -> None:
    (stack, *_) = previews("shop")
    text = page(compare([stack], (), {stack.label: Judgement()}), [stack])
    assert "nothing to compare with" in text
    assert len(drawn(read(text))) == 1


def test_stacks_of_different_specs() -> None:
    """They are not equivalent, and each field and machine is there all the same."""
    stacks = (previews("shop")[1], previews("edge")[0])
    result = compare(stacks, (), {stack.label: Judgement() for stack in stacks})
    words = "".join(read(page(result, stacks)).words)
    assert "not equivalent" in words
    for machine in ("shop-web-0", "edge-control-plane-0"):
        assert machine in words


def test_what_is_not_equivalent_is_listed_by_cause() -> None:
    result, stacks = pages.hostile()
    text = page(result, stacks)
    assert f"not equivalent: {len(result.parity.differences)} differences" in text
    assert 'id="differences"' in text
    assert 'id="differences"' not in shop()


def test_machines_of_the_picture_are_those_of_the_table() -> None:
    document = read(shop())
    drawn = Counter(attributes["data-m"] for _, attributes in document.elements if "data-m" in attributes)
    assert drawn == {str(number): len(previews("shop")) for number in range(14)}


def test_boxes_lie_in_their_zones_and_do_not_overlap() -> None:
    for stacks in (pages.shop()[1], pages.many(500)[1]):
        for picture in pictures(stacks):
            assert sum(len(box.tiles) for zone in picture.zones for box in zone.boxes) in (14, 500)
            for zone in picture.zones:
                for i, box in enumerate(zone.boxes):
                    assert box.x >= 0
                    assert box.x + box.width <= WIDTH
                    assert zone.y < box.y
                    assert box.y + box.height <= zone.y + zone.height
                    for tile in box.tiles:
                        assert box.x <= tile.x
                        assert tile.x + tile.width <= box.x + box.width + 0.01
                        assert tile.y + tile.height <= box.y + box.height
                    for other in zone.boxes[i + 1 :]:
                        beside = box.x + box.width < other.x or other.x + other.width < box.x
                        assert beside or box.y + box.height < other.y


def test_many_machines_stay_a_small_file() -> None:
    text = page(*pages.many(500))
    assert len(drawn(read(text))) == 3
    assert len(text.encode()) < LARGEST


def test_many_differences_stay_a_small_file() -> None:
    result, stacks = pages.many(500)
    each = tuple(Difference(f"machine m-{i}", f"field-{i}", ("a" * 64, "b" * 64, "c" * 64)) for i in range(12_000))
    text = page(replace(result, parity=replace(result.parity, differences=each, verdict=Verdict.NOT)), stacks)
    assert "not equivalent: 12000 differences" in text
    assert "11500 more: <code>isostack compare --format json</code> has all." in text
    assert "field-499<" in text
    assert "field-500<" not in text
    assert len(text.encode()) < LARGEST
