"""The comment's text: order, what is escaped, and that it is never too long nor cut where it makes no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.problems import Problem
from isostack.ci.body import Checked, comment, fits
from isostack.ci.touched import Touched

TOUCHED = Touched({"a-one": ("stacks/a.yaml",), "a-two": ("stacks/a.yaml",), "b": ("x", "y", "z", "w")}, ("old",))
CHECKED = Checked("### isostack check: ✅ nothing new", False, "mandatory", 0, (), "")
BLOCK = "<details><summary>s</summary>\n\n```\n<details>\n```\n<details>\ninner\n</details>\n\n</details>\n"


def written(checked: Checked | None = CHECKED, diff: str = "### change", limit: int = 60_000) -> str:
    return comment(TOUCHED, (), diff, checked, "since x", limit)


def test_the_order_is_verdict_stacks_change_findings() -> None:
    assert written(replace(CHECKED, kept=2, went=(("b", "some-rule", "a_b"), ("b", "other", "")))) == (
        "## isostack: ⚠️ nothing that blocks, and a stack file is deleted\n\n"
        "| stacks | touched by |\n|---|---|\n"
        "| a-one, a-two | <code>stacks/a.yaml</code> |\n"
        "| b | <code>x</code>, <code>y</code>, <code>z</code> and 1 more |\n\n"
        "**Stack file deleted:** <code>old</code>. Its machines stay until `pulumi destroy`, which needs the file.\n\n"
        "### change\n\n"
        "### isostack check: ✅ nothing new\n\n"
        "Not shown, since they were there before: 2.\n\n"
        "**Went with this change:**\n\n- <code>some-rule</code> <code>a&#95;b</code> b\n- <code>other</code> b\n\n"
        "<sub>since x</sub>\n"
    )


@pytest.mark.parametrize(
    ("checked", "verdict"),
    [
        (replace(CHECKED, fails=True), "❌ new mandatory findings"),
        (replace(CHECKED, fails=True, fail_on="advisory"), "❌ new findings"),
        (replace(CHECKED, fails=True, no_baseline="why"), "❌ mandatory findings"),
        (replace(CHECKED, unequal=True), "⚠️ nothing that blocks, and the targets are not equivalent"),
        (replace(CHECKED, new={"advisory": 2, "waived": 1}), "✅ nothing that blocks; new: 2 advisory, 1 waived"),
        (replace(CHECKED, new={"advisory": 2}, no_baseline="it is new"), "✅ nothing that blocks; 2 advisory"),
    ],
)
def test_verdicts(checked: Checked, verdict: str) -> None:
    first, *_ = comment(replace(TOUCHED, gone=()), (), "### change", checked, "since x", 60_000).splitlines()
    assert first == f"## isostack: {verdict}"


@pytest.mark.parametrize(
    ("stacks", "gone", "checked", "verdict"),
    [
        ("a", ("old",), CHECKED, "⚠️ nothing that blocks, and a stack file is deleted"),
        ("a", ("old",), replace(CHECKED, fails=True), "❌ new mandatory findings, and a stack file is deleted"),
        ("", ("old",), Checked.none("never"), "⚠️ a stack file is deleted"),
        (
            "",
            ("old", "older"),
            replace(Checked.none("never"), unequal=True),
            "⚠️ 2 stack files are deleted, and the targets are not equivalent",
        ),
    ],
)
def test_the_verdict_tells_of_deleted_stack_files(
    stacks: str, gone: tuple[str, ...], checked: Checked, verdict: str
) -> None:
    text = comment(Touched(dict.fromkeys(stacks, ("f",)), gone), (), "### change", checked, "since x", 60_000)
    assert text.splitlines()[0] == f"## isostack: {verdict}"
    assert f"{', '.join(f'<code>{name}</code>' for name in gone)}. Its machines stay until" in text
    assert ("| stacks | touched by |" in text, "### isostack check" in text) == (bool(stacks), bool(stacks))


def test_no_text_of_others_is_markup() -> None:
    faults = [Problem("`a` <img src=x> @team #1 | [l](u)\n## h")] * 21
    text = comment(TOUCHED, faults, "", None, "since x", 60_000)
    assert "❌ 21 faults: " in text
    line = "- <code>&#96;a&#96; &lt;img src=x&gt; &#64;team &#35;1 &#124; &#91;l&#93;(u) &#35;&#35; h</code>"
    assert text.count(line) == 20
    assert "- and 1 more: `isostack validate`" in text


@given(
    st.lists(st.sampled_from([BLOCK, "text\n", "| a |\n|---|\n| b |\n\n", "```\nx\n"]), max_size=40),
    st.integers(150, 900),
)
def test_a_cut_leaves_nothing_open(blocks: list[str], limit: int) -> None:
    whole = "\n".join(blocks)
    cut = fits(whole, limit)
    assert len(cut) <= limit
    if len(whole) <= limit:
        assert cut == whole
        return
    kept, _, _ = cut.partition("\n_Cut here")
    assert whole.startswith(kept)
    lines = kept.splitlines()
    assert sum(line.startswith("```") for line in lines) % 2 == 0
    outside, fenced = [], False
    for line in lines:
        fenced ^= line.startswith("```")
        outside += [] if fenced else [line]
    assert sum(line.startswith("<details>") for line in outside) == outside.count("</details>")


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(1500, 4000))
def test_the_whole_is_never_too_long_and_a_short_part_never_cut(first: int, second: int, limit: int) -> None:
    text = written(replace(CHECKED, markdown="line of it\n" * (second // 11)), "line\n" * (first // 5), limit)
    assert len(text) <= limit
    assert text.endswith("<sub>since x</sub>\n")
    if second < 300:
        assert text.count("line of it") == second // 11


def test_an_unclosed_fence_of_tildes_and_more_backticks() -> None:
    text = "a\n````\n```\n````\nb\n~~~\n```\n~~~\n" + "c\n" * 200
    assert fits(text, 200).startswith("a\n````\n```\n````\nb\n~~~\n```\n~~~\nc\n")
