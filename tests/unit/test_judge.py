"""Levels, parameters and waivers of a stack's config: what they do to what rules say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from components.rules import Evidence, Level, Param, Params, Rule, Stack, Undecided, Violation
from components.waivers import PolicySettings
from policies.judge import Told, Verdict, judge, not_applicable
from tests.policy_stacks import metal, virtual
from tests.specs import rich

TODAY = date(2026, 11, 28)
WHY = (Evidence("assumption", "s"),)


def two(stack: Stack, params: Params) -> Iterator[Violation]:
    yield Violation("pools.web", f"at {params['limit']:g}", ("shop-web-0", "shop-web-1"))
    yield Violation("pools.db", "one", ("shop-db-0",))


def unknown(stack: Stack, params: Params) -> Iterator[Violation]:
    yield from ()
    raise Undecided("a of b is known only after `pulumi up`")


def breaks(stack: Stack, params: Params) -> Iterator[Violation]:
    yield from ()
    raise LookupError("no such thing")


def rule(id: str, check: Any, level: Level = "mandatory", **more: Any) -> Rule:
    return Rule(id, f"title of {id}", "high", level, (1,), "r", WHY, check, **more)


TWO = rule("cap-two", two, params=(Param("limit", 2, 0, 9, "d", WHY[0]),))
RULES = (TWO, rule("cap-unknown", unknown), rule("cap-breaks", breaks, "advisory"))


def said(settings: dict[str, Any], rules: tuple[Rule, ...] = (TWO,), told: Told | None = None) -> list[Verdict]:
    stack = metal(rich())
    cluster = stack.cluster.model_copy(update={"policies": PolicySettings.model_validate(settings)})
    return list(judge("capacity", rules, replace(stack, cluster=cluster), told or Told({}, {}), TODAY))


def seen(settings: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    return [(verdict.rule.id, verdict.level, verdict.status) for verdict in said(settings, **more)]


def test_each_rule_at_its_own_level_and_one_that_cannot_decide_or_breaks_hides_no_other() -> None:
    assert seen({}, rules=RULES) == [
        ("cap-two", "mandatory", "violated"),
        ("cap-two", "mandatory", "violated"),
        ("cap-unknown", "advisory", "undecided"),
        ("cap-breaks", "advisory", "failed"),
    ]
    *_, undecided, failed = said({}, rules=RULES)
    assert str(undecided) == "not decidable at preview: a of b is known only after `pulumi up`"
    assert str(failed).startswith("nothing was checked: the rule failed with LookupError: no such thing\n")


@pytest.mark.parametrize(
    ("levels", "engine", "expected"),
    [
        ({}, {}, "mandatory"),
        ({}, {"cap-two": "advisory"}, "advisory"),
        ({"capacity": "advisory"}, {}, "advisory"),
        ({"cap-two": "mandatory", "capacity": "disabled"}, {}, "mandatory"),
        ({"cap-two": "mandatory"}, {"cap-two": "disabled"}, "mandatory"),
    ],
    ids=["own", "of the pack's config", "of the pack", "rule before pack", "stack before pack's config"],
)
def test_levels(levels: dict[str, str], engine: dict[str, Any], expected: str) -> None:
    found = seen({"levels": levels}, told=Told(engine, {}))
    assert found == [("cap-two", expected, "violated")] * 2


def test_what_is_disabled_is_not_asked() -> None:
    assert seen({"levels": {"cap-two": "disabled"}}) == seen({"levels": {"capacity": "disabled"}}) == []


def test_parameters() -> None:
    assert str(said({})[0]) == "spec pools.web: at 2"
    assert str(said({}, told=Told({}, {"cap-two": {"limit": 3}}))[0]) == "spec pools.web: at 3"
    both = said({"params": {"cap-two": {"limit": 4}}}, told=Told({}, {"cap-two": {"limit": 3}}))
    assert str(both[0]) == "spec pools.web: at 4"


def waiver(**fields: Any) -> dict[str, Any]:
    return {"waivers": [{"rule": "cap-two", "reason": "known", "until": "2026-11-28", **fields}]}


@pytest.mark.parametrize(
    ("subject", "waived"),
    [
        ("*", {"pools.web", "pools.db"}),
        ("pools.db", {"pools.db"}),
        ("shop-web-*", {"pools.web"}),
        ("shop-web-0", set()),  # the other machine is not accepted
        ("pools.*", {"pools.web", "pools.db"}),
    ],
)
def test_a_waiver_accepts_what_it_names(subject: str, waived: set[str]) -> None:
    found = [verdict for verdict in said(waiver(subject=subject)) if verdict.rule is TWO]
    assert {v.violation.field for v in found if v.violation and v.status == "waived"} == waived
    assert {v.level for v in found if v.status == "waived"} <= {"advisory"}
    assert {v.level for v in found if v.status == "violated"} <= {"mandatory"}


def test_a_waived_finding_is_told_with_its_reason() -> None:
    assert str(said(waiver())[0]) == "waived until 2026-11-28, known: spec pools.web: at 2"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"until": "2026-11-27"}, "ended on 2026-11-27: it waives nothing"),
        ({"until": None}, "names no last day (until): it waives nothing"),
        ({"reason": " "}, "gives no reason: it waives nothing"),
        ({"subject": "shop-web-7"}, "matches nothing that is found here"),
        ({"subject": "shop-web-0"}, "leaves out shop-web-1: it waives nothing"),
        ({"subject": "shop-web-[01]"}, "matches nothing that is found here"),
    ],
    ids=["expired", "endless", "reasonless", "unused", "in part", "no other pattern than *"],
)
def test_a_waiver_that_waives_nothing_is_a_finding(fields: dict[str, Any], why: str) -> None:
    *others, last = said(waiver(**fields))
    assert {verdict.status for verdict in others} == {"violated"}
    assert (last.rule.id, last.level) == ("capacity-waivers", "advisory")
    assert str(last) == f"waiver cap-two: the waiver of {fields.get('subject', '*')} {why}"
    assert (
        seen({**waiver(**fields), "levels": {"capacity-waivers": "disabled"}})
        == [("cap-two", "mandatory", "violated")] * 2
    )


def test_waivers_together_accept_what_each_accepts_a_part_of() -> None:
    parts = [{"rule": "cap-two", "reason": "r", "until": "2030-01-01", "subject": s} for s in ("shop-web-0", "*-web-1")]
    found = said({"waivers": parts})
    assert [(verdict.rule.id, verdict.status) for verdict in found] == [("cap-two", "waived"), ("cap-two", "violated")]


@pytest.mark.parametrize(("rules", "levels"), [((), {}), (RULES[1:2], {}), ((TWO,), {"cap-two": "disabled"})])
def test_a_waiver_of_what_was_not_decided_is_not_unused(rules: tuple[Rule, ...], levels: dict[str, str]) -> None:
    asked = {"waivers": [{"rule": rule.id, "reason": "r", "until": "2030-01-01"} for rule in (*rules, TWO)][:1]}
    assert [v for v in said({**asked, "levels": levels}, rules=rules) if v.rule.id == "capacity-waivers"] == []


def test_waivers_of_other_packs_are_not_this_one_s_business() -> None:
    assert len(said(waiver(rule="drs-value"))) == 2


def test_a_rule_applies_to_what_it_speaks_of() -> None:
    vms = rule("cap-vms", two, machines=frozenset({"vm"}))
    assert not_applicable(vms, [metal(rich())]) == "it speaks of VMs; this stack has whole hosts"
    assert not_applicable(vms, [virtual(rich())]) == ""
    assert not_applicable(vms, []) == "this stack has no cluster of isostack"
    assert said({}, rules=(vms,)) == []
