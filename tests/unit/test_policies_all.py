"""All rules: what each must have, and that it says the same through the policy SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi_policy import PolicyResource, PolicyResourceOptions, StackValidationArgs
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from components.facts import (
    CLUSTER,
    MACHINE,
    SITE,
)
from components.rules import Evidence, Param, Params, Rule, Stack, Violation, evidence, figure, percent, split
from policies import pack
from policies.snapshots.rules import RULES as SNAPSHOTS
from tests.policy_stacks import ALL, URN, found, metal, virtual
from tests.specs import rich


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_rule_is_complete(rule: Rule) -> None:
    assert rule.claims
    assert rule.remediation
    assert evidence(rule.tags) == tuple(f"[{item.grade}] {item.source}" for item in rule.evidence) != ()
    assert all(param.minimum <= param.default <= param.maximum for param in rule.params)


def test_a_violation_can_be_taken_apart_again() -> None:
    assert split(str(Violation("pools.web.tenant", "a: b\nc"))) == ("pools.web.tenant", "a: b\nc")
    assert split("the spec pools: x") == ("", "the spec pools: x")


@pytest.mark.parametrize(("value", "text"), [(0.0339, "0.034"), (128.4, "130"), (1.0, "1"), (0.93509, "0.94")])
def test_figures(value: float, text: str) -> None:
    assert figure(value) == text


def test_percents() -> None:
    assert [percent(share) for share in (0, 0.00001, 0.0034, 0.996)] == ["0 %", "under 0.01 %", "0.34 %", "100 %"]


def reports(
    rule: Rule, stack: Stack, change: Mapping[str, Any] | None = None, **config: float
) -> list[tuple[str, str]]:
    """What the SDK hears of a rule when the stack's cluster has these facts instead."""
    cluster = {**stack.cluster.props()["facts"], **(change or {})}
    heard: list[tuple[str, str]] = []
    args = StackValidationArgs(list(resources(stack, cluster)), config)
    pack.policy(rule).validate(args, lambda message, urn: heard.append((message, urn or "")))
    return heard


def resources(stack: Stack, cluster: Mapping[str, Any]) -> Iterator[PolicyResource]:
    """As the SDK hands them to a rule: all numbers are floats, and unknown values raise."""

    def floats(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floats(item) for key, item in value.items()}
        if isinstance(value, list):
            return [floats(item) for item in value]
        return float(value) if type(value) is int else value

    def resource(type_: str, name: str, facts: Any, parent: PolicyResource | None) -> PolicyResource:
        options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [], None)
        props = unknown_checking_proxy(floats({"facts": facts}))
        return PolicyResource(type_, props, f"{URN}{type_}::{name}", name, options, None, parent, [], {})

    top = resource(CLUSTER, stack.cluster.wanted.name, cluster, None)
    yield top
    for site in stack.sites:
        yield resource(SITE, site.name, site.props()["facts"], top)
    for machine in stack.machines:
        yield resource(MACHINE, machine.wanted.name, machine.props()["facts"], top)


def broken(stack: Stack, params: Params) -> Iterator[Violation]:
    yield Violation("workloads", f"before, with {params['limit']:g}")
    raise LookupError("no such thing\nand more")


BROKEN = Rule(
    "broken", "t", "low", "mandatory", (1,), "r", (Evidence("assumption", "s"),), broken,
    (Param("limit", 2, 0, 9, "d", Evidence("assumption", "s")),),
)  # fmt: skip


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
@pytest.mark.parametrize("stack", [virtual(rich({"backup": {}})), metal(rich())], ids=["vm", "metal"])
def test_a_rule_says_the_same_through_the_sdk(rule: Rule, stack: Stack) -> None:
    assert reports(rule, stack) == [(message, stack.urn) for message in found([rule], stack)]


def test_a_rule_that_raises_is_reported_with_its_place() -> None:
    (before, failure) = reports(BROKEN, metal(rich()), limit=3)
    assert before == ("spec workloads: before, with 3", f"{URN}{CLUSTER}::shop")
    message, urn = failure
    assert urn == ""
    assert message.splitlines()[0] == "nothing was checked: the rule failed with LookupError: no such thing"
    assert message.splitlines()[1].startswith("at test_policies_all.py:")


def test_facts_of_another_version_are_reported() -> None:
    ((message, _),) = reports(SNAPSHOTS[0], metal(rich()), {"version": 2})
    assert message.startswith("nothing was checked: the rule failed with ValidationError: 1 validation error")


def test_unknown_facts_are_not_decidable() -> None:
    with pytest.raises(UnknownValueError) as raised:
        reports(SNAPSHOTS[0], metal(rich()), {"endpoint": UNKNOWN_STRING_VALUE})
    assert raised.value.message == (
        f"not decidable, string value at .facts.endpoint can't be known during preview ({URN}{CLUSTER}::shop)"
    )


def test_a_stack_without_a_cluster_is_not_applicable() -> None:
    with pytest.raises(Exception, match=r"^$") as raised:
        pack.policy(SNAPSHOTS[0]).validate(StackValidationArgs([], {}), lambda message, urn: pytest.fail(message))
    assert raised.value.reason == "this stack has no cluster of isostack"  # type: ignore[attr-defined]
