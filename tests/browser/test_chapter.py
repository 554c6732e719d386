"""The chapter 'On VMs or on metal?' in a browser: plots that can be read at any width, in the dark, on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.test_html import PHONE

PLOTS = ["recovery", "balance", "cost"]
OUTSIDE = """() => [...document.querySelectorAll(".plot svg")].flatMap((svg) => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text, rect, circle, polyline")].filter((each) => {
        const box = each.getBoundingClientRect();
        return box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 4
            || box.bottom > frame.bottom + 4;
    }).map((each) => each.textContent || each.outerHTML);
})"""
OVERLAPPING = """() => [...document.querySelectorAll(".plot svg")].flatMap((svg) => {
    const boxes = [...svg.querySelectorAll("text")].map((each) => [each.textContent, each.getBoundingClientRect()]);
    return boxes.flatMap(([a, one], i) => boxes.slice(i + 1).filter(([_, other]) =>
        one.left < other.right - 1 && other.left < one.right - 1
            && one.top < other.bottom - 3 && other.top < one.bottom - 3
    ).map(([b]) => `${a} / ${b}`));
})"""


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", ["shop", "renamed", "many"])
def test_all_of_a_plot_is_inside_of_it_and_no_text_lies_on_another(
    open_page: Open, name: str, size: dict[str, int]
) -> None:
    page = open_page(name, viewport=size)
    assert page.locator(".plot svg").count() >= len(PLOTS)
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(OVERLAPPING) == []


def test_plots_have_a_name_and_their_numbers(open_page: Open) -> None:
    page = open_page("shop")
    for name in PLOTS:
        figure = page.locator(f"#plot-{name}")
        heading = figure.get_by_role("heading")
        expect(figure.get_by_role("img", name=heading.text_content() or "?")).to_be_visible()
        expect(figure.get_by_role("table")).to_be_hidden()
        figure.get_by_text("the numbers").click()
        expect(figure.get_by_role("table")).to_be_visible()


def colours(page: Page, selector: str, what: str) -> set[str]:
    read = "(all, what) => all.map((each) => getComputedStyle(each)[what])"
    return set(page.locator(selector).evaluate_all(read, what))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colour_is_not_all_that_tells_things_apart(open_page: Open, scheme: str) -> None:
    page = open_page("shop", color_scheme=scheme)
    assert colours(page, "#plot-cost polyline", "strokeDasharray") == {"none", "6px, 3px"}
    for key in page.locator("#plot-recovery .legend li").all():
        letter = key.locator(".swatch").text_content() or "?"
        assert len(letter) == 1
        assert page.locator("#plot-recovery svg text", has_text=letter).count() > 0
    assert page.locator("#plot-balance svg circle").count() > 0
    assert page.locator("#plot-balance svg rect.mark").count() > 0
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back not in colours(page, ".plot polyline", "stroke") | colours(page, ".plot text", "fill")


def test_on_paper_plots_are_there_with_their_numbers(open_page: Open) -> None:
    page = open_page("shop", color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for name in PLOTS:
        expect(page.locator(f"#plot-{name} svg")).to_be_visible()
        expect(page.locator(f"#plot-{name} table")).to_be_visible()


def test_the_numbers_are_there_without_scripts(open_page: Open) -> None:
    page = open_page("shop", java_script_enabled=False)
    page.locator("#plot-recovery summary").click()
    expect(page.locator("#plot-recovery td", has_text="722 s, by fencing")).to_be_visible()
