"""Changes as one comment of a pull request: the verdict, what was asked, what it does; the rest folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from isostack.changes import Cause, FileChange, Kind, Property, Row
from isostack.parity import Parity
from isostack.report import changed
from isostack.report.apart import cut, lined, told
from isostack.report.markdown import VERDICTS, _cell, _prose, fenced, fitting, folded, within
from isostack.review import Review

_MARKS: Final = {
    Kind.CREATED: "➕",
    Kind.REPLACED: "♻️",
    Kind.CHANGED: "✏️",
    Kind.LATER: "⏳",
    Kind.RENAMED: "🏷️",
    Kind.DELETED: "➖",
}
_LINES: Final = 80
"""Of one file's difference; the JSON document has all."""
_PROPERTIES: Final = 12
_OF_A_VALUE: Final = 20
"""Lines of the difference of a value."""
_FOLD: Final = 24_000
"""Characters of one folded list, so that no list takes the room of all others."""
_DIFFERENCES: Final = 10
_CAUSES: Final = 40
"""Rows of the table of what changes."""
_TABLE: Final = "**What changes**\n\n| | before | after | how, and when it counts |\n|---|---|---|---|\n"
_HAS_ALL: Final = "`isostack diff` with --format json has all"


def comment(review: Review) -> str:
    """Within the platform's limit: what does not fit is counted, and the command that shows it named."""
    head = "\n".join([*_head(review), ""])
    return within(head, list(_blocks(review)), lambda left: f"\n{left} more parts: {_HAS_ALL}\n")


def _head(review: Review) -> Iterator[str]:
    changing = [each for each in review.stacks if each.kind]
    yield f"### isostack diff since {_prose(review.since)}: {changed.headline(review)}"
    yield ""
    for each in review.verdicts:
        mark = VERDICTS[each.after.verdict] if each.after else "▫️"
        yield f"- {mark} **{_prose(each.spec)}**: {_prose(changed.verdict(each))}"
        yield from _differences(each.after)
        for word, fields, stacks, why in changed.come_and_gone(each):
            yield f"  - {word}: `{changed.named(fields)}` on {_prose(', '.join(stacks))}: {_prose(why)}"
    yield ""
    if not changing:
        return
    kinds = [kind for kind in _MARKS if any(each.count(kind) for each in review.stacks)]
    heads = [f" {_MARKS[kind]} {kind} |" for kind in kinds]
    heads[:1] = [f" resources{head}" for head in heads[:1]]
    yield f"| stack | machines |{''.join(heads)}"
    yield "|---|---:|" + "---:|" * len(kinds)
    for change in review.stacks:
        counts = "".join(f" {change.count(kind) or '-'} |" for kind in kinds)
        whole = f" ({change.kind})" if change.kind in (Kind.CREATED, Kind.DELETED) else ""
        yield f"| {_cell(change.stack)}{whole} | {changed.counts(change)} |{counts}"
    yield ""


def _differences(parity: Parity | None) -> Iterator[str]:
    found = parity.differences if parity else ()
    for each in found[:_DIFFERENCES]:
        values = zip(parity.stacks if parity else (), lined(each.values), strict=True)
        sides = ", ".join(f"{stack}: {value}" for stack, value in values)
        yield f"  - {_prose(f'{each.subject} {each.field}'.strip())}: {_prose(sides)}"
    if len(found) > _DIFFERENCES:
        yield f"  - and {len(found) - _DIFFERENCES} more differences"


def _blocks(review: Review) -> Iterator[str]:
    # What is destroyed is told before why: the rest may find no room.
    if machines := [_machines(review, stacks, row) for stacks, row in changed.machines(review)]:
        shown, left = fitting(machines, _FOLD)
        yield f"**Machines**\n\n{''.join(shown)}"
        yield f"- and {left} more: {_HAS_ALL}\n\n" if left else "\n"
    elif any(each.kind for each in review.stacks):
        yield f"**{changed.untouched(review.stacks).capitalize()}.**\n\n"
    if asked := list(_asked(review)):
        shown, _ = fitting(asked[:_CAUSES], _FOLD)
        yield "".join([_TABLE, *shown])
        left = len(asked) - len(shown)
        yield f"\nand {changed.count(left, 'row')} more: {_HAS_ALL}\n\n" if left else "\n"
    if rows := changed.resources(review):
        total = sum(len(row.names) * len(stacks) for stacks, row in rows)
        yield _folded(changed.count(total, "resource"), [_row(review, *each) for each in rows])
    if facts := changed.of_machines(review):
        yield _folded("facts of machines", [_of_machines(review, *each) for each in facts])
    if files := [_file(review, stacks, file) for stacks, file in changed.files(review)]:
        yield f"\n**User data**, {changed.count(len(files), 'difference')}\n\n"
        yield from files
    if rows:
        yield f"\n{changed.NOTE}\n"


