"""The words of the comment: the verdict first, then what is wrong, what changes, and what is new; within a limit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, Self

from components.problems import Problem
from isostack.ci.touched import Touched

_FILES, _FAULTS, _GONE = 3, 20, 20
"""How many of each are named."""
_OPENS: Final = re.compile(r"<details\b")
_CLOSES: Final = re.compile(r"</details>")
_MARKUP: Final = re.compile(r"[\\`*_|~#@\[\]]")
_FENCE: Final = re.compile(r"\s*(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the packs said."""

    markdown: str
    """Of what is new."""
    fails: bool
    fail_on: str
    kept: int
    """Findings that were there before."""
    went: tuple[tuple[str, str, str], ...]
    """Stack, rule and field of the findings that are there no more."""
    no_baseline: str
    """Why all findings count as new; empty: they do not."""
    new: Mapping[str, int] = field(default_factory=dict)
    """How many findings of each class are in `markdown`."""
    unequal: bool = False
    """Whether the targets are known to differ."""

    @classmethod
    def none(cls, fail_on: str) -> Self:
        """Where there is no stack to check."""
        return cls("", False, fail_on, 0, (), "")


def nothing(change: str) -> str:
    return "\n".join(["## isostack: ✅ no stack is touched", "", f"<sub>{change}</sub>", ""])


def comment(
    touched: Touched, faults: Sequence[Problem], diff: str, checked: Checked | None, change: str, limit: int
) -> str:
    """At most `limit` characters. `diff` is Markdown, `change` names the revisions."""
    head = [f"## isostack: {_verdict(touched, faults, checked)}", "", *_stacks(touched.stacks), *_gone(touched)]
    parts = ["\n".join(head)]
    if faults:
        parts.append("\n".join(_faults(faults)))
    if diff:
        parts.append(f"{diff.strip()}\n")
    if checked and touched.stacks:
        parts.append("\n".join(_checked(checked)))
    end = f"<sub>{change}</sub>\n"
    return "\n".join([*_fitted(parts, limit - len(end) - 1), end])


def fits(text: str, limit: int) -> str:
    """The text, or as many of its first lines as make sense by themselves: nothing that is unfolded or fenced stays
    open."""
    if len(text) <= limit:
        return text
    note = "\n_Cut here: the comment is full. The whole stands in the job's summary and artefacts._\n"
    kept, used, depth, fence = 0, 0, 0, ""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        used += len(line) + 1
        if used + len(note) > limit:
            break
        if (found := _FENCE.match(line)) and (not fence or (line.strip() == found[1] and found[1].startswith(fence))):
            fence = "" if fence else found[1]
        elif not fence:
            depth += len(_OPENS.findall(line)) - len(_CLOSES.findall(line))
        if not depth and not fence and not line.startswith("|"):
            kept = number
    return "\n".join(lines[:kept]) + note


def _fitted(parts: Sequence[str], limit: int) -> list[str]:
    """Each part has its share of what is left; what a short one leaves is for those after it."""
    made: list[str] = []
    for number, part in enumerate(parts):
        left = limit - sum(len(each) + 1 for each in made)
        made.append(fits(part, left // (len(parts) - number) - 1))
    return made


def _verdict(touched: Touched, faults: Sequence[Problem], checked: Checked | None) -> str:
    if faults or checked is None:
        count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
        return f"❌ {count}: nothing more can be told until that is mended"
    gone = f"{len(touched.gone)} stack files are deleted" if len(touched.gone) > 1 else "a stack file is deleted"
    unequal = "the targets are not equivalent"
    ends = [*([gone] if touched.gone else []), *([unequal] if checked.unequal else [])]
    if not touched.stacks:
        return f"⚠️ {', and '.join(ends)}"
    end = "".join(f", and {each}" for each in ends)
    if checked.fails:
        least = "mandatory findings" if checked.fail_on == "mandatory" else "findings"
        return f"❌ {'' if checked.no_baseline else 'new '}{least}{end}"
    new = f"{'' if checked.no_baseline else 'new: '}{', '.join(f'{n} {name}' for name, n in checked.new.items())}"
    return f"{'⚠️' if end else '✅'} nothing that blocks{end}{f'; {new}' if checked.new else ''}"


def _stacks(stacks: Mapping[str, Sequence[str]]) -> list[str]:
    """Stacks that are touched by the same files share a line."""
    if not stacks:
        return []
    together: dict[tuple[str, ...], list[str]] = {}
    for stack, files in stacks.items():
        together.setdefault(tuple(files), []).append(stack)
    lines = ["| stacks | touched by |", "|---|---|"]
    for files, names in together.items():
        more = f" and {len(files) - _FILES} more" if len(files) > _FILES else ""
        lines.append(f"| {', '.join(map(_cell, names))} | {', '.join(map(_code, files[:_FILES]))}{more} |")
    return [*lines, ""]


def _gone(touched: Touched) -> list[str]:
    if not touched.gone:
        return []
    return [
        f"**Stack file deleted:** {', '.join(map(_code, touched.gone))}. "
        "Its machines stay until `pulumi destroy`, which needs the file.",
        "",
    ]


def _faults(faults: Sequence[Problem]) -> list[str]:
    lines = [f"- {_code(str(fault))}" for fault in faults[:_FAULTS]]
    more = [f"- and {len(faults) - _FAULTS} more: `isostack validate`"] if len(faults) > _FAULTS else []
    return [*lines, *more, ""]


def _checked(checked: Checked) -> list[str]:
    lines = [checked.markdown.strip(), ""]
    if checked.no_baseline:
        lines += [f"All findings count as new: {_code(checked.no_baseline)}", ""]
    if checked.kept:
        lines += [f"Not shown, since they were there before: {checked.kept}.", ""]
    if checked.went:
        lines += ["**Went with this change:**", ""]
        for stack, rule, at in checked.went[:_GONE]:
            lines.append(" ".join(["-", _code(rule), *([_code(at)] if at else []), _cell(stack)]))
        lines += [f"- and {len(checked.went) - _GONE} more"] if len(checked.went) > _GONE else []
        lines += [""]
    return lines


def _code(text: str) -> str:
    """HTML, since a backtick in a file's name would end one of Markdown; and no character of Markdown's own."""
    plain = escape(" ".join(text.split()), quote=False)
    return f"<code>{_MARKUP.sub(lambda found: f'&#{ord(found[0])};', plain)}</code>"


def _cell(text: str) -> str:
    return _code(text).removeprefix("<code>").removesuffix("</code>")
