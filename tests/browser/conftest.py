"""A browser without a window, and pages in it that must stay quiet."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from isostack.assess.questions import inputs
from isostack.given import given
from isostack.report.html import changes
from isostack.report.html import page as report
from isostack.review import Review
from tests import pages, reviews
from tests.specs import ROOT
from tests.tools import folder

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHOUT = "no Chromium on PATH: the tests of the HTML report in a browser are skipped"

CHANGES: dict[str, Callable[[], Review]] = {
    "change": reviews.changing,
    "hostile-change": reviews.hostile,
    "many-changes": lambda: reviews.many(500),
    "no-change": reviews.nothing,
}
"""Pages of changes, by name."""

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        if "CI" in os.environ:
            pytest.fail(WITHOUT, pytrace=False)
        pytest.skip(WITHOUT)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports as files, by name."""
    made = {"shop": pages.shop, "hostile": pages.hostile, "many": lambda: pages.many(500), "renamed": pages.renamed}
    prices = given(ROOT / "docs/prices.yaml", inputs())
    where = tmp_path_factory.mktemp("reports")
    for name, make in made.items():
        (where / f"{name}.html").write_text(report(*make(), prices), "utf-8")
    for name, review in CHANGES.items():
        (where / f"{name}.html").write_text(changes.page(review()), "utf-8")
    return {name: where / f"{name}.html" for name in (*made, *CHANGES)}


@pytest.fixture
def open_page(browser: Browser, reports: dict[str, Path]) -> Iterator[Open]:
    """open_page(name, ...options of a browser context): the report, loaded. At the end of the test it fails where any
    page has said something on its console or asked for anything but itself."""
    contexts, said, asked, wanted = [], [], [], []

    def load(name: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        wanted.append(reports[name].as_uri())
        page.goto(wanted[-1])
        return page

    yield load
    for context in contexts:
        context.close()
    assert said == []
    assert asked == wanted


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    where = folder("axe", "no npm to install axe-core: the report's accessibility is not tested")
    return Path(where, "node_modules/axe-core/axe.min.js").read_text("utf-8")
