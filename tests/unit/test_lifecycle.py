"""The stack of the ended service: what packs say of it while its waiver counts, and afterwards."""

from __future__ import annotations

from datetime import date

from components.facts import CLUSTER, SITE, ClusterFacts, SiteFacts
from components.rules import Stack
from policies.judge import Told, judge
from policies.lifecycle.rules import RULES
from tests.examples import previews

ENDED, WAIVERS = "life-service-ended", "lifecycle-waivers"


def said(today: date) -> list[tuple[str, str, str]]:
    """Of the example stack: rule, level and status of all that is said, but for what comes with the minor's age."""
    (preview,) = (each for each in previews("shop") if each.stack == "shop-equinix")
    (cluster,) = (r for r in preview.resources if r.type == CLUSTER)
    stack = Stack(
        urn=cluster.urn,
        cluster=ClusterFacts.of(cluster.inputs),
        sites=tuple(SiteFacts.of(r.inputs) for r in preview.resources if r.type == SITE),
        machines=(),
        resources={kind: () for rule in RULES for kind in rule.reads},
    )
    verdicts = judge("lifecycle", RULES, stack, Told({}, {}), today)
    return [(v.rule.id, v.level, v.status) for v in verdicts if v.rule.id in (ENDED, WAIVERS)]


def test_its_waiver_lets_it_be_compared() -> None:
    assert said(date(2026, 12, 1)) == said(date(2099, 12, 31)) == [(ENDED, "advisory", "waived")]


def test_a_waiver_that_has_run_out_is_told_and_waives_nothing() -> None:
    assert said(date(2100, 1, 1)) == [(ENDED, "mandatory", "violated"), (WAIVERS, "advisory", "violated")]
