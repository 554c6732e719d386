"""The page of a change as a browser shows it: by keyboard, on a phone, on paper, without scripts, without colours."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CHANGES, Open
from tests.browser.test_chapter import colours
from tests.browser.test_html import PHONE

CUT_OFF = """() => [...document.querySelectorAll("main li, main p, main pre, main pre > *")].filter((each) =>
    each.scrollWidth > each.clientWidth + 1 || each.getBoundingClientRect().right > innerWidth
).map((each) => each.textContent.slice(0, 80))"""


def opened(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


@pytest.mark.parametrize("name", CHANGES)
def test_on_a_phone_no_sentence_is_cut_off(open_page: Open, name: str) -> None:
    page = open_page(name, viewport=PHONE)
    opened(page)
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_keyboard_reaches_what_is_folded_and_the_stacks(open_page: Open) -> None:
    page = open_page("change")
    focused = "document.activeElement.textContent.trim()"
    reached: list[str] = []
    while len(reached) < 200:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached.append(str(page.evaluate(focused)))
        if reached[-1] == "all 14" and not page.locator("details[open]").count():
            page.keyboard.press("Enter")
    assert reached[0] == "Skip to the report"
    assert reached[1:6] == ["Verdict", "What changes", "shop-equinix", "shop-tinkerbell", "shop-vsphere"]
    expect(page.locator("details[open]")).to_have_count(1)
    expect(page.locator("details[open]")).to_contain_text("shop-partner-1")
    assert reached.count("all 14") >= 2
    page.get_by_role("link", name="shop-vsphere").first.click()
    expect(page.get_by_role("heading", name="shop-vsphere")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_that_went_and_came_differ_in_sign_and_colour(open_page: Open, scheme: str) -> None:
    page = open_page("change", color_scheme=scheme)
    for tag, sign in (("del", "-"), ("ins", "+")):
        texts = page.locator(f".diff {tag}").all_text_contents()
        assert texts
        assert {text[0] for text in texts} == {sign}
    assert not colours(page, ".diff del", "backgroundColor") & colours(page, ".diff ins", "backgroundColor")
    chips = page.locator(".rows .chip").all_text_contents()
    assert {"deleted", "built anew"} < set(chips)


def test_on_paper_all_is_there_and_nothing_is_to_be_clicked(open_page: Open) -> None:
    page = open_page("change", color_scheme="dark")
    folded = page.locator("details:not([open])").count()
    assert folded > 0
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details:not([open])")).to_have_count(0)
    expect(page.locator("nav")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("details:not([open])")).to_have_count(folded)


def test_without_scripts_all_can_be_opened(open_page: Open) -> None:
    page = open_page("change", java_script_enabled=False)
    names = page.locator("#verdict details").first
    expect(names.get_by_text("shop-partner-1")).to_be_hidden()
    names.locator("summary").click()
    expect(names.get_by_text("shop-partner-1")).to_be_visible()


def test_hostile_words_do_nothing(open_page: Open) -> None:
    page = open_page("hostile-change")
    opened(page)
    assert page.title().startswith("shop ")
    assert page.locator("img").count() == 0
    expect(page.locator("h1")).to_contain_text("<img src=x")
