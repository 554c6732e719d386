"""What several stacks are told in the same words, told once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isostack.finding import Finding, Judgement


def together(judged: Mapping[str, Judgement]) -> list[tuple[list[str], Finding]]:
    """One cause, one finding: with the stacks that it is one of. The worst first, in the order of the packs else."""
    same: dict[tuple[Any, ...], tuple[list[str], Finding]] = {}
    for stack, each in judged.items():
        for finding in each.findings:
            key = (finding.rule, finding.status, finding.level, finding.where, finding.message, finding.subjects)
            stacks, _ = same.setdefault((*key, finding.place), ([], finding))
            if stack not in stacks:
                stacks.append(stack)
    return sorted(same.values(), key=lambda pair: _ORDER.index(_class(pair[1])))


_ORDER = ("mandatory", "advisory", "undecided", "waived")


def _class(finding: Finding) -> str:
    return finding.verdict if finding.verdict in _ORDER else "advisory"


def counted(judged: Mapping[str, Judgement]) -> dict[str, int]:
    """How many findings there are of each class, each counted once for all its stacks; classes without any are left
    out."""
    classes = [_class(finding) for _, finding in together(judged)]
    return {name: classes.count(name) for name in _ORDER if name in classes}
