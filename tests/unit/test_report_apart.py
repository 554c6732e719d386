"""Long values and texts of several lines, told so that what differs is seen in each report of changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isostack.changes import Cause, Kind, Property, Row, StackChange
from isostack.flat import NOTHING
from isostack.report import changed, changes
from isostack.report.apart import LONGEST, cut, lined, told
from isostack.report.html.changes import page
from isostack.review import Review
from tests.unit.test_review import text

HEAD, TAIL = "h" * 400, "t" * 400
CONF = "".join(f"line{i} = {i}\n" for i in range(60))
LONG = Property("spec.data", f"{HEAD}image.url: a{TAIL}", f"{HEAD}image.url: b{TAIL}")
LINES = Property("data.vsphere.conf", CONF, CONF.replace("line30 = 30", "line30 = x"))


def of(*properties: Property) -> Review:
    """The same as properties of a resource, facts of the site, and facts of machines."""
    rows = (Row(Kind.CHANGED, "a:b:C", ("r",), "in place", properties),)
    site = [Cause("site main", each.path, each.before, each.after) for each in properties]
    machines = [Cause("machines", each.path, each.before, each.after, "later", ("m",)) for each in properties]
    machine = Row(Kind.LATER, "m", ("m",), "left alone")
    stack = StackChange("s", Kind.CHANGED, (*site, *machines), (machine,), rows, (), {"before": 1, "after": 1})
    return Review("main", (), (stack,), {})


def test_the_rest_gives_way_before_what_differs() -> None:
    one, other = lined((LONG.before, LONG.after))
    assert re.fullmatch(r"…h+image\.url: at+…", one)
    assert other == one.replace(": a", ": b")
    assert len(one) <= LONGEST
    assert lined((HEAD, f"{HEAD}end")) == [f"…{'h' * 77}", f"…{'h' * 77}end"]
    assert lined(("a" * 200, NOTHING)) == [f"{'a' * 159}…", NOTHING]
    assert lined(("a" * 160, "b")) == ["a" * 160, "b"]


def test_what_ends_a_line_is_told_where_it_alone_differs() -> None:
    assert lined(("b\n", "c")) == ["b", "c"]
    assert lined(("b\n", "b")) == ["b\\n", "b"]
    assert told("a\nb", "a\nb\n").cells() == (("a\\nb",), ("a\\nb\\n",))


@given(st.text("ab\n", max_size=60), st.text("ab\n", max_size=60), st.integers(0, 400), st.integers(0, 400))
def test_what_differs_looks_different(one: str, other: str, begin: int, end: int) -> None:
    sides = [f"{'x' * begin}{each}{'y' * end}" for each in (one, other)]
    made = lined(sides)
    assert (made[0] == made[1]) == (one == other)
    assert all(len(each) <= LONGEST and "\n" not in each for each in made)


def test_a_line_in_the_place_of_another_is_cut_as_values_are() -> None:
    lines = ["@@ -1 +1 @@", f"-{HEAD}a{TAIL}", f"-{HEAD}", f"+{HEAD}b{TAIL}"]
    head, one, alone, other = cut(lines)
    assert head == lines[0]
    assert other == one.replace("-", "+").replace("a", "b") != one
    assert alone == f"-{'h' * 158}…"
    assert {len(each) for each in (one, alone, other)} == {LONGEST}


def test_cells_have_what_goes_and_what_comes() -> None:
    assert told(LINES.before, LINES.after).cells() == (("line30 = 30",), ("line30 = x",))
    assert told("a\n", "a\nb\n").cells() == (("",), ("b",))
    assert told(NOTHING, CONF).cells() == (
        (NOTHING,),
        (*(f"line{i} = {i}" for i in range(6)), "and 54 more lines"),
    )


def test_a_long_value_in_each_report() -> None:
    review = of(LONG)
    one, other = lined((LONG.before, LONG.after))
    comment = changes.comment(review)
    assert f"| site main: spec.data | {one} | {other} |  |\n" in comment
    assert f"  - `spec.data` {one} → {other}\n" in comment
    assert f"- `spec.data` {one} → {other}, of 1: m: later\n" in comment
    said = text(review)
    assert f"    spec.data: {one} -> {other}\n" in said
    assert changed.fact(review.stacks[0].causes[1]) == f"spec.data {one} -> {other} of 1: m: later"
    assert "image.url: a" in re.sub(r"\s+(?=\S)", " ", said)
    made = page(of(Property("p", "x" * 2_000 + "a", "x" * 2_000 + "b")))
    assert ("x" * 20 + "a</span>" in made, "x" * 20 + "b</span>" in made) == (True, True)


def test_a_text_of_several_lines_in_each_report() -> None:
    comment = changes.comment(of(LINES))
    difference = ["@@ -29,5 +29,5 @@", " line28 = 28", " line29 = 29", "-line30 = 30", "+line30 = x"]
    for indent in ("  ", "    "):
        assert f"\n{indent}```diff\n" + "".join(f"{indent}{line}\n" for line in difference) in comment
    assert "\n  - `data.vsphere.conf`\n    ```diff\n" in comment
    assert "\n- `data.vsphere.conf`, of 1: m: later\n  ```diff\n" in comment
    assert "| site main: data.vsphere.conf | line30 = 30 | line30 = x |  |\n" in comment
    assert "line20" not in comment
    said = text(of(LINES))
    assert "    data.vsphere.conf:\n" + "".join(f"      {line}\n" for line in difference) in said
    made = page(of(LINES))
    assert '<td class="value">line30 = 30</td><td class="value">line30 = x</td>' in made
    assert made.count("<del>-line30 = 30</del><ins>+line30 = x</ins>") == 1


@pytest.mark.parametrize("before", [NOTHING, CONF.replace("line", "was")])
def test_of_a_text_that_is_new_a_few_lines_are_shown(before: str) -> None:
    comment = changes.comment(of(Property("p", before, CONF)))
    assert re.search(r"\n    ```\n    and \d+ lines more\n", comment)
    assert comment.count("```") == 4
    assert "line59" not in comment
