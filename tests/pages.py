"""HTML reports for tests: of the example, of hostile names, of many machines."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from components import facts
from isostack.comparison import Comparison, compare, summary
from isostack.finding import Declared, Finding, Judgement, Place, Waiver
from isostack.preview import Preview
from isostack.preview.model import Message, Resource
from tests.examples import previews

HOSTILE = (
    "</script></style></title><img src=x onerror=\"document.title='taken'\">' onfocus=alert(1) {{ 7*7 }}\x00\x1b[31m"
)
RULES = tuple(
    Declared(f"{pack}-{level}", pack, f"title of {pack}-{level}", "high", level, "do", ("[measured] a: b",))
    for pack in ("capacity", "drs")
    for level in ("mandatory", "advisory")
)


def finding(rule: Declared, field: str = "pools.web.size", message: str = "too small\nby half") -> Finding:
    return Finding(
        rule.rule, rule.pack, rule.title, rule.severity, rule.level, "violated", "", "spec", field, message,
        rule.remediation, rule.evidence, ("shop-web-0", "shop-web-1"), None, Place("stacks/shop.yaml", 7, 5),
    )  # fmt: skip


def shop() -> tuple[Comparison, tuple[Preview, ...]]:
    """The example with a finding of each class; one of them is the same on all its stacks."""
    stacks = previews("shop")
    bad, mild, other, _ = (finding(rule) for rule in RULES)
    waived = replace(other, status="waived", level="advisory", waiver=Waiver("it is known", "2999-01-01"))
    judged = {stack.label: Judgement((mild,), {RULES[3].rule: "it speaks of VMs"}) for stack in stacks}
    judged[stacks[0].label] = Judgement((mild, bad, waived, replace(mild, status="undecided", message="not known")))
    return compare(stacks, RULES, judged), stacks


def hostile() -> tuple[Comparison, tuple[Preview, ...]]:
    """The example where all that a file, a provider or a pack may say freely is hostile."""
    stacks = tuple(_spoilt(stack) for stack in previews("shop"))
    rules = tuple(replace(rule, title=HOSTILE, remediation=HOSTILE, evidence=(HOSTILE,)) for rule in RULES)
    said = [replace(finding(rule, HOSTILE, HOSTILE), subjects=(HOSTILE, "b")) for rule in rules]
    judged = {stack.label: Judgement(tuple(said), {RULES[0].rule: HOSTILE}) for stack in stacks}
    return compare(stacks, rules, judged), stacks


def renamed() -> tuple[Comparison, tuple[Preview, ...]]:
    """The example under hostile names of its stacks: all else is sound, so that nothing is left out."""
    stacks = tuple(replace(stack, stack=f"{stack.stack}{HOSTILE}") for stack in previews("shop"))
    return compare(stacks, RULES, {stack.label: Judgement() for stack in stacks}), stacks


def _spoilt(stack: Preview) -> Preview:
    told = (Message("warning", HOSTILE),)
    made = tuple(replace(resource, inputs=_hostile(resource.type, resource.inputs)) for resource in stack.resources)
    return replace(stack, stack=f"{stack.stack}{HOSTILE}", resources=made, messages=told)


def _hostile(kind: str, inputs: Any) -> Any:
    inputs = deepcopy(inputs)
    if kind == facts.MACHINE:
        machine = inputs["facts"]
        machine["wanted"] |= {key: f"{machine['wanted'][key]}{HOSTILE}" for key in ("name", "pool", "zone")}
        machine["place"] |= {"host": HOSTILE, "hostClass": HOSTILE, "address": HOSTILE}
    elif kind == facts.SITE:
        for host in inputs["facts"]["hosts"]:
            host |= {"name": f"{host['name']}{HOSTILE}", "zone": HOSTILE}
    elif kind == facts.CLUSTER:
        inputs["facts"]["reasons"] = [HOSTILE]
        for realisation in inputs["facts"]["realisations"]:
            realisation |= {"mechanism": HOSTILE, "reason": HOSTILE}
    return inputs


def many(machines: int) -> tuple[Comparison, tuple[Preview, ...]]:
    """The example with so many machines on each target, each as one that it has. Policies and parity are the example's:
    the report of a large stack, without the time of its preview."""
    result, stacks = shop()
    stacks = tuple(replace(stack, resources=tuple(_multiplied(stack, machines))) for stack in stacks)
    return replace(result, stacks=tuple(summary(stack) for stack in stacks)), stacks


def _multiplied(stack: Preview, machines: int) -> Iterator[Resource]:
    there = stack.of_type(facts.MACHINE)
    yield from stack.resources
    for number in range(len(there), machines):
        inputs: Any = deepcopy(there[number % len(there)].inputs)
        wanted = inputs["facts"]["wanted"]
        wanted |= {"name": f"shop-{wanted['pool']}-{number}", "index": number}
        yield replace(there[number % len(there)], inputs=inputs, urn=f"{there[0].urn}-{number}")
