"""Parity: whether stacks of one spec are equivalent, and where they are not. Reads previews alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from components import facts
from components.facts import AddonFacts, Facts, PkiFacts, Realisation
from components.realise import leaves
from isostack import same
from isostack.evidence import cluster_facts, doubts, machine_facts
from isostack.preview.model import UNKNOWN, Preview, Resource, Secret

ABSENT, SECRET = "absent", "[secret]"


class Verdict(StrEnum):
    EQUIVALENT = "equivalent"
    DEGRADED = "equivalent with degradations"
    NOT = "not equivalent"
    ALONE = "nothing to compare with"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that must be equal and is not. `values` holds one text for each stack, in their order."""

    subject: str
    """What differs: spec, a machine, an object in the cluster."""
    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A wish that a stack does not meet in full."""

    stack: str
    realisation: Realisation


@dataclass(frozen=True, slots=True)
class Parity:
    """The comparison of two or more stacks of one spec."""

    stacks: tuple[str, ...]
    verdict: Verdict
    differences: tuple[Difference, ...]
    shortfalls: tuple[Shortfall, ...]
    compared: Mapping[str, int]
    """How many things were held against each other, by kind."""


def parity(previews: Sequence[Preview]) -> Parity:
    """Hold the stacks against each other, and each against its own raw resources.

    They are equivalent when their neutral facts and Kubernetes objects are equal but for what each add-on declares to
    be its target's mechanism, when the raw resources of every machine show what its facts say, when what an add-on
    serves on one target is served on each that claims it, and when each wish comes true, or its degradation is listed.
    """
    neutral = [dict(_neutral(preview)) for preview in previews]
    own = list(_own(previews))
    untold = {("outputs", "")} if any(preview.outputs is None for preview in previews) else set()
    subjects = [s for s in dict.fromkeys(subject for stack in neutral for subject in stack) if s not in untold]
    one_stack = len({(preview.project, preview.stack) for preview in previews}) == 1 < len(previews)
    # Of one stack alone, all of its resources are held against each other: what is neutral is among them.
    differences = own
    if not one_stack:
        differences += [d for subject in subjects for d in _differences(subject, [n.get(subject) for n in neutral])]
    differences += [*_unserved(previews), *_unrealised(previews), *_empty(previews)]
    for i, preview in enumerate(previews):
        for machine, field, what in doubts(preview):
            differences.append(Difference(f"machine {machine}", field, _only(i, previews, what)))
    shortfalls = [
        Shortfall(preview.label, realisation)
        for preview in previews
        for realisation in cluster_facts(preview).realisations
        if realisation.grade != "equal"
    ]
    return Parity(
        stacks=tuple(preview.label for preview in previews),
        verdict=_verdict(len(previews), differences, shortfalls),
        differences=tuple(differences),
        shortfalls=tuple(shortfalls),
        compared={"resource": len(previews[0].resources)} if one_stack else _count(subjects),
    )


def _own(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Between what stands for the same stack: the first of it, and each other."""
    first: dict[tuple[str, str], int] = {}
    for i, preview in enumerate(previews):
        a = first.setdefault((preview.project, preview.stack), i)
        if a == i:
            continue
        for subject, path, here, there in same.differences(previews[a], preview):
            values = {a: ABSENT if here is None else _text(here), i: ABSENT if there is None else _text(there)}
            yield Difference(subject, path, _masked(tuple(values.get(j, "") for j in range(len(previews)))))


def _masked(values: tuple[str, ...]) -> tuple[str, ...]:
    """What is a secret on one side is not printed for standing in clear on another."""
    if SECRET not in values:
        return values
    return tuple(value if value in (SECRET, ABSENT, "") else "(stands in clear)" for value in values)


def _verdict(stacks: int, differences: Sequence[Difference], shortfalls: Sequence[Shortfall]) -> Verdict:
    if differences or any(shortfall.realisation.grade == "impossible" for shortfall in shortfalls):
        return Verdict.NOT
    if stacks == 1:
        return Verdict.ALONE
    return Verdict.DEGRADED if shortfalls else Verdict.EQUIVALENT


Subject = tuple[str, str]
"""Kind and name of what is compared: ("machine", "shop-web-0")."""


def _neutral(preview: Preview) -> Iterator[tuple[Subject, dict[str, str]]]:
    """What must be equal, flattened to texts by path."""
    yield ("spec", ""), _flat(_wanted(cluster_facts(preview)))
    for pki in preview.of_type(facts.PKI):
        yield ("PKI", ""), _flat(_wanted(PkiFacts.of(pki.inputs)))
        for key in preview.children(pki.urn):
            yield ("key", _object_name(key)), {**_flat(_key(preview, key)), "(protected)": _text(key.protect)}
    for machine in machine_facts(preview):
        files = {f"userData {name}": digest for name, digest in machine.user_data.files.items()}
        yield ("machine", machine.wanted.name), {**_flat(_wanted(machine)), **files}
    for component in preview.of_type(facts.ADDON):
        addon = AddonFacts.of(component.inputs)
        if addon.common:
            yield ("add-on", addon.name), _flat({"serves": addon.serves})
            for resource in preview.children(component.urn):
                yield ("object", _object_name(resource)), _object(preview, resource, addon.mechanism)
    yield ("outputs", ""), {name: _shape(value) for name, value in (preview.outputs or {}).items()}


def _key(preview: Preview, key: Resource) -> dict[str, Any]:
    """What a key is made with. What comes from other keys is each stack's own, and known once they are made: of that,
    from which."""
    made = key.property_dependencies
    return {
        name: [SECRET] * isinstance(value, Secret) + [_object_name(preview.by_urn[urn]) for urn in sorted(made[name])]
        if name in made
        else value
        for name, value in key.inputs.items()
    }


