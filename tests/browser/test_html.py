"""The HTML report as a browser shows it: filters, keyboard, accessibility, no network, phone, paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from isostack.evidence import cluster_facts
from tests.browser.conftest import CHANGES, Open
from tests.examples import previews

PHONE = {"width": 390, "height": 844}
FIELDS = len(cluster_facts(previews("shop")[0]).realisations)
"""Of the example's spec."""


def shown(page: Page) -> list[str]:
    """Fields in the table of parity that are shown or folded, not filtered away."""
    return [text.strip() for text in page.locator(".wishes tbody:not([hidden]) th code").all_text_contents()]


def rows(page: Page) -> Any:
    return page.locator(".wishes tbody:not([hidden]) tr:not([hidden])")


def test_what_comes_true_in_part_is_shown_first(open_page: Open) -> None:
    page = open_page("shop")
    assert shown(page) == [
        "zones",
        "pools.web.zones",
        "pools.db.zones",
        "pools.partner.zones",
        "pools.db.size.disk",
        "availability.remediation",
    ]
    expect(page.locator("#f-count")).to_have_text(f"6 of {FIELDS} fields")
    # Beside it, what the other targets make of it.
    assert set(rows(page).locator(".tag").all_text_contents()) == {"shop-equinix", "shop-tinkerbell", "shop-vsphere"}
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == FIELDS
    expect(page.locator("#f-count")).to_have_text(f"{FIELDS} of {FIELDS} fields")


def test_filters_narrow_together(open_page: Open) -> None:
    page = open_page("shop")
    text, grade, stack = (page.locator(f"#f-{name}") for name in ("text", "grade", "stack"))
    grade.select_option("degraded")
    assert rows(page).locator(".chip").all_text_contents() == ["degraded"] * 3
    stack.select_option(label="shop-vsphere")
    assert shown(page) == []
    expect(page.get_by_text("No field is like that.")).to_be_visible()
    grade.select_option("equal")
    assert "availability.remediation" in shown(page)
    # Each row that is left has its field beside it, also where the first of its group is filtered away.
    headed = page.locator(".wishes tbody:not([hidden])")
    assert headed.locator("tr:not([hidden]) > th").count() == headed.count()
    text.fill("FENCE_vmware uuid")
    assert shown(page) == ["availability.remediation"]
    expect(rows(page)).to_have_count(1)
    text.fill("nothing of the kind")
    expect(page.locator("#f-count")).to_have_text(f"0 of {FIELDS} fields")
    page.get_by_role("button", name="Show all").click()
    assert len(shown(page)) == FIELDS


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))


