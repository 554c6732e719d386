"""All rules: what each must have, and that it says the same through the engine's protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2

from components.facts import ADDON, CLUSTER, MACHINE, PKI, SITE
from components.rules import UNKNOWN, Evidence, Param, Params, Rule, Stack, Violation, evidence, figure, percent
from components.signatures import UNKNOWN_VALUE
from components.update import UPDATE
from policies import pack
from policies.judge import not_applicable
from policies.snapshots.rules import RULES as SNAPSHOTS
from tests.policy_cases import Case, cases
from tests.policy_stacks import ALL, URN, found, metal, virtual
from tests.specs import rich


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_rule_is_complete(rule: Rule) -> None:
    assert rule.claims
    assert rule.remediation
    assert evidence(rule.tags) == tuple(f"[{item.grade}] {item.source}" for item in rule.evidence) != ()
    assert all(param.minimum <= param.default <= param.maximum for param in rule.params)


@pytest.mark.parametrize(("value", "text"), [(0.0339, "0.034"), (128.4, "130"), (1.0, "1"), (0.93509, "0.94")])
def test_figures(value: float, text: str) -> None:
    assert figure(value) == text


def test_percents() -> None:
    assert [percent(share) for share in (0, 0.00001, 0.0034, 0.996)] == ["0 %", "under 0.01 %", "0.34 %", "100 %"]


def reports(
    rule: Rule, stack: Stack, change: Mapping[str, Any] | None = None, **config: float
) -> list[tuple[str, str]]:
    """What the engine hears of a rule when the stack's cluster has these facts instead."""
    return [(d.message.removeprefix(f"{rule.title}\n"), d.urn) for d in ask(rule, stack, change, **config).diagnostics]


def ask(rule: Rule, stack: Stack | None, change: Mapping[str, Any] | None = None, **config: float) -> Any:
    service = pack.Service("test", [rule])
    configuration = analyzer_pb2.ConfigureAnalyzerRequest()
    policy = configuration.policyConfig[rule.id]
    policy.enforcementLevel = service.GetAnalyzerInfo(None, None).policies[0].enforcementLevel
    policy.properties.update(config)
    service.Configure(configuration, None)
    tags = {UPDATE: stack.update.model_dump_json(by_alias=True)} if stack and stack.update else {}
    service.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(tags=tags), None)
    request = analyzer_pb2.AnalyzeStackRequest()
    if stack:
        request.resources.extend(resources(stack, {**stack.cluster.props()["facts"], **(change or {})}))
    return service.AnalyzeStack(request, None)


def resources(stack: Stack, cluster: Mapping[str, Any]) -> Iterator[Any]:
    """As the engine sends them: all numbers are floats."""

    def resource(type_: str, name: str, props: Mapping[str, Any], parent: str) -> Any:
        made = analyzer_pb2.AnalyzerResource(type=type_, name=name, urn=f"{URN}{type_}::{name}", parent=parent)
        made.properties.update(props)
        return made

    top = resource(CLUSTER, stack.cluster.wanted.name, {"facts": cluster}, "")
    yield top
    for site in stack.sites:
        yield resource(SITE, site.name, site.props(), top.urn)
    for machine in stack.machines:
        yield resource(MACHINE, machine.wanted.name, machine.props(), top.urn)
    for addon in stack.addons:
        yield resource(ADDON, addon.name, addon.props(), top.urn)
    if stack.pki:
        yield resource(PKI, "pki", stack.pki.props(), top.urn)
    for some in stack.resources.values():
        for raw in some:
            parent = f"{URN}{MACHINE}::{raw.machine}" if raw.machine else ""
            made = resource(raw.type, raw.name, _marked(raw.props), parent)
            made.options.ignoreChanges.extend(raw.ignore_changes)
            for prop, urns in raw.sources.items():
                made.propertyDependencies[prop].urns.extend(urns)
            yield made


def _marked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _marked(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(each) for each in value]
    return UNKNOWN_VALUE if value is UNKNOWN else value


def broken(stack: Stack, params: Params) -> Iterator[Violation]:
    yield Violation("workloads", f"before, with {params['limit']:g}")
    raise LookupError("no such thing\nand more")


BROKEN = Rule(
    "broken", "t", "low", "mandatory", (1,), "r", (Evidence("assumption", "s"),), broken,
    (Param("limit", 2, 0, 9, "d", Evidence("assumption", "s")),),
)  # fmt: skip


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
@pytest.mark.parametrize("stack", [virtual(rich({"backup": {}})), metal(rich())], ids=["vm", "metal"])
def test_a_rule_says_the_same_through_the_protocol(rule: Rule, stack: Stack) -> None:
    says = [] if not_applicable(rule, [stack]) else found([rule], stack)
    assert reports(rule, stack) == [(message, stack.urn) for message in says]


SENT = {name: case for name, case in cases() if case.stack.resources or case.stack.update}


@pytest.mark.parametrize("case", SENT.values(), ids=SENT)
def test_raw_resources_arrive_through_the_protocol(case: Case) -> None:
    """With what is unknown in them, the machine that they belong to, and where their values come from; and what an
    update does."""
    undecided = [f"not decidable at preview: {case.undecided}"] if case.undecided else []
    assert [said for said, _ in reports(case.declared, case.stack, None, **case.params)] == [*case.says, *undecided]


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
    ((message, urn),) = reports(SNAPSHOTS[0], metal(rich()), {"endpoint": UNKNOWN_VALUE})
    top = f"{URN}{CLUSTER}::shop"
    assert (message, urn) == (f"not decidable at preview: facts.endpoint of {top} is known only after `pulumi up`", "")


def test_a_stack_without_a_cluster_is_not_applicable() -> None:
    answer = ask(SNAPSHOTS[0], None)
    ((rule, reason),) = [(each.policy_name, each.reason) for each in answer.not_applicable]
    assert (rule, reason) == (SNAPSHOTS[0].id, "this stack has no cluster of isostack")
    assert not answer.diagnostics
