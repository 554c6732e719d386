"""All stacks of one spec side by side: what each is made of, whether they are equivalent, what the policies say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import facts
from components.facts import MachineFacts, SiteFacts
from components.spec import Size
from isostack.evidence import cluster_facts, machine_facts
from isostack.finding import Declared, Judgement
from isostack.parity import Parity, parity
from isostack.preview.model import Message, Preview


@dataclass(frozen=True, slots=True)
class Group:
    """Equal machines of one pool."""

    pool: str
    count: int
    host_class: str
    size: Size
    asked: Size


@dataclass(frozen=True, slots=True)
class StackSummary:
    """What one stack is made of."""

    stack: str
    target: str
    groups: tuple[Group, ...]
    sites: tuple[SiteFacts, ...]
    reasons: tuple[str, ...]
    kinds: Mapping[str, int]
    """Raw resources, by kind."""
    warnings: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All stacks of a spec side by side."""

    spec: str
    stacks: tuple[StackSummary, ...]
    parity: Parity
    rules: tuple[Declared, ...]
    """Every rule that was asked."""
    policies: Mapping[str, Judgement]
    """What the policy packs say, by stack."""


def compare(previews: Sequence[Preview], rules: tuple[Declared, ...], policies: Mapping[str, Judgement]) -> Comparison:
    return Comparison(
        spec=cluster_facts(previews[0]).wanted.name,
        stacks=tuple(summary(preview) for preview in previews),
        parity=parity(previews),
        rules=rules,
        policies=policies,
    )


def summary(preview: Preview) -> StackSummary:
    cluster = cluster_facts(preview)
    return StackSummary(
        stack=preview.label,
        target=cluster.target,
        groups=tuple(_groups(machine_facts(preview))),
        sites=tuple(SiteFacts.of(site.inputs) for site in preview.of_type(facts.SITE)),
        reasons=cluster.reasons,
        kinds=raw_kinds(preview),
        warnings=tuple(message for message in preview.messages if message.severity != "info"),
    )


def raw_kinds(preview: Preview) -> dict[str, int]:
    """Resources that a provider creates, counted by kind and sorted by name; components and providers are left out."""
    raw = (kind_name(r.type) for r in preview.resources if r.custom and not r.type.startswith("pulumi:"))
    return dict(sorted(Counter(raw).items()))


def kind_name(token: str) -> str:
    """The kind as people say it: `kubernetes:tinkerbell.org/v1alpha1:Hardware` is `tinkerbell.org Hardware`."""
    package, module, name = token.split(":")
    group = module.partition("/")[0]
    return f"{group if package == 'kubernetes' and '.' in group else package} {name}"


def _groups(machines: Iterable[MachineFacts]) -> Iterable[Group]:
    def key(machine: MachineFacts) -> tuple[Any, ...]:
        place = machine.place
        return machine.wanted.pool, place.host_class, place.size, machine.wanted.size

    counts = Counter(key(machine) for machine in machines)
    return [
        Group(pool=pool, count=count, host_class=host_class, size=size, asked=asked)
        for (pool, host_class, size, asked), count in counts.items()
    ]
