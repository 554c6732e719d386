"""What must be equal on every stack of a spec, by subject; and of objects what their targets may choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from components import facts
from components.facts import AddonFacts, Facts, PkiFacts
from isostack.evidence import cluster_facts, machine_facts
from isostack.flat import by_name
from isostack.part import Part
from isostack.preview.model import HIDDEN, Preview, Resource, Secret

Subject = tuple[str, str]
"""Kind and name of what is compared: ("machine", "shop-web-0")."""
CHOICE: Final = "(the target's choice)"
PROVIDER: Final = "(provider)"
OBJECT: Final = "object"

_PARTS: Final = {
    "spec": Part.FIELD,
    "machine": Part.MACHINES,
    **dict.fromkeys(("PKI", "key", "add-on", "add-ons", OBJECT, "outputs"), Part.KUBERNETES),
}


def part_of(kind: str) -> Part:
    """The part that a subject of this kind belongs to. What is no subject of parity is a raw resource."""
    return _PARTS.get(kind, Part.RAW)


@dataclass(frozen=True, slots=True)
class Object:
    """What an add-on registers: what must be equal, and what is the target's choice in it, by path."""

    addon: str
    value: Mapping[str, Any]
    chosen: Mapping[str, Any]


def neutral(preview: Preview) -> Iterator[tuple[Subject, Any]]:
    """All that must be equal, each with its value."""
    yield ("spec", ""), _wanted(cluster_facts(preview))
    for pki in preview.of_type(facts.PKI):
        yield ("PKI", ""), _wanted(PkiFacts.of(pki.inputs))
        for key in preview.children(pki.urn):
            yield ("key", object_name(key)), {**_key(preview, key), "(protected)": key.protect}
    for machine in machine_facts(preview):
        files = {f"userData {name}": digest for name, digest in machine.user_data.files.items()}
        yield ("machine", machine.wanted.name), {**_wanted(machine), **files}
    for _, addon in addons(preview):
        if addon.common:
            yield ("add-on", addon.name), {"serves": addon.serves}
    for name, each in objects(preview).items():
        yield (OBJECT, name), each.value
    yield ("outputs", ""), {name: _shape(value) for name, value in (preview.outputs or {}).items()}


def addons(preview: Preview) -> Iterator[tuple[Resource, AddonFacts]]:
    for component in preview.of_type(facts.ADDON):
        yield component, AddonFacts.of(component.inputs)


def objects(preview: Preview) -> dict[str, Object]:
    """Those of the add-ons that every target has, by name."""
    return {
        object_name(resource): _object(preview, resource, addon)
        for component, addon in addons(preview)
        if addon.common
        for resource in preview.children(component.urn)
    }


def object_name(resource: Resource) -> str:
    return f"{resource.type.rpartition(':')[2]} {resource.name}"


def _key(preview: Preview, key: Resource) -> dict[str, Any]:
    """What a key is made with. What comes from other keys is each stack's own, and known once they are made: of that,
    from which."""
    made = key.property_dependencies
    return {
        name: [HIDDEN] * isinstance(value, Secret) + [object_name(preview.by_urn[urn]) for urn in sorted(made[name])]
        if name in made
        else value
        for name, value in key.inputs.items()
    }


def _wanted(neutral: Facts) -> Any:
    return neutral.model_dump(mode="json", by_alias=True)["wanted"]


def _object(preview: Preview, resource: Resource, addon: AddonFacts) -> Object:
    """With the cluster that it goes to. Paths that a target may choose are there, whatever they hold."""
    kind = resource.type.rpartition(":")[2]
    names = {f"{kind}/{name}" for name in (resource.name, resource.inputs.get("name"), _metadata_name(resource))}
    own = {path for name, _, path in (entry.partition(":") for entry in addon.mechanism) if name in names}
    chosen: dict[str, Any] = {}
    value = _without(own, resource.inputs, "", chosen)
    provider = preview.by_urn[resource.provider].name if resource.provider else "none"
    return Object(addon.name, {PROVIDER: provider, **value}, chosen)


def _without(own: Set[str], value: Any, path: str, chosen: dict[str, Any]) -> Any:
    """The value with a mark at each path that a target may choose; what stood there goes to `chosen`."""
    if path in own:
        chosen[path] = value
        return CHOICE
    if not own:
        return value
    if isinstance(value, Mapping):
        return {key: _without(own, item, f"{path}.{key}" if path else key, chosen) for key, item in value.items()}
    if isinstance(value, list | tuple):
        keys = by_name(value) or range(len(value))
        return [_without(own, item, f"{path}[{key}]", chosen) for key, item in zip(keys, value, strict=True)]
    return value


def _shape(value: Any) -> str:
    """Of an output: not what it holds, which is each stack's own, but of what kind it is, and of what it tells."""
    if isinstance(value, Secret):
        return "secret"
    told = isinstance(value, Mapping) and all(isinstance(item, Mapping) for item in value.values())
    return f"of {', '.join(sorted(value))}" if told else "plain"


def _metadata_name(resource: Resource) -> Any:
    metadata = resource.inputs.get("metadata")
    return metadata.get("name") if isinstance(metadata, Mapping) else None
