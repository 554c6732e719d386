"""A review: what becomes of the stacks of specs, and whether they are equivalent before and after."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Any, Final

from components import facts
from isostack.changes import FileChange, StackChange, changes
from isostack.parity import Parity, Shortfall, Verdict, parity
from isostack.preview.model import Preview

CONTEXT: Final = 2
"""Lines of a file around what differs."""
NODE: Final = "NODE"
_WORD: Final = re.compile(r"[^\s,'\"=]+")


@dataclass(frozen=True, slots=True)
class SpecVerdict:
    """Whether a spec's stacks are equivalent. None: there are none, or their facts are of another version."""

    spec: str
    before: Parity | None
    after: Parity | None
    appeared: tuple[Shortfall, ...] = ()
    """Degradations that were not there before."""
    went: tuple[Shortfall, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """All that changes, since a revision or against what is deployed."""

    since: str
    verdicts: tuple[SpecVerdict, ...]
    stacks: tuple[StackChange, ...]
    pools: Mapping[tuple[str, str], str]
    """Pool of each machine, by stack and name."""
    deployed: bool = False
    """Whether what was before is a state."""

    @property
    def equivalent(self) -> bool:
        return all(each.after is None or each.after.verdict is not Verdict.NOT for each in self.verdicts)

    def parts(self) -> dict[str, Any]:
        """Of the JSON document."""
        return {"since": self.since, "verdicts": self.verdicts, "stacks": self.stacks}

    def machines_to_render(self) -> dict[str, list[str]]:
        """Machines whose user data differs, by stack: the first of each pool stands for those that differ alike."""
        found = {s.stack: list(dict.fromkeys(m for f in s.files for m in self.firsts(s.stack, f))) for s in self.stacks}
        return {stack: names for stack, names in found.items() if names}

    def firsts(self, stack: str, file: FileChange) -> dict[str, list[str]]:
        """The machines of a file by the first of their pool."""
        by_pool: dict[str, list[str]] = {}
        for name in file.names:
            by_pool.setdefault(self.pools[stack, name], []).append(name)
        return {names[0]: names for names in by_pool.values()}


def review(before: Sequence[Preview], after: Sequence[Preview], specs: Mapping[str, str], since: str) -> Review:
    """`specs`: the spec of each stack, by the stack's name."""
    old, new = ({each.stack: each for each in previews} for previews in (before, after))
    names = list(dict.fromkeys((*new, *old)))
    verdicts = []
    for spec in dict.fromkeys(specs[name] for name in names):
        own = [[p for p in side if specs[p.stack] == spec] for side in (before, after)]
        verdicts.append(_verdict(spec, *own))
    pools = {
        (preview.stack, machine.name): machine.inputs["facts"]["wanted"]["pool"]
        for preview in (*before, *after)
        for machine in preview.of_type(facts.MACHINE)
    }
    deployed = any(each.origin for each in before)
    return Review(since, tuple(verdicts), tuple(changes(old.get(n), new.get(n)) for n in names), pools, deployed)


def _verdict(spec: str, before: Sequence[Preview], after: Sequence[Preview]) -> SpecVerdict:
    old, new = _parity(before), _parity(after)
    if old is None or new is None:
        return SpecVerdict(spec, old, new)
    # A state has a name of its own: a wish is the same wish.
    had, has = ([replace(each, stack=each.stack.partition(" ")[0]) for each in p.shortfalls] for p in (old, new))
    return SpecVerdict(
        spec, old, new, tuple(each for each in has if each not in had), tuple(each for each in had if each not in has)
    )


def _parity(previews: Sequence[Preview]) -> Parity | None:
    try:
        return parity(previews) if previews else None
    except (ValueError, KeyError):  # of pydantic: another revision's facts, in words that we do not know
        return None


Texts = Mapping[str, Mapping[str, Mapping[str, str]]]


def with_texts(review: Review, before: Texts, after: Texts) -> Review:
    """With the differences of the user data's texts, as far as both sides have them."""
    return replace(
        review,
        stacks=tuple(
            replace(each, files=tuple(_told(review, each, before.get(each.stack, {}), after.get(each.stack, {}))))
            for each in review.stacks
        ),
    )


def _told(
    review: Review,
    change: StackChange,
    before: Mapping[str, Mapping[str, str]],
    after: Mapping[str, Mapping[str, str]],
) -> Iterator[FileChange]:
    """Machines whose file differs in the same words stand together."""
    found: dict[FileChange, list[str]] = {}
    for file in change.files:
        for first, names in review.firsts(change.stack, file).items():
            old, new = before.get(first), after.get(first)
            if old is None or new is None or file.text:
                found.setdefault(replace(file, names=()), []).extend(names)
                continue
            # What is of no file by its digest is in any.
            known = file.file in old or file.file in new
            for path in [file.file] if known else dict.fromkeys((*old, *new)):
                text = difference(*(side.get(path, "").replace(first, NODE) for side in (old, new)))
                if text or known:
                    gone, come = _words(text)
                    one = replace(file, file=path, names=(), gone=gone, come=come, text=text)
                    found.setdefault(one, []).extend(names)
    for file, names in found.items():
        yield replace(file, names=tuple(names))


def _words(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that went and those that came, of the lines that differ."""
    gone, come = (
        Counter(w for line in text.splitlines() if line[0] == sign for w in _WORD.findall(line[1:])) for sign in "-+"
    )
    return tuple(sorted((gone - come).elements())), tuple(sorted((come - gone).elements()))


def difference(old: str, new: str) -> str:
    """The lines that differ, each with its sign, and a few around them."""
    lines = list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=CONTEXT))[2:]
    return "\n".join(lines)
