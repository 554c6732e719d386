"""Rules of policy packs: their declaration, the cluster as they see it, and the words of what they find. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, final

from components.facts import AddonFacts, ClusterFacts, MachineFacts, PkiFacts, SiteFacts
from components.update import Update

Level = Literal["advisory", "mandatory", "disabled"]
Severity = Literal["low", "medium", "high", "critical"]
Origin = Literal["spec", "target", "resource", "waiver"]
Grade = Literal["measured", "documented", "vendor", "assumption"]
READER: Final = "isostack:reader"
"""Tag of a stack by which `isostack check` asks a pack for findings as JSON: with what a line of text leaves out."""
_EVIDENCE = "evidence: "


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a number or a claim comes from, and what that is worth."""

    grade: Grade
    source: str

    def __str__(self) -> str:
        return f"[{self.grade}] {self.source}"


@dataclass(frozen=True, slots=True)
class Param:
    """A number that the user of a pack may set; the message of its rule shows it."""

    name: str
    default: float
    minimum: float
    maximum: float
    description: str
    evidence: Evidence
    kind: Literal["number", "whole", "day"] = "number"
    """day: a date as a whole number, 20270630; 0: today. The engine and YAML make other things of dates."""

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema, for the pack's config."""
        return {
            "type": "number" if self.kind == "number" else "integer",
            "default": self.default,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "description": f"{self.description} {self.evidence}",
        }


@final
class Unknown:
    """A value that only `pulumi up` can know. There is one instance, UNKNOWN."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
HIDDEN: Final = "[secret]"
"""In place of every secret."""


class Undecided(Exception):
    """A rule needs what is not known at preview. Its text says what."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A resource of a provider, also one that somebody has added to the program by hand."""

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    """Outputs as far as they are known, with UNKNOWN in them; a secret is the text `[secret]`."""
    machine: str = ""
    """The machine of the plan that it is a part of; empty: of none."""
    ignore_changes: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By property, the URNs of the resources that its value comes from: known also where the value is not."""

    def get(self, *path: str | int) -> Any:
        """The value at a path; None where there is none. Raises Undecided where it is not known."""
        value: Any = self.props
        for i, step in enumerate(path):
            if value == HIDDEN:
                raise Undecided(f"{'.'.join(map(str, path[:i]))} of {self.name} is a secret")
            if isinstance(value, Mapping):
                value = value.get(str(step))
            elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(step, int):
                value = value[step] if step < len(value) else None
            else:
                return None
            if value is UNKNOWN:
                raise Undecided(f"{'.'.join(map(str, path[: i + 1]))} of {self.name} is known only after `pulumi up`")
        return value


@dataclass(frozen=True, slots=True)
class Stack:
    """One cluster: all of it that is neutral, which is known at preview, and the raw resources that rules ask for."""

    urn: str
    cluster: ClusterFacts
    sites: tuple[SiteFacts, ...]
    machines: tuple[MachineFacts, ...]
    addons: tuple[AddonFacts, ...] = ()
    pki: PkiFacts | None = None
    resources: Mapping[str, tuple[Raw, ...]] = field(default_factory=dict)
    """By type token: of each type that a rule `reads`, also where there is none."""

    update: Update | None = None
    """What an `up` would do to it; None: that is not known, or nothing of it is there yet."""

    def raw(self, *types: str) -> tuple[Raw, ...]:
        """All resources of these types. Raises KeyError for a type that no rule of the pack declares to read."""
        return tuple(resource for each in types for resource in self.resources[each])

    @property
    def kinds(self) -> frozenset[str]:
        """What its machines are: `vm`, `host`."""
        return frozenset(site.machine for site in self.sites)


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule found: the field that it is about, at most three lines of text, and all that it holds for."""

    field: str
    """By names, for example tenants.partner.trust; of a resource, its name."""
    text: str
    subjects: tuple[str, ...] = ()
    """Machines, resources or pools: all of them, where the text names the first few."""
    of: Origin = "spec"
    """What `field` is: a field of the spec or of the stack's target config, the name of a resource, the rule of a
    waiver."""

    def __str__(self) -> str:
        return f"{self.of} {self.field}: {self.text}"


BOTH: Final = frozenset({"vm", "host"})
Params = Mapping[str, float]
Check = Callable[[Stack, Params], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and all that is to be known of it. `check` yields nothing where all is well, and raises Undecided where
    that is not known."""

    id: str
    title: str
    severity: Severity
    level: Level
    claims: tuple[int, ...]
    """Numbers of the claims of "Should K8s run on VMs?" that it puts to the test; see the documentation."""
    remediation: str
    evidence: tuple[Evidence, ...]
    check: Check
    params: tuple[Param, ...] = ()
    why: str = ""
    """What is checked and why it matters, in a few sentences: the text of its documentation."""
    machines: frozenset[str] = BOTH
    """What it speaks of: `vm`, `host`. It does not apply to a stack of others."""
    reads: tuple[str, ...] = ()
    """Type tokens of raw resources that it looks at."""
    of_update: bool = False
    """It looks at what an update does, and does not apply where that is not known."""

    @property
    def tags(self) -> list[str]:
        """What Pulumi has no field for."""
        return [*(f"claim-{number}" for number in self.claims), *(f"{_EVIDENCE}{item}" for item in self.evidence)]


def evidence(tags: list[str]) -> tuple[str, ...]:
    """The evidence among a rule's tags, each with its grade."""
    return tuple(tag.removeprefix(_EVIDENCE) for tag in tags if tag.startswith(_EVIDENCE))


def figure(value: float) -> str:
    """A number in two significant digits, for messages: 0.0339 is `0.034`, 128.4 is `130`."""
    return f"{float(f'{value:.2g}'):.15g}"


def percent(share: float) -> str:
    """A share for messages: 0.158 is `16 %`. What is left out must not look like nothing."""
    return f"{figure(100 * share)} %" if share >= 1e-4 or share == 0 else "under 0.01 %"
