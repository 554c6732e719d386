"""What is behind rules and claims, and that their pages are fresh."""

from __future__ import annotations

import re

import pytest

from components.rules import BOTH, Rule
from isostack import answerdoc, policydocs
from isostack.assess.questions import questions
from isostack.explaining import explanation
from policies import catalogue
from policies.claims import CLAIMS, Claim
from tests.cli import Run
from tests.specs import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("rule", catalogue.rules().values(), ids=lambda rule: rule.id)
def test_a_rule_is_explained(rule: Rule) -> None:
    text = explanation(rule.id)
    flat = " ".join(text.split())
    for part in (rule.title, rule.why, rule.remediation, *(str(each) for each in rule.evidence)):
        assert " ".join(part.split()) in flat
    assert f"{{rule: {rule.id}, reason:" in text
    assert max(map(len, text.splitlines())) <= 140


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"claim-{claim.number}")
def test_each_claim_is_put_to_the_test_on_each_target(claim: Claim) -> None:
    number = claim.number
    rules = [rule for rule in catalogue.rules().values() if number in rule.claims]
    assert frozenset[str]().union(*(rule.machines for rule in rules)) == BOTH
    for name in (str(number), f"claim-{number}", f"claim{number}"):
        assert all(rule.id in explanation(name) for rule in rules)


def test_packs_and_rules_are_enough() -> None:
    names = "isolation snapshots drs recovery capacity storage network fleet operations lifecycle"
    assert catalogue.packs().keys() >= set(names.split())
    own = {pack: len(rules) - 1 for pack, rules in catalogue.packs().items()}  # less that of its waivers
    assert min(own.values()) >= 3
    assert sum(own.values()) >= 45


def test_a_field_is_explained() -> None:
    for name in ("pools[].tenant", "pools.tenant", "pools[0].tenant", "pools.web.tenant"):
        text = explanation(name)
        assert "The one tenant whose pods may run here" in text
        assert "iso-" in text


def test_everything_is_listed() -> None:
    text = Run(ROOT, "explain").out
    for name in (*catalogue.packs(), *catalogue.rules(), *(f"claim-{each.number}" for each in CLAIMS), *questions()):
        assert re.search(rf"^ *{name}\b", text, re.MULTILINE)


def test_nothing_has_that_name() -> None:
    run = Run(ROOT, "explain", "drs-valu")
    assert (run.code, run.err) == (
        2,
        "error: no rule, claim, field, question, input or kind of snapshot 'drs-valu'; did you mean 'drs-value'?\n",
    )
    assert Run(ROOT, "explain", "14").code == 2


def test_pages_are_fresh() -> None:
    here = {path.stem for path in (DOCS / "policies").glob("*.md")}
    assert here == set(policydocs.pages()), "scripts/generate writes pages; take away those of packs that are gone"
    for name in policydocs.pages():
        assert (DOCS / f"policies/{name}.md").read_text("utf-8") == f"{policydocs.page(name)}\n", "run scripts/generate"
    assert (DOCS / "claims.md").read_text("utf-8") == f"{policydocs.page('claims')}\n", "run scripts/generate"


def test_the_answer_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert (DOCS / "answer.md").read_text("utf-8") == f"{answerdoc.page()}\n", "run scripts/generate"
