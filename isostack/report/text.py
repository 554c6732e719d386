"""Text for terminals and pipes. Every function prints one result on the console it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from components.bootstrap.budget import Budget
from components.facts import Realisation
from components.plan import Plan
from components.problems import Problem
from components.spec import Size
from isostack.comparison import Comparison, Group, StackSummary, kind_name
from isostack.parity import Difference, Parity
from isostack.preview.model import Message, Preview
from isostack.report import policies, wording
from isostack.report.console import STYLE, heading, make_table
from isostack.report.console import console as console

MOST_DIFFERENCES = 40


def problems(out: Console, faults: Sequence[Problem]) -> None:
    for fault in faults:
        out.print(f"[red]error:[/] {escape(str(fault))}", soft_wrap=True)
    if len(faults) > 1:
        out.print(f"{len(faults)} problems")


def plan(out: Console, stack: str, result: Plan, data: Budget) -> None:
    out.print(f"[bold]{stack}[/]: {len(result.machines)} machines, API at {result.endpoint or 'a reserved address'}")
    table = make_table("machine", "zone", "host", "address", "made of", "size", "asked", "user data", numbers=1)
    for machine in result.machines:
        place, wanted = machine.place, machine.wanted
        asked = "the same" if place.size == wanted.size else str(wanted.size)
        address = place.address or "at creation"
        takes = f"{data.taken[wanted.name] / 1024:.1f} KiB"
        cells = (
            wanted.name,
            wanted.zone,
            place.host or "any",
            address,
            place.host_class,
            str(place.size),
            asked,
            takes,
        )
        table.add_row(*map(escape, cells))
    out.print(table)
    channel = data.channel
    most = f"user data: at most {data.taken[data.largest]:,} of the {channel.limit:,} bytes that {channel.name} carries"
    out.print(f"{escape(most)} [dim]{escape(channel.source)}[/]")
    _sentences(out, "Why", result.reasons)
    if result.loose:
        pin = f"before `pulumi up` write it down with `isostack plan --pin {stack}`"
        out.print(f"[yellow]{escape(result.loose)}[/]: {escape(pin)}", soft_wrap=True)
    _realisations(out, result.realisations)


def preview(out: Console, result: Preview) -> None:
    """The resources as a tree of names, then what the program had to say."""
    custom = sum(resource.custom for resource in result.resources)
    out.print(f"[bold]{escape(result.label)}[/]: {custom} resources in {len(result.resources) - custom} components")
    if result.resources:
        _tree(out, result, result.resources[0].urn, 0)
    if result.outputs is not None:
        out.print(f"outputs: {escape(', '.join(result.outputs))}")
    _messages(out, result.messages)


def _tree(out: Console, result: Preview, urn: str, depth: int) -> None:
    for resource in result.children(urn):
        style = "" if resource.custom else "bold"
        name = escape(kind_name(resource.type))
        marks = " (protected)" if resource.protect else ""
        out.print(
            f"{'  ' * depth}[{style or 'default'}]+ {escape(resource.name)}[/] [dim]{name}{marks}[/]", soft_wrap=True
        )
        _tree(out, result, resource.urn, depth + 1)


def comparison(out: Console, result: Comparison) -> None:
    _verdict(out, wording.title(result), result.parity)
    _blocked(out, result)
    differences(out, result.parity.stacks, result.parity.differences)
    heading(out, "Machines")
    out.print(_machines(result.stacks))
    for stack in result.stacks:
        _sentences(out, stack.stack, (*stack.reasons, *wording.ended(stack)))
    _shortfalls(out, result.parity)
    heading(out, "Policies")
    policies.judged(out, result.rules, result.policies)
    heading(out, "Resources")
    out.print(_kinds(result.stacks))
    for stack in result.stacks:
        _messages(out, stack.warnings, f"{escape(stack.stack)}: ")


def _verdict(out: Console, what: str, result: Parity) -> None:
    out.print(f"[bold]{escape(what)}[/]: [{STYLE[result.verdict]}]{wording.verdict(result)}[/]")
    out.print(f"[dim]{wording.compared(result)}[/]")


def _blocked(out: Console, result: Comparison) -> None:
    """The stacks that a policy would not let through, beside the verdict: they make the command fail too."""
    for stack, rules in wording.blocked(result).items():
        out.print(f"[bold]{escape(stack)}[/]: [red]blocked by policy[/]: {', '.join(rules)}")


def differences(out: Console, stacks: Sequence[str], found: Sequence[Difference]) -> None:
    if not found:
        return
    heading(out, "Differences")
    table = make_table("where", "field", *stacks)
    causes = wording.causes(found)
    for kind, field, values, names in causes[:MOST_DIFFERENCES]:
        table.add_row(*map(escape, (wording.named(kind, names), field, *values)))
    out.print(table)
    if len(causes) > MOST_DIFFERENCES:
        out.print(f"... and {len(causes) - MOST_DIFFERENCES} more; --format json has all")


def _machines(stacks: Sequence[StackSummary]) -> Table:
    """One row for each pool: what is asked, and what each target makes of it."""
    table = make_table("pool", "asked", *(stack.stack for stack in stacks))
    by_pool = [wording.by_pool(stack.groups) for stack in stacks]
    for pool, groups in by_pool[0].items():
        asked = groups[0].asked
        count = sum(group.count for group in groups)
        table.add_row(pool, f"{count} x {asked}", *(escape(_made_of(stack.get(pool, []), asked)) for stack in by_pool))
    totals = [sum(group.count for group in stack.groups) for stack in stacks]
    table.add_section()
    table.add_row("all", "", *(f"{total} {wording.hosts(stack)}" for total, stack in zip(totals, stacks, strict=True)))
    return table


def _made_of(groups: Sequence[Group], asked: Size) -> str:
    lines = []
    for group in groups:
        size = "as asked" if group.size == asked else str(group.size)
        lines.append(f"{group.count} x {group.host_class}: {size}")
    return "\n".join(lines)


def _shortfalls(out: Console, result: Parity) -> None:
    if not result.shortfalls:
        return
    heading(out, "Degradations")
    table = make_table("fields", "grade", "stack", "what happens instead", "why")
    causes: dict[tuple[str, str, str, str], list[str]] = {}
    for shortfall in result.shortfalls:
        r = shortfall.realisation
        causes.setdefault((r.reason, r.grade, r.mechanism, shortfall.stack), []).append(r.field)
    # One cause, one row: the fields and the stacks that share it stand together, and a reason is not repeated for the
    # next mechanism.
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for (reason, grade, mechanism, stack), fields in causes.items():
        rows.setdefault((grade, reason, "\n".join(fields), mechanism), []).append(stack)
    shown = ("", "")
    for (grade, reason, listed, mechanism), stacks in sorted(rows.items(), key=lambda row: row[0][:2]):
        why = "as above" if (reason, listed) == shown else reason
        style = f"[{STYLE[grade]}]{grade}[/]"
        table.add_row(escape(listed), style, escape("\n".join(stacks)), escape(mechanism), escape(why))
        shown = (reason, listed)
    out.print(table)


def _realisations(out: Console, realisations: Iterable[Realisation]) -> None:
    heading(out, "How each wish comes true")
    table = make_table("field", "grade", "mechanism", "note")
    for r in realisations:
        table.add_row(escape(r.field), f"[{STYLE[r.grade]}]{r.grade}[/]", escape(r.mechanism), escape(r.reason))
    out.print(table)


def _kinds(stacks: Sequence[StackSummary]) -> Table:
    table = make_table("kind", *(stack.stack for stack in stacks), numbers=len(stacks))
    for kind in sorted({kind for stack in stacks for kind in stack.kinds}):
        table.add_row(escape(kind), *(str(stack.kinds.get(kind, "-")) for stack in stacks))
    table.add_section()
    table.add_row("all", *(str(sum(stack.kinds.values())) for stack in stacks))
    return table


def _messages(out: Console, messages: Iterable[Message], prefix: str = "") -> None:
    for text, severity in dict.fromkeys((message.text, message.severity) for message in messages):
        out.print(f"[dim]{prefix}{severity}: {escape(text)}[/]", soft_wrap=True)


def _sentences(out: Console, title: str, sentences: Iterable[str]) -> None:
    listed = list(sentences)
    if listed:
        out.print(f"[bold]{escape(title)}[/]")
        for sentence in listed:
            out.print(Padding(escape(sentence), (0, 0, 0, 2), expand=False))