def _wanted(neutral: Facts) -> Any:
    return neutral.model_dump(mode="json", by_alias=True)["wanted"]


def _object_name(resource: Resource) -> str:
    return f"{resource.type.rpartition(':')[2]} {resource.name}"


def _object(preview: Preview, resource: Resource, mechanism: Sequence[str]) -> dict[str, str]:
    """The flat object and the cluster that it goes to. Paths that a target may choose are there, whatever they hold; a
    Helm release's lie in its values."""
    kind = resource.type.rpartition(":")[2]
    names = {f"{kind}/{name}" for name in (resource.name, resource.inputs.get("name"), _metadata_name(resource))}
    chosen = [path for name, _, path in (entry.partition(":") for entry in mechanism) if name in names]
    prefixes = {prefix: path for path in chosen for prefix in (path, f"values.{path}")}
    flat = {"(provider)": preview.by_urn[resource.provider].name if resource.provider else "none"}
    for path, text in _flat(resource.inputs).items():
        own = next((p for p in prefixes if path == p or path.startswith((f"{p}.", f"{p}["))), None)
        flat[path if own is None else own] = text if own is None else "(the target's choice)"
    return flat


def _shape(value: Any) -> str:
    """Of an output: not what it holds, which is each stack's own, but of what kind it is, and of what it tells."""
    if isinstance(value, Secret):
        return "secret"
    told = isinstance(value, Mapping) and all(isinstance(item, Mapping) for item in value.values())
    return f"of {', '.join(sorted(value))}" if told else "plain"


def _metadata_name(resource: Resource) -> Any:
    metadata = resource.inputs.get("metadata")
    return metadata.get("name") if isinstance(metadata, Mapping) else None


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Leaves by path. List items that have a name go by it, so that an inserted one does not shift the others; their
    order is one leaf more."""
    if isinstance(value, Mapping) and value:
        return {k: v for key, item in value.items() for k, v in _flat(item, f"{path}.{key}" if path else key).items()}
    if isinstance(value, list | tuple) and value:
        names = [str(item["name"]) if isinstance(item, Mapping) and "name" in item else "" for item in value]
        named = all(names) and len(set(names)) == len(names)
        keys = names if named else range(len(value))
        leaves = {k: v for key, item in zip(keys, value, strict=True) for k, v in _flat(item, f"{path}[{key}]").items()}
        return {**leaves, **({f"{path}[]": ", ".join(names)} if named and len(names) > 1 else {})}
    return {path: _text(value)}


def _text(value: Any) -> str:
    if value is UNKNOWN:
        return "(known after creation)"
    if isinstance(value, Secret):
        return SECRET
    # As JSON where the text alone could be of another type: "1" is not 1 to Kubernetes.
    return value if isinstance(value, str) and not _is_json(value) else json.dumps(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _differences(subject: Subject, stacks: Sequence[dict[str, str] | None]) -> Iterator[Difference]:
    name = " ".join(part for part in subject if part)
    if any(stack is None for stack in stacks):
        yield Difference(name, "", tuple(ABSENT if stack is None else "present" for stack in stacks))
        return
    fields = dict.fromkeys(field for stack in stacks for field in stack or ())
    for field in fields:
        values = tuple((stack or {}).get(field, ABSENT) for stack in stacks)
        if len(set(values)) > 1:
            yield Difference(name, field, _masked(values))


def _unrealised(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Fields of the spec of which a stack does not say how they come true."""
    for i, preview in enumerate(previews):
        cluster = cluster_facts(preview)
        said = {realisation.field for realisation in cluster.realisations}
        for leaf in leaves(cluster.wanted):
            if leaf.path not in said:
                yield Difference("spec", leaf.path, _only(i, previews, "not said how it comes true"))


def _empty(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Add-ons that install nothing."""
    for i, preview in enumerate(previews):
        for component in preview.of_type(facts.ADDON):
            if not preview.children(component.urn):
                name = AddonFacts.of(component.inputs).name
                yield Difference(f"add-on {name}", "", _only(i, previews, "installs nothing"))


def _only(i: int, previews: Sequence[Preview], what: str) -> tuple[str, ...]:
    return tuple(what if j == i else "" for j in range(len(previews)))


def _unserved(previews: Sequence[Preview]) -> Iterator[Difference]:
    """Fields that an add-on serves on one target, and none on another that claims to make them true all the same."""
    serving = [_serving(preview) for preview in previews]
    for pattern in dict.fromkeys(pattern for stack in serving for pattern in stack):
        values = tuple(
            ", ".join(addons.get(pattern, ())) or ("none" if _claims(preview, pattern) else "")
            for preview, addons in zip(previews, serving, strict=True)
        )
        if "none" in values:
            yield Difference("add-ons", pattern, values)


def _serving(preview: Preview) -> dict[str, list[str]]:
    """Names of the add-ons that serve each field, by its pattern."""
    found: dict[str, list[str]] = {}
    for component in preview.of_type(facts.ADDON):
        addon = AddonFacts.of(component.inputs)
        for pattern in addon.serves:
            found.setdefault(pattern, []).append(addon.name)
    return found


def _claims(preview: Preview, pattern: str) -> bool:
    """Whether fields of this pattern come true here in full."""
    fields = [r for r in cluster_facts(preview).realisations if fnmatchcase(r.field, pattern)]
    return any(realisation.grade == "equal" for realisation in fields)


def _count(subjects: Sequence[Subject]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind, _ in subjects:
        counts[kind] = counts.get(kind, 0) + 1
    return counts
