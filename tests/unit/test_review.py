"""What the reports of changes say: a comment within the platform's limit, and text for terminals."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from components import facts
from isostack.changes import Cause, FileChange, Kind, Property, Row, StackChange
from isostack.preview.model import Preview
from isostack.report import changed, changes, changetext
from isostack.report.html.changes import page
from isostack.report.markdown import LIMIT
from isostack.review import Review, review, with_texts
from tests.examples import previews

COUNTS = {"before": 1, "after": 1}
SPECS = {each.stack: "edge" for each in previews("edge")}


def digested(preview: Preview, digest: str) -> Preview:
    """With another /etc/crictl.yaml in all user data."""

    def file(inputs: dict[str, object]) -> dict[str, object]:
        told = inputs["facts"]
        assert isinstance(told, dict)
        files = {**told["userData"]["files"], "/etc/crictl.yaml": digest}
        return {"facts": {**told, "userData": {**told["userData"], "files": files}}}

    return replace(
        preview,
        resources=tuple(
            replace(each, inputs=file(dict(each.inputs))) if each.type == facts.MACHINE else each
            for each in preview.resources
        ),
    )


def text(of: Review) -> str:
    out = Console(file=StringIO(), width=200, highlight=False)
    changetext.changes(out, of)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def test_both_stacks_in_the_same_words_are_told_once() -> None:
    found = review(previews("edge"), [digested(each, "0" * 12) for each in previews("edge")], SPECS, "main")
    wanted = found.machines_to_render()
    assert set(wanted) == set(SPECS)
    names = {name for each in wanted.values() for name in each}
    told = with_texts(
        found,
        {stack: {name: {"/etc/crictl.yaml": f"name: {name}\nold: 1\n"} for name in names} for stack in SPECS},
        {stack: {name: {"/etc/crictl.yaml": f"name: {name}\nnew: 1\n"} for name in names} for stack in SPECS},
    )
    for stack in told.stacks:
        (file,) = stack.files
        assert (len(file.names), file.gone, file.come) == (stack.counts["after"], ("old:",), ("new:",))
        assert file.text == "@@ -1,2 +1,2 @@\n name: NODE\n-old: 1\n+new: 1"
    comment = changes.comment(told)
    assert comment.count("```diff\n@@ -1,2 +1,2 @@\n name: NODE\n-old: 1\n+new: 1\n```\n") == 1
    assert "- ⚠️ **edge**: equivalent with 1 degradation, as before\n" in comment
    said = text(told)
    assert said.count("User data /etc/crictl.yaml") == 1
    assert "left alone: what changes counts at the next birth only" in said
    # One side that cannot render: the digests alone.
    dumb = with_texts(found, {}, {})
    assert [file.text for stack in dumb.stacks for file in stack.files] == ["", ""]
    assert "Its text cannot be told: one of the two revisions does not render it." in changes.comment(dumb)


def test_the_text_of_user_data_is_not_in_a_state() -> None:
    """Where a preview of a revision has it, and one of the two may not render it."""
    before, after = [replace(each, origin="state.json") for each in previews("edge")], previews("edge")
    for found, said, other in (
        (review(before, [digested(e, "0" * 12) for e in after], SPECS, "x"), changed.NO_TEXT_OF_STATE, changed.NO_TEXT),
        (review(after, [digested(e, "0" * 12) for e in after], SPECS, "x"), changed.NO_TEXT, changed.NO_TEXT_OF_STATE),
    ):
        for report in (changes.comment(found), text(found), page(found)):
            assert said[1:] in report
            assert other[1:] not in report


def test_what_is_destroyed_comes_before_what_was_asked() -> None:
    """And a long table leaves room for what comes after it."""
    causes = tuple(Cause("spec", f"f{i}", "x" * 500, "y" * 500, "z" * 200) for i in range(900))
    row = Row(Kind.DELETED, facts.MACHINE, ("m",), "drained, taken out of the cluster, deleted")
    files = (FileChange("/etc/x", Kind.CHANGED, ("n",), "later", text="@@ -1 +1 @@\n-a\n+b"),)
    rows = (replace(row, type="a:b:C"),)
    stack = StackChange("s", Kind.CHANGED, causes, (row,), rows, files, {"before": 2, "after": 1})
    found = Review("main", (), (stack,), {})
    for report in (changes.comment(found), text(found), page(found)):
        wanted = ("m: drained, taken out of", "What changes" if "<html" not in report else ">What changes</h2>", "+b")
        places = [report.index(each) for each in wanted]
        assert places == sorted(places)
    comment = changes.comment(found)
    assert "| f39 |" in comment
    assert "\nand 860 rows more: `isostack diff` with --format json has all\n\n<details>" in comment
    assert "more parts" not in comment
    few = changes.comment(replace(found, stacks=(replace(stack, causes=causes[:40]),)))
    assert "rows more" not in few
    wide = tuple(replace(each, meaning="z" * 5_000) for each in causes)
    assert "\nand 896 rows more: " in changes.comment(replace(found, stacks=(replace(stack, causes=wide),)))


def test_machines_that_find_no_room_are_counted() -> None:
    rows = [Row(Kind.REPLACED, facts.MACHINE, (f"m{i}",), f"with a new address: {i}") for i in range(900)]
    rows = [*rows, Row(Kind.DELETED, facts.MACHINE, ("gone",), "deleted")]
    stack = StackChange("s", Kind.CHANGED, (), tuple(rows), (), (), {"before": 901, "after": 900})
    comment = changes.comment(Review("main", (), (stack,), {}))
    assert "**Machines**\n\n- ➖ 1 machine: gone: deleted\n- ♻️ 1 machine: m0: " in comment
    shown = comment.count("- ♻️ ")
    assert 100 < shown < 900
    assert comment.endswith(f"\n- and {900 - shown} more: `isostack diff` with --format json has all\n\n")


def test_that_no_machine_is_touched_is_said_alike() -> None:
    for meaning, said in (
        ("", "no machine is touched"),
        ("looked up", "no machine is touched, as far as is seen here"),
    ):
        stack = StackChange("s", Kind.CHANGED, (Cause("config", "a", "b", "c", meaning),), counts=COUNTS)
        found = Review("main", (), (stack,), {})
        assert changed.untouched(found.stacks) == said
        assert f"**{said.capitalize()}.**\n" in changes.comment(found)
        assert f"\n{said}\n" in text(found)
        assert f"<p>{said}</p>" in page(found)
    none = Review("main", (), (StackChange("s", None, counts=COUNTS),), {})
    for report in (changes.comment(none), text(none), page(none)):
        assert "machine is touched" not in report


def test_degradations_that_come_and_go() -> None:
    def degraded(preview: Preview) -> Preview:
        (cluster,) = preview.of_type(facts.CLUSTER)
        told = cluster.inputs["facts"]
        first, *others = told["realisations"]
        ways = [{**first, "grade": "degraded", "mechanism": "less", "reason": "so"}, *others]
        new = replace(cluster, inputs={"facts": {**told, "realisations": ways}})
        return replace(preview, resources=tuple(new if r is cluster else r for r in preview.resources))

    before, after = list(previews("edge")), [degraded(each) for each in previews("edge")]
    found = review(before, after, SPECS, "main")
    assert "**edge**: equivalent with 2 degradations (before: equivalent with 1 degradation)" in changes.comment(found)
    assert "  - new trade-off: `name` on edge-tinkerbell, edge-vsphere: degraded: less; so\n" in changes.comment(found)
    back = review(after, before, SPECS, "main")
    assert "trade-off gone: name on edge-tinkerbell, edge-vsphere: degraded: less; so\n" in text(back)
    assert found.equivalent


def test_facts_of_another_version_have_no_verdict() -> None:
    before = [
        replace(
            each,
            resources=tuple(
                replace(r, inputs={"facts": {**r.inputs["facts"], "version": 0}}) if r.type == facts.CLUSTER else r
                for r in each.resources
            ),
        )
        for each in previews("edge")
    ]
    found = review(before, previews("edge"), SPECS, "main")
    assert found.verdicts[0].before is None
    assert "(before: no stack that can be judged)" in changes.comment(found)


def test_a_comment_stays_within_the_limit() -> None:
    many = [Property(f"p{i}", "x" * 500, "y" * 500) for i in range(40)]
    rows = tuple(
        Row(Kind.CHANGED, "a:b:C", (f"r{i}",), "in place", (*many, Property(str(i), "", ""))) for i in range(500)
    )
    files = tuple(
        FileChange(f"/etc/{i}", Kind.CHANGED, ("m",), "", text="\n".join(["+" + "z" * 90] * 200)) for i in range(50)
    )
    causes = tuple(Cause("spec", f"f{i}", "a|b", "`c`") for i in range(20))
    stack = StackChange("s", Kind.CHANGED, causes, (), rows, files, {"before": 1, "after": 1})
    comment = changes.comment(Review("main", (), (stack,), {}))
    assert len(comment) <= LIMIT
    assert "| f19 | a\\|b | \\`c\\` |" in comment
    assert "\n- and 495 more\n" in comment
    assert "…" in comment
    assert comment.endswith(" more parts: `isostack diff` with --format json has all\n")
    assert comment.count("<details>") == comment.count("</details>")
