"""What every report of a comparison says in the same words: the verdict, what is behind it, one row for one cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from isostack.comparison import Comparison, Group, StackSummary
from isostack.parity import Difference, Parity, Verdict

Cause = tuple[str, str, tuple[str, ...], list[str]]
"""Kind, field, the value on each stack, and the names of what it holds for."""


def title(result: Comparison) -> str:
    return f"{result.spec} on {', '.join(dict.fromkeys(stack.target for stack in result.stacks))}"


def verdict(result: Parity) -> str:
    if result.verdict is Verdict.DEGRADED:
        # Of two that stand for one stack, each wish once.
        wishes = len({(s.realisation.field, s.realisation.mechanism, s.realisation.reason) for s in result.shortfalls})
        return f"equivalent with {wishes} degradation{'s' if wishes > 1 else ''}"
    if result.differences:
        return f"not equivalent: {len(result.differences)} difference{'s' if len(result.differences) > 1 else ''}"
    return "not equivalent: a wish cannot come true" if result.verdict is Verdict.NOT else str(result.verdict)


def compared(result: Parity) -> str:
    """How many things were held against each other."""
    listed = ", ".join(f"{count} {kind}s" if count > 1 else kind for kind, count in result.compared.items())
    return f"{'held against each other' if len(result.stacks) > 1 else 'there is one; in it'}: {listed}"


def blocked(result: Comparison) -> dict[str, list[str]]:
    """The rules that would not let a stack through, by stack; stacks without any are left out."""
    rules = {
        stack: list(dict.fromkeys(finding.rule for finding in judged.findings if finding.blocks))
        for stack, judged in result.policies.items()
    }
    return {stack: names for stack, names in rules.items() if names}


def causes(differences: Iterable[Difference]) -> list[Cause]:
    """One cause, one row: a mistake of a target is one of all its machines."""
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for difference in differences:
        kind, _, name = difference.subject.partition(" ")
        found.setdefault((kind, difference.field, difference.values), []).append(name)
    return [(kind, field, values, names) for (kind, field, values), names in found.items()]


def named(kind: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{kind} {names[0]}{more}".strip()


def by_pool(groups: Iterable[Group]) -> dict[str, list[Group]]:
    pools: dict[str, list[Group]] = {}
    for group in groups:
        pools.setdefault(group.pool, []).append(group)
    return pools


def hosts(stack: StackSummary) -> str:
    """Number of physical hosts behind the machines, as far as the site knows them."""
    texts = []
    for site in stack.sites:
        if site.machine == "vm":
            texts.append(f"VMs on {len(site.hosts)} {'host' if len(site.hosts) == 1 else 'hosts'}")
        else:
            texts.append(f"hosts, {site.spare_hosts} spare" if site.hosts else "hosts of the provider")
    return ", ".join(texts)


def ended(stack: StackSummary) -> Iterator[str]:
    for site in stack.sites:
        if site.service_ended:
            yield f"the provider ended this service on {site.service_ended}: the stack can be compared, not created"
