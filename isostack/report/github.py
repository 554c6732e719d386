"""Findings as annotations of a GitHub workflow: commands that a step prints.

[documented] https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from isostack.finding import Declared, Finding, Judgement
from isostack.report.together import counted, together

SHOWN: Final = 10
"""Annotations of each kind that a step may make; GitHub drops the rest in silence
[documented] https://docs.github.com/en/rest/checks/runs (50 a request), and 10 errors and 10 warnings a step
[documented] https://github.com/orgs/community/discussions/26680"""
_KINDS: Final = {"mandatory": "error", "advisory": "warning"}


def findings(rules: Sequence[Declared], judged: Mapping[str, Judgement]) -> str:
    """At most SHOWN of each kind, the last of which says how many there are beside them; then a line for the log."""
    lines: list[str] = []
    for kind in ("error", "warning", "notice"):
        found = [(stacks, finding) for stacks, finding in together(judged) if _kind(finding) == kind]
        fits = found if len(found) <= SHOWN else found[: SHOWN - 1]
        lines += [_command(kind, stacks, finding) for stacks, finding in fits]
        if len(fits) < len(found):
            more = f"{len(found) - len(fits)} more: isostack check"
            lines.append(f"::{kind} title=isostack::{_text(more)}")
    summary = ", ".join(f"{count} {name}" for name, count in counted(judged).items()) or "no finding"
    return "\n".join([*lines, f"isostack check: {summary}, of {len(rules)} rules on {len(judged)} stacks"])


def _kind(finding: Finding) -> str:
    return _KINDS.get(finding.verdict, "notice")


def _command(kind: str, stacks: Sequence[str], finding: Finding) -> str:
    parts = {"title": f"{finding.rule} ({', '.join(stacks)})"}
    if finding.place:
        parts = {"file": finding.place.file, "line": str(finding.place.line), "col": str(finding.place.column), **parts}
    waived = f"waived until {finding.waiver.until}: {finding.waiver.reason}\n" if finding.waiver else ""
    remediation = f"\n{finding.remediation}" if finding.remediation else ""
    return command(kind, parts, f"{waived}{finding.message}{remediation}")


def command(kind: str, properties: Mapping[str, str], text: str) -> str:
    """An annotation of the kind error, warning or notice."""
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_text(text)}"


def _text(text: str) -> str:
    """[documented] github.com/actions/toolkit packages/core/src/command.ts, escapeData."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