def _asked(review: Review) -> Iterator[str]:
    for cause, meanings in changed.causes(review):
        all_of_them = tuple(stack for stacks in meanings.values() for stack in stacks)
        how = [
            f"{_prose(', '.join(stacks))}: {_cell(meaning)}" if len(meanings) > 1 else _cell(meaning)
            for meaning, stacks in meanings.items()
        ]
        where = _prose(changed.where(review, all_of_them))
        cells = (
            f"{_cell(changed.subject(cause))}{where}",
            *("<br>".join(map(_cell, cell)) for cell in told(cause.before, cause.after).cells()),
            "<br>".join(how),
        )
        yield f"| {' | '.join(cells)} |\n"


def _machines(review: Review, stacks: Sequence[str], row: Row) -> str:
    return f"- {_MARKS[row.kind]} {_prose(changed.machine(row) + changed.where(review, stacks))}\n"


def _of_machines(review: Review, stacks: Sequence[str], cause: Cause) -> str:
    values, below = _values(cause.before, cause.after, "  ")
    names = f"{len(cause.names)}: {_prose(changed.named(cause.names))}"
    return f"- `{cause.field}`{values}, of {names}: {_prose(cause.meaning + changed.where(review, stacks))}{below}"


def _row(review: Review, stacks: Sequence[str], row: Row) -> str:
    lines = [f"- {_MARKS[row.kind]} {_prose(changed.resource(row) + changed.where(review, stacks))}"]
    lines += [f"  - {_property(each)}" for each in row.properties[:_PROPERTIES]]
    if len(row.properties) > _PROPERTIES:
        lines.append(f"  - and {len(row.properties) - _PROPERTIES} more")
    return "\n".join(lines)


def _property(each: Property) -> str:
    values, below = _values(each.before, each.after, "    ")
    return f"`{each.path}`{values}{changed.later(each)}{below}"


def _values(before: str, after: str, indent: str) -> tuple[str, str]:
    """What stands on the line of a list's item, and below it: the lines that differ, where there are several."""
    found = told(before, after)
    if not found.lines:
        return f" {_prose(found.before)} → {_prose(found.after)}", ""
    lines = fenced(cut(found.lines)[:_OF_A_VALUE], "diff")
    if left := len(found.lines) - _OF_A_VALUE:
        lines += [f"and {changed.count(left, 'line')} more"] if left > 0 else []
    return "", "".join(f"\n{indent}{line}" for line in lines)


def _file(review: Review, stacks: Sequence[str], file: FileChange) -> str:
    where = escape(changed.where(review, stacks))
    word = {Kind.CREATED: " new,", Kind.DELETED: " gone,"}.get(file.kind, "")
    of = changed.count(len(file.names), "machine")
    head = f"<code>{escape(file.file)}</code>{word} of {of}: {escape(file.meaning)}{where}"
    lines = file.text.splitlines()
    body = [_prose(changed.named(file.names)), ""]
    if lines:
        body += fenced(lines[:_LINES], "diff")
        if len(lines) > _LINES:
            body.append(f"and {len(lines) - _LINES} lines more")
    else:
        body.append(f"{changed.no_text(review).capitalize()}.")
    return f"<details><summary>{head}</summary>\n\n" + "\n".join(body) + "\n\n</details>\n"


def _folded(title: str, lines: Sequence[str]) -> str:
    shown, left = fitting(lines, _FOLD)
    return folded(title, "\n".join([*shown, *([f"- and {left} more"] if left else [])]))