def to_first_picture(page: Page) -> None:
    """With the keyboard alone, from the top of the page."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('role')") == "option":
            return
    pytest.fail("Tab does not reach a picture")


def test_the_keyboard_reaches_every_machine_and_shows_its_facts(open_page: Open) -> None:
    page = open_page("shop")
    to_first_picture(page)
    assert focused(page) == "cp-0, shop-control-plane-0"
    reached = []
    for _ in range(14):
        reached.append(focused(page))
        described = page.evaluate(
            "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent"
        )
        assert described.startswith(reached[-1].split(", ")[-1])
        page.keyboard.press("ArrowRight")
    assert len(set(reached)) == 14
    page.keyboard.press("Home")
    assert focused(page) == reached[0]
    page.keyboard.press("End")
    assert focused(page) == reached[-1]
    page.keyboard.press("Tab")
    assert focused(page) == "cp-0, shop-control-plane-0 on fra1-r07-cp01"
    page.keyboard.press("Tab")
    assert focused(page) == "cp-0, shop-control-plane-0 on esx01.fra1.example.com"
    page.keyboard.press("ArrowDown")
    facts = [" ".join(text.split()) for text in page.locator(".facts").all_inner_texts()]
    name = focused(page).split(" on ")[0]
    assert [text.startswith(f"{name} ") for text in facts] == [True] * 3
    assert "host of the provider's choice" in facts[0]
    assert "m32" in facts[1]
    assert "as asked" in facts[2]
    expect(page.locator("svg [aria-selected=true]")).to_have_count(3)


def test_a_pointer_shows_the_same_machine_on_every_target(open_page: Open) -> None:
    page = open_page("shop")
    page.locator("svg").nth(2).get_by_role("option", name="shop-db-2 on").hover()
    for panel in page.locator(".facts").all():
        expect(panel).to_contain_text("shop-db-2")
    marked = page.locator("svg [aria-selected=true]").evaluate_all("all => all.map(each => each.dataset.m)")
    assert len(marked) == 3
    assert len(set(marked)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", ["shop", "hostile", "renamed", "change", "hostile-change", "no-change"])
def test_axe_finds_nothing(open_page: Open, axe: str, name: str, size: dict[str, int], scheme: str) -> None:
    page = open_page(name, viewport=size, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(page, axe) == []


def test_axe_is_awake(open_page: Open, axe: str) -> None:
    page = open_page("shop")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    page.locator(".lead").first.evaluate("each => each.style.color = '#ccc'")
    assert [each.split(":")[0] for each in violations(page, axe)] == ["color-contrast", "html-has-lang"]


def violations(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    return [f"{each['id']}: {[node['html'][:200] for node in each['nodes'][:3]]}" for each in found]


@pytest.mark.parametrize("name", ["shop", "hostile", "many", "renamed", *CHANGES])
@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_screen(open_page: Open, tmp_path: Path, name: str, size: dict[str, int]) -> None:
    page = open_page(name, viewport=size)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    file = tmp_path / f"{name}.png"
    page.screenshot(path=file, full_page=True)
    width = int.from_bytes(file.read_bytes()[16:20], "big")
    assert width == size["width"]


def test_hostile_names_do_nothing(open_page: Open) -> None:
    page = open_page("hostile")
    assert page.title().startswith("shop on ")
    page.locator("svg [data-m]").first.hover()
    expect(page.locator(".facts").first).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("name", ["shop", "change"])
def test_nothing_can_be_loaded_even_by_what_slips_in(browser: Browser, reports: dict[str, Path], name: str) -> None:
    """Its own policy forbids it. In a context of its own, since the browser says so on the console."""
    page = browser.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.goto(reports[name].as_uri())
    page.evaluate(
        """() => {
            for (const tag of ["img", "script", "iframe"])
                document.body.append(Object.assign(document.createElement(tag), {src: "http://127.0.0.1:9/x"}));
            const script = document.createElement("script");
            document.body.append(Object.assign(script, {textContent: "document.title = 'taken'"}));
        }"""
    )
    page.wait_for_timeout(200)
    page.close()
    assert len([text for text in said if "Content Security Policy" in text]) == 4
    assert asked == [reports[name].as_uri()]


def test_without_scripts_everything_is_there(open_page: Open) -> None:
    page = open_page("shop", java_script_enabled=False)
    expect(page.get_by_role("search")).to_have_count(0)
    expect(page.locator(".wishes tbody")).to_have_count(48)
    assert all(body.is_visible() for body in page.locator(".wishes tbody").all())
    expect(page.locator("html")).not_to_have_class("script")


def test_on_paper_what_is_folded_is_open_and_nothing_is_to_be_clicked(open_page: Open) -> None:
    page = open_page("shop", color_scheme="dark")
    folded = page.locator("details:not([open])").count()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("details:not([open])")).to_have_count(1)  # the list of all machines
    for part in ("nav", ".filters", ".facts"):
        assert not page.locator(part).first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("details:not([open])")).to_have_count(folded)


def test_many_machines_can_be_used(open_page: Open) -> None:
    page = open_page("many")
    to_first_picture(page)
    page.keyboard.press("End")
    expect(page.locator(".facts").nth(1)).to_contain_text("zone c")
    page.keyboard.press("Tab")
    assert focused(page).startswith("shop-control-plane-0")
    page.locator("#f-text").fill("oidc")
    expect(page.locator("#f-none")).to_be_visible()
