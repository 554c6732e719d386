"""The chapter 'On VMs or on metal?' of the HTML report: its numbers are the assessment's, and it breaks no page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from subprocess import run

import pytest

from components import facts
from isostack.assess.answers import Answer
from isostack.assess.case import Case
from isostack.assess.questions import inputs
from isostack.assess.uncertainty import usual
from isostack.assessment import Assessment, assess, planned_cases
from isostack.comparison import Comparison, compare
from isostack.evidence import cluster_facts, machine_facts
from isostack.finding import Judgement
from isostack.given import given
from isostack.inputs import plan_all, stacks_of
from isostack.preview import Preview
from isostack.preview.model import Resource
from isostack.report import assessed, kept
from isostack.report.html import page
from isostack.report.html.chapter import Chapter, chapter
from isostack.report.html.plots import WIDTH, Plot
from isostack.report.html.tables import sites
from isostack.saved import read_saved
from isostack.stacks import find_project
from tests import pages
from tests.cli import ENVIRONMENT, Run
from tests.examples import previews
from tests.saved import export, written
from tests.specs import ROOT
from tests.unit.test_html import read, shop

PRICED = given(ROOT / "docs/prices.yaml", inputs())
VALUES = usual(list(PRICED.values()))
SPECS = ("shop", "edge")


@cache
def cases(spec: str) -> list[Case]:
    return [Case.of_facts(p.label, cluster_facts(p), sites(p), machine_facts(p)) for p in previews(spec)]


@cache
def result(spec: str) -> Assessment:
    return assess(cases(spec), PRICED)


@cache
def made(spec: str) -> Chapter:
    return chapter(previews(spec), PRICED)


def answer(spec: str, question: str) -> Answer:
    return next(each for each in result(spec).answers if each.question == question)


def plots(spec: str) -> dict[str, Plot]:
    return {plot.id: plot for plot in made(spec).plots}


@pytest.mark.parametrize("spec", SPECS)
def test_previews_give_the_answers_of_plans(spec: str) -> None:
    planned = assess(planned_cases(plan_all(stacks_of(find_project(ROOT), spec)[0])), PRICED)
    assert result(spec) == planned


@pytest.mark.parametrize("spec", SPECS)
def test_the_words_are_those_of_assess(spec: str) -> None:
    found, asked = made(spec), result(spec)
    assert found.headline == assessed.sentence(assessed.headline(asked))
    assert found.sides == assessed.sides(asked)
    assert found.sections == tuple(assessed.sections(asked))
    listed = [(row.question, row.title, row.unit, *row.cells, row.ahead) for row in found.rows]
    assert listed == list(assessed.rows(asked))
    text = "".join(read(page(*compared(previews(spec)), PRICED)).words)
    tables = [cell for table in found.behind for row in (table.head, *table.rows) for cell in row]
    assert {table.title for table in found.behind} >= {kept.HERE, kept.ANY, kept.WHY}
    for words in (found.headline, found.sides, *(line for _, lines in found.sections for line in lines), *tables):
        assert words in text


def compared(stacks: Sequence[Preview]) -> tuple[Comparison, Sequence[Preview]]:
    return compare(stacks, (), {stack.label: Judgement() for stack in stacks}), stacks


def test_without_prices_it_says_how_to_give_them() -> None:
    found = chapter(previews("edge"))
    assert "cost" not in {plot.id for plot in found.plots}
    assert "--inputs PRICES" in found.no_cost
    assert found.no_cost in "".join(read(page(*compared(previews("edge")))).words)
    assert made("edge").no_cost == ""
    (alone, *_) = previews("shop")
    assert chapter([alone], PRICED).no_cost == (
        "Cost is not drawn: the hosts of shop-equinix are a provider's, or not known."
    )


@pytest.mark.parametrize("spec", SPECS)
def test_every_plot_has_words_and_numbers(spec: str) -> None:
    document = read(page(*compared(previews(spec)), PRICED))
    drawings = [a for a in document.all("svg") if a["role"] == "img"]
    assert len(drawings) == len(made(spec).plots) >= 4
    ids = {a["id"] for name, a in document.elements if name in ("title", "desc") and "id" in a}
    assert all(set(drawing["aria-labelledby"].split()) <= ids for drawing in drawings)
    assert all(float(n) >= 0 for _, a in document.elements for n in (a.get("width", "0"), a.get("height", "0")))
    for plot in made(spec).plots:
        assert plot.said
        assert plot.table.rows
        assert {len(row) for row in plot.table.rows} == {len(plot.table.head)}
        for text in plot.texts:
            width = len(text.text) * 5.4
            left = text.x - {"start": 0, "middle": width / 2, "end": width}[text.anchor]
            assert left >= -1, text
            assert left + width <= WIDTH + 1, text
            assert 0 < text.y <= plot.height


def test_nothing_in_it_is_loaded_or_styled_inline() -> None:
    document = read(page(*pages.shop(), PRICED))
    assert not [a for _, a in document.elements if {"style", "src", "srcset"} & set(a)]


def test_hostile_names_stay_text_in_plots() -> None:
    known = {**PRICED, "recovery.boot": PRICED["recovery.boot"].given(60, 30, 180, pages.HOSTILE)}
    document, sound = read(page(*pages.renamed(), known)), read(page(*pages.shop(), PRICED))
    assert {tag for tag, _ in document.elements} <= {tag for tag, _ in sound.elements}
    assert {name for _, a in document.elements for name in a} <= {name for _, a in sound.elements for name in a}
    for tag in ("svg", "polyline", "script"):
        assert len(document.all(tag)) == len(sound.all(tag)) > 0
    assert "given in </script>" in "".join(document.words)


def without(kind: str, keep: Callable[[Resource], bool]) -> list[Preview]:
    return [
        replace(each, resources=tuple(r for r in each.resources if r.type != kind or keep(r)))
        for each in previews("shop")
    ]


def changed(kind: str, change: Callable[[Mapping[str, object]], object]) -> list[Preview]:
    return [
        replace(
            each,
            resources=tuple(
                replace(r, inputs={"facts": change(r.inputs["facts"])}) if r.type == kind else r for r in each.resources
            ),
        )
        for each in previews("shop")
    ]


def dead(site: Mapping[str, object]) -> Mapping[str, object]:
    hosts = site["hosts"]
    assert isinstance(hosts, list)
    return {**site, "hosts": [{**host, "usableCpus": 0} for host in hosts]}


@pytest.mark.parametrize(
    ("stacks", "why"),
    [
        ([*previews("shop")[:1], *previews("edge")[:1]], "the stacks are not of one spec"),
        (without(facts.SITE, lambda _: False), "shop-equinix has 0 sites"),
        (without(facts.MACHINE, lambda _: False), "shop-equinix shows no machine of pool web"),
        (without(facts.MACHINE, lambda r: "-db-" not in str(r.name)), "shop-equinix shows no machine of pool db"),
        (changed(facts.SITE, dead), "shop-tinkerbell has a host without CPUs or memory"),
    ],
    ids=["specs", "sites", "machines", "pool", "host"],
)
def test_where_it_is_not_there_it_says_why(stacks: list[Preview], why: str) -> None:
    found = chapter(stacks, PRICED)
    assert found.absent.startswith(why)
    assert (found.plots, found.rows) == ((), ())
    document = read(page(*compared(stacks)))
    assert f"Not answered here: {found.absent}." in "".join(document.words)
    assert not [a for a in document.all("svg") if a["role"] == "img"]


def test_one_kind_alone_is_shown_and_weighed_against_nothing() -> None:
    (alone, *_) = previews("shop")
    found = chapter([alone])
    assert found.headline.startswith("Nothing to weigh: ")
    assert [plot.id for plot in found.plots] == ["recovery", "balance"]


def test_a_saved_preview_gives_the_same_chapter(tmp_path: Path) -> None:
    saved = [read_saved(written(tmp_path, export(each), f"{each.stack}.json")) for each in previews("edge")]
    found, asked = chapter(saved, PRICED), made("edge")
    assert [row.cells for row in found.rows] == [row.cells for row in asked.rows]
    assert [plot.bars for plot in found.plots] == [plot.bars for plot in asked.plots]


def test_inputs_are_for_the_page_alone(tmp_path: Path) -> None:
    """Told before anything is looked up: there is no project here."""
    told = Run(tmp_path, "compare", "nothing", "--inputs", "prices.yaml")
    assert (told.code, told.out) == (2, "")
    assert "--inputs is for the chapter of the HTML report, and there is no --html; add --html FILE" in told.err
    (tmp_path / "prices.yaml").write_text("cost.kw: 1\n")
    told = Run(tmp_path, "compare", "nothing", "--html", "report.html", "--inputs", "prices.yaml")
    assert (told.code, told.out) == (2, "")
    assert "did you mean 'cost.kwh'?" in told.err
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("html", [False, True], ids=["text", "html"])
def test_who_asks_for_no_page_does_not_wait_for_numpy(tmp_path: Path, html: bool) -> None:
    report = tmp_path / "report.html"
    asked = ["compare", "edge", *(["--html", str(report), "--inputs", "docs/prices.yaml"] if html else [])]
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('numpy' in sys.modules, file=sys.stderr))\n"
        f"from isostack.cli import app\napp({asked!r})\n"
    )
    done = run([sys.executable, "-c", program], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, str(html))
    assert report.exists() == html
    if html:
        assert 'id="plot-cost"' in report.read_text("utf-8")


def test_the_shop_s_page_has_the_chapter() -> None:
    assert '<h2 id="h-assessment">On VMs or on metal?</h2>' in shop()
    assert 'id="plot-recovery"' in shop()
