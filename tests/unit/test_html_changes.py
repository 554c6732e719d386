"""The HTML page of a change as a file: what it names and in which order, what it hides, its size. In a browser:
tests/browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from isostack.changes import FileChange, Kind, Property, Row, StackChange
from isostack.preview.model import HIDDEN
from isostack.report import changed
from isostack.report.html.changes import GROUPS, TONES, page
from isostack.review import Review
from tests import reviews
from tests.unit.test_html import LARGEST, read
from tests.unit.test_review import text

DESTROYED = (Kind.DELETED, Kind.REPLACED)


@cache
def change() -> str:
    return page(reviews.changing())


def words(html: str) -> str:
    return " ".join("".join(read(html).words).split())


def sections(html: str) -> list[str]:
    """Those of stacks."""
    return re.findall(r'<section id="stack-\d+".*?</section>', html, re.DOTALL)


def row(kind: Kind, *names: str, properties: tuple[Property, ...] = ()) -> Row:
    return Row(kind, "a:b:C", names or (f"that-is-{kind.name}",), "meant so", properties)


def stack(name: str, *rows: Row, kind: Kind | None = Kind.CHANGED, files: tuple[FileChange, ...] = ()) -> StackChange:
    return StackChange(name, kind, (), (), rows, files, {"before": 1, "after": 1})


def of(*stacks: StackChange) -> str:
    return page(Review("main", (), stacks, {}))


def test_every_kind_of_change_has_its_place_and_colour() -> None:
    assert sorted(kind for together in GROUPS for kind in together) == sorted(Kind)
    assert set(TONES) == set(Kind)


def test_the_same_change_gives_the_same_file() -> None:
    assert page(reviews.changing()) == change()


def test_the_verdict_then_machines_then_stacks() -> None:
    said = words(change())
    places = [
        said.index(each)
        for each in (
            "3 of 3 stacks change shop: not equivalent (before: equivalent with 6 degradations)",
            "machines: 16 deleted, 2 built anew, 24 at the next birth resources: ",
            "Machines that are there deleted 1 machine: shop-web-5: drained, taken out of the cluster, deleted (",
            "built anew 1 machine: shop-web-0: drained, taken out of the cluster, its ",
            "new trade-off name on shop-tinkerbell, shop-vsphere: degraded: ",
            "Resources by stack",
            "how it comes true: name",
            "shop-equinix deleted machines 14 -> 0: 14 deleted; resources: ",
            "shop-tinkerbell changed machines 14 -> 13: 1 deleted, 1 built anew, 12 at the next birth; resources: ",
            changed.NOTE,
        )
    ]
    assert places == sorted(places)


def test_a_stack_tells_the_worst_first() -> None:
    file = FileChange("/etc/x", Kind.CHANGED, ("m",), "later", text="@@ -1 +1 @@\n-a\n+b")
    rows = [row(kind) for kind in reversed(Kind)]
    (section,) = sections(of(stack("s", *rows, files=(file,))))
    assert re.findall(r"<h3>(.*?)</h3>", section) == [
        "Deleted, built anew",
        "Changed",
        "User data",
        "Created",
        "Renamed, at the next birth",
    ]
    for kind in Kind:
        assert words(section).count(f"{kind} a C that-is-{kind.name}: meant so") == 1


def test_a_stack_that_is_deleted_comes_first_and_one_that_stays_is_only_named() -> None:
    made = of(
        stack("grows", row(Kind.CREATED)),
        stack("loses", row(Kind.CREATED), row(Kind.DELETED)),
        stack("stays", kind=None),
        stack("goes", row(Kind.DELETED), kind=Kind.DELETED),
    )
    assert re.findall(r'<h2 id="h-stack-\d+">(\w+) ', made) == ["goes", "loses", "grows"]
    assert re.findall(r'<li><a href="#stack-\d+">(\w+)</a>', made) == ["goes", "loses", "grows"]
    assert words(made).count("stays") == words(made).count("no change: stays") == 1


@pytest.mark.parametrize("of_review", [reviews.changing, lambda: reviews.many(40)])
def test_all_that_is_destroyed_is_named_in_the_words_of_the_text(of_review: Callable[[], Review]) -> None:
    found = of_review()
    made, told = page(found), " ".join(text(found).split())
    titles = re.findall(r'<h2 id="h-stack-\d+">(\S+) ', made)
    named = dict(zip(titles, map(words, sections(made)), strict=True))
    assert set(named) == {each.stack for each in found.stacks}
    for each in found.stacks:
        destroyed = [one for one in (*each.machines, *each.resources) if one.kind in DESTROYED]
        assert destroyed
        assert not {name for one in destroyed for name in one.names} - set(re.findall(r"[^\s,:]+", named[each.stack]))
        for one in destroyed:
            said = changed.machine(one) if one in each.machines else changed.resource(one)
            assert said in told
            assert said in named[each.stack]


def test_a_difference_of_user_data_is_shown_once_with_its_signs() -> None:
    made = change()
    assert made.count("<del>-mode: old</del><ins>+mode: new</ins>") == 1
    assert words(made).count("The same difference as of shop-tinkerbell.") == 1
    assert changed.NO_TEXT not in words(made)
    dumb = of(stack("s", files=(FileChange("/etc/x", Kind.CHANGED, ("m",), "later"),)))
    assert changed.NO_TEXT in words(dumb)


def test_a_text_of_several_lines_is_told_by_the_lines_that_differ() -> None:
    made = of(stack("s", row(Kind.CHANGED, properties=(Property("p", "a\nb\nc\n", "a\nB\nc\n"),))))
    assert "<span> a</span><del>-b</del><ins>+B</ins><span> c</span>" in made
    assert "<ins>+one</ins><ins>+two</ins><ins>+three</ins></pre>" in change()
    line = of(stack("s", row(Kind.CHANGED, properties=(Property("p", "b\n", "c", ignored=True),))))
    assert "p b → c, at its next birth" in words(line)


def test_no_secret_is_there() -> None:
    assert reviews.SECRET not in change()
    assert f"password absent → {HIDDEN}" in words(change())


def test_no_change() -> None:
    made = page(reviews.nothing())
    said = words(made)
    assert "shop since main: no change" in said
    assert "no change shop: equivalent with 6 degradations, as before isostack 0" in said
    assert sections(made) == []
    assert [each["href"] for each in read(made).all("a")] == ["#main", "#verdict"]


def tone(made: str) -> str:
    (found,) = re.findall(r'class="verdict (\w+)"', made)
    return str(found)


def test_the_colour_is_that_of_the_worst() -> None:
    assert tone(page(reviews.nothing())) == "ok"
    assert tone(of(stack("s", row(Kind.CREATED), row(Kind.CHANGED)))) == "note"
    assert tone(of(stack("s", row(Kind.CREATED), row(Kind.REPLACED)))) == "warn"
    assert tone(change()) == "bad"
    found = reviews.changing()
    (verdict,) = found.verdicts
    quiet = replace(found, verdicts=(replace(verdict, after=verdict.before),), stacks=(stack("s", row(Kind.CREATED)),))
    assert verdict.appeared
    assert tone(page(quiet)) == "warn"
    assert tone(page(replace(quiet, verdicts=(replace(quiet.verdicts[0], appeared=()),)))) == "note"


def test_hostile_words_stay_text() -> None:
    made = page(reviews.hostile())
    document, sound = read(made), read(change())
    assert {tag for tag, _ in document.elements} <= {tag for tag, _ in sound.elements}
    assert {name for _, a in document.elements for name in a} <= {name for _, a in sound.elements for name in a}
    assert len(document.all("script")) == len(document.all("style")) == 1
    for tag in ("section", "article", "li", "details", "a", "td"):
        assert len(document.all(tag)) == len(sound.all(tag)) > 0
    assert words(made).count("</script></style></title><img src=x") > 100
    assert "49" not in words(made)
    assert not set(map(chr, (*range(32), *range(0x7F, 0xA0)))) - {"\n", "\t"} & set(made)


def test_no_word_turns_the_order_of_the_others() -> None:
    turning = "a\u202eb\u2066c"
    assert "a�b�c" in of(stack(turning, row(Kind.CHANGED, turning)))
    assert not {"\u202e", "\u2066"} & set(of(stack(turning, row(Kind.CHANGED, turning))))


def test_long_lists_and_values_are_folded_or_cut() -> None:
    properties = tuple(Property(f"p{i}", "x" * 1_001, "y") for i in range(13))
    rows = [row(Kind.CHANGED, *(f"r{i}-{j}" for j in range(4)), properties=properties) for i in range(11)]
    file = FileChange("/etc/x", Kind.CHANGED, tuple("abcd"), "later", text="\n".join(["@@ -1 +1 @@", *["+z"] * 40]))
    (section,) = sections(of(stack("s", *rows, files=(file,))))
    folds = re.findall(r"<summary>(.*?)</summary>", section)
    assert folds == [
        *["all 4", "and 1 more"] * 10,
        "and 1 more",
        "all 4",
        "and 1 more",
        "all 4",
        "the difference, 41 lines",
    ]
    assert f"{'x' * 999}…" in section
    assert "x" * 1_000 not in section
    assert "not shown" not in section


def test_many_machines_stay_a_small_file() -> None:
    """Each of what is destroyed is named; properties are left out, and counted."""
    found = reviews.many(500)
    made = page(found)
    assert len(made.encode()) < LARGEST
    shown = made.count('<span class="was">')
    left = sum(int(each) for each in re.findall(r"(\d+) propert(?:y|ies) not shown", made))
    assert shown + left == sum(len(one.properties) for each in found.stacks for one in each.resources)
    assert shown > 5_000
    for section in sections(made):
        names = set(re.findall(r"big-workers-[\d-]+", section))
        assert names >= {name for one in found.stacks[0].resources for name in one.names}


def test_long_texts_of_user_data_stay_a_small_file() -> None:
    text = "\n".join(["@@ -1 +1 @@", *["+" + "z" * 99] * 20_000])
    made = of(stack("s", files=(FileChange("/etc/x", Kind.CHANGED, ("m",), "later", text=text),)))
    assert len(made.encode()) < LARGEST
    (left,) = re.findall(r"and (\d+) lines more: <code>isostack diff --format json</code> has all", made)
    assert made.count("<ins>") + int(left) == 20_000
